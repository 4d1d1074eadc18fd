"""How much of a text is worn-out phrases, of fiction and of chatbots."""

import re
from functools import cache
from importlib import resources

from billy_mlx.measure.vocabulary import words

_WORD = r"[\w'’-]+"


def worn_phrase_rate(text: str) -> float:
    """Return how many worn phrases there are in a hundred words of `text`; 0 for a text without words.

    The list, English only, is our own reading and no measure of good style: a phrase on it can be the right one.
    """
    count = len(words(text))
    return 100 * len(_pattern().findall(text)) / count if count else 0.0


@cache
def _pattern() -> re.Pattern[str]:
    """One pattern for all phrases, the longer of two that begin alike first."""
    lines = resources.files("billy_mlx.measure").joinpath("data", "worn_phrases.txt").read_text("utf-8").splitlines()
    phrases = sorted({line.strip() for line in lines if line.strip() and not line.startswith("#")}, key=len)
    return re.compile(rf"(?<!\w)(?:{'|'.join(_phrase(phrase) for phrase in reversed(phrases))})(?!\w)", re.IGNORECASE)


def _phrase(phrase: str) -> str:
    """Return the pattern of one: any white space or hyphen between words, any apostrophe, `*` for any one word."""
    parts = re.split(r"[ -]", phrase)
    return r"[\s‐‑-]+".join(_WORD if part == "*" else re.escape(part).replace("'", "['’ʼ]") for part in parts)

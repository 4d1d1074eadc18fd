"""The words of texts: how many are of a given vocabulary, how many repeat, and how many are worn phrases."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

_Run = tuple[str, ...]

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_ANY_WORD = r"[\w'’-]+"  # what `*` stands for in a worn phrase


def words(text: str) -> list[str]:
    """Return the words of `text`, in lower case."""
    return [word.lower() for word in _WORD.findall(text)]


def share_of_words(text: str, stems: Sequence[str]) -> float:
    """Return how many words in a hundred begin with one of `stems`; 0 for a text without words."""
    found = words(text)
    starts = tuple(stem.lower() for stem in stems)
    return 100 * sum(word.startswith(starts) for word in found) / len(found) if found and starts else 0.0


def shares_of_words(texts: Sequence[str], stems: Mapping[str, Sequence[str]]) -> NDArray[np.float64]:
    """Return (N, P) for N texts and P vocabularies, each as `share_of_words` has it."""
    shares = [[share_of_words(text, own) for own in stems.values()] for text in texts]
    return np.array(shares, np.float64).reshape(len(texts), len(stems))


def distinct_share(text: str, n: int = 2) -> float:
    """Return the share of runs of `n` words that are different ones: 1 without repetition, near 0 in a loop.

    Source: distinct-n, arXiv 1510.03055.
    """
    found = words(text)
    runs = [tuple(found[i : i + n]) for i in range(len(found) - n + 1)]
    return len(set(runs)) / len(runs) if runs else 1.0


def repeated_share(text: str, n: int = 4) -> float:
    """Return the share of runs of `n` words that have come before: 0 without repetition, near 1 in a loop."""
    return 1.0 - distinct_share(text, n)


def self_bleu(texts: Sequence[str], n: int = 4) -> float | None:
    """Return the mean BLEU of each text with all others as its references: 0 if no word is shared, 1 for copies.

    Runs of 1 to `n` words count, or up to a text's own length if it is shorter. Smoothed by adding one to what is
    found and to what there is, for runs of two words and more: without that, one missing run of four makes a short
    text's BLEU zero. None with fewer than two texts that have words; others do not count.

    Source: arXiv 1802.01886 for self-BLEU; Lin and Och 2004 (ORANGE) for the smoothing.
    """
    found = [text for text in map(words, texts) if text]
    if len(found) < 2:
        return None
    runs = [[_runs(text, size) for size in range(1, min(n, len(text)) + 1)] for text in found]
    elsewhere = _second_largest([count for text in runs for count in text])
    lengths = [len(text) for text in found]
    scores = [
        _brevity(lengths[i], lengths[:i] + lengths[i + 1 :]) * _precision(text, elsewhere)
        for i, text in enumerate(runs)
    ]
    return sum(scores) / len(scores)


def worn_phrase_rate(text: str) -> float:
    """Return how many worn phrases there are in a hundred words of `text`; 0 for a text without words.

    The list, English only, is our own reading and no measure of good style: a phrase on it can be the right one.
    """
    count = len(words(text))
    return 100 * len(_pattern().findall(text)) / count if count else 0.0


def _runs(text: Sequence[str], size: int) -> Counter[_Run]:
    return Counter(tuple(text[i : i + size]) for i in range(len(text) - size + 1))


def _second_largest(counts: Sequence[Counter[_Run]]) -> dict[_Run, int]:
    """Return how often each run stands in the text that has it second most often; what only one text has is not there.

    A text's count clipped at this is its count clipped at the most that any other text has.
    """
    held: defaultdict[_Run, list[int]] = defaultdict(list)
    for count in counts:
        for run, times in count.items():
            held[run].append(times)
    return {run: sorted(times)[-2] for run, times in held.items() if len(times) > 1}


def _precision(runs: Sequence[Counter[_Run]], elsewhere: dict[_Run, int]) -> float:
    """Return the geometric mean, over the lengths of runs, of the share of a text's runs that others have as well."""
    logarithms = []
    for extra, count in enumerate(runs):
        shared = sum(min(times, elsewhere.get(run, 0)) for run, times in count.items())
        if not extra and not shared:
            return 0.0
        smoothing = min(extra, 1)
        logarithms.append(math.log((shared + smoothing) / (count.total() + smoothing)))
    return math.exp(sum(logarithms) / len(logarithms))


def _brevity(length: int, others: Sequence[int]) -> float:
    """Return BLEU's penalty for a text shorter than the reference nearest in length."""
    nearest = min(others, key=lambda other: (abs(other - length), other))
    return math.exp(min(0.0, 1 - nearest / length))


@cache
def _pattern() -> re.Pattern[str]:
    """One pattern for all phrases, the longer of two that begin alike first."""
    lines = resources.files("billy_mlx.measure").joinpath("data", "worn_phrases.txt").read_text("utf-8").splitlines()
    phrases = sorted({line.strip() for line in lines if line.strip() and not line.startswith("#")}, key=len)
    return re.compile(rf"(?<!\w)(?:{'|'.join(_phrase(phrase) for phrase in reversed(phrases))})(?!\w)", re.IGNORECASE)


def _phrase(phrase: str) -> str:
    """Return the pattern of one: any white space or hyphen between words, any apostrophe, `*` for any one word."""
    parts = re.split(r"[ -]", phrase)
    return r"[\s‐‑-]+".join(_ANY_WORD if part == "*" else re.escape(part).replace("'", "['’ʼ]") for part in parts)

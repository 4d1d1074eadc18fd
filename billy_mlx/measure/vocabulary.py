"""How often a text uses a given vocabulary."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


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

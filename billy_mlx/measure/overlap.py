"""How far texts repeat one another's words."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from billy_mlx.measure.vocabulary import words

_Run = tuple[str, ...]


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

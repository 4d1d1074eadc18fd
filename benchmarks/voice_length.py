"""How a voice holds over a long text: its effect and its repetition at some numbers of words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from voice_arms import UNTOUCHED, Voice
from voice_effects import in_group
from voice_readout import Ruler, Texts
from voice_shelf import Text

from billy_mlx.measure.statistics import Interval, item_means, mean_interval
from billy_mlx.measure.vocabulary import repeated_share

MARKS = (50, 200, 600)
WINDOW = 50
"""Words before a mark that are read; what the text repeats is told of all words up to it."""


@dataclass(frozen=True)
class AtLength:
    """An arm at a number of words.

    Attributes:
        effect: specific, mean over personas, interval over prompts; of texts that get there with and without it.
        repeated: share of runs of four words that have come before.
        reached: share of the texts that get there.
    """

    arm: str
    words: int
    effect: Interval | None
    repeated: float
    reached: float


def at_lengths(ruler: Ruler, texts: Texts, arms: Sequence[str]) -> list[AtLength]:
    """Return every arm at every mark."""
    found = []
    for mark in MARKS:
        control = texts[UNTOUCHED]
        found.append(AtLength(UNTOUCHED.arm, mark, None, *_repetition(control, mark)))
        for arm in arms:
            own = {voice: rows for voice, rows in texts.items() if voice.arm == arm}
            if own:
                every = [row for rows in own.values() for row in rows]
                found.append(AtLength(arm, mark, _effect(ruler, own, control, mark), *_repetition(every, mark)))
    return found


def _effect(ruler: Ruler, own: Texts, control: Sequence[Sequence[Text]], mark: int) -> Interval | None:
    by_prompt: list[tuple[int, float]] = []
    for voice, rows in own.items():
        values = _differences(ruler, voice, rows, control, mark)
        by_prompt += item_means(values).items()
    return mean_interval(list(item_means(by_prompt).values()))


def _differences(
    ruler: Ruler, voice: Voice, rows: Sequence[Sequence[Text]], control: Sequence[Sequence[Text]], mark: int
) -> list[tuple[int, float]]:
    """Return the prompt and the specific effect of every text that gets there, as does its counterpart."""
    pairs = [
        (number, window(own.text, mark), window(other.text, mark))
        for number, (row, others) in enumerate(zip(rows, control, strict=True))
        for own, other in zip(row, others, strict=True)
        if reaches(own.text, mark) and reaches(other.text, mark)
    ]
    if not pairs:
        return []
    steered, plain = (ruler.positions([pair[place] for pair in pairs]) for place in (1, 2))
    return [
        (pair[0], float(value)) for pair, value in zip(pairs, in_group(steered - plain, voice.persona), strict=True)
    ]


def reaches(text: str, mark: int) -> bool:
    """Whether a text has so many words."""
    return len(text.split()) >= mark


def window(text: str, mark: int) -> str:
    """Return the words before a mark."""
    return " ".join(text.split()[mark - WINDOW : mark])


def _repetition(rows: Sequence[Sequence[Text]], mark: int) -> tuple[float, float]:
    texts = [text.text for row in rows for text in row]
    there = [" ".join(text.split()[:mark]) for text in texts if reaches(text, mark)]
    repeated = float(np.mean([repeated_share(text) for text in there])) if there else float("nan")
    return repeated, len(there) / max(1, len(texts))

"""Blind choices: which voices were offered without their names, and which of them the writer kept.

They are lines of one file for all texts, which has neither the words nor the name of any, so that nothing is lost when
a text is renamed or deleted. Only blind choices are kept: whoever knows the names judges these as well.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from billy_mlx import paths
from billy_mlx.files import PRIVATE, make_private, read_all, reading, write_atomically
from billy_mlx.jsonl import Sound, append_lines, read_sound_lines

MODEL_ALONE = "none"
"""The model alone among voices, as blends spell it."""

_WAITING_FILE = "blind.json"
_LONGEST_WAITING = 1000
_MOST_BYTES = 4 << 20  # some 20,000 choices: the newest


@dataclass(frozen=True)
class Choice:
    """One blind choice.

    Attributes:
        at: when, in ISO 8601.
        model: the id of the model that wrote.
        offered: the blends of the drafts in their text form, in the order they were shown, each once.
        kept: which of them, from 0; None if none was.
    """

    at: str
    model: str
    offered: tuple[str, ...]
    kept: int | None

    def __post_init__(self) -> None:
        if len({*self.offered}) < max(len(self.offered), 2) or "" in self.offered:
            raise ValueError("a choice is among two voices or more, each of them once")
        if self.kept is not None and not 0 <= self.kept < len(self.offered):
            raise ValueError("what was kept was offered")


@dataclass(frozen=True)
class Tally:
    """A voice of one model against that model alone.

    Attributes:
        offered: choices in which both could be kept.
        kept: those in which the voice was.
        alone_kept: those in which the model alone was.
    """

    voice: str
    model: str
    offered: int
    kept: int
    alone_kept: int

    @property
    def decided(self) -> int:
        """In how many of them one of the two was kept: only these compare the two, however many drafts there were."""
        return self.kept + self.alone_kept


def choices_file() -> Path:
    """Return where choices are kept."""
    return paths.state_folder() / "choices.jsonl"


def keep_choice(texts: Sequence[tuple[str, str]], kept: int | None, model: str) -> None:
    """Write a choice down; nothing where fewer than two voices wrote anything, for then there was none.

    Args:
        texts: blend and text of each draft, in the order they were shown.
        kept: which of them, from 0; None if none was.
        model: the id of the model that wrote.

    Raises:
        BillyError: it cannot be written.
    """
    there = [index for index, (_, text) in enumerate(texts) if text.strip()]
    if len(there) < 2:
        return
    offered = tuple(texts[index][0] for index in there)
    at = datetime.now().astimezone().isoformat(timespec="seconds")
    choice = Choice(at, model, offered, None if kept is None else there.index(kept))
    append_lines(choices_file(), [choice], mode=PRIVATE)
    make_private(choices_file())


def read_choices() -> Sound[Choice]:
    """Return the choices that were kept, the newest last, and what of the file could not be used.

    Raises:
        BillyError: the file cannot be read.
    """
    return read_sound_lines(choices_file(), Choice, _MOST_BYTES)


def tallies(choices: Iterable[Choice]) -> list[Tally]:
    """Return how each voice did against the model alone, those with most decided choices first."""
    found: dict[tuple[str, str], list[int]] = {}
    for choice in choices:
        if MODEL_ALONE not in choice.offered:
            continue
        kept = None if choice.kept is None else choice.offered[choice.kept]
        for voice in choice.offered:
            if voice != MODEL_ALONE:
                counts = found.setdefault((voice, choice.model), [0, 0, 0])
                for place, counted in enumerate((True, kept == voice, kept == MODEL_ALONE)):
                    counts[place] += counted
    rows = [Tally(voice, model, *counts) for (voice, model), counts in found.items()]
    return sorted(rows, key=lambda row: (-row.decided, -row.offered, row.voice, row.model))


@dataclass(frozen=True)
class WaitingChoice:
    """Drafts of one text that wait to be chosen from; whose they are, the alternatives themselves know.

    Attributes:
        draft: the number of the draft whose first alternatives they are.
        count: how many.
    """

    draft: int
    count: int


def read_waiting(folder: Path) -> WaitingChoice | None:
    """Return what waits in the text whose `folder` this is; None if nothing does."""
    try:
        with reading(folder / _WAITING_FILE) as handle:
            waiting: WaitingChoice | None = msgspec.json.decode(
                read_all(handle, _LONGEST_WAITING), type=WaitingChoice | None
            )
            return waiting
    except (OSError, ValueError, RecursionError):  # what is lost is one choice, and no draft
        return None


def keep_waiting(folder: Path, waiting: WaitingChoice | None) -> None:
    """Keep what waits in a text, or that nothing does.

    Raises:
        BillyError: it cannot be written.
    """
    if waiting is not None or (folder / _WAITING_FILE).exists():
        write_atomically(folder / _WAITING_FILE, msgspec.json.encode(waiting), mode=PRIVATE)

"""Texts and readings from a file alone, without the model that made them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from voice_arms import UNTOUCHED, Voice
from voice_readout import Texts
from voice_shelf import Name, Reading, Shelf, Text
from voice_tasks import Task

from billy_mlx.errors import BillyError
from billy_mlx.vectors.card import SentenceSet


@dataclass(frozen=True, eq=False)
class Kept:
    """What a shelf has, in a writer's place.

    Attributes:
        left_out: arm, persona and kind of those of which not all texts are there, or not all by the same vectors.
    """

    shelf: Shelf
    left_out: list[tuple[str, str, str]] = field(default_factory=list)

    def texts(self, voices: Sequence[Voice], tasks: Sequence[Task], seeds: int, max_tokens: int) -> Texts:
        """Return the texts of those voices that are complete.

        Raises:
            BillyError: those of dose 0 are not.
        """
        found = {voice: self._of(voice, tasks, seeds, max_tokens) for voice in (UNTOUCHED, *voices)}
        control = found[UNTOUCHED]
        if control is None:
            raise BillyError(f"not all texts of dose 0 are kept for {tasks[0].kind}; write them with --keep first")
        model = control[0][0].fingerprint
        whole: dict[Voice, Sequence[Sequence[Text]]] = {}
        for voice in voices:
            own = found[voice]
            if own is None or own[0][0].fingerprint != model:
                self.left_out.append((voice.arm, voice.persona, tasks[0].kind))
            else:
                whole[voice] = own
        return whole

    def readings(self, voices: Sequence[Voice], sentences: SentenceSet) -> dict[Voice, Reading]:
        """Return the readings that are there; `sentences` are those of whoever read."""
        found = {voice: self.shelf.latest_readings.get((voice.arm, voice.persona)) for voice in voices}
        control = found.get(UNTOUCHED)
        return {
            voice: reading
            for voice, reading in found.items()
            if reading is not None and control is not None and reading.fingerprint == control.fingerprint
        }

    def _of(self, voice: Voice, tasks: Sequence[Task], seeds: int, max_tokens: int) -> Sequence[Sequence[Text]] | None:
        rows = []
        for task in tasks:
            names = [
                Name(voice.arm, voice.persona, task.kind, task.half, task.number, seed, max_tokens)
                for seed in range(seeds)
            ]
            rows.append([self.shelf.named[name] for name in names if name in self.shelf.named])
        if any(len(row) < seeds for row in rows) or len({text.origin for row in rows for text in row}) != 1:
            return None
        return rows

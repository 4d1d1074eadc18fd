"""An extraction on its way: what it is at, and what has come of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from billy_mlx.extraction.pole import Pole
from billy_mlx.vectors.vector import PersonaVector


@dataclass(frozen=True)
class ExtractionProgress:
    """What is being worked on, in words, and what share of the whole extraction is done, from 0 to 1."""

    stage: str
    share: float


@dataclass(frozen=True)
class Extracted:
    """A persona vector that is ready, with the answers it was made from; those go once the next step is asked for.

    Attributes:
        pole: answers as the persona.
        neutral: what they are held against.
        doubts: sentences about poles that are mostly empty answers.
    """

    vector: PersonaVector
    pole: Pole
    neutral: Pole
    doubts: tuple[str, ...] = ()


class Extraction:
    """An extraction, which goes on as far as it is iterated over; or `vectors()` runs it to its end.

    Raises from either what `extract` says.
    """

    def __init__(self, steps: Iterator[ExtractionProgress | Extracted]) -> None:
        self._steps = steps

    def __iter__(self) -> Iterator[ExtractionProgress | Extracted]:
        return self

    def __next__(self) -> ExtractionProgress | Extracted:
        return next(self._steps)

    def close(self) -> None:
        """Stop here; what is written so far is kept, and the same extraction goes on from it."""
        if hasattr(self._steps, "close"):
            self._steps.close()

    def vectors(self) -> dict[str, PersonaVector]:
        """Run what is left of the extraction, and return the vectors that come of it, by id."""
        return {step.vector.persona_id: step.vector for step in self if isinstance(step, Extracted)}

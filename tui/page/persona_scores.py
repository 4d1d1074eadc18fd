"""Persona scores of the sentences on the page: asked for in the background, each paragraph once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from billy_mlx.engine.messages import Ended, Failed, Job, ParagraphScored, Read, SentenceScores, Stop
from billy_mlx.text import without_strays
from billy_mlx.tui.engine_client import Port
from billy_mlx.write.paragraphs import paragraphs


@dataclass(frozen=True)
class Heat:
    """How much more than the manuscript's average characters `start` to `end` are of a persona.

    1 is as much as lies between neutral answers and the persona's own. The average is taken off because fiction is
    more of nearly every persona than the answers that count as neutral.
    """

    start: int
    end: int
    score: float


class Reader:
    """What is known of the paragraphs of a manuscript."""

    def __init__(self, port: Port) -> None:
        self._known: dict[str, tuple[SentenceScores, ...]] = {}
        self._port = port
        self._job: Job | None = None
        self._asked: tuple[str, ...] = ()

    @property
    def running(self) -> bool:
        """Whether something is being read."""
        return self._job is not None

    def read(self, text: str, first: int) -> None:
        """Ask for the paragraphs that are not known yet, those around offset `first` before the others."""
        places = paragraphs(without_strays(text))
        nearest = sorted((abs(start - first), paragraph) for start, paragraph in places)
        wanted = self._unknown(dict.fromkeys(paragraph for _, paragraph in nearest))
        if self.running and wanted == self._unknown(self._asked):
            return  # they are on their way, in this order
        self.stop()
        if wanted:
            self._job, self._asked = self._port.next_job(), wanted
            self._port.ask(Read(self._job, wanted))

    def stop(self) -> None:
        """Read no more."""
        if self._job is not None:
            self._port.ask(Stop(self._job))
            self._job = None

    def forget(self) -> None:
        """Forget all scores: there are other vectors now."""
        self.stop()
        self._known.clear()

    def hear(self, event: object) -> bool:
        """Take in an event of the engine; returns whether more is known now."""
        match event:
            case ParagraphScored(paragraph=paragraph, sentences=sentences):
                self._known[paragraph] = sentences
                return True
            case Ended(job=job) | Failed(job=job) if job == self._job:
                self._job = None
        return False

    def heat(self, text: str, persona: str) -> Iterator[Heat]:
        """Return what is known of the sentences of `text` for one persona."""
        found = [
            Heat(start + sentence.start, start + sentence.end, sentence.scores[persona])
            for start, paragraph in paragraphs(without_strays(text))
            for sentence in self._known.get(paragraph, ())
            if persona in sentence.scores
        ]
        average = sum(one.score for one in found) / max(len(found), 1)
        return (replace(one, score=one.score - average) for one in found)

    def _unknown(self, wanted: Iterable[str]) -> tuple[str, ...]:
        return tuple(paragraph for paragraph in wanted if paragraph not in self._known)

"""What colours the text: who wrote it, or how much each sentence reads like a persona; and the commands for that.

Persona scores are asked for in the background, each paragraph once.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from billy_mlx.engine.messages import (
    Ended,
    Failed,
    Job,
    Loaded,
    ParagraphScored,
    Read,
    SentenceScores,
    Stop,
    VoiceReady,
)
from billy_mlx.text import without_strays
from billy_mlx.tui.engine_client import EngineClient
from billy_mlx.write.paragraphs import paragraphs

if TYPE_CHECKING:
    from billy_mlx.tui.screens.writing import WritingScreen

_UNREAD = ", but is not read: switch on “Read in the background” in the settings"


class ColourCommands:
    """Colours the text, and says who wrote what.

    Args:
        page: whose text is coloured.

    Attributes:
        scores: what is known of the paragraphs.
    """

    def __init__(self, page: "WritingScreen", scores: "PersonaScores") -> None:
        self._page = page
        self.scores = scores

    def action_colours(self) -> None:
        """Colour the text in the next way there is."""
        page, editor = self._page, self._page.editor
        ways = ["authors", *(persona for persona in page.blend.persona_ids if persona in page.studio.voices), "none"]
        now = editor.colouring
        editor.colouring = ways[(ways.index(now) + 1) % len(ways)] if now in ways else "authors"
        page.rest()  # which has the model read the text for it
        by_authors = f"the text is coloured by who wrote it; {page.key_of('legend')} says which letter is whose"
        names = {"authors": by_authors, "none": "the text is not coloured"}
        measured = f"how much each sentence reads like {page.persona_title(editor.colouring)}"
        way = names.get(editor.colouring, f"the colours measure {measured}, whoever wrote it")
        unread = "" if editor.colouring in names or page.studio.settings.reading else _UNREAD
        page.show_status(f"{way}{unread}")

    def action_who(self) -> None:
        """Say who wrote the passage at the cursor."""
        self._page.show_status(self._who_is_here())

    def action_legend(self) -> None:
        """Explain the signs in the left margin."""
        from billy_mlx.tui.screens.legend import LegendScreen, legend

        page = self._page
        entries = legend(page.manuscript, page.editor.mark_of, page.persona_titles)
        page.app.push_screen(LegendScreen(entries, self._who_is_here()))

    @property
    def persona(self) -> str | None:
        """The persona by which the text is coloured; None if it is not coloured by one."""
        colouring = self._page.editor.colouring
        return None if colouring in ("authors", "none") else colouring

    def on_engine_event(self, event: object) -> None:
        """Take in scores; forget all of them when there is another model or vector."""
        if self.scores.on_engine_event(event):
            self._show()
        if isinstance(event, Loaded | VoiceReady) and not (isinstance(event, Loaded) and event.again):
            self.scores.forget()  # what a model has read before it is loaded again still holds

    def read(self) -> None:
        """Ask for the scores of what is not read yet, if they are to be seen."""
        studio = self._page.studio
        if self.persona is not None and studio.model is not None and studio.settings.reading:
            self.scores.read(self._page.manuscript.text, self._page.editor.cursor)
            self._show()

    def _show(self) -> None:
        if self.persona is not None:
            self._page.editor.set_scores(self.scores.of(self._page.manuscript.text, self.persona))

    def _who_is_here(self) -> str:
        from billy_mlx.tui.screens.legend import at_place

        return at_place(self._page.manuscript, self._page.editor.cursor, self._page.persona_titles, time.time())


@dataclass(frozen=True)
class PersonaScore:
    """How much more than the manuscript's average characters `start` to `end` are of a persona.

    1 is as much as lies between neutral answers and the persona's own. The average is taken off because fiction is
    more of nearly every persona than the answers that count as neutral.
    """

    start: int
    end: int
    score: float


class PersonaScores:
    """What is known of the paragraphs of a manuscript."""

    def __init__(self, engine: EngineClient) -> None:
        self._known: dict[str, tuple[SentenceScores, ...]] = {}
        self._engine = engine
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
            self._job, self._asked = self._engine.next_job(), wanted
            self._engine.ask(Read(self._job, wanted))

    def stop(self) -> None:
        """Read no more."""
        if self._job is not None:
            self._engine.ask(Stop(self._job))
            self._job = None

    def forget(self) -> None:
        """Forget all scores: there are other vectors now."""
        self.stop()
        self._known.clear()

    def on_engine_event(self, event: object) -> bool:
        """Take in an event of the engine; returns whether more is known now."""
        match event:
            case ParagraphScored(paragraph=paragraph, sentences=sentences):
                self._known[paragraph] = sentences
                return True
            case Ended(job=job) | Failed(job=job) if job == self._job:
                self._job = None
        return False

    def of(self, text: str, persona: str) -> Iterator[PersonaScore]:
        """Return what is known of the sentences of `text` for one persona."""
        found = [
            PersonaScore(start + sentence.start, start + sentence.end, sentence.scores[persona])
            for start, paragraph in paragraphs(without_strays(text))
            for sentence in self._known.get(paragraph, ())
            if persona in sentence.scores
        ]
        average = sum(one.score for one in found) / max(len(found), 1)
        return (replace(one, score=one.score - average) for one in found)

    def _unknown(self, wanted: Iterable[str]) -> tuple[str, ...]:
        return tuple(paragraph for paragraph in wanted if paragraph not in self._known)

"""Voices writing for a manuscript without a screen: what they are to do, the text as it comes, and how it was made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from billy_mlx.blend.blend import Blend
from billy_mlx.cli.interrupt import on_interrupt
from billy_mlx.cli.loading import load_model
from billy_mlx.cli.output import advance, progress
from billy_mlx.cli.vector_warnings import warn_of_blends
from billy_mlx.cli.voices import Aloud
from billy_mlx.engine.messages import Ended, Job
from billy_mlx.manuscript.context.parts import Context
from billy_mlx.manuscript.draft import Alternative
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.passage import Passage
from billy_mlx.write.desk import Desk
from billy_mlx.write.messages import PromptRead, VoicesWrote, Write, Writing

if TYPE_CHECKING:
    from tqdm import tqdm

    from billy_mlx.model.model import Model
    from billy_mlx.write.writing import Event


@dataclass(frozen=True)
class Order:
    """What the flags ask for.

    Attributes:
        blends: a voice each.
        model: what --model was given.
    """

    blends: Sequence[Blend]
    model: str | None
    seed: int
    instruction: str
    writing: Writing


@dataclass(frozen=True)
class WrittenRow:
    """What one voice wrote, and how; `finish_reason` is None if it never began."""

    text: str
    model: str
    blend: str | None
    layers: tuple[int, ...]
    seed: int
    prompt_tokens: int
    generation_tokens: int
    finish_reason: str | None


class Session:
    """A manuscript, a model, and what was ordered of them.

    Attributes:
        stopped: Ctrl+C has ended it.

    Raises:
        BillyError: the model cannot be loaded, or has no vector for a voice.
    """

    def __init__(self, manuscript: Manuscript, order: Order) -> None:
        numbers = count(1)
        self.manuscript, self.order, self.stopped = manuscript, order, False
        self.desk = Desk(manuscript, lambda: Job(next(numbers)))
        self._model = _loaded(order)

    def continuation(self, cursor: int) -> Write:
        """Begin a draft at a place, and return what is asked for."""
        order = self.order
        return self.desk.go_on(
            cursor, order.blends, seed=order.seed, writing=order.writing, instruction=order.instruction
        )

    def rewrite(self, start: int, end: int) -> Write:
        """Begin a draft for a passage, and return what is asked for."""
        order = self.order
        return self.desk.rewrite(
            start, end, order.blends, seed=order.seed, writing=order.writing, instruction=order.instruction
        )

    def context(self, cursor: int, selection: tuple[int, int] | None = None) -> Context:
        """Return what the model would be sent."""
        from billy_mlx.write.recipes import context_for

        order = self.order
        look = self.desk.look(cursor, selection=selection, writing=order.writing, instruction=order.instruction)
        return context_for(self._model, look)

    def write(self, request: Write, *, aloud: bool) -> int:
        """Have it written, and return the number of the draft; Ctrl+C ends it where it is.

        Args:
            request: of one voice, if it is to be read as it comes.
            aloud: put the text out as it comes.
        """
        from billy_mlx.write.recipes import most_tokens

        draft = self.desk.draft_of(request.job)
        if draft is None:
            raise ValueError("this is no request of this session")
        if not aloud:
            with progress("Writing", unit=" tokens", total=most_tokens(self._model, request)) as bar:
                self._run(request, lambda event: bar.update(isinstance(event, VoicesWrote)))
            return draft
        out = Aloud()
        with progress("Reading the text", unit=" tokens") as bar:
            self._run(request, lambda event: _put_out(event, bar, out))
        out.end()
        return draft

    def rows(self, draft: int) -> list[WrittenRow]:
        """Return what each voice has written for a draft."""
        alternatives = self.manuscript.drafts.get(draft).alternatives
        return [self._row(blend, one) for blend, one in zip(self.order.blends, alternatives, strict=True)]

    def _run(self, request: Write, hear: "Callable[[Event], object]") -> None:
        from billy_mlx.write.writing import WritingJob

        job = WritingJob(self._model, request)
        try:
            with on_interrupt(job.stop):
                for event in job:
                    if event is not None:
                        self.desk.take(event)
                        hear(event)
        finally:
            self.stopped = job.stopped
            self.desk.take(Ended(request.job, job.stopped))

    def _row(self, blend: Blend, one: Alternative) -> WrittenRow:
        passage = one.passage
        return WrittenRow(
            text=one.text,
            model=self._model.id,
            blend=blend.spelled,
            layers=() if passage is None else passage.voices[-1].layers,
            seed=self.order.seed,
            prompt_tokens=0 if passage is None else len(passage.prompt),
            generation_tokens=0 if passage is None else len(passage.tokens),
            finish_reason=self._reason(passage),
        )

    def _reason(self, passage: Passage | None) -> str | None:
        """Return why a voice ended; a rewrite that is as long as what it replaces is stopped, but not by anyone."""
        ended = None if passage is None else passage.ended
        return "stop" if ended == "interrupted" and not self.stopped else ended


def _put_out(event: "Event", bar: "tqdm[Any]", out: Aloud) -> None:
    match event:
        case PromptRead(tokens=tokens, total=total):
            advance(bar, tokens, total)
        case VoicesWrote(texts=texts):
            bar.close()
            out.add(texts[0])


def _loaded(order: Order) -> "Model":
    loaded = load_model(order.model)
    warn_of_blends(order.blends, loaded, order.model)
    return loaded

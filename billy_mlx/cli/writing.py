"""A model writes for a manuscript without a screen: the text as it comes, and what becomes of it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from billy_mlx.blend.blend import Blend
from billy_mlx.cli.loading import load_model
from billy_mlx.cli.open_file import line_of, opened, save, see_in_studio
from billy_mlx.cli.order import Order
from billy_mlx.cli.output import STOPPED, advance, on_interrupt, progress, say, write, write_heading, write_json
from billy_mlx.cli.printing import Aloud, show
from billy_mlx.cli.vector_report import warn_of_blends
from billy_mlx.engine.messages import Ended, Job
from billy_mlx.manuscript.changes import is_whole
from billy_mlx.manuscript.context.parts import Context, Part
from billy_mlx.manuscript.draft import Alternative, Fate
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.passage import Passage
from billy_mlx.words import count_words
from billy_mlx.write.drafting_session import DraftingSession
from billy_mlx.write.messages import PromptRead, VoicesWrote, Write, Writing

if TYPE_CHECKING:
    from tqdm import tqdm

    from billy_mlx.write.writing import Event

Place = Callable[[str], int | tuple[int, int]]
"""Where in a text: the offset to write at, or the start and end of what is to be rewritten."""


@dataclass(frozen=True)
class ManuscriptOrder(Order):
    """An order for a manuscript.

    Attributes:
        instruct: what is wanted of it; may be empty.
        budget: tokens the model is sent at most; 0 for what it can.
        reading_seconds: how long it may read before it writes.
        dry_run: only show what it would be sent.
        words: of each voice at most, unless `max_tokens` says it; not of a rewrite.
    """

    instruct: str
    budget: int
    reading_seconds: float
    dry_run: bool
    words: int = 0

    @property
    def writing(self) -> Writing:
        """How the model is to write."""
        return Writing(
            self.sampling,
            max_tokens=self.max_tokens,
            budget=self.budget,
            reading_seconds=self.reading_seconds,
            words=0 if self.max_tokens else self.words,
            rewrite_tokens=self.max_tokens or None,
        )


def run(order: ManuscriptOrder, file: Path, place: Place, *, taken: int | None) -> int:
    """Have a model write for a manuscript, say what came of it, and return the exit code.

    Args:
        order: of several voices, if they are to be shown when all are finished; one is put out as it comes.
        file: the manuscript.
        place: where to write.
        taken: which alternative goes into the text, from 0; None leaves an open draft.
    """
    with opened(file, to_write=not order.dry_run) as manuscript:
        where = place(manuscript.text)
        session = Session(manuscript, order)
        if order.dry_run:
            return show_context(session.context(where), as_json=order.as_json)
        alone = len(order.blends) == 1
        draft = session.write(session.begin(where), aloud=alone and not order.as_json)
        if not alone and not order.as_json:
            show(session.rows(draft))
        if taken is not None:
            take(session, draft, taken)
        return report(session, draft)


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

    def __init__(self, manuscript: Manuscript, order: ManuscriptOrder) -> None:
        numbers = count(1)
        self.manuscript, self.order, self.stopped = manuscript, order, False
        self.desk = DraftingSession(manuscript, lambda: Job(next(numbers)))
        self._model = load_model(order.model)
        warn_of_blends(order.blends, self._model, order.model)

    def begin(self, place: int | tuple[int, int]) -> Write:
        """Begin a draft at a place, or for a passage, and return what is asked for."""
        order, desk = self.order, self.desk
        if isinstance(place, int):
            return desk.go_on(place, order.blends, seed=order.seed, writing=order.writing, instruction=order.instruct)
        return desk.rewrite(*place, order.blends, seed=order.seed, writing=order.writing, instruction=order.instruct)

    def context(self, place: int | tuple[int, int]) -> Context:
        """Return what the model would be sent."""
        from billy_mlx.write.recipes import context_for

        order = self.order
        cursor, selection = (place, None) if isinstance(place, int) else (place[0], place)
        look = self.desk.look(cursor, selection=selection, writing=order.writing, instruction=order.instruct)
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


def take(session: Session, draft: int, alternative: int = 0) -> None:
    """Put an alternative into the text, as one undo step, and save; not where nothing was written.

    Nor half a rewrite: with it, the rest of what it is to replace might go.

    Raises:
        ManuscriptError: it was not saved; it is kept all the same.
    """
    held = session.manuscript.drafts.get(draft)
    if held.fate is not Fate.OPEN:
        return
    if held.work == "rewrite" and (session.stopped or not is_whole(held.original.text, held.alternatives[alternative])):
        return
    if alternative != held.shown:
        session.manuscript.drafts.show(draft, alternative)
    session.desk.accept_all(draft)
    save(session.manuscript)


def report(session: Session, draft: int) -> int:
    """Say what was written and where it is now, put out the document if one is wanted, and return the exit code."""
    rows = session.rows(draft)
    if session.order.as_json:
        write_json(_document(session, draft, rows))
    say(", ".join([*written_notes(session, rows), *_left_out(session, draft), _whereabouts(session, draft)]))
    if session.stopped:
        return STOPPED
    return 0 if any(row.text for row in rows) else 1


def _document(session: Session, draft: int, rows: list[WrittenRow]) -> dict[str, Any]:
    held = session.manuscript.drafts.get(draft)
    return {
        "file": str(session.manuscript.path),
        "work": held.work,
        "draft": draft,
        "fate": str(held.fate),
        "taken": held.shown if held.fate is Fate.ACCEPTED else None,
        "rows": [asdict(row) for row in rows],
    }


def written_notes(session: Session, rows: list[WrittenRow]) -> list[str]:
    """Return how much was written, what it takes to get the same again, and why it ended."""
    tokens = sum(row.generation_tokens for row in rows)
    reasons = {row.finish_reason for row in rows}
    notes = [f"{tokens} token{'s' * (tokens != 1)}", f"--seed {session.order.seed}"]
    notes += ["stopped by you"] * session.stopped
    return notes + ["cut off at its greatest length"] * ("length" in reasons)


def _left_out(session: Session, draft: int) -> list[str]:
    """Return a note of the words that are not offered, because the length was up within their sentence."""
    words = count_words(session.manuscript.drafts.cut(session.manuscript.drafts.get(draft)))
    return [f"without its last {words} word{'s' * (words != 1)}, which end no sentence"] if words else []


def _whereabouts(session: Session, draft: int) -> str:
    manuscript, held = session.manuscript, session.manuscript.drafts.get(draft)
    if held.fate is Fate.OPEN:
        return f"an open draft for line {line_of(manuscript.text, held.start)}; {see_in_studio(manuscript.path)}"
    if held.fate is Fate.REJECTED:
        return "and nothing was written: ask for more with -m or for something with --instruct, or try another --seed"
    if not held.placed:
        return "which is what is there already: try another --seed"
    return f"in the text from line {line_of(manuscript.text, held.placed[-1].start)} on"


def show_context(context: Context, *, as_json: bool) -> int:
    """Put out the parts of what is sent, or one document, and return the exit code."""
    if as_json:
        prompt = {"system": context.prompt.system, "user": context.prompt.user, "prefix": context.prompt.prefix}
        write_json(msgspec.to_builtins(context) | {"prompt": prompt})
        return 0
    for part in context.parts:
        write_heading(f"=== {_title(part)} ===")
        write(f"\n{part.text}\n\n" if part.text else "\n")
    for warning in context.warnings:
        say(warning)
    why = f" ({context.why})" if context.why else ""
    say(f"{context.tokens} of at most {context.budget} tokens{why}; nothing was written")
    return 0


def _title(part: Part) -> str:
    tokens = f"{part.title}, {part.tokens} token{'s' * (part.tokens != 1)}"
    if part.cut is None:
        return tokens
    where = "all of it" if part.cut.where == "all" else f"at its {part.cut.where}"
    return f"{tokens}, {part.cut.chars:,} characters cut, {where}"

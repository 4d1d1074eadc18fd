"""A desk: one manuscript, and the jobs in which models write for it. No MLX here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.engine.messages import Ended, Failed, Job
from billy_mlx.errors import ManuscriptError, UsageError
from billy_mlx.manuscript.context.parts import Context
from billy_mlx.manuscript.draft import Draft, Fate, offered
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.passage import Work
from billy_mlx.manuscript.prose import Author
from billy_mlx.manuscript.provenance import UNSTEERED
from billy_mlx.sentences import before_space, sentence_end, word_end
from billy_mlx.text import without_strays
from billy_mlx.write.messages import PromptRead, Sent, VoicesWrote, Write, Writing, Written

MOST_VOICES = 6
"""How many voices write at once at most: more side by side can not be read."""

_OfJobs = Sent | PromptRead | VoicesWrote | Written | Ended | Failed


@dataclass(frozen=True)
class _Sheet:
    """What a job writes on: an alternative of a draft for each of its voices; neither if it only looks."""

    draft: int | None = None
    authors: tuple[Author, ...] = ()


class DraftingSession:
    """Requests for a manuscript and what comes of them. Whoever asks hands each `Write` on, and each event back.

    Args:
        manuscript: what is written.
        next_job: gives numbers for jobs.

    Attributes:
        context: what a model was last sent; None if nothing was.
    """

    def __init__(self, manuscript: Manuscript, next_job: Callable[[], Job]) -> None:
        self.context: Context | None = None
        self._manuscript = manuscript
        self._next_job = next_job
        self._sheets: dict[Job, _Sheet] = {}

    @property
    def running(self) -> tuple[Job, ...]:
        """The jobs that write, the newest last."""
        return tuple(job for job, sheet in self._sheets.items() if sheet.draft is not None)

    def job_of(self, draft: int) -> Job | None:
        """Return the job that writes for a draft, the newest of them; None if none does."""
        return next((job for job in reversed(self._sheets) if self._sheets[job].draft == draft), None)

    def draft_of(self, job: Job) -> int | None:
        """Return the draft that a running job writes for."""
        return self._sheets[job].draft if job in self._sheets else None

    def go_on(
        self, cursor: int, voices: Sequence[Blend], *, seed: int, writing: Writing, instruction: str = ""
    ) -> Write:
        """Begin a draft at `cursor` with an alternative for each voice, and return what to ask for.

        Raises:
            ManuscriptError: it can only be read, or the place is not in the text.
            UsageError: there are no voices, or too many.
        """
        _check(voices)
        work = self._work_at(cursor)
        draft = self._manuscript.drafts.begin(work, cursor, instruction=instruction)
        return self._ask(draft, voices, seed, writing)

    def rewrite(
        self,
        start: int,
        end: int,
        voices: Sequence[Blend],
        *,
        seed: int,
        writing: Writing,
        instruction: str = "",
    ) -> Write:
        """Begin a draft to stand for the characters `start` to `end`, but for white space around them.

        Raises:
            ManuscriptError: it can only be read, or there is nothing to rewrite.
            UsageError: there are no voices, or too many.
        """
        _check(voices)
        draft = self._manuscript.drafts.begin("rewrite", *self._passage(start, end), instruction=instruction)
        return self._ask(draft, voices, seed, writing)

    def again(self, draft: int, voices: Sequence[Blend], *, seed: int, writing: Writing) -> Write:
        """Add an alternative for each voice to an open draft, and bring the first of them into view.

        They are asked for what the writer asked for when the draft was begun.

        Raises:
            ManuscriptError: the draft is not open, or some of it is in the text.
            UsageError: there are no voices, or too many.
        """
        _check(voices)
        held = self._manuscript.drafts.get(draft)
        if held.fate is Fate.OPEN and self._manuscript.drafts.is_in_text(held):
            raise ManuscriptError("part of this draft is in the text; take the rest or undo it, then try again")
        request = self._ask(draft, voices, seed, writing)
        self._manuscript.drafts.show(draft, len(held.alternatives))
        return request

    def look(
        self, cursor: int, *, writing: Writing, selection: tuple[int, int] | None = None, instruction: str = ""
    ) -> Write:
        """Return what to ask for to see what a model would be sent at `cursor`; `context` has it once it has come.

        Args:
            cursor: where it would write.
            writing: how it would.
            selection: what it would rewrite, if that is what it would do.
            instruction: what it would be asked for.

        Raises:
            ManuscriptError: there is nothing to rewrite.
        """
        passage = None if selection is None else self._passage(*selection)
        job = self._next_job()
        self._sheets[job] = _Sheet()
        return Write(
            job,
            self._work_at(cursor) if passage is None else "rewrite",
            without_strays(self._manuscript.text),
            cursor,
            self._manuscript.guide,
            voices=(ALONE,),
            seed=0,
            selection=passage,
            instruction=instruction,
            writing=writing,
            only_context=True,
        )

    def take(self, event: object) -> bool:
        """Take in an event, if it is of a job that was asked for here, and return whether it is."""
        if not isinstance(event, _OfJobs) or event.job not in self._sheets:
            return False
        sheet = self._sheets[event.job]
        if isinstance(event, Ended | Failed):
            del self._sheets[event.job]
        if self._manuscript.read_only is None:  # or it was closed, and its drafts are as they were then
            self._put_down(event, sheet)
        return True

    def accept_all(self, draft: int) -> None:
        """Put all of a draft that there is into the text; it stays open while a model goes on with it.

        Raises:
            ManuscriptError: as `Drafts.accept` does.
        """
        drafts = self._manuscript.drafts
        held = drafts.get(draft)
        self._require_whole(held)
        there = len(drafts.rest(held).text)
        drafts.accept(draft, there if there and self.job_of(draft) is not None else None)

    def close(self, draft: int) -> None:
        """Put all of a draft that there is into the text, and have that be all. Raises as `accept_all` does."""
        drafts = self._manuscript.drafts
        held = drafts.get(draft)
        self._require_whole(held)
        if held.fate is Fate.OPEN and drafts.taken(held) and not drafts.rest(held).text:
            drafts.reject(draft)  # all of it was taken while it was written
        else:
            drafts.accept(draft)

    def accept_sentence(self, draft: int) -> None:
        """Put the next sentence of a draft into the text; of a rewrite, its next change."""
        self._accept(draft, sentence_end)

    def accept_word(self, draft: int) -> None:
        """Put the next word of a draft into the text; of a rewrite, its next change."""
        self._accept(draft, word_end)

    def _work_at(self, cursor: int) -> Work:
        return "infill" if self._manuscript.text[cursor:].strip() else "continue"

    def _passage(self, start: int, end: int) -> tuple[int, int]:
        """Return a selection without the white space around it: a model writes neither line ends nor blanks there."""
        passage = self._manuscript.text[start:end]
        if not passage.strip():
            raise ManuscriptError("nothing is selected; select the text you want rewritten")
        return start + len(passage) - len(passage.lstrip()), start + len(passage.rstrip())

    def _ask(self, draft: int, voices: Sequence[Blend], seed: int, writing: Writing) -> Write:
        drafts = self._manuscript.drafts
        authors = tuple(drafts.alternative(draft, _begun_in(voice)) for voice in voices)
        held, job = drafts.get(draft), self._next_job()
        self._sheets[job] = _Sheet(draft, authors)
        return Write(
            job,
            held.work,
            without_strays(self._manuscript.text),
            held.start,
            self._manuscript.guide,
            tuple(voices),
            seed,
            selection=(held.start, held.end) if held.work == "rewrite" else None,
            instruction=held.instruction,
            writing=writing,
        )

    def _put_down(self, event: _OfJobs, sheet: _Sheet) -> None:
        match event:
            case Sent(context=context):
                self.context = context
            case VoicesWrote() | Written() if sheet.draft is None:
                pass  # whoever only looks has nothing to write on
            case VoicesWrote(texts=texts):
                for voice, text in texts.items():
                    self._manuscript.drafts.write(sheet.authors[voice], text)
            case Written(voice=voice, passage=passage):
                self._manuscript.drafts.finish(sheet.authors[voice], passage)
            case Ended() | Failed():
                self._clear(sheet)

    def _clear(self, sheet: _Sheet) -> None:
        """Leave no empty draft behind when its job is over, and no empty alternative in view beside others.

        Of one that several voices wrote, a piece of each can be taken, so that is left to whoever asked for it.
        """
        drafts = self._manuscript.drafts
        held = next((one for one in drafts.open if one.id == sheet.draft), None)
        if held is None or self.job_of(held.id) is not None:
            return
        if drafts.is_in_text(held):
            if len(sheet.authors) == 1 and not drafts.rest(held).text.strip():
                drafts.reject(held.id)
            return
        written = [place for place, one in enumerate(held.alternatives) if one.text]
        if not written:
            drafts.reject(held.id)
        elif held.shown not in written:
            drafts.show(held.id, written[-1])

    def _accept(self, draft: int, end_of: Callable[[str, int], int]) -> None:
        drafts = self._manuscript.drafts
        held = drafts.get(draft)
        self._require_whole(held)
        if len(held.original):
            self._accept_change(draft)
            return
        taken = drafts.taken(held)
        text = offered(held, taken) if held.alternatives else ""
        end = end_of(text, taken)
        drafts.accept(draft, end - taken)
        if before_space(text, len(text)) <= end and self.job_of(draft) is None and drafts.get(draft).fate is Fate.OPEN:
            drafts.reject(draft)  # of white space alone nothing is to be seen

    def _accept_change(self, draft: int) -> None:
        drafts = self._manuscript.drafts
        drafts.accept_changes(draft, drafts.open_changes(draft)[:1], last=not drafts.open_changes(draft))

    def _require_whole(self, draft: Draft) -> None:
        if len(draft.original) and self.job_of(draft.id) is not None:
            raise ManuscriptError(
                "this rewrite is still being written; wait until it is done, or stop it, then take it"
            )


def _begun_in(voice: Blend) -> str:
    """Return what a passage will say of the blend that it began in."""
    return voice.spelled or UNSTEERED


def _check(voices: Sequence[Blend]) -> None:
    if not 1 <= len(voices) <= MOST_VOICES:
        raise UsageError(f"{len(voices)} voices cannot write at once; choose 1 to {MOST_VOICES}")

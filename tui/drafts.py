"""Having models write on the page: asks the engine for drafts, and does with them what the writer says."""

import secrets
from collections.abc import Callable

from billy_mlx.engine.messages import Coherence, Ended, Failed, Steer, Stop, Unsteered
from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.draft import Draft
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.tui.port import Port
from billy_mlx.tui.widgets.editor import Editor
from billy_mlx.write.desk import Desk
from billy_mlx.write.messages import PromptRead, Sent, Write, Writing, Written, Wrote

_SEEDS = 1_000_000  # short enough to be typed again


class PageDrafts:
    """The drafts of one manuscript on the page. One is worked on at a time.

    Args:
        changed: is called when the text, or what is shown of a draft, is another.
        tell: takes a sentence for the writer.

    Attributes:
        current: the number of the draft that is shown; None if none is.
        state: what the model is doing, in words; empty if nothing.
    """

    def __init__(
        self,
        manuscript: Manuscript,
        editor: Editor,
        port: Port,
        *,
        changed: Callable[[], None],
        tell: Callable[[str], None],
    ) -> None:
        self.desk = Desk(manuscript, port.next_job)
        self.current: int | None = None
        self.last: int | None = None
        self.state = ""
        self._gauges: dict[int, Coherence] = {}  # of the last job, by voice
        self._manuscript, self._editor, self._port = manuscript, editor, port
        self._changed, self._tell = changed, tell
        self._voices = 1  # of the last job
        if manuscript.drafts.open:
            self._show(manuscript.drafts.open[-1].id)

    @property
    def running(self) -> bool:
        """Whether a model is writing for the draft that is shown."""
        return self.current is not None and self.desk.job_of(self.current) is not None

    @property
    def draft(self) -> Draft | None:
        """The draft that is shown."""
        return next((one for one in self._manuscript.drafts.open if one.id == self.current), None)

    @property
    def place(self) -> str:
        """Which of several alternatives is shown, in words; empty if there are not several."""
        draft = self.draft
        if draft is None or len(draft.alternatives) < 2:
            return ""
        return f"alternative {draft.shown + 1} of {len(draft.alternatives)}"

    @property
    def coherence(self) -> Coherence | None:
        """The last of the gauge, of the alternative that is shown; None if there is none."""
        draft = self.draft
        return None if draft is None else self._gauges.get(self._voice(draft))

    def go_on(self, voices: tuple[str | None, ...], writing: Writing, instruction: str = "") -> int:
        """Have voices write from the cursor; a draft that stands there is taken first. Returns the draft's number."""
        if self.current is not None:
            self.accept()
        request = self.desk.go_on(self._editor.cursor, voices, seed=_seed(), writing=writing, instruction=instruction)
        return self._begin(request)

    def rewrite(self, voices: tuple[str | None, ...], writing: Writing, instruction: str = "") -> int:
        """Have voices write the selection anew."""
        if self.current is not None:
            self.put_away()
        start, end = self._editor.selected
        request = self.desk.rewrite(start, end, voices, seed=_seed(), writing=writing, instruction=instruction)
        return self._begin(request)

    def again(self, voices: tuple[str | None, ...], writing: Writing) -> None:
        """Have one more alternative written of the draft that is shown, or of the last one."""
        if self.running:
            self.stop()
        if self.current is None:
            self.reopen()
        if self.current is not None:
            self._begin(self.desk.again(self.current, voices, seed=_seed(), writing=writing))

    def steer(self, blend: str | None) -> None:
        """Have the voice that is writing, and of several the one that is shown, go on in another blend."""
        draft = self.draft
        job = None if draft is None else self.desk.job_of(draft.id)
        if draft is not None and job is not None:
            self._port.ask(Steer(job, max(0, self._voice(draft)), blend))

    def stop(self) -> None:
        """Stop the model; what it wrote stays."""
        job = None if self.current is None else self.desk.job_of(self.current)
        if job is not None:
            self._port.ask(Stop(job))

    def stop_or_put_away(self) -> None:
        """Stop the model, or if none is writing, put the draft away."""
        if self.running:
            self.stop()
        elif self.current is not None:
            self.put_away()

    def put_away(self) -> None:
        """Put the draft away; it is kept, and `reopen` brings it back."""
        self.stop()
        if self.current is not None:
            self._manuscript.drafts.reject(self.current)
        self._settle()

    def accept(self) -> None:
        """Put the draft into the text."""
        self._accept(self.desk.accept_all)

    def accept_sentence(self) -> None:
        """Put its next sentence into the text."""
        self._accept(self.desk.accept_sentence)

    def accept_word(self) -> None:
        """Put its next word into the text."""
        self._accept(self.desk.accept_word)

    def take(self, length: int | None) -> None:
        """Put the draft into the text, or `length` more characters of it."""
        self._accept(lambda draft: self._manuscript.drafts.accept(draft, length))

    def swipe(self, by: int) -> None:
        """Show another alternative, of the draft that is open or, in the text, of the last one taken."""
        draft = self.current if self.current is not None else self.last
        if draft is None:
            raise ManuscriptError("there is no draft yet; have the voices go on first")
        self._manuscript.drafts.swipe(draft, by)
        self._settle()

    def reopen(self) -> None:
        """Take up the last draft again, after it was put away or its text was undone."""
        if self.last is None:
            raise ManuscriptError("there is no draft to bring back yet")
        self._manuscript.drafts.reopen(self.last)
        self._show(self.last)

    def hear(self, event: object) -> None:
        """Take in an event of the engine."""
        if not self.desk.take(event):
            self._hear_beside(event)
            return
        match event:
            case Sent():
                self.state = "reading the text"
            case PromptRead(tokens=tokens, total=total):
                self.state = f"reading the text, {tokens} of {total}"
            case Wrote():
                self.state = "writing"
            case Failed(reason=reason):
                self._tell(reason)
        if isinstance(event, Written | Ended | Failed) and not self.running:
            self.state = ""
        self.follow()

    def follow(self) -> None:
        """Show what became of the draft, whoever changed it: the model, an undo, another version."""
        if self.draft is None:
            self.current = None
        self._changed()

    def _hear_beside(self, event: object) -> None:
        """Take in what is said of a job while it writes."""
        match event:
            case Coherence(job=job, voice=voice) if self.current is not None and job == self.desk.job_of(self.current):
                self._gauges[voice] = event
                self._changed()
            case Unsteered(job=job, reason=reason) if self.desk.draft_of(job) is not None:
                self._tell(reason)

    def _begin(self, request: Write) -> int:
        draft = self.desk.draft_of(request.job)
        if draft is None:
            raise ManuscriptError("the draft could not be begun; try again")
        self._gauges, self.state, self._voices = {}, "waiting for the model", len(request.voices)
        self._port.ask(request)
        self._show(draft)
        return draft

    def _voice(self, draft: Draft) -> int:
        """Return which voice of the last job wrote the alternative that is shown; below 0 if none of them did."""
        return draft.shown - (len(draft.alternatives) - self._voices)

    def _accept(self, take: Callable[[int], None]) -> None:
        if self.current is None:
            return
        take(self.current)
        if self.draft is None:
            self.stop()
        self._settle()

    def _show(self, draft: int) -> None:
        self.current = self.last = draft
        self._editor.show_draft(draft)
        self._changed()

    def _settle(self) -> None:
        """After a decision: show the text as it is now, and the draft as long as it is open."""
        if self.draft is None:
            self.current = None
            self._editor.show_draft(None)
        self._editor.sync()
        self._changed()


def _seed() -> int:
    return secrets.randbelow(_SEEDS)

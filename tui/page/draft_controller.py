"""The drafts on the page: the engine is asked for them, and the writer decides about them."""

import secrets
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial

from billy_mlx.blend.blend import Blend
from billy_mlx.engine.messages import Coherence, Failed, Steer, Stop, Unsteered
from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.draft import Draft, Fate
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.tui.engine_client import EngineClient
from billy_mlx.tui.widgets.editor import Editor
from billy_mlx.words import count_words
from billy_mlx.write.drafting_session import DraftingSession
from billy_mlx.write.messages import PromptRead, Sent, VoicesWrote, Write, Writing

_SEEDS = 1_000_000  # short enough to be typed again


class DraftController:
    """The drafts of one manuscript on the page. One is worked on at a time.

    Args:
        changed: is called when the text, or what is shown of a draft, is another.
        show_status: takes a sentence for the writer.

    Attributes:
        current: the number of the draft that is shown; None if none is.
        state: what the model is doing, in words; empty if nothing.
    """

    def __init__(
        self,
        manuscript: Manuscript,
        editor: Editor,
        engine: EngineClient,
        *,
        changed: Callable[[], None],
        show_status: Callable[[str], None],
    ) -> None:
        self.desk = DraftingSession(manuscript, engine.next_job)
        self.current: int | None = None
        self.last = manuscript.drafts.last
        self._has_shown = False  # any draft since the text was opened
        self.state = ""
        self._gauges: dict[int, Coherence] = {}  # of the last job, by voice
        self._manuscript, self._editor, self._engine = manuscript, editor, engine
        self._changed, self._show_status = changed, show_status
        self._voices = 1  # of the last job
        self._there: set[int] = set()  # the open drafts that belong to the text, when it was last looked at
        self.follow()

    @property
    def running(self) -> bool:
        """Whether a model is writing for the draft that is shown."""
        return self.current is not None and self.desk.job_of(self.current) is not None

    @property
    def draft(self) -> Draft | None:
        """The draft that is shown."""
        return next((one for one in self._manuscript.drafts.here if one.id == self.current), None)

    @property
    def here(self) -> Draft | None:
        """The draft that is shown, if it stands at the cursor."""
        draft = self.draft
        return draft if draft is not None and draft.start <= self._editor.cursor <= draft.end else None

    @property
    def place(self) -> str:
        """Which of several alternatives is shown, in words; empty if there are not several."""
        draft = self.draft
        count = 0 if draft is None else len(draft.alternatives)
        return f"alternative {draft.shown + 1} of {count}" if draft is not None and count > 1 else ""

    @property
    def last_is_in_text(self) -> bool:
        """Whether the last draft that was shown on this page was taken, and is still there.

        It is asked for by every footer: of drafts from before nothing is read, as the text is painted first.
        """
        with suppress(ManuscriptError):  # the history is damaged, which is reported elsewhere
            drafts = self._manuscript.drafts
            return self._has_shown and self.last is not None and drafts.is_in_text(drafts.get(self.last))
        return False

    @property
    def summary(self) -> str:
        """What there is to say about the draft: which alternative it is, what the model does, what was asked or cut."""
        draft = self.draft
        said = [self.state]
        if draft is not None:
            cut = count_words(self._manuscript.drafts.cut(draft))
            said.insert(0, self.place)
            said += [f"“{draft.instruction}”" if draft.instruction else ""]
            said += [f"{cut} word{'s' * (cut != 1)} cut" if cut else ""]
        return " · ".join(part for part in said if part)

    @property
    def coherence(self) -> Coherence | None:
        """The last of the gauge, of the alternative that is shown; None if there is none."""
        draft = self.draft
        return None if draft is None else self._gauges.get(self._voice(draft))

    def go_on(self, voices: tuple[Blend, ...], writing: Writing, instruction: str = "") -> int:
        """Let voices write from the cursor, and return the draft's number.

        A draft that stands there is taken first. One that stands elsewhere is stopped and stays there, and so does a
        rewrite, whose changes are taken one by one.
        """
        if self.here is not None and not len(self.here.original):
            self._accept(self.desk.close)
        else:
            self._leave()
        request = self.desk.go_on(self._editor.cursor, voices, seed=_seed(), writing=writing, instruction=instruction)
        return self._begin(request)

    def rewrite(self, voices: tuple[Blend, ...], writing: Writing, instruction: str = "") -> int:
        """Let voices rewrite the selection. A draft in it is put away; one elsewhere is stopped, and stays."""
        start, end = self._editor.selected
        draft = self.draft
        if draft is not None and draft.start <= end and start <= draft.end:
            self.put_away()
        else:
            self._leave()
        request = self.desk.rewrite(start, end, voices, seed=_seed(), writing=writing, instruction=instruction)
        self._editor.select(end, end)  # what is typed from now on must not take the place of the passage
        return self._begin(request)

    def again(self, voices: tuple[Blend, ...], writing: Writing) -> None:
        """Write one more alternative of the draft that is shown, or of the last one."""
        if self.running:
            self.stop()
        if self.current is None:
            self.reopen()
        if self.current is not None:
            self._begin(self.desk.again(self.current, voices, seed=_seed(), writing=writing))

    def steer(self, blend: Blend) -> None:
        """Continue in another blend, with the voice that is writing, or of several the one that is shown."""
        draft = self.draft
        job = None if draft is None else self.desk.job_of(draft.id)
        if draft is not None and job is not None:
            self._engine.ask(Steer(job, max(0, self._voice(draft)), blend))

    def stop(self) -> None:
        """Stop the model; what it wrote stays."""
        if self.current is not None:
            self.stop_writing(self.current)

    def stop_writing(self, draft: int) -> None:
        """Stop what writes a draft, whether it is shown or not."""
        job = self.desk.job_of(draft)
        if job is not None:
            self._engine.ask(Stop(job))

    def stop_or_put_away(self) -> None:
        """Stop the model, or if none is writing, put the draft away."""
        if self.running:
            self.stop()
        elif self.current is not None:
            self.put_away()
            self._show_status("The draft is put away. Undo brings it back.")

    def put_away(self) -> None:
        """Put the draft away, as a step that undo takes back."""
        self.stop()
        if self.draft is not None:
            self._manuscript.drafts.put_away(self.draft.id)
        self._settle()

    def end(self) -> None:
        """End the draft of which there is nothing left to decide."""
        if self.draft is not None:
            self._manuscript.drafts.reject(self.draft.id)
        self._settle()

    def go_to_next(self) -> None:
        """Go to the next draft behind the cursor, or the first one, and show it."""
        places = [(draft.start, draft.id) for draft in self._manuscript.drafts.here if draft.id != self.current]
        if not places:
            raise ManuscriptError("there is no other draft in this text")
        behind = [place for place in places if place[0] > self._editor.cursor]
        start, draft = min(behind or places)
        self._leave()
        self._show(draft)
        self._editor.select(start, start)

    def step(self, step: Callable[[], None]) -> None:
        """Take a step back, or make it again; the cursor goes to a draft that this brings back."""
        before = self.current
        step()
        self.follow()
        draft = self.draft
        if draft is not None and draft.id != before and self.here is None:
            self._editor.select(draft.end, draft.end)

    def uncut(self) -> None:
        """Bring back the words that were cut off a draft, because its length was up within a sentence."""
        draft = self.current if self.current is not None else self.last
        if draft is None:
            raise ManuscriptError("there is no draft yet; let the voices continue first")
        self._manuscript.drafts.uncut(draft)
        self.follow()

    def accept(self) -> None:
        """Put what there is of the draft into the text; a model that is writing it continues."""
        self._accept(self.desk.accept_all)

    def accept_sentence(self) -> None:
        """Put its next sentence into the text."""
        self._accept(self.desk.accept_sentence)

    def accept_word(self) -> None:
        """Put its next word into the text."""
        self._accept(self.desk.accept_word)

    def take_changes(self, chosen: Collection[int], *, last: bool) -> None:
        """Make some changes of a rewrite; if they are the `last`, the others are left as the writer had them."""
        take = partial(self._manuscript.drafts.accept_changes, chosen=chosen, last=last)
        self._accept(take, follow=last)  # between two changes the cursor stays where the writer has it

    def swipe(self, by: int) -> None:
        """Show another alternative, of the draft that is open or, in the text, of the last one taken.

        A draft that was put away, or whose text was taken out again, comes back instead.
        """
        draft = self.current if self.current is not None else self.last
        if draft is None:
            raise ManuscriptError("there is no draft yet; let the voices continue first")
        held = self._manuscript.drafts.get(draft)
        if held.fate is not Fate.OPEN and not self._manuscript.drafts.taken(held):
            self.reopen()
            return
        self._manuscript.drafts.swipe(draft, by)
        self._settle()

    def reopen(self, draft: int | None = None) -> None:
        """Take up a draft again, or the last, after it was put away or its text was undone, or while it waits."""
        draft = self.last if draft is None else draft
        if draft is None:
            raise ManuscriptError("there is no draft to bring back yet")
        if draft in self._there:
            self._leave()
            self._show(draft)
        else:
            self._manuscript.drafts.reopen(draft)
            self.follow()

    # For a chorus, several of whose drafts stand at one place.

    def turn_to(self, draft: int) -> None:
        """Show a draft, if it is open and belongs to the text."""
        if draft != self.current and any(one.id == draft for one in self._manuscript.drafts.here):
            self._gauges = {}
            self._show(draft)

    def go_on_behind(self, voices: tuple[Blend, ...], writing: Writing) -> int:
        """Let voices write where the draft that is shown stands now; that one stays. Returns the new one's number."""
        if self.draft is None:
            raise ManuscriptError("there is no draft to continue from; go back to the page")
        return self._begin(self.desk.go_on(self.draft.start, voices, seed=_seed(), writing=writing))

    def take(self, draft: int, alternative: int, length: int | None) -> None:
        """Put an alternative into the text, or `length` more characters of it; see `Drafts.accept_of`."""
        self.turn_to(draft)
        if self.current != draft:
            raise ManuscriptError("this was written for another version of the text; go back to that version first")
        self._accept(lambda draft: self._manuscript.drafts.accept_of(draft, alternative, length))

    def put_away_beside(self, draft: int) -> None:
        """Put a draft away that is not the one that is shown, and stop what writes it."""
        self.stop_writing(draft)
        if any(one.id == draft for one in self._manuscript.drafts.open):
            self._manuscript.drafts.reject(draft)

    def end_if_taken(self) -> None:
        """End the draft that is shown if it was taken to its end, and nothing more is to come."""
        draft = self.draft
        if draft is None or self.running or not self._manuscript.drafts.is_in_text(draft):
            return
        if not self._manuscript.drafts.rest(draft).text.strip():
            self._manuscript.drafts.reject(draft.id)
            self._settle()

    def on_engine_event(self, event: object) -> None:
        """Take in an event of the engine."""
        job = None if self.current is None else self.desk.job_of(self.current)
        if not self.desk.take(event):
            self._on_side_event(event)
            return
        match event:
            case Failed(reason=reason):
                self._show_status(reason)
            case Sent() if event.job == job:
                self.state = "reading the text"
            case PromptRead(tokens=tokens, total=total) if event.job == job:
                self.state = f"reading the text, {tokens} of {total}"
            case VoicesWrote() if event.job == job:
                self.state = "writing"
        self.follow()

    def follow(self) -> None:
        """Show what became of the drafts, whoever changed them: the model, an undo, another version.

        A draft that has come back, as when a step is taken back, is shown. One that is gone is stopped.
        """
        there = {draft.id for draft in self._manuscript.drafts.here}
        new, self._there = there - self._there, there
        if new:
            self._leave()
            self._show(max(new))
        if self.current is not None and self.current not in there:
            self._leave()
        if not self.running:
            self.state = ""
        self._changed()

    def _on_side_event(self, event: object) -> None:
        """Take in what is said of a job while it writes."""
        match event:
            case Coherence(job=job, voice=voice) if self.current is not None and job == self.desk.job_of(self.current):
                self._gauges[voice] = event
                self._changed()
            case Unsteered(job=job, reason=reason) if self.desk.draft_of(job) is not None:
                self._show_status(reason)

    def _begin(self, request: Write) -> int:
        draft = self.desk.draft_of(request.job)
        if draft is None:
            raise ManuscriptError("the draft could not be started; try again")
        self._gauges, self.state, self._voices = {}, "waiting for the model", len(request.voices)
        self._engine.ask(request)
        self._there.add(draft)
        self._show(draft)
        return draft

    def _leave(self) -> None:
        """Stop the draft that is shown, and leave it where it stands, as one that waits."""
        self.stop()
        self.current = None
        self._editor.show_draft(None)

    def _voice(self, draft: Draft) -> int:
        """Return which voice of the last job wrote the alternative that is shown; below 0 if none of them did."""
        return draft.shown - (len(draft.alternatives) - self._voices)

    def _accept(self, take: Callable[[int], None], *, follow: bool = True) -> None:
        if self.current is None:
            return
        take(self.current)
        self._settle(follow=follow)
        draft = self.draft
        if draft is not None and not len(draft.original) and self._editor.cursor != draft.start:
            self._editor.select(draft.start, draft.start)  # not behind the space that follows it

    def _show(self, draft: int) -> None:
        self.current = self.last = draft
        self._has_shown = True
        self._editor.show_draft(draft)
        self._changed()

    def _settle(self, *, follow: bool = True) -> None:
        """After a decision: show the text as it is now, and the draft as long as it is open."""
        self.follow()
        self._editor.sync(follow=follow)


def _seed() -> int:
    """Return a seed for a request."""
    return secrets.randbelow(_SEEDS)

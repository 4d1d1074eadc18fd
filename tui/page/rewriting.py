"""A rewrite on the page, gone through change by change: next, take, skip; and the keys for that."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from textual.containers import Horizontal

from billy_mlx.engine.messages import Job
from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.changes import TextChange, is_unlike, is_whole
from billy_mlx.manuscript.draft import Alternative, Draft, Fate, offered
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.tui.commands import at, bindings
from billy_mlx.tui.page.draft_controller import DraftController
from billy_mlx.tui.widgets.editor import Editor
from billy_mlx.tui.widgets.ghost_view import Ghost, seam

if TYPE_CHECKING:
    from billy_mlx.tui.screens.writing import WritingScreen


_ACTIONS = {command.action for command in at("rewrite")}


class Rewrite:
    """One alternative of an open rewrite that is no longer written.

    Attributes:
        draft: its number.
        alternative: what is shown of it.
        original: what stood in the text when it was begun.
        unlike: it has next to nothing of the original, and is better read beside it.
        whole: it was not stopped before its end.
    """

    def __init__(self, manuscript: Manuscript, draft: Draft, alternative: Alternative) -> None:
        self.draft, self.alternative, self.original = draft.id, alternative, draft.original.text
        self.unlike = is_unlike(self.original, alternative.text)
        self.whole = is_whole(self.original, alternative)
        self._manuscript = manuscript
        self._here = 0
        self._skipped: set[tuple[int, str, str]] = set()

    @property
    def changes(self) -> tuple[TextChange, ...]:
        """All its changes, made or not."""
        return self._manuscript.drafts.changes(self.draft)

    @property
    def open(self) -> tuple[int, ...]:
        """Which of them can be made, by their index."""
        return self._manuscript.drafts.open_changes(self.draft)

    @property
    def wanted(self) -> tuple[int, ...]:
        """Which of them can be made and were not skipped."""
        return tuple(index for index in self.open if self._key(index) not in self._skipped)

    @property
    def here(self) -> int | None:
        """The one that stands out; None if there are none left."""
        left = self.open
        return self._here if self._here in left else _following(self.wanted or left, self._here)

    @property
    def words(self) -> str:
        """Where the writer is, for a status line."""
        here, count = self.here, len(self.changes)
        if here is None:
            return ""
        change = self.changes[here]
        notes = (
            (not (change.before + change.after).strip(), ", only spaces or line ends"),
            (self._key(here) in self._skipped, ", skipped"),
            (not self.whole, ", stopped early"),
        )
        return f"change {here + 1} of {count}" + "".join(note for is_so, note in notes if is_so)

    def go(self, by: int) -> None:
        """Look at the next change that can be made, skipped or not, or the one before; they go round."""
        left, here = self.open, self.here
        if here is not None:
            self._here = left[(left.index(here) + by) % len(left)]

    def look_at(self, index: int | None) -> None:
        """Look at a change; None stays where it is."""
        self._here = self._here if index is None else index

    def skip(self) -> None:
        """Leave the words of this change as they are, and look at the next one."""
        here = self.here
        if here is not None:
            self._skipped.add(self._key(here))
            following = _following(self.wanted, here)
            self._here = here if following is None else following

    def ghosts(self) -> tuple[tuple[Ghost, ...], int | None]:
        """Return what the page shows of it, and which of that stands out; one that was skipped shows only then."""
        changes, here = self.changes, self.here
        shown = sorted({*self.wanted, *(() if here is None else (here,))})
        ghosts = tuple(_ghost(changes[index]) for index in shown)
        return ghosts, None if here is None else shown.index(here)

    def _key(self, index: int) -> tuple[int, str, str]:
        """Return what a change is known by, so that another in its place is not taken for it."""
        change = self.changes[index]
        return index, change.before, change.after


class RewriteController:
    """The rewrite that is on the page, once it is written.

    Args:
        drafts: the drafts of the page; a rewrite is one of them.
        beside: shows a rewrite beside the passage that it is of.
        changed: is called when another change stands out.
        show_status: takes a sentence for the writer.
    """

    def __init__(
        self,
        manuscript: Manuscript,
        editor: Editor,
        drafts: DraftController,
        *,
        beside: Callable[[], None],
        changed: Callable[[], None],
        show_status: Callable[[str], None],
    ) -> None:
        self._manuscript, self._editor, self._drafts = manuscript, editor, drafts
        self._beside, self._changed, self._show_status = beside, changed, show_status
        self._rewrite: Rewrite | None = None
        self._seen: Rewrite | None = None  # the one that the writer was led to
        self._begun: tuple[Job, object] | None = None  # the job that wrote it, and how the page was at its begin
        editor.changes_of = self._changes_of

    @property
    def current(self) -> Rewrite | None:
        """The rewrite that is shown; None while it is written, and if there is none."""
        draft = self._drafts.draft
        return None if draft is None else self.of(draft)

    @property
    def words(self) -> str:
        """Which change stands out, for a status line; empty if none does."""
        rewrite = self.current
        return "" if rewrite is None else rewrite.words

    @property
    def place(self) -> str:
        """Which alternative is shown, in words; empty if there is only one."""
        return self._drafts.place

    def of(self, draft: Draft) -> Rewrite | None:
        """Return a draft as a rewrite; None if it is none, or still written."""
        if draft.work != "rewrite" or not draft.alternatives or self._drafts.desk.job_of(draft.id) is not None:
            return None
        one = replace(draft.alternatives[draft.shown], text=offered(draft))
        if self._rewrite is None or (self._rewrite.draft, self._rewrite.alternative) != (draft.id, one):
            self._rewrite = Rewrite(self._manuscript, draft, one) if one.text else None
        return self._rewrite

    def _changes_of(self, draft: Draft) -> tuple[tuple[Ghost, ...], int | None] | None:
        rewrite = self.of(draft)
        return None if rewrite is None else rewrite.ghosts()

    def go(self, by: int) -> None:
        """Look at the next change, or the one before."""
        rewrite = self.current
        if rewrite is not None:
            rewrite.go(by)
            self._show()

    def skip(self) -> None:
        """Leave the change that stands out as the writer had it; it can be come back to."""
        rewrite = self.current
        if rewrite is None:
            return
        rewrite.skip()
        if not rewrite.wanted:
            self._show_status("You skipped all the changes that are left. Go back to one, or put the rewrite away.")
        self._show()

    def take(self) -> None:
        """Make the change that stands out."""
        rewrite = self.current
        if rewrite is not None and rewrite.here is not None:
            self._drafts.take_changes([rewrite.here], last=False)
            self._show()

    def take_all(self) -> None:
        """Make all changes that were not skipped, and have the rewrite be decided."""
        rewrite = self.current
        if rewrite is None:
            return
        wanted = rewrite.wanted
        kept = len(rewrite.open) - len(wanted)
        if not wanted:
            raise ManuscriptError("you skipped all the changes that are left; go back to one and take it")
        self._drafts.take_changes(wanted, last=True)
        if kept:
            self._show_status(f"{kept} skipped {'change was' if kept == 1 else 'changes were'} not made.")

    def put_away(self) -> None:
        """Leave the writer's words wherever no change was taken."""
        self._drafts.put_away()

    def swipe(self, by: int) -> None:
        """Show another alternative; the writer asked for it, and is not led to it."""
        self._drafts.swipe(by)
        self._seen = self.current

    @contextmanager
    def stepping(self) -> Iterator[None]:
        """Follow an undo or a redo made inside the block, to the change that it opens again.

        A draft that was taken by the step is taken up again, so that the writer is where they were before.
        """
        step, rewrite = self._manuscript.versions.draft, self.current
        open_before = () if rewrite is None else rewrite.open
        yield
        if rewrite is None and step is not None and self._drafts.current is None:
            self._bring_back(step)
        elif rewrite is not None and self.current is rewrite:
            rewrite.look_at(next((index for index in rewrite.open if index not in open_before), None))
            self._show()

    def look(self) -> None:
        """Lead the writer to a rewrite that has just been written, and put one away of which nothing is left."""
        rewrite, job = self.current, None
        if self._drafts.current is not None:
            job = self._drafts.desk.job_of(self._drafts.current)
        if job is not None and (self._begun is None or self._begun[0] != job):
            self._begun = job, self._page()
        if rewrite is not None and not rewrite.open:
            self._close(rewrite)
        elif rewrite is not None and rewrite is not self._seen:
            self._lead_to(rewrite)

    def _bring_back(self, draft: int) -> None:
        held = self._manuscript.drafts.get(draft)
        if held.fate is Fate.ACCEPTED and not self._manuscript.drafts.taken(held):
            self._drafts.reopen(draft)
            self._show()

    def _lead_to(self, rewrite: Rewrite) -> None:
        self._seen = rewrite
        untouched = self._begun is not None and self._begun[1] == self._page()
        if not rewrite.unlike:
            self._editor.reveal_change()
        elif untouched:
            self._beside()
        else:
            self._show_status("This rewrite shares few words with yours. Compare them side by side, or keep writing.")

    def _close(self, rewrite: Rewrite) -> None:
        """Put a rewrite away of which there is nothing left to decide, if it has no other alternative."""
        text, led, self._seen = self._manuscript.text, self._seen is rewrite, rewrite
        taken = any(change.is_taken(text) for change in rewrite.changes)
        if not taken and not led:
            changed = "The passage has changed since this rewrite was written." if rewrite.changes else ""
            self._show_status(changed or "The rewrite is the same as your text.")
        if taken or not self.place:
            self._drafts.end()

    def _page(self) -> object:
        """Return what changes as soon as the writer does something else."""
        return self._manuscript.prose, self._editor.cursor

    def _show(self) -> None:
        self._changed()
        self._editor.refresh_draft()
        self._editor.reveal_change()


class RewriteKeys(Horizontal):
    """What the page and its voices stand in: keys of the page's screen that mean something else here do so first."""

    BINDINGS = bindings("rewrite")  # type: ignore[assignment]

    @property
    def _page(self) -> "WritingScreen":
        return cast("WritingScreen", self.screen)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a command means anything now: there is no next one of a single change."""
        if action not in _ACTIONS:
            return super().check_action(action, parameters)
        rewrite = self._page.rewriting.current if self._page.is_mounted else None
        if rewrite is None:
            return False
        if action == "rewrite_away":
            return self._page.editor.has_focus and not self._page.text_commands.is_finding
        return action not in ("change_next", "change_previous") or not rewrite.unlike

    def action_change_take_all(self) -> None:
        """Make all changes that were not skipped."""
        self._page.rewriting.take_all()

    def action_change_take(self) -> None:
        """Make the change that stands out."""
        self._page.rewriting.take()

    def action_change_skip(self) -> None:
        """Leave the change that stands out as it was."""
        self._page.rewriting.skip()

    def action_change_next(self) -> None:
        """Go to the next change."""
        self._page.rewriting.go(1)

    def action_change_previous(self) -> None:
        """Go to the change before."""
        self._page.rewriting.go(-1)

    def action_rewrite_away(self) -> None:
        """Put the rewrite away."""
        self._page.rewriting.put_away()


def _ghost(change: TextChange) -> Ghost:
    return Ghost(change.start, change.end, seam(change.before, change.after))


def _following(left: tuple[int, ...], here: int) -> int | None:
    """Return the first that is left from `here` on, or from the start."""
    return next((index for index in left if index >= here), left[0] if left else None)

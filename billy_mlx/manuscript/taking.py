"""Taking: the steps by which a draft, or some of it, comes into the text. They are made here, not yet committed."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.changes import TextChange, changes_of
from billy_mlx.manuscript.context.parts import BLANKS
from billy_mlx.manuscript.draft import Alternative, Draft, Placed
from billy_mlx.manuscript.ledger import Ledger
from billy_mlx.manuscript.prose import WRITER, Author, Prose
from billy_mlx.manuscript.records import Change, Edited, Swiped
from billy_mlx.manuscript.revision import Kind
from billy_mlx.manuscript.seams import offered, rest_of, space_before, space_behind


class Taking:
    """Makes the steps.

    Args:
        ledger: what the text changes through; it gives each step its number.
        clock: seconds since the epoch.
    """

    def __init__(self, ledger: Ledger, clock: Callable[[], float]) -> None:
        self._ledger, self._clock = ledger, clock

    def part(self, held: Draft, one: Alternative, taken: int, length: int | None) -> Edited:
        """Return the step that puts more of an alternative into the text, with the spaces that are missing around it.

        Args:
            held: an open draft; no rewrite.
            one: the alternative, in view.
            taken: how many characters of it are in the text.
            length: how many more to take; None is all there are.

        Raises:
            ManuscriptError: there are none yet.
        """
        more, text = one.text[taken:][:length], self._ledger.state.prose.text
        if not more:
            raise ManuscriptError("there is no more in this draft yet; wait for it, or put it away")
        before, behind = rest_of(held, taken, text).before, space_behind(more, text[held.end : held.end + 1])
        change = Change(held.start, held.end, _between(before, Prose.by(one.author, more), behind))
        return replace(self._step(held, (change,), taken + len(more)), behind=len(behind))

    def changes(self, held: Draft, author: Author, picked: Sequence[TextChange], taken: int) -> Edited:
        """Return the step that makes some changes of a rewrite; `taken` of its characters are in the text then."""
        return self._step(held, _backwards(picked, author), taken)

    def exchange(self, held: Draft, start: int, end: int, shown: int) -> tuple[Edited, Swiped]:
        """Return the step that has characters `start` to `end`, which a draft was taken as, be another alternative."""
        text = self._ledger.state.prose.text
        other = replace(held.alternatives[shown], text=offered(held, index=shown))
        exchanged, before, behind = _rewritten(held.original, other), "", ""
        if not len(held.original):
            before, exchanged, behind = _fitted(text[max(0, start - 4) : start], exchanged, text[end : end + 1])
        change = Change(start, end, _between(before, exchanged, behind))
        step = self._step(held, (change,), kind=Kind.SWIPED)
        first = start + len(before)
        return step, Swiped(held.id, Placed(step.revision, first, first + len(exchanged), shown, len(other.text)))

    def _step(self, held: Draft, changes: Sequence[Change], taken: int = 0, kind: Kind = Kind.ACCEPTED) -> Edited:
        return Edited(self._ledger.next_revision(), tuple(changes), kind, self._clock(), held.id, taken)


def _between(before: str, prose: Prose, behind: str) -> Prose:
    """Return a model's text with spaces around it, which are the writer's."""
    return Prose.by(WRITER, before) + prose + Prose.by(WRITER, behind)


def _fitted(before: str, prose: Prose, after: str) -> tuple[str, Prose, str]:
    """Return the space before a text that takes another one's place, the text, and the space behind it."""
    blanks = len(prose.text) - len(prose.text.lstrip(BLANKS)) if before[-1:] and before[-1] in BLANKS else 0
    return space_before(before, prose.text), prose[blanks:], space_behind(prose.text, after)


def _rewritten(original: Prose, one: Alternative) -> Prose:
    """Return a text by an alternative, in which the words it has kept are still by whoever wrote them."""
    prose = original
    for change in _backwards(changes_of(original.text, one), one.author):
        prose = prose[: change.start] + change.prose + prose[change.end :]
    return prose


def _backwards(picked: Sequence[TextChange], author: Author) -> list[Change]:
    """Return changes as they are written down, from the last to the first, so that none moves another."""
    return [Change(change.start, change.end, Prose.by(author, change.after)) for change in reversed(picked)]

"""The steps that decide on a draft: taking it into the text, or some of it, and putting it away.

They are made here, not yet committed. A draft belongs to the text it was begun for: lineage says which versions the
text as it is now came of.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.changes import TextChange, changes_of
from billy_mlx.manuscript.context.parts import BLANKS
from billy_mlx.manuscript.draft import Alternative, Draft, Fate, Placed, offered, rest_of, space_before, space_behind
from billy_mlx.manuscript.ledger import Ledger
from billy_mlx.manuscript.prose import WRITER, Author, Prose
from billy_mlx.manuscript.records import Change, Decided, Drafted, Edited, Kind, Revision, Swiped


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


class Lineage:
    """Answers for the text as it is now, at once while it grows step by step.

    Args:
        ledger: what changes go through.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._begun: dict[int, tuple[int, bool]] = {}  # by revision: the text last asked about, and the answer
        self._placed: dict[int, tuple[int, bool]] = {}

    def has(self, draft: Draft) -> bool:
        """Return whether a draft belongs to the text: not after the writer went back before it, or to another branch.

        Raises:
            ManuscriptError: the history cannot be read.
        """
        descends = self._ledger.history.descends
        return not draft.begun or self._asked(self._begun, draft.begun, lambda head: descends(head, draft.begun))

    def placed(self, draft: Draft) -> Placed | None:
        """Return where a draft was last put into the text, if that is part of how the text came to be.

        Raises:
            ManuscriptError: the history cannot be read.
        """
        return next((at for at in reversed(draft.placed) if self._is_in(at.revision)), None)

    def _is_in(self, revision: int) -> bool:
        path = self._ledger.history.path
        return self._asked(self._placed, revision, lambda head: not path(revision, head).undo)

    def _asked(self, known: dict[int, tuple[int, bool]], revision: int, ask: Callable[[int], bool]) -> bool:
        """Return whether the text came of a revision; what was the answer a step before still is."""
        head = self._ledger.state.revision
        if head == revision:
            return True
        last, answer = known.get(revision, (0, False))
        if last != head:
            answer = answer if last and self._is_a_step(last, head) else ask(head)
            known[revision] = (head, answer)
        return answer

    def _is_a_step(self, one: int, other: int) -> bool:
        """Return whether one version was made of the other."""
        history = self._ledger.history
        return history.revision(other).parent == one or history.revision(one).parent == other


def decided(lineage: Lineage, draft: Draft) -> Decided:
    """Return the record of putting an open draft away: what of it is in the text stays there."""
    placed = lineage.placed(draft)
    return Decided(draft.id, Fate.ACCEPTED if placed is not None and placed.taken else Fate.REJECTED)


def undone(ledger: Ledger, revision: Revision) -> tuple[Drafted, ...]:
    """Return what brings back the draft that a step has put away; nothing if it has put none away that still is."""
    if revision.kind is not Kind.PUT_AWAY or revision.draft is None or revision.draft in ledger.state.drafts:
        return ()
    held = ledger.history.find_draft(revision.draft)
    if held is None or held.decided != revision.id:
        return ()
    return (Drafted(replace(held, fate=Fate.OPEN)),)


def redone(ledger: Ledger, revision: Revision) -> tuple[Decided, ...]:
    """Return what puts the draft away again that a step has put away; nothing if there is none open."""
    held = ledger.state.drafts.get(revision.draft or 0)
    if revision.kind is not Kind.PUT_AWAY or held is None:
        return ()
    return (decided(Lineage(ledger), held),)

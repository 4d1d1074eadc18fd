"""Putting drafts away: a step like any other, which undo takes back and redo makes again."""

from dataclasses import replace

from billy_mlx.manuscript.draft import Draft, Fate
from billy_mlx.manuscript.ledger import Ledger
from billy_mlx.manuscript.lineage import Lineage
from billy_mlx.manuscript.records import Decided, Drafted
from billy_mlx.manuscript.revision import Kind, Revision


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

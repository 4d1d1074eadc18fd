"""What comes of a draft that was written without a screen: into the text or not, and what is said about it."""

from dataclasses import asdict
from typing import Any

from billy_mlx.cli.drafting import Session, WrittenRow
from billy_mlx.cli.manuscripts import save, studio
from billy_mlx.cli.output import STOPPED, say, write_json
from billy_mlx.cli.places import line_of
from billy_mlx.manuscript.changes import is_whole
from billy_mlx.manuscript.draft import Fate
from billy_mlx.words import count_words


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


def report(session: Session, draft: int, *, as_json: bool) -> int:
    """Say what was written and where it is now, put out the document if one is wanted, and return the exit code."""
    rows = session.rows(draft)
    if as_json:
        write_json(_document(session, draft, rows))
    say(", ".join([*_notes(session, rows), *_left_out(session, draft), _whereabouts(session, draft)]))
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


def _notes(session: Session, rows: list[WrittenRow]) -> list[str]:
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
        return f"an open draft for line {line_of(manuscript.text, held.start)}; {studio(manuscript.path)}"
    if held.fate is Fate.REJECTED:
        return "and nothing was written: ask for more with -m or for something with --instruct, or try another --seed"
    if not held.placed:
        return "which is what is there already: try another --seed"
    return f"in the text from line {line_of(manuscript.text, held.placed[-1].start)} on"

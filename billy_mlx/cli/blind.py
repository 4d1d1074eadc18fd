"""A chorus without names: drafts to choose from, and then the choice, which is counted."""

import shlex
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from billy_mlx.cli.open_file import line_of, opened, save
from billy_mlx.cli.output import STOPPED, say, write_json, write_line
from billy_mlx.cli.printing import show
from billy_mlx.cli.writing import ManuscriptOrder, Place, Session, report, show_context, written_notes
from billy_mlx.errors import ManuscriptError, UsageError
from billy_mlx.manuscript.choices import MODEL_ALONE, WaitingChoice, keep_choice, keep_waiting, read_waiting
from billy_mlx.manuscript.draft import Alternative, Draft, Fate
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.provenance import UNSTEERED
from billy_mlx.write.blind import blind_voices

_TELLING = ("blend", "layers")
"""What of a row says whose it is."""


@dataclass(frozen=True)
class _Nameless:
    """A text that is headed by a number: what stands for its `blend` is that."""

    text: str
    blend: str


def offer(order: ManuscriptOrder, file: Path, place: Place) -> int:
    """Have voices write, show what they wrote without their names, and return the exit code.

    Args:
        order: of voices, the model alone among them or not.
        file: the manuscript. What waits there to be chosen from is passed over: none of it was kept.
        place: where to write.
    """
    voices = blind_voices(order.blends)
    with opened(file, to_write=not order.dry_run) as manuscript:
        where = place(manuscript.text)
        session = Session(manuscript, order)
        if order.dry_run:
            return show_context(session.context(where), as_json=order.as_json)
        _pass_over(manuscript)
        session.order = replace(order, blends=voices)  # now: what is said of voices before must not be in their order
        draft = session.write(session.begin(where), aloud=False)
        rows = session.rows(draft)
        if sum(bool(row.text.strip()) for row in rows) < 2:
            return report(session, draft)  # there is nothing to choose from
        keep_waiting(manuscript.folder, WaitingChoice(draft, len(rows)))
        if order.as_json:
            told = [{key: value for key, value in asdict(row).items() if key not in _TELLING} for row in rows]
            write_json(_document(manuscript, draft, taken=None) | {"rows": told})
        else:
            show([_Nameless(row.text, f"Draft {number}") for number, row in enumerate(rows, start=1)])
        say(", ".join([*written_notes(session, rows), _how_to_choose(manuscript.path, len(rows))]))
        return STOPPED if session.stopped else 0


def choose(file: Path, number: int, *, as_json: bool) -> int:
    """Put one of the drafts that wait into the text, say whose they were, count the choice, and return the exit code.

    Args:
        file: the manuscript.
        number: which of them, from 1; 0 for none, and then nobody says whose they were.
        as_json: put out a document.

    Raises:
        ManuscriptError: none waits there, or they were decided on elsewhere.
        UsageError: there is no such draft.
    """
    with opened(file) as manuscript:
        held, texts = _waiting(manuscript)
        if number > len(texts):
            raise UsageError(f"--take {number} is not one of the {len(texts)} drafts; 0 takes none")
        if number and not texts[number - 1][1].strip():
            raise ManuscriptError(f"draft {number} is empty; take another one, or none with --take 0")
        try:
            _take(manuscript, held.id, number)
        finally:
            if manuscript.drafts.get(held.id).fate is not Fate.OPEN:
                _count(manuscript, held, texts, number)
        _tell(manuscript, held.id, [voice for voice, _ in texts], number, as_json=as_json)
    return 0


def _waiting(manuscript: Manuscript) -> tuple[Draft, list[tuple[str, str]]]:
    """Return the draft that waits, and the blend and text of each of its alternatives that were shown."""
    waiting = read_waiting(manuscript.folder)
    file = shlex.quote(str(manuscript.path))
    begin = f"to have some written, run: billy chorus {file} --voice noir --blind"
    if waiting is None:
        raise ManuscriptError(f"no drafts wait to be chosen from; {begin}")
    held = next((one for one in manuscript.drafts.here if one.id == waiting.draft), None)
    if held is None or manuscript.drafts.is_in_text(held):
        raise ManuscriptError(f"the drafts were taken or put away in the studio, which does not count; {begin}")
    return held, [(_blend_of(one), one.text) for one in held.alternatives[: waiting.count]]


def _blend_of(one: Alternative) -> str:
    voice = None if one.passage is None else one.passage.voices[0].spelled
    return voice or MODEL_ALONE


def _take(manuscript: Manuscript, draft: int, number: int) -> None:
    if number:
        manuscript.drafts.show(draft, number - 1)
        manuscript.drafts.accept(draft)
    else:
        manuscript.drafts.put_away(draft)
    save(manuscript)


def _count(manuscript: Manuscript, held: Draft, texts: list[tuple[str, str]], number: int) -> None:
    keep_waiting(manuscript.folder, None)
    models = [one.passage.model for one in held.alternatives if one.passage is not None]
    keep_choice(texts, number - 1 if number else None, models[0] if models else "")


def _pass_over(manuscript: Manuscript) -> None:
    """Count that none of the drafts that wait was kept, if any do: the writer asks for others."""
    if read_waiting(manuscript.folder) is None:
        return
    try:
        held, texts = _waiting(manuscript)
    except ManuscriptError:
        return  # they were decided on
    manuscript.drafts.put_away(held.id)
    _count(manuscript, held, texts, 0)


def _tell(manuscript: Manuscript, draft: int, voices: list[str], number: int, *, as_json: bool) -> None:
    if as_json:
        document = _document(manuscript, draft, taken=number - 1 if number else None)
        write_json(document | {"voices": voices if number else None})
    if not number:
        say("none of the drafts is kept; the studio brings them back by undo")
        return
    if not as_json:
        for place, voice in enumerate(voices, start=1):
            kept = ", which is in the text now" if place == number else ""
            write_line(f"Draft {place} was {UNSTEERED if voice == MODEL_ALONE else voice}{kept}")
    placed = manuscript.drafts.get(draft).placed
    where = f" from line {line_of(manuscript.text, placed[-1].start)} on" if placed else ""
    say(f"draft {number} is in the text{where}; for how often each voice was kept, run: billy stats --voices")


def _document(manuscript: Manuscript, draft: int, *, taken: int | None) -> dict[str, Any]:
    held = manuscript.drafts.get(draft)
    return {
        "file": str(manuscript.path),
        "work": held.work,
        "draft": draft,
        "fate": str(held.fate),
        "taken": taken,
    }


def _how_to_choose(path: Path, count: int) -> str:
    call = f"billy chorus {shlex.quote(str(path))} --blind --take"
    return f"to put one into the text, run: {call} N, from 1 to {count}, or 0 for none"

"""Build what a model is sent: memory, lorebook, author's note, and as much of the text as fits.

The text before the cursor is what the model goes on from, to the letter: of a chat model it is the beginning of its own
answer, not something it is told about. So a passage that the writer has changed is continued as it is now. A rewrite
is done in place in the same way: the answer has begun with the text before the passage.
"""

import re
from collections.abc import Callable, Sequence

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.context import pieces
from billy_mlx.manuscript.context.guide import Guide
from billy_mlx.manuscript.context.lorebook import triggered
from billy_mlx.manuscript.context.parts import Context, Cut, Part, Prompt
from billy_mlx.manuscript.context.pieces import Piece
from billy_mlx.manuscript.context.trimming import MOST_CHARS, Count, end_of
from billy_mlx.manuscript.passage import Work

Measure = Callable[[Prompt], int]
_ASKED: dict[Work, str] = {
    "continue": "Go on with the text, in its own voice. Write nothing but the text.",
    "infill": "Write what comes next in the text, so that it leads to what follows. Write nothing but the text.",
    "rewrite": "Write the passage anew, in the place where it stands. Write nothing but the passage.",
}
_FEWEST = 8  # tokens of the text, below which nothing sensible comes
_PARAGRAPH = re.compile(r"\n\s*\n")


def build_context(
    text: str,
    cursor: int,
    guide: Guide,
    *,
    work: Work = "continue",
    instruction: str = "",
    selection: tuple[int, int] | None = None,
    budget: int,
    measure: Measure,
    count: Count,
    chat: bool,
) -> Context:
    """Return what a model is sent for a place in a text.

    Args:
        text: the manuscript.
        cursor: where the model writes; for a rewrite it does not matter.
        guide: what goes along.
        work: what the model is asked to do.
        instruction: what the writer asks for besides, such as "make her leave".
        selection: start and end of what a rewrite is to replace.
        budget: tokens there are for all of it.
        measure: returns the tokens of a prompt as it will be sent, template included.
        count: returns the tokens of a piece of text.
        chat: the model has a chat template.

    Raises:
        ManuscriptError: the place is not in the text, or the budget is too small for what has to be sent.
    """
    start, end = _place(text, cursor, work, selection)
    before, behind = _plain(text[:start]), _plain(text[end : end + budget * MOST_CHARS]).lstrip()
    found = triggered(guide.lorebook, before)
    known = [*pieces.memory(guide, budget, count), *pieces.lore(guide, found.triggers, budget, count)]
    later = pieces.after(behind, len(text) - end, guide, budget, count, chat=chat) if work != "continue" else ()
    asked = [*later, *pieces.asked(instruction, _plain(text[start:end]), count, chat=chat)]
    notes = list(pieces.note(guide, budget, count))
    frame = _ASKED[work] if chat else ""

    def prompt(kept: str) -> Prompt:
        return _prompt([*known, *asked], frame, _with_notes(kept, notes, guide.note_depth), chat=chat)

    kept, sent, tokens = _fitted(before.rstrip(), prompt, budget, measure, count)
    parts = [piece.part for piece in known + asked]
    parts += _text_parts(kept, len(before.rstrip()) - len(kept), notes, guide.note_depth, count)
    parts.append(Part("frame", "template and joints", frame, tokens - sum(part.tokens for part in parts)))
    return Context(sent, tuple(parts), tokens, budget, before[len(before.rstrip()) :], found.broken)


def _fitted(
    before: str, prompt: Callable[[str], Prompt], budget: int, measure: Measure, count: Count
) -> tuple[str, Prompt, int]:
    """Return the end of the text before the cursor that fits, the prompt with it, and the tokens of that."""
    fixed = measure(prompt(""))
    room = budget - fixed
    if room < min(_FEWEST, count(before[-_FEWEST * MOST_CHARS :])):
        raise ManuscriptError(
            f"what has to be sent takes {fixed:,} of {budget:,} tokens, and too few are left for the text; "
            "shorten the instruction, the selection or the memory, or ask for fewer tokens"
        )
    while True:
        kept = before[end_of(before, room, count) :]
        sent = prompt(kept)
        tokens = measure(sent)
        if tokens <= budget or not kept:
            return kept, sent, tokens
        room -= tokens - budget  # pieces do not add up exactly: tokens reach over their borders


def _place(text: str, cursor: int, work: Work, selection: tuple[int, int] | None) -> tuple[int, int]:
    start, end = selection or (cursor, cursor)
    if work == "rewrite" and start == end:
        raise ManuscriptError("nothing is selected; select what is to be rewritten")
    if not 0 <= start <= end <= len(text):
        raise ManuscriptError(f"characters {start} to {end} are not in a text of {len(text)}")
    return (start, end) if work == "rewrite" else (cursor, cursor)


def _prompt(told: Sequence[Piece], frame: str, prefix: str, *, chat: bool) -> Prompt:
    """Return the pieces in their places: a model without a chat template reads everything in one text."""
    system = "\n\n".join(piece.sent for piece in told if piece.place == "system" and piece.part.text)
    user = "\n\n".join(piece.sent for piece in told if piece.place == "user" and piece.part.text)
    if chat:
        return Prompt(system, "\n\n".join(filter(None, (user, frame))), prefix)
    return Prompt(prefix="\n\n".join(filter(None, (system, user, prefix))))


def _with_notes(kept: str, notes: Sequence[Piece], depth: int) -> str:
    at = _note_place(kept, depth)
    return kept[:at] + "".join(piece.sent for piece in notes if piece.part.text) + kept[at:]


def _note_place(kept: str, depth: int) -> int:
    """Return where a note stands: before the last `depth` paragraphs, at least before the one being written."""
    borders = [border.end() for border in _PARAGRAPH.finditer(kept)]
    return borders[-depth] if 0 < depth <= len(borders) else 0 if depth > 0 or not borders else borders[-1]


def _text_parts(kept: str, left_out: int, notes: Sequence[Piece], depth: int, count: Count) -> list[Part]:
    at = _note_place(kept, depth) if notes else 0
    cut = Cut(left_out, "beginning" if kept else "all") if left_out else None
    title = "text before the cursor"
    above = [Part("before", title, kept[:at], count(kept[:at]), cut)] if kept[:at] else []
    below = Part("before", title, kept[at:], count(kept[at:]), None if above else cut)
    return [*above, *(piece.part for piece in notes), below]


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n")

"""What the model is sent: its parts, the wording around them, and the account of what each takes and loses."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from billy_mlx.blend.recipe import Prompt
from billy_mlx.manuscript.context.triggers import Trigger
from billy_mlx.manuscript.passage import Work

Kind = Literal["memory", "lore", "note", "before", "after", "selection", "instruction", "frame"]
Place = Literal["system", "user", "prefix"]

BLANKS = " \t\u00a0\u2002\u2003\u2009\u202f\u3000"

WRITER = (
    "You write a book together with its author. Your answer goes straight into the manuscript: give its text alone, "
    "without a greeting, a remark or a heading of your own. Keep to the voice, the tense and the point of view of what "
    "is there."
)
REQUESTS: dict[Work, str] = {
    "continue": "Go on with the manuscript from where it breaks off.",
    "infill": "Something is missing in the manuscript: write what leads from where it breaks off to what comes after.",
    "rewrite": "Write another version of one passage of the manuscript, to stand in its place.",
}
KNOWN = "\n\nWhat the author wants you to know:\n"
LORE = "\n\nWhat is known in this story:\n"
SELECTION = "\n\nThe passage as it is now:\n"
AFTER = "\n\nWhat comes after:\n"
INSTRUCTION = "\n\nWhat the author asks for: "
NOTE = "[Author's note: "
BASE_AFTER = "[Later in the text: "
BASE_SELECTION = "[The next passage as it was before: "
BASE_INSTRUCTIONS: dict[Work, str] = {
    "continue": "[What comes next: ",
    "infill": "[What comes next: ",
    "rewrite": "[The next passage written anew: ",
}
CLOSING = "]"
SEPARATOR = "***\n\n"
TITLES: dict[Kind, str] = {
    "memory": "Memory",
    "lore": "Lore",
    "note": "Author's note",
    "before": "Text before",
    "after": "Text after",
    "selection": "Selection",
    "instruction": "Instruction",
    "frame": "Fixed wording",
}

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")
_LINE = re.compile(r"\n\s*")


@dataclass(frozen=True)
class Cut:
    """What of a part is not sent: `chars` characters at its start, at its end, or all of it."""

    where: Literal["start", "end", "all"]
    chars: int


@dataclass(frozen=True)
class Part:
    """One part of what is sent.

    Attributes:
        kind: "frame" is everything around the others: the wording that introduces them, the template, the joints. It
            may be below zero where joined texts take fewer tokens than apart.
        title: for a screen.
        text: as sent; empty if all of it was cut.
        tokens: of the text by itself.
        cut: what was left out; None if nothing.
        trigger: of lore, what set it off.
    """

    kind: Kind
    title: str
    text: str
    tokens: int
    cut: Cut | None = None
    trigger: Trigger | None = None


@dataclass(frozen=True)
class Context:
    """What is sent, and the account of it.

    Attributes:
        prompt: what is sent: to a chat model what it knows, what is asked, and the beginning of its own turn; to a
            base model a prefix alone.
        parts: in the order in which they are sent, the frame last; their tokens come to `tokens`.
        tokens: of all of it, measured.
        budget: what they may come to.
        held_back: the blanks at the end of the text before the cursor that are not sent: tokens mostly begin with a
            space, so that after one that stands alone the model finds no usual word. Line ends are sent.
        warnings: one sentence for each key of the lorebook that could not be looked for.
        why: why the budget is what it is, as a sentence without its full stop; empty if nobody has said.
    """

    prompt: Prompt
    parts: tuple[Part, ...]
    tokens: int
    budget: int
    held_back: str
    warnings: tuple[str, ...] = ()
    why: str = ""

    def continued(self, answer: str) -> str:
        """Return what of an answer to put at the cursor: the blanks that were held back are in the text already."""
        return answer.lstrip(BLANKS) if self.held_back else answer


@dataclass(frozen=True)
class Piece:
    """A text, where it goes, and the wording around it, which is only sent with it.

    Attributes:
        place: the field of the prompt.
        kind: "frame" has no text, only wording.
        title: for a screen.
        text: what it says.
        opening: what introduces it.
        closing: what ends it.
        cut: what was left out of the text.
        trigger: of lore.
    """

    place: Place
    kind: Kind
    title: str
    text: str
    opening: str = ""
    closing: str = ""
    cut: Cut | None = None
    trigger: Trigger | None = None

    @property
    def sent(self) -> str:
        """The text with its wording."""
        return self.opening + self.text + self.closing if self.text or self.kind == "frame" else ""


def compose(pieces: Iterable[Piece]) -> Prompt:
    """Return the prompt that `pieces` make in their order."""
    sent = {"system": "", "user": "", "prefix": ""}
    for piece in pieces:
        sent[piece.place] += piece.sent
    return Prompt.of(sent["user"], system=sent["system"], prefix=sent["prefix"])


def account(pieces: Iterable[Piece], tokens: int, count: Callable[[str], int]) -> tuple[Part, ...]:
    """Return the parts that `pieces` are, which take `tokens` together."""
    parts = [
        Part(piece.kind, piece.title, piece.text, count(piece.text) if piece.text else 0, piece.cut, piece.trigger)
        for piece in pieces
        if piece.kind != "frame" and (piece.text or piece.cut is not None)
    ]
    rest = tokens - sum(part.tokens for part in parts)
    return (*parts, Part("frame", "Fixed wording", "", rest))


@dataclass(frozen=True)
class LaidOut:
    """A text as it is sent, and what of it is not; of lore, what set it off."""

    text: str = ""
    cut: Cut | None = None
    trigger: Trigger | None = None


@dataclass(frozen=True)
class Contents:
    """What will be sent: the texts themselves.

    Attributes:
        work: what the model is to do.
        memory: what it must always know.
        lore: in the order in which it is sent.
        note: the author's note.
        note_depth: before which paragraph from the end it stands.
        before: the text to go on from.
        after: what comes behind the cursor or the selection.
        selection: the text to rewrite.
        instruction: what the writer asks for.
    """

    work: Work
    memory: LaidOut = LaidOut()
    lore: tuple[LaidOut, ...] = ()
    note: LaidOut = LaidOut()
    note_depth: int = 1
    before: LaidOut = LaidOut()
    after: LaidOut = LaidOut()
    selection: LaidOut = LaidOut()
    instruction: LaidOut = LaidOut()


def chat_pieces(contents: Contents) -> list[Piece]:
    """Return the pieces for a chat model: what it knows, what is asked, and its own turn, begun with the real text."""
    pieces = [Piece("system", "frame", "", "", opening=WRITER)]
    pieces.append(_piece("system", "memory", contents.memory, KNOWN))
    openings = iter((LORE,))
    pieces += [_piece("system", "lore", told, next(openings, "\n") if told.text else "") for told in contents.lore]
    pieces.append(Piece("user", "frame", "", "", opening=REQUESTS[contents.work]))
    pieces.append(_piece("user", "selection", contents.selection, SELECTION))
    pieces.append(_piece("user", "after", contents.after, AFTER))
    pieces.append(_piece("user", "instruction", contents.instruction, INSTRUCTION))
    return [*pieces, *_running_text(contents, ())]


def base_pieces(contents: Contents) -> list[Piece]:
    """Return the pieces for a base model: all in one text.

    What seldom changes stands first. A passage to rewrite and the instruction stand before the last paragraph: close
    enough to the end to count, while the long text before them stays what it was, for the cache.
    """
    head = [_piece("prefix", "memory", contents.memory, "", "\n\n")]
    head += [_piece("prefix", "lore", told, "", "\n\n") for told in contents.lore]
    head.append(_piece("prefix", "after", contents.after, BASE_AFTER, CLOSING + "\n\n"))
    if any(piece.text for piece in head):
        head.append(Piece("prefix", "frame", "", "", opening=SEPARATOR))
    asked = (
        _piece("prefix", "selection", contents.selection, BASE_SELECTION, CLOSING),
        _piece("prefix", "instruction", contents.instruction, BASE_INSTRUCTIONS[contents.work], CLOSING),
    )
    return [*head, *_running_text(contents, asked)]


def _running_text(contents: Contents, asked: Iterable[Piece]) -> Iterator[Piece]:
    """Yield the text to go on from, with the author's note, and what is `asked`, as paragraphs of their own in it."""
    text = contents.before.text
    places, joint = _paragraphs(text)
    put_in = [(_nth_last(places, contents.note_depth), _piece("prefix", "note", contents.note, NOTE, CLOSING))]
    put_in += [(places[-1], piece) for piece in asked]
    at, cut = 0, contents.before.cut
    for place, piece in put_in:
        if place > at and piece.text:
            yield _piece("prefix", "before", LaidOut(text[at:place], cut))
            at, cut = place, None
        yield replace(piece, closing=piece.closing + joint)
    yield _piece("prefix", "before", LaidOut(text[at:], cut))


def _paragraphs(text: str) -> tuple[list[int], str]:
    """Return where the paragraphs of `text` begin, and what is between them: a blank line, or else a line end."""
    blank = _BLANK_LINE.search(text) is not None or "\n" not in text
    border = _BLANK_LINE if blank else _LINE
    starts = [found.end() for found in border.finditer(text) if found.end() < len(text)]
    return [0, *starts], "\n\n" if blank else "\n"


def _nth_last(places: list[int], depth: int) -> int:
    return places[max(0, len(places) - depth)]


def _piece(place: Place, kind: Kind, told: LaidOut, opening: str = "", closing: str = "") -> Piece:
    title = told.trigger.entry.name if told.trigger is not None else TITLES[kind]
    return Piece(place, kind, title, told.text, opening, closing, told.cut, told.trigger)

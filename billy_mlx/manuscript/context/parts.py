"""What the model is sent, and the account of it: which parts, what each takes, and what was left out."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from billy_mlx.blend.recipe import Prompt
from billy_mlx.manuscript.context.triggers import Trigger

Kind = Literal["memory", "lore", "note", "before", "after", "selection", "instruction", "frame"]
Place = Literal["system", "user", "prefix"]


BLANKS = " \t\u00a0\u2002\u2003\u2009\u202f\u3000"


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
        text: what is told.
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

"""The parts of a prompt, as a screen shows them."""

from dataclasses import dataclass
from typing import Literal

PartKind = Literal["memory", "lore", "note", "before", "after", "selection", "instruction", "frame"]


@dataclass(frozen=True)
class Prompt:
    """What is sent.

    Attributes:
        system: for a chat model, what it should know.
        user: for a chat model, what it is asked to do.
        prefix: what its answer has begun with; for a model without a chat template, everything.
    """

    system: str = ""
    user: str = ""
    prefix: str = ""


@dataclass(frozen=True)
class Cut:
    """What was left out of a part: so many characters, at its beginning or its end, or all of it."""

    characters: int
    where: Literal["beginning", "end", "all"]


@dataclass(frozen=True)
class Part:
    """One part of a prompt.

    Attributes:
        title: for the writer, as the name of a lorebook entry and the key that called for it.
        text: as it is sent.
        tokens: how many it takes; of the frame, what is not in any other part.
        cut: what was left out; None if nothing was.
    """

    kind: PartKind
    title: str
    text: str
    tokens: int
    cut: Cut | None = None


@dataclass(frozen=True)
class Context:
    """What a model is sent, exactly.

    Attributes:
        parts: in the order in which they are sent; their tokens add up to `tokens`.
        tokens: of the whole.
        budget: how many it might have been.
        held_back: white space at the end of the text that was not sent: `attached` fits an answer to it.
        broken_keys: patterns in the lorebook that could not be used.
    """

    prompt: Prompt
    parts: tuple[Part, ...]
    tokens: int
    budget: int
    held_back: str = ""
    broken_keys: tuple[str, ...] = ()

    def attached(self, answer: str) -> str:
        """Return an answer without the space that it begins with and that the text has already."""
        if "\n" in self.held_back:
            return answer.lstrip()
        return answer.lstrip(" \t") if self.held_back else answer

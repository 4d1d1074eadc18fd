"""What the writer wants the model to know beside the text."""

from dataclasses import dataclass, field, fields, replace
from typing import Any

import msgspec

from billy_mlx.formats.lorebooks.lorebook import Lorebook, reading

_DEEPEST = 1_000


@dataclass(frozen=True)
class Shares:
    """How much of the budget each may take at most, 0 to 1; what they leave goes to the text before the cursor."""

    memory: float = 0.25
    lore: float = 0.25
    note: float = 0.1
    after: float = 0.2

    def __post_init__(self) -> None:
        for share in fields(self):
            if not 0 <= getattr(self, share.name) <= 1:  # NaN is not, either
                raise ValueError(f"{share.name} must be 0 to 1")


@dataclass(frozen=True)
class Guide:
    """What the model gets to know besides the text.

    Attributes:
        memory: what it must always know.
        note: the author's note: how to go on, told close to the end of the text.
        note_depth: before which paragraph the note stands, 1 for the last one before the cursor.
        lorebook: what it gets to know once the text mentions it.
        shares: how much of the budget they may take.
    """

    memory: str = ""
    note: str = ""
    note_depth: int = 3
    lorebook: Lorebook = field(default_factory=Lorebook)
    shares: Shares = field(default_factory=Shares)

    def __post_init__(self) -> None:
        if not 1 <= self.note_depth <= _DEEPEST:
            raise ValueError(f"note_depth must be 1 to {_DEEPEST}")

    def as_json(self) -> dict[str, Any]:
        """Return it as what the json module can write; `Guide.of_json` reads it back."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return {**data, "lorebook": self.lorebook.as_json()}

    @classmethod
    def of_json(cls, data: Any) -> "Guide":
        """Read what `as_json` gave; what is missing is as in a new guide.

        Raises:
            DocumentError: something is of another kind; it names the field.
        """
        with reading("the guide"):
            if not isinstance(data, dict):
                raise ValueError("it is not an object with fields")
            rest = msgspec.convert({key: value for key, value in data.items() if key != "lorebook"}, cls)
        return replace(rest, lorebook=Lorebook.of_json(data["lorebook"])) if "lorebook" in data else rest

"""The guide: what the writer wants the model to know beside the text."""

from dataclasses import dataclass, field

import msgspec

from billy_mlx.errors import DocumentError
from billy_mlx.manuscript.context.lorebook import Lorebook


@dataclass(frozen=True)
class Shares:
    """How much of what is sent each part may take, from 0 to 1; what they do not need goes to the text."""

    memory: float = 0.2
    note: float = 0.1
    lore: float = 0.25
    after: float = 0.15

    def __post_init__(self) -> None:
        if not all(0 <= share <= 1 for share in (self.memory, self.note, self.lore, self.after)):
            raise ValueError("shares go from 0 to 1")


@dataclass(frozen=True)
class Guide:
    """What goes along with every request.

    Attributes:
        memory: always told first: who, where, what has happened.
        note: the author's note, told close to where the model writes: style, mood, what comes next.
        note_depth: how many paragraphs before the cursor it stands.
        lorebook: what is told when the text speaks of it.
    """

    memory: str = ""
    note: str = ""
    note_depth: int = 3
    lorebook: Lorebook = field(default_factory=Lorebook)
    shares: Shares = field(default_factory=Shares)

    def as_json(self) -> bytes:
        """Return the guide as JSON, which `of_json` reads back."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)

    @classmethod
    def of_json(cls, data: bytes) -> "Guide":
        """Read what `as_json` gave.

        Raises:
            DocumentError: it is something else; says what does not fit.
        """
        try:
            return msgspec.json.decode(data, type=cls)
        except (ValueError, RecursionError) as error:
            raise DocumentError(f"memory, note and lorebook cannot be read: {str(error)[:200]}") from error

"""What a book says of itself."""

from dataclasses import dataclass
from datetime import UTC, datetime

_NO_DATE = datetime(1980, 1, 1, tzinfo=UTC)  # the earliest that a zip file can say


@dataclass(frozen=True)
class Book:
    """The particulars of an exported book.

    Attributes:
        title: "Untitled" where it is empty and one is needed.
        author: the person.
        language: a tag such as "en" or "pt-BR".
        date: when it was last changed, with its time zone; the same date gives the same bytes.
    """

    title: str = ""
    author: str = ""
    language: str = "en"
    date: datetime = _NO_DATE

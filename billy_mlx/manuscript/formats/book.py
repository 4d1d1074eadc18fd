"""What a book says of itself."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_LONGEST_TAG = 35  # characters
NO_DATE = datetime(1980, 1, 1, tzinfo=UTC)  # the earliest that a zip file can say


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
    date: datetime = NO_DATE

    @property
    def language_tag(self) -> str:
        """Its language as other programs take it, "pt_BR" included; "und", undetermined, where it is none."""
        tag = self.language.replace("_", "-")
        return tag if len(tag) <= _LONGEST_TAG and _LANGUAGE.fullmatch(tag) else "und"

    @property
    def utc(self) -> datetime:
        """Its date in UTC, which is how files note it."""
        return self.date.astimezone(UTC)

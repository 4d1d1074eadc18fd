"""What a book says of itself."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal

from billy_mlx.errors import DocumentError
from billy_mlx.files import read_all, reading
from billy_mlx.text import sanitize

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_RIGHT_TO_LEFT = ("ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi")
_PICTURES = {  # by how their files begin
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
_LARGEST_COVER = 32 << 20
_LONGEST_TAG = 35  # characters
NO_DATE = datetime(1980, 1, 1, tzinfo=UTC)  # the earliest that a zip file can say


class Template(StrEnum):
    """How a Word document is set."""

    BOOK = "book"
    """Lines one and a half apart, pages numbered at the foot."""
    SHUNN = "shunn"
    """The format that editors ask for, after William Shunn: double spaced, with a header and a count of words.
    https://www.shunn.net/format/"""


@dataclass(frozen=True)
class Book:
    """The particulars of an exported book.

    Attributes:
        title: "Untitled" where it is empty and one is needed.
        author: the person.
        language: a tag such as "en" or "pt-BR".
        date: when it was last changed, with its time zone; the same date gives the same bytes.
        description: what it is about, for those who look for something to read.
        cover: a picture, of which `picture_type` knows the type; None for none.
    """

    title: str = ""
    author: str = ""
    language: str = "en"
    date: datetime = NO_DATE
    description: str = ""
    cover: bytes | None = None

    @property
    def language_tag(self) -> str:
        """Its language as other programs take it, "pt_BR" included; "und", undetermined, where it is none."""
        tag = self.language.replace("_", "-")
        return tag if len(tag) <= _LONGEST_TAG and _LANGUAGE.fullmatch(tag) else "und"

    @property
    def direction(self) -> Literal["ltr", "rtl"]:
        """Where its lines begin."""
        return "rtl" if self.language_tag.split("-")[0].lower() in _RIGHT_TO_LEFT else "ltr"

    @property
    def utc(self) -> datetime:
        """Its date in UTC, which is how files note it."""
        return self.date.astimezone(UTC)


def read_cover(path: Path) -> bytes:
    """Return a picture for the cover of a book.

    Raises:
        DocumentError: it cannot be read, is no picture that all e-readers show, or is too large.
    """
    named = f"the cover {sanitize(str(path))}"
    try:
        with reading(path) as handle:
            data = read_all(handle, _LARGEST_COVER + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DocumentError(f"{named} cannot be read: {reason}; choose another") from error
    if len(data) > _LARGEST_COVER:
        raise DocumentError(f"{named} has more than {_LARGEST_COVER >> 20} MiB; make it smaller")
    if picture_type(data) is None:
        raise DocumentError(f"{named} is no JPEG, PNG, GIF or WebP picture; choose one that is")
    return data


def picture_type(data: bytes) -> str | None:
    """Return the media type of a picture that every reader of EPUB can show; None for anything else."""
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return next((type for beginning, type in _PICTURES.items() if data.startswith(beginning)), None)

"""How a text is exported: kept with it, so that the next export is like the last."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from billy_mlx.files import PRIVATE, read_all, reading, write_atomically
from billy_mlx.formats.documents.book import Template
from billy_mlx.formats.documents.paragraphs import Paragraphs

_LONGEST = 1 << 16
_NAME = "edition.json"


@dataclass(frozen=True)
class Edition:
    """What was chosen for the exports of one text; empty or None where nothing was.

    Attributes:
        title, author, language, description: of the book.
        cover: the path of a picture.
        paragraphs: what a paragraph is in the text.
        template: how a Word document looks.
    """

    title: str = ""
    author: str = ""
    language: str = ""
    description: str = ""
    cover: str = ""
    paragraphs: Paragraphs | None = None
    template: Template = Template.BOOK


def read_edition(folder: Path) -> Edition:
    """Return what was chosen for a text; `folder` is where what belongs to it is kept."""
    try:
        with reading(folder / _NAME) as handle:
            return msgspec.json.decode(read_all(handle, _LONGEST), type=Edition)
    except (OSError, ValueError, RecursionError):  # a convenience: all of it can be chosen again
        return Edition()


def keep_edition(folder: Path, edition: Edition) -> None:
    """Keep what was chosen.

    Raises:
        BillyError: it cannot be written.
    """
    write_atomically(folder / _NAME, msgspec.json.encode(edition), mode=PRIVATE)

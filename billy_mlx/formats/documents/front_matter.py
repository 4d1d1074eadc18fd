"""What some programs put before a text, between two lines of hyphens: title, author and the like, which is no prose."""

import re
from dataclasses import dataclass

_LONGEST = 1 << 16  # characters
# Of which there is one at least: lines of a play may look like keys with their values as well.
_USUAL = {
    *("title", "subtitle", "author", "authors", "date", "lang", "language", "description", "abstract", "summary"),
    *("tags", "keywords", "category", "categories", "series", "genre", "draft", "status", "publish", "published"),
    *("layout", "slug", "type", "id", "aliases", "cover", "cover-image", "rights", "publisher", "word_count"),
    *("created", "updated", "modified"),
}
_OPENED = re.compile(r"\ufeff?---[ \t]*(?:\r\n?|\n)")
_CLOSED = re.compile(r"(?:\r\n?|\n)(?:---|\.\.\.)[ \t]*(?:\r\n?|\n|\Z)")
_LINE = re.compile(r"[^\r\n]+")
_KEY = re.compile(r"([A-Za-z_][\w .-]{0,60}):(?:[ \t]+(.*?))?[ \t]*\Z")
_GOES_ON = re.compile(r"[ \t]+\S|-(?:[ \t]|\Z)|#|\Z")  # an indented line, an item of a list, a comment
_QUOTED = re.compile(r"""(["'])(.*)\1""")


@dataclass(frozen=True)
class FrontMatter:
    """What stands before a text.

    Attributes:
        end: where the text itself begins.
        title, author, language, description: as far as they are said in one line each.
        cover: the path of a picture, from the folder of the text.
    """

    end: int
    title: str = ""
    author: str = ""
    language: str = ""
    description: str = ""
    cover: str = ""


def front_matter(text: str) -> FrontMatter | None:
    """Return what stands before a text; None if it begins at once.

    A line of hyphens at the very beginning may also be a break between scenes: it is front matter only if another one
    closes it, all lines between are keys with their values, and one of them is usual there.
    """
    opening = _OPENED.match(text)
    closing = _CLOSED.search(text, opening.end() - 1, _LONGEST) if opening else None
    if opening is None or closing is None:
        return None
    said = _said(_LINE.findall(text[opening.end() : closing.start()]))
    if not said.keys() & _USUAL:
        return None
    return FrontMatter(
        closing.end(),
        said.get("title", ""),
        said.get("author", ""),
        said.get("language", said.get("lang", "")),
        said.get("description", said.get("abstract", "")),
        said.get("cover-image", said.get("cover", "")),
    )


def prose_of(text: str) -> str:
    """Return a text with blanks in the place of what stands before it, as long as it was and with as many lines."""
    before = front_matter(text)
    if before is None:
        return text
    return re.sub(r"[^\r\n]", " ", text[: before.end]) + text[before.end :]


def _said(lines: list[str]) -> dict[str, str]:
    """Return keys, in lower case, with their values; nothing if a line is neither a key nor goes on with one."""
    said: dict[str, str] = {}
    for line in lines:
        key = _KEY.match(line)
        if key is not None:
            said[key[1].casefold()] = _value(key[2] or "")
        elif not said or not _GOES_ON.match(line):
            return {}
    return said


def _value(text: str) -> str:
    quoted = _QUOTED.fullmatch(text)
    if quoted is not None:
        return quoted[2]
    return "" if text[:1] in ("[", "{", "|", ">", "&", "*", "!") else text

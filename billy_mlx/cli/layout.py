"""Text in the cells of a terminal: wrapped, in columns, side by side."""

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import zip_longest

GAP = "  "
BETWEEN = " │ "
NARROWEST = 34


def cells(text: str) -> int:
    """Return how many cells of a terminal `text`, without controls, takes."""
    return len(text) if text.isascii() else sum(map(_cell_count, text))


def wrap(text: str, width: int) -> list[str]:
    """Return `text` in lines of at most `width` cells, broken between words where there are any; its own lines stay."""
    return [line for own in text.expandtabs(4).split("\n") for line in _wrap_line(own, width)]


def aligned(rows: Sequence[Sequence[str]], most: int | None = None) -> list[str]:
    """Return the rows of a table in columns as wide as they need; `most` cuts a line off, with an ellipsis."""
    rows = [[" ".join(cell.split()) for cell in row] for row in rows]
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    lines = (GAP.join(_padded(*pair) for pair in zip(row, widths, strict=True)).rstrip() for row in rows)
    return [line if most is None else shortened(line, most) for line in lines]


def shortened(text: str, most: int) -> str:
    """Return `text`, cut to `most` cells if it is longer."""
    if cells(text) <= most:
        return text
    while cells(text) > most - 1:
        text = text[:-1]
    return f"{text.rstrip()}…"


def per_band(count: int, width: int) -> int:
    """Return how many of `count` columns of a readable width go side by side, all bands as full as can be."""
    fitting = max(1, (width + len(BETWEEN)) // (NARROWEST + len(BETWEEN)))
    bands = -(-count // fitting)
    return -(-count // bands)


def side_by_side(texts: Sequence[str], width: int) -> Iterator[list[str]]:
    """Yield line after line of `texts` set next to one another in `width` cells: a list of equally wide pieces."""
    each = (width - len(BETWEEN) * (len(texts) - 1)) // len(texts)
    for pieces in zip_longest(*(wrap(text, each) for text in texts), fillvalue=""):
        yield [_padded(piece, each) for piece in pieces]


def _wrap_line(text: str, width: int) -> Iterator[str]:
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if cells(joined) <= width:
            line = joined
            continue
        if line:
            yield line
        while cells(word) > width:
            head = _head(word, width)
            yield head
            word = word[len(head) :]
        line = word
    yield line


def _head(word: str, width: int) -> str:
    """Return as much of `word` as fits, and at least a character."""
    end = 1
    while end < len(word) and cells(word[: end + 1]) <= width:
        end += 1
    return word[:end]


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cells(text))


def _cell_count(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1

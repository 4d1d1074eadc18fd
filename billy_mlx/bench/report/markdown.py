"""The same numbers in Markdown, shorter: to be read as plain text, and on sites that show code."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from billy_mlx.bench.report.document import (
    TITLE,
    Block,
    Bullets,
    Quotation,
    Section,
    Terms,
    TextColumns,
    document,
    laid_out,
)
from billy_mlx.bench.report.tables import ReportTable
from billy_mlx.bench.result import Result
from billy_mlx.files import write_atomically
from billy_mlx.text import visible

# What Markdown, or a site that shows it, would not show as it stands.
_MEANT = re.compile(
    r"""
      [\\`*<|~$]                  # escapes, code, emphasis, HTML, cells, strike-through, formulas
    | (?<![^\W_])_ | _(?![^\W_])  # emphasis, but not in snake_case
    | \](?=[(\[:])                # the middle of a link
    | &(?=\#?\w+;)                # a character's name
    | ^[>\[] | ^[-+=#](?=[\s=#-]|$) | (?<=^\d)[.)](?=\s|$) | (?<=^\d\d)[.)](?=\s|$)  # quotes, headings, lists
    """,
    re.VERBOSE,
)


def write_markdown(result: Result, path: Path) -> None:
    """Write the report to `path`.

    Raises:
        BillyError: the file cannot be written.
    """
    write_atomically(path, to_markdown(result).encode())


def to_markdown(result: Result) -> str:
    """Return the report as Markdown; text of models and files shows as it is."""
    shown = _shown(laid_out(document(result), page=False), 2)
    return "\n\n".join([f"# {TITLE}", *shown]) + "\n"


def _shown(blocks: Iterable[Block], level: int) -> Iterator[str]:
    """Yield each of `blocks` as Markdown, sections with headings of `level` and below."""
    for block in blocks:
        match block:
            case str():
                yield escaped(block)
            case Bullets(lines):
                yield _list(lines)
            case Terms(texts):
                yield _list(f"{name}: {text}" for name, text in texts.items())
            case Quotation(text):
                yield fenced(text)
            case TextColumns(texts):
                for name, text in texts.items():
                    yield f"{escaped(name)}:"
                    yield fenced(text)
            case ReportTable():
                yield _table(block)
            case Section():
                yield from _section(block, level)


def _section(section: Section, level: int) -> Iterator[str]:
    first = section.blocks[0]
    if not (isinstance(first, ReportTable) and first.title.startswith(section.heading)):  # the table's title will do
        yield f"{'#' * level} {escaped(section.heading)}"
    yield from _shown(section.blocks, level + 1)


def escaped(text: str) -> str:
    """Return `text` so that it shows as it is, in one line, with no more backslashes than that takes."""
    return _MEANT.sub(r"\\\g<0>", visible(" ".join(text.split())))


def fenced(text: str) -> str:
    """Return `text` as a block that shows it letter by letter."""
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{visible(text)}\n{fence}"


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {escaped(line)}" for line in lines)


def _table(table: ReportTable) -> str:
    """Return a table whose columns stand below one another in plain text as well."""
    rows = [[escaped(cell) for cell in row] for row in (table.columns, *table.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    rule = ["-" * width for width in widths]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in (padded[0], rule, *padded[1:]))
    return f"**{escaped(table.title)}**\n\n{lines}"

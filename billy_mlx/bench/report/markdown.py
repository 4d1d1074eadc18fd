"""The same numbers in Markdown, shorter: to be read as plain text, and on sites that show code."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from billy_mlx.bench.report.findings import findings
from billy_mlx.bench.report.numbers import BRACKETS, LEGEND
from billy_mlx.bench.report.tables import (
    MAIN_RIVALS,
    PLACES,
    ReportTable,
    cost_table,
    differences_table,
    main_arms,
    means_table,
    metrics_of,
    pairs_of,
    projection_table,
    ratio_table,
    reliability_table,
    spread_table,
    sweep_groups,
    sweep_tables,
)
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

TITLE = "What blending personas does"


def write_markdown(result: Result, path: Path) -> None:
    """Write the report to `path`.

    Raises:
        BillyError: the file cannot be written.
    """
    write_atomically(path, to_markdown(result).encode())


def to_markdown(result: Result) -> str:
    """Return the report as Markdown; text of models and files shows as it is."""
    return "\n\n".join(block for block in _blocks(result) if block) + "\n"


def _blocks(result: Result) -> Iterator[str]:
    yield f"# {TITLE}"
    yield _list(f"{name}: {value}" for name, value in result.made_with.items())
    yield from _part("What these numbers can and cannot support", _list(result.limits), result.limits)
    yield BRACKETS
    yield from _part("Judges and raters", _table(reliability_table(result)), result.reliability)
    yield _list(f"{each.rater}: {each.verdict}" for each in result.reliability)
    yield "## The short answer"
    for finding in findings(result):
        yield f"### {escaped(finding.question)}"
        yield _list(finding.sentences)
    yield from _part("Comparisons, over all tasks", LEGEND, result.comparisons)
    for arm, against in pairs_of(result):
        if against in MAIN_RIVALS:
            yield _table(differences_table(result, arm, against))
    yield from _part("Means, over all tasks", "", result.means)
    yield from (_table(means_table(result, metric, main_arms(result))) for metric in metrics_of(result))
    yield from _part("Cost", _table(cost_table(result)), result.costs)
    yield _table(ratio_table(result))
    yield _table(spread_table(result))
    for group in sweep_groups(result):
        yield f"## {escaped(group.capitalize())}"
        yield from map(_table, sweep_tables(result, group))
    yield from _part("What the blends carry, in residual norms of the layer", "", result.projections)
    yield from (_table(projection_table(result, place)) for place in PLACES)
    yield from _part("Examples", "", result.examples)
    for example in result.examples[:1]:  # the page has all
        yield f"### {escaped(example.item)}"
        yield fenced(example.prompt)
        for arm, text in example.texts.items():
            yield f"{escaped(arm)}:"
            yield fenced(text)
    yield from _part("The arms", _list(f"{arm.name}: {arm.says}" for arm in main_arms(result)), result.arms)
    yield from _part("Where this differs from the paper", _list(result.deviations), result.deviations)
    yield from _part("How each number is made", _list(f"{k}: {v}" for k, v in result.metrics.items()), result.metrics)


def escaped(text: str) -> str:
    """Return `text` so that it shows as it is, in one line, with no more backslashes than that takes."""
    return _MEANT.sub(r"\\\g<0>", visible(" ".join(text.split())))


def fenced(text: str) -> str:
    """Return `text` as a block that shows it letter by letter."""
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{visible(text)}\n{fence}"


def _part(heading: str, body: str, there: Iterable[object]) -> Iterator[str]:
    """Yield a heading and what is under it, if there is anything."""
    if there:
        yield f"## {heading}"
        if body:
            yield body


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {escaped(line)}" for line in lines)


def _table(table: ReportTable) -> str:
    """Return a table whose columns stand below one another in plain text as well."""
    if not table.rows:
        return ""
    rows = [[escaped(cell) for cell in row] for row in (table.columns, *table.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    rule = ["-" * width for width in widths]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in (padded[0], rule, *padded[1:]))
    return f"**{escaped(table.title)}**\n\n{lines}"

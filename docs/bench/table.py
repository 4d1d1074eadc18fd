"""Print one Markdown table of all reports in a folder, or write it to a file:

.venv/bin/python docs/bench/table.py
.venv/bin/python docs/bench/table.py -o docs/bench/table.md

A report is a file of `billy bench export`. One that is bad is told of in a sentence and left out.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from billy_mlx.bench.comparisons import OTHER_PERSONA, RANDOM
from billy_mlx.bench.export import Exported, read_exported
from billy_mlx.bench.metrics import BEYOND, NATS
from billy_mlx.bench.report.judge_gate import named
from billy_mlx.bench.report.markdown import escaped
from billy_mlx.bench.report.numbers import BRACKETS, LEGEND, NONE, counted, marked, side
from billy_mlx.bench.result import CONTROL, Estimate, Result
from billy_mlx.errors import BillyError
from billy_mlx.files import write_atomically

HERE = Path(__file__).parent
RIVALS = (CONTROL, "prompts", OTHER_PERSONA, RANDOM)
# At matched length, but for what says something of a whole text only.
METRICS = {
    "judge: originality": True,
    "rarity": True,
    "embedding diversity": True,
    "repetition": True,
    NATS: False,
}
COLUMNS = ("report", "model", "machine", "seeds", "against", "n", *METRICS, BEYOND.strip(": "))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print or write the table; 1 if a file was bad."""
    parser = argparse.ArgumentParser(description="One Markdown table of all reports in a folder.")
    parser.add_argument("folder", nargs="?", type=Path, default=HERE, help="where the *.json are")
    parser.add_argument("-o", "--output", type=Path, help="a file instead of stdout")
    flags = parser.parse_args(arguments)
    reports, faults = read_all(sorted(flags.folder.glob("*.json")))
    for fault in faults:
        print(fault, file=sys.stderr)
    table = to_table(reports)
    if flags.output is None:
        print(table, end="")
    else:
        write_atomically(flags.output, table.encode())
    return 1 if faults else 0


def read_all(paths: Iterable[Path]) -> tuple[dict[str, Exported], list[str]]:
    """Return the good reports by the file's name without its ending, and a sentence for each bad one."""
    reports, faults = {}, []
    for path in paths:
        try:
            reports[path.stem] = read_exported(path)
        except BillyError as error:
            faults.append(str(error))
    return reports, faults


def to_table(reports: dict[str, Exported]) -> str:
    """Return the table with what has to be known to read it; a sentence where there are no reports."""
    if not reports:
        return "There are no reports yet.\n"
    lines = [_line(COLUMNS), _line(["---"] * len(COLUMNS))]
    lines += [_line(map(escaped, row)) for name, report in reports.items() for row in _rows(name, report)]
    about = (
        "By how much the blend that a report is about differs from a rival, over all tasks and at matched length, "
        f"but for {NATS} and the last column, which are of whole texts. The last column is about how much nearer texts "
        "are to a persona's sentences than to those of others: it counts the blend's personas by the side of 0."
    )
    return "\n\n".join([about, f"{BRACKETS} {LEGEND}", "\n".join(lines)]) + "\n"


def _rows(name: str, report: Exported) -> Iterator[list[str]]:
    """Yield a row for every rival that the main blend was held against."""
    result = report.result
    told = [name, report.model.id, f"{report.machine['device']}, {report.machine['memory']}"]
    seeds = str(report.settings.get("seeds", NONE))
    for rival in RIVALS:
        found = {
            (c.metric, c.matched): c.estimate
            for c in result.comparisons
            if (c.arm, c.against, c.task) == (result.main, rival, None)
        }
        if found:
            items = max(estimate.items for estimate in found.values())
            shown = [_shown(result, metric, found.get((metric, matched)), items) for metric, matched in METRICS.items()]
            yield [*told, seeds, rival, str(items), *shown, _sides(found)]


def _shown(result: Result, metric: str, found: Estimate | None, items: int) -> str:
    """Return a difference, with its items where they are fewer, and a warning where a judge cannot be relied on."""
    return NONE if found is None else counted(marked(found), found, items) + named(result, metric).removeprefix(metric)


def _sides(found: Mapping[tuple[str, bool], Estimate]) -> str:
    """Return for how many personas the read-out by sentences lies on which side of 0; of too few items none is told."""
    sides = [side(each) for key, each in found.items() if key[0].startswith(BEYOND) and not key[1] and each.enough]
    return ", ".join(f"{sign} {sides.count(way)}" for sign, way in (("▲", 1), ("≈", 0), ("▼", -1))) if sides else NONE


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())

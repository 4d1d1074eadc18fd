"""The report as one HTML file: no script, no network; in the light and the dark, on a phone and on paper."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import jinja2
from markupsafe import Markup

from billy_mlx.bench.plots import can_draw
from billy_mlx.bench.report import figures
from billy_mlx.bench.report.findings import Finding, findings
from billy_mlx.bench.report.judge_gate import why_not
from billy_mlx.bench.report.numbers import BRACKETS, LEGEND
from billy_mlx.bench.report.tables import (
    MAIN_RIVALS,
    PLACES,
    WAYS,
    ReportTable,
    cost_table,
    differences_by_task,
    differences_table,
    main_arms,
    means_by_task,
    means_table,
    metrics_of,
    pairs_of,
    projection_table,
    ratio_table,
    reliability_table,
    spread_table,
    sweep_groups,
    sweep_tables,
    vectors_sentence,
)
from billy_mlx.bench.result import ArmNote, Result
from billy_mlx.files import write_atomically
from billy_mlx.text import visible


@dataclass(frozen=True)
class _Part:
    """Figures and tables that belong together.

    Attributes:
        heading: what they are about.
        says: a sentence about them, or nothing.
        figures: SVG.
        tables: those without rows are left out.
        folded: of little weight: the page shows it when asked to.
    """

    heading: str
    says: str
    figures: tuple[Markup, ...]
    tables: tuple[ReportTable, ...]
    folded: bool = False


@dataclass(frozen=True)
class _Page:
    """All that the template shows, in its order."""

    result: Result
    draws: bool
    brackets: str
    legend: str
    reliability: ReportTable
    findings: tuple[Finding, ...]
    arms: tuple[ArmNote, ...]
    differences: tuple[_Part, ...]
    rivals: tuple[_Part, ...]
    means: tuple[_Part, ...]
    cost: _Part
    sweeps: tuple[_Part, ...]
    projections: tuple[_Part, ...]


def write_html(result: Result, path: Path) -> None:
    """Write the report to `path`. The same result gives the same bytes.

    Raises:
        BillyError: the file cannot be written.
    """
    write_atomically(path, to_html(result).encode())


def to_html(result: Result) -> str:
    """Return the report as HTML; text of models and files shows as it is."""
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if type(value) is str else value,  # not Markup, which is ours
    )
    template = files("billy_mlx.bench.report").joinpath("page.html").read_text(encoding="utf-8")
    return environment.from_string(template).render(page=_page(result))


def _page(result: Result) -> _Page:
    metrics = metrics_of(result)
    return _Page(
        result,
        draws=can_draw(),
        brackets=BRACKETS,
        legend=LEGEND,
        reliability=reliability_table(result),
        findings=findings(result),
        arms=tuple(main_arms(result)),
        differences=tuple(part for metric in metrics if (part := _differences(result, metric)).figures),
        rivals=tuple(_rival(result, arm, against) for arm, against in pairs_of(result)),
        means=tuple(_means(result, metric) for metric in metrics),
        cost=_cost(result),
        sweeps=tuple(_sweep(result, group) for group in sweep_groups(result)),
        projections=tuple(_projection(result, place) for place in PLACES),
    )


def _differences(result: Result, metric: str) -> _Part:
    says = f"{_warning(result, metric)} {result.metrics.get(metric, '')}".strip()
    return _Part(metric, says, _drawn(lambda: [figures.differences_figure(result, metric)]), ())


def _rival(result: Result, arm: str, against: str) -> _Part:
    main = against in MAIN_RIVALS
    by_task = [differences_by_task(result, arm, against, matched) for matched in WAYS if main]
    tables = _with_rows(differences_table(result, arm, against), *by_task)
    return _Part(f"{arm} − {against}", "", (), tables, folded=not main)


def _means(result: Result, metric: str) -> _Part:
    overall = means_table(result, metric, main_arms(result))
    by_task = [means_by_task(result, metric, matched) for matched in WAYS]
    drawn = _drawn(lambda: [figures.means_figure(result, metric)])
    return _Part(metric, _warning(result, metric), drawn, _with_rows(overall, *by_task))


def _warning(result: Result, metric: str) -> str:
    why = why_not(result, metric)
    return "" if why is None else f"Not to be heeded: {why}."


def _cost(result: Result) -> _Part:
    tables = _with_rows(cost_table(result), ratio_table(result), spread_table(result))
    return _Part("Cost", vectors_sentence(result), _drawn(lambda: figures.cost_figures(result)), tables)


def _sweep(result: Result, group: str) -> _Part:
    drawn = _drawn(lambda: figures.sweep_figures(result, group))
    return _Part(group, "What is drawn has its intervals in the tables.", drawn, tuple(sweep_tables(result, group)))


def _projection(result: Result, place: str) -> _Part:
    table = projection_table(result, place)
    return _Part(table.title, "", _drawn(lambda: [figures.projection_figure(result, place)]), _with_rows(table))


def _drawn(draw: Callable[[], Iterable[str | None]]) -> tuple[Markup, ...]:
    return tuple(Markup(svg) for svg in draw() if svg is not None) if can_draw() else ()


def _with_rows(*tables: ReportTable) -> tuple[ReportTable, ...]:
    return tuple(table for table in tables if table.rows)

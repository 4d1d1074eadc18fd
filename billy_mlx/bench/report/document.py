"""The report as sections of paragraphs, lists, tables and pictures; `page` and `markdown` write them down."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from billy_mlx.bench.metrics import OPTIMISED, label
from billy_mlx.bench.plots import can_draw
from billy_mlx.bench.report import figures
from billy_mlx.bench.report.findings import findings
from billy_mlx.bench.report.judge_gate import named, why_not
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
from billy_mlx.bench.result import Result

TITLE = "What blending personas does"
_OVERALL = "over all tasks where a table does not say otherwise"
_UNJUDGED = "Nobody judged or rated the answers."
_UNDRAWN = (
    "This page has tables only. For plots, install matplotlib: pip install 'billy-mlx[plot]'; "
    "then make the report again."
)


@dataclass(frozen=True)
class Bullets:
    """A list; `warning` sets it apart from all else."""

    lines: tuple[str, ...]
    warning: bool = False


@dataclass(frozen=True)
class Terms:
    """Names, and what is said of each."""

    texts: Mapping[str, str]


@dataclass(frozen=True)
class Quotation:
    """A text that shows letter by letter."""

    text: str


@dataclass(frozen=True)
class TextColumns:
    """Texts that show letter by letter, by name."""

    texts: Mapping[str, str]


@dataclass(frozen=True)
class Picture:
    """What can be drawn; `draw` gives SVG, or None for what there is nothing of."""

    draw: Callable[[], Iterable[str | None]]

    @cached_property
    def svgs(self) -> tuple[str, ...]:
        """What is drawn; nothing without matplotlib."""
        return tuple(svg for svg in self.draw() if svg is not None) if can_draw() else ()


@dataclass(frozen=True)
class PageOnly:
    """What is too long for the plain text, or says something of pictures."""

    blocks: "tuple[Block, ...]"


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it.

    Attributes:
        anchor: where a link leads from the contents of the page, which name only sections that are in no other.
        short: what the contents call it; nothing for its heading.
        look: how the page shows it: in a box, or folded under its heading, which is open or closed at first.
    """

    heading: str
    blocks: "tuple[Block, ...]"
    anchor: str = ""
    short: str = ""
    look: Literal["plain", "boxed", "open", "closed"] = "plain"


Block = str | Bullets | Terms | Quotation | TextColumns | Picture | PageOnly | ReportTable | Section
"""What a report is made of; a string is a paragraph."""


def document(result: Result) -> tuple[Block, ...]:
    """Return all that a report shows, in its order: what it was made with, and then the sections."""
    made_with = dict(result.made_with)
    command = made_with.pop("command", "(not recorded)")
    return (
        "One benchmark, run with this command:",
        Quotation(command),
        Terms(made_with),
        _limits(result),
        _answer(result),
        _comparisons(result),
        _means(result),
        _cost(result),
        _sweeps(result),
        _projections(result),
        _examples(result),
        _arms(result),
        _deviations(result),
        _metrics(result),
    )


def laid_out(blocks: Iterable[Block], *, page: bool) -> Iterator[Block]:
    """Yield what there is to show of `blocks`: no empty table or list, and no section of paragraphs alone.

    Args:
        page: whether it is for the page, which alone has pictures and what is `PageOnly`.
    """
    for block in blocks:
        match block:
            case PageOnly():
                if page:
                    yield from laid_out(block.blocks, page=page)
            case Section():
                own = tuple(laid_out(block.blocks, page=page))
                if not all(isinstance(each, str) for each in own):
                    yield replace(block, blocks=own)
            case Picture():
                if page and block.svgs:
                    yield block
            case ReportTable(rows=()) | Bullets(lines=()):
                pass
            case Terms(texts) | TextColumns(texts) if not texts:
                pass
            case _:
                yield block


def _limits(result: Result) -> Section:
    unknown = "No limits were recorded; that does not mean that there are none."
    verdicts = Terms({each.rater: _sentence(each.verdict) for each in result.reliability})
    raters = reliability_table(result), verdicts if result.reliability else _sentences([_UNJUDGED])
    blocks = (
        replace(_sentences(result.limits or [unknown]), warning=True),
        BRACKETS,
        Section("Judges and raters", raters),
        *(() if can_draw() else (PageOnly((_UNDRAWN,)),)),
    )
    return Section("What these numbers can and cannot support", blocks, "limits", "What the numbers can support")


def _answer(result: Result) -> Section:
    about = "About one blend and its main rivals, over all tasks; the tables below have the others."
    told = (Section(each.question, (_sentences(each.sentences),), look="boxed") for each in findings(result))
    return Section("The short answer", (about, *told), "answer")


def _comparisons(result: Result) -> Section:
    drawn = tuple(_differences(result, metric) for metric in metrics_of(result))
    blocks = (
        f"On the same items with the same seeds, {_OVERALL}. {LEGEND}",
        PageOnly(("What would have no sign is not drawn.", *drawn)),
        *(_rival(result, arm, against) for arm, against in pairs_of(result)),
    )
    return Section("Comparisons", blocks, "comparisons")


def _differences(result: Result, metric: str) -> Section:
    explained = [_sentence(result.metrics[metric])] if metric in result.metrics else []
    drawn = Picture(lambda: [figures.differences_figure(result, metric)])
    return Section(label(metric), (_warning(result, metric), *explained, drawn))


def _rival(result: Result, arm: str, against: str) -> Block:
    heading, overall = f"{arm} − {against}", differences_table(result, arm, against)
    if against not in MAIN_RIVALS:
        return PageOnly((Section(heading, (overall,), look="closed"),))
    by_task = tuple(differences_by_task(result, arm, against, matched) for matched in WAYS)
    return Section(heading, (overall, PageOnly(by_task)), look="open")


def _means(result: Result) -> Section:
    means = (_mean(result, metric) for metric in metrics_of(result))
    return Section("Means", (f"{_OVERALL.capitalize()}.", *means), "means")


def _mean(result: Result, metric: str) -> Section:
    drawn = Picture(lambda: [figures.means_figure(result, metric)])
    by_task = tuple(means_by_task(result, metric, matched) for matched in WAYS)
    overall = means_table(result, metric, main_arms(result))
    return Section(named(result, metric), (_warning(result, metric), drawn, overall, PageOnly(by_task)))


def _warning(result: Result, metric: str) -> PageOnly:
    why = why_not(result, metric)
    return PageOnly(() if why is None else (f"Not reliable: {why}.",))


def _cost(result: Result) -> Section:
    blocks = (
        "Counted in one run, so without intervals. Arms of a group were written in the same batches; the time of a "
        "query is that of its batch divided by the rows in it, not how long one would wait for it alone.",
        _sentence(vectors_sentence(result)),
        Picture(lambda: figures.cost_figures(result)),
        cost_table(result),
        ratio_table(result),
        spread_table(result),
    )
    return Section("Cost", blocks, "cost")


def _sweeps(result: Result) -> Section:
    return Section("Sweeps", tuple(_sweep(result, group) for group in sweep_groups(result)), "sweeps")


def _sweep(result: Result, group: str) -> Section:
    drawn = PageOnly(("What is drawn has its intervals in the tables.",))
    return Section(
        group.capitalize(),
        (drawn, Picture(lambda: figures.sweep_figures(result, group)), *sweep_tables(result, group)),
    )


def _projections(result: Result) -> Section:
    about = (
        "How far each blend shifts the residual stream along each persona's axis, in residual norms of the layer: "
        f"{OPTIMISED}, and no sign that a reader would notice. A prompt shifts it by what the same words "
        "read behind it have more than behind the bare prompt. Source: arXiv 2510.10157, eq. 4 and 5."
    )
    places = (_projection(result, place) for place in PLACES)
    return Section("What the blends carry", (about, *places), "projections")


def _projection(result: Result, place: str) -> Section:
    table = projection_table(result, place)
    return Section(table.title, (Picture(lambda: [figures.projection_figure(result, place)]), table))


def _examples(result: Result) -> Section:
    texts = [Section(each.item, (Quotation(each.prompt), TextColumns(each.texts))) for each in result.examples]
    return Section("Examples", (*texts[:1], PageOnly(tuple(texts[1:]))), "examples")


def _arms(result: Result) -> Section:
    told = {arm.name: _sentence(arm.says) + (f" Blend: {arm.blend}" if arm.blend else "") for arm in main_arms(result)}
    return Section("The arms", (Terms(told),), "arms")


def _deviations(result: Result) -> Section:
    return Section("Where this differs from the paper", (_sentences(result.deviations),), "deviations", "The paper")


def _metrics(result: Result) -> Section:
    told = {label(name): _sentence(says) for name, says in result.metrics.items()}
    return Section("How each number is made", (Terms(told),), "metrics")


def _sentences(lines: Iterable[str]) -> Bullets:
    return Bullets(tuple(map(_sentence, lines)))


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."

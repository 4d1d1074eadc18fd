"""What `billy bench run` and `billy bench report` share: who scores the answers, and where the results go."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from billy_mlx.cli.loading import load_judge
from billy_mlx.cli.output import STOPPED, JobBar, say, say_stopped, write, write_json, write_line, write_table
from billy_mlx.errors import UsageError

if TYPE_CHECKING:
    from billy_mlx.bench.human_ratings import Ratings
    from billy_mlx.bench.result import Result
    from billy_mlx.bench.settings import ScoredBy
    from billy_mlx.bench.store import Store
    from billy_mlx.measure.embedding import Embedder
    from billy_mlx.model.model import Model

EMBEDDINGS = "What tells ideas apart: the model itself, or a model of sentence-transformers."
_RIVALS = ("dose-0", "best persona", "prompts", "multi-role", "another persona", "random directions")
# Most at matched length; of the length itself and of a whole text's likelihood that would say nothing. Read-outs that
# had no part in the steering stand below them, as written.
_METRICS = {
    "judge: originality": True,
    "rarity": True,
    "embedding diversity": True,
    "adherence": True,
    "worn phrases": True,
    "repetition": True,
    "negative log-likelihood": False,
    "words": False,
}


@dataclass(frozen=True)
class Scorers:
    """Who scores: by name, for the judge is loaded last, and what tells ideas apart."""

    names: "ScoredBy"
    embedder: "Embedder"


def scorers(model: "Model", by: "ScoredBy") -> Scorers:
    """Return who scores the answers of `model`.

    Raises:
        BillyError: the judge or the model of embeddings is not on this machine: said before hours of answering.
    """
    from billy_mlx.measure.embedding import own_embedder, sentence_embedder
    from billy_mlx.model.load import find

    if by.judge not in ("self", "none"):
        by = replace(by, judge=find(by.judge)[0])
    embedder = own_embedder(model) if by.embeddings == "own" else sentence_embedder(by.embeddings)
    if embedder is None:
        raise UsageError(
            f"{by.embeddings} cannot be used: it is no model of sentence-transformers on this machine, or that package "
            "is not installed; say --embeddings own"
        )
    return Scorers(by, embedder)


def redacted(model: "Model") -> "Model":
    """Return `model` as reports name it: where it lies on this machine is nobody else's business."""
    from billy_mlx.bench.result import redact_path

    return replace(model, id=redact_path(model.id))


def gathered(model: "Model", store: "Store", by: Scorers, ratings: "Sequence[Ratings]" = ()) -> "Result":
    """Return what the answers of `store` show, with a progress bar while they are scored."""
    from billy_mlx.bench.gather import gather
    from billy_mlx.bench.judging import ALL, QUICK
    from billy_mlx.bench.result import redact_path
    from billy_mlx.steps import finish, mapped

    model = redacted(model)
    judge = load_judge(by.names.judge, model)
    if judge is not None:
        judge.name = redact_path(judge.name)
    bounds = QUICK if by.names.quick else ALL
    steps = gather(model, store, embedder=by.embedder, judge=judge, ratings=ratings, bounds=bounds)
    with JobBar("Scoring") as job:
        return finish(mapped(steps, lambda progress: job.show(progress.stage, progress.share)))


def write_files(result: "Result", html: Path, markdown: Path) -> None:
    """Write the report: the page, the text, and beside the page all of it as JSON."""
    from billy_mlx.bench.report import write_html, write_markdown
    from billy_mlx.bench.result import to_json
    from billy_mlx.files import write_atomically

    write_html(result, html)
    write_markdown(result, markdown)
    write_atomically(html.with_suffix(".json"), to_json(result).encode())


def put_out(result: "Result", html: Path, *, as_json: bool) -> None:
    """Say what the numbers cannot support, and put a short table and the path of the page on stdout, or all as JSON."""
    from billy_mlx.bench.result import to_json

    for limit in result.limits:
        say(limit)
    if as_json:
        write(to_json(result))
        return
    heading, rows = summary(result)
    if rows:
        write_table(heading, rows)
    write_line(str(html))


def stopped(store: "Store", kept: str, *, as_json: bool) -> int:
    """Say what Ctrl+C left behind, put out the answers if JSON is wanted, and return the exit code."""
    say_stopped(f"stopped; {kept}: the same command goes on from there")
    if as_json:
        answers, costs = map(asdict, store.answers), map(asdict, store.costs)
        write_json({"folder": str(store.folder), "answers": [*answers], "costs": [*costs]})
    return STOPPED


def summary(result: "Result") -> tuple[list[str], list[list[str]]]:
    """Return heading and rows: a metric each, with the difference to every rival over all tasks and its interval.

    A row says whether it is at matched length. Nothing, where no blend was compared.
    """
    from billy_mlx.bench.metrics import BEYOND, SUBJECT
    from billy_mlx.bench.report.findings import main_blend
    from billy_mlx.bench.report.judge_gate import named
    from billy_mlx.bench.report.numbers import difference
    from billy_mlx.bench.report.tables import WAYS, estimates_table, metrics_of

    arm = main_blend(result)
    if arm is None:
        return [], []
    shown = {**_METRICS, **{name: False for name in metrics_of(result) if name.startswith((BEYOND, SUBJECT))}}
    found = {
        (each.metric, each.against): each.estimate
        for each in result.comparisons
        if each.arm == arm and each.task is None and each.matched is shown.get(each.metric)
    }
    rivals = [rival for rival in _RIVALS if any(rival == against for _, against in found)]
    rows = [
        (f"{named(result, name)}, {WAYS[matched]}", [found.get((name, rival)) for rival in rivals])
        for name, matched in shown.items()
    ]
    table = estimates_table("", f"{arm} against", rivals, rows, difference)
    return list(table.columns), [list(row) for row in table.rows]

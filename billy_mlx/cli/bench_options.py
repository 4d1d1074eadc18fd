"""What `billy bench run` and `billy bench report` share: flags, and what becomes of the answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from billy_mlx.cli.bench_summary import summary
from billy_mlx.cli.job import Job
from billy_mlx.cli.judges import load_judge
from billy_mlx.cli.options import Decorator
from billy_mlx.cli.output import say, waiting, write, write_line, write_table
from billy_mlx.errors import UsageError

if TYPE_CHECKING:
    from billy_mlx.bench.blind import Ratings
    from billy_mlx.bench.result import Result
    from billy_mlx.bench.store import Store
    from billy_mlx.measure.embedding import Embedder
    from billy_mlx.model.model import Model

embeddings_option: Decorator = click.option(
    "--embeddings",
    metavar="own|MODEL",
    default="own",
    show_default=True,
    help="What tells ideas apart: the model itself, or a model of sentence-transformers.",
)


def load_model(name: str | None) -> "Model":
    """Return the model that is asked for, or the default one."""
    from billy_mlx.model.load import default_name, load

    called = default_name() if name is None else name
    with waiting(f"Loading {called} ..."):
        return load(called)


@dataclass(frozen=True)
class Scorers:
    """Who scores: the judge's name, as it is loaded last, what tells ideas apart, and whether little is judged."""

    judge: str
    embedder: "Embedder"
    quick: bool


def scorers(model: "Model", judge: str, embeddings: str, *, quick: bool) -> Scorers:
    """Return who scores the answers of `model`.

    Raises:
        BillyError: the judge or the model of embeddings is not on this machine: said before hours of answering.
    """
    from billy_mlx.measure.embedding import own_embedder, sentence_embedder
    from billy_mlx.model.load import find

    if judge not in ("self", "none"):
        find(judge)
    embedder = own_embedder(model) if embeddings == "own" else sentence_embedder(embeddings)
    if embedder is None:
        raise UsageError(
            f"{embeddings} cannot be used: it is no model of sentence-transformers on this machine, or that package is "
            "not installed; leave --embeddings out"
        )
    return Scorers(judge, embedder, quick)


def gathered(model: "Model", store: "Store", by: Scorers, ratings: "Sequence[Ratings]" = ()) -> "Result":
    """Return what the answers of `store` show, with a progress bar while they are scored."""
    from billy_mlx.bench.evidence import gather
    from billy_mlx.bench.judging import ALL, QUICK
    from billy_mlx.steps import finish, mapped

    judge = load_judge(by.judge, model)
    bounds = QUICK if by.quick else ALL
    steps = gather(model, store, embedder=by.embedder, judge=judge, ratings=ratings, bounds=bounds)
    with Job("Scoring") as job:
        return finish(mapped(steps, lambda progress: job.show(progress.stage, progress.share)))


def put_out(result: "Result", html: Path, markdown: Path, *, as_json: bool) -> None:
    """Write the report's files, and put a short table and the path of the page on stdout, or one JSON document."""
    from billy_mlx.bench.report import write_html, write_markdown
    from billy_mlx.bench.result_json import to_json
    from billy_mlx.files import write_atomically

    document = to_json(result)
    write_html(result, html)
    write_markdown(result, markdown)
    write_atomically(html.with_suffix(".json"), document.encode())
    for limit in result.limits:
        say(limit)
    if as_json:
        write(document)
        return
    heading, rows = summary(result)
    if rows:
        write_table(heading, rows)
    write_line(str(html))

"""billy bench report: look again at answers that are there, with another judge or with people's ratings."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from billy_mlx.cli.bench_options import EMBEDDINGS, gathered, put_out, scorers, stopped, write_files
from billy_mlx.cli.loading import load_model
from billy_mlx.cli.options import json_option
from billy_mlx.cli.output import say, write_json, write_line
from billy_mlx.errors import BillyError, UsageError
from billy_mlx.paths import expanded

if TYPE_CHECKING:
    from billy_mlx.bench.settings import ScoredBy
    from billy_mlx.bench.store import Store
    from billy_mlx.model.model import Model

_RIVALS = ("dose-0", "multi-role", "discussion")  # that people rate as well: few, as their patience has an end
_AS_BEGUN = "[default: as the run was begun]"
_EXAMPLES = """\b
billy bench report bench-starter-own --judge mlx-community/Qwen2.5-7B-Instruct-4bit
billy bench report bench-starter-own --blind ideas.csv
billy bench report bench-starter-own --ratings ideas.csv --rater Ada
"""


@click.command("report", epilog=_EXAMPLES)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--quick/--whole", default=None, help=f"Whether few ideas are judged, or all.  {_AS_BEGUN}")
@click.option("--judge", metavar="self|none|MODEL", help=f"Who scores the ideas: self, none or a model.  {_AS_BEGUN}")
@click.option("--embeddings", metavar="own|MODEL", help=f"{EMBEDDINGS}  {_AS_BEGUN}")
@click.option("--blind", metavar="FILE", help="Only write ideas to rate, shuffled, as CSV; nothing tells the arm.")
@click.option("--ratings", metavar="FILE", help="Take in what a person has written into such a file.")
@click.option("--rater", metavar="NAME", help="Whose ratings these are.  [default: the file's name]")
@click.option("--html", metavar="FILE", help="Where the page goes.  [default: report.html in FOLDER]")
@click.option("--markdown", metavar="FILE", help="Likewise.  [default: report.md in FOLDER]")
@json_option
def report(
    folder: Path,
    quick: bool | None,
    judge: str | None,
    embeddings: str | None,
    blind: str | None,
    ratings: str | None,
    rater: str | None,
    html: str | None,
    markdown: str | None,
    as_json: bool,
) -> int:
    """Report on the answers in FOLDER, which `billy bench run` has made.

    Scores are kept there: only what is new takes time, such as another judge. stdout gets a table of what the blend
    does differently, with intervals, and the path of the page.
    """
    from billy_mlx.bench.blind import read_ratings
    from billy_mlx.bench.store import alone

    if rater is not None and ratings is None:
        raise UsageError("--rater says whose the ratings are; name their file with --ratings")
    if blind is not None and ratings is not None:
        raise UsageError("--blind writes ideas to rate, and --ratings takes ratings in; give one of them at a time")
    store = _opened(folder)
    if blind is not None:
        return _write_blind(store, expanded(blind), as_json=as_json)
    rated = [] if ratings is None else [read_ratings(expanded(ratings), store, rater=rater)]
    loaded = _loaded(store)
    by = scorers(loaded, _scored_by(store, quick, judge, embeddings))
    page = store.folder / "report.html" if html is None else expanded(html)
    text = store.folder / "report.md" if markdown is None else expanded(markdown)
    try:
        with alone(store.folder):
            result = gathered(loaded, store, by, rated)
            write_files(result, page, text)
    except KeyboardInterrupt:
        there = "what has been read and judged is kept"
        return stopped(store, there, as_json=as_json)
    put_out(result, page, as_json=as_json)
    return 0


def _opened(folder: Path) -> "Store":
    """Return the run in `folder`, if what it asks is still what was answered."""
    from billy_mlx.bench.plan import planned_items, questions_digest
    from billy_mlx.bench.store import Store

    store = Store.open(expanded(folder))
    if not store.answers:
        raise BillyError(f"{folder} has no answers yet; run the command that has made it again")
    store.require_questions(questions_digest(planned_items(store.settings)))
    return store


def _loaded(store: "Store") -> "Model":
    """Return the model that wrote the answers, with the vectors that it needs on this machine."""
    from billy_mlx.bench.evidence import fingerprint_of
    from billy_mlx.bench.plan import plan, prompts_digest

    loaded = load_model(store.settings.model)
    store.require_model(fingerprint_of(loaded))
    planned = plan(loaded, store.settings)  # what is missing is told with the name that --model takes
    store.require_prompts(prompts_digest(loaded, planned))
    return loaded


def _scored_by(store: "Store", quick: bool | None, judge: str | None, embeddings: str | None) -> "ScoredBy":
    """Return who scored the run when it was begun, but for what is typed."""
    from billy_mlx.bench.settings import ScoredBy

    begun = store.scored_by
    return ScoredBy(
        judge=begun.judge if judge is None else judge,
        embeddings=begun.embeddings if embeddings is None else embeddings,
        quick=begun.quick if quick is None else quick,
    )


def _write_blind(store: "Store", path: Path, *, as_json: bool) -> int:
    from billy_mlx.bench.arms import main_arm
    from billy_mlx.bench.blind import write_blind
    from billy_mlx.bench.plan import planned_items

    there = {answer.arm for answer in store.answers}
    arms = [arm for arm in (main_arm(store.settings), *_RIVALS) if arm in there] or None
    count = write_blind(store, planned_items(store.settings), path, arms=arms)
    say(f"{count} ideas to rate from 1 to 5; afterwards run: billy bench report {store.folder} --ratings {path}")
    if as_json:
        write_json({"file": str(path), "ideas": count})
    else:
        write_line(str(path))
    return 0

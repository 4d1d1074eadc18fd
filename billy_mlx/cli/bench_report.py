"""billy bench report: look again at answers that are there, with another judge or with people's ratings."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from billy_mlx.cli.bench_options import embeddings_option, gathered, load_model, put_out, scorers
from billy_mlx.cli.options import json_option, judge_option
from billy_mlx.cli.output import STOPPED, say, say_stopped, write_line
from billy_mlx.errors import BillyError, UsageError

if TYPE_CHECKING:
    from billy_mlx.bench.store import Store

_RATED = ("billy-balanced", "dose-0", "multi-role", "discussion")  # few, as people's patience has an end
_EXAMPLES = """\b
billy bench report bench-starter-own --judge mlx-community/Qwen2.5-7B-Instruct-4bit
billy bench report bench-starter-own --blind ideas.csv
billy bench report bench-starter-own --ratings ideas.csv --rater Ada
"""


@click.command("report", epilog=_EXAMPLES)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--quick", is_flag=True, help="Judge as few ideas as run --quick does.")
@judge_option("Who scores the ideas: self, none or a model.")
@embeddings_option
@click.option("--blind", metavar="FILE", help="Only write ideas to rate, shuffled, as CSV; nothing tells the arm.")
@click.option("--ratings", metavar="FILE", help="Take in what a person has written into such a file.")
@click.option("--rater", metavar="NAME", help="Whose ratings these are.  [default: the file's name]")
@click.option("--html", metavar="FILE", help="Where the page goes.  [default: report.html in FOLDER]")
@click.option("--markdown", metavar="FILE", help="Likewise.  [default: report.md in FOLDER]")
@json_option
def report(
    folder: Path,
    quick: bool,
    judge: str,
    embeddings: str,
    blind: str | None,
    ratings: str | None,
    rater: str | None,
    html: str | None,
    markdown: str | None,
    as_json: bool,
) -> int:
    """Report on the answers in FOLDER, which `billy bench run` has made.

    Scores are kept there: only what is new takes time, such as another judge. stdout gets a table of what the balanced
    blend does differently, with intervals, and the path of the page.
    """
    from billy_mlx.bench.blind import read_ratings
    from billy_mlx.bench.store import Store

    if rater is not None and ratings is None:
        raise UsageError("--rater says whose the ratings are; name their file with --ratings")
    store = Store.open(folder.expanduser())
    if blind is not None:
        return _write_blind(store, Path(blind).expanduser())
    rated = [] if ratings is None else [read_ratings(Path(ratings).expanduser(), store, rater=rater)]
    if not store.answers:
        raise BillyError(f"{folder} has no answers yet; run the command that has made it again")
    loaded = load_model(store.settings.model)
    try:
        result = gathered(loaded, store, scorers(loaded, judge, embeddings, quick=quick), rated)
    except KeyboardInterrupt:
        say_stopped("stopped; what has been scored is kept, and the same command goes on from there")
        return STOPPED
    page = store.folder / "report.html" if html is None else Path(html).expanduser()
    text = store.folder / "report.md" if markdown is None else Path(markdown).expanduser()
    put_out(result, page, text, as_json=as_json)
    return 0


def _write_blind(store: "Store", path: Path) -> int:
    from billy_mlx.bench.blind import write_blind
    from billy_mlx.bench.plan import planned_items

    there = {answer.arm for answer in store.answers}
    arms = [arm for arm in _RATED if arm in there] or None
    count = write_blind(store, planned_items(store.settings), path, arms=arms)
    say(f"{count} ideas to rate from 1 to 5; afterwards run: billy bench report {store.folder} --ratings {path}")
    write_line(str(path))
    return 0

"""billy bench: does blending steer, does it help, and what does it cost, on this machine and with this model."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billy_mlx.cli.bench_export import export
from billy_mlx.cli.bench_results import EMBEDDINGS, gathered, put_out, redacted, scorers, stopped, write_files
from billy_mlx.cli.loading import load_model
from billy_mlx.cli.options import (
    count_option,
    is_typed,
    json_option,
    judge_option,
    model_option,
    seed_option,
    template_option,
    typed,
)
from billy_mlx.cli.output import JobBar, say, write_json, write_line
from billy_mlx.errors import BillyError, UsageError
from billy_mlx.paths import expanded

if TYPE_CHECKING:
    from billy_mlx.bench.arms import Plan
    from billy_mlx.bench.settings import BenchSettings, ScoredBy
    from billy_mlx.bench.store import Store
    from billy_mlx.model.model import Model

_EXAMPLES = """\b
billy bench run --quick
billy bench report bench-starter-quick --judge mlx-community/Qwen2.5-7B-Instruct-4bit
billy bench export bench-starter-quick -o starter.json
"""
_RUN_EXAMPLES = """\b
billy bench run --quick
billy bench run --protocol paper --judge mlx-community/Qwen2.5-7B-Instruct-4bit
billy bench run --arms dose-0,billy-layered --sweep layers --items 5
"""
_REPORT_EXAMPLES = """\b
billy bench report bench-starter-own --judge mlx-community/Qwen2.5-7B-Instruct-4bit
billy bench report bench-starter-own --blind ideas.csv
billy bench report bench-starter-own --ratings ideas.csv --rater Ada
"""
_SETTINGS = {"items": "items_per_task", "rows": "rows", "seeds": "seeds", "seed": "seed"}  # by flag
_RATED = ("dose-0", "multi-role", "discussion")  # that people rate as well: few, as their patience has an end
_AS_BEGUN = "[default: as the run was begun]"


@click.group("bench", epilog=_EXAMPLES)
def command() -> None:
    """Compare blends with what else there is: prompts, single personas, a discussion, and no steering at all."""


command.add_command(export)


@command.command("run", epilog=_RUN_EXAMPLES)
@click.option("--quick", is_flag=True, help="A first look: few items of three tasks, short answers.")
@click.option(
    "--tasks",
    metavar="NAME,NAME|FILE",
    help="Of uses, instances, similarities, scientific and writing only these; or the questions of a file in the "
    "layout of LLM Discussion.  [default: all five]",
)
@click.option("--arms", metavar="NAME,NAME", help="Only these, by name or group.  [default: all]")
@count_option("--items", default=None, text="Of each task, the first ones.  [default: all]")
@count_option("--seeds", default=None, text="Answers of every arm to every item.  [default: 3; with --quick 1]")
@click.option("--blend", metavar="BLEND", help="The blend that is tried.  [default: the paper's four]")
@click.option("--protocol", type=click.Choice(["own", "paper"]), default="own", show_default=True, help="Whose way.")
@click.option(
    "--sweep",
    "sweeps",
    type=click.Choice(["layers", "personas", "modes", "paper"]),
    multiple=True,
    help="Try the blend in many ways besides, paper as in the paper's ablation; may be given often.",
)
@judge_option("Who scores the ideas: self, none or a model.")
@click.option("--embeddings", metavar="own|MODEL", default="own", show_default=True, help=EMBEDDINGS)
@model_option
@template_option
@count_option("-m", "--max-tokens", default=None, text="Of an answer.  [default: what the protocol has]")
@seed_option(None, "Of the whole.  [default: 0]")
@count_option("--rows", default=None, text="Answers written at once.  [default: 40]")
@click.option("--to", metavar="FOLDER", help="Keep everything there.  [default: bench-MODEL-PROTOCOL]")
@json_option
@click.pass_context
def run(
    context: click.Context,
    /,
    judge: str,
    embeddings: str,
    model: str | None,
    to: str | None,
    as_json: bool,
    **flags: Any,
) -> int:
    """Answer the items with every arm, and report how the blend does against the others.

    The answers are kept as they come: after Ctrl+C the same command goes on from there, and once they are all there it
    only reports. The folder gets report.html, report.md and report.json; stdout a table of what the blend
    does differently, with intervals, and the path of the page.
    """
    from billy_mlx.bench.arms import plan, prompts_digest, questions_digest
    from billy_mlx.bench.gather import made_with
    from billy_mlx.bench.persona_arms import settled
    from billy_mlx.bench.settings import ScoredBy
    from billy_mlx.bench.store import Store, alone, begun_settings

    loaded = load_model(model)
    settings = _settings(loaded, flags)
    by = scorers(loaded, ScoredBy(judge, embeddings, flags["quick"]))
    folder = expanded(to) if to is not None else Path(_folder_name(loaded, settings, quick=flags["quick"]))
    begun = begun_settings(folder)
    settings = settled(loaded, settings) if begun is None else replace(settings, others=begun.others)
    planned = plan(loaded, settings)
    for sentence in planned.left_out:
        say(sentence)
    made = made_with(redacted(loaded), _command(context, settings))
    questions, prompts = questions_digest(planned.items), prompts_digest(loaded, planned)
    page = folder / "report.html"
    with alone(folder):
        store = Store.create_or_resume(folder, settings, made, scored_by=by.names, questions=questions, prompts=prompts)
        try:
            _answer(loaded, planned, store)
            result = gathered(loaded, store, by)
            write_files(result, page, folder / "report.md")
        except KeyboardInterrupt:
            there = f"{len(store.answers)} of {planned.answers} answers are kept in {store.folder}"
            return stopped(store, there, as_json=as_json)
    put_out(result, page, as_json=as_json)
    return 0


@command.command("report", epilog=_REPORT_EXAMPLES)
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
    from billy_mlx.bench.human_ratings import read_ratings
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


def _answer(model: "Model", planned: "Plan", store: "Store") -> None:
    """Write the answers that are not there yet."""
    from billy_mlx.bench.run import run as written

    if store.answers:
        say(f"{len(store.answers)} of {planned.answers} answers are there already: going on in {store.folder}")
    with JobBar("Answering") as job:
        for progress in written(model, planned.arms, planned.items, store):
            job.show(progress.stage, progress.share)


def _settings(model: "Model", flags: dict[str, Any]) -> "BenchSettings":
    """Return the settings that a protocol has, but for what is typed."""
    from billy_mlx.bench.settings import BenchSettings
    from billy_mlx.blend.blend import Blend

    if flags["quick"] and flags["protocol"] == "paper":
        raise UsageError(
            "--quick is not the paper's protocol; leave out one of them, or say --protocol paper --items 2"
        )
    make = (
        BenchSettings.quick
        if flags["quick"]
        else BenchSettings.paper
        if flags["protocol"] == "paper"
        else BenchSettings.own
    )
    settings = make(model.id) if flags["blend"] is None else make(model.id, Blend.parse(flags["blend"]))
    typed = {name: flags[flag] for flag, name in _SETTINGS.items() if flags[flag] is not None}
    if (most := flags["max_tokens"]) is not None:
        typed |= {"max_tokens": most, "discussion_tokens": min(most, settings.discussion_tokens)}
    if flags["tasks"] is not None:
        typed |= _asked(flags["tasks"])
    if flags["arms"] is not None:
        typed["arms"] = _names("--arms", flags["arms"])
    return replace(settings, sweeps=tuple(dict.fromkeys(flags["sweeps"])), **typed)


def _asked(tasks: str) -> dict[str, Any]:
    """Return the settings that `tasks` says: names of our tasks, or else a file if there is one or it sounds like one.

    Nothing that lies about under the name of a task comes before it.
    """
    from billy_mlx.bench.tasks import load_tasks

    names, path = _names("--tasks", tasks), expanded(tasks)
    if {*names} <= {*load_tasks()} or not (path.exists() or path.suffix):
        return {"tasks": names}
    return {"tasks": None, "tasks_file": str(path.resolve())}


def _names(flag: str, typed: str) -> tuple[str, ...]:
    names = tuple(name for name in (each.strip() for each in typed.split(",")) if name)
    if not names:
        raise UsageError(f"{flag} is {typed!r}, which names nothing; give a name, or leave {flag} out for all")
    return names


def _folder_name(model: "Model", settings: "BenchSettings", *, quick: bool) -> str:
    from billy_mlx.model.adapter import apart

    names = "-".join(Path(part).name for part in apart(model.id) if part is not None)
    name = re.sub(r"[^\w.-]+", "-", names).strip("-.") or "model"
    return f"bench-{name}-{'quick' if quick else settings.protocol}"


def _command(context: click.Context, settings: "BenchSettings") -> str:
    """Return the command line, for whoever wants to have the same again; of files and folders only the name.

    The blend stands there with its mode, whatever the default becomes.
    """
    from billy_mlx.bench.result import redact_path

    words = context.command_path.split()
    for parameter in context.command.params:
        if parameter.name is not None and is_typed(context, parameter.name):
            flag = max(parameter.opts, key=len)
            value = settings.blend if parameter.name == "blend" else typed(context, parameter)
            values: Sequence[object] = value if isinstance(value, tuple) else (value,)
            words += [flag] if value is True else [word for each in values for word in (flag, redact_path(str(each)))]
    return shlex.join(words)


def _opened(folder: Path) -> "Store":
    """Return the run in `folder`, if what it asks is still what was answered."""
    from billy_mlx.bench.arms import planned_items, questions_digest
    from billy_mlx.bench.store import Store

    store = Store.open(expanded(folder))
    if not store.answers:
        raise BillyError(f"{folder} has no answers yet; run the command that has made it again")
    store.require_questions(questions_digest(planned_items(store.settings)))
    return store


def _loaded(store: "Store") -> "Model":
    """Return the model that wrote the answers, with the vectors that it needs on this machine."""
    from billy_mlx.bench.arms import plan, prompts_digest
    from billy_mlx.bench.gather import fingerprint_of

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
    from billy_mlx.bench.arms import planned_items
    from billy_mlx.bench.human_ratings import write_blind
    from billy_mlx.bench.steered_arms import main_arm

    there = {answer.arm for answer in store.answers}
    arms = [arm for arm in (main_arm(store.settings), *_RATED) if arm in there] or None
    count = write_blind(store, planned_items(store.settings), path, arms=arms)
    say(f"{count} ideas to rate from 1 to 5; afterwards run: billy bench report {store.folder} --ratings {path}")
    if as_json:
        write_json({"file": str(path), "ideas": count})
    else:
        write_line(str(path))
    return 0

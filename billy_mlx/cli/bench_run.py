"""billy bench run: have all arms answer all items, and report on it."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billy_mlx.cli.bench_options import EMBEDDINGS, gathered, put_out, scorers, stopped, write_files
from billy_mlx.cli.loading import load_model
from billy_mlx.cli.options import (
    count_option,
    is_typed,
    json_option,
    judge_option,
    model_option,
    seed_option,
    template_option,
)
from billy_mlx.cli.output import JobBar, say
from billy_mlx.errors import UsageError
from billy_mlx.paths import expanded

if TYPE_CHECKING:
    from billy_mlx.bench.plan import Plan
    from billy_mlx.bench.settings import BenchSettings
    from billy_mlx.bench.store import Store
    from billy_mlx.model.model import Model

_EXAMPLES = """\b
billy bench run --quick
billy bench run --protocol paper --judge mlx-community/Qwen2.5-7B-Instruct-4bit
billy bench run --arms dose-0,billy-layered --sweep layers --items 5
"""
_SETTINGS = {"items": "items_per_task", "rows": "rows", "seeds": "seeds", "seed": "seed"}  # by flag


@click.command("run", epilog=_EXAMPLES)
@click.option("--quick", is_flag=True, help="A first look: few items of three tasks, short answers.")
@click.option(
    "--tasks",
    metavar="NAME,NAME|FILE",
    help="Of uses, instances, similarities, scientific and writing only these; or the questions of a file in the "
    "layout of LLM Discussion.  [default: all five]",
)
@click.option("--arms", metavar="NAME,NAME", help="Only these, by name or group.  [default: all]")
@count_option("--items", default=None, text="Of each task, the first ones.  [default: all]")
@count_option("--seeds", default=None, text="Answers of every arm to every item.  [default: 1]")
@click.option("--blend", metavar="BLEND", help="The blend that is tried.  [default: the paper's four]")
@click.option("--protocol", type=click.Choice(["own", "paper"]), default="own", show_default=True, help="Whose way.")
@click.option(
    "--sweep",
    "sweeps",
    type=click.Choice(["layers", "personas", "modes"]),
    multiple=True,
    help="Try the blend in many ways besides; may be given often.",
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
    from billy_mlx.bench.evidence import made_with
    from billy_mlx.bench.names import as_told
    from billy_mlx.bench.plan import plan, prompts_digest, questions_digest
    from billy_mlx.bench.settings import ScoredBy
    from billy_mlx.bench.store import Store, alone

    loaded = load_model(model)
    settings = _settings(loaded, flags)
    by = scorers(loaded, ScoredBy(judge, embeddings, flags["quick"]))
    planned = plan(loaded, settings)
    for sentence in planned.left_out:
        say(sentence)
    folder = expanded(to) if to is not None else Path(_folder_name(loaded, settings, quick=flags["quick"]))
    made = made_with(as_told(loaded), _command(context, settings))
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
    settings = make(model.id) if flags["blend"] is None else make(model.id, flags["blend"])
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
    name = re.sub(r"[^\w.-]+", "-", Path(model.id).name).strip("-.") or "model"
    return f"bench-{name}-{'quick' if quick else settings.protocol}"


def _command(context: click.Context, settings: "BenchSettings") -> str:
    """Return the command line, for whoever wants to have the same again; of files and folders only the name.

    The blend stands there with its mode, whatever the default becomes.
    """
    from billy_mlx.bench.names import without_place

    words = context.command_path.split()
    for parameter in context.command.params:
        if parameter.name is not None and is_typed(context, parameter.name):
            flag = max(parameter.opts, key=len)
            value = settings.blend if parameter.name == "blend" else context.params[parameter.name]
            values: Sequence[object] = value if isinstance(value, tuple) else (value,)
            words += [flag] if value is True else [word for each in values for word in (flag, without_place(str(each)))]
    return shlex.join(words)

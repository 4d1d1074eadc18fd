"""billy model: models on this machine, and how they get there."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from billy_mlx import paths
from billy_mlx.cli.loading import load_model, unsteerable, without_template
from billy_mlx.cli.options import count_option, json_option, template_option
from billy_mlx.cli.output import advance, progress, say, write_json, write_line, write_table
from billy_mlx.errors import ModelError, UsageError
from billy_mlx.text import sanitize

if TYPE_CHECKING:
    from billy_mlx.model.fits import Needs
    from billy_mlx.model.model import Model

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@click.group("model")
def command() -> None:
    """Get models, list them, check them, import GGUF files."""


@command.command()
@click.argument("repo", metavar="REPO|starter")
@click.option("--revision", metavar="NAME", help="A branch, a tag or a commit.  [default: the newest]")
def get(repo: str, revision: str | None) -> None:
    """Fetch a model from the hub, or the starter model.

    stdout gets its folder. With `billy model fits` the only command that uses the network.
    """
    from billy_mlx.model.load import STARTER
    from billy_mlx.model.starter import get_starter

    if repo == STARTER:
        if revision is not None:
            raise UsageError(f"the starter has no revisions; leave out {revision!r}")
        write_line(str(get_starter()))
        return
    from billy_mlx.model.hub import get as fetch

    write_line(str(fetch(repo, revision)))


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the models on this machine, and those of which only a part is here."""
    from billy_mlx.model.hub import list_models

    models = list_models()
    if as_json:
        write_json([{**asdict(model), "path": str(model.path)} for model in models])
        return
    if not models:
        say("there is no model yet; run: billy model get starter")
        return
    sizes = [f"{each.bytes_on_disk / 1e9:.2f} GB{', not complete' * (each.shortfall is not None)}" for each in models]
    rows = [(each.id, (each.commit or "")[:12], size, str(each.path)) for each, size in zip(models, sizes, strict=True)]
    write_table(("ID", "COMMIT", "SIZE", "FOLDER"), rows)
    for each in models:
        if each.shortfall is not None:
            from_hub = f"to get the model again run: billy model get {each.id}"
            remedy = from_hub if each.commit is not None else f"remove {each.path} and get or import the model again"
            say(f"{each.id} is not complete: {each.shortfall}; {remedy}")


@command.command()
@click.argument("model", metavar="MODEL|config.json")
@count_option("--over", default=None, text="Tokens of text, all in all.  [default: 2048, or what it holds]")
@count_option("--rows", default=1, text="Texts that are written at once.", most=10_000)
@click.option(
    "--memory", metavar="GB", type=click.IntRange(1, 10**6), help="Of another machine.  [default: what is free here]"
)
@json_option
def fits(model: str, over: int | None, rows: int, memory: int | None, as_json: bool) -> int:
    """Say whether a model fits into memory, without its weights.

    One that is not on this machine is looked up on the hub. The exit code is 0 if it fits, and 1 if not.
    """
    from billy_mlx.model.fits import needs_of
    from billy_mlx.model.memory import available_bytes
    from billy_mlx.write.budget import LEAST

    needs = needs_of(model, tokens=over, least=LEAST, rows=rows)
    available = available_bytes() if memory is None else memory * 10**9
    fit = needs.fit(available)
    if as_json:
        write_json({**asdict(needs), "together": needs.together, "available": available, "fits": fit})
    else:
        for line in _of_needs(needs, available, "free here" if memory is None else "there is"):
            write_line(line)
    return 1 if fit == "no" else 0


@command.command()
@click.argument("model", metavar="[MODEL]", required=False)
@template_option
def verify(model: str | None) -> int:
    """Check that a model can be steered, what its chat template sends, and its files.

    The files of an imported model and of the starter must be what was imported.
    """
    loaded = load_model(model)
    fault = unsteerable(loaded)
    for line in describe(loaded, fault):
        write_line(line)
    checked = _check_files(loaded)
    write_line(f"files        {checked} as imported (SHA-256)" if checked else "files        no sums are kept for them")
    return 0 if fault is None else 1


@command.command("import")
@click.argument("file", metavar="FILE.gguf")
@click.option("--name", help="What --model will call it.  [default: the file's]")
def import_(file: str, name: str | None) -> None:
    """Make a model of a GGUF file, or of a split one: name any of its parts.

    stdout gets the name to use it by.
    """
    from billy_mlx.formats.gguf.header import model_name
    from billy_mlx.model.gguf import import_gguf
    from billy_mlx.model.load import STARTER

    source = paths.expanded(file)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", model_name(source)).strip("-.") if name is None else name
    if not _NAME.fullmatch(name) or name == STARTER:
        raise UsageError(f"A model cannot be called {name!r}; give --name, of letters, digits, dots, - and _")
    with progress(f"Importing {source.name}", unit="B") as bar:
        report = import_gguf(source, paths.models_folder() / name, progress=lambda *at: advance(bar, *at))
    for note in report.notes:
        say(note)
    write_line(name)
    say(f'to write with it run: billy generate --model {name} -p "Once upon a time"')


def _of_needs(needs: "Needs", available: int, there: str) -> list[str]:
    from billy_mlx.model.backend import on_cpu

    texts = f"{needs.rows} × {needs.tokens:,} tokens"
    download = [] if needs.download is None else [("download", needs.download, "")]
    rows = [
        *download,
        ("weights", needs.weights, "in float32, as on this CPU" if on_cpu() else "as they are stored"),
        ("caches", needs.caches, texts),
        ("working", needs.working, "while it writes"),
        ("together", needs.together, "while it is loaded" if needs.together == needs.loading else "while it writes"),
        (there, available, ""),
    ]
    verdict = {"yes": "yes", "just": "just: little is left for anything else", "no": "no"}[needs.fit(available)]
    lines = [f"{what:<12} {_gigabytes(size):>9}  {note}".rstrip() for what, size, note in rows]
    return [f"model        {sanitize(needs.model)}", *lines, f"fits         {verdict}"]


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.2f} GB"


def describe(model: "Model", fault: str | None) -> list[str]:
    """Return what a model is, in lines; `fault` is why it cannot be steered, None if it can."""
    of = model.fingerprint
    return [
        f"model        {sanitize(model.id)}",
        f"folder       {sanitize(str(model.path))}",
        f"kind         {of.architecture}, {of.layers} layers of {of.width}, {of.vocabulary:,} tokens",
        f"fingerprint  {of.base}-{of.weights}",
        f"self-test    {'passed' if fault is None else f'failed: {fault}'}; {_rows(model)}",
        *_template_lines(model),
    ]


def _rows(model: "Model") -> str:
    if model.batches:
        return "rows are written together"
    if model.batches_equals:
        return "rows are written together where their prompts are as long as one another"
    return "rows are written one after another"


def _template_lines(model: "Model") -> list[str]:
    """Return what a model's chat template does with a system text, a message and a second turn."""
    from billy_mlx.model.chat import behaviour

    if not model.tokenizer.has_chat_template:
        return [f"template     none: {without_template(model).partition(': ')[2]}"]
    return [f"{name:<12} {does}" for name, does in behaviour(model.tokenizer)]


def _check_files(model: "Model") -> int:
    """Return how many weight files have the sum that was noted when they were imported; ModelError if one has not."""
    import hashlib

    sums: dict[str, str] = model.config.get("billy", {}).get("files", {})
    for file, expected in sums.items():
        with (model.path / Path(file).name).open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found != expected:
            raise ModelError(
                f"{model.path / file} is damaged: its SHA-256 is {found} instead of {expected}; remove "
                f"{model.path} and get or import the model again"
            )
    return len(sums)

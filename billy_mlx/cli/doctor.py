"""billy doctor and billy paths: whether everything is there that writing needs, and where it is."""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal

import click

from billy_mlx import paths
from billy_mlx.blend.blend import DEFAULT_MODE, FORMER_MODE, BlendText, Dose, Unit
from billy_mlx.cli.config import generate_defaults
from billy_mlx.cli.loading import load_model, unsteerable, without_template
from billy_mlx.cli.options import json_option
from billy_mlx.cli.output import say, write_json, write_line, write_table
from billy_mlx.config import read_config
from billy_mlx.errors import BillyError
from billy_mlx.text import sanitize
from billy_mlx.vectors.card import load_personas

if TYPE_CHECKING:
    from billy_mlx.extraction.kept_answers import KeptAnswers
    from billy_mlx.model.model import Model

_CLEAR_OLD = "billy vectors clear-answers --old"


@dataclass(frozen=True)
class _Finding:
    """What one look at the machine found; `failed` keeps `billy generate` from working, `warn` does not."""

    state: Literal["ok", "warn", "failed"]
    subject: str
    text: str


@click.command("doctor")
@json_option
def command(as_json: bool) -> int:
    """Say whether this machine has what writing needs.

    Looks at MLX, memory, model, vectors, folders and terminal; exit code 1 if generate cannot work.
    """
    findings = []
    for look in (_python, _mlx, _memory, _configuration, _personas, _model, _folders, _terminal):
        for finding in _findings(look):
            findings.append(finding)
            if not as_json:
                write_line(f"{finding.state:7}{finding.subject:15}{finding.text}")
    if as_json:
        write_json([asdict(finding) for finding in findings])
    return 1 if any(finding.state == "failed" for finding in findings) else 0


@click.command("paths")
@json_option
def show_paths(as_json: bool) -> None:
    """Show where cards, vectors and models are kept, and how many answers of extractions are.

    BILLY_HOME puts all of it under one folder.
    """
    from billy_mlx.extraction.kept_answers import find_kept_answers, summed

    places = {
        "configuration": paths.config_file(),
        "personas": paths.personas_folder(),
        "vectors": paths.vectors_folder(),
        "models": paths.models_folder(),
        "answers": paths.poles_folder(),
        "cache": paths.cache_folder(),
        "state": paths.state_folder(),
    }
    kept = find_kept_answers()
    old = [each for each in kept if each.is_old]
    if as_json:
        counts = {name: _counted(some) for name, some in (("kept_answers", kept), ("old_answers", old))}
        write_json({**{name: str(place) for name, place in places.items()}, **counts})
        return
    write_table(("WHAT", "WHERE"), [(name, str(place)) for name, place in places.items()])
    if kept:
        say(f"for extractions: {summed(kept)}; to remove them, run: billy vectors clear-answers")
    if old:
        say(f"of older versions, and found by no extraction: {summed(old)}; to remove these, run: {_CLEAR_OLD}")


def _findings(look: Callable[[], Iterator[_Finding]]) -> Iterator[_Finding]:
    """Yield what `look` finds, and its failure as one more finding."""
    try:
        yield from look()
    except (BillyError, ImportError) as error:
        yield _Finding("failed", look.__name__.strip("_"), str(error))


def _python() -> Iterator[_Finding]:
    yield _Finding("ok", "python", f"{platform.python_version()} on {platform.platform(terse=True)}, {sys.executable}")


def _mlx() -> Iterator[_Finding]:
    from billy_mlx.model import backend

    yield _Finding("ok", "device", f"{backend.device_name()}, mlx {version('mlx')}, mlx-lm {version('mlx-lm')}")
    blas = backend.blas_name()
    slow = backend.on_cpu() and blas.startswith("reference")
    yield _Finding("warn" if slow else "ok", "blas", blas)


def _memory() -> Iterator[_Finding]:
    from billy_mlx.model.memory import available_bytes, what_limits

    available = available_bytes()
    limit = what_limits(available)
    text = f"{available / 1e9:.1f} GB free for models{f' within {limit}' if limit else ''}"
    remedy = "raise the limit" if limit else "close other programs"
    yield _Finding("ok", "memory", text) if available > 1e9 else _Finding("warn", "memory", f"{text}; {remedy}")


def _configuration() -> Iterator[_Finding]:
    values = generate_defaults()
    there = f"{len(values)} defaults for generate" if paths.config_file().exists() else "none, which is fine"
    yield _Finding("ok", "configuration", f"{paths.config_file()}: {there}")
    yield from (_Finding("warn", "configuration", sentence) for sentence in former_settings())


def _personas() -> Iterator[_Finding]:
    found = load_personas()
    yield from (_Finding("warn", "personas", str(error)) for error in found.errors)
    yield _Finding("ok", "personas", f"{len(found.personas)} cards")


def _model() -> Iterator[_Finding]:
    from billy_mlx.model.load import default_name

    try:
        configured, is_broken = generate_defaults().get("model"), False
    except BillyError:
        configured, is_broken = None, True
    try:
        name = str(configured) if configured is not None else default_name()
    except BillyError:
        if is_broken:
            return  # said already
        raise
    model = load_model(name)
    of, fault = model.fingerprint, unsteerable(model)
    kind = f"{model.id}: {of.architecture}, {of.layers} layers of {of.width}"
    yield _Finding("ok", "model", f"{kind}, steerable") if fault is None else _Finding("warn", "model", fault)
    if not model.tokenizer.has_chat_template:
        yield _Finding("warn", "model", without_template(model))
    yield from _vectors(model)


def _vectors(model: "Model") -> Iterator[_Finding]:
    """Yield how many vectors there are for `model`, those that cannot be used, and those of the version before."""
    from billy_mlx.vectors.library import find_all, formerly_made, load_vectors

    count = 0
    for persona_id in find_all(model.fingerprint):
        try:
            load_vectors(model, [persona_id])
            count += 1
        except BillyError as error:
            yield _Finding("warn", "vectors", str(error))
    missing = f"none for {model.id}; run: billy extract --all --model {model.id}"
    yield _Finding(
        "ok" if count else "warn",
        "vectors",
        f"{count} persona{'s' * (count != 1)} for {model.id}" if count else missing,
    )
    former = formerly_made(model.fingerprint).sentence(model.id)
    if former is not None:
        yield _Finding("warn", "vectors", former)


def _folders() -> Iterator[_Finding]:
    for folder in (
        paths.personas_folder(),
        paths.vectors_folder(),
        paths.state_folder(),
        paths.models_folder(),
        paths.poles_folder(),
    ):
        existing = next(place for place in (folder, *folder.parents) if place.exists())
        if not os.access(existing, os.W_OK):
            yield _Finding("warn", "folders", f"{existing} cannot be written to; set BILLY_HOME to a folder that can")
            return
        if shutil.disk_usage(existing).free < 1e9:
            yield _Finding("warn", "folders", f"{existing} has less than 1 GB free; make room before models come")
            return
    yield _Finding("ok", "folders", "can be written to: billy paths")


def _terminal() -> Iterator[_Finding]:
    size = shutil.get_terminal_size()
    colour = "without colour" if os.environ.get("NO_COLOR") or not sys.stdout.isatty() else "in colour"
    text = f"{size.columns} × {size.lines}, {colour}, {sys.stdout.encoding}"
    small = size.columns < 80 or size.lines < 24
    if sys.stdout.encoding.lower().replace("-", "") != "utf8":
        yield _Finding("warn", "terminal", f"{text}; letters may be missing, so use a UTF-8 locale")
    else:
        yield _Finding("warn" if small else "ok", "terminal", f"{text}; 80 × 24 is little enough" if small else text)


def _counted(kept: "Sequence[KeptAnswers]") -> dict[str, int]:
    return {
        "poles": len(kept),
        "answers": sum(each.answers for each in kept),
        "bytes": sum(each.bytes_on_disk for each in kept),
    }


def former_settings() -> tuple[str, ...]:
    """Return a sentence for each key of the file that means what it did because it names no mode; none without a file.

    What cannot be read at all is told by whoever reads it.
    """
    try:
        values = read_config()
    except BillyError:
        return ()
    generate, studio = _table(values, "generate"), _table(values, "studio")
    sentences = [*_former_generate(generate), *_former_blends("blend", "studio", studio.get("blend"))]
    return tuple(f"{paths.config_file()}: {sanitize(sentence)}" for sentence in sentences)


def _former_generate(values: Mapping[str, object]) -> Iterator[str]:
    if "mode" in values:
        return  # which all of them take
    for key in ("blend", "voice"):
        yield from _former_blends(key, "generate", values.get(key))
    if _is_in_residual_norms(values.get("dose")):
        yield (
            f"dose in [generate] is in residual norms, which a blend of the usual mode, {DEFAULT_MODE}, does not have; "
            f'write mode = "{FORMER_MODE}" below it, or a plain number'
        )


def _former_blends(key: str, table: str, value: object) -> Iterator[str]:
    for text in value if isinstance(value, list) else [value]:
        now = _blend_now(text)
        if now is not None:
            yield (
                f'{key} in [{table}] is "{text}", which names no mode and so is {FORMER_MODE}, as it was; write '
                f'"{now}" for the mode that is usual now, or "{text}/{FORMER_MODE}" to keep it'
            )


def _blend_now(text: object) -> str | None:
    """Return a blend that names no mode in the one that is usual now; None if it names one, or is none."""
    try:
        said = BlendText.parse(text) if isinstance(text, str) else None
        if said is None or said.mode is not None:
            return None
        said.blend(FORMER_MODE)
    except BillyError:
        return None
    try:
        return str(said.blend(DEFAULT_MODE))
    except BillyError:  # its dose is in residual norms
        return str(replace(said, dose=None).blend(DEFAULT_MODE))


def _is_in_residual_norms(dose: object) -> bool:
    try:
        return isinstance(dose, str) and Dose.parse(dose).unit is Unit.RESIDUAL_NORMS
    except BillyError:
        return False


def _table(values: Mapping[str, object], name: str) -> Mapping[str, object]:
    table = values.get(name)
    return table if isinstance(table, dict) else {}

"""billy vectors: the persona vectors there are for a model, what is in them, and how alike they are."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billy_mlx import paths
from billy_mlx.cli.loading import identified
from billy_mlx.cli.options import json_option, model_option
from billy_mlx.cli.output import on_terminal, say, width, write_heading, write_json, write_line, write_table
from billy_mlx.cli.vector_files import export, import_
from billy_mlx.cli.vector_report import (
    LAYER_HEADER,
    described,
    draw_similarity,
    layer_rows,
    require_plots,
    warn_of_changed_cards,
)
from billy_mlx.errors import UsageError, VectorError

if TYPE_CHECKING:
    from billy_mlx.model.fingerprint import Fingerprint
    from billy_mlx.vectors.vector import PersonaVector


@click.command("clear-answers")
@click.option("--old", is_flag=True, help="Only those of older versions, which no extraction finds any more.")
def clear_answers(old: bool) -> int:
    """Remove the answers that extractions have kept, and say how many that were.

    Vectors stay. The next extraction of a model writes its neutral answers anew, and one that was stopped begins anew.
    Answers of a model that another billy is extracting from stay as well, and the exit code is then 1.
    """
    from billy_mlx.extraction.kept_answers import clear_kept_answers, find_kept_answers, summed

    gone, stay = clear_kept_answers([each for each in find_kept_answers() if each.is_old or not old])
    for sentence in stay:
        say(sentence)
    if gone or not stay:
        say(f"removed: {summed(gone)}")
    return 1 if stay else 0


@click.group("vectors")
def command() -> None:
    """List persona vectors, show one, compare them."""


command.add_command(import_)
command.add_command(export)
command.add_command(clear_answers)


@command.command("list")
@model_option
@json_option
def list_(model: str | None, as_json: bool) -> None:
    """List the personas that have a vector for a model."""
    from billy_mlx.vectors.library import find_all
    from billy_mlx.vectors.vector_file import load_vector

    model_id, fingerprint = identified(model)
    rows, vectors = [], []
    for path in find_all(fingerprint).values():
        try:
            vectors.append(load_vector(path))
        except VectorError as error:
            say(f"left out: {error}")
        else:
            rows.append(_summary(vectors[-1], path, fingerprint))
    warn_of_changed_cards(vectors, model)
    _warn_of_former([vector for vector, row in zip(vectors, rows, strict=True) if row["former"]], model_id)
    if as_json:
        write_json(rows)
        return
    if not rows:
        say(f"there is no persona vector for {model_id} yet; run: billy extract --all --model {model_id}")
        return
    table = [_listed(vector, row) for vector, row in zip(vectors, rows, strict=True)]
    write_table(("ID", "AUC", "FULL", "ANSWERS", "DATE", "FROM", ""), table)
    say(f"yours are kept in {paths.vectors_folder()}")


@command.command()
@click.argument("persona_id", metavar="ID")
@model_option
@json_option
def show(persona_id: str, model: str | None, as_json: bool) -> None:
    """Show a vector: its origin, how good it is, its norm at each layer, what it resembles."""
    from billy_mlx.vectors.library import find_all, read_vectors
    from billy_mlx.vectors.vector import read_layer

    model_id, fingerprint = identified(model)
    vector = read_vectors([persona_id], model_id, fingerprint)[persona_id]
    warn_of_changed_cards([vector], model)
    summary = _summary(vector, find_all(fingerprint)[persona_id], fingerprint)
    _warn_of_former([vector] if summary["former"] else [], model_id)
    layer = read_layer(len(vector.directions))
    others = _similar(vector, layer, fingerprint)
    if as_json:
        write_json({**summary, "fingerprint": asdict(vector.fingerprint), **_per_layer(vector), "similar": others})
        return
    write_heading(persona_id)
    for line in described(vector):
        write_line(line)
    if summary["former"]:
        write_line("made           by the version before, and used as that version did")
    if summary["transferred"]:
        write_line("transferred    from other weights of the same model, such as another quantisation")
    write_line()
    write_table(LAYER_HEADER, layer_rows(vector))
    if others:
        write_line(f"\nMost like it at layer {layer}, in cosines:")
        closest = sorted(others.items(), key=lambda pair: -abs(pair[1]))[:5]
        write_line("  ".join(f"{other} {cosine:.2f}" for other, cosine in closest))


@command.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--layer", type=click.IntRange(0), help="From 0.  [default: the one at which texts are read]")
@click.option("--plot", metavar="FILE", help="Draw the matrix as well: a file that ends in .png, .svg or .pdf.")
@model_option
@json_option
def similarity(ids: tuple[str, ...], layer: int | None, plot: str | None, model: str | None, as_json: bool) -> None:
    """Show how alike vectors are, in cosines.

    1 is the same direction, 0 has nothing in common. Without ids, of all there are.
    """
    from billy_mlx.vectors.library import find_all, read_vectors
    from billy_mlx.vectors.vector import cosines_at, read_layer

    picture = None if plot is None else paths.expanded(plot)
    if picture is not None:
        require_plots(picture)
    model_id, fingerprint = identified(model)
    wanted = list(dict.fromkeys(ids)) or list(find_all(fingerprint))
    if not wanted:
        raise UsageError(f"There is no persona vector for {model_id} yet; run: billy extract --all --model {model_id}")
    vectors = read_vectors(wanted, model_id, fingerprint)
    at_layer = read_layer(fingerprint.layers) if layer is None else layer
    if at_layer >= fingerprint.layers:
        raise UsageError(f"there is no layer {layer}: the model's layers go from 0 to {fingerprint.layers - 1}")
    cosines = cosines_at(list(vectors.values()), at_layer)
    if picture is not None:
        draw_similarity(list(vectors), cosines, f"Cosines at layer {at_layer}, {model_id}", picture)
        say(f"drawn: {picture}")
    if as_json:
        write_json({"layer": at_layer, "ids": list(vectors), "cosines": cosines})
        return
    write_line(f"Cosines at layer {at_layer}")
    _write_matrix(list(vectors), cosines)


def _write_matrix(ids: Sequence[str], cosines: Sequence[Sequence[float]]) -> None:
    """Put out the matrix, its columns by number; on a terminal as many at a time as fit."""
    names = [f"{number:2} {persona_id}" for number, persona_id in enumerate(ids, 1)]
    fitting = max(1, (width() - max(map(len, names))) // 7) if on_terminal() else len(ids)
    for first in range(0, len(ids), fitting):
        columns = range(first, min(first + fitting, len(ids)))
        rows = [
            (name, *(f"{row[column]:5.2f}" for column in columns)) for name, row in zip(names, cosines, strict=True)
        ]
        write_line()
        write_table(("", *(f"{column + 1:5}" for column in columns)), rows)


def _warn_of_former(vectors: "Sequence[PersonaVector]", model_id: str) -> None:
    """Say on stderr which of the user's own vectors the version before has made, and what to run."""
    from billy_mlx.vectors.library import formerly

    sentence = formerly({vector.persona_id: vector for vector in vectors}).sentence(model_id)
    if sentence is not None:
        say(sentence)


def _listed(vector: "PersonaVector", row: Mapping[str, Any]) -> tuple[str, ...]:
    from billy_mlx.vectors.vector import read_layer

    found, quality, origin = vector.strength, vector.quality, vector.origin
    notes = ["made by the version before"] * row["former"]
    notes += [] if vector.weakness is None else [f"weak: {vector.weakness}"]
    notes += [] if vector.unmeasured is None else ["cannot be measured"]
    return (
        vector.persona_id,
        "" if quality is None else f"{quality.held_out_auc[read_layer(len(quality.held_out_auc))]:.2f}",
        "" if found is None else f"{found.full:.2f}",
        origin.rollouts,
        origin.date,
        _whose(row),
        "; ".join(notes),
    )


def _whose(row: Mapping[str, Any]) -> str:
    if row["transferred"]:
        return "other weights"
    return "yours" if Path(row["path"]).is_relative_to(paths.vectors_folder()) else "bundled"


def _similar(vector: "PersonaVector", layer: int, fingerprint: "Fingerprint") -> dict[str, float]:
    """Return the cosine of `vector` to that of every other persona of the model, by id."""
    from billy_mlx.vectors.library import find_all
    from billy_mlx.vectors.vector import cosines_at
    from billy_mlx.vectors.vector_file import load_vector

    cosines = {}
    for persona_id, path in find_all(fingerprint).items():
        if persona_id != vector.persona_id:
            try:
                [[_, cosine], _] = cosines_at([vector, load_vector(path)], layer)
            except VectorError as error:
                say(f"left out: {error}")
            else:
                cosines[persona_id] = cosine
    return cosines


def _per_layer(vector: "PersonaVector") -> dict[str, Any]:
    norms = None if vector.residual_norm is None else vector.residual_norm.tolist()
    return {"norm": vector.projection_scale.tolist(), "residual_norm": norms}


def _summary(vector: "PersonaVector", path: Path, fingerprint: "Fingerprint") -> dict[str, Any]:
    from billy_mlx.vectors.library import is_bundled

    evidence = {
        name: None if value is None else asdict(value)
        for name, value in (
            ("judgement", vector.judgement),
            ("quality", vector.quality),
            ("calibration", vector.calibration),
            ("strength", vector.strength),
        )
    }
    origin = {"persona_id": vector.persona_id, **asdict(vector.origin), **evidence, "weakness": vector.weakness}
    former = vector.is_former and not is_bundled(path)  # those are made anew with the program
    return {
        **origin,
        "former": former,
        "transferred": vector.is_transferred_to(fingerprint),
        "path": str(path),
    }

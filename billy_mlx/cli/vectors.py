"""billy vectors: the persona vectors there are for a model, what is in them, and how alike they are."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billy_mlx import paths
from billy_mlx.cli.changed_cards import warn_of_changed_cards
from billy_mlx.cli.options import json_option, model_option
from billy_mlx.cli.output import on_terminal, say, waiting, width, write_heading, write_json, write_line, write_table
from billy_mlx.errors import UsageError, VectorError

if TYPE_CHECKING:
    from billy_mlx.extraction.vector import PersonaVector
    from billy_mlx.model.fingerprint import Fingerprint

_BAR_CELLS = 30


@click.group("vectors")
def command() -> None:
    """List persona vectors, show one, compare them."""


@command.command("list")
@model_option
@json_option
def list_(model: str | None, as_json: bool) -> None:
    """List the personas that have a vector for a model."""
    from billy_mlx.extraction.library import find_all
    from billy_mlx.extraction.vector_file import load_vector

    model_id, fingerprint = _identify(model)
    rows, vectors = [], []
    for path in find_all(fingerprint).values():
        try:
            vectors.append(load_vector(path))
        except VectorError as error:
            say(f"left out: {error}")
        else:
            rows.append(_summary(vectors[-1], path, fingerprint))
    warn_of_changed_cards(vectors, model)
    if as_json:
        write_json(rows)
        return
    if not rows:
        say(f"there is no persona vector for {model_id} yet; run: billy extract --all --model {model_id}")
        return
    table = [[*(row[key] for key in ("persona_id", "rollouts", "date")), _whose(row)] for row in rows]
    write_table(("ID", "ROLLOUTS", "DATE", "FROM"), table)
    say(f"yours are kept in {paths.vectors_folder()}")


@command.command()
@click.argument("persona_id", metavar="ID")
@model_option
@json_option
def show(persona_id: str, model: str | None, as_json: bool) -> None:
    """Show a vector: its origin, its norm at each layer."""
    import numpy as np

    from billy_mlx.extraction.library import find_all

    fingerprint, vectors = _load([persona_id], model)
    vector = vectors[persona_id]
    warn_of_changed_cards([vector], model)
    summary = _summary(vector, find_all(fingerprint)[persona_id], fingerprint)
    norms = np.linalg.norm(vector.directions, axis=1)
    shares = norms / vector.residual_norm
    if as_json:
        per_layer = {"norm": norms.tolist(), "residual_norm": vector.residual_norm.tolist()}
        write_json({**summary, "fingerprint": asdict(vector.fingerprint), **per_layer})
        return
    write_heading(persona_id)
    for key, value in summary.items():
        if isinstance(value, str) and value:
            write_line(f"{key.replace('_', ' '):15}{value}")
    if summary["transferred"]:
        write_line("transferred    from other weights of the same model, such as another quantisation")
    write_line()
    rows = [
        (str(layer), f"{norm:.3g}", f"{share:.3f}", "█" * round(share / shares.max() * _BAR_CELLS))
        for layer, (norm, share) in enumerate(zip(norms, shares, strict=True))
    ]
    write_table(("LAYER", "NORM", "IN RESIDUAL NORMS", ""), rows)


@command.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--layer", type=click.IntRange(0), help="From 0.  [default: the one that is steered]")
@model_option
@json_option
def similarity(ids: tuple[str, ...], layer: int | None, model: str | None, as_json: bool) -> None:
    """Show how alike vectors are, in cosines.

    1 is the same direction, 0 has nothing in common. Without ids, of all there are.
    """
    import numpy as np

    from billy_mlx.blend.blend import Blend
    from billy_mlx.blend.directions import directions

    _, vectors = _load(list(dict.fromkeys(ids)), model)
    blend = Blend(((next(iter(vectors)), 1.0),), layers=None if layer is None else (layer,))
    (at_layer,) = directions(blend, vectors).by_layer  # the default there is, or a layer that exists
    values = np.stack([vector.directions[at_layer] for vector in vectors.values()])
    units = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
    cosines: list[list[float]] = (units @ units.T).tolist()
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


def _identify(model: str | None) -> "tuple[str, Fingerprint]":
    from billy_mlx.model.load import identify

    with waiting("Looking at the model ..."):
        return identify(model)


def _load(ids: Sequence[str], model: str | None) -> "tuple[Fingerprint, Mapping[str, PersonaVector]]":
    """Return the vectors of `ids`, or all there are, for a model."""
    from billy_mlx.extraction.library import find_all, load_vectors

    model_id, fingerprint = _identify(model)
    wanted = ids or list(find_all(fingerprint))
    if not wanted:
        raise UsageError(f"There is no persona vector for {model_id} yet; run: billy extract --all --model {model_id}")
    return fingerprint, load_vectors(wanted, model_id, fingerprint)


def _whose(row: Mapping[str, Any]) -> str:
    if row["transferred"]:
        return "other weights"
    return "yours" if Path(row["path"]).is_relative_to(paths.vectors_folder()) else "bundled"


def _summary(vector: "PersonaVector", path: Path, fingerprint: "Fingerprint") -> dict[str, Any]:
    transferred = vector.is_transferred_to(fingerprint)
    return {"persona_id": vector.persona_id, **asdict(vector.origin), "transferred": transferred, "path": str(path)}

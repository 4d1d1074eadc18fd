"""billy vectors export: a persona vector or a blend in a file, for llama.cpp or for another billy."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from billy_mlx.cli.options import model_option
from billy_mlx.cli.output import say, waiting, write_line
from billy_mlx.cli.vector_warnings import say_single_layers
from billy_mlx.errors import CardError, UsageError
from billy_mlx.paths import expanded
from billy_mlx.vectors.card import Persona, get_persona

if TYPE_CHECKING:
    from billy_mlx.blend.blend import Blend
    from billy_mlx.model.fingerprint import Fingerprint
    from billy_mlx.vectors.vector import PersonaVector

_EXAMPLES = """\b
billy vectors export --blend noir:0.6+lyrical:0.4 -o harbour.gguf         (for llama.cpp)
billy vectors export --blend noir:0.6+lyrical:0.4 -o harbour.safetensors  (for another billy)
"""


@click.command("export", epilog=_EXAMPLES)
@click.argument("persona_id", metavar="[ID]", required=False)
@click.option("--blend", metavar="BLEND", help="A whole blend instead, at its dose.")
@click.option("-o", "--output", metavar="FILE", required=True, help="Ends in .gguf or .safetensors, which it becomes.")
@model_option
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def export(persona_id: str | None, blend: str | None, output: str, model: str | None, force: bool) -> None:
    """Write a persona vector or a blend to a file.

    .gguf is a control vector for llama.cpp: what the blend adds at each layer, or what a persona alone adds at a dose
    of 1. .safetensors is a vector's own file, or a bundle of all that the blend needs: cards, vectors, strengths.
    stdout gets the file.
    """
    if (persona_id is None) == (blend is None):
        raise UsageError("Name one persona, or a blend with --blend (and not both)")
    file = expanded(output)
    if file.suffix not in (".gguf", ".safetensors"):
        raise UsageError(f"{file} is to become a file of no known kind; let its name end in .gguf or .safetensors")
    if file.exists() and not force:
        raise UsageError(f"{file} exists; choose another name, or --force to replace it")
    from billy_mlx.blend.blend import Blend
    from billy_mlx.files import write_atomically
    from billy_mlx.vectors.library import load_vectors
    from billy_mlx.vectors.vector_file import save_vector

    parsed = None if blend is None else Blend.parse(blend)
    model_id, fingerprint = _identify(model)
    vectors = load_vectors([persona_id or ""] if parsed is None else parsed.persona_ids, model_id, fingerprint)
    if file.suffix == ".gguf":
        whole = _own_blend(next(iter(vectors.values()))) if parsed is None else parsed
        write_atomically(file, _control_vector(file, vectors, whole, fingerprint))
    elif parsed is not None:
        write_atomically(file, _bundle(vectors, parsed, model_id))
    else:
        save_vector(next(iter(vectors.values())), file)
    write_line(str(file))


def _control_vector(
    file: Path, vectors: "Mapping[str, PersonaVector]", blend: "Blend", fingerprint: "Fingerprint"
) -> bytes:
    from billy_mlx.blend.directions import directions
    from billy_mlx.formats.vectors.control_vector import control_vector_bytes

    if blend.norm_preserving:
        raise UsageError("A control vector cannot say /np, and llama.cpp keeps no norms; leave it out of the blend")
    by_layer = directions(blend, vectors).by_layer
    steered = [layer for layer, direction in by_layer.items() if direction.any()]
    if not steered:
        raise UsageError(f"{file} would be empty: {blend} steers nothing")
    if 0 in steered:
        others = replace(blend, layers=tuple(layer for layer in steered if layer > 0) or (1,))
        raise UsageError(f"{blend} steers layer 0, which no control vector can; leave it out, as in --blend {others}")
    say(f"adds what {blend} does, at {_in_words(steered)}, for a strength of 1")
    if not blend.everywhere:
        say("llama.cpp adds it at every token, the prompt's too, and not from the answer on")
    say_single_layers([blend], vectors)
    return control_vector_bytes(by_layer, fingerprint.architecture)


def _own_blend(vector: "PersonaVector") -> "Blend":
    """Return what a vector alone does at full dose; one that came from another tool's file, what it does there."""
    from billy_mlx.blend.blend import Blend, Mode

    return Blend(((vector.persona_id, 1.0),), mode=Mode.LAYERED if vector.is_difference else Mode.RAW)


def _in_words(layers: list[int]) -> str:
    first, last = min(layers), max(layers)
    if len(layers) == 1:
        return f"layer {first}"
    whole = len(layers) == last - first + 1
    return f"layers {first} to {last}" if whole else f"layers {', '.join(map(str, sorted(layers)))}"


def _bundle(vectors: "Mapping[str, PersonaVector]", blend: "Blend", model_id: str) -> bytes:
    from billy_mlx.extraction.difference import versions
    from billy_mlx.vectors.bundle import bundle_bytes

    cards = _cards(vectors)
    made = {"model_id": model_id, "versions": versions(), "date": date.today().isoformat()}
    return bundle_bytes(vectors, cards, str(blend), made)


def _cards(persona_ids: Iterable[str]) -> dict[str, Persona]:
    """Return the cards that there are: a vector from another tool has none, and a bad one is left out."""
    cards = {}
    for persona_id in persona_ids:
        try:
            cards[persona_id] = get_persona(persona_id)
        except CardError as error:
            say(f"left out: {error}")
        except UsageError:
            say(f"{persona_id} has no card: its vector goes without one")
    return cards


def _identify(model: str | None) -> "tuple[str, Fingerprint]":
    from billy_mlx.model.load import identify

    with waiting("Looking at the model ..."):
        return identify(model)

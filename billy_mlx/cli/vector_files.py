"""billy vectors import and export: vectors, traits and bundles as files, of other tools and for them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from billy_mlx import paths
from billy_mlx.cli.loading import identified
from billy_mlx.cli.options import model_option
from billy_mlx.cli.output import say, write_line
from billy_mlx.cli.vector_report import say_single_layers
from billy_mlx.errors import BillyError, CardError, UsageError, VectorError
from billy_mlx.vectors.card import PERSONA_ID, Persona, get_persona, is_bundled

if TYPE_CHECKING:
    from billy_mlx.blend.blend import Blend
    from billy_mlx.model.fingerprint import Fingerprint
    from billy_mlx.vectors.bundle import Bundle
    from billy_mlx.vectors.vector import Floats, PersonaVector
    from billy_mlx.vectors.vector_import import FilesOpened

_IMPORT_EXAMPLES = """\b
billy vectors import optimism.gguf --model org/model       (llama.cpp, repeng)
billy vectors import evil_response_avg_diff.pt --id evil   (persona_vectors)
billy vectors import v_pref.pt h_norms.json                (hidden-directions)
"""
_EXPORT_EXAMPLES = """\b
billy vectors export --blend noir:0.6+lyrical:0.4 -o harbour.gguf         (for llama.cpp)
billy vectors export --blend noir:0.6+lyrical:0.4 -o harbour.safetensors  (for another billy)
"""


@click.command("import", epilog=_IMPORT_EXAMPLES)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--id", "persona_id", metavar="ID", help="What to call it.  [default: after the file]")
@click.option("--name", metavar="TEXT", help="Of the card that a trait becomes.  [default: the id in words]")
@model_option
@click.option("--force", is_flag=True, help="Take the place of a vector that is there.")
def import_(files: tuple[str, ...], persona_id: str | None, name: str | None, model: str | None, force: bool) -> None:
    """Import persona vectors from other tools' files, and bundles.

    Reads control vectors (.gguf), tensors of persona_vectors and hidden-directions (.pt), traits of persona_vectors
    (.json) and what billy vectors export writes. Nothing in a file is run. stdout gets what is stored.
    """
    from billy_mlx.vectors.vector_import import open_files

    opened = open_files(dict.fromkeys(paths.expanded(file) for file in files))
    ids = _ids([each.path for each in opened.foreign], persona_id, force)
    personas = _personas(opened, persona_id, name, force)
    foreign = _as_vectors(opened, ids, model)
    blends = [_blend_of(bundle, model) for bundle in opened.bundles]
    bundled = [vector for bundle in opened.bundles for vector in bundle.vectors.values()]
    for vector in (*foreign, *bundled):
        _is_there(vector, force)  # before anything is written
    for persona in personas:
        _write_trait(persona)
    for bundle in opened.bundles:
        _install_cards(bundle)
    _store([*foreign, *bundled], force)
    for vector in foreign:
        _say_how(vector, model)
    for bundle, blend in zip(opened.bundles, blends, strict=True):
        made_for = next(iter(bundle.vectors.values())).origin.model_id
        say(f"made for {made_for}: to write with it, run: billy generate -p TEXT --blend {blend}")


def _ids(files: Sequence[Path], persona_id: str | None, force: bool) -> dict[Path, str]:
    """Return the id of what each of `files` becomes, which are vectors or are cards."""
    if persona_id is not None and files:
        if len(files) > 1:
            raise UsageError(f"--id names one of them, and there are {len(files)}; import them one by one")
        if not PERSONA_ID.fullmatch(persona_id):
            raise UsageError(f"{persona_id[:80]!r} cannot be an id; use a-z, 0-9, - and _, and begin with a letter")
        return {files[0]: persona_id}
    ids = {file: re.sub(r"[^a-z0-9_-]+", "-", file.stem.lower()).strip("-_")[:64] for file in files}
    for file, slug in ids.items():
        if not slug:
            raise UsageError(f"{file.name} does not give an id; name one with --id")
        if is_bundled(slug) and not force:
            raise UsageError(
                f"{file.name} would be {slug}, which is a bundled persona; give it another id with --id, or --force "
                "it to be that one"
            )
    if len(set(ids.values())) < len(ids):
        raise UsageError("Two of these files would have the same id; import them one by one with --id")
    return ids


def _personas(opened: "FilesOpened", persona_id: str | None, name: str | None, force: bool) -> list[Persona]:
    """Return what the cards of the traits say."""
    if persona_id is not None and not (opened.traits or opened.foreign):
        raise UsageError("What is in a bundle has ids already; leave out --id")
    if name is not None and not opened.traits:
        raise UsageError("Only the card of a trait has a name, and there is no trait; a vector has an id: use --id")
    ids = _ids([each.path for each in opened.traits], persona_id, force)
    folder = paths.personas_folder()
    return [each.as_persona(ids[each.path], name or _id_in_words(ids[each.path]), folder) for each in opened.traits]


def _as_vectors(opened: "FilesOpened", ids: Mapping[Path, str], model: str | None) -> "list[PersonaVector]":
    """Return the vectors of other tools' files, as those of a model."""
    from billy_mlx.vectors.vector_import import doubt_about, to_vector

    if len(opened.norms) > 1 or (opened.norms and not opened.foreign):
        raise UsageError("A table of residual norms goes with a vector; give one of them together with its .pt")
    if not opened.foreign:
        return []
    model_id, fingerprint = identified(model)
    norms = _residual_norms(opened, model_id, fingerprint)
    vectors = [to_vector(each, ids[each.path], model_id, fingerprint, norms) for each in opened.foreign]
    for each in opened.foreign:
        doubt = doubt_about(each, model_id, fingerprint)
        if doubt is not None:
            say(f"{doubt}: unless you know better, name the model it was made for with --model")
    return vectors


def _residual_norms(opened: "FilesOpened", model_id: str, fingerprint: "Fingerprint") -> "Floats | None":
    """Return the model's residual norms from the file that was given, or from a vector there is; say which."""
    from billy_mlx.vectors.vector_import import measured_norms

    if opened.norms:
        return opened.norms[0].as_layers(model_id, fingerprint.layers)
    found = measured_norms(model_id, fingerprint)
    if found is None:
        say(
            f"nothing says what the residual norms of {model_id} are, so that only the modes raw and paper work, with "
            f"a dose such as @1a, unless you extract a persona first and import again with --force; "
            f"run: billy extract noir --model {model_id}"
        )
        return None
    say(f"residual norms are a model's own: those of {model_id} are taken from its vector of {found[0]}")
    return found[1]


def _blend_of(bundle: "Bundle", model: str | None) -> "Blend":
    """Return the blend of a bundle, or of a vector that came alone, once it is clear that it can be used."""
    from billy_mlx.blend.blend import DEFAULT_MODE, Blend, Mode

    if model is not None:
        model_id, fingerprint = identified(model)
        for vector in bundle.vectors.values():
            vector.require_base(model_id, fingerprint)
    if not bundle.blend:
        persona_id, alone = next(iter(bundle.vectors.items()))
        return Blend(((persona_id, 1.0),), mode=DEFAULT_MODE if alone.is_difference else Mode.RAW)
    try:
        blend = Blend.stored(bundle.blend)
    except BillyError as error:
        raise VectorError(f"{bundle.path} cannot be imported: its blend cannot be read: {error}") from error
    missing = [persona_id for persona_id in blend.persona_ids if persona_id not in bundle.vectors]
    if missing:
        raise VectorError(f"{bundle.path} cannot be imported: it has no vector of {missing[0]}, which its blend needs")
    return blend


def _is_there(vector: "PersonaVector", force: bool) -> Path | None:
    """Return the file that just this vector has already; UsageError if another one has its place and is to keep it."""
    from billy_mlx.vectors.vector_import import holds, rival_of

    rival = rival_of(vector)
    if rival is None or holds(rival, vector):
        return rival
    if not force:
        raise UsageError(
            f"{vector.persona_id} has another vector for {vector.origin.model_id} in {rival}; give the new one another "
            "id with --id, or --force it to be used instead"
        )
    return None


def _write_trait(persona: Persona) -> None:
    from billy_mlx.vectors.new_card import write_card

    write_card(persona.source, persona)
    write_line(str(persona.source))
    say("its questions and its prompts for the opposite are not taken over: all personas share ours")
    say(f"for its vector, run: billy extract {persona.id}")


def _install_cards(bundle: "Bundle") -> None:
    """Write the cards that are not there yet; one that says something else is kept."""
    from billy_mlx.vectors.new_card import write_card

    for persona_id, card in bundle.cards.items():
        try:
            kept = get_persona(persona_id) != card
        except UsageError:
            persona = replace(card, source=paths.personas_folder() / f"{persona_id}.toml")
            write_card(persona.source, persona)
            write_line(str(persona.source))
            continue
        except CardError:
            kept = True
        if kept:
            say(f"your card of {persona_id} differs from the one in {bundle.path.name} and is kept")


def _store(vectors: "Sequence[PersonaVector]", force: bool) -> None:
    from billy_mlx.vectors.library import store_vector

    for vector in vectors:
        there = _is_there(vector, force)  # two of these files may have brought it
        if there is None:
            write_line(str(store_vector(vector)))
        else:
            say(f"the vector of {vector.persona_id} is there already: {there}")


def _say_how(vector: "PersonaVector", model: str | None) -> None:
    """Say what to write with a vector from another tool."""
    persona_id, named = vector.persona_id, "" if model is None else f" --model {model}"
    if vector.origin.source.startswith("control vector"):
        what, blend = "to use it as llama.cpp does", f"{persona_id}/raw/all"
    elif vector.residual_norm is None:
        what, blend = "to write with it", f"{persona_id}@2a/paper"
    else:
        what, blend = "to write with it", f"{persona_id}/balanced"
    say(f"{what}, run: billy generate -p TEXT --blend {blend}{named}")


def _id_in_words(persona_id: str) -> str:
    return re.sub("[-_]+", " ", persona_id).strip().title()[:60]


@click.command("export", epilog=_EXPORT_EXAMPLES)
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
    file = paths.expanded(output)
    if file.suffix not in (".gguf", ".safetensors"):
        raise UsageError(f"{file} is to become a file of no known kind; let its name end in .gguf or .safetensors")
    if file.exists() and not force:
        raise UsageError(f"{file} exists; choose another name, or --force to replace it")
    from billy_mlx.blend.blend import Blend
    from billy_mlx.files import write_atomically
    from billy_mlx.vectors.library import read_vectors
    from billy_mlx.vectors.vector_file import save_vector

    parsed = None if blend is None else Blend.parse(blend)
    model_id, fingerprint = identified(model)
    vectors = read_vectors([persona_id or ""] if parsed is None else parsed.persona_ids, model_id, fingerprint)
    if file.suffix == ".gguf":
        whole = _own_blend(next(iter(vectors.values()))) if parsed is None else parsed
        write_atomically(file, _control_vector(vectors, whole, fingerprint))
    elif parsed is not None:
        write_atomically(file, _bundle(vectors, parsed, model_id))
    else:
        save_vector(next(iter(vectors.values())), file)
    write_line(str(file))


def _control_vector(vectors: "Mapping[str, PersonaVector]", blend: "Blend", fingerprint: "Fingerprint") -> bytes:
    from billy_mlx.blend.control_vector import control_vector

    content, steered = control_vector(blend, vectors, fingerprint.architecture)
    say(f"adds what {blend} does, at {_layers_in_words(steered)}, for a strength of 1")
    if not blend.everywhere:
        say("llama.cpp adds it at every token, the prompt's too, and not from the answer on")
    say_single_layers([blend], vectors)
    return content


def _own_blend(vector: "PersonaVector") -> "Blend":
    """Return what a vector alone does at full dose; one that came from another tool's file, what it does there."""
    from billy_mlx.blend.blend import Blend, Mode

    return Blend(((vector.persona_id, 1.0),), mode=Mode.LAYERED if vector.is_difference else Mode.RAW)


def _layers_in_words(layers: Sequence[int]) -> str:
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

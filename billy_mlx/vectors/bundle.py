"""A blend in one file: its personas' cards and vectors, what they were calibrated to, and where all of it came from.

A safetensors file. A tensor is named "noir/persona_vector", and the metadata has `vector.noir`, a JSON object of what
a vector's own file has there, `card.noir`, the card in TOML, and `format`, `blend`, `model_id`, `versions`, `date`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.numpy

from billy_mlx.errors import CardError
from billy_mlx.formats.vectors.limits import refusal, require_file
from billy_mlx.text import sanitize
from billy_mlx.toml_file import MAX_BYTES as MAX_CARD_BYTES
from billy_mlx.vectors.card import PERSONA_ID, Persona, parse_card
from billy_mlx.vectors.new_card import card_text
from billy_mlx.vectors.vector import Floats, PersonaVector
from billy_mlx.vectors.vector_file import FORMAT as VECTOR_FORMAT
from billy_mlx.vectors.vector_file import FORMERLY as VECTOR_FORMERLY
from billy_mlx.vectors.vector_file import MAX_FILE_BYTES, formerly, from_content, load_vector, to_content

FORMAT = "billy-bundle-2"
FORMERLY = "billy-bundle-1"
"""Bundles of the first version: their vectors are of the first version as well."""
MOST_VECTORS = 64

_VECTOR, _CARD = "vector.", "card."
_ALWAYS = {"persona_vector", "projection_scale"}
_PERHAPS = {"neutral_mean", "residual_norm", "reading_vector"}
_MOST_METADATA = 1 << 20  # characters, of one vector
_MOST_TEXT = 10_000


@dataclass(frozen=True, eq=False)
class Bundle:
    """What a file holds; of a single vector's own file, that vector.

    Attributes:
        vectors: by persona id, all of one base model.
        cards: of those personas that have one.
        blend: in its text form, which nothing here has read; "" where there is none.
        made: of which model, by what and when, in words: `model_id`, `versions`, `date`.
    """

    path: Path
    vectors: Mapping[str, PersonaVector]
    cards: Mapping[str, Persona]
    blend: str = ""
    made: Mapping[str, str] = field(default_factory=dict)


def bundle_bytes(
    vectors: Mapping[str, PersonaVector], cards: Mapping[str, Persona], blend: str, made: Mapping[str, str]
) -> bytes:
    """Return the file of a bundle of at least one vector; the arguments are what `Bundle` has."""
    metadata = {"format": FORMAT, "blend": blend, **made}
    tensors: dict[str, Floats] = {}
    for persona_id, vector in vectors.items():
        arrays, said = to_content(vector)
        tensors |= {f"{persona_id}/{name}": array for name, array in arrays.items()}
        metadata[_VECTOR + persona_id] = json.dumps(said)
    metadata |= {_CARD + persona_id: card_text(persona) for persona_id, persona in cards.items()}
    return safetensors.numpy.save(tensors, metadata)


def read_bundle(path: Path) -> Bundle:
    """Read a bundle, or the file of a single vector.

    Raises:
        VectorError: the file is missing, damaged, holds something else, or one of its vectors cannot be one.
        CardError: a card in it breaks a rule.
    """
    require_file(path, MAX_FILE_BYTES, "a bundle")
    try:
        with safetensors.safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") in (FORMAT, FORMERLY):
                vectors = {each: _vector(file, each, metadata) for each in _ids(file, metadata)}
            else:
                vectors = _single(path, metadata)
    except OSError as error:
        raise refusal(path, error.strerror or str(error)) from error
    except (safetensors.SafetensorError, ValueError, RecursionError) as error:
        raise refusal(path, str(error)) from error
    _require_one_base(path, vectors)
    made = {name: sanitize(metadata.get(name, ""))[:2000] for name in ("model_id", "versions", "date")}
    blend = sanitize(metadata.get("blend", ""))[:_MOST_TEXT]
    return Bundle(path, vectors, _cards(path, metadata, vectors), blend, made)


def _single(path: Path, metadata: Mapping[str, str]) -> dict[str, PersonaVector]:
    found = metadata.get("format", "nothing known")
    if found not in (VECTOR_FORMAT, VECTOR_FORMERLY):
        raise ValueError(f"it says it is {sanitize(found)[:60]!r}, neither {VECTOR_FORMAT!r} nor {FORMAT!r}")
    vector = load_vector(path)
    return {vector.persona_id: vector}


def _ids(file: Any, metadata: Mapping[str, str]) -> dict[str, None]:
    """Return the ids of the vectors in their order; ValueError if the tensors are not those of just these vectors."""
    ids = dict.fromkeys(key.removeprefix(_VECTOR) for key in sorted(metadata) if key.startswith(_VECTOR))
    if not 1 <= len(ids) <= MOST_VECTORS:
        raise ValueError(f"it says it holds {len(ids)} vectors, and a bundle has 1 to {MOST_VECTORS}")
    for persona_id in ids:
        if not PERSONA_ID.fullmatch(persona_id):
            raise ValueError(f"{sanitize(persona_id)[:80]!r} in it cannot be a persona's id")
    for name in list(file.keys()):
        persona_id, _, part = name.partition("/")
        if persona_id not in ids or part not in _ALWAYS | _PERHAPS:
            raise ValueError(f"it holds {sanitize(name)[:80]!r}, which is no part of its vectors")
        # Before it is read: NumPy has no types for some that a file may hold.
        if file.get_slice(name).get_dtype() != "F32":
            raise ValueError(f"{name} is {file.get_slice(name).get_dtype()}, not F32")
    return ids


def _vector(file: Any, persona_id: str, metadata: Mapping[str, str]) -> PersonaVector:
    stored = set(file.keys())
    names = {part for part in _ALWAYS | _PERHAPS if f"{persona_id}/{part}" in stored}
    if not names >= _ALWAYS:
        raise ValueError(f"the vector of {persona_id} in it has only {', '.join(sorted(names)) or 'no tensors'}")
    text = metadata[_VECTOR + persona_id]
    said = json.loads(text) if len(text) <= _MOST_METADATA else None
    if not isinstance(said, dict) or not all(isinstance(value, str) for value in said.values()):
        raise ValueError(f"what it says of the vector of {persona_id} is not an object of texts")
    arrays = {part: file.get_tensor(f"{persona_id}/{part}") for part in sorted(names)}
    vector = from_content(arrays, formerly(said, arrays) if metadata.get("format") == FORMERLY else said)
    if vector.persona_id != persona_id:
        raise ValueError(f"what it has as the vector of {persona_id} says it is that of {vector.persona_id}")
    return vector


def _require_one_base(path: Path, vectors: Mapping[str, PersonaVector]) -> None:
    fingerprints = [vector.fingerprint for vector in vectors.values()]
    if len({(each.base, each.layers, each.width) for each in fingerprints}) > 1:
        raise refusal(path, "its vectors belong to different models")


def _cards(path: Path, metadata: Mapping[str, str], vectors: Mapping[str, PersonaVector]) -> dict[str, Persona]:
    cards = {}
    for key in sorted(metadata):
        persona_id = key.removeprefix(_CARD)
        if not key.startswith(_CARD):
            continue
        if persona_id not in vectors:
            raise refusal(path, f"it has a card for {sanitize(persona_id)[:80]!r}, and no vector")
        if len(metadata[key].encode(errors="replace")) > MAX_CARD_BYTES:
            raise refusal(path, f"its card of {persona_id} is larger than {MAX_CARD_BYTES // 1024} KiB")
        try:
            cards[persona_id] = parse_card(Path(f"{persona_id}.toml"), metadata[key])
        except CardError as error:
            raise CardError(f"{sanitize(str(path))} has a card that cannot be used: {error}") from error
    return cards

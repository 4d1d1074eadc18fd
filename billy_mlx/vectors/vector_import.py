"""Files of other tools, and bundles: what they hold, told by their first bytes, and what vector or card comes of it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from billy_mlx.errors import CardError, VectorError, VectorMismatch
from billy_mlx.formats.vectors.control_vector import ControlVector, read_control_vector
from billy_mlx.formats.vectors.hidden_directions import Norms, read_norms
from billy_mlx.formats.vectors.limits import LARGEST, read_json, read_start, refusal, require_file
from billy_mlx.formats.vectors.torch_file import TensorRows, read_rows
from billy_mlx.model.fingerprint import Fingerprint
from billy_mlx.text import sanitize
from billy_mlx.vectors.bundle import Bundle, read_bundle
from billy_mlx.vectors.card import PROMPTS_PER_PERSONA, Persona, parse_card
from billy_mlx.vectors.library import find_all, vector_path
from billy_mlx.vectors.new_card import card_text
from billy_mlx.vectors.vector import Floats, Origin, PersonaVector, find_fault
from billy_mlx.vectors.vector_file import MAX_FILE_BYTES, load_vector, to_content

_LONGEST_HEADER = 1 << 30  # of safetensors; eight letters, read as such a length, are more

_MOST_RUBRIC = 1500  # characters, of a card


@dataclass(frozen=True)
class Trait:
    """A trait of the tool persona_vectors: the prompts that ask for it, and the judge's instructions.

    Attributes:
        questions: how many of them the file has.
    """

    path: Path
    prompts: tuple[str, ...]
    rubric: str | None
    questions: int

    def as_persona(self, persona_id: str, name: str, folder: Path) -> Persona:
        """Return the persona that a card in `folder` would say; CardError if it cannot be one.

        The prompts that ask for the opposite are not on it, since the neutral pole is shared by all personas, and
        neither are the questions.
        """
        persona = Persona(
            id=persona_id,
            name=name,
            description=f"A trait that came from {' '.join(sanitize(self.path.name).split())[:100]}.",
            group="imported",
            prompts=self.prompts,
            rubric=self.rubric,
            license="not stated",
            author="not stated",
            subject_words=(),
            source=folder / f"{persona_id}.toml",
        )
        try:
            return parse_card(persona.source, card_text(persona))
        except CardError as error:
            raise CardError(f"{sanitize(str(self.path))} cannot become a card: {error}") from error


@dataclass(frozen=True)
class FilesOpened:
    """What files hold, by kind; `foreign` are the vectors of other tools, which belong to no model yet."""

    foreign: list[ControlVector | TensorRows] = field(default_factory=list)
    traits: list[Trait] = field(default_factory=list)
    norms: list[Norms] = field(default_factory=list)
    bundles: list[Bundle] = field(default_factory=list)


def open_files(files: Iterable[Path]) -> FilesOpened:
    """Return what `files` hold; VectorError and CardError as for `open_file`."""
    opened = FilesOpened()
    for path in files:
        match open_file(path):
            case ControlVector() | TensorRows() as vector:
                opened.foreign.append(vector)
            case Trait() as trait:
                opened.traits.append(trait)
            case Norms() as norms:
                opened.norms.append(norms)
            case Bundle() as bundle:
                opened.bundles.append(bundle)
    return opened


def open_file(path: Path) -> ControlVector | TensorRows | Trait | Norms | Bundle:
    """Return what the file at `path` holds.

    Raises:
        VectorError: it is missing, damaged, too large, or of none of the formats there are.
        CardError: it is a trait or holds a card, and a rule is broken.
    """
    require_file(path, MAX_FILE_BYTES, "a file to import")
    head = read_start(path, 64)
    if head.startswith(b"GGUF"):
        return read_control_vector(path)
    # Before the two below: the length of a header may begin with any byte.
    if int.from_bytes(head[:8], "little") < _LONGEST_HEADER and head[8:9] == b"{":
        return read_bundle(path)
    if head.startswith((b"PK", b"\x80")):  # a zip, and the pickle that older versions wrote
        return read_rows(path)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        document = read_json(path)
        return read_trait(path, document) if is_trait(document) else read_norms(path, document)
    raise refusal(
        path, "it is none of: control vector (.gguf), tensor of PyTorch (.pt), trait or norms (.json), bundle"
    )


def is_trait(document: object) -> bool:
    """Whether a JSON document is meant to be a trait."""
    return isinstance(document, dict) and "instruction" in document


def read_trait(path: Path, document: dict[str, Any]) -> Trait:
    """Return the trait in a JSON document.

    Raises:
        CardError: it has another number of instructions than a card has prompts, or they are not text.
        VectorError: what it tells the judge is not text.
    """
    pairs, questions = document["instruction"], document.get("questions", [])
    count = len(pairs) if isinstance(pairs, list) else 0
    if count != PROMPTS_PER_PERSONA:
        raise CardError(
            f"{sanitize(str(path))} has {count} instructions, and a card has {PROMPTS_PER_PERSONA} prompts; leave that "
            "many in it"
        )
    prompts = [pair["pos"] for pair in pairs if isinstance(pair, dict) and isinstance(pair.get("pos"), str)]
    if len(prompts) < count:
        raise CardError(f"{sanitize(str(path))} has an instruction whose pos is not text; write it in quotes")
    told = document.get("eval_prompt")
    if told is not None and not isinstance(told, str):
        raise refusal(path, "its eval_prompt is not text")
    return Trait(
        path=path,
        prompts=tuple(sanitize(prompt) for prompt in prompts),
        rubric=None if told is None else _rubric(sanitize(told)),
        questions=len(questions) if isinstance(questions, list) else 0,
    )


def _rubric(told: str) -> str | None:
    """Return what an answer of the trait shows: the judge's prompt up to where the question and the answer come in."""
    placeholder = re.search(r"\{(question|answer)\}", told)
    text = told.strip()
    if placeholder is not None:
        before = told[: placeholder.start()]
        text = (before.rpartition("\n\n")[0] or before).strip()  # the paragraph they are in introduces them
    if len(text) > _MOST_RUBRIC:
        text = text[:_MOST_RUBRIC].rpartition(" ")[0] or text[:_MOST_RUBRIC]
    return text or None


def to_vector(
    foreign: ControlVector | TensorRows,
    persona_id: str,
    model_id: str,
    fingerprint: Fingerprint,
    residual_norm: Floats | None,
) -> PersonaVector:
    """Return the vector that another tool's file is for a model; what the file does not say is unknown.

    Args:
        residual_norm: (layers,) of the model, None if nobody knows.

    Raises:
        VectorMismatch: it does not fit the model.
        VectorError: a number is not finite or too large, or all are zero.
    """
    tool, directions = _fitted(foreign, model_id, fingerprint)
    source = f"{tool}: {sanitize(foreign.path.name)}"
    vector = PersonaVector(
        persona_id=persona_id,
        fingerprint=fingerprint,
        origin=Origin(model_id=model_id, date=date.today().isoformat(), source=source),
        directions=directions,
        neutral_mean=None,
        residual_norm=residual_norm,
        projection_scale=np.linalg.norm(np.clip(directions, -LARGEST, LARGEST), axis=-1),
    )
    fault = find_fault(vector)
    if fault is not None:
        raise refusal(foreign.path, fault)
    if not directions.any():
        raise refusal(foreign.path, "it holds nothing but zeros")
    return vector


def doubt_about(foreign: ControlVector | TensorRows, model_id: str, fingerprint: Fingerprint) -> str | None:
    """Return what speaks against a file being for that model although it may fit, as a sentence, or None."""
    if isinstance(foreign, ControlVector) and foreign.contradicts(fingerprint.architecture):
        name = sanitize(foreign.path.name)
        return f"{name} says it is for {foreign.model_hint}, but {model_id} is {fingerprint.architecture}"
    return None


def _fitted(foreign: ControlVector | TensorRows, model_id: str, fingerprint: Fingerprint) -> tuple[str, Floats]:
    """Return which tool wrote a file, and its directions (layers, D): the number of rows of a `.pt` tells."""
    layers, width = fingerprint.layers, fingerprint.width
    if isinstance(foreign, ControlVector):
        return "control vector", foreign.as_layers(model_id, layers, width)
    name, (count, own) = sanitize(str(foreign.path)), foreign.values.shape
    remedy = "name the model it was made for with --model"
    if own != width:
        raise VectorMismatch(f"{name} has rows of width {own}, but {model_id} has {width}; {remedy}")
    if count == layers + 1:
        return "persona_vectors", _without_embedding(foreign.values)
    if count == layers:
        return "hidden-directions", foreign.values  # row B is block B
    raise VectorMismatch(
        f"{name} has {count} rows, but {model_id} has {layers} layers, for which there are {layers} or {layers + 1}; "
        f"{remedy}"
    )


def _without_embedding(rows: Floats) -> Floats:
    """Return (layers, D) of what persona_vectors stores, (layers + 1, D): block B is row B + 1, and the last is zero.

    Its rows are the hidden states of transformers: the embedding, then the output of every block, of which the last has
    gone through the model's final norm and is no longer what the last block hands on.
    """
    return np.concatenate([rows[1:-1], np.zeros_like(rows[:1])])


def rival_of(vector: PersonaVector) -> Path | None:
    """Return the file, the user's or a bundled one, that is found for just that persona and model until now."""
    found = find_all(vector.fingerprint).get(vector.persona_id)
    place = vector_path(vector.persona_id, vector.fingerprint)
    return found if found is not None and found.parent.name == place.parent.name else None


def holds(path: Path, vector: PersonaVector) -> bool:
    """Whether the file at `path` is that of this very vector."""
    try:
        arrays, metadata = to_content(load_vector(path))
    except VectorError:
        return False
    own_arrays, own_metadata = to_content(vector)
    same = arrays.keys() == own_arrays.keys() and all(np.array_equal(arrays[name], own_arrays[name]) for name in arrays)
    return same and metadata == own_metadata


def measured_norms(model_id: str, fingerprint: Fingerprint) -> tuple[str, Floats] | None:
    """Return whose vector says what the model's residual norms (layers,) are, and the norms; None if none does.

    They are the model's own, whatever the persona, and count only where they were measured here.
    """
    for persona_id, path in find_all(fingerprint).items():
        try:
            vector = load_vector(path)
            vector.require_base(model_id, fingerprint)
        except VectorError:
            continue  # what is wrong with it is said where it is used
        if vector.residual_norm is not None and vector.neutral_mean is not None:
            return persona_id, vector.residual_norm
    return None

"""The persona vectors there are for a model: the user's own, those that come with the program, and any in memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import billy_mlx.personas
from billy_mlx import paths
from billy_mlx.errors import BillyError, UsageError, VectorError
from billy_mlx.model.fingerprint import Fingerprint
from billy_mlx.text import sanitize
from billy_mlx.vectors.card import PERSONA_ID, get_persona
from billy_mlx.vectors.vector import PersonaVector
from billy_mlx.vectors.vector_file import from_content, load_vector, save_vector, to_content

if TYPE_CHECKING:
    from billy_mlx.model.model import Model

_BUNDLED = Path(billy_mlx.personas.__path__[0]) / "vectors"

_SHOWN = 6  # ids that a sentence names

_ALWAYS = ("persona_vector", "projection_scale")


def vector_path(persona_id: str, fingerprint: Fingerprint, root: Path | None = None) -> Path:
    """Where the vector of a persona for a model is kept, below `root` or among the user's own."""
    folder = (paths.vectors_folder() if root is None else root) / _folder_name(fingerprint)
    return folder / f"{persona_id}.safetensors"


def find_all(fingerprint: Fingerprint, root: Path | None = None) -> dict[str, Path]:
    """Return persona id to file for every vector that fits the model, sorted by id; no file is read.

    Where there are several of a persona, it is the one that serves best: of these very weights, else of another
    quantisation of the same base; the user's own before the bundled. With `root` only those below it count.
    """
    roots = (_BUNDLED, paths.vectors_folder()) if root is None else (root,)
    folders = [folder for each in roots for folder in each.glob(f"{fingerprint.base}-*")]
    # The last one found wins.
    exact = _folder_name(fingerprint)
    folders.sort(key=lambda folder: (folder.name == exact, folder.parent != _BUNDLED, folder.name))
    found: dict[str, Path] = {}
    for folder in folders:
        # What else lies there is nobody's persona: the ._ files of macOS, names with an escape in them.
        found |= {path.stem: path for path in folder.glob("*.safetensors") if PERSONA_ID.fullmatch(path.stem)}
    return dict(sorted(found.items()))


def load_vectors(model: "Model", persona_ids: Iterable[str], root: Path | None = None) -> dict[str, PersonaVector]:
    """Return the vectors of personas for a loaded model, by id, from where `find_all` finds them.

    Raises:
        UsageError: there is no such persona, or the model does not come first.
        VectorError: a persona has no vector for this model yet, or its file is damaged or another persona's.
    """
    if isinstance(persona_ids, str):
        raise UsageError(f"the ids are the text {persona_ids[:80]!r}; give a list of them, such as ['noir']")
    if not hasattr(model, "fingerprint"):
        raise UsageError(f"a {type(model).__name__} is no model; call load_vectors(model, persona_ids)")
    return read_vectors(persona_ids, model.id, model.fingerprint, root)


def read_vectors(
    persona_ids: Iterable[str], model_id: str, fingerprint: Fingerprint, root: Path | None = None
) -> dict[str, PersonaVector]:
    """Return the vectors of personas for a model that need not be loaded, by id, from where `find_all` finds them.

    Raises:
        UsageError: there is no such persona.
        VectorError: a persona has no vector for this model yet, or its file is damaged or another persona's.
    """
    found = find_all(fingerprint, root)
    vectors = {}
    for persona_id in persona_ids:
        if persona_id not in found:
            get_persona(persona_id)  # an unknown name is another mistake than a missing vector
            raise VectorError(
                f"{persona_id} is not prepared for {model_id} yet; prepare it in the voices panel, or run: "
                f"billy extract {persona_id} --model {model_id}"
            )
        vectors[persona_id] = _load(found[persona_id])
        vectors[persona_id].require_base(model_id, fingerprint)
    return vectors


def is_bundled(path: Path) -> bool:
    """Whether a vector's file came with the program."""
    return path.is_relative_to(_BUNDLED)


def card_changed(vector: PersonaVector) -> bool:
    """Whether a vector's card is another one than it was extracted with, as far as both are known."""
    try:
        now = get_persona(vector.persona_id).card_hash
    except BillyError:  # there is none, or none that can be read
        return False
    return vector.origin.card_hash not in ("", now)


def _load(path: Path) -> PersonaVector:
    vector = load_vector(path)
    if vector.persona_id != path.stem:
        raise VectorError(f"{path} holds the vector of {vector.persona_id}; rename the file or extract it again")
    return vector


def store_vector(vector: PersonaVector, root: Path | None = None) -> Path:
    """Keep `vector` below `root`, or among the user's own, and return its file."""
    path = vector_path(vector.persona_id, vector.fingerprint, root)
    save_vector(vector, path)
    return path


def _folder_name(fingerprint: Fingerprint) -> str:
    return f"{fingerprint.base}-{fingerprint.weights}"


@dataclass(frozen=True)
class Formerly:
    """The user's own vectors for a model that the version before has made, sorted.

    Attributes:
        of_cards: ids of those that were extracted from a card.
        of_texts: ids of those that are a voice of the user's own text.
    """

    of_cards: tuple[str, ...] = ()
    of_texts: tuple[str, ...] = ()

    @property
    def ids(self) -> frozenset[str]:
        """All of them."""
        return frozenset((*self.of_cards, *self.of_texts))

    def sentence(self, model_id: str) -> str | None:
        """Return how many there are and what to run, without an end; None if there are none."""
        count = len(self.ids)
        if not count:
            return None
        were, work, them = ("was", "works", "it") if count == 1 else ("were", "work", "them")
        return (
            f"{count} of your voices {were} prepared by an older version, and {work} as before; to prepare {them} "
            f"again, run: {'; '.join(self._commands(model_id))}"
        )

    def _commands(self, model_id: str) -> list[str]:
        named = " ".join(self.of_cards) if len(self.of_cards) <= _SHOWN else "--all"
        cards = [f"billy extract {named} --model {model_id}"] if self.of_cards else []
        texts = [f"billy extract --from-text FILE --name {each} --model {model_id}" for each in self.of_texts[:_SHOWN]]
        return cards + texts


def formerly_made(fingerprint: Fingerprint) -> Formerly:
    """Return which of the user's own vectors for a model the version before has made; their files are read."""
    return formerly({each.persona_id: each for each in _own(fingerprint)})


def formerly(vectors: Mapping[str, PersonaVector]) -> Formerly:
    """Return which of these vectors the version before has made."""
    former = sorted(persona_id for persona_id, vector in vectors.items() if vector.is_former)
    of_texts = tuple(persona_id for persona_id in former if vectors[persona_id].origin.source)
    return Formerly(tuple(persona_id for persona_id in former if persona_id not in of_texts), of_texts)


def _own(fingerprint: Fingerprint) -> list[PersonaVector]:
    found = []
    for path in find_all(fingerprint).values():
        if not is_bundled(path):
            try:
                found.append(load_vector(path))
            except BillyError:  # said where it is used
                continue
    return found


def accept_vectors(
    vectors: Mapping[str, PersonaVector], model_id: str, fingerprint: Fingerprint
) -> dict[str, PersonaVector]:
    """Return `vectors` as they would come from disk had each been saved under its id: float32, and checked.

    Args:
        vectors: by the id that a blend calls each by, whatever its own persona_id; shapes and units are those of
            `PersonaVector`, the floats may be of any size.

    Raises:
        UsageError: it is no mapping, an id is not one that a persona can have, or a value is not a PersonaVector.
        VectorMismatch: a vector is of another base model.
        VectorError: an array has another shape than the model or is not of floats, a number in it is not finite or
            too large, or what a vector says was measured of it cannot be.
    """
    require_vectors(vectors)
    return {persona_id: _accepted(persona_id, vectors[persona_id], model_id, fingerprint) for persona_id in vectors}


def _accepted(persona_id: str, vector: PersonaVector, model_id: str, fingerprint: Fingerprint) -> PersonaVector:
    _require_id(persona_id)
    named = replace(vector, persona_id=persona_id)
    named.require_base(model_id, fingerprint)
    try:
        _require_floats(named)
        with np.errstate(over="ignore"):  # what float32 cannot hold is then not finite, and refused as such
            content = to_content(named)
        return from_content(*content)
    except ValueError as error:
        raise VectorError(f"the vector given as {persona_id} cannot be used: {error}") from error


def require_vectors(vectors: object) -> None:
    """Raise UsageError unless these are vectors under names."""
    if not isinstance(vectors, Mapping):
        raise UsageError(
            f"vectors is a {type(vectors).__name__}; give each vector under an id, such as vectors={{'mine': vector}}"
        )
    for name, vector in vectors.items():
        if not isinstance(vector, PersonaVector):
            raise UsageError(f"{name} is given a {type(vector).__name__}; give it a PersonaVector")


def _require_id(persona_id: object) -> None:
    if not isinstance(persona_id, str) or not PERSONA_ID.fullmatch(persona_id):
        shown = sanitize(repr(persona_id)[:80])
        raise UsageError(f"{shown} cannot be the id of a vector; ids are lower-case letters, digits, - and _")


def _require_floats(vector: PersonaVector) -> None:
    for name, array in (dict.fromkeys(_ALWAYS) | vector.tensors).items():
        if not isinstance(array, np.ndarray):
            raise ValueError(f"{name} is a {type(array).__name__}, not a NumPy array of floats")
        if array.dtype.kind != "f":
            raise ValueError(f"{name} is of {array.dtype}, not of floats")

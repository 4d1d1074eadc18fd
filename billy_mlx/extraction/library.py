"""The persona vectors there are for a model: the user's own first, then those that come with the program."""

from collections.abc import Iterable
from pathlib import Path

import billy_mlx.personas
from billy_mlx import paths
from billy_mlx.errors import BillyError, VectorError
from billy_mlx.extraction.card import PERSONA_ID, get_persona
from billy_mlx.extraction.vector import PersonaVector
from billy_mlx.extraction.vector_file import load_vector, save_vector
from billy_mlx.model.fingerprint import Fingerprint

_BUNDLED = Path(billy_mlx.personas.__path__[0]) / "vectors"


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


def load_vectors(
    persona_ids: Iterable[str], model_id: str, fingerprint: Fingerprint, root: Path | None = None
) -> dict[str, PersonaVector]:
    """Return the vectors of personas for a model, from where `find_all` finds them.

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

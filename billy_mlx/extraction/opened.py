"""Files to import, told by their first bytes, not by their names."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from billy_mlx.extraction.bundle import Bundle, read_bundle
from billy_mlx.extraction.trait import Trait, is_trait, read_trait
from billy_mlx.extraction.vector_file import MAX_FILE_BYTES
from billy_mlx.formats.vectors.control_vector import ControlVector, read_control_vector
from billy_mlx.formats.vectors.hidden_directions import Norms, read_norms
from billy_mlx.formats.vectors.limits import read_json, read_start, refusal, require_file
from billy_mlx.formats.vectors.torch_file import TensorRows, read_rows

_LONGEST_HEADER = 1 << 30  # of safetensors; eight letters, read as such a length, are more


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

"""Which model this is: METHOD.md, section 6.

Two parts, so that a vector can follow a model into another quantisation and nowhere else: `base` is the shape and the
tokenizer, `weights` the stored numbers themselves. Dequantising happens at load and changes neither.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from billy_mlx.model.config import Config, layer_count, residual_width
from billy_mlx.model.layers import Shape
from billy_mlx.model.weights import StoredTensor, stored_tensors

_SAMPLE_BYTES = 64
_DIGITS = 16  # of hexadecimal: folder names are made of them


@dataclass(frozen=True)
class Fingerprint:
    """A model's identity; two models are the same if both hashes are."""

    architecture: str
    layers: int
    width: int
    vocabulary: int
    base: str
    weights: str


def fingerprint(folder: Path, config: Config, vocabulary: Mapping[str, int], shape: Shape | None = None) -> Fingerprint:
    """Return the fingerprint of the model stored in `folder`.

    Args:
        folder: holds the weights, in safetensors files.
        config: what its config.json holds.
        vocabulary: token -> id, of the tokenizer.
        shape: of the model that mlx-lm makes of it; without one, or a width in it, what the config says.

    Raises:
        ModelError: the weights are damaged, or nothing gives the model's shape.
    """
    architecture = str(config["model_type"])
    layers = layer_count(config) if shape is None else shape.layers
    width = residual_width(config) if shape is None or shape.width is None else shape.width
    base = base_hash(architecture, layers, width, vocabulary)
    return Fingerprint(architecture, layers, width, len(vocabulary), base, weights_hash(folder))


def adapted_fingerprint(bare: Fingerprint, digest: str) -> Fingerprint:
    """Return the fingerprint of a model with an adapter: that of other weights, of the same base.

    Args:
        bare: of the model without it.
        digest: a hash over all that the adapter does.
    """
    weights = hashlib.sha256(f"{bare.weights}\0{digest}".encode()).hexdigest()[:_DIGITS]
    return replace(bare, weights=weights)


def base_hash(architecture: str, layers: int, width: int, vocabulary: Mapping[str, int]) -> str:
    """Return a hash over what all quantisations of a model share: its shape and its tokens in their order."""
    # By id, then by token: two sorts are twice as fast as one by pairs.
    tokens = sorted(sorted(vocabulary), key=vocabulary.__getitem__)
    base = hashlib.sha256("\0".join([architecture, str(layers), str(width), *tokens]).encode(errors="surrogatepass"))
    return base.hexdigest()[:_DIGITS]


def weights_hash(folder: Path) -> str:
    """Return a hash over names, types, shapes and three samples of each tensor's bytes.

    Independent of the order of headers, which mlx does not fix, and of how the tensors are spread over files.
    """
    tensors = stored_tensors(folder)
    samples: dict[str, bytes] = {}
    for file, group in groupby(sorted(tensors, key=attrgetter("file", "start")), key=attrgetter("file")):
        with file.open("rb", buffering=0) as stream:
            samples |= {tensor.name: _sample(stream.fileno(), tensor) for tensor in group}
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(f"{tensor.name}\0{tensor.dtype}\0{tensor.shape}\0".encode(errors="surrogatepass"))
        digest.update(samples[tensor.name])
    return digest.hexdigest()[:_DIGITS]


def _sample(descriptor: int, tensor: StoredTensor) -> bytes:
    """Bytes from the start, the middle and the end."""
    last = max(tensor.start, tensor.end - _SAMPLE_BYTES)
    length = min(_SAMPLE_BYTES, tensor.end - tensor.start)
    places = (tensor.start, (tensor.start + last) // 2, last)
    return b"".join(os.pread(descriptor, length, place) for place in places)

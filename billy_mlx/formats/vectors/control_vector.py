"""Control vectors in GGUF files, as llama.cpp, repeng and the packs for creative writing have them.

A file holds `direction.N`, (D,) float32, for some N >= 1; it is added to what block N hands on, counted from 0, at
every token. Block 0 cannot be expressed. The rule is llama.cpp's: `common_control_vector_load` in common/common.cpp
puts `direction.N` at place N - 1 of a buffer, times the strength, adds up several files, and refuses a whole file for
`direction.0` or any other tensor; `llama_adapter_cvec::apply` in src/llama-adapter.cpp gives block il what lies at
place il - 1, and `build_cvec` adds that behind the block's feed-forward part. It looks at no metadata.
"""

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np

from billy_mlx.errors import ModelError, VectorError, VectorMismatch
from billy_mlx.formats.gguf.header import GGUFHeader, GGUFTensor, read_header
from billy_mlx.formats.gguf.tensors import read_tensor
from billy_mlx.formats.vectors.limits import Floats, refusal, require_file
from billy_mlx.text import sanitize

MAX_FILE_BYTES = 1 << 24
"""The largest models there are take half of it (126 layers of 16384), and a header that fills it takes six seconds."""

_ARCHITECTURE = "controlvector"
_KINDS = ("F32", "F16")  # llama.cpp reads the first only
_NAME = re.compile(r"direction\.(0|[1-9][0-9]{0,5})")


@dataclass(frozen=True, eq=False)
class ControlVector:
    """What a file holds: a direction (D,) float32 per block, and the kind of model it says it is for, if it says so."""

    path: Path
    by_layer: Mapping[int, Floats]
    model_hint: str | None

    def as_layers(self, model_id: str, layers: int, width: int) -> Floats:
        """Return the directions as (layers, D) float32, zero where the file has none.

        Raises:
            VectorMismatch: they do not fit a model of so many layers and that width.
        """
        own = next(iter(self.by_layer.values())).size
        if own != width:
            raise VectorMismatch(
                f"{self._name} has directions of width {own}, but {model_id} has {width}; "
                "name the model it was made for with --model"
            )
        if max(self.by_layer) >= layers:
            raise VectorMismatch(
                f"{self._name} has a direction for layer {max(self.by_layer)}, but {model_id} has {layers} layers, "
                f"from 0 to {layers - 1}; name the model it was made for with --model"
            )
        directions = np.zeros((layers, width), np.float32)
        for layer, direction in self.by_layer.items():
            directions[layer] = direction
        return directions

    @property
    def _name(self) -> str:
        return sanitize(str(self.path))

    def contradicts(self, architecture: str) -> bool:
        """Whether the file says that it is for another kind of model than `architecture`."""
        return self.model_hint is not None and _spelling(self.model_hint) != _spelling(architecture)


def read_control_vector(path: Path) -> ControlVector:
    """Read a control vector, F32 or F16, whatever architecture its metadata names.

    Raises:
        VectorError: the file is missing, damaged, too large, or holds something that llama.cpp would refuse.
    """
    require_file(path, MAX_FILE_BYTES, "a control vector (for a model there is: billy model import)")
    try:
        header = read_header(path)
        by_layer = {_layer(header, tensor): _direction(header, tensor) for tensor in header.tensors.values()}
    except ModelError as error:
        raise VectorError(" ".join(sanitize(str(error)).split())) from error
    if not by_layer:
        raise refusal(path, "it holds no direction")
    if len({direction.size for direction in by_layer.values()}) > 1:
        raise refusal(path, "its directions are not of one width")
    return ControlVector(path, dict(sorted(by_layer.items())), _model_hint(header.metadata))


def control_vector_bytes(by_layer: Mapping[int, Floats], architecture: str) -> bytes:
    """Return the file that llama.cpp reads as the directions of `by_layer`, layer 0 and zeros left out.

    Args:
        by_layer: layer to (D,) float32; at least one beside 0 is not zero.
        architecture: the kind of model, such as llama.
    """
    tensors = {
        f"direction.{layer}": mx.array(np.ascontiguousarray(direction, np.float32))
        for layer, direction in sorted(by_layer.items())
        if layer > 0 and direction.any()
    }
    metadata: dict[str, Any] = {
        "general.architecture": _ARCHITECTURE,
        f"{_ARCHITECTURE}.model_hint": architecture,
        f"{_ARCHITECTURE}.layer_count": mx.array(len(tensors), mx.uint32),  # as repeng counts
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "vector.gguf"
        mx.save_gguf(str(file), tensors, metadata)
        return file.read_bytes()


def _layer(header: GGUFHeader, tensor: GGUFTensor) -> int:
    match = _NAME.fullmatch(tensor.name)
    if match is None:
        why = f"it holds {sanitize(tensor.name)[:80]!r}, and a control vector has only direction.N"
        raise refusal(header.path, f"{why}; a model is imported by: billy model import {header.path}")
    if match[1] == "0":
        raise refusal(header.path, "it has direction.0, which no control vector can: block 0 is never steered")
    return int(match[1])


def _direction(header: GGUFHeader, tensor: GGUFTensor) -> Floats:
    if tensor.kind not in _KINDS:
        raise refusal(header.path, f"{tensor.name} is {tensor.kind}, not {' or '.join(_KINDS)}")
    if any(size > 1 for size in tensor.shape[:-1]):
        raise refusal(header.path, f"{tensor.name} has the shape {tensor.shape}, not (width,)")
    return np.array(read_tensor(tensor, mx.float32)["weight"]).reshape(-1)


def _model_hint(metadata: Mapping[str, Any]) -> str | None:
    hint = metadata.get(f"{metadata.get('general.architecture')}.model_hint")
    return sanitize(hint)[:80] if isinstance(hint, str) and hint else None


def _spelling(architecture: str) -> str:
    """Return an architecture's name without what tools spell differently: qwen3_moe is qwen3moe in llama.cpp."""
    return re.sub(r"[^a-z0-9]", "", architecture.lower())

"""A GGUF file, or all parts of a split one, becomes an MLX model folder, whole or not at all."""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np

from billy_mlx.errors import ModelError
from billy_mlx.files import make_folder
from billy_mlx.formats.gguf.architecture import ROPE_FACTORS, model_config, stored_names
from billy_mlx.formats.gguf.header import GGUFHeader, read_model
from billy_mlx.formats.gguf.tensors import (
    BITS,
    FLOAT_KINDS,
    GROUP_SIZE,
    QUANTISED_AGAIN,
    SCALES_ROUNDED,
    changed_by,
    float_dtype,
    read_tensor,
    stored_bytes,
)
from billy_mlx.formats.gguf.tokenizer import GGUFTokenizer, read_tokenizer
from billy_mlx.model import memory

_SHARD_BYTES = 5 << 30
_NO_TEMPLATE = (
    "no chat template in the file: prompts are sent as plain text, which the model goes on from, with a system prompt "
    "before it"
)


@dataclass(frozen=True)
class ImportReport:
    """What came of an import.

    Attributes:
        source: the name of the file, or of the first part of a split one.
        sha256: of the file, or of all parts one after another: of what one file of them would be.
        kinds: counts the tensors by GGUF type.
        notes: say what is not as in the file, and what the file does without.
    """

    folder: Path
    source: str
    sha256: str
    architecture: str
    kinds: dict[str, int]
    notes: tuple[str, ...]


def import_gguf(
    source: Path,
    folder: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> ImportReport:
    """Make the MLX model folder `folder` of a Llama, Qwen 2 or Qwen 3 GGUF, all of it or nothing.

    Weights keep their values; what cannot be kept is in the notes. A folder made of the same file is left as it is.
    config.json says under "billy" what the folder was made of: "source", "sha256" and "notes" as in the report, and
    "files": {weight file: its sha256}.

    Args:
        source: a whole file, or any part of a split one, with the other parts beside it.
        progress: called after every tensor with the bytes written and their total.

    Raises:
        ModelError: the file cannot be read or used, the folder holds something else, or disk or memory are full.
    """
    header = read_model(source)
    digest = _sha256(*(header.parts or (source,)))
    job = _Import(header, digest, progress)
    try:
        if not folder.exists():
            _check_room(folder, job.total_bytes)
            memory.check_import(source, min(job.total_bytes, _SHARD_BYTES))
        if not make_folder(folder, job.write):
            _check_same(folder, digest)
    except (OSError, RuntimeError) as error:  # mlx says RuntimeError when it cannot write
        reason = error.strerror if isinstance(error, OSError) else error
        raise ModelError(
            f"{folder} was not made: {reason}; nothing is left of it: see that the disk has room and try again"
        ) from error
    return job.report(folder)


class _Import:
    """Everything that is known before the first byte is written, so that what is refused is refused at once."""

    def __init__(self, header: GGUFHeader, digest: str, progress: Callable[[int, int], None] | None) -> None:
        self._header, self._digest, self._progress = header, digest, progress
        self._config = model_config(header, _rope_factors(header))
        self._names = stored_names(header, self._config)
        self._tokenizer = read_tokenizer(header)
        tensors = [header.tensors[tensor] for tensor in self._names]
        tokens, rows = self._tokenizer.tokenizer.get_vocab_size(), self._config["vocab_size"]
        if tokens > rows:
            raise ModelError(f"{header.path} has {tokens:,} tokens and {rows:,} embeddings; get another file")
        self._dtype = float_dtype(tensors)
        self.total_bytes = sum(stored_bytes(tensor, self._dtype) for tensor in tensors)
        without = () if "chat_template" in self._tokenizer.config else (_NO_TEMPLATE,)
        self._notes = (*_notes(header, self._dtype), *without)

    def write(self, folder: Path) -> None:
        """Write the files of the model folder."""
        files = _save_shards(self._tensors(), folder)
        config = self._config | _token_ids(self._tokenizer)
        quantised = {
            name.removesuffix(".weight"): {"group_size": GROUP_SIZE, "bits": BITS[kind]}
            for tensor, name in self._names.items()
            if (kind := self._header.tensors[tensor].kind) in BITS
        }
        if quantised:
            bits = Counter(entry["bits"] for entry in quantised.values()).most_common(1)[0][0]
            config["quantization"] = {"group_size": GROUP_SIZE, "bits": bits, **quantised}
        sums = {file.name: _sha256(file) for file in files}
        origin = {"source": self._header.path.name, "sha256": self._digest, "files": sums, "notes": self._notes}
        _save_json(folder / "config.json", config | {"billy": origin})
        _save_json(folder / "generation_config.json", _token_ids(self._tokenizer))
        _save_json(
            folder / "tokenizer_config.json",
            self._tokenizer.config | {"model_max_length": config["max_position_embeddings"]},
        )
        (folder / "tokenizer.json").write_text(self._tokenizer.tokenizer.to_str(pretty=False), encoding="utf-8")

    def report(self, folder: Path) -> ImportReport:
        kinds = Counter(tensor.kind for tensor in self._header.tensors.values())
        source, architecture = self._header.path.name, self._config["model_type"]
        return ImportReport(folder, source, self._digest, architecture, dict(kinds), self._notes)

    def _tensors(self) -> Iterator[tuple[str, mx.array]]:
        done = 0
        for tensor, name in self._names.items():
            for part, array in read_tensor(self._header.tensors[tensor], self._dtype).items():
                done += array.nbytes
                yield f"{name.removesuffix('.weight')}.{part}" if name.endswith(".weight") else name, array
            if self._progress is not None:
                self._progress(done, self.total_bytes)


def _rope_factors(header: GGUFHeader) -> Any:
    tensor = header.tensors.get(ROPE_FACTORS)
    return None if tensor is None else np.array(read_tensor(tensor, mx.float32)["weight"])


def _notes(header: GGUFHeader, dtype: mx.Dtype) -> Iterator[str]:
    """What of the stored model is not exactly as in the file, a sentence each."""
    tensors = [tensor for name, tensor in header.tensors.items() if name != ROPE_FACTORS]
    for kind, count in Counter(tensor.kind for tensor in tensors).items():
        if kind in SCALES_ROUNDED:
            yield f"{_counted(count, kind)} with the same {BITS[kind]}-bit numbers, but scales rounded to float16"
        if kind in QUANTISED_AGAIN:
            yield f"{_counted(count, kind)} quantised again, in {BITS[kind]} bits with groups of {GROUP_SIZE}"
    rounded = [tensor for tensor in tensors if tensor.kind in FLOAT_KINDS and changed_by(tensor, dtype)]
    for kind, count in Counter(tensor.kind for tensor in rounded).items():
        yield f"{_counted(count, kind)} rounded to {str(dtype).removeprefix('mlx.core.')}"


def _counted(count: int, kind: str) -> str:
    return f"{count} {kind} tensor{'s' * (count != 1)}"


def _save_shards(tensors: Iterator[tuple[str, mx.array]], folder: Path) -> list[Path]:
    """Save `tensors` in files of at most 5 GB each and return these, under the names mlx-lm looks for."""
    shards: list[Path] = []
    held: dict[str, mx.array] = {}

    def save() -> None:
        shards.append(folder / f"shard-{len(shards) + 1}.safetensors")
        mx.save_safetensors(str(shards[-1]), held, {"format": "mlx"})
        held.clear()

    for name, array in tensors:
        if held and sum(other.nbytes for other in held.values()) + array.nbytes > _SHARD_BYTES:
            save()
        held[name] = array
    save()
    count = len(shards)
    names = [f"model-{number:05d}-of-{count:05d}.safetensors" for number in range(1, count + 1)]
    names = names if count > 1 else ["model.safetensors"]
    return [shard.rename(folder / name) for shard, name in zip(shards, names, strict=True)]


def _token_ids(tokenizer: GGUFTokenizer) -> dict[str, Any]:
    begin = {} if tokenizer.bos_id is None else {"bos_token_id": tokenizer.bos_id}
    return begin | {"eos_token_id": tokenizer.end_ids}


def _check_room(folder: Path, needed_bytes: int) -> None:
    place = next(parent for parent in folder.absolute().parents if parent.exists())
    free = shutil.disk_usage(place).free
    if needed_bytes > free:
        raise ModelError(f"{folder} needs {needed_bytes:,} bytes, {free:,} are free; make room and try again")


def _check_same(folder: Path, digest: str) -> None:
    """Refuse a folder that is there already unless it was made of the same file."""
    try:
        found = json.loads((folder / "config.json").read_bytes())["billy"]["sha256"]
    except (OSError, ValueError, TypeError, KeyError):
        found = None
    if found != digest:
        raise ModelError(f"{folder} holds something else already; move it away or give another folder")


def _sha256(*paths: Path) -> str:
    """Return the sum of the files, read one after another."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            hashlib.file_digest(file, lambda: digest)
    return digest.hexdigest()


def _save_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

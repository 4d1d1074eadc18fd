"""A model in several GGUF files, as llama.cpp splits large ones: NAME-00001-of-00003.gguf and so on.

The first part has the model's metadata, and every part some of the tensors. Each says which it is: `split.no` counts
from 0, `split.count` is how many parts there are, and `split.tensors.count` how many tensors they hold together.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from billy_mlx.errors import ModelError
from billy_mlx.formats.gguf.header import GGUFHeader, GGUFTensor, read_header

_MOST_PARTS = 4096
_PART = re.compile(r"-[0-9]{5}-of-[0-9]{5}$")


@dataclass(frozen=True)
class _Place:
    """Which part of a model a file says it is; `number` counts from 1, as names do."""

    number: int
    count: int
    tensors: int


def read_model(path: Path) -> GGUFHeader:
    """Return the header of the model in a GGUF file, or in all parts of it if the file is one of them.

    The other parts are looked for beside it, by their names. Of a split model the metadata and the path are those of
    the first part.

    Raises:
        ModelError: as for `read_header`; also a part that is missing, or that is no part of the same model.
    """
    given = read_header(path)
    place = _place(given)
    if place is None:
        return given
    parts = []
    for number, file in enumerate(_files(path, place), 1):
        part = given if number == place.number else read_header(file)
        _check(part, number, given, place)
        parts.append(part)
    tensors = _joined(parts)
    if len(tensors) != place.tensors:
        raise ModelError(
            f"{path} and its other parts hold {len(tensors):,} tensors instead of {place.tensors:,}; get them again"
        )
    return GGUFHeader(parts[0].path, parts[0].metadata, tensors, tuple(part.path for part in parts))


def model_name(path: Path) -> str:
    """Return what a GGUF file is called, the same for every part of a split one."""
    return _PART.sub("", path.stem)


def _place(header: GGUFHeader) -> _Place | None:
    """Return which part of a model a file is; None if it is a whole one, as those are that parts were merged into."""
    count = header.metadata.get("split.count", 0)
    if _is_within(count, 0, 1):
        return None
    number: Any = header.metadata.get("split.no")
    tensors: Any = header.metadata.get("split.tensors.count")
    if not (_is_within(count, 2, _MOST_PARTS) and _is_within(number, 0, count - 1) and _is_within(tensors, 1, 1 << 32)):
        raise ModelError(
            f"{header.path} is damaged: its header tells of a part that cannot be, split.no {_shown(number)} of "
            f"{_shown(count)} with {_shown(tensors)} tensors; get the file again"
        )
    return _Place(number + 1, count, tensors)


def _files(path: Path, place: _Place) -> list[Path]:
    """Return all parts' files, in their order; each is there."""
    ending = f"-{place.number:05d}-of-{place.count:05d}"
    this = f"{path} is one of {place.count:,} parts of a model"
    if not path.stem.endswith(ending):
        raise ModelError(
            f"{this}, but is not called NAME{ending}.gguf, so that the others are not found; give the parts the names "
            "they had and run the same command again"
        )
    names = [f"{model_name(path)}-{number:05d}-of-{place.count:05d}" for number in range(1, place.count + 1)]
    files = [path.with_name(f"{name}{path.suffix}") for name in names]
    missing = [file.name for file in files if not file.exists()]
    if missing:
        others = f" and {len(missing) - 1:,} more are" if len(missing) > 1 else " is"
        raise ModelError(
            f"{this}, and {missing[0]}{others} missing; put all parts into one folder and run the same command again"
        )
    return files


def _check(part: GGUFHeader, number: int, given: GGUFHeader, place: _Place) -> None:
    """Refuse a file that has the name of a part and is another, or belongs to another model."""
    found = _place(part)
    if found is None or (found.number, found.count) != (number, place.count):
        what = "a whole model" if found is None else f"part {found.number:,} of {found.count:,}"
        name = f"{part.path} is called part {number:,} of {place.count:,}"
        raise ModelError(f"{name}, but is {what}; get all parts from one place")
    if found.tensors != place.tensors:
        raise ModelError(
            f"{given.path} is a part of a model of {place.tensors:,} tensors, but {part.path.name} of one of "
            f"{found.tensors:,}; get all parts from one place"
        )


def _joined(parts: list[GGUFHeader]) -> dict[str, GGUFTensor]:
    tensors: dict[str, GGUFTensor] = {}
    for part in parts:
        for name, tensor in part.tensors.items():
            if name in tensors:
                both = f"{tensors[name].file} and {part.path.name}"
                raise ModelError(f"{both} both hold {name!r}; get all parts from one place")
            tensors[name] = tensor
    return tensors


def _is_within(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, int | float | None) else "a list or a text"

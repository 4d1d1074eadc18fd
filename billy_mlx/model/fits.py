"""Whether a model fits into memory, found without its weights: by its config.json and the headers of its files.

They are laid out as a folder with holes in the place of the weights. Whatever asks a model for its sizes asks this one
as it would the real one, and gets the same numbers.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten

from billy_mlx import paths
from billy_mlx.errors import ModelError, UsageError
from billy_mlx.model import backend, hub, load, memory
from billy_mlx.model.config import Config, context_length, residual_width
from billy_mlx.model.folder import shown
from billy_mlx.model.layers import Shape
from billy_mlx.model.trial import require_harmless
from billy_mlx.model.weights import FILES, StoredEntry, write_hollow

_DTYPES = {mx.bfloat16: "BF16", mx.float16: "F16", mx.float32: "F32", mx.uint32: "U32", mx.uint8: "U8"}


@dataclass(frozen=True)
class Needs:
    """What a model takes on this kind of machine, in bytes.

    Attributes:
        tokens: of each row, prompt and answer together; `rows` are written at once.
        download: what `billy model get` would fetch; None where there is nothing to fetch.
        weights: once loaded: in float32 on a CPU, as they are stored on Metal.
        loading: at the peak of loading.
        caches: of all rows, when they are as long as `tokens`.
        working: what else the rows take at their peak, as `check_rows` counts it.
    """

    model: str
    tokens: int
    rows: int
    download: int | None
    weights: int
    loading: int
    caches: int
    working: int

    @property
    def together(self) -> int:
        """At the peak."""
        return max(self.loading, self.weights + self.caches + self.working)

    def fit(self, available: int) -> str:
        """Whether so many bytes are enough: "yes", "just" where little is left for anything else, or "no"."""
        if self.together > available:
            return "no"
        return "yes" if self.together <= memory.ROOM * available else "just"


@dataclass(frozen=True, eq=False)
class Hollow:
    """A model without its weights; as `memory.Sized` has it."""

    model: nn.Module
    config: Config
    shape: Shape

    @cached_property
    def width(self) -> int:
        """D, the width of the residual stream."""
        return residual_width(self.config) if self.shape.width is None else self.shape.width


def needs_of(name: str, *, tokens: int | None, least: int, rows: int) -> Needs:
    """Return what a model takes.

    Args:
        name: a hub id, which is looked up on the hub if the model is not here; a model that `load` finds; or a path to
            a config.json.
        tokens: of each row; None for `least`, or as many as the model was made for if that is fewer.

    Raises:
        ModelError: it cannot be found, or is of a kind mlx-lm cannot run.
        UsageError: the model was not made for so many tokens.
    """
    with _laid_out(name) as place:
        settings = load.settings_of(place.folder)
        length = _length(place.name, settings, tokens, least)
        shape = require_harmless(place.folder, has_tokenizer=place.is_whole)
        network, completed = load.network_of(place.folder, lazily=True)
        caches = rows * memory.cache_bytes(network, length)
        return Needs(
            place.name,
            length,
            rows,
            place.download,
            weights=memory.weights_bytes(place.folder, settings, as_float32=backend.on_cpu()),
            loading=memory.loading_bytes(place.folder, settings),
            caches=caches,
            working=memory.rows_bytes(Hollow(network, completed, shape), rows, length) - caches,
        )


class _Place(NamedTuple):
    """Where a model is laid out; `is_whole` if that is the model itself."""

    name: str
    folder: Path
    download: int | None
    is_whole: bool


@contextmanager
def _laid_out(name: str) -> Iterator[_Place]:
    place = paths.expanded(name)
    is_config = place.name == "config.json" and place.is_file()
    if is_config and any(place.parent.glob(FILES)):
        name, is_config = str(place.parent), False
    is_remote = not place.exists() and name != load.STARTER and hub.is_hub_id(name) and hub.find(name) is None
    if not (is_config or is_remote):
        yield _Place(*load.find(name), None, is_whole=True)
        return
    with TemporaryDirectory(prefix="billy-") as made:
        folder, called = Path(made), str(place.resolve()) if is_config else name
        try:
            if is_config:
                shutil.copyfile(place, folder / place.name)
                write_hollow(folder / "model.safetensors", _entries(load.imagined(folder)))
            download = None if is_config else hub.describe(name, folder)
            yield _Place(called, folder, download, is_whole=False)
        except ModelError as error:
            raise ModelError(_in_its_place(str(error), made, place if is_config else Path(name))) from error
        except OSError as error:
            raise ModelError(f"{called} cannot be looked at: {error.strerror}; put that right and try again") from error


def _in_its_place(sentence: str, made: str, own: Path) -> str:
    """Return a sentence about a file that was laid out, told of the model that it stands for."""
    return sentence.replace(f"{made}/config.json", shown(own)).replace(made, shown(own))


def _entries(network: nn.Module) -> dict[str, StoredEntry]:
    """Return what the header of a file with a model's weights would say."""
    entries, end = {}, 0
    arrays: Any = tree_flatten(network.parameters())
    for name, array in arrays:
        start, end = end, end + array.nbytes
        entries[name] = StoredEntry(_DTYPES[array.dtype], array.shape, (start, end))
    return entries


def _length(name: str, settings: Config, tokens: int | None, least: int) -> int:
    most = context_length(settings)
    if tokens is None:
        return least if most is None else min(least, most)
    if most is not None and tokens > most:
        raise UsageError(f"{name} was made for {most:,} tokens, fewer than {tokens:,}; ask for no more than that")
    return tokens

"""What a job needs against what the machine has, before the backend finds out by aborting.

On the CPU mlx does not ask whether an allocation succeeded: where there is no more memory it dies of a segmentation
fault. So it has to be known before, with the limits of this process and of the container or job it runs in.
"""

import resource
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import mlx.core as mx
import mlx.nn as nn
import psutil
from mlx.utils import tree_reduce
from mlx_lm.generate import generation_stream
from mlx_lm.models.cache import make_prompt_cache
from mlx_lm.utils import maybe_set_recommended_wired_limit

from billy_mlx.errors import ModelError, is_of_memory
from billy_mlx.model import backend
from billy_mlx.model.cache import can_always_trim
from billy_mlx.model.config import Config, find_number
from billy_mlx.model.layers import Shape, bare
from billy_mlx.model.model import Model
from billy_mlx.model.weights import StoredTensor, stored_tensors

ROOM = 0.75
"""Of the memory there is, that a model may take and fit with ease: the rest is for what else a writer has open."""

_CHUNK = 256  # prompt tokens in one forward pass
_CACHE_STEP = 256  # positions by which mlx-lm's caches grow
# Bytes for every number of a row's directions: in float32 its own, its batch's, and those that these take the place of
# or are held back in; and the batch's as they are cast, which a stream of float32 does not need.
_DIRECTIONS = 3 * 4 + 2
# And of its streams, where they are averaged: the newest, at the start, weighted, and the sums before and after.
_AVERAGES = 6 * 4
_GROUP_SIZE = 32  # where a config has none that is possible
_LARGEST_GROUP = 1 << 16
# Beside the weights, while they are loaded on a CPU or imported: libraries, tokenizer and what is read ahead; and what
# the largest tensor is made of, as a share of it.
_BESIDE = 150_000_000
_OF_LARGEST = 0.75
_FUSED = 2  # such shares, while an adapter is added: what is added, and the sum
_SMALLER = "close other programs or choose a smaller model"
_HEADS = ("num_attention_heads", "n_heads", "n_head")

# Address space that a process with a model has taken beyond what it holds: the stacks and heaps of mlx's threads,
# 1,119 MB of it, 480 MB of which count as data.
_THREADS = {"as": 1_200_000_000, "data": 600_000_000}


class Sized(Protocol):
    """What has to be known of a model to say what its rows take: a loaded one, or one without its weights."""

    @property
    def model(self) -> nn.Module:
        """As mlx-lm has it; its weights are not asked for."""

    @property
    def config(self) -> Config:
        """Its config.json."""

    @property
    def shape(self) -> Shape:
        """Its sizes."""

    @property
    def width(self) -> int:
        """D, the width of the residual stream."""


def total_bytes() -> int:
    """The memory that the machine has, whatever may be taken of it."""
    return int(psutil.virtual_memory().total)


def available_bytes() -> int:
    """What can still be taken: of the GPU's working set on Metal; of the machine's memory, within limits, otherwise."""
    working_set = mx.device_info().get("max_recommended_working_set_size")
    if working_set is not None:
        return int(working_set) - mx.get_active_memory()
    return max(0, min([int(psutil.virtual_memory().available), *(limit.bytes for limit in limits())]))


def what_limits(available: int) -> str | None:
    """Return the name of the limit that leaves no more than `available` bytes, if any does."""
    return next((limit.name for limit in limits() if limit.bytes <= available), None)


def require(bytes_needed: int, what: str, remedy: str) -> None:
    """Do nothing if `bytes_needed` are there.

    Args:
        bytes_needed: at the peak of the job.
        what: needs them, as the subject of a sentence.
        remedy: what the user can do instead.

    Raises:
        ModelError: they are not; says how many are.
    """
    available = available_bytes()
    if bytes_needed > available:
        limit = what_limits(available)
        gigabytes = f"{ceil(bytes_needed / 1e8) / 10} GB of memory and {available // 10**8 / 10} GB are free"
        within, raised = ("", "") if limit is None else (f" within {limit}", ", or raise the limit")
        raise ModelError(f"{what} needs {gigabytes}{within}; {remedy}{raised}")


@contextmanager
def loading(name: str, folder: Path, config: Config, *, adapter: int = 0) -> Iterator[None]:
    """Return a context for loading a model, which is not entered if it does not fit into memory.

    Args:
        name: what it is called.
        folder: where it is.
        config: what its config.json holds.
        adapter: how many numbers are added to it.

    Raises:
        ModelError: it does not; its weights are damaged; or memory ran out all the same.
    """
    require(loading_bytes(folder, config, adapter), f"Loading {name}", _SMALLER)
    try:
        yield
    except (MemoryError, RuntimeError, ModelError) as error:
        if is_of_memory(error):
            raise ModelError(f"Loading {name} ran out of memory; {_SMALLER}") from error
        raise


def check_import(source: Path, held: int) -> None:
    """Do nothing if a file can be imported of which `held` bytes are in memory at once.

    Raises:
        ModelError: there is no memory for them.
    """
    require(held + _BESIDE, f"Importing {source}", _SMALLER)


def check_rows(model: Model, rows: int, tokens: int, *, prompts: int = 1, averaged: bool = False) -> None:
    """Do nothing if `rows` of `tokens` each, prompt and answer together, fit into memory beside the loaded model.

    Args:
        prompts: how many different prompts the rows have.
        averaged: their residual streams are, at every layer; otherwise every layer of every row may be steered.

    Raises:
        ModelError: they do not.
    """
    needed = rows_bytes(model, rows, tokens, prompts=prompts, averaged=averaged)
    require(needed, f"{rows} × {tokens:,} tokens with {model.id}", "take fewer rows at once or a shorter text")


def rows_bytes(model: Sized, rows: int, tokens: int, *, prompts: int = 1, averaged: bool = False) -> int:
    """Return what `rows` of `tokens` each take at their peak beside the loaded model; as `check_rows` has it."""
    # A cache grows in steps from wherever its prompt ended, so it can be all but a step longer than what it holds;
    # while a layer's grows, the old one is still there.
    caches = rows * cache_bytes(model.model, tokens + _CACHE_STEP)
    caches += caches // model.shape.layers
    if rows > 1 or not can_always_trim(make_prompt_cache(model.model)):
        # The prompts' own caches are still there when they are copied; only a row alone goes on in its prompt's.
        caches += prompts * cache_bytes(model.model, -(-tokens // _CACHE_STEP) * _CACHE_STEP)
    heads = find_number(model.config, _HEADS) or 1
    # Off Metal the attention scores of a chunk exist in full, and so do the logits with what sampling makes of them.
    scores = heads * min(_CHUNK, tokens) * tokens * 4 if backend.on_cpu() else 0
    logits = 4 * model.shape.outputs * 4
    return caches + rows * (scores + logits) + _layers_bytes(model, rows, averaged=averaged)


def _layers_bytes(model: Sized, rows: int, *, averaged: bool) -> int:
    """Return the size of what `rows` have for every layer beside their caches, (R, 1, D) arrays each."""
    return rows * model.shape.layers * model.width * (_AVERAGES if averaged else _DIRECTIONS)


def cache_bytes(model: nn.Module, tokens: int) -> int:
    """Return the size of one row's prompt cache after `tokens` tokens: keys, values and states.

    Measured on the model's own cache: a forward pass that is never evaluated gives its shapes and computes nothing.
    """
    cache = make_prompt_cache(model)
    with bare(model):
        model(mx.zeros((1, 2), mx.int32), cache=cache)
    return sum(_part_bytes(part, tokens) for layer in cache for part in getattr(layer, "caches", (layer,)))


def _part_bytes(part: Any, tokens: int) -> int:
    keys = getattr(part, "keys", None)
    if not isinstance(keys, mx.array):
        total: int = tree_reduce(lambda total, leaf: total + getattr(leaf, "nbytes", 0), part.state, 0)
        return total
    # (1, heads, positions, head width); a sliding window holds no more than its size.
    held = min(tokens, getattr(part, "max_size", None) or tokens)
    per_token: int = (keys.nbytes + part.values.nbytes) // keys.shape[2]
    return per_token * held


def weights_bytes(folder: Path, config: Config, *, as_float32: bool) -> int:
    """Return the size of the weights stored in `folder` once loaded: as they are, or all dequantised to float32.

    Raises:
        ModelError: the weights are damaged.
    """
    tensors = {tensor.name: tensor for tensor in stored_tensors(folder)}
    if not as_float32:
        return sum(tensor.end - tensor.start for tensor in tensors.values())
    return 4 * sum(_numbers(tensor, tensors, config) for tensor in tensors.values())


def loading_bytes(folder: Path, config: Config, adapter: int = 0) -> int:
    """Return what loading takes at its peak: on a CPU more than the weights, where they become float32.

    Args:
        adapter: how many numbers an adapter has.

    Raises:
        ModelError: the weights are damaged.
    """
    if not backend.on_cpu():
        return weights_bytes(folder, config, as_float32=False) + 4 * adapter
    tensors = {tensor.name: tensor for tensor in stored_tensors(folder)}
    largest = 4 * max((_numbers(tensor, tensors, config) for tensor in tensors.values()), default=0)
    share = _FUSED if adapter else _OF_LARGEST
    return weights_bytes(folder, config, as_float32=True) + int(share * largest) + 4 * adapter + _BESIDE


def _numbers(tensor: StoredTensor, tensors: Mapping[str, StoredTensor], config: Config) -> int:
    """How many float32 numbers a stored tensor becomes: a quantised weight is counted by its scales, one to a group."""
    layer, _, role = tensor.name.rpartition(".")
    if role == "scales":
        return tensor.elements * _group_size(layer, config)
    return 0 if f"{layer}.scales" in tensors and role in ("weight", "biases") else tensor.elements


def _group_size(layer: str, config: Config) -> int:
    quantization = config.get("quantization") or config.get("quantization_config")
    settings: Mapping[str, Any] = quantization if isinstance(quantization, Mapping) else {}
    own = settings.get(layer)
    size = (own if isinstance(own, Mapping) else settings).get("group_size")
    return size if type(size) is int and 0 < size <= _LARGEST_GROUP else _GROUP_SIZE


class Limit(NamedTuple):
    """What may still be taken before one limit is reached, and how that limit is called."""

    bytes: int
    name: str


def limits(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> list[Limit]:
    """Return the limits that hold for this process; on a Mac there are none."""
    return [*_of_process(), *_of_groups(proc, cgroups)] if sys.platform == "linux" else []


def _of_process() -> Iterator[Limit]:
    held = psutil.Process().memory_info()
    for kind, option, taken in (("as", "-v", held.vms), ("data", "-d", held.data)):
        most, _ = resource.getrlimit(getattr(resource, f"RLIMIT_{kind.upper()}"))
        if most != resource.RLIM_INFINITY:
            yield Limit(most - max(taken, held.rss + _THREADS[kind]), f"the limit of this shell (ulimit {option})")


def _of_groups(proc: Path, cgroups: Path) -> Iterator[Limit]:
    """Yield the memory limits of the control groups this process is in, of either version, and of those around them."""
    lines: list[str] = []
    with suppress(OSError):
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from _of_group(cgroups, path, ("memory.max", "memory.current"))
        elif "memory" in controllers.split(","):
            # "total_" are those of the groups within it too, as all that is counted here.
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
            yield from _of_group(cgroups / "memory", path, names, prefix="total_")


def _of_group(top: Path, path: str, names: tuple[str, str], prefix: str = "") -> Iterator[Limit]:
    own = top / path.lstrip("/")
    for folder in (own, *own.parents):
        if not folder.is_relative_to(top):
            return
        # A group without a limit says "max"; one of another namespace is not there.
        with suppress(OSError, ValueError):
            most, taken = (int((folder / name).read_text()) for name in names)
            stat = dict(line.partition(" ")[::2] for line in (folder / "memory.stat").read_text().splitlines())
            # Files that were read are given up when something else needs the room.
            files = sum(int(stat.get(f"{prefix}{kind}_file", 0)) for kind in ("inactive", "active"))
            yield Limit(most - taken + files, "the limit of this container or job")


class Wiring:
    """Keeps the model's memory wired while at least one generation runs.

    Generations may overlap and end in any order, so the first one sets the limit and the last one gives it back.
    """

    def __init__(self) -> None:
        self._running = 0
        self._before: int | None = None

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Return a context for one generation."""
        if self._running == 0:
            self._before = maybe_set_recommended_wired_limit()
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            if self._running == 0 and self._before is not None:
                mx.synchronize(generation_stream)
                mx.set_wired_limit(self._before)


wired = Wiring()
"""The limit belongs to the process, and so does this."""

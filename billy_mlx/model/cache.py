"""Prompt caches: which tokens need not be read again.

A cached token may be reused if and only if the direction that was added at its position is the one the new request
adds there. So every cache kept here was made under one direction at all of its tokens, and carries that direction's
key: the empty key for an unsteered prompt. What was written under steering and has become prompt is read again.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
from mlx.utils import tree_map
from mlx_lm.models.cache import CacheList, ConcatenateKVCache, KVCache, QuantizedKVCache, trim_prompt_cache

Cache = list[Any]

STORE_BYTES = 2 << 30
"""What is kept between requests at most; a prompt whose cache is larger is read again every time."""

# Those that can give up their last tokens at any time. A rotating cache no longer can once it has turned over, and a
# state-space model's never could: such a cache is copied before anything is added that may have to be taken back.
_ALWAYS_TRIMMABLE = (KVCache, QuantizedKVCache, ConcatenateKVCache)


def can_always_trim(cache: Cache) -> bool:
    """Whether tokens can be taken off the end of `cache`, however long it grows."""
    return all(
        can_always_trim(list(part.caches)) if isinstance(part, CacheList) else isinstance(part, _ALWAYS_TRIMMABLE)
        for part in cache
    )


def can_batch(cache: Cache) -> bool:
    """Whether several rows' caches can become one, so that the rows are decoded together."""
    return all(
        can_batch(list(part.caches)) if isinstance(part, CacheList) else hasattr(part, "merge") for part in cache
    )


def merge(caches: Sequence[Cache]) -> Cache:
    """Return one cache for the rows of `caches`; it shares nothing with them."""
    return [parts[0].merge(parts) for parts in zip(*caches, strict=True)]


def join(caches: Sequence[Cache]) -> Cache:
    """Return one cache for the rows of `caches`, which all hold as many tokens; it shares nothing with them.

    Needs no batched cache of mlx-lm's: a plain one may have several rows, as long as these are at the same place.
    """
    joined = copy.deepcopy(caches[0])
    for part, *parts in zip(joined, *caches, strict=True):
        part.state = tree_map(_joined, *(each.state for each in parts))
    return joined


def keep_rows(cache: Cache, places: Sequence[int]) -> None:
    """Have `cache` hold the rows at `places` only."""
    rows = mx.array(list(places))
    for part in cache:
        if hasattr(part, "filter"):
            part.filter(rows)
        else:
            part.state = tree_map(lambda leaf: leaf[rows] if isinstance(leaf, mx.array) else leaf, part.state)


def _joined(*leaves: Any) -> Any:
    return mx.concatenate(list(leaves)) if isinstance(leaves[0], mx.array) else leaves[0]


def nbytes(cache: Cache) -> int:
    """Return the bytes `cache` holds."""
    return sum(part.nbytes for part in cache)


@dataclass(eq=False)
class _Entry:
    tokens: tuple[int, ...]
    key: str
    cache: Cache


class PromptStore:
    """Caches of one model kept between requests, the least recently used dropped first.

    Args:
        max_bytes: bound on all that is kept, snapshots included.
    """

    def __init__(self, max_bytes: int = STORE_BYTES) -> None:
        self.max_bytes = max_bytes
        self._entries: list[_Entry] = []  # the newest last

    @property
    def nbytes(self) -> int:
        """Bytes held now."""
        return sum(nbytes(entry.cache) for entry in self._entries)

    def take(self, tokens: Sequence[int], key: str, *, branch: bool = False) -> tuple[Cache | None, int]:
        """Return a cache for a beginning of `tokens` made under `key`, and how many tokens it holds.

        The caller owns it. It is a deep copy, so that what is kept stays as it is; only an entry that fits as a whole
        and can be trimmed again later is handed over itself, unless this is a `branch`.
        """
        best, shared = None, 0
        for entry in reversed(self._entries):
            length = _common_prefix(entry.tokens, tokens) if entry.key == key else 0
            if length < len(entry.tokens) and not can_always_trim(entry.cache):
                continue
            if length > shared:
                best, shared = entry, length
        if best is None:
            return None, 0
        if shared == len(best.tokens) and can_always_trim(best.cache) and not branch:
            self._entries.remove(best)
            return best.cache, shared
        copied = copy.deepcopy(best.cache)
        if shared < len(best.tokens):
            trim_prompt_cache(copied, len(best.tokens) - shared)
        return copied, shared

    def put(self, tokens: Sequence[int], key: str, cache: Cache) -> None:
        """Keep `cache`, which holds exactly `tokens`, all under `key`. The caller gives it away."""
        tokens = tuple(tokens)
        if not tokens:
            return
        self._entries = [entry for entry in self._entries if (entry.tokens, entry.key) != (tokens, key)]
        self._entries.append(_Entry(tokens, key, cache))
        while self._entries and self.nbytes > self.max_bytes:
            self._entries.pop(0)

    def clear(self) -> None:
        """Let go of everything."""
        self._entries.clear()


def _common_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return i
    return min(len(a), len(b))

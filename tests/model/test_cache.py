"""The store: its bound, its rule, and copies that share nothing."""

import mlx.core as mx
import pytest
from mlx_lm.models.cache import ArraysCache, CacheList, KVCache, RotatingKVCache, make_prompt_cache

from billy_mlx.model.cache import PromptStore, can_always_trim, can_batch, nbytes


def cache_of(model, tokens):
    cache = make_prompt_cache(model.model)
    model.model(mx.array([tokens]), cache=cache)
    mx.eval([part.state for part in cache])
    return cache


def test_what_can_be_trimmed_at_any_time_and_what_can_be_batched():
    plain, mixed = [KVCache(), CacheList(KVCache(), KVCache())], [KVCache(), CacheList(ArraysCache(2), KVCache())]
    assert can_always_trim(plain)
    assert not can_always_trim(mixed)
    assert not can_always_trim([RotatingKVCache(8)])
    assert can_batch(plain)
    assert can_batch(mixed)
    assert not can_batch([object()])


def test_only_the_key_it_was_made_under_finds_a_cache(tiny):
    store = PromptStore()
    store.put([1, 2, 3], "noir", cache_of(tiny, [1, 2, 3]))
    assert store.take([1, 2, 3, 4], "") == (None, 0)
    assert store.take([1, 2, 3, 4], "noir")[1] == 3


def test_the_longest_beginning_is_taken(tiny):
    store = PromptStore()
    for tokens in ([1, 2], [1, 2, 3, 4], [9]):
        store.put(tokens, "", cache_of(tiny, tokens))
    assert store.take([1, 2, 3, 4, 5], "")[1] == 4


def test_a_state_that_cannot_be_trimmed_serves_only_as_a_whole(hybrid):
    store = PromptStore()
    store.put([1, 2, 3], "", cache_of(hybrid, [1, 2, 3]))
    assert store.take([1, 2, 9], "") == (None, 0)
    assert [store.take([1, 2, 3, 9], "")[1] for _ in range(2)] == [3, 3]


def test_a_branch_shares_nothing_with_what_stays(tiny):
    store = PromptStore()
    store.put([1, 2, 3, 4], "", cache_of(tiny, [1, 2, 3, 4]))
    branch, _ = store.take([1, 2, 7], "")
    tiny.model(mx.array([[7, 7, 7]]), cache=branch)
    kept, length = store.take([1, 2, 3, 4], "")
    fresh = cache_of(tiny, [1, 2, 3, 4])
    assert length == 4
    assert all(mx.array_equal(a.keys[..., :4, :], b.keys[..., :4, :]) for a, b in zip(kept, fresh, strict=True))


def test_the_oldest_goes_when_the_bound_is_passed(tiny):
    one = nbytes(cache_of(tiny, [1]))
    store = PromptStore(max_bytes=2 * one)
    for first in (1, 2, 3):
        store.put([first], "", cache_of(tiny, [first]))
    assert store.nbytes <= 2 * one
    assert [store.take([first], "")[1] for first in (1, 2, 3)] == [0, 1, 1]


@pytest.mark.parametrize("room", [0, 1])
def test_what_is_larger_than_the_bound_is_not_kept(tiny, room):
    store = PromptStore(max_bytes=room)
    store.put([1, 2], "", cache_of(tiny, [1, 2]))
    assert store.nbytes == 0

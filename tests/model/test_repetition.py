"""DRY and n-gram bans, against hand-made cases and the plainest way of counting."""

from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.model.sample import breaker_tokens, penalties
from billy_mlx.model.sampling import Sampling

NONE = frozenset()
DRY = Sampling(dry_multiplier=0.8, dry_base=2.0, dry_allowed_length=2)
contexts = st.lists(st.integers(0, 3), max_size=40)


def test_the_token_after_a_repeated_run_is_made_unlikely_by_the_length_of_the_run():
    assert penalties([1, 2, 3, 4, 9, 1, 2, 3], DRY, NONE) == {4: -0.8 * 2.0}


def test_a_run_shorter_than_allowed_is_let_be():
    assert penalties([3, 4, 9, 3], DRY, NONE) == {}


def test_a_run_does_not_reach_over_a_breaker():
    assert penalties([1, 2, 3, 4, 9, 1, 2, 3], DRY, frozenset({2})) == {}
    assert penalties([1, 2, 3, 4, 9, 1, 2, 3], DRY, frozenset({1})) == {4: -0.8}


def test_a_long_loop_gives_a_finite_penalty():
    assert penalties([1, 2] * 1000, Sampling(dry_multiplier=1.0, dry_base=10.0), NONE)[1] > -float("inf")


def test_breakers_are_all_tokens_with_a_breaker_in_them():
    assert breaker_tokens(["a", ".\n", "b:", " c"]) == {1, 2}


@given(contexts, st.integers(1, 5))
def test_no_ngram_comes_twice(context, n):
    banned = penalties(context, Sampling(no_repeat_ngram=n), NONE)
    seen = [tuple(context[i : i + n]) for i in range(len(context) - n + 1)]
    tail = tuple(context[len(context) - n + 1 :]) if len(context) >= n else None
    assert set(banned) == {gram[-1] for gram in seen if tail is not None and gram[:-1] == tail}


@given(contexts)
def test_dry_equals_comparing_every_place_with_the_end(context):
    longest = {}
    for i in range(1, len(context)):
        length = 0
        while length < i and context[i - 1 - length] == context[len(context) - 1 - length]:
            length += 1
        longest[context[i]] = max(longest.get(context[i], 0), length)
    expected = {token: -0.8 * 2.0 ** (length - 2) for token, length in longest.items() if length >= 2}
    assert penalties(context, DRY, NONE) == expected

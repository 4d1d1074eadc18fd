"""Penalties on repeated runs of tokens: the two that must see the tokens on the host."""

from collections.abc import Sequence

from billy_mlx.model.sampling import Sampling

_BREAKERS = ("\n", ":", '"', "*")


def penalties(context: Sequence[int], sampling: Sampling, breakers: frozenset[int]) -> dict[int, float]:
    """Return what to add to the next token's logits, by token, given the tokens so far."""
    found: dict[int, float] = {}
    if sampling.dry_multiplier > 0:
        found |= _dry(context[-sampling.dry_range :], sampling, breakers)
    if sampling.no_repeat_ngram > 0:
        found |= dict.fromkeys(_repeated(context, sampling.no_repeat_ngram), -float("inf"))
    return found


def breaker_tokens(texts: Sequence[str]) -> frozenset[int]:
    """Return the tokens at which a repeated run ends, given the text of every token of the vocabulary."""
    return frozenset(token for token, text in enumerate(texts) if any(breaker in text for breaker in _BREAKERS))


def _repeated(context: Sequence[int], n: int) -> set[int]:
    """Return the tokens that would end an n-gram already in `context`."""
    if len(context) < n:
        return set()
    tail = tuple(context[len(context) - n + 1 :])
    return {context[i + n - 1] for i in range(len(context) - n + 1) if tuple(context[i : i + n - 1]) == tail}


def _dry(context: Sequence[int], sampling: Sampling, breakers: frozenset[int]) -> dict[int, float]:
    """Return the DRY ("don't repeat yourself") penalties.

    Each token that once followed a run with which the text ends again gets
    multiplier * base ** (length of the run - allowed length), for the longest such run.
    """
    backwards = list(reversed(context))
    until_breaker = next((i for i, token in enumerate(backwards) if token in breakers), len(backwards))
    found: dict[int, float] = {}
    for i, length in enumerate(_common_prefixes(backwards)):
        length = min(length, until_breaker)
        if i > 0 and length >= sampling.dry_allowed_length:
            # An exponent of 64 is beyond any logit; without a bound a long loop overflows.
            strength = sampling.dry_multiplier * sampling.dry_base ** min(length - sampling.dry_allowed_length, 64)
            follower = backwards[i - 1]
            found[follower] = min(found.get(follower, 0.0), -strength)
    return found


def _common_prefixes(tokens: Sequence[int]) -> list[int]:
    """Return for each i how many tokens from i on equal those from the start: the Z function, in linear time."""
    lengths = [0] * len(tokens)
    left = right = 0
    for i in range(1, len(tokens)):
        length = min(right - i, lengths[i - left]) if i < right else 0
        while i + length < len(tokens) and tokens[length] == tokens[i + length]:
            length += 1
        if i + length > right:
            left, right = i, i + length
        lengths[i] = length
    return lengths

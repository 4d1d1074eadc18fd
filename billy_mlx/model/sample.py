"""Samplers: how the next token is drawn from a row's logits, with a random key per row.

The chain is mlx-lm's, in its order: biases and penalties on the logits, then top-p, min-p, XTC and top-k on the log
probabilities, temperature last. A setting at its neutral value costs nothing.
"""

from collections.abc import Sequence

import mlx.core as mx
from mlx_lm.sample_utils import apply_min_p, apply_top_k, apply_top_p

from billy_mlx.model.sampling import Sampling


def row_keys(seeds: Sequence[int]) -> mx.array:
    """Return (R, 2) uint32, a random key per row.

    Adding [n, 0] gives the key of step n: nothing is carried along, so what a row draws depends on its seed and its
    step alone.
    """
    return mx.stack([mx.random.key(seed) for seed in seeds])


def draw(
    logits: mx.array,
    samplings: Sequence[Sampling],
    keys: mx.array,
    never_excluded: Sequence[tuple[int, ...]] | None = None,
) -> mx.array:
    """Return (R,) tokens drawn from `logits` (R, V), row r by `samplings[r]` and `keys[r]`.

    Rows that share their settings are drawn together; a row's token does not depend on the others.

    Args:
        logits: of every row's next token.
        samplings: one per row.
        keys: (R, 2), a random key per row.
        never_excluded: of each row, token ids that XTC leaves alone.
    """
    groups: dict[tuple[Sampling, tuple[int, ...]], list[int]] = {}
    for row, sampling in enumerate(samplings):
        kept = never_excluded[row] if never_excluded and sampling.xtc_probability > 0 else ()
        groups.setdefault((sampling, kept), []).append(row)
    if len(groups) == 1:
        return _draw(logits, *next(iter(groups)), keys)
    drawn = [
        _draw(logits[mx.array(rows)], sampling, kept, keys[mx.array(rows)]) for (sampling, kept), rows in groups.items()
    ]
    order = [row for rows in groups.values() for row in rows]
    return mx.concatenate(drawn)[mx.argsort(mx.array(order))]


def biased(logits: mx.array, sampling: Sampling) -> mx.array:
    """Return `logits` (1, V) with what `sampling` adds to those of single tokens."""
    biases = dict(sampling.logit_bias)
    if not biases:
        return logits
    return logits.at[:, mx.array(list(biases))].add(mx.array(list(biases.values()), logits.dtype))


def less_repeated(logits: mx.array, tokens: mx.array, sampling: Sampling) -> mx.array:
    """Return `logits` (1, V) with those of recent tokens changed: penalties on repetition, presence and frequency.

    Args:
        logits: of the next token.
        tokens: (W,) the tokens so far, `sampling.recent` of them at least where there are as many.
        sampling: by which.
    """
    if sampling.repetition_penalty != 1:
        logits = _repetition_penalty(logits, tokens[-sampling.repetition_context :], sampling.repetition_penalty)
    if sampling.presence_penalty != 0:
        recent = tokens[-sampling.presence_context :]
        logits = mx.put_along_axis(logits, recent[None], logits[:, recent] - sampling.presence_penalty, axis=-1)
    if sampling.frequency_penalty != 0:
        logits = logits.at[:, tokens[-sampling.frequency_context :]].subtract(sampling.frequency_penalty)
    return logits


def _repetition_penalty(logits: mx.array, context: mx.array, penalty: float) -> mx.array:
    """Return `logits` (1, V) with the tokens of `context` (W,) made less likely; source: arXiv 1909.05858."""
    chosen = logits[:, context]
    return mx.put_along_axis(logits, context[None], mx.where(chosen < 0, chosen * penalty, chosen / penalty), axis=-1)


def _draw(logits: mx.array, sampling: Sampling, never_excluded: tuple[int, ...], keys: mx.array) -> mx.array:
    if sampling.temperature == 0:
        return mx.argmax(logits, axis=-1)
    # Log probabilities but for a constant: no filter and no argmax needs it, and a logsumexp is half the draw on a CPU.
    scores = logits.astype(mx.float32)
    scores = scores - scores.max(axis=-1, keepdims=True)
    if 0 < sampling.top_p < 1:
        # The one filter that is about shares of the whole: here the constant counts.
        scores = apply_top_p(scores - mx.logsumexp(scores, axis=-1, keepdims=True), sampling.top_p)
    if sampling.min_p > 0:
        scores = apply_min_p(scores, sampling.min_p)
    if sampling.xtc_probability > 0:
        scores = _xtc(scores, sampling, never_excluded, keys)
    if 0 < sampling.top_k < logits.shape[-1]:
        scores = apply_top_k(scores, sampling.top_k)
    noise = mx.vmap(lambda key: mx.random.gumbel(logits.shape[-1:], key=key))(keys)
    return mx.argmax(scores / sampling.temperature + noise, axis=-1)


def _xtc(scores: mx.array, sampling: Sampling, never_excluded: tuple[int, ...], keys: mx.array) -> mx.array:
    """Exclude the top choices, all but the least likely of those above the threshold, in a share of the steps.

    mlx-lm's own draws from the global random state, so that a row would depend on its neighbours.
    """
    probs = mx.softmax(scores, axis=-1)
    above = probs > sampling.xtc_threshold
    least = mx.where(above, probs, mx.inf).min(axis=-1, keepdims=True)
    # Another stream of the same key: the high word of a step's key is the step, below 2**31.
    chance = mx.vmap(lambda key: mx.random.uniform(key=key))(keys + mx.array([2**31, 0], mx.uint32))
    drop = above & (probs > least) & (chance < sampling.xtc_probability)[:, None]
    if never_excluded:
        drop[:, mx.array(never_excluded)] = False
    return mx.where(drop, -mx.inf, scores)


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

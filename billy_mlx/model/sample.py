"""Samplers: how the next token is drawn from a row's logits, with a random key per row.

The chain is mlx-lm's, in its order: penalties on the logits, then top-p, min-p, XTC and top-k on the log
probabilities, temperature last. A setting at its neutral value costs nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import mlx.core as mx
from mlx_lm.sample_utils import apply_min_p, apply_top_k, apply_top_p

from billy_mlx.errors import UsageError

MAX_SEED = 2**32 - 1


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn; the names and meanings are mlx-lm's.

    Attributes:
        temperature: 0 takes the likeliest token.
        repetition_penalty: divides the logits of the last `repetition_context` tokens; 1 is none.
        no_repeat_ngram: no run of this many tokens comes twice; 0 is none.
        xtc_probability: chance, per token, of dropping all but the least likely of the tokens above `xtc_threshold`.
        dry_multiplier: strength of the penalty on continuing a repeated run of more than `dry_allowed_length` tokens,
            growing by `dry_base` per token of the run, over the last `dry_range` tokens; 0 is none.
    """

    temperature: float = 0.8
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.05
    repetition_penalty: float = 1.0
    repetition_context: int = 20
    no_repeat_ngram: int = 0
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.1
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_range: int = 1024

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not low <= value <= high:  # also true of NaN
                raise UsageError(f"{name} is {value}; it goes from {low:g} to {high:g}")

    @property
    def needs_tokens(self) -> bool:
        """Whether the tokens so far must be known on the host, which ends decoding one step ahead."""
        return self.no_repeat_ngram > 0 or self.dry_multiplier > 0


_RANGES = [
    ("temperature", 0, 10),
    ("top_p", 0, 1),
    ("top_k", 0, 1_000_000),
    ("min_p", 0, 1),
    ("repetition_penalty", 0.01, 10),
    ("repetition_context", 1, 100_000),
    ("no_repeat_ngram", 0, 1000),
    ("xtc_probability", 0, 1),
    ("xtc_threshold", 0, 0.5),
    ("dry_multiplier", 0, 100),
    ("dry_base", 1, 10),
    ("dry_allowed_length", 1, 1000),
    ("dry_range", 2, 100_000),
]


def row_keys(seeds: Sequence[int]) -> mx.array:
    """Return (R, 2) uint32, a random key per row.

    Adding [n, 0] gives the key of step n: nothing is carried along, so what a row draws depends on its seed and its
    step alone.
    """
    return mx.stack([mx.random.key(seed) for seed in seeds])


def draw(
    logits: mx.array, samplings: Sequence[Sampling], keys: mx.array, never_excluded: mx.array | None = None
) -> mx.array:
    """Return (R,) tokens drawn from `logits` (R, V), row r by `samplings[r]` and `keys[r]`.

    Rows that share their settings are drawn together; a row's token does not depend on the others.

    Args:
        logits: of every row's next token.
        samplings: one per row.
        keys: (R, 2), a random key per row.
        never_excluded: token ids that XTC leaves alone.
    """
    groups: dict[Sampling, list[int]] = {}
    for row, sampling in enumerate(samplings):
        groups.setdefault(sampling, []).append(row)
    if len(groups) == 1:
        return _draw(logits, samplings[0], keys, never_excluded)
    drawn = [
        _draw(logits[mx.array(rows)], sampling, keys[mx.array(rows)], never_excluded)
        for sampling, rows in groups.items()
    ]
    order = [row for rows in groups.values() for row in rows]
    return mx.concatenate(drawn)[mx.argsort(mx.array(order))]


def repetition_penalty(logits: mx.array, context: mx.array, penalty: float) -> mx.array:
    """Return `logits` (1, V) with the tokens of `context` (W,) made less likely; source: arXiv 1909.05858."""
    chosen = logits[:, context]
    return mx.put_along_axis(logits, context[None], mx.where(chosen < 0, chosen * penalty, chosen / penalty), axis=-1)


def _draw(logits: mx.array, sampling: Sampling, keys: mx.array, never_excluded: mx.array | None) -> mx.array:
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
        scores = _xtc(scores, sampling, keys, never_excluded)
    if 0 < sampling.top_k < logits.shape[-1]:
        scores = apply_top_k(scores, sampling.top_k)
    noise = mx.vmap(lambda key: mx.random.gumbel(logits.shape[-1:], key=key))(keys)
    return mx.argmax(scores / sampling.temperature + noise, axis=-1)


def _xtc(scores: mx.array, sampling: Sampling, keys: mx.array, never_excluded: mx.array | None) -> mx.array:
    """Exclude the top choices, all but the least likely of those above the threshold, in a share of the steps.

    mlx-lm's own draws from the global random state, so that a row would depend on its neighbours.
    """
    probs = mx.softmax(scores, axis=-1)
    above = probs > sampling.xtc_threshold
    least = mx.where(above, probs, mx.inf).min(axis=-1, keepdims=True)
    # Another stream of the same key: the high word of a step's key is the step, below 2**31.
    chance = mx.vmap(lambda key: mx.random.uniform(key=key))(keys + mx.array([2**31, 0], mx.uint32))
    drop = above & (probs > least) & (chance < sampling.xtc_probability)[:, None]
    if never_excluded is not None:
        drop[:, never_excluded] = False
    return mx.where(drop, -mx.inf, scores)

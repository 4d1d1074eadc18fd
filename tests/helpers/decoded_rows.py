"""Rows of a tiny model, decoded one way and another."""

import mlx.core as mx
import numpy as np
from mlx_lm.models.cache import make_prompt_cache

from billy_mlx.model.decode import Decoding
from billy_mlx.model.layers import UNSTEERED, Directions, Steering, stack, steer
from billy_mlx.model.rows import Row
from billy_mlx.model.sampling import Sampling

GREEDY = Sampling(temperature=0.0)


PROMPT = tuple(range(3, 40))


UP = Directions({2: np.full(32, 0.5, np.float32)})


def row(prompt=PROMPT, directions=UNSTEERED, seed=1, max_tokens=12, **settings):
    return Row(prompt, directions, seed=seed, max_tokens=max_tokens, **settings)


def tokens(decoding, rows=1):
    """Run `decoding` to its end and return the tokens of each row."""
    written = [[] for _ in range(rows)]
    for step in decoding:
        for news in step.emitted:
            written[news.row] += [] if news.token is None else [news.token]
    return written


def alone(model, one):
    return tokens(Decoding(model, [one]))[0]


def greedy_under(model, directions):
    """Return greedy tokens, the n-th drawn under `directions[n]`."""
    cache, feed, written = make_prompt_cache(model.model), list(PROMPT), []
    for n, one in enumerate(directions):
        if n == 0:
            model.model(mx.array([feed[:-1]]), cache=cache)
        with steer(model.layers, Steering(stack([one]), norm_preserving=one.norm_preserving)):
            logits = model.model(mx.array([feed[-1:]]), cache=cache)
        feed.append(mx.argmax(logits[0, -1]).item())
        written.append(feed[-1])
    return written

"""How fast a model reads here: measured once, in a moment, when somebody first asks."""

import time
from typing import TYPE_CHECKING

import mlx.core as mx
from mlx_lm.generate import generation_stream
from mlx_lm.models.cache import make_prompt_cache

if TYPE_CHECKING:
    from billy_mlx.model.cache import Cache
    from billy_mlx.model.model import Model

_WARM, _FEW, _MANY = 8, 32, 256  # tokens
_STEPS = 3
_QUICK_SECONDS = 0.1  # in which a machine has to read a few tokens, to be asked for many: that tells more
_DEEPER = 4  # times its width is as many tokens back as make a token take twice as long, roughly


def measured_speed(model: "Model") -> float:
    """Return how many tokens a second a model reads at the beginning of a text."""
    _read(model, _WARM)  # what is compiled and brought in with the first pass is not reading
    seconds = _read(model, _FEW)
    if seconds > _QUICK_SECONDS:
        return _FEW / seconds
    return _MANY / max(_read(model, _MANY), 1e-6)


def seconds_for_step(model: "Model", rows: int) -> float:
    """Return the seconds in which so many texts, written at once, are a token longer."""
    cache = make_prompt_cache(model.model)
    _forward(model, cache, rows, _FEW)
    begun = time.perf_counter()
    for _ in range(_STEPS):
        _forward(model, cache, rows, 1)
    mx.clear_cache()
    return (time.perf_counter() - begun) / _STEPS


def seconds_to_read(model: "Model", tokens: int) -> float:
    """Return about how long a text of so many tokens takes: the longer it is, the more each token has to look at."""
    return tokens / model.reading_speed * (1 + tokens / 2 / (_DEEPER * model.width))


def _read(model: "Model", tokens: int) -> float:
    """Return the seconds that one pass takes."""
    cache = make_prompt_cache(model.model)
    begun = time.perf_counter()
    _forward(model, cache, 1, tokens)
    mx.clear_cache()
    return time.perf_counter() - begun


def _forward(model: "Model", cache: "Cache", rows: int, tokens: int) -> None:
    with mx.stream(generation_stream):
        some = mx.arange(rows * tokens).reshape(rows, tokens) % model.shape.outputs
        model.model(some, cache=cache)
        mx.eval([part.state for part in cache])

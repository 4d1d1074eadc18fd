"""How far each token of a text lies along persona vectors: for looking at a text, and for notebooks."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import mlx.core as mx
import numpy as np
from mlx_lm.generate import generation_stream
from mlx_lm.models.cache import make_prompt_cache
from numpy.typing import NDArray

from billy_mlx.errors import UsageError
from billy_mlx.measure.activations import log_likelihoods, project
from billy_mlx.model.layers import record
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import check_length
from billy_mlx.model.spelling import Detokenizer
from billy_mlx.vectors.vector import PersonaVector, read_layer

_CHUNK = 256
_STRONGEST = 0.6  # opacity of a token that lies as far as any


@dataclass(frozen=True, eq=False)
class TokenScores:
    """What was read of a text.

    Attributes:
        text: that the tokens spell.
        tokens: T token ids.
        starts: where in `text` each token's own letters begin; a token that only begins a character has none, and the
            character counts for the one that completes it.
        ends: where they end.
        scores: by vector, (T, layers) float32 in gaps between the poles: 0 is where the model's neutral answers lie on
            average, 1 the persona's own. Of a vector without a neutral pole, the projection in units of `scale`.
        log_likelihoods: (T,) float32, in nats, of each token given those before; NaN for the first of all.
    """

    text: str
    tokens: tuple[int, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    scores: Mapping[str, NDArray[np.float32]]
    log_likelihoods: NDArray[np.float32]

    def to_html(self, name: str, layer: int | None = None) -> str:
        """Return the text as HTML, each token the darker the further it lies along a vector.

        Args:
            name: of the vector.
            layer: where; None for the one where texts are read.
        """
        values = self.scores[name]
        at = values[:, read_layer(values.shape[1]) if layer is None else layer]
        largest = max(float(np.abs(at).max(initial=0.0)), 1e-6)
        spans = [
            _span(self.text[start:end], float(value), largest)
            for start, end, value in zip(self.starts, self.ends, at, strict=True)
            if end > start
        ]
        return f'<p style="white-space: pre-wrap">{"".join(spans)}</p>'


def token_scores(
    model: Model,
    text: str | Sequence[int],
    vectors: Mapping[str, PersonaVector],
    *,
    prompt: Sequence[int] = (),
) -> TokenScores:
    """Return how far each token of a text lies along vectors, at every layer, as the unsteered model reads it.

    Args:
        model: reads it.
        text: or its tokens, such as `Take.text_tokens`.
        vectors: by any name; of this model or another quantisation of it.
        prompt: the tokens it is read behind, such as `Take.prompt`; without any, it begins.

    Raises:
        UsageError: there is nothing to read, or more than the model's context holds.
        VectorMismatch: a vector is of another model.
        UnsteerableModel: the model's residual stream cannot be read.
    """
    encoded = model.tokenizer.encode(text, add_special_tokens=False) if isinstance(text, str) else text
    tokens = tuple(int(token) for token in encoded)
    if not tokens:
        raise UsageError("The text is empty; give something to read")
    for vector in vectors.values():
        vector.require_base(model.id, model.fingerprint)
    whole = [*prompt, *tokens]
    model.require_known(whole)
    check_length(model, whole, 0)
    parts: dict[str, list[NDArray[np.float32]]] = {name: [] for name in vectors}
    likelihoods = [np.full(1, np.nan, np.float32)]
    cache = make_prompt_cache(model.model)
    for start in range(0, len(whole), _CHUNK):
        chunk, following = whole[start : start + _CHUNK], whole[start + 1 : start + _CHUNK + 1]
        streams, nats = _read(model, chunk, following, cache)
        likelihoods.append(nats)
        for name, vector in vectors.items():
            parts[name].append(_projected(streams, vector))
    mx.clear_cache()
    spelt, starts, ends = _offsets(model, tokens, prompt)
    return TokenScores(
        text=spelt,
        tokens=tokens,
        starts=starts,
        ends=ends,
        scores={name: np.concatenate(found)[len(prompt) :] for name, found in parts.items()},
        log_likelihoods=np.concatenate(likelihoods)[len(prompt) : len(whole)],
    )


def _read(
    model: Model, chunk: Sequence[int], following: Sequence[int], cache: list[object]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return (T, layers, D) of a chunk, and the log likelihood of each token that follows one of it."""
    with mx.stream(generation_stream), record(model.blocks) as recording:
        logits = model.model(mx.array([list(chunk)]), cache=cache)
        streams = mx.stack([recording.latest[layer][0] for layer in range(len(model.blocks))], axis=1)
        wide = streams.astype(mx.float32)
        nats = (
            log_likelihoods(logits[:, : len(following)], mx.array([list(following)]))[0] if following else mx.zeros(0)
        )
        mx.eval(wide, nats)
    return np.array(wide), np.array(nats)


def _projected(streams: NDArray[np.float32], vector: PersonaVector) -> NDArray[np.float32]:
    neutral = np.zeros_like(vector.reading) if vector.neutral_mean is None else vector.neutral_mean
    return np.asarray(project(streams, vector.reading, neutral, vector.projection_scale), np.float32)


def _offsets(
    model: Model, tokens: Sequence[int], prompt: Sequence[int]
) -> tuple[str, tuple[int, ...], tuple[int, ...]]:
    detokenizer, text = Detokenizer(model.spelling, prompt), ""
    starts, ends = [], []
    for token in tokens:
        starts.append(len(text))
        text += detokenizer.add(token)
        ends.append(len(text))
    return text, tuple(starts), tuple(ends)


def _span(text: str, value: float, largest: float) -> str:
    color = "255, 140, 0" if value > 0 else "70, 130, 180"
    style = f"background: rgba({color}, {_STRONGEST * abs(value) / largest:.2f})"
    return f'<span style="{style}" title="{value:+.2f}">{html.escape(text)}</span>'

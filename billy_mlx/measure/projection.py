"""Where text lies between the neutral answers and a persona's."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def project(activations: Floats, vector: Floats, neutral_mean: Floats, scale: Floats) -> Floats:
    """Return how far activations lie along a persona vector, at every layer.

    Args:
        activations: (N, layers, D) response-average activations.
        vector: (layers, D) the persona vector, of any length.
        neutral_mean: (layers, D) what counts as 0.
        scale: (layers,) what counts as 1: the distance between the poles along the vector.

    Returns:
        (N, layers): 0 for the average neutral answer, 1 for the persona's.
    """
    unit = vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-12)
    along = np.einsum("nld,ld->nl", activations - neutral_mean, unit)
    return np.asarray(along / np.maximum(scale, 1e-12), np.float32)

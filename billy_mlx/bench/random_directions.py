"""Directions that mean nothing: what is left of an effect when only its size is kept."""

import numpy as np
from numpy.typing import NDArray

from billy_mlx.model.layers import Directions

Doubles = NDArray[np.float64]


def random_directions(like: Directions, seed: int, number: int) -> Directions:
    """Return directions of the same norms, at the same layers and positions, that point anywhere.

    Where several layers are steered they have the same angles among each other, too: directions that mean nothing add
    up to as much over the layers as those that mean something do.

    Args:
        like: what is to be imitated.
        seed: of the whole benchmark.
        number: of this one among the random ones.
    """
    layers = list(like.by_layer)
    if not layers:
        return like
    held = np.stack([like.by_layer[layer] for layer in layers], axis=1).astype(np.float64)  # (D, layers)
    drawn = [np.random.default_rng([seed, number, layer]).normal(size=len(held)) for layer in layers]
    anywhere, _ = _orthonormal(np.stack(drawn, axis=1))
    _, among = _orthonormal(held)
    turned = anywhere @ among
    by_layer = {layer: np.asarray(turned[:, place], np.float32) for place, layer in enumerate(layers)}
    return Directions(by_layer, everywhere=like.everywhere, norm_preserving=like.norm_preserving)


def _orthonormal(columns: Doubles) -> tuple[Doubles, Doubles]:
    """Return Q, of orthonormal columns, and R with a diagonal that is not negative; `columns` are Q @ R."""
    q, r = np.linalg.qr(columns)
    signs = np.where(np.diag(r) < 0, -1.0, 1.0)
    return q * signs, r * signs[:, None]

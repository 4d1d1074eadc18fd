"""Directions that mean nothing: what is left of an effect when only its size is kept."""

import numpy as np

from billy_mlx.model.layers import Directions


def random_directions(like: Directions, seed: int, number: int) -> Directions:
    """Return directions of the same norms, at the same layers and positions, that point anywhere.

    Args:
        like: what is to be imitated.
        seed: of the whole benchmark.
        number: of this one among the random ones.
    """
    by_layer = {}
    for layer, direction in like.by_layer.items():
        drawn = np.random.default_rng([seed, number, layer]).normal(size=direction.shape)
        length = np.linalg.norm(direction.astype(np.float64))
        by_layer[layer] = np.asarray(drawn * (length / np.linalg.norm(drawn)), np.float32)
    return Directions(by_layer, everywhere=like.everywhere, norm_preserving=like.norm_preserving)

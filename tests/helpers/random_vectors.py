"""Persona vectors for tests: random ones, or of a given shape."""

import numpy as np

from billy_mlx.model.fingerprint import Fingerprint
from billy_mlx.vectors.vector import Origin, PersonaVector

FINGERPRINT = Fingerprint("llama", 4, 32, 268, base="b" * 16, weights="w" * 16)


def persona_vector(persona_id="noir", directions=None, *, seed=0, norm=2.0, fingerprint=FINGERPRINT):
    """Return a vector of `directions` (layers, D), random without, where every residual has the norm `norm`."""
    shape = (fingerprint.layers, fingerprint.width)
    random = np.random.default_rng(seed)
    if directions is None:
        directions = random.normal(size=shape)
    return PersonaVector(
        persona_id=persona_id,
        fingerprint=fingerprint,
        origin=Origin(model_id="tiny", rollouts="3/4", date="2026-01-01"),
        directions=np.asarray(directions, np.float32),
        neutral_mean=random.normal(size=shape).astype(np.float32),
        residual_norm=np.full(shape[0], norm, np.float32),
        projection_scale=np.linalg.norm(directions, axis=-1).astype(np.float32),
    )

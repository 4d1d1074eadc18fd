"""What the tool hidden-directions stores: a `.pt` of one matrix, and the residual norms of a model as JSON.

Row B is block B. Both are about a model that the files do not name.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from billy_mlx.formats.vectors.limits import LARGEST, Floats, refusal


@dataclass(frozen=True)
class Norms:
    """The mean norm of the residual stream behind blocks, by block, as far as a file has them."""

    path: Path
    by_layer: dict[int, float]

    def as_layers(self, model_id: str, layers: int) -> Floats:
        """Return (layers,) float32; VectorError unless there is one for each layer of the model and no more."""
        if sorted(self.by_layer) != list(range(layers)):
            raise refusal(
                self.path,
                f"it has norms for {len(self.by_layer)} layers, but {model_id} has {layers}; measure them all, or "
                "import without it",
            )
        return np.array([self.by_layer[layer] for layer in range(layers)], np.float32)


def read_norms(path: Path, document: object) -> Norms:
    """Return the norms in a JSON document: a list, an object by layer, or an object in which one of these stands.

    Raises:
        VectorError: there is no such table in it, or several, or a norm is not a positive number.
    """
    values = document.values() if isinstance(document, dict) else ()
    tables = [table for table in map(_table, [document, *values]) if table is not None]
    if len(tables) != 1:
        raise refusal(path, f"it is neither a trait nor a table of residual norms by layer ({len(tables)} are in it)")
    for layer, norm in tables[0].items():
        if not 0 < norm <= LARGEST:
            raise refusal(path, f"what it has for layer {layer} is not the norm of a residual stream")
    return Norms(path, tables[0])


def _table(value: object) -> dict[int, float] | None:
    if isinstance(value, list):
        value = dict(enumerate(value))
    if not isinstance(value, dict) or not value:
        return None
    numbers = {_layer(key): _number(norm) for key, norm in value.items()}
    if len(numbers) < len(value) or None in numbers or None in numbers.values():
        return None
    return {layer: norm for layer, norm in numbers.items() if layer is not None and norm is not None}


def _layer(key: object) -> int | None:
    if isinstance(key, str):
        return int(key) if key.isdecimal() and len(key) <= 4 else None
    return key if isinstance(key, int) else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= LARGEST else math.nan  # a whole number may be too large for a float

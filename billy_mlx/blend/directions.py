"""From a blend and its persona vectors to what is added at each layer."""

from collections.abc import Mapping, Sequence
from statistics import median_low

import numpy as np
from numpy.typing import NDArray

from billy_mlx.blend.blend import Blend, Mode, Unit, check_norm
from billy_mlx.errors import BlendError
from billy_mlx.model.layers import UNSTEERED, Directions
from billy_mlx.vectors.vector import PersonaVector

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

FULL_DOSE_RESIDUAL_NORMS = 0.2
"""What dose 1 is until it has been calibrated for a persona and a model: at 0.25 the starter model's texts lay, on
average over 24 personas, 1.4 times as far along the vector as the answers it was made from, and began to loop."""

PAPER_LAYER = 19
"""The paper's layer: it counts hidden states, of which the first is the embedding, so that its 20 is our 19."""

_PAPER_DEPTH = 0.625  # of its 32 layers, for models that have no layer 19
_LEAST_LAYERS = 4  # for increments: below, a first layer, a last one and one between are all there are
_SPREAD = 1 / 6  # power of the effective number of voices: two then have the perplexity of one (docs/LOG.md)
_CANCELLED = 1e-3
_DEPENDENT = 1e-4


def directions(blend: Blend | str, vectors: Mapping[str, PersonaVector]) -> Directions:
    """Return what `blend` adds at each steered layer.

    Args:
        blend: weights w_i over personas i; also the text of one.
        vectors: by persona id, all of one model; v_i(l) is (D,).

    Returns:
        For `layered`, the increments of m(l) = dose * share * sum w_i s_i v_i(l) over the steered layers: m at the
        first one, then m(l) less m at the steered layer before it, since what was added below is still in the stream;
        s_i is the persona's own full strength, and `share` as `_share_of` has it. For `balanced` and `orthogonal`,
        dose * r(l) * min(1, sum |w_i|) * d / ||d|| with d = sum w_i u_i over unit vectors u_i, orthonormalised for
        `orthogonal`; r(l) is the mean residual norm at layer l, and a dose of 1 is `full_dose`. For `paper`, the dose
        times sum w_i v_i / sum |w_i|; for `raw`, times sum w_i v_i. A dose in residual norms or of full gives these two
        that length instead. Nothing at all if there is no weight, or every weight or the dose is 0.

    Raises:
        BlendError: the weights cancel, a layer does not exist, personas to be orthogonalised are too alike, the dose is
            in residual norms and no vector says what they are, or vectors of other tools are to be added by layers, or
            norms are to be preserved at all of them.

    Source: arXiv 2510.10157, eq. 2 and 3, for `paper`.
    """
    blend = Blend.of(blend)
    if not blend.weights:  # the model alone
        return UNSTEERED
    used = [vectors[persona_id] for persona_id in blend.persona_ids]
    weights = np.array([weight for _, weight in blend.weights], np.float64)
    layers = steered_layers(blend, used)
    if blend.adds_nothing:
        return Directions(everywhere=blend.everywhere)
    added = _increments if blend.mode is Mode.LAYERED else _at_each_layer
    by_layer = {layer: np.asarray(at, np.float32) for layer, at in added(blend, weights, used, layers).items()}
    return Directions(by_layer, everywhere=blend.everywhere, norm_preserving=blend.norm_preserving)


def _increments(
    blend: Blend, weights: Doubles, vectors: Sequence[PersonaVector], layers: Sequence[int]
) -> dict[int, Doubles]:
    """Return layer to (D,): what is added there beside what has been added below."""
    check_norm(blend)
    for vector in vectors:
        if not vector.is_difference:
            raise BlendError(
                f"the vector of {vector.persona_id} came from another tool's file, or from directions in memory, so "
                f"that nothing says what it is at one layer beside the one before; use it as it is, with /raw"
            )
    full = np.array([full_strength(vector) for vector in vectors])
    whole = np.stack([vector.directions[list(layers)] for vector in vectors]).astype(np.float64)  # (N, layers, D)
    parts = full[:, None, None] * np.diff(whole, axis=1, prepend=0.0)
    lengths = np.linalg.norm(parts, axis=(1, 2))
    if not lengths.all():
        raise _zero(blend)
    merged = np.tensordot(weights, parts, axes=1)
    apart = float(np.abs(weights) @ lengths)
    if np.linalg.norm(merged) <= _CANCELLED * apart:
        raise _cancelled(blend)
    factor = blend.dose.amount * _share_of(weights, parts / lengths[:, None, None])
    return {layer: factor * merged[place] for place, layer in enumerate(layers)}


def _share_of(weights: Doubles, units: Doubles) -> float:
    """Return what all weights are multiplied with: no more than the whole, and more of it where it is spread thin.

    Args:
        weights: (N,).
        units: (N, layers, D), what each persona adds, as a unit vector.

    Voices that have little in common leave less of each in their mean than there was, and are given more of it: as much
    as makes two of them as strange to the model as one. A voice that is named under two ids is no louder than under
    one, and what remains of opposed voices is not made larger.
    """
    total = float(np.abs(weights).sum())
    squares = float(np.sqrt(np.square(weights).sum()))
    length = float(np.linalg.norm(np.tensordot(weights, units, axes=1)))
    # 1 for voices that are the same, and the square root of their effective number for such as have nothing in common.
    thinner = min(total / max(length, 1e-12), total / squares)
    return float(min(1.0, total) / total * thinner ** (2 * _SPREAD) * min(1.0, length / squares))


def _at_each_layer(
    blend: Blend, weights: Doubles, vectors: Sequence[PersonaVector], layers: Sequence[int]
) -> dict[int, Doubles]:
    """Return layer to (D,), each made on its own."""
    lengths = None if blend.dose.unit is Unit.COEFFICIENT else _lengths(blend, weights, vectors)
    by_layer = {}
    for layer in layers:
        at_layer = np.stack([vector.directions[layer] for vector in vectors]).astype(np.float64)  # (N, D)
        merged = _merged(blend, weights, at_layer)
        factor = blend.dose.amount if lengths is None else lengths[layer] / np.linalg.norm(merged)
        by_layer[layer] = factor * merged
    return by_layer


def steered_layers(blend: Blend, vectors: Sequence[PersonaVector]) -> tuple[int, ...]:
    """Return the layers that `blend` of `vectors` steers, sorted.

    Where it names none: for `layered` all but the first and the last (one layer of a model with fewer than four), for
    `raw` all that a vector has, for `paper` the paper's, otherwise the (lower) median of what its personas were
    calibrated to (half of the depth until then), whatever their weights: a dial never moves it.

    Raises:
        BlendError: a layer that it names does not exist.
    """
    layer_count = len(vectors[0].directions)
    if blend.layers is None:
        if blend.mode is Mode.LAYERED:
            return tuple(range(1, layer_count - 1)) if layer_count >= _LEAST_LAYERS else (layer_count // 2,)
        if blend.mode is Mode.RAW:
            weighed = [v for v, (_, weight) in zip(vectors, blend.weights, strict=True) if weight]
            return tuple(layer for layer in range(layer_count) if any(v.directions[layer].any() for v in weighed))
        if blend.mode is Mode.PAPER:
            return (PAPER_LAYER if layer_count > PAPER_LAYER else int(layer_count * _PAPER_DEPTH),)
        calibrated = [layer_count // 2 if v.calibration is None else v.calibration.layer for v in vectors]
        return (median_low(calibrated),)
    if blend.layers[-1] >= layer_count:
        raise BlendError(f"there is no layer {blend.layers[-1]}: the model's layers go from 0 to {layer_count - 1}")
    return blend.layers


def full_strength(vector: PersonaVector) -> float:
    """Return how often the vector is added, layer by layer, at a dose of 1: once until it is calibrated."""
    return 1.0 if vector.strength is None else vector.strength.full


def full_dose(weights: Sequence[float], vectors: Sequence[PersonaVector]) -> float:
    """Return what a dose of 1 is for a blend, in residual norms: the mean of its personas' own, by weight."""
    own = [FULL_DOSE_RESIDUAL_NORMS if v.calibration is None else v.calibration.full for v in vectors]
    return float(np.average(own, weights=np.abs(weights)))


def _lengths(blend: Blend, weights: Doubles, vectors: Sequence[PersonaVector]) -> Doubles:
    """Return (layers,), the length of what is added at each."""
    norms = [vector.residual_norm for vector in vectors if vector.residual_norm is not None]
    if not norms:
        raise BlendError(
            f"nothing says what residual norms a dose of {blend.dose} could be for {_names(blend)}, which came from "
            f"another tool's file; use it as that tool does, with /raw and a dose such as @1a"
        )
    dose = blend.dose.amount * (full_dose(weights.tolist(), vectors) if blend.dose.unit is Unit.FULL else 1.0)
    return np.asarray(dose * min(1.0, np.abs(weights).sum()) * np.mean(norms, axis=0), np.float64)


def _merged(blend: Blend, weights: Doubles, vectors: Doubles) -> Doubles:
    """Return (D,) from `weights` (N,) and `vectors` (N, D) of one layer."""
    if blend.mode in (Mode.PAPER, Mode.RAW):
        parts = vectors / (np.abs(weights).sum() if blend.mode is Mode.PAPER else 1.0)
    else:
        units = _unit(vectors, blend)
        parts = _orthonormal(units, blend) if blend.mode is Mode.ORTHOGONAL else units
    merged = np.asarray(weights @ parts)
    apart = float(np.abs(weights) @ np.linalg.norm(parts, axis=1))
    if apart == 0:
        raise _zero(blend)
    if np.linalg.norm(merged) <= _CANCELLED * apart:
        raise _cancelled(blend)
    return merged


def _unit(vectors: Doubles, blend: Blend) -> Doubles:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not norms.all():
        raise _zero(blend)
    return np.asarray(vectors / norms)


def _orthonormal(units: Doubles, blend: Blend) -> Doubles:
    """Return the orthonormal rows nearest to `units` (N, D): symmetric (Löwdin) orthogonalisation, free of order.

    All personas of the blend take part, also one whose weight is 0: a slider on its way through 0 makes no jump.
    """
    values, basis = np.linalg.eigh(units @ units.T)
    if values[0] < _DEPENDENT:
        raise BlendError(f"{_names(blend)} are too alike to be made orthogonal; leave one out or use mode balanced")
    return np.asarray(basis / np.sqrt(values) @ basis.T @ units)


def _cancelled(blend: Blend) -> BlendError:
    return BlendError(f"{_names(blend)} cancel each other, so that nothing is left to add; change one of the weights")


def _zero(blend: Blend) -> BlendError:
    return BlendError(f"a vector of {_names(blend)} is zero at a steered layer; choose another layer, such as /L15")


def _names(blend: Blend) -> str:
    *others, last = blend.persona_ids
    return f"{', '.join(others)} and {last}" if others else last

"""How a direction is taken from the activations of two poles."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from billy_mlx.errors import UsageError
from billy_mlx.vectors.vector import LOGISTIC, MEAN_DIFFERENCE, PRINCIPAL_COMPONENT, Floats

Doubles = NDArray[np.floating[Any]]

Method = Callable[[Floats, Floats], Floats]
"""Takes the activations of the positive pole (N, layers, D) and of the neutral one (N, layers, D), of which row i
belongs to the same question or pair, and returns the directions (layers, D), in units of the residual stream. It is
called on all rows, and on either half of them to see how well the halves agree."""

_PENALTY = 1e-2  # of the weights' squared length, where the rows have been brought to a mean square length of 1
_STEPS = 100
_CLOSE = 1e-10  # of the gradient's length


def mean_difference(positive: Floats, neutral: Floats) -> Floats:
    """Return the direction from the neutral answers to the persona's.

    Args:
        positive: (N, layers, D) response-average activations with the persona.
        neutral: (M, layers, D) the same without it.

    Returns:
        (layers, D) float32 in units of the residual stream, not normalised: added once, it moves the average neutral
        answer to the average persona one.

    Source: arXiv 2510.10157, eq. 1.
    """
    difference: NDArray[np.float64] = positive.mean(0, dtype=np.float64) - neutral.mean(0, dtype=np.float64)
    return difference.astype(np.float32)


def principal_component(positive: Floats, neutral: Floats) -> Floats:
    """Return the line that most of the differences between rows lie along: their first principal component, uncentred.

    The component itself has no sign and no length. It gets those of the mean difference along it.

    Args:
        positive: (N, layers, D), at least two rows.
        neutral: (N, layers, D), row by row what the positive ones are held against.

    Raises:
        UsageError: the poles have different numbers of rows, or there are fewer than two.

    Source: representation engineering, arXiv 2310.01405.
    """
    _require_rows(positive, neutral, "PCA")
    differences = (positive.astype(np.float64) - neutral).swapaxes(0, 1)  # (layers, N, D)
    axes = np.linalg.svd(differences, full_matrices=False)[2][:, 0]
    return _to_the_gap(axes, positive, neutral)


def logistic(positive: Floats, neutral: Floats) -> Floats:
    """Return the weights of a logistic regression that tells the poles apart, with a small penalty on their length.

    Layer by layer. The weights get the length of the mean difference along them.

    Args:
        positive: (N, layers, D), at least two rows.
        neutral: (N, layers, D).

    Raises:
        UsageError: the poles have different numbers of rows, or there are fewer than two.
    """
    _require_rows(positive, neutral, "a logistic regression")
    axes = [_weights(positive[:, layer], neutral[:, layer]) for layer in range(positive.shape[1])]
    return _to_the_gap(np.stack(axes), positive, neutral)


READY: Mapping[str, Method] = {
    MEAN_DIFFERENCE: mean_difference,
    PRINCIPAL_COMPONENT: principal_component,
    LOGISTIC: logistic,
}
"""Methods by name."""


def checked(method: Method, positive: Floats, neutral: Floats) -> Floats:
    """Return what a method makes of the activations.

    Raises:
        UsageError: it is not (layers, D) numbers.
    """
    try:
        found = np.asarray(method(positive, neutral), np.float32)
    except (TypeError, ValueError) as error:
        raise UsageError(f"the method {name_of(method)} cannot be used: {error}") from error
    if found.shape != positive.shape[1:]:
        raise UsageError(
            f"the method {name_of(method)} returns an array of shape {found.shape}; return {positive.shape[1:]}: "
            "a direction for each layer"
        )
    if not np.isfinite(found).all():
        raise UsageError(f"the method {name_of(method)} returns numbers that are not finite, of {len(positive)} rows")
    return found


def name_of(method: Method) -> str:
    """Return what a function is called, for messages and for a vector's origin."""
    return str(getattr(method, "__name__", type(method).__name__))


def _require_rows(positive: Floats, neutral: Floats, what: str) -> None:
    if len(positive) != len(neutral) or len(positive) < 2:
        raise UsageError(
            f"{what} needs the same number of positive and neutral activations, and at least 2 of each; "
            f"there are {len(positive)} and {len(neutral)}"
        )


def _to_the_gap(axes: Doubles, positive: Floats, neutral: Floats) -> Floats:
    """Return `axes` (layers, D) as long as the mean difference along them, towards the positive pole."""
    units = axes / np.maximum(np.linalg.norm(axes, axis=-1, keepdims=True), 1e-12)
    gap = np.einsum("ld,ld->l", mean_difference(positive, neutral).astype(np.float64), units)
    return np.asarray(units * gap[:, None], np.float32)


def _weights(positive: Floats, neutral: Floats) -> Doubles:
    """Return (D,), found in the space that the rows span: there are far fewer rows than dimensions."""
    rows = np.concatenate([positive, neutral]).astype(np.float64)
    rows -= rows.mean(axis=0)
    rows /= max(float(np.sqrt((rows**2).sum(axis=1).mean())), 1e-12)
    left, sizes, basis = np.linalg.svd(rows, full_matrices=False)
    labels = np.repeat([1.0, 0.0], [len(positive), len(neutral)])
    design = np.concatenate([left * sizes, np.ones((len(rows), 1))], axis=1)  # the last one is the intercept
    return np.asarray(_newton(design, labels)[:-1] @ basis)


def _newton(design: Doubles, labels: Doubles) -> Doubles:
    """Return the weights that minimise the mean log loss, plus the penalty on all of them but the last."""
    weights, penalty = np.zeros(design.shape[1]), np.full(design.shape[1], _PENALTY)
    penalty[-1] = 0.0
    for _ in range(_STEPS):
        chances = 1 / (1 + np.exp(-np.clip(design @ weights, -500, 500)))
        gradient = design.T @ (chances - labels) / len(labels) + penalty * weights
        if np.linalg.norm(gradient) < _CLOSE:
            break
        curvature = (design.T * (chances * (1 - chances))) @ design / len(labels) + np.diag(penalty + 1e-12)
        weights = weights - np.linalg.solve(curvature, gradient)
    return weights

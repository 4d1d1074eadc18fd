"""Where a text lies between plain sentences and a persona's, by an embedding that knows nothing of persona vectors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from billy_mlx.errors import UsageError

Numbers = NDArray[np.floating[Any]]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class VoiceAxes:
    """A line for each of P personas, from the mean of the plain sentences through the mean of the persona's own.

    Attributes:
        ids: (P,) whose lines they are.
        origin: (D,) the mean of the plain sentences.
        axes: (P, D) what positions are counted with: a line's direction, divided by the length that counts as 1.
    """

    ids: tuple[str, ...]
    origin: Floats
    axes: Floats


def voice_axes(own: Mapping[str, Numbers], plain: Numbers) -> VoiceAxes:
    """Return the line of every persona: 0 is the mean of the plain sentences, 1 the mean of its own.

    Args:
        own: (N, D) embeddings of a persona's sentences, by persona; N may differ.
        plain: (M, D) embeddings of sentences of nobody in particular, about the same subjects.

    Raises:
        UsageError: a persona's sentences are on average what the plain ones are.
    """
    origin = plain.mean(axis=0, dtype=np.float64)
    lines = {persona: rows.mean(axis=0, dtype=np.float64) - origin for persona, rows in own.items()}
    for persona, line in lines.items():
        if line @ line <= 1e-12 * max(1.0, origin @ origin):
            raise UsageError(f"The sentences of {persona} cannot be told from plain ones; write others")
    axes = [line / (line @ line) for line in lines.values()]
    return VoiceAxes(tuple(own), origin, np.array(axes).reshape(-1, len(origin)))


def positions(texts: Numbers, axes: VoiceAxes) -> Floats:
    """Return (N, P), where texts lie on the line of each persona: 0 is plain, 1 the persona's own sentences.

    Args:
        texts: (N, D) their embeddings.
        axes: of P personas.
    """
    return np.asarray((texts - axes.origin) @ axes.axes.T)


def specific(scores: Numbers, ids: Sequence[str], own: str) -> Floats:
    """Return (N,), by how much each text has more of its own persona than of the others on average.

    What moves a text along every persona alike, as a fault of it or any colour at all, is taken away.

    Args:
        scores: (N, P) of texts: `positions`, shares of subject words or gains of likelihood, or what they gained.
        ids: (P,) whose columns they are, at least two.
        own: the one that the texts were written for.

    Raises:
        UsageError: `own` is none of `ids`, or there is no other.
    """
    if own not in ids or len(ids) < 2:
        raise UsageError(f"{own} cannot be held against others among {', '.join(ids) or 'none'}; name more personas")
    place = list(ids).index(own)
    others = np.delete(scores, place, axis=1)
    return np.asarray(scores[:, place] - others.mean(axis=1), np.float64)

"""What a blend carries of each persona: by how much the residual stream shifts along that persona's vector.

The steered and the unsteered model read the same words, those of the dose-0 answers, so that the shift is of the
steering alone and not of other words. A prompt is measured alike: the unsteered model reads these words behind it, less
behind the item's bare prompt. Source: arXiv 2510.10157, eq. 4 and 5.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from billy_mlx.bench.equal_length import spread
from billy_mlx.bench.play import Arm
from billy_mlx.bench.result import CONTROL, Estimate, Projection
from billy_mlx.bench.run import BenchProgress
from billy_mlx.bench.store import Store
from billy_mlx.bench.tasks import Item
from billy_mlx.blend.prompt_tokens import prompt_tokens
from billy_mlx.measure.activations import Text, read_all
from billy_mlx.measure.statistics import mean_interval
from billy_mlx.model.layers import UNSTEERED, Directions, Steering, stack, steer
from billy_mlx.model.model import Model
from billy_mlx.steps import finish, mapped
from billy_mlx.vectors.library import find_all, load_vectors
from billy_mlx.vectors.vector import PersonaVector

STEERED, LAST = "steered layer", "last layer"
_OTHERS = 3  # personas that no blend has, to compare with
_STAGE = "reading what the blends carry"
_STEERED_ARMS, _PROMPTED_ARMS = ("billy-", "persona:", "other:"), ("multi-role", "prompt:", "prompts")

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Axes:
    """Unit vectors of N personas at every layer (N, layers, D), and the layers' residual norms (N, layers)."""

    personas: tuple[str, ...]
    units: Floats
    norms: Floats

    @classmethod
    def of(cls, vectors: Sequence[PersonaVector]) -> "Axes":
        """Return the axes of `vectors`; one that does not say what a residual norm is makes none."""
        known = [(vector, norm) for vector in vectors if (norm := vector.residual_norm) is not None]
        lengths = [np.maximum(np.linalg.norm(vector.directions, axis=-1, keepdims=True), 1e-12) for vector, _ in known]
        return cls(
            tuple(vector.persona_id for vector, _ in known),
            np.array([vector.directions / length for (vector, _), length in zip(known, lengths, strict=True)]),
            np.array([norm for _, norm in known]),
        )

    def along(self, shifts: Floats, layer: int) -> dict[str, list[float]]:
        """Return how far each of `shifts` (S, D) at `layer` goes along each persona's axis, in residual norms."""
        lengths = self.units[:, layer] @ shifts.T / self.norms[:, layer, None]  # (N, S)
        return dict(zip(self.personas, lengths.tolist(), strict=True))


def project_blends(
    model: Model, arms: Sequence[Arm], items: Sequence[Item], store: Store, most_items: int
) -> Generator[BenchProgress, None, list[Projection]]:
    """Return what every blend and every persona alone carries of the blends' personas and of some others.

    At the layer that is steered, the shift is what was added: arithmetic, shown as a check. At the last layer it is
    what the layers between have made of it. And the same of the multi-role prompt and of the personas' system prompts,
    which is measured at either layer: the first one is that where the first of the blends is steered.

    Args:
        most_items: whose answers are read; they differ little, since the words are given.

    Raises:
        BillyError: a vector is missing or the model cannot be steered.
    """
    blended = [arm for arm in arms if arm.name.startswith(_STEERED_ARMS) and arm.blend.weights]
    control = next((arm for arm in arms if arm.name == CONTROL), None)
    spoken = [] if control is None else _spoken(items, store, most_items)
    axes = Axes.of(_vectors(model, blended))
    added = [arm for arm in blended if arm.directions.by_layer]
    if control is None or not axes.personas or not added or not spoken:
        return []
    prompted = [arm for arm in arms if arm.name.startswith(_PROMPTED_ARMS) and not arm.blend.weights]
    first = min(next((arm for arm in added if arm.name.startswith("billy-")), added[0]).directions.by_layer)
    total, found = (len(added) + len(prompted) + 1) * len(spoken), list[Projection]()
    plain = _texts(model, control, spoken)
    unsteered = yield from mapped(_streams(model, plain, UNSTEERED), partial(_progress, 0, total))
    for number, arm in enumerate([*added, *prompted], start=1):
        texts = plain if arm.blend.weights else _texts(model, arm, spoken)
        reading = _streams(model, texts, arm.directions)
        read = yield from mapped(reading, partial(_progress, number * len(spoken), total))
        at = min(arm.directions.by_layer, default=first)
        found += _projections(arm.name, at, read - unsteered, axes)
    return found


def _spoken(items: Sequence[Item], store: Store, most_items: int) -> list[tuple[Item, str]]:
    """Return items spread over all tasks, each with its first dose-0 answer."""
    answers: dict[str, str] = {}
    for answer in store.answers:
        if answer.arm == CONTROL and answer.text.strip():
            answers.setdefault(answer.item, answer.text)
    answered = [item for item in items if item.id in answers]
    return [(item, answers[item.id]) for item in (answered[place] for place in spread(len(answered), most_items))]


def _texts(model: Model, arm: Arm, spoken: Sequence[tuple[Item, str]]) -> list[Text]:
    """Return answers as tokens behind the prompt that an arm puts the items with."""
    texts = []
    for item, answer in spoken:
        [recipe] = next(arm.play(item, 0))
        prompt = prompt_tokens(model, recipe.prompt)
        response = model.tokenizer.encode(answer, add_special_tokens=False)
        texts.append(Text(tuple(prompt), tuple(response)))
    return texts


def _vectors(model: Model, arms: Sequence[Arm]) -> list[PersonaVector]:
    """Return the vectors of all personas of the arms' blends, and of some that are in none of them."""
    blended = sorted({persona for arm in arms for persona in arm.blend.persona_ids})
    others = [persona for persona in find_all(model.fingerprint) if persona not in blended]
    chosen = [others[place] for place in spread(len(others), _OTHERS)]
    return list(load_vectors(model, [*blended, *chosen]).values())


def _streams(model: Model, texts: Sequence[Text], added: Directions) -> Generator[int, None, Floats]:
    """Return (texts, layers, D): the residual stream averaged over each response's tokens, yielding how many are read.

    Steered from the prompt's last token on, even if the blend would steer the prompt as well.
    """
    streams = []
    for text in texts:
        start = len(text.prompt) - 1
        steering = Steering(stack([added]), start=start, norm_preserving=added.norm_preserving)
        with steer(model.blocks, steering):  # one text at a time: the next one's positions begin anew
            [reading] = finish(read_all(model, [text]))
        streams.append(reading.average.mean)
        yield len(streams)
    return np.stack(streams)


def _projections(arm: str, first: int, shifts: Floats, axes: Axes) -> list[Projection]:
    """Return the projections of `shifts` (texts, layers, D) at two layers, averaged over the texts."""
    last = shifts.shape[1] - 1
    found = []
    for place, layer in ((STEERED, first), (LAST, last)):
        along = axes.along(shifts[:, layer], layer)
        for persona, lengths in along.items():
            if (interval := mean_interval(lengths)) is not None:
                found.append(Projection(arm, place, layer, persona, Estimate(*interval)))
    return found


def _progress(before: int, total: int, done: int) -> BenchProgress:
    return BenchProgress(_STAGE, (before + done) / total)

"""The arms: who writes, and what makes them write as they do."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from voice_tasks import load_seed

from billy_mlx import Blend, PersonaVector, directions
from billy_mlx.bench.steered_arms import random_directions
from billy_mlx.blend.blend import Dose, Mode
from billy_mlx.errors import UsageError
from billy_mlx.model.layers import UNSTEERED, Directions
from billy_mlx.vectors.card import Persona, bundled_folder, bundled_ids, read_card

CONTROL = "dose-0"
ARMS = (CONTROL, "prompt", "layered", "balanced", "random", "prompt+half")
"""What there is, in the page's order. `random` is as long as `layered` at every layer and points anywhere;
`prompt+half` is the system prompt and half a dose of `layered`."""

KNOWN = bundled_ids()


@dataclass(frozen=True)
class Voice:
    """An arm of one persona, or of a pair; `dose-0` has none.

    Attributes:
        arm: as texts are kept under, the dose with it where there is one.
        persona: its id, or those of a pair with a plus between them.
        prompts: system prompts: task number i gets number i modulo how many there are.
        blend: what is added.
        is_random: add directions of the blend's lengths instead.
    """

    arm: str
    persona: str = ""
    prompts: tuple[str, ...] = ()
    blend: Blend | None = None
    is_random: bool = False

    def system(self, number: int) -> str | None:
        """Return the system prompt of a task."""
        return self.prompts[number % len(self.prompts)] if self.prompts else None

    def directions(self, vectors: Mapping[str, PersonaVector]) -> Directions:
        """Return what is added."""
        if self.blend is None:
            return UNSTEERED
        added = directions(self.blend, vectors)
        number = KNOWN.index(self.persona) if self.persona in KNOWN else len(KNOWN)
        return random_directions(added, load_seed("random"), number) if self.is_random else added


UNTOUCHED = Voice(CONTROL)


def label(arm: str, dose: float) -> str:
    """Return what texts of an arm are kept under."""
    return arm if arm in (CONTROL, "prompt") else f"{arm}@{dose:g}"


def voice_of(arm: str, persona_id: str, dose: float, weight: float = 1.0) -> Voice:
    """Return an arm of a persona; another `weight` than 1 is only for `layered`."""
    if arm not in ARMS:
        raise UsageError(f"there is no arm {arm}; there are {', '.join(ARMS)}")
    if arm == CONTROL or (arm == "layered" and weight == 0):
        return UNTOUCHED
    prompts = card(persona_id).prompts
    if arm == "prompt":
        return Voice(arm, persona_id, prompts)
    steered = Voice(label(arm, dose), persona_id, blend=Blend(((persona_id, weight),), Dose(dose)))
    if arm == "balanced":
        return replace(steered, blend=Blend(((persona_id, 1.0),), Dose(dose), Mode.BALANCED))
    if arm == "prompt+half":
        return replace(steered, prompts=prompts, blend=Blend(((persona_id, 1.0),), Dose(dose / 2)))
    if arm == "layered" and weight != 1:
        return replace(steered, arm=label(f"layered:{weight:g}", dose))
    return replace(steered, is_random=arm == "random")


def half_and_half(first: str, second: str, dose: float) -> Voice:
    """Return the blend of two personas in equal parts."""
    return Voice(label("half", dose), f"{first}+{second}", blend=Blend(((first, 0.5), (second, 0.5)), Dose(dose)))


def draw_pairs(personas: Sequence[str], most: int) -> list[tuple[str, str]]:
    """Return pairs within a group: all of them, or `most` drawn with the frozen seed."""
    pairs = [pair for pair in itertools.combinations(personas, 2) if group_of(pair[0]) == group_of(pair[1])]
    if len(pairs) <= most:
        return pairs
    drawn = np.random.default_rng(load_seed("pairs")).choice(len(pairs), most, replace=False)
    return [pairs[place] for place in sorted(drawn)]


def group_of(persona_id: str) -> tuple[str, ...]:
    """Return the bundled personas that a persona is held against, itself among them."""
    found = next((group for group in (bundled_ids("paper"), bundled_ids("writing")) if persona_id in group), None)
    if found is None:
        raise UsageError(f"{persona_id} is not bundled, so nothing was frozen for it; choose among {', '.join(KNOWN)}")
    return found


def card(persona_id: str) -> Persona:
    """Return the bundled card, whatever cards of that id the user has."""
    return read_card(bundled_folder() / f"{persona_id}.toml")

"""Rivals made of personas: their own system prompts, these with the blend, and a persona that is not in the blend."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from billy_mlx.bench.play import Arm, single
from billy_mlx.bench.settings import BenchSettings
from billy_mlx.bench.steered_arms import Steered, main_arm
from billy_mlx.bench.text_scores import Axis
from billy_mlx.blend.blend import ALONE
from billy_mlx.errors import BillyError
from billy_mlx.model.model import Model
from billy_mlx.vectors.card import get_persona
from billy_mlx.vectors.library import find_all
from billy_mlx.vectors.vector import PersonaVector

PROMPT, OTHER = "prompt:", "other:"
"""How the names of arms begin that a persona's prompt is asked with, and that are steered to another persona."""
PROMPTS, PROMPTED_BLEND = "prompts", "prompt+billy"
_OTHERS = "others"  # the group

_SEVERAL = "You are several people in one, and whatever you write has something of each of them.\n\n{prompts}"


def persona_arms(steered: Steered) -> list[Arm]:
    """Return the arms of system prompts, and those of other personas."""
    return [*_prompt_arms(steered), *_other_arms(steered)]


def persona_arms_left_out(steered: Steered) -> list[str]:
    """Return which of these arms the settings ask for and cannot be made, and why, a sentence each."""
    settings, told = steered.settings, list[str]()
    bare = [persona_id for persona_id in asked_for(settings) if not _prompts_of(persona_id)]
    if bare and _wants(settings, PROMPTS, PROMPTED_BLEND, *(f"{PROMPT}{persona_id}" for persona_id in bare)):
        those = ", ".join(f"{PROMPT}{persona_id}" for persona_id in bare)
        told.append(
            f"The arms {those}, {PROMPTS} and {PROMPTED_BLEND} are left out: there is no card of {', '.join(bare)}, "
            "and so no system prompt."
        )
    if _wants(settings, _OTHERS) and not others_of(steered):
        told.append(
            f"The arm {OTHER}ID is left out: no persona that is not in the blend has a vector for {steered.model.id} "
            "here and a card; make one with: billy extract ID."
        )
    return told


def settled(model: Model, settings: BenchSettings) -> BenchSettings:
    """Return `settings` with the choice of other personas in them, so that vectors that come later do not change it."""
    return replace(settings, others=others_of(Steered(model, settings)))


def asked_for(settings: BenchSettings) -> list[str]:
    """Return the personas that prompts ask for: those of the blend with a weight above 0, in its order."""
    return [persona_id for persona_id, weight in settings.blend.weights if weight > 0]


def others_of(steered: Steered) -> tuple[str, ...]:
    """Return the personas that are not in the blend and are steered to instead, chosen if the settings name none.

    One is chosen, as a control for a text that is merely no longer neutral: of the personas that have a vector here and
    a card, the one in the middle of the order by likeness to the blend's (`likeness`). The least like would be too
    kind to the blend: what it shares with nobody helps nobody. The most like would be almost the blend itself. Of two
    in the middle it is the one that is more like. The same vectors give the same choice.
    """
    settings = steered.settings
    if settings.others is not None:
        return settings.others
    named = tuple(name.removeprefix(OTHER) for name in settings.arms or () if name.startswith(OTHER))
    if named or not _wants(settings, _OTHERS):
        return named
    own = list(steered.vectors(steered.blend).values())
    found = {vector.persona_id: likeness(vector, own) for vector in _candidates(steered)}
    ordered = sorted(found, key=lambda persona_id: (found[persona_id], persona_id))
    return (ordered[len(ordered) // 2],) if ordered else ()


def likeness(vector: PersonaVector, own: Sequence[PersonaVector]) -> float:
    """Return the mean cosine of a vector with each of `own`, at the layer where that one is read."""
    cosines = []
    for each in own:
        axis = Axis.of(each)
        other = vector.reading[axis.layer].astype(np.float64)
        length = float(np.linalg.norm(other) * np.linalg.norm(axis.direction))
        cosines.append(float(other @ axis.direction) / length if length else 0.0)
    return float(np.mean(cosines))


def all_prompts(personas: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return system prompts that ask for all personas at once: the first has the first of each, and so on."""
    each = zip(*personas.values(), strict=False)
    return tuple(_SEVERAL.format(prompts="\n\n".join(own)) if len(own) > 1 else own[0] for own in each)


def _prompt_arms(steered: Steered) -> list[Arm]:
    settings, called = steered.settings, main_arm(steered.settings)
    prompts = {persona_id: _prompts_of(persona_id) for persona_id in asked_for(settings)}
    arms = [
        Arm(
            f"{PROMPT}{persona_id}",
            PROMPTS,
            f"The unsteered model with the system prompt of {persona_id}, another of its card's for every seed.",
            ALONE,
            single(settings, systems=own),
        )
        for persona_id, own in prompts.items()
        if own
    ]
    if not all(prompts.values()):
        return arms
    systems = all_prompts(prompts)
    said = "The unsteered model with the system prompts of all of the blend's personas in one."
    both = f"The system prompt of {PROMPTS} and the blend of {called} at its dose: what steering adds to a prompt."
    play, blend = single(settings, systems=systems), steered.placed(steered.main)
    return [
        *arms,
        Arm(PROMPTS, PROMPTS, said, ALONE, play),
        Arm(PROMPTED_BLEND, PROMPTED_BLEND, both, blend, play, steered.directions(blend)),
    ]


def _other_arms(steered: Steered) -> list[Arm]:
    called = main_arm(steered.settings)
    return [
        steered.arm(
            f"{OTHER}{persona_id}",
            _OTHERS,
            f"{persona_id}, which is not in the blend, in the mode and at the dose of {called}: the control for a text "
            "that is merely no longer neutral.",
            steered.alone(persona_id),
        )
        for persona_id in others_of(steered)
    ]


def _candidates(steered: Steered) -> list[PersonaVector]:
    """Return the vectors of personas with a card that are not in the blend and can be steered to as its main one."""
    found = []
    for persona_id in find_all(steered.model.fingerprint):
        if persona_id in steered.blend.persona_ids or not _prompts_of(persona_id):
            continue
        blend = steered.alone(persona_id)
        try:
            [vector] = steered.vectors(blend).values()
        except BillyError:  # a damaged file is nobody's rival
            continue
        if steered.fault(blend) is None:
            found.append(vector)
    return found


def _prompts_of(persona_id: str) -> tuple[str, ...]:
    try:
        return get_persona(persona_id).prompts
    except BillyError:  # a vector from elsewhere needs no card
        return ()


def _wants(settings: BenchSettings, *names: str) -> bool:
    return settings.arms is None or bool({*names} & {*settings.arms})

"""What to say about vectors before they are used: that their card has changed since, that they are weak, and so on."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from billy_mlx.cli.output import say

if TYPE_CHECKING:
    from billy_mlx.blend.blend import Blend
    from billy_mlx.model.model import Model
    from billy_mlx.vectors.vector import PersonaVector


def warn_of_blends(blends: "Sequence[Blend]", loaded: "Model", model: str | None) -> None:
    """Say on stderr what speaks against the vectors of `blends`; `model` is what --model was given."""
    from billy_mlx.vectors.library import load_vectors

    used = {persona_id for blend in blends for persona_id in blend.persona_ids}
    vectors = load_vectors(sorted(used), loaded.id, loaded.fingerprint)
    warn_of_changed_cards(vectors.values(), model)
    warn_of_weakness(vectors.values())
    warn_of_doses(vectors.values(), loaded)
    spoken = [blend for blend in blends if blend.weights]
    say_single_layers(spoken, vectors)
    for blend in spoken:
        if blend.caution is not None:
            say(f"{blend}: {blend.caution}")


def warn_of_changed_cards(vectors: "Iterable[PersonaVector]", model: str | None) -> None:
    """Say on stderr which of `vectors` are older than their card; `model` is what --model was given."""
    from billy_mlx.vectors.library import card_changed

    named = "" if model is None else f" --model {model}"
    for vector in filter(card_changed, vectors):
        say(
            f"the card of {vector.persona_id} has changed since its vector was extracted; "
            f"run: billy extract {vector.persona_id}{named}"
        )


def warn_of_weakness(vectors: "Iterable[PersonaVector]") -> None:
    """Say on stderr of which of `vectors` little is to be expected, and why."""
    for vector in vectors:
        if vector.weakness is not None:
            say(f"{vector.persona_id} is weak for this model: {vector.weakness}")


def warn_of_doses(vectors: "Iterable[PersonaVector]", loaded: "Model") -> None:
    """Say on stderr of which of `vectors` the dose is only about right: they came from other weights."""
    approximate = [each.persona_id for each in vectors if each.is_transferred_to(loaded.fingerprint) and each.strength]
    if approximate:
        say(
            f"doses of {', '.join(approximate)} are approximate: they were measured with other weights of this model; "
            f"run: billy extract {' '.join(approximate)} --model {loaded.id}"
        )


def say_single_layers(blends: "Iterable[Blend]", vectors: "Mapping[str, PersonaVector]") -> None:
    """Say on stderr which of `blends`, made to be added layer by layer, have only one layer in so small a model."""
    from billy_mlx.blend.blend import Mode
    from billy_mlx.blend.directions import steered_layers

    for blend in blends:
        if blend.mode is not Mode.LAYERED or blend.layers is not None:
            continue
        used = [vectors[persona_id] for persona_id in blend.persona_ids]
        first, *more = steered_layers(blend, used)
        if not more:
            too_small = f"a model of {len(used[0].directions)} layers is too small to add {blend} layer by layer"
            say(f"{too_small}: all of it goes to layer {first}")

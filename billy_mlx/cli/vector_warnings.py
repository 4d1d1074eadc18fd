"""What to say about vectors before they are used: that their card has changed since, or that they are weak."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from billy_mlx.cli.output import say
from billy_mlx.errors import BillyError
from billy_mlx.extraction.card import get_persona

if TYPE_CHECKING:
    from billy_mlx.extraction.vector import PersonaVector


def warn_of_changed_cards(vectors: "Iterable[PersonaVector]", model: str | None) -> None:
    """Say on stderr which of `vectors` are older than their card; `model` is what --model was given."""
    named = "" if model is None else f" --model {model}"
    for vector in vectors:
        persona_id = vector.persona_id
        hashes = {vector.origin.card_hash, _card_hash(persona_id)}
        if len(hashes) == 2 and "" not in hashes:
            say(
                f"the card of {persona_id} has changed since its vector was extracted; "
                f"run: billy extract {persona_id}{named}"
            )


def warn_of_weakness(vectors: "Iterable[PersonaVector]") -> None:
    """Say on stderr of which of `vectors` little is to be expected, and why."""
    for vector in vectors:
        if vector.weakness is not None:
            say(f"{vector.persona_id} is weak for this model: {vector.weakness}")


def _card_hash(persona_id: str) -> str:
    """Return the hash of a persona's card, or "" if there is none that can be read."""
    try:
        return get_persona(persona_id).card_hash
    except BillyError:
        return ""

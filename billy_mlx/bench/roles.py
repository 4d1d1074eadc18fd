"""The personas of a blend as roles that a prompt can ask for: the rivals of steering are prompts."""

from dataclasses import dataclass

from billy_mlx.blend.blend import Blend
from billy_mlx.errors import BillyError
from billy_mlx.vectors.card import get_persona


@dataclass(frozen=True)
class Role:
    """A persona's display name, and what it is in a line; empty where nobody says."""

    name: str
    description: str

    def __str__(self) -> str:
        return f"{self.name}: {self.description}" if self.description else self.name


def roles(blend: Blend) -> list[Role]:
    """Return a role for every persona that has a weight above 0, in the order of the blend."""
    return [_role(persona_id) for persona_id, weight in blend.weights if weight > 0]


def seats(blend: Blend, count: int) -> list[Role]:
    """Return `count` roles, every persona as often as its weight asks for (largest remainders first)."""
    positive = [(persona_id, weight) for persona_id, weight in blend.weights if weight > 0]
    total = sum(weight for _, weight in positive)
    quotas = [count * weight / total for _, weight in positive]
    taken = [int(quota) for quota in quotas]
    by_remainder = sorted(range(len(quotas)), key=lambda place: taken[place] - quotas[place])
    for place in by_remainder[: count - sum(taken)]:
        taken[place] += 1
    return [_role(persona_id) for (persona_id, _), times in zip(positive, taken, strict=True) for _ in range(times)]


def _role(persona_id: str) -> Role:
    try:
        persona = get_persona(persona_id)
    except BillyError:  # a vector from elsewhere needs no card
        return Role(persona_id.replace("-", " ").replace("_", " ").capitalize(), "")
    return Role(persona.name, persona.description)

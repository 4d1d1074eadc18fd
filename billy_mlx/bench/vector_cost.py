"""What the vectors of a blend cost once, worked out from what their files say of the answers behind them."""

import re
from collections.abc import Sequence
from itertools import product

from billy_mlx.bench.result import GroupCost, VectorCost
from billy_mlx.blend.blend import Blend
from billy_mlx.errors import BillyError
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import chat_prompt
from billy_mlx.vectors.card import get_persona, load_questions
from billy_mlx.vectors.library import card_changed, find_all, is_bundled, load_vectors
from billy_mlx.vectors.vector import Origin, PersonaVector

_WRITTEN = re.compile(r"\d+/\d+ of (\d+)")  # Origin.rollouts
_TOKENS = re.compile(r"(\d+) tokens")  # Origin.sampling
_WRITERS = ("billy", "personas")  # groups whose speed is taken, the first there is


def vector_cost(model: Model, blend: str, costs: Sequence[GroupCost]) -> VectorCost:
    """Return what making the vectors of `blend` takes: as many tokens as the answers may have had, at this run's speed.

    A pole of answers for every persona and a neutral one that they share; judging and calibrating come on top. None
    for a vector whose file does not say how it was made, or whose card or questions have changed since.

    Raises:
        BillyError: a vector is missing.
    """
    personas = Blend.parse(blend).persona_ids
    vectors = load_vectors(personas, model.id, model.fingerprint)
    poles = [*map(_own_pole, vectors.values()), *dict.fromkeys(map(_neutral_pole, vectors.values()))]
    known = [pole for pole in poles if pole is not None]
    read = written = None
    if len(known) == len(poles):
        read = sum(round(answers * _prompt_tokens(model, systems)) for systems, answers, _ in known)
        written = sum(answers * most for _, answers, most in known)
    return VectorCost(
        personas=personas,
        tokens=None if read is None or written is None else read + written,
        wall_seconds=_seconds(written, costs),
        source=_source(model, vectors),
    )


_Pole = tuple[tuple[str, ...], int, int]
"""Its system prompts, how many answers there are, and how many tokens each may have."""


def _own_pole(vector: PersonaVector) -> _Pole | None:
    try:
        prompts = get_persona(vector.persona_id).prompts
    except BillyError:  # of a vector from elsewhere nobody knows
        return None
    return None if card_changed(vector) else _pole(prompts, vector.origin)


def _neutral_pole(vector: PersonaVector) -> _Pole | None:
    questions = load_questions()
    return _pole(questions.neutral_prompts, vector.origin) if questions.hash == vector.origin.question_hash else None


def _pole(prompts: tuple[str, ...], origin: Origin) -> _Pole | None:
    answers, tokens = _WRITTEN.fullmatch(origin.rollouts), _TOKENS.match(origin.sampling)
    return None if answers is None or tokens is None else (prompts, int(answers[1]), int(tokens[1]))


def _prompt_tokens(model: Model, systems: Sequence[str]) -> float:
    """Return how many tokens the shared questions have after one of `systems`, on the average."""
    pairs = list(product(systems, load_questions().questions))
    return sum(len(chat_prompt(model.tokenizer, question, system=system)) for system, question in pairs) / len(pairs)


def _seconds(tokens: int | None, costs: Sequence[GroupCost]) -> float | None:
    by_group = {cost.group: cost for cost in costs if cost.tokens_out}
    writer = next((by_group[group] for group in _WRITERS if group in by_group), None)
    return None if tokens is None or writer is None else tokens * writer.wall_seconds / writer.tokens_out


def _source(model: Model, vectors: dict[str, PersonaVector]) -> str:
    files = find_all(model.fingerprint)
    made: dict[str, list[str]] = {}
    for persona, vector in vectors.items():
        bundled = "bundled, " if is_bundled(files[persona]) else ""
        made.setdefault(f"{bundled}{_made_from(vector.origin)}", []).append(persona)
    return "; ".join(f"{', '.join(alike)}: {making}" for making, alike in made.items())


def _made_from(origin: Origin) -> str:
    if not origin.rollouts:
        return origin.source or "nobody knows from how many answers"
    return f"{origin.rollouts} answers a pole, {origin.sampling}"

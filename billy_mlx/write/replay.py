"""Make a model write a passage again, token for token, or say why it does not."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass

from billy_mlx.blend.blend import Blend
from billy_mlx.blend.directions import directions
from billy_mlx.errors import BillyError, UsageError
from billy_mlx.extraction.library import load_vectors
from billy_mlx.extraction.vector import PersonaVector
from billy_mlx.manuscript.passage import Passage
from billy_mlx.model.decode import Decoding
from billy_mlx.model.layers import UNSTEERED, Directions
from billy_mlx.model.model import Model
from billy_mlx.model.rows import Row
from billy_mlx.model.sample import Sampling
from billy_mlx.model.thinking import Thinking
from billy_mlx.text import sanitize
from billy_mlx.write.conditions import model_marks, surroundings, vector_mark


@dataclass(frozen=True)
class Replayed:
    """What came of writing a passage again.

    Attributes:
        tokens: as far as they were written: up to the first that differs.
        reason: why they are not the passage's; None if they are.
    """

    tokens: tuple[int, ...]
    reason: str | None = None


def replay(model: Model, passage: Passage) -> Generator[int, None, Replayed]:
    """Write a passage again, alone, with its dials moved where they were; yields how many tokens there are so far.

    Only the tokens are compared: a batch, another chunk of prompt or a cache changes the last digits of numbers, which
    may, rarely, change a token. Then `reason` says where.
    """
    try:
        vectors = _vectors(model, passage)
        blends = [_directions(voice.blend, vectors) for voice in passage.voices]
        decoding = Decoding(model, [_row(model, passage, blends[0])])
    except BillyError as error:
        return Replayed((), str(error))
    # What is drawn next when a step is received has been drawn already, so a dial is moved one token before.
    moves = {voice.first_token - 1: blend for voice, blend in zip(passage.voices[1:], blends[1:], strict=True)}
    tokens: list[int] = []
    for step in decoding:
        for news in step.emitted:
            if news.token is None or len(tokens) == len(passage.tokens):
                continue
            tokens.append(news.token)
            if news.token != passage.tokens[len(tokens) - 1]:
                return Replayed(tuple(tokens), _differs(passage, len(tokens)))
            if len(tokens) in moves:
                decoding.steer(0, moves[len(tokens)])
        if len(tokens) == len(passage.tokens):
            return Replayed(tuple(tokens))
        yield len(tokens)
    return Replayed(tuple(tokens), f"it ends after {len(tokens)} of {len(passage.tokens)} tokens")


def _vectors(model: Model, passage: Passage) -> Mapping[str, PersonaVector]:
    """Return the vectors of a passage, if they and the model are what they were."""
    if dict(passage.fingerprint) != model_marks(model):
        raise UsageError(f"it was written by {sanitize(passage.model)}, and {model.id} is another model; load that one")
    vectors = load_vectors(sorted(passage.vectors), model.id, model.fingerprint)
    changed = [persona for persona, vector in vectors.items() if vector_mark(vector) != passage.vectors[persona]]
    if changed:
        which = ", ".join(changed)
        raise UsageError(f"the vector of {which} was extracted or calibrated anew since; it speaks differently now")
    return vectors


def _directions(blend: str | None, vectors: Mapping[str, PersonaVector]) -> Directions:
    return UNSTEERED if blend is None else directions(Blend.parse(blend), vectors)


def _row(model: Model, passage: Passage, first: Directions) -> Row:
    if not passage.prompt or max(passage.prompt) >= model.fingerprint.vocabulary:
        raise UsageError("its prompt is missing or is not this model's; it cannot be written again")
    thinking = Thinking.of(model.tokenizer, passage.prompt, asked=passage.thinking)
    try:
        sampling = Sampling(**passage.sampling)  # type: ignore[arg-type]  # it checks them
    except TypeError as error:
        raise UsageError("it was sampled in a way that this version does not know") from error
    return Row(
        prompt=passage.prompt,
        directions=first,
        sampling=sampling,
        seed=passage.seed,
        max_tokens=passage.max_tokens,
        stop=passage.stop,
        thinking=None if passage.steer_thinking else thinking,
    )


def _differs(passage: Passage, count: int) -> str:
    now = surroundings()
    others = [
        f"{name} {was} then and {now[name]} now" for name, was in passage.made_with.items() if now.get(name) != was
    ]
    why = f"; it was made with {', '.join(others)}" if others else "; last digits that differ can do that"
    return f"it differs from token {count} of {len(passage.tokens)} on{sanitize(why)}"

"""Make a model write a passage again, token for token, or say why it does not."""

from collections.abc import Generator
from dataclasses import dataclass

from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.blend.directions import directions
from billy_mlx.blend.provenance import model_marks, surroundings, vector_mark
from billy_mlx.blend.recipe import Prompt, Recipe
from billy_mlx.blend.writer import Writer
from billy_mlx.errors import BillyError, UsageError
from billy_mlx.manuscript.passage import Passage
from billy_mlx.model.fingerprint import Fingerprint
from billy_mlx.model.model import Model
from billy_mlx.model.sampling import Sampling
from billy_mlx.text import sanitize
from billy_mlx.vectors.library import read_vectors


@dataclass(frozen=True)
class Replayed:
    """What came of writing a passage again.

    Attributes:
        tokens: as far as they were written: up to the first that differs.
        differs_at: index of the first token that is not the passage's; None if there is none, or nothing was written.
        reason: why they are not the passage's, as a sentence without its full stop; None if they are.
    """

    tokens: tuple[int, ...]
    differs_at: int | None = None
    reason: str | None = None


def replay(model: Model, passage: Passage) -> Generator[int, None, Replayed]:
    """Write a passage again, alone, with its dials moved where they were; yields how many tokens there are so far.

    Only the tokens are compared: a batch, another chunk of prompt or a cache changes the last digits of numbers, which
    may, rarely, change a token. Then `reason` says where.
    """
    try:
        writer = _writer(model, passage)
    except BillyError as error:
        return Replayed((), reason=str(error))
    wanted, tokens = passage.tokens, list[int]()
    for step in writer if wanted else ():
        tokens += [news.token for news in step.emitted if news.token is not None]
        count = len(tokens)
        if tokens[-1:] != list(wanted[count - 1 : count]):
            return Replayed(tuple(tokens), count - 1, _differs(passage, count))
        yield count
    if len(tokens) < len(wanted):
        return Replayed(tuple(tokens), len(tokens), f"it ends after {len(tokens)} of {len(wanted)} tokens")
    return Replayed(tuple(tokens))


def hindrance(passage: Passage, model_id: str, fingerprint: Fingerprint) -> str | None:
    """Return why a model cannot write a passage again, as far as that is known without its weights; None if it can.

    A sentence without its full stop, as the `reason` of `replay`.
    """
    try:
        _require_model(passage, model_id, fingerprint)
        _require_directions(passage, model_id, fingerprint)
        Sampling.of_numbers(passage.sampling)
    except BillyError as error:
        return str(error)
    return None


def _writer(model: Model, passage: Passage) -> Writer:
    """Return the passage about to be written.

    Raises:
        BillyError: it cannot be written by this model, with the vectors there are now.
    """
    _require_model(passage, model.id, model.fingerprint)
    _require_directions(passage, model.id, model.fingerprint)
    first, *later = (ALONE if voice.blend is None else Blend.stored(voice.blend) for voice in passage.voices)
    recipe = Recipe(
        prompt=Prompt(tokens=passage.prompt),
        voice=first,
        sampling=Sampling.of_numbers(passage.sampling),
        seed=passage.seed,
        max_tokens=max(len(passage.tokens), 1),  # where it ended is known: it need not be found again
        thinking=passage.thinking,
        steer_thinking=passage.steer_thinking,
    )
    writer = Writer(model, [recipe])
    for voice, blend in zip(passage.voices[1:], later, strict=True):
        writer.steer(0, blend, first_token=voice.first_token)
    return writer


def _require_model(passage: Passage, model_id: str, fingerprint: Fingerprint) -> None:
    if dict(passage.fingerprint) != model_marks(fingerprint):
        name = sanitize(passage.model)[:200]
        other = "it has changed since" if passage.model == model_id else f"{model_id} is another model; load that one"
        raise UsageError(f"it was written by {name}, and {other}")
    if not passage.prompt or max(passage.prompt) >= fingerprint.vocabulary:
        raise UsageError("its prompt is missing or is not this model's, so that it cannot be written again")


def _require_directions(passage: Passage, model_id: str, fingerprint: Fingerprint) -> None:
    """Do nothing if every voice of a passage adds what it added when it was written.

    Raises:
        BillyError: with the vectors there are now it would be something else, or nobody knows that it would not.
    """
    voices = [(voice, Blend.stored(voice.blend)) for voice in passage.voices if voice.blend is not None]
    personas = {persona for _, blend in voices for persona in blend.persona_ids}
    vectors = read_vectors(sorted(personas), model_id, fingerprint)
    changed = {persona for persona, vector in vectors.items() if vector_mark(vector) != passage.vectors.get(persona)}
    for voice, blend in voices:
        others = ", ".join(persona for persona in blend.persona_ids if persona in changed)
        if others and voice.digest is None:
            raise UsageError(_made_anew(others))
        if voice.digest not in (None, directions(blend, vectors).key):
            raise UsageError(_made_anew(others) if others else _adds_something_else(blend, passage))


def _made_anew(personas: str) -> str:
    return f"the vector of {personas} was extracted or calibrated anew since it was written"


def _adds_something_else(blend: Blend, passage: Passage) -> str:
    program = "billy-mlx"
    then, now = passage.made_with.get(program, "unknown")[:80], surroundings()[program]
    return sanitize(
        f"{blend} adds something else to the model now than when it was written, of the same vectors; "
        f"{program} was {then} then and is {now} now"
    )


def _differs(passage: Passage, count: int) -> str:
    now = surroundings()
    then = {name: passage.made_with.get(name, "unknown")[:80] for name in now}
    others = [f"{name} {then[name]} then and {now[name]} now" for name in now if then[name] != now[name]]
    why = f"it was made with {', '.join(others)}" if others else "last digits that differ can do that"
    return sanitize(f"it differs from token {count} of {len(passage.tokens)} on; {why}")

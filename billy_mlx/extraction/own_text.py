"""A voice from a writer's own text: excerpts of it against what the model writes to the same openings."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from billy_mlx.errors import VectorError
from billy_mlx.extraction.difference import vector_between, versions
from billy_mlx.extraction.extract import doubts_of
from billy_mlx.extraction.extraction import Extracted, ExtractionProgress
from billy_mlx.extraction.filtering import keep_all
from billy_mlx.extraction.kept_answers import claim_personas
from billy_mlx.extraction.own_data import read_texts
from billy_mlx.extraction.pole import Pole
from billy_mlx.extraction.rollouts import RolloutSettings, answer_recipe, write_answers
from billy_mlx.measure.activations import Text
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import chat_prompt, sent_digest
from billy_mlx.steps import mapped
from billy_mlx.vectors.vector import OWN_TEXT, Origin

LEAST_EXCERPTS = 24
"""Excerpts that a voice needs: with the default lengths some 2,000 English words."""

MOST_EXCERPTS = 120
"""Excerpts that are read at most: unlike a persona's answers, none is held against the same words without the voice."""

_SECTIONS = 12  # stretches of the text, each of which weighs the same
_OPENING = 48  # tokens, about; an opening ends where a sentence does
_READING = 0.3  # of the work, roughly; the rest is writing
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’»)\]]*\s+|\n\s*\n")
_LONG_SENTENCE = re.compile(r".{1,400}(?:\s|\Z)|\S{400}", re.DOTALL)
_REQUEST = "Continue this text in the same way, without any remark of your own:\n\n{opening}"


@dataclass(frozen=True)
class Excerpt:
    """A stretch of the writer's text, which goes on from its opening; `section` is the part of the text it is from."""

    section: int
    opening: str
    text: str


def extract_from_text(
    model: Model,
    persona_id: str,
    text: str,
    *,
    source: str,
    settings: RolloutSettings | None = None,
    fresh: bool = False,
) -> Iterator[ExtractionProgress | Extracted]:
    """Extract the vector of the voice that `text` is written in, yielding after every step, and at last the vector.

    The text itself is read as the model's answer to a request to continue its openings; the neutral pole is what the
    model answers to the same requests. Both are kept on disk as they come, and what is kept is not made again.

    Args:
        model: reads the text and writes its own continuations.
        persona_id: the id of the voice.
        text: the writer's, the more the better.
        source: what it is, in words, for the vector's origin.
        settings: `max_tokens` is the length of an excerpt, `rollouts` and `questions` do not matter.
        fresh: forget what is kept, and make all of it anew.

    Raises:
        VectorError: there is too little text, or the model gives numbers that overflow.
        BillyError: another program extracts this voice from the model; otherwise as `roll_out` does.
    """
    settings = RolloutSettings() if settings is None else settings
    with claim_personas(model, [persona_id]):
        yield from _extract(model, persona_id, text, source, settings, fresh=fresh)


def _extract(
    model: Model, persona_id: str, text: str, source: str, settings: RolloutSettings, *, fresh: bool
) -> Iterator[ExtractionProgress | Extracted]:
    excerpts = _spread(find_excerpts(model, text, settings.max_tokens))
    prompts = [tuple(chat_prompt(model.tokenizer, _REQUEST.format(opening=each.opening))) for each in excerpts]
    encoded = [model.tokenizer.encode(each.text, add_special_tokens=False) for each in excerpts]
    sections = [excerpt.section for excerpt in excerpts]
    poles = [
        Pole(
            name, sent_digest(model, [*prompts, *encoded], persona_id, kind, settings.hash), sections, model.fingerprint
        )
        for name, kind in ((persona_id, "text"), ("the model's own continuations", "own"))
    ]
    if fresh:
        for pole in poles:
            pole.discard()
    # As long as the model's own.
    texts = [Text(prompt, tuple(each[: settings.max_tokens])) for prompt, each in zip(prompts, encoded, strict=True)]
    reading = read_texts(model, poles[0], [each.text for each in excerpts], texts, settings.batch)
    yield from mapped(reading, lambda share: ExtractionProgress(f"{persona_id}, reading your text", _READING * share))
    recipes = [answer_recipe(prompt, settings, settings.seed + number) for number, prompt in enumerate(prompts)]
    writing = write_answers(model, poles[1], recipes, settings.batch)
    yield from mapped(
        writing, lambda share: ExtractionProgress(f"{persona_id}, for comparison", _READING + 0.7 * share)
    )
    origin = Origin(
        model_id=model.id,
        rollouts=f"{len(excerpts)}/{len(excerpts)} of {len(excerpts)}",
        sampling=str(settings),
        versions=versions(),
        date=date.today().isoformat(),
        source=source,
        method=OWN_TEXT,
    )
    own, others = poles
    vector = vector_between(model, persona_id, own, others, keep_all(own, others), origin)
    yield Extracted(vector, own, others, doubts_of(others))
    own.discard()
    others.discard()


def find_excerpts(model: Model, text: str, length: int) -> list[Excerpt]:
    """Return the excerpts of `text`, one after the other: about 48 tokens that open it, and `length` that go on.

    Raises:
        VectorError: there are fewer than a voice needs; says how much there is and how much is needed.
    """
    cut = list(_cut(model, text, length))
    if len(cut) < LEAST_EXCERPTS:
        words = len(text.split())
        needed = -(-words * LEAST_EXCERPTS // len(cut)) if cut else LEAST_EXCERPTS * (_OPENING + length) * 3 // 4
        raise VectorError(
            f"{words:,} words give {len(cut)} excerpts, and a voice needs {LEAST_EXCERPTS}; add text by the same hand, "
            f"to about {-(-needed // 100) * 100:,} words in all, or ask for shorter excerpts (-m)"
        )
    return [Excerpt(number * _SECTIONS // len(cut), *parts) for number, parts in enumerate(cut)]


def _cut(model: Model, text: str, length: int) -> Iterator[tuple[str, str]]:
    """Yield opening and continuation, again and again; both begin where a sentence does."""
    sentences = iter(_sentences(text))
    while True:
        parts = [_take(model, sentences, tokens) for tokens in (_OPENING, length)]
        if not all(parts):
            return
        yield parts[0], parts[1]


def _take(model: Model, sentences: Iterator[str], tokens: int) -> str:
    """Return the next sentences, until they have so many tokens; nothing if there are not so many left."""
    taken = ""
    for sentence in sentences:
        taken += sentence
        if len(model.tokenizer.encode(taken, add_special_tokens=False)) >= tokens:
            return taken.strip()
    return ""


def _sentences(text: str) -> list[str]:
    """Return `text` in sentences, each with the white space after it."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    pieces = [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]
    return [part for piece in pieces for part in _LONG_SENTENCE.findall(piece) if part.strip()]


def _spread(excerpts: Sequence[Excerpt]) -> list[Excerpt]:
    """Return the excerpts to read, from all over the text."""
    if len(excerpts) <= MOST_EXCERPTS:
        return list(excerpts)
    return [excerpts[place] for place in np.linspace(0, len(excerpts) - 1, MOST_EXCERPTS).round().astype(int)]

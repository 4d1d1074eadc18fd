"""Vectors from texts that are there already: contrast pairs, and answers to questions."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Literal

from billy_mlx.errors import UsageError
from billy_mlx.extraction.difference import vector_between, versions
from billy_mlx.extraction.extraction import Extracted, ExtractionProgress
from billy_mlx.extraction.filtering import keep_all
from billy_mlx.extraction.kept_answers import claim_personas
from billy_mlx.extraction.methods import Method
from billy_mlx.extraction.pole import Pole, Rollout
from billy_mlx.measure.activations import Text, read_all
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import beginning, chat_prompt, sent_digest
from billy_mlx.steps import mapped
from billy_mlx.vectors.card import PERSONA_ID
from billy_mlx.vectors.vector import Origin

Pair = tuple[str, str]
"""A text, and what it is held against."""
AnsweredPair = tuple[str, str, str]
"""A question, the answer to it, and what that is held against."""
Counted = Literal["mean", "last"]
"""Which tokens of a text count: all of them, averaged, or the last one alone."""

_BATCH = 48


@dataclass(frozen=True)
class OwnTexts:
    """Texts of two poles, row by row what belongs together, as they are read.

    Attributes:
        texts: as they were given, of the positive pole and of the neutral one.
        tokens: of each, what is asked about and what stands before it.
    """

    texts: tuple[tuple[str, ...], tuple[str, ...]]
    tokens: tuple[tuple[Text, ...], tuple[Text, ...]]

    def __len__(self) -> int:
        return len(self.texts[0])


def from_pairs(model: Model, pairs: Sequence[Pair], count: Counted) -> OwnTexts:
    """Return pairs of texts, each to be read from its beginning as it stands, without a chat template.

    Marks of a template that are written in a text count as what they are. The first token of all, be it one that the
    tokenizer puts in front or the text's own, is read and not counted: models rest their attention on it, and what it
    carries is hundreds of times larger than any word.

    Raises:
        UsageError: there is no pair, one is not two texts, or a text is empty or longer than the model's context.
    """
    _require_texts(pairs, 2, "pair", "(text, what it is held against)")
    own, others = (tuple(pair[place] for pair in pairs) for place in (0, 1))
    return _read_as((own, others), *([_plain(model, text, count) for text in pole] for pole in (own, others)))


def from_answers(model: Model, answers: Sequence[AnsweredPair], count: Counted) -> OwnTexts:
    """Return pairs of answers, each to be read as the model's own to its question, behind the plain prompt.

    Raises:
        UsageError: there is no answer, one is not three texts, or a text is empty or longer than the model's context.
    """
    _require_texts(answers, 3, "answer", "(question, answer, what it is held against)")
    prompts = [tuple(chat_prompt(model.tokenizer, question)) for question, _, _ in answers]
    own, others = (tuple(row[place] for row in answers) for place in (1, 2))
    rows = (
        [_answer(model, prompt, text, count) for prompt, text in zip(prompts, pole, strict=True)]
        for pole in (own, others)
    )
    return _read_as((own, others), *rows)


def extract_own(
    model: Model, texts: Mapping[str, OwnTexts], *, source: str, method: Method | None, called: str
) -> Iterator[ExtractionProgress | Extracted]:
    """Extract a vector from the texts of each two poles, yielding after every step, and every vector.

    Args:
        model: reads the texts.
        texts: by the id that the vector is to have.
        source: what they are, in words, for the vectors' origin.
        method: as `vector_between` takes it.
        called: the method's name, for the origin.

    Raises:
        UsageError: there cannot be such an id, or the method cannot be used on so few texts.
        VectorError: the model gives numbers that overflow.
        BillyError: another program extracts a vector of this id; the disk takes no more.
    """
    for vector_id in texts:
        if not PERSONA_ID.fullmatch(vector_id):
            raise UsageError(f"{vector_id!r} cannot be an id; use lower-case letters, digits, - and _")
    with claim_personas(model, list(texts)):
        for number, (vector_id, own) in enumerate(texts.items()):
            origin = Origin(
                model_id=model.id,
                rollouts=f"{len(own)}/{len(own)} of {len(own)}",
                versions=versions(),
                date=date.today().isoformat(),
                source=f"{len(own)} {source}",
                method=called,
            )
            steps = _extract_one(model, vector_id, own, origin, method)
            for step in steps:
                if isinstance(step, ExtractionProgress):
                    step = replace(step, share=(number + step.share) / len(texts))
                yield step


def _extract_one(
    model: Model, vector_id: str, own: OwnTexts, origin: Origin, method: Method | None
) -> Iterator[ExtractionProgress | Extracted]:
    positive, neutral = (
        Pole(name, _key(model, vector_id, name, tokens), range(len(own)), model.fingerprint)
        for name, tokens in zip((vector_id, "neutral"), own.tokens, strict=True)
    )
    try:
        for number, pole in enumerate((positive, neutral)):
            reading = read_texts(model, pole, own.texts[number], own.tokens[number], _BATCH)
            yield from mapped(reading, partial(_progress, vector_id, number))
        selection = keep_all(positive, neutral)
        vector = vector_between(model, vector_id, positive, neutral, selection, origin, method=method)
        yield Extracted(vector, positive, neutral)
    finally:
        positive.discard()
        neutral.discard()


def read_texts(
    model: Model, pole: Pole, written: Sequence[str], texts: Sequence[Text], batch: int
) -> Generator[float, None, None]:
    """Read the texts that `pole` still lacks as if they were answers, yielding what share of them is read."""
    while pole.done < len(texts):
        part = slice(pole.done, pole.done + batch)
        readings = yield from mapped(read_all(model, texts[part]), partial(_share, pole.done, len(texts)))
        rows = zip(pole.asked[part], written[part], texts[part], readings, strict=True)
        pole.add([Rollout(asked, text, tokens.response, each.average) for asked, text, tokens, each in rows])


def _require_texts(rows: Sequence[Sequence[str]], parts: int, what: str, form: str) -> None:
    if isinstance(rows, str) or not isinstance(rows, Sequence) or not rows:
        raise UsageError(f"there is no {what} to make a vector of; give a list of {form}")
    for number, row in enumerate(rows, 1):
        sound = not isinstance(row, str) and isinstance(row, Sequence) and len(row) == parts
        if not sound or not all(isinstance(text, str) and text.strip() for text in row):
            raise UsageError(f"{what} {number} is not {form}, texts that are not empty; correct it, or leave it out")


def _read_as(texts: tuple[tuple[str, ...], tuple[str, ...]], own: list[Text], others: list[Text]) -> OwnTexts:
    return OwnTexts(texts, (tuple(own), tuple(others)))


def _plain(model: Model, text: str, count: Counted) -> Text:
    return _counted(model, beginning(model.tokenizer), text, count)


def _answer(model: Model, prompt: tuple[int, ...], text: str, count: Counted) -> Text:
    return _counted(model, prompt, text, count)


def _counted(model: Model, prompt: Sequence[int], text: str, count: Counted) -> Text:
    """Return a text behind the tokens of a prompt, all of it to be counted, or the last token alone."""
    if count not in ("mean", "last"):
        raise UsageError(f"count is {count!r}; it is 'mean', all tokens averaged, or 'last', the last one alone")
    tokens = [*prompt, *model.tokenizer.encode(text, add_special_tokens=False)]
    if model.context_length is not None and len(tokens) > model.context_length:
        raise UsageError(
            f"the text that begins with {text[:30]!r} has {len(tokens):,} tokens with its prompt, and the context of "
            f"{model.id} holds {model.context_length:,}; shorten it"
        )
    start = min(max(len(prompt), 1), len(tokens) - 1) if count == "mean" else len(tokens) - 1
    return Text(tuple(tokens[:start]), tuple(tokens[start:]))


def _key(model: Model, vector_id: str, pole: str, texts: Sequence[Text]) -> str:
    read = [part for text in texts for part in (text.prompt, text.response)]
    return sent_digest(model, read, vector_id, pole, "own data")


def _progress(vector_id: str, number: int, share: float) -> ExtractionProgress:
    return ExtractionProgress(f"{vector_id}, reading texts", (number + share) / 2)


def _share(before: int, total: int, done: int) -> float:
    return (before + done) / total

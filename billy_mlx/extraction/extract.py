"""From rollouts to persona vectors: the difference of means, at every layer.

The answers of a persona are held against neutral ones to the same questions. The neutral pole is written once per
model and kept; per persona only its own answers are.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from functools import partial

from billy_mlx.extraction.card import Persona, QuestionSet, load_questions
from billy_mlx.extraction.claims import claim_all, claim_neutral, claim_personas, weights_name
from billy_mlx.extraction.difference import vector_between, versions
from billy_mlx.extraction.judge import Judge
from billy_mlx.extraction.pole import Pole
from billy_mlx.extraction.rollouts import RolloutSettings, begin_pole, roll_out
from billy_mlx.extraction.selection import Selection, keep_all, select
from billy_mlx.extraction.vector import Origin, PersonaVector
from billy_mlx.model.model import Model
from billy_mlx.steps import mapped

_WAIT = "wait until it is done, or stop it"
_JUDGING = 0.4  # of the work for a persona, roughly, where there is a judge


@dataclass(frozen=True)
class Extracted:
    """A persona vector that is ready, with the answers it was made from; those go once the next step is asked for.

    Attributes:
        doubts: sentences about poles that are mostly empty answers.
    """

    vector: PersonaVector
    pole: Pole
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """What is being worked on, in words, and what share of the whole extraction is done, from 0 to 1."""

    stage: str
    share: float


def extract(
    model: Model,
    personas: Sequence[Persona],
    *,
    questions: QuestionSet | None = None,
    settings: RolloutSettings | None = None,
    judge: Judge | None = None,
    fresh: bool = False,
) -> Iterator[Progress | Extracted]:
    """Extract the vectors of `personas`, yielding after every step and with every vector that is ready.

    Answers and scores are kept on disk as they come, so that an extraction that is stopped goes on from its last whole
    batch when it is begun again. A persona's are removed once its vector has been taken, the neutral ones stay.

    Args:
        model: answers the questions.
        personas: whose vectors are wanted.
        questions: without them the bundled ones.
        settings: how the answers are sampled.
        judge: decides which answers count; without one all do.
        fresh: forget the answers that are kept of these personas, and the neutral ones, and write them all anew.

    Raises:
        VectorError: the model gave too few answers to take a mean over, or numbers that overflow.
        BillyError: another program extracts one of these personas from the model; otherwise as `roll_out` does.
    """
    questions = load_questions() if questions is None else questions
    settings = RolloutSettings() if settings is None else settings
    if fresh:
        _forget(model, personas, questions, settings)
    with claim_personas(model, [persona.id for persona in personas]):
        yield from _extract_all(model, personas, questions, settings, judge)


def _extract_all(
    model: Model, personas: Sequence[Persona], questions: QuestionSet, settings: RolloutSettings, judge: Judge | None
) -> Iterator[Progress | Extracted]:
    whole = 1 + len(personas)
    writing = _roll_out_neutral(model, questions, settings)
    neutral = yield from mapped(writing, lambda share: Progress("neutral answers", share / whole))
    for number, persona in enumerate(personas, 1):
        one = _extract_one(model, persona, neutral, questions, settings, judge)
        extracted = yield from mapped(one, partial(_as_part, number, whole))
        yield extracted
        extracted.pole.discard()


def _roll_out_neutral(model: Model, questions: QuestionSet, settings: RolloutSettings) -> Generator[float, None, Pole]:
    """Write the neutral answers, which other extractions from the model read as well: one program at a time."""
    asked = model, "neutral", questions.neutral_prompts, questions.questions, settings
    kept, _ = begin_pole(*asked)
    with nullcontext() if kept.done == len(kept) else claim_neutral(model):
        return (yield from roll_out(*asked))


def _forget(model: Model, personas: Sequence[Persona], questions: QuestionSet, settings: RolloutSettings) -> None:
    """Discard what an extraction would go on from, unless another program is at work with it."""
    poles = [("neutral", questions.neutral_prompts), *((persona.name, persona.prompts) for persona in personas)]
    with claim_all(
        weights_name(model), lambda who: f"{who} needs answers of {model.id} that this would forget; {_WAIT}"
    ):
        for name, prompts in poles:
            begin_pole(model, name, prompts, questions.questions, settings)[0].discard()


def _extract_one(
    model: Model,
    persona: Persona,
    neutral: Pole,
    questions: QuestionSet,
    settings: RolloutSettings,
    judge: Judge | None,
) -> Generator[Progress, None, Extracted]:
    """Extract one vector, yielding how much of that is done."""
    judging = 0.0 if judge is None else _JUDGING
    writing = roll_out(model, persona.name, persona.prompts, questions.questions, settings)
    positive = yield from mapped(writing, lambda share: Progress(persona.name, share * (1 - judging)))
    selection = keep_all(positive, neutral)
    if judge is not None:
        selecting = select(judge, persona, positive, neutral, questions.questions)
        stage = f"{persona.name}, judging"
        selection = yield from mapped(selecting, lambda share: Progress(stage, 1 - judging + judging * share))
    origin = _origin(model, persona, selection, questions, settings)
    vector = vector_between(model, persona.id, positive, neutral, selection, origin)
    return Extracted(vector, positive, doubts_of(neutral, positive))


def doubts_of(*poles: Pole) -> tuple[str, ...]:
    """Return a sentence for each of `poles` that is empty answers for more than half."""
    return tuple(
        f"{pole.empty} of {len(pole)} answers for {pole.name} are empty; the model's chat template or its end tokens "
        f"may be wrong"
        for pole in poles
        if 2 * pole.empty > len(pole)
    )


def _as_part(number: int, whole: int, progress: Progress) -> Progress:
    """Return the progress with the persona of this `number` as that of all: the neutral answers are one part more."""
    count = f" ({number} of {whole - 1})" if whole > 2 else ""
    return Progress(f"{progress.stage}{count}", (number + progress.share) / whole)


def _origin(
    model: Model, persona: Persona, selection: Selection, questions: QuestionSet, settings: RolloutSettings
) -> Origin:
    return Origin(
        model_id=model.id,
        card_hash=persona.card_hash,
        question_hash=questions.hash,
        rollouts=f"{sum(selection.positive)}/{sum(selection.neutral)} of {len(selection.positive)}",
        sampling=str(settings),
        versions=versions(),
        date=date.today().isoformat(),
    )

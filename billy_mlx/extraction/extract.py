"""From rollouts to persona vectors: what a persona's system prompts add to the residual stream, at every layer.

The answers of a persona are read behind its system prompts and again behind the plain prompt, and are held against
neutral ones to the same questions. The neutral pole is written once per model and kept; per persona only its own
answers are.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from functools import partial

from billy_mlx.errors import UsageError
from billy_mlx.extraction.common import begin_common, cards_digest, common_cards, read_common_part
from billy_mlx.extraction.difference import vector_between, versions
from billy_mlx.extraction.filtering import Selection, keep_all, select
from billy_mlx.extraction.judge import Judge
from billy_mlx.extraction.kept_answers import claim_all, claim_neutral, claim_personas, weights_name
from billy_mlx.extraction.pole import Floats, Pole
from billy_mlx.extraction.rollouts import RolloutSettings, begin_pole, roll_out
from billy_mlx.model.model import Model
from billy_mlx.steps import mapped
from billy_mlx.vectors.card import Persona, QuestionSet, load_questions
from billy_mlx.vectors.vector import MEAN_DIFFERENCE, PROMPT_EFFECT, Origin, PersonaVector

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
class ExtractionProgress:
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
    method: str = PROMPT_EFFECT,
    common: Sequence[Persona] | None = None,
    fresh: bool = False,
) -> Iterator[ExtractionProgress | Extracted]:
    """Extract the vectors of `personas`, yielding after every step and with every vector that is ready.

    Answers and scores are kept on disk as they come, so that an extraction that is stopped goes on from its last whole
    batch when it is begun again. A persona's are removed once its vector has been taken, the neutral ones stay.

    Args:
        model: answers the questions.
        personas: whose vectors are wanted.
        questions: without them the bundled ones.
        settings: how the answers are sampled.
        judge: decides which answers count; without one all do.
        method: `PROMPT_EFFECT`, what the system prompts add on the same words, with neutral answers to the plain prompt
            to read texts against; or the paper's `MEAN_DIFFERENCE` from answers to the five neutral system prompts.
        common: the cards whose system prompts say what all personas have in common, which is taken out of each; without
            them the bundled ones, and with none at all nothing is. The paper's method takes nothing out.
        fresh: forget the answers that are kept of these personas, and the neutral ones, and write them all anew.

    Raises:
        UsageError: there is no such method.
        VectorError: the model gave too few answers to take a mean over, or numbers that overflow.
        BillyError: another program extracts one of these personas from the model; otherwise as `roll_out` does.
    """
    if method not in (PROMPT_EFFECT, MEAN_DIFFERENCE):
        raise UsageError(f"there is no method {method!r}; there are {PROMPT_EFFECT} and {MEAN_DIFFERENCE}")
    questions = load_questions() if questions is None else questions
    settings = RolloutSettings() if settings is None else settings
    cards = common_cards() if common is None else list(common)
    asked = _Work(model, questions, settings, judge, method, cards if method == PROMPT_EFFECT else [])
    if fresh:
        asked.forget(personas)
    with claim_personas(model, [persona.id for persona in personas]):
        yield from _extract_all(asked, personas)


def neutral_share(model: Model, settings: RolloutSettings) -> float:
    """Return what share of a model's neutral answers is kept from before, from 0 to 1, if so extracted by default."""
    kept = _Work(model, load_questions(), settings, None, PROMPT_EFFECT, ()).pole(None)
    return kept.done / max(1, len(kept))


@dataclass(frozen=True)
class _Work:
    """How the vectors of one model are extracted."""

    model: Model
    questions: QuestionSet
    settings: RolloutSettings
    judge: Judge | None
    method: str
    cards: Sequence[Persona]

    def prompts(self, persona: Persona | None) -> tuple[str, Sequence[str | None]]:
        """Return the name and the system prompts of a pole, the neutral one without a persona."""
        if persona is not None:
            return persona.name, persona.prompts
        return "neutral", (None,) if self.method == PROMPT_EFFECT else self.questions.neutral_prompts

    def pole(self, persona: Persona | None) -> Pole:
        """Return a pole with the answers that are kept."""
        return begin_pole(self.model, *self.prompts(persona), self.questions.questions, self.settings)[0]

    def roll_out(self, persona: Persona | None) -> Generator[float, None, Pole]:
        """Write the answers of a pole that are not kept yet, yielding what share of them is done."""
        return roll_out(self.model, *self.prompts(persona), self.questions.questions, self.settings)

    def roll_out_neutral(self) -> Generator[float, None, Pole]:
        """Write the neutral answers, which other extractions from the model read as well: one program at a time."""
        kept = self.pole(None)
        with nullcontext() if kept.done == len(kept) else claim_neutral(self.model):
            return (yield from self.roll_out(None))

    def forget(self, personas: Sequence[Persona]) -> None:
        """Discard what an extraction would go on from, unless another program is at work with it."""

        def refused(who: str) -> str:
            return f"{who} needs answers of {self.model.id} that this would forget; wait until it is done, or stop it"

        with claim_all(weights_name(self.model), refused):
            neutral = self.pole(None)
            if self.cards and neutral.done == len(neutral):
                begin_common(self.model, neutral, self.questions.questions, self.cards)[0].discard()
            for persona in (None, *personas):
                self.pole(persona).discard()


def _extract_all(work: _Work, personas: Sequence[Persona]) -> Iterator[ExtractionProgress | Extracted]:
    whole = 1 + len(personas)
    writing = work.roll_out_neutral()
    part = 0.5 if work.cards else 1.0
    neutral = yield from mapped(
        writing, lambda share: ExtractionProgress("what all voices share", part * share / whole)
    )
    common = None
    if work.cards:
        questions, batch = work.questions.questions, work.settings.batch
        reading = read_common_part(work.model, neutral, questions, work.cards, batch)
        stage = "what all voices share, reading"
        common = yield from mapped(reading, lambda share: ExtractionProgress(stage, (part + part * share) / whole))
    for number, persona in enumerate(personas, 1):
        one = _extract_one(work, persona, neutral, common)
        extracted = yield from mapped(one, partial(_as_part, number, whole))
        yield extracted
        extracted.pole.discard()


def _extract_one(
    work: _Work, persona: Persona, neutral: Pole, common: Floats | None
) -> Generator[ExtractionProgress, None, Extracted]:
    """Extract one vector, yielding how much of that is done."""
    judging = 0.0 if work.judge is None else _JUDGING
    writing = work.roll_out(persona)
    positive = yield from mapped(writing, lambda share: ExtractionProgress(persona.name, share * (1 - judging)))
    selection = keep_all(positive, neutral)
    if work.judge is not None:
        selecting = select(work.judge, persona, positive, neutral, work.questions.questions)
        stage = f"{persona.name}, checking"
        selection = yield from mapped(selecting, lambda share: ExtractionProgress(stage, 1 - judging + judging * share))
    origin = _origin(work, persona, selection)
    vector = vector_between(work.model, persona.id, positive, neutral, selection, origin, common)
    return Extracted(vector, positive, doubts_of(neutral, positive))


def doubts_of(*poles: Pole) -> tuple[str, ...]:
    """Return a sentence for each of `poles` that is empty answers for more than half."""
    return tuple(
        f"{pole.empty} of {len(pole)} answers for {pole.name} are empty; the model's chat template or its end tokens "
        f"may be wrong"
        for pole in poles
        if 2 * pole.empty > len(pole)
    )


def _as_part(number: int, whole: int, progress: ExtractionProgress) -> ExtractionProgress:
    """Return the progress with the persona of this `number` as that of all: the neutral answers are one part more."""
    count = f" ({number} of {whole - 1})" if whole > 2 else ""
    return ExtractionProgress(f"{progress.stage}{count}", (number + progress.share) / whole)


def _origin(work: _Work, persona: Persona, selection: Selection) -> Origin:
    return Origin(
        model_id=work.model.id,
        card_hash=persona.card_hash,
        question_hash=work.questions.hash,
        rollouts=f"{sum(selection.positive)}/{sum(selection.neutral)} of {len(selection.positive)}",
        sampling=str(work.settings),
        versions=versions(),
        date=date.today().isoformat(),
        method=work.method,
        common=cards_digest(work.cards) if work.cards else "",
    )

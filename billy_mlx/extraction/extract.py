"""From rollouts to persona vectors: what a persona's system prompts add to the residual stream, at every layer.

Or from texts that are there: see `own_data`.

The answers of a persona are read behind its system prompts and again behind the plain prompt, and are held against
neutral ones to the same questions. The neutral pole is written once per model and kept; per persona only its own
answers are.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from billy_mlx.errors import UsageError
from billy_mlx.extraction.activations_file import require_room, save_activations
from billy_mlx.extraction.common import begin_common, cards_digest, common_cards, read_common_part
from billy_mlx.extraction.difference import vector_between, versions
from billy_mlx.extraction.extraction import Extracted, Extraction, ExtractionProgress
from billy_mlx.extraction.filtering import Selection, keep_all, select
from billy_mlx.extraction.judge import Judge
from billy_mlx.extraction.kept_answers import claim_all, claim_neutral, claim_personas, weights_name
from billy_mlx.extraction.methods import READY, Method, name_of
from billy_mlx.extraction.own_data import AnsweredPair, Counted, Pair, extract_own, from_answers, from_pairs
from billy_mlx.extraction.pole import Floats, Pole
from billy_mlx.extraction.rollouts import RolloutSettings, begin_pole, roll_out
from billy_mlx.model.model import Model
from billy_mlx.steps import mapped
from billy_mlx.vectors.card import Persona, QuestionSet, get_persona, load_questions
from billy_mlx.vectors.vector import MEAN_DIFFERENCE, PROMPT_EFFECT, Origin

_JUDGING = 0.4  # of the work for a persona, roughly, where there is a judge


def extract(
    model: Model,
    personas: Sequence[Persona | str] | None = None,
    *,
    pairs: Mapping[str, Sequence[Pair]] | None = None,
    answers: Mapping[str, Sequence[AnsweredPair]] | None = None,
    count: Counted = "mean",
    questions: QuestionSet | None = None,
    settings: RolloutSettings | None = None,
    judge: Judge | None = None,
    method: str | Method | None = None,
    common: Sequence[Persona] | None = None,
    fresh: bool = False,
    keep: str | Path | None = None,
) -> Extraction:
    """Return the extraction of vectors, which goes on as far as it is iterated over; `vectors()` runs it to its end.

    What is given decides what a vector is made from: personas, whose answers the model writes; pairs of texts; or
    answers that are there already.

    Answers of personas and scores are kept on disk as they come, so that an extraction that is stopped goes on from its
    last whole batch when it is begun again. A persona's are removed once its vector has been taken, the neutral ones
    stay. Other texts are read anew each time.

    Args:
        model: answers the questions, or reads the texts.
        personas: whose vectors are wanted; also the ids of cards. Of none the neutral answers alone are written.
        pairs: by the vector's id, texts and what each is held against, read from their beginning as they stand.
        answers: by the vector's id, questions with the answer to each and what that is held against, read behind the
            plain prompt.
        count: which tokens of pairs and answers count, "mean" for all or "last".
        questions: that personas are asked; without them the bundled ones.
        settings: how the answers are sampled.
        judge: decides which answers count; without one all do.
        method: `"prompt-effect"`, what the system prompts add on the same words, with neutral answers to the plain
            prompt to read texts against, which is what personas have by default; the paper's `"mean-difference"`, for
            personas from answers to the five neutral system prompts, which is what pairs and answers have by default;
            `"pca"`, `"logistic"`; or a function as `Method` says, for personas of the mean activations over the answers
            to each question.
        common: the cards whose system prompts say what all personas have in common, which is taken out of each; without
            them the bundled ones, and with none at all nothing is. Only the prompts' effect has something taken out.
        fresh: forget the answers that are kept of these personas, and the neutral ones, and write them all anew.
        keep: a folder; the activations of each vector's answers go there as `<id>.safetensors`, for `load_activations`.

    Raises:
        UsageError: there is no such method, it cannot be used on these, a text is empty or too long, or not one of
            personas, pairs and answers is given.
        VectorError: the model gave too few answers to take a mean over, or numbers that overflow; activations to keep
            would take more than a gibibyte.
        BillyError: another program extracts one of these from the model; otherwise as `roll_out` does.
    """
    if [personas, pairs, answers].count(None) != 2:
        raise UsageError("give personas, pairs or answers to make vectors of, and one of them only")
    for name, own in (("pairs", pairs), ("answers", answers)):
        if own is not None and not isinstance(own, Mapping):
            raise UsageError(
                f"{name} is a {type(own).__name__}; give a list under the id of its vector: {name}={{'mine': [...]}}"
            )
    if personas is not None:
        wanted = [get_persona(each) if isinstance(each, str) else each for each in personas]
        chosen = PROMPT_EFFECT if method is None else method
        cards = (common_cards() if common is None else list(common)) if chosen == PROMPT_EFFECT else []
        asked = load_questions() if questions is None else questions
        settings = RolloutSettings() if settings is None else settings
        work = _Work(model, asked, settings, judge, *_method(chosen), cards)
        steps = _extract_personas(work, wanted, fresh=fresh, keeps=keep is not None)
    else:
        texts = {name: from_pairs(model, rows, count) for name, rows in (pairs or {}).items()}
        texts |= {name: from_answers(model, rows, count) for name, rows in (answers or {}).items()}
        called, function = _method(MEAN_DIFFERENCE if method is None else method)
        if called == PROMPT_EFFECT:
            raise UsageError(f"{PROMPT_EFFECT} is for personas, which have system prompts; leave the method out")
        steps = extract_own(
            model, texts, source="contrast pairs" if pairs else "answers", method=function, called=called
        )
    return Extraction(steps if keep is None else _keeping(steps, model, Path(keep)))


def _method(method: str | Method) -> tuple[str, Method | None]:
    """Return what a method is called, and its function; none for those that are means over the questions."""
    if callable(method):
        return name_of(method), method
    if method in (PROMPT_EFFECT, MEAN_DIFFERENCE):
        return method, None
    if method in READY:
        return method, READY[method]
    raise UsageError(f"there is no method {method!r}; there are {', '.join((PROMPT_EFFECT, *READY))}, and functions")


def _extract_personas(
    work: "_Work", personas: Sequence[Persona], *, fresh: bool, keeps: bool
) -> Iterator[ExtractionProgress | Extracted]:
    if fresh:
        work.forget(personas)
    if keeps:
        prints, asked = work.model.fingerprint, len(work.settings.order(len(work.questions.questions)))
        require_room(asked, prints.layers, prints.width, plain=True)
    with claim_personas(work.model, [persona.id for persona in personas]):
        yield from _extract_all(work, personas)


def _keeping(
    steps: Iterator[ExtractionProgress | Extracted], model: Model, folder: Path
) -> Iterator[ExtractionProgress | Extracted]:
    """Yield `steps`, after the activations of what is extracted have been kept in `folder`."""
    for step in steps:
        if isinstance(step, Extracted):
            name = step.vector.persona_id
            save_activations(folder / f"{name}.safetensors", name, model.id, step.pole, step.neutral)
        yield step


def neutral_share(model: Model, settings: RolloutSettings) -> float:
    """Return what share of a model's neutral answers is kept from before, from 0 to 1, if so extracted by default."""
    kept = _Work(model, load_questions(), settings, None, PROMPT_EFFECT, None, ()).pole(None)
    return kept.done / max(1, len(kept))


@dataclass(frozen=True)
class _Work:
    """How the vectors of one model are extracted."""

    model: Model
    questions: QuestionSet
    settings: RolloutSettings
    judge: Judge | None
    method: str
    function: Method | None
    cards: Sequence[Persona]

    def prompts(self, persona: Persona | None) -> tuple[str, Sequence[str | None]]:
        """Return the name and the system prompts of a pole, the neutral one without a persona."""
        if persona is not None:
            return persona.name, persona.prompts
        return "neutral", self.questions.neutral_prompts if self.method == MEAN_DIFFERENCE else (None,)

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
    vector = vector_between(work.model, persona.id, positive, neutral, selection, origin, common, work.function)
    return Extracted(vector, positive, neutral, doubts_of(neutral, positive))


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

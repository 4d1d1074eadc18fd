"""From a folder of stored answers to everything that a report shows."""

import platform
import random
import re
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from datetime import date
from importlib.metadata import version
from itertools import product

from billy_mlx.bench.arms import plan
from billy_mlx.bench.caveats import deviations_of, find_limits
from billy_mlx.bench.comparisons import compare
from billy_mlx.bench.equal_length import subjects
from billy_mlx.bench.human_ratings import Ratings, add_ratings
from billy_mlx.bench.judging import ALL, Bounds
from billy_mlx.bench.metrics import sentences
from billy_mlx.bench.projections import project_blends
from billy_mlx.bench.read_outs import ReadOuts, find_encoder
from billy_mlx.bench.result import ArmNote, Example, GroupCost, Result, VectorCost, redact_path
from billy_mlx.bench.run import BenchProgress
from billy_mlx.bench.scoring import score
from billy_mlx.bench.steered_arms import main_arm
from billy_mlx.bench.store import FINGERPRINT, Answer, Store
from billy_mlx.bench.tasks import Item, load_tasks
from billy_mlx.blend.blend import Blend
from billy_mlx.errors import BillyError
from billy_mlx.extraction.judge import Judge
from billy_mlx.measure.embedding import Embedder
from billy_mlx.measure.sentence_encoder import packaged_embedder
from billy_mlx.model import backend
from billy_mlx.model.memory import total_bytes
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import chat_prompt
from billy_mlx.model.sampling import Sampling
from billy_mlx.steps import mapped
from billy_mlx.vectors.card import get_persona, load_questions
from billy_mlx.vectors.library import card_changed, find_all, is_bundled, load_vectors
from billy_mlx.vectors.vector import Origin, PersonaVector

_SCORING = 0.85  # of the work, roughly; the rest is reading what the blends carry
_EXAMPLES = 3

_WRITTEN = re.compile(r"\d+/\d+ of (\d+)")  # Origin.rollouts
_TOKENS = re.compile(r"(\d+) tokens")  # Origin.sampling
_WRITERS = ("billy", "personas")  # groups whose speed is taken, the first there is

_Pole = tuple[tuple[str, ...], int, int]
"""Its system prompts, how many answers there are, and how many tokens each may have."""


def gather(
    model: Model,
    store: Store,
    *,
    embedder: Embedder,
    judge: Judge | None,
    ratings: Sequence[Ratings] = (),
    encoder: Callable[[], Embedder] = packaged_embedder,
    bounds: Bounds = ALL,
) -> Generator[BenchProgress, None, Result]:
    """Return everything that the answers of `store` show, yielding how far it is.

    Args:
        model: that wrote them, unsteered; it reads them as well.
        store: of the answers and their costs. Scores are kept in its folder.
        embedder: says how alike ideas are.
        judge: None leaves the judging out.
        ratings: of people.
        encoder: makes what places texts by sentences; where it raises ModelError, they are not placed.
        bounds: of the judging and of the reading.

    Raises:
        BillyError: a vector is missing, or the model cannot be steered.
    """
    settings, tasks = store.settings, load_tasks()
    planned = plan(model, settings)
    played, asked = {answer.arm for answer in store.answers}, {answer.item for answer in store.answers}
    arms = [arm for arm in planned.arms if arm.name in played]
    items = [item for item in planned.items if item.id in asked]
    sentence_encoder, missing = find_encoder(encoder)
    scoring = score(model, tasks, items, store, embedder, judge, encoder=sentence_encoder, bounds=bounds)
    scored, reliability = yield from mapped(scoring, lambda each: each.within(0.0, _SCORING))
    projecting = project_blends(model, arms, items, store, bounds.projected)
    projections = yield from mapped(projecting, lambda each: each.within(_SCORING, 1.0))
    scored, humans = add_ratings(scored, subjects(store.answers, items, tasks), ratings)
    main = main_arm(settings)
    means, comparisons = compare(scored, arms, main)
    reliability = [*reliability, *humans]
    left_out = [*planned.left_out, *ReadOuts.of(settings.blend).missing(missing)]
    return Result(
        main=main,
        made_with={**store.made_with, **_told(store, items, embedder, judge, bounds)},
        arms=tuple(ArmNote(arm.name, arm.group, arm.description, arm.blend.spelled) for arm in arms),
        metrics=sentences(mean.metric for mean in means),
        means=tuple(means),
        comparisons=tuple(comparisons),
        costs=tuple(store.costs),
        vectors=vector_cost(model, settings.blend, store.costs),
        reliability=tuple(reliability),
        projections=tuple(projections),
        examples=tuple(choose_examples(items, store.answers, settings.seed)),
        limits=(*left_out, *find_limits(model, arms, items, store, reliability, comparisons)),
        deviations=tuple(deviations_of(settings, model)),
        scored=tuple(scored),
    )


def made_with(model: Model, command: str) -> dict[str, str]:
    """Return what answers are made with, name to value, so that they can be made again."""
    return {
        "command": command,
        "model": model.id,
        FINGERPRINT: fingerprint_of(model),
        "billy-mlx": version("billy-mlx"),
        "mlx": version("mlx"),
        "mlx-lm": version("mlx-lm"),
        "Python": platform.python_version(),
        "device": backend.device_name(),
        "BLAS": backend.blas_name(),
        "platform": f"{platform.system()}, {platform.machine()}",
        "system": platform.platform(terse=True),
        "memory": f"{total_bytes() / 1e9:.0f} GB",
        "date": date.today().isoformat(),
    }


def fingerprint_of(model: Model) -> str:
    """Return what `made_with` names a model's weights by."""
    of = model.fingerprint
    return f"{of.base}-{of.weights} ({of.architecture}, {of.layers} layers of {of.width})"


def choose_examples(items: Sequence[Item], answers: Sequence[Answer], seed: int) -> list[Example]:
    """Return the texts of all arms to a few of `items`, drawn by `seed` and never by what anybody thinks of them."""
    texts: dict[str, dict[str, str]] = {}
    for answer in answers:
        texts.setdefault(answer.item, {}).setdefault(answer.arm, answer.text)  # of several seeds the first
    most = max((len(of_arms) for of_arms in texts.values()), default=0)
    whole = [item for item in items if len(texts.get(item.id, ())) == most]
    drawn = random.Random(seed).sample(whole, min(_EXAMPLES, len(whole))) if most else []
    return [Example(item.id, item.prompt, texts[item.id]) for item in drawn]


def vector_cost(model: Model, blend: Blend, costs: Sequence[GroupCost]) -> VectorCost:
    """Return what making the vectors of `blend` takes: as many tokens as the answers may have had, at this run's speed.

    A pole of answers for every persona and a neutral one that they share; judging and calibrating come on top. None
    for a vector whose file does not say how it was made, or whose card or questions have changed since.

    Raises:
        BillyError: a vector is missing.
    """
    personas = blend.persona_ids
    vectors = load_vectors(model, personas)
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


def _told(
    store: Store, items: Sequence[Item], embedder: Embedder, judge: Judge | None, bounds: Bounds
) -> dict[str, str]:
    settings, tasks = store.settings, load_tasks()
    ideas = "the whole" if settings.whole_lists else "all ideas" if bounds.ideas is None else f"{bounds.ideas} ideas"
    return {
        "items": ", ".join(f"{count} of {tasks[task].name}" for task, count in Counter(i.task for i in items).items()),
        "protocol": settings.protocol,
        "blend": str(settings.blend),
        "sampling": f"{_drawn(settings.sampling)}, seed {settings.seed}",
        "tokens": f"at most {settings.max_tokens} of an answer, {settings.discussion_tokens} of a turn of a discussion",
        "seeds per item": str(settings.seeds),
        "embeddings": redact_path(embedder.name),
        "judge": "none" if judge is None else f"{judge.name}: {ideas} of an answer, {', '.join(bounds.criteria)}",
    }


def _drawn(sampling: Sampling) -> str:
    return (
        f"temperature {sampling.temperature:g}, top-p {sampling.top_p:g}, min-p {sampling.min_p:g}, "
        f"repetition penalty {sampling.repetition_penalty:g}"
    )


def _own_pole(vector: PersonaVector) -> _Pole | None:
    try:
        prompts = get_persona(vector.persona_id).prompts
    except BillyError:  # a vector from elsewhere
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
        return origin.source or "an unknown number of answers"
    return f"{origin.rollouts} answers a pole, {origin.sampling}"

"""What stands beside the numbers of a benchmark: what they cannot support, and how the run differs from the paper's.

All of it in sentences that depend on the numbers, the model and the settings. The paper is arXiv 2510.10157.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from mlx_lm.utils import get_total_parameters

from billy_mlx.bench.play import Arm
from billy_mlx.bench.result import CONTROL, FEWEST_ITEMS, Comparison, Reliability, redact_path
from billy_mlx.bench.settings import DEFAULT_BLEND, BenchSettings
from billy_mlx.bench.store import Answer, Store
from billy_mlx.bench.tasks import Item
from billy_mlx.blend.blend import Blend, Mode
from billy_mlx.blend.directions import PAPER_LAYER, steered_layers
from billy_mlx.measure.statistics import differences_needed, smallest_effect
from billy_mlx.model import backend
from billy_mlx.model.model import Model
from billy_mlx.vectors.library import load_vectors
from billy_mlx.vectors.vector import Origin, PersonaVector

FEW_ITEMS = 20
"""Items of a task below which its intervals are rough, whatever is done about that."""

_SMALL = 1e9  # parameters
_EFFECT = 0.4  # standard deviations, between what is called small and middling
_CUT = 0.2  # of an arm's answers
_SAME = 0.05  # of an arm's answers
_PAPER_DEPTH = 32  # layers of Llama-3.1-8B


def find_limits(
    model: Model,
    arms: Sequence[Arm],
    items: Sequence[Item],
    store: Store,
    reliability: Sequence[Reliability],
    comparisons: Sequence[Comparison],
) -> list[str]:
    """Return what the numbers cannot support, a sentence each, the weightiest first."""
    found = [
        *_of_the_model(model),
        *_of_raters(reliability),
        *_of_items(items, store),
        *_of_power(len(items)),
        *_of_lengths(store.answers),
        *_of_fallbacks(store.answers),
        *_of_same_texts(arms, store.answers),
        *_of_comparisons(comparisons),
        *_of_rarity(comparisons, store.answers),
        *_of_vectors(model, arms),
        *_of_costs(),
    ]
    return [f"{sentence.rstrip('.')}." for sentence in found]


def deviations_of(settings: BenchSettings, model: Model) -> list[str]:
    """Return how a run with some settings differs from the paper's, a sentence each, those of weight first.

    Raises:
        BillyError: a persona of the blend has no vector for the model.
    """
    blend = settings.blend
    vectors = list(load_vectors(model, blend.persona_ids).values())
    return [
        f"The model is {model.id}; the paper has Qwen2.5-7B and Llama-3.1-8B.",
        _judging_differs(settings),
        *_items_differ(settings),
        *_steering_differs(settings, blend, vectors),
        *_vectors_differ(vectors),
        *_sampling_differs(settings),
        f"Answers have up to {settings.max_tokens} tokens, turns of the discussion up to {settings.discussion_tokens}.",
        "The discussion's prompts are our own; a turn is shown the task and what the others said in the round before, "
        "and not the rounds before that.",
        "The discussion's answer is what the four roles list last, each idea once; of a piece of writing it is "
        "the first role's.",
        "The multi-role prompt is our own; verbalized sampling, the personas' system prompts, another persona and "
        "random directions are added.",
    ]


def _of_the_model(model: Model) -> Iterator[str]:
    parameters = get_total_parameters(model.model)
    if parameters < _SMALL:
        yield (
            f"{model.id} has {parameters / 1e6:,.0f} million parameters: it is no judge, and hardly has ideas at all. "
            "What is shown here is whether steering moves its texts and what that costs, not whether it makes a model "
            "more creative"
        )


def _of_raters(reliability: Sequence[Reliability]) -> Iterator[str]:
    if not reliability:
        yield "Nobody has judged the ideas: nothing here says whether one of them is good"
    for each in reliability:
        if not each.usable:
            yield f"{each.rater} is not reliable: {each.verdict}"
        elif not each.checks:
            yield f"{each.rater} was not checked: {each.verdict}"


def _of_items(items: Sequence[Item], store: Store) -> Iterator[str]:
    fewest = min(Counter(item.task for item in items).values(), default=0)
    if fewest < FEW_ITEMS:
        yield (
            f"A task has as few as {fewest} item{'s' * (fewest != 1)}: an interval over so few is rough, and a "
            "difference that it does not show may well be there"
        )
        if fewest < FEWEST_ITEMS:
            yield (
                f"Of a difference over fewer than {FEWEST_ITEMS} items no side is claimed, and a single item has no "
                "interval and is left out"
            )
    if store.settings.seeds == 1:
        yield "Every item was answered once by every arm, so that chance of sampling and of items cannot be told apart"


def _of_power(items: int) -> Iterator[str]:
    """Yield which differences so many items could have told; below `FEWEST_ITEMS` none is claimed anyway."""
    if items >= FEWEST_ITEMS:
        yield (
            f"With {items} items, a true difference below {smallest_effect(1, items):.2f} standard deviations of the "
            "items' differences would be missed more often than one time in five (two-sided at 5 %, each difference "
            f"by itself: no level is corrected for how many there are); {_EFFECT:g} standard deviations take "
            f"{differences_needed(_EFFECT)} items"
        )


def _of_lengths(answers: Sequence[Answer]) -> Iterator[str]:
    cut = [answer for answer in answers if answer.finish_reason == "length"]
    shares = {arm: share for arm, share in _shares(cut, answers).items() if share > _CUT}
    if shares:
        most = max(shares, key=shares.__getitem__)
        yield (
            f"{len(cut) / len(answers):.0%} of all answers were cut off at the most tokens they may have "
            f"({most}: {shares[most]:.0%}): how many ideas they have says as much about that number as about the arm"
        )


def _of_fallbacks(answers: Sequence[Answer]) -> Iterator[str]:
    shares = _shares((answer for answer in answers if answer.fallback), answers)
    if shares:
        yield f"Some answers do not do what their arm asks for, and were taken as they are: {_listed(shares)}"


def _of_same_texts(arms: Sequence[Arm], answers: Sequence[Answer]) -> Iterator[str]:
    texts: dict[str, dict[tuple[str, int], str]] = {}
    for answer in answers:
        texts.setdefault(answer.arm, {})[answer.item, answer.seed] = answer.text
    alike: dict[frozenset[tuple[tuple[str, int], str]], list[str]] = {}
    for arm, own in texts.items():
        alike.setdefault(frozenset(own.items()), []).append(arm)
    for names in alike.values():
        if len(names) > 1:
            yield (
                f"All texts of {' and '.join(names)} are the same to the letter: what holds for one holds for all, "
                "and they count as one"
            )
    control = {(answer.item, answer.seed): answer.text for answer in answers if answer.arm == CONTROL}
    steered = {arm.name for arm in arms if arm.blend.weights or arm.group == "random"} - {CONTROL}
    same = [a for a in answers if a.arm in steered and control.get((a.item, a.seed)) == a.text]
    told = {arm: share for arm, share in _shares(same, answers).items() if share > _SAME}
    if told:
        yield f"Some texts are those of {CONTROL} to the letter, so that nothing was changed there: {_listed(told)}"


def _of_comparisons(comparisons: Sequence[Comparison]) -> Iterator[str]:
    signed = [each for each in comparisons if each.estimate.enough and each.task is None]
    if len(signed) > 1:
        yield (
            f"{len(signed):,} differences over all tasks have a sign, each from an interval of 95 %: if nothing "
            f"differed, one in twenty would still leave out 0, about {len(signed) / 20:,.0f} of them"
        )


def _of_rarity(comparisons: Sequence[Comparison], answers: Sequence[Answer]) -> Iterator[str]:
    if any(each.metric == "rarity" for each in comparisons):
        count = len({answer.arm for answer in answers})
        yield (
            f"Rarity is among the ideas of the {count} arms that are here: with others in the pool it would be another "
            "number, so it can be compared within this report and with no other"
        )


def _of_vectors(model: Model, arms: Sequence[Arm]) -> Iterator[str]:
    personas = sorted({persona for arm in arms for persona in arm.blend.persona_ids})
    if not personas:
        return
    made: dict[str, list[str]] = {}
    for persona, vector in load_vectors(model, personas).items():
        made.setdefault(_made(vector.origin), []).append(persona)
    told = [f"{how} ({', '.join(own)})" for how, own in made.items()]
    yield f"The vectors were {'; '.join(told)}"
    yield (
        "The lines called persona read the texts with the same vectors that steered them: they say that a text was "
        "moved, not that a reader would notice"
    )


def _made(origin: Origin) -> str:
    if origin.source:
        return f"taken from {origin.source}"
    if not origin.rollouts:
        return "made in an unknown way"
    return f"made with {redact_path(origin.model_id)} from its own answers"


def _of_costs() -> Iterator[str]:
    where = "without a GPU" if backend.on_cpu() else "with its GPU"
    yield (
        f"Times are those of one machine {where}, in batches and with whatever else it had to do: the ratio of two "
        "arms says more than either, and the ratio of their tokens more than that"
    )


def _shares(some: Iterable[Answer], answers: Sequence[Answer]) -> dict[str, float]:
    """Return by arm how much of its `answers` `some` are; arms without any are not in it."""
    counts = Counter(answer.arm for answer in answers)
    return {arm: count / counts[arm] for arm, count in Counter(answer.arm for answer in some).items()}


def _listed(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{arm} ({share:.0%})" for arm, share in shares.items())


def _judging_differs(settings: BenchSettings) -> str:
    how = "whole lists, as the paper does" if settings.whole_lists else "ideas one by one, where the paper judges lists"
    return (
        "The judge is a local model with rubrics of our own, whose score is the expectation over the numbers that it "
        f"might write next; it judges {how}."
    )


def _items_differ(settings: BenchSettings) -> list[str]:
    many = "all" if settings.items_per_task is None else f"the first {settings.items_per_task}"
    if settings.tasks_file is not None:
        name = redact_path(settings.tasks_file)
        return [f"The items are {many} in {name}; behind each question stands that a numbered list is wanted."]
    return [
        f"The items are our own, {many} of each task, and not those of LLM Discussion (arXiv 2405.06373).",
        "Where ideas are listed, the question asks for five of them, so that there are hardly ever more.",
        *_tasks_differ(settings),
    ]


def _tasks_differ(settings: BenchSettings) -> list[str]:
    told = [] if settings.tasks is None else [f"Only these tasks are asked: {', '.join(settings.tasks)}."]
    if settings.tasks is None or "writing" in settings.tasks:
        told.append("A task of short creative writing is added, which the paper does not have.")
    return told


def _steering_differs(settings: BenchSettings, blend: Blend, vectors: list[PersonaVector]) -> list[str]:
    count = len(vectors[0].directions)
    layers = _named(steered_layers(Blend(blend.weights, mode=Mode.PAPER, layers=blend.layers), vectors))
    told = [
        "Layered blends are not the paper's: they add at every layer what the vectors there have over those below.",
        "Balanced and orthogonal blends are not the paper's: they add unit vectors, dosed in the layer's own norm.",
    ]
    if layers != str(PAPER_LAYER) or count != _PAPER_DEPTH:
        told.append(
            f"In paper mode the output of layer {layers} of {count} is steered, counted from 0; the paper's is layer "
            f"{PAPER_LAYER} of {_PAPER_DEPTH} (Llama-3.1-8B)."
        )
    if settings.protocol == "own":
        layered, alone = (
            _named(steered_layers(Blend(blend.weights, mode=mode, layers=blend.layers), vectors))
            for mode in (Mode.LAYERED, Mode.BALANCED)
        )
        told.append(f"In layered mode it is layers {layered}; in balanced and orthogonal mode it is layer {alone}.")
    if blend.weights != DEFAULT_BLEND.weights:
        weights, _, _ = str(DEFAULT_BLEND).partition("@")
        told.append(f"The blend is {blend}; the paper's is {weights}.")
    return told


def _vectors_differ(vectors: list[PersonaVector]) -> list[str]:
    made: dict[str, list[str]] = {}
    for vector in vectors:
        made.setdefault(_making(vector), []).append(vector.persona_id)
    return [
        "The questions behind the vectors are our own and the same for all personas, means are balanced over them, and "
        "the neutral answers are shared; the paper has questions of its own for each persona.",
        *(
            f"The vectors of {', '.join(persona_ids)} are from {making}; the paper has 10 answers to each question, of "
            "up to 1000 tokens at temperature 1, filtered by a judge."
            for making, persona_ids in made.items()
        ),
    ]


def _making(vector: PersonaVector) -> str:
    if not vector.origin.rollouts:
        return vector.origin.source or "a file that does not say how they were made"
    judged = "filtered by a judge" if vector.judgement is not None and vector.judgement.filtered else "not filtered"
    return f"{vector.origin.rollouts} answers with the persona/neutral ({vector.origin.sampling}), {judged}"


def _sampling_differs(settings: BenchSettings) -> list[str]:
    sampling = settings.sampling
    drawn = (sampling.top_p, sampling.min_p, sampling.repetition_penalty)
    told = []
    if drawn != (0.8, 0.0, 1.2):
        told.append(
            f"Tokens are drawn with top-p {drawn[0]:g}, min-p {drawn[1]:g} and a repetition penalty of {drawn[2]:g}; "
            "the paper has top-p 0.8 and a repetition penalty of 1.2."
        )
    if sampling.repetition_penalty != 1:
        told.append(
            f"The repetition penalty looks back over the last {sampling.repetition_context:,} tokens, prompt included."
        )
    if sampling.temperature != 0.7:
        told.append(f"The temperature is {sampling.temperature:g}; the paper's single agent has 0.7.")
    told.append(f"Every arm answers an item {'once' if settings.seeds == 1 else f'{settings.seeds} times'}.")
    return told


def _named(layers: tuple[int, ...]) -> str:
    return ", ".join(map(str, layers))

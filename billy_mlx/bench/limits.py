"""What the numbers of a benchmark cannot support, in sentences that depend on the numbers."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from mlx_lm.utils import get_total_parameters

from billy_mlx.bench.arms import Arm
from billy_mlx.bench.names import without_place
from billy_mlx.bench.result import CONTROL, FEWEST_ITEMS, Comparison, Reliability
from billy_mlx.bench.store import Answer, Store
from billy_mlx.bench.tasks import Item
from billy_mlx.blend.blend import Blend
from billy_mlx.model import backend
from billy_mlx.model.model import Model
from billy_mlx.vectors.library import load_vectors
from billy_mlx.vectors.vector import Origin

FEW_ITEMS = 20
"""Items of a task below which its intervals are rough, whatever is done about that."""

_SMALL = 1e9  # parameters
_CUT = 0.2  # of an arm's answers
_SAME = 0.05  # of an arm's answers


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
        *_of_lengths(store.answers),
        *_of_fallbacks(store.answers),
        *_of_same_texts(arms, store.answers),
        *_of_comparisons(comparisons),
        *_of_rarity(comparisons, store.answers),
        *_of_vectors(model, arms),
        *_of_costs(),
    ]
    return [f"{sentence.rstrip('.')}." for sentence in found]


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
            yield f"{each.rater} is not to be heeded: {each.verdict}"
        elif not each.checks:
            yield f"{each.rater} is heeded unchecked: {each.verdict}"


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
        yield f"Some answers do not do what their arm is about, and were taken as they stood: {_listed(shares)}"


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
                f"All texts of {' and '.join(names)} are the same to the letter: what is told of one holds for all "
                "of them, and they are a single witness"
            )
    control = {(answer.item, answer.seed): answer.text for answer in answers if answer.arm == CONTROL}
    steered = {arm.name for arm in arms if arm.blend is not None or arm.group == "random"} - {CONTROL}
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
    personas = sorted({persona for arm in arms if arm.blend for persona in Blend.parse(arm.blend).persona_ids})
    if not personas:
        return
    made: dict[str, list[str]] = {}
    for persona, vector in load_vectors(personas, model.id, model.fingerprint).items():
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
        return "made nobody knows how"
    return f"made with {without_place(origin.model_id)} from its own answers"


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

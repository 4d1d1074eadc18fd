"""What the numbers of a benchmark cannot support, in sentences that depend on the numbers."""

from collections import Counter
from collections.abc import Iterator, Sequence

from mlx_lm.utils import get_total_parameters

from billy_mlx.bench.arms import Arm
from billy_mlx.bench.result import Comparison, Reliability
from billy_mlx.bench.store import Answer, Store
from billy_mlx.bench.tasks import Item
from billy_mlx.model import backend
from billy_mlx.model.model import Model

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
        *_of_answers(arms, store.answers),
        *_of_comparisons(comparisons),
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


def _of_items(items: Sequence[Item], store: Store) -> Iterator[str]:
    fewest = min(Counter(item.task for item in items).values(), default=0)
    if fewest < FEW_ITEMS:
        yield (
            f"A task has as few as {fewest} item{'s' * (fewest != 1)}: an interval over so few is rough, and a "
            "difference that it does not show may well be there"
        )
    if store.settings.seeds == 1:
        yield "Every item was answered once by every arm, so that chance of sampling and of items cannot be told apart"


def _of_answers(arms: Sequence[Arm], answers: Sequence[Answer]) -> Iterator[str]:
    counts = Counter(answer.arm for answer in answers)
    cut = Counter(answer.arm for answer in answers if answer.finish_reason == "length")
    shares = {arm: cut[arm] / count for arm, count in counts.items() if cut[arm] > _CUT * count}
    if shares:
        most = max(shares, key=shares.__getitem__)
        yield (
            f"{sum(cut.values()) / len(answers):.0%} of all answers were cut off at the most tokens they may have "
            f"({most}: {shares[most]:.0%}): how many ideas they have says as much about that number as about the arm"
        )
    control = {(answer.item, answer.seed): answer.text for answer in answers if answer.arm == "dose-0"}
    same = Counter(a.arm for a in answers if a.arm != "dose-0" and control.get((a.item, a.seed)) == a.text)
    steered = [arm.name for arm in arms if arm.blend is not None]
    told = [f"{name} ({same[name] / counts[name]:.0%})" for name in steered if same[name] > _SAME * counts[name]]
    if told:
        yield f"Some texts are those of dose-0 to the letter, so that nothing was changed there: {', '.join(told)}"


def _of_comparisons(comparisons: Sequence[Comparison]) -> Iterator[str]:
    if len(comparisons) > 1:
        yield (
            f"{len(comparisons):,} differences are shown, each with an interval of 95 %: where nothing differs, one in "
            "twenty of them would still leave out 0"
        )


def _of_vectors(model: Model, arms: Sequence[Arm]) -> Iterator[str]:
    if any(arm.blend is not None for arm in arms):
        yield (
            f"The vectors were made with {model.id} from its own answers, and the lines called persona read the texts "
            "with the same vectors that steered them: they say that a text was moved, not that a reader would notice"
        )


def _of_costs() -> Iterator[str]:
    where = "without a GPU" if backend.on_cpu() else "with its GPU"
    yield (
        f"Times are those of one machine {where}, in batches and with whatever else it had to do: the ratio of two "
        "arms says more than either, and the ratio of their tokens more than that"
    )

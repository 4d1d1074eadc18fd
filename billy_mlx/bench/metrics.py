"""What is measured: every metric in a sentence, and which way it is better."""

from collections.abc import Iterable
from dataclasses import dataclass

CRITERIA = ("originality", "elaboration", "adherence")
"""What a judge scores an idea for."""


@dataclass(frozen=True)
class Metric:
    """What a number means.

    Attributes:
        says: what it is and where it comes from.
        better: 1 if more of it is better, -1 if less, 0 if neither: then it only describes.
    """

    says: str
    better: int

    @property
    def sentence(self) -> str:
        """What it is, which way it is better, and its source."""
        return f"{self.says} {_WAYS[self.better]}"


_WAYS = {1: "Higher is better.", -1: "Lower is better.", 0: "Neither way is better in itself."}

_METRICS = {
    "ideas": Metric(
        "Different ideas in an answer (fluency): ideas that fall into one cluster are the same one and count once; "
        "not for writing.",
        1,
    ),
    "rarity": Metric(
        "How rare an answer's ideas are among all arms' ideas for the item: 1 less the share of the other groups of "
        "arms that have the same idea, as average-linkage clusters tell, averaged over the answer's ideas.",
        1,
    ),
    "embedding diversity": Metric(
        "Mean cosine distance between the ideas of an answer (the sentences of a piece of writing), after the mean "
        "over all ideas of the task is taken away.",
        1,
    ),
    "vendi": Metric(
        "Vendi score of the ideas of an answer (the sentences of a piece of writing): how many wholly unlike ones "
        "would be as diverse; it rises with their number. Source: arXiv 2210.02410.",
        1,
    ),
    "distinct-2": Metric(
        "Share of word pairs in an answer that are different ones; it falls with length, so compare it at matched "
        "length. Source: arXiv 1510.03055.",
        1,
    ),
    "self-bleu": Metric(
        "Mean BLEU of each idea of an answer (each sentence of a piece of writing) against the others: how much they "
        "repeat one another's wording. Source: arXiv 1802.01886.",
        -1,
    ),
    "worn phrases": Metric("Worn-out phrases in a hundred words, from a list of our own.", -1),
    "adherence": Metric(
        "Adherence without a judge: how much likelier an idea is after its own item's prompt than after those of two "
        "other items of the task, in nats a token under the unsteered model, averaged over the answer's ideas, or in a "
        "quick run over some of them.",
        1,
    ),
    "repetition": Metric("Share of runs of four words in an answer that have come before in it.", -1),
    "words": Metric("Words in an answer.", 0),
    "perplexity": Metric(
        "Perplexity of an answer under the unsteered model, after the item's bare prompt. Far above the control's the "
        "text has come apart; far below, it may be a loop.",
        0,
    ),
}
_PROJECTION = "persona: "
_JUDGE = "judge: "
_HUMAN = "human "


def metric(name: str) -> Metric:
    """Return what the metric `name` is.

    Raises:
        KeyError: there is none of that name.
    """
    if name.startswith(_PROJECTION):
        return Metric(
            f"Where an answer lies along the vector of {name.removeprefix(_PROJECTION)}, read by the unsteered model "
            "at the vector's layer: 0 is the average neutral answer, 1 the average answer of the persona. "
            "Source: arXiv 2507.21509.",
            0,
        )
    if name.startswith(_JUDGE):
        return Metric(
            f"The judge's score for {name.removeprefix(_JUDGE)}, from 1 to 5: the expectation over the numbers it "
            "would write, averaged over the answer's ideas; see first how far this judge can be relied on. "
            "Source: arXiv 2507.21509.",
            1,
        )
    if name.startswith(_HUMAN):
        rater, _, criterion = name.removeprefix(_HUMAN).rpartition(": ")
        return Metric(f"{rater}'s rating of {criterion}, from 1 to 5, averaged over an answer's rated ideas.", 1)
    return _METRICS[name]


def sentences(names: Iterable[str]) -> dict[str, str]:
    """Return name to sentence for every metric of `names`, each once, in the order of this table."""
    order = {name: place for place, name in enumerate(_METRICS)}
    return {name: metric(name).sentence for name in sorted(set(names), key=lambda name: (order.get(name, 99), name))}


def projection_metric(persona_id: str) -> str:
    """Return the name of the metric that reads a text along a persona's vector."""
    return f"{_PROJECTION}{persona_id}"


def judge_metric(criterion: str) -> str:
    """Return the name of the metric that is a judge's score."""
    return f"{_JUDGE}{criterion}"


def human_metric(rater: str, criterion: str) -> str:
    """Return the name of the metric that is a person's rating."""
    return f"{_HUMAN}{rater}: {criterion}"

"""What is measured: every metric in a sentence, which way it is better, and what values it can have."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

CRITERIA = ("originality", "elaboration", "adherence")
"""What a judge scores an idea for."""


@dataclass(frozen=True)
class Metric:
    """What a number means.

    Attributes:
        description: what it is and where it comes from.
        better: 1 if more of it is better, -1 if less, 0 if neither: then it only describes.
        within: the least and the most that it can be.
    """

    description: str
    better: int
    within: tuple[float, float] = (-math.inf, math.inf)

    @property
    def sentence(self) -> str:
        """What it is, which way it is better, and its source."""
        return f"{self.description} {_WAYS[self.better]}"

    @property
    def differs_within(self) -> tuple[float, float]:
        """The least and the most that two of its values can differ by."""
        least, most = self.within
        return least - most, most - least


NATS = "negative log-likelihood"
"""The metric of how much a text surprises the model."""

_SHARE, _AMOUNT, _POINTS = (0.0, 1.0), (0.0, math.inf), (1.0, 5.0)
_WAYS = {1: "Higher is better.", -1: "Lower is better.", 0: "Neither way is better in itself."}

_METRICS = {
    "ideas": Metric(
        "Different ideas in an answer (fluency): ideas that fall into one cluster are the same one and count once; "
        "not for writing.",
        1,
        _AMOUNT,
    ),
    "rarity": Metric(
        "How rare an answer's ideas are among all arms' ideas for the item: 1 less the share of the other groups of "
        "arms that have the same idea, as average-linkage clusters tell, averaged over the answer's ideas. What "
        "several say to the letter is the first one's.",
        1,
        _SHARE,
    ),
    "embedding diversity": Metric(
        "Mean cosine distance between the ideas of an answer (the sentences of a piece of writing), after the mean "
        "over all ideas for the item is taken away.",
        1,
        (0.0, 2.0),
    ),
    "vendi": Metric(
        "Vendi score of the ideas of an answer (the sentences of a piece of writing): how many wholly unlike ones "
        "would be as diverse; it rises with their number. Source: arXiv 2210.02410.",
        1,
        (1.0, math.inf),
    ),
    "distinct-2": Metric(
        "Share of word pairs in an answer that are different ones; it falls with length, so compare it at matched "
        "length. Source: arXiv 1510.03055.",
        1,
        _SHARE,
    ),
    "self-bleu": Metric(
        "Mean BLEU of each idea of an answer (each sentence of a piece of writing) against the others: how much they "
        "repeat one another's wording. Source: arXiv 1802.01886.",
        -1,
        _SHARE,
    ),
    "worn phrases": Metric("Worn-out phrases in a hundred words, from a list of our own.", -1, (0.0, 100.0)),
    "adherence": Metric(
        "Adherence without a judge: how much likelier an idea is after its own item's prompt than after those of the "
        "next two items of the task (the next one, where there are only two), in nats per token under the unsteered "
        "model, averaged over the answer's ideas, or in a quick run over some of them.",
        1,
    ),
    "repetition": Metric("Share of runs of four words in an answer that have come before in it.", -1, _SHARE),
    "words": Metric("Words in an answer.", 0, _AMOUNT),
    NATS: Metric(
        "How much an answer surprises the unsteered model after the item's bare prompt: the negative log-likelihood in "
        "nats per token, which is the logarithm of perplexity. 0.7 more is words half as likely. Far above the "
        "control's the text has come apart; far below, it may be a loop.",
        0,
        _AMOUNT,
    ),
}
PROJECTION, JUDGE, HUMAN = "persona: ", "judge: ", "human "
VOICE, BEYOND, SUBJECT = "voice: ", "voice beyond others: ", "subject words: "
"""How names of metrics begin: there is one for each persona, each criterion, and each person and criterion."""
OF_PERSONAS = (PROJECTION, VOICE, BEYOND, SUBJECT)
"""Those that say how much of a persona a text has; the first with the very vector that steered."""
OPTIMISED = "what was optimised"
"""What a number is called that is read along the vectors that steered."""


def metric(name: str) -> Metric:
    """Return what the metric `name` is.

    Raises:
        KeyError: there is none of that name.
    """
    if name.startswith(PROJECTION):
        return Metric(
            f"Where an answer lies along the vector of {name.removeprefix(PROJECTION)}, read by the unsteered model "
            "at the vector's layer: 0 is the average neutral answer, 1 the average answer of the persona. It is "
            f"{OPTIMISED}: the same vector steers, so that it says nothing of what a reader would notice. "
            "Source: arXiv 2507.21509.",
            0,
        )
    if name.startswith(OF_PERSONAS):
        return _of_persona(*name.split(": ", 1))
    if name.startswith(JUDGE):
        return Metric(
            f"The judge's score for {name.removeprefix(JUDGE)}, from 1 to 5: the expectation over the numbers it "
            "would write, averaged over the answer's ideas; see first how far this judge can be relied on. "
            "Source: arXiv 2507.21509.",
            1,
            _POINTS,
        )
    if name.startswith(HUMAN):
        rater, criterion = rated(name)
        description = f"{rater}'s rating of {criterion}, from 1 to 5, averaged over an answer's rated ideas."
        return Metric(description, 1, _POINTS)
    return _METRICS[name]


def label(name: str) -> str:
    """Return the name of a metric as it is shown: what was optimised is called so."""
    return f"{name} ({OPTIMISED})" if name.startswith(PROJECTION) else name


def _of_persona(kind: str, persona_id: str) -> Metric:
    """Return one of the metrics that had no part in the steering."""
    if f"{kind}: " == SUBJECT:
        return Metric(
            f"Words in a hundred that begin like one of the subject words on the card of {persona_id}, which none of "
            "its prompts lists.",
            0,
            (0.0, 100.0),
        )
    by = "by sentence embeddings, which had no part in the steering"
    line = f"Where an answer lies between plain sentences (0) and those written by hand for {persona_id} (1), {by}"
    if f"{kind}: " == VOICE:
        return Metric(f"{line}; of a text some 190 words count.", 0)
    return Metric(
        f"{line}, less the mean of where it lies between plain sentences and those of the bundled personas that are "
        "not in the blend: what any colour does to a text is taken away.",
        0,
    )


def sentences(names: Iterable[str]) -> dict[str, str]:
    """Return name to sentence for every metric of `names`, each once, in the order of this table."""
    order = {name: place for place, name in enumerate(_METRICS)}
    return {name: metric(name).sentence for name in sorted(set(names), key=lambda name: (order.get(name, 99), name))}


def projection_metric(persona_id: str) -> str:
    """Return the name of the metric that reads a text along a persona's vector."""
    return f"{PROJECTION}{persona_id}"


def voice_metric(persona_id: str) -> str:
    """Return the name of the metric that holds a text against a persona's sentences."""
    return f"{VOICE}{persona_id}"


def beyond_metric(persona_id: str) -> str:
    """Return the name of the metric that holds it against these more than against others' sentences."""
    return f"{BEYOND}{persona_id}"


def subject_metric(persona_id: str) -> str:
    """Return the name of the metric that counts a persona's subject words."""
    return f"{SUBJECT}{persona_id}"


def judge_metric(criterion: str) -> str:
    """Return the name of the metric that is a judge's score."""
    return f"{JUDGE}{criterion}"


def rated(name: str) -> tuple[str, str]:
    """Return which person has rated which criterion: the way back from `human_metric`."""
    person, _, criterion = name.removeprefix(HUMAN).rpartition(": ")
    return person, criterion


def human_metric(rater: str, criterion: str) -> str:
    """Return the name of the metric that is a person's rating."""
    return f"{HUMAN}{rater}: {criterion}"

"""An invented result with everything in it that a report can show, the same every time."""

import random
from collections.abc import Iterator, Sequence
from itertools import product

from billy_mlx.bench.metrics import NATS, sentences
from billy_mlx.bench.result import (
    ArmNote,
    Comparison,
    Estimate,
    Example,
    GroupCost,
    Mean,
    Projection,
    Reliability,
    Result,
    ScoredAnswer,
    VectorCost,
)

TASKS = ("uses", "instances", "similarities", "scientific", "writing")
PERSONAS = ("creative-professional", "environmentalist", "futurist")
BLENDS = ("billy-paper", "billy-balanced", "billy-orthogonal")
ALONE = tuple(f"persona:{persona}" for persona in PERSONAS)
PLAIN = ("single-0.7", "single-1.0", "multi-role", "discussion", "verbalized", "dose-0")
RANDOM = tuple(f"random-{n}" for n in range(1, 6))
RIVALS = (*PLAIN, "best persona", "random directions", *RANDOM)
LAYERS = tuple(f"layer={layer},dose={dose}" for layer, dose in product((5, 10, 15, 20), ("0.25", "0.5", "1", "2")))
COUNTS = tuple(f"personas={n}" for n in range(1, 8))
MODES = ("mode=balanced", "mode=raw", "mode=raw,norm=balanced")
METRICS = tuple(
    sentences([
        "ideas", "rarity", "embedding diversity", "vendi", "distinct-2", "self-bleu", "worn phrases", "adherence",
        "repetition", "words", NATS, *(f"persona: {persona}" for persona in PERSONAS),
        "judge: originality", "judge: elaboration", "judge: adherence", "human Ann: originality",
    ])
)  # fmt: skip
NASTY = "<script>alert(1)</script> | *bold* `code` ```\n# no heading\n\x1b[31m&amp; $x$ {{ 1 }} \u202e"

JUDGE = Reliability(
    "judge: tiny, originality",
    "originality",
    {
        "original from plain ideas": Estimate(0.52, 0.44, 0.6, 80),
        "on task from off task": Estimate(0.61, 0.5, 0.71, 80),
    },
    usable=False,
    verdict="It tells original ideas from plain ones no better than chance",
)
ANN = Reliability(
    "human: Ann, originality",
    "originality",
    {"rank correlation with the judge": Estimate(0.1, -0.2, 0.4, 40)},
    True,
    "Ann can be relied on.",
)


def estimate(mean: float, width: float = 0.2, items: int = 30) -> Estimate:
    return Estimate(mean, mean - width / 2, mean + width / 2, items)


def difference(
    metric: str,
    mean: float,
    *,
    arm: str = "billy-balanced",
    against: str = "dose-0",
    matched: bool = False,
    items: int = 30,
) -> Comparison:
    return Comparison(arm, against, None, metric, matched, estimate(mean, items=items))


def empty_result(**parts) -> Result:
    nothing = dict.fromkeys(("arms", "means", "comparisons", "costs", "reliability", "projections", "examples"), ())
    return Result(**{"main": "billy-balanced", "made_with": {}, "metrics": {}, "vectors": None, **nothing, **parts})


def rich_result(metrics: Sequence[str] = METRICS) -> Result:
    draw = random.Random(7)
    return Result(
        main="billy-balanced",
        made_with={
            "command": "billy bench run --quick --model starter",
            "model": "starter",
            "fingerprint": "0123abcd-4567ef (llama, 30 layers of 576)",
            "billy-mlx": "0.1.0",
            "mlx": "0.32.4",
            "platform": "Linux 6.1, x86_64",
            "date": "2026-11-26",
        },
        arms=tuple(_arms()),
        metrics=sentences(metrics),
        means=tuple(_means(draw, metrics)),
        comparisons=tuple(_comparisons(draw, metrics)),
        costs=tuple(_costs()),
        vectors=VectorCost(PERSONAS, 480_000, 5400.0, "20 answers a pole"),
        reliability=(JUDGE, ANN),
        projections=tuple(_projections(draw)),
        examples=(Example("uses-01", "Name unusual uses of a brick.", {arm: _text(arm) for arm in (*PLAIN, *BLENDS)}),),
        limits=("This model has 135 million parameters: it is no judge", "One run on one machine."),
        deviations=("The paper steers layer 19; here it is 15.",),
        scored=(
            ScoredAnswer("dose-0", "uses", "uses-01", 0, {"ideas": 5.0, "judge: originality": None}, {"ideas": 3.0}),
        ),
    )


def _arms() -> Iterator[ArmNote]:
    for name in (*PLAIN, *ALONE, *BLENDS, *RANDOM):
        group = name.partition(":")[0].replace("persona", "personas") if name in ALONE else name
        blend = "futurist:1" if name.startswith(("billy", "persona")) else None
        yield ArmNote(name, "random" if name in RANDOM else group, f"What {name} is.", blend)
    for kind, names in (("layers", LAYERS), ("personas", COUNTS), ("modes", MODES)):
        says = f"A cell of the sweep over {kind}."
        yield from (ArmNote(name, f"sweep {kind}", says, f"futurist:1@{n}") for n, name in enumerate(names, 1))


def _means(draw: random.Random, metrics: Sequence[str]) -> Iterator[Mean]:
    arms = (*PLAIN, *ALONE, *BLENDS, *RANDOM, *LAYERS, *COUNTS, *MODES)
    for arm, metric, matched, task in product(arms, metrics, (False, True), (None, *TASKS)):
        middle = draw.uniform(0.2, 0.9) * (100 if metric in ("words", NATS) else 1)
        yield Mean(arm, task, metric, matched, estimate(middle, middle * draw.uniform(0.1, 0.4)))


def _comparisons(draw: random.Random, metrics: Sequence[str]) -> Iterator[Comparison]:
    pairs = [*product(BLENDS, RIVALS), *((cell, "dose-0") for cell in (*LAYERS, *COUNTS, *MODES))]
    for (arm, against), metric, matched, task in product(pairs, metrics, (False, True), (None, *TASKS)):
        scale = 100 if metric in ("words", NATS) else 1
        found = estimate(draw.uniform(-0.3, 0.3) * scale, 0.3 * scale)
        yield Comparison(arm, against, task, metric, matched, found)


def _costs() -> Iterator[GroupCost]:
    for name in (*PLAIN, *BLENDS):
        turns, seconds = (20, 270.0) if name == "discussion" else (1, 10.0)
        yield GroupCost(name, (name,), 10, 10 * turns, seconds, 1000 * turns, 2000 * turns, 1500 * turns, 1.25, 8)
    yield GroupCost("personas", ALONE, 30, 30, 31.0, 3000, 6000, 4500, 1.3, 8)
    yield GroupCost("random", RANDOM, 50, 50, 52.0, 5000, 10000, 7500, 1.3, 8)


def _projections(draw: random.Random) -> Iterator[Projection]:
    for arm, (place, layer), persona in product(BLENDS, (("steered layer", 15), ("last layer", 29)), PERSONAS):
        yield Projection(arm, place, layer, persona, estimate(draw.uniform(-0.05, 0.25), 0.05))


def _text(arm: str) -> str:
    return NASTY if arm == "discussion" else f"1. A doorstop ({arm})\n2. A very small stage"

"""The short answer: sentences that claim what the intervals allow, and no more."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from billy_mlx.bench.comparisons import BEST_PERSONA, OTHER_PERSONA, RANDOM
from billy_mlx.bench.metrics import BEYOND, OF_PERSONAS, OPTIMISED, PROJECTION, SUBJECT, metric
from billy_mlx.bench.report.judge_gate import named, not_asked, why_not
from billy_mlx.bench.report.numbers import counted, difference, plain, side
from billy_mlx.bench.report.tables import (
    DISCUSSION,
    PAPER,
    PAPER_TIME,
    PAPER_TOKENS,
    main_comparisons,
    ratios,
    vectors_sentence,
)
from billy_mlx.bench.result import CONTROL, FEWEST_ITEMS, Estimate, Result

# The rest is in the tables.
_RIVALS = (CONTROL, RANDOM, OTHER_PERSONA, BEST_PERSONA, "prompts", "multi-role", "verbalized", DISCUSSION)


@dataclass(frozen=True)
class Finding:
    """A question and what can be said to it, a sentence each."""

    question: str
    sentences: tuple[str, ...]


def findings(result: Result) -> tuple[Finding, ...]:
    """Return what the numbers say of `main_blend`."""
    blend = main_blend(result)
    if blend is None:
        return (Finding("What came out?", ("No blend was compared with anything, so nothing can be said of one.",)),)
    return (
        Finding("Does blending steer?", tuple(_steers(result, blend))),
        Finding("Does it help?", tuple(_helps(result, blend))),
        Finding("What does it cost?", tuple(_costs(result, blend))),
    )


def main_blend(result: Result) -> str | None:
    """Return the arm of the short answer: the blend that all is about, or else the first that was compared."""
    compared = [each.arm for each in main_comparisons(result)]
    return result.main if result.main in compared else next(iter(compared), None)


_AT_MATCHED_LENGTH = {1: "more", -1: "less", 0: "not"}
_TOO_FEW = f"too few items to tell, fewer than {FEWEST_ITEMS}, in"


@dataclass(frozen=True)
class _Claim:
    """One difference over all tasks, as written and, where enough is left to measure it, at matched length."""

    metric: str
    name: str
    items: int  # the most that it or a claim beside it is over
    written: Estimate
    matched: Estimate | None

    @property
    def side(self) -> int:
        """1 if there is more of it, -1 if less, 0 if that cannot be told."""
        return side(self.written)

    def __str__(self) -> str:
        """Name it, with its numbers where they tell something, and where matched length tells something else."""
        told = counted(f"{self.name} {difference(self.written)}", self.written, self.items) if self.side else self.name
        if self.matched is None or not self.matched.enough:
            return f"{told}, but not measured at matched length: too little is left" if self.side else told
        if side(self.matched) == self.side:
            return told
        return f"{told}, but {_AT_MATCHED_LENGTH[side(self.matched)]} at matched length"


def _claims(result: Result, arm: str, against: str) -> list[_Claim]:
    found: dict[bool, dict[str, Estimate]] = {False: {}, True: {}}
    for each in result.comparisons:
        if (each.arm, each.against, each.task) == (arm, against, None):
            found[each.matched][each.metric] = each.estimate
    items = max((written.items for written in found[False].values()), default=0)
    return [
        _Claim(name, _shown(result, name), items, written, found[True].get(name))
        for name, written in found[False].items()
    ]


def _shown(result: Result, name: str) -> str:
    """Return how a claim names its metric: of one that is of a persona only whose it is."""
    return name.split(": ", 1)[1] if name.startswith(OF_PERSONAS) else named(result, name)


def _steers(result: Result, blend: str) -> Iterator[str]:
    further: dict[str, set[str]] = {}
    lines: list[str] = []
    for against in (CONTROL, OTHER_PERSONA, RANDOM):
        claims = [claim for claim in _claims(result, blend, against) if claim.metric.startswith(PROJECTION)]
        if claims:
            further[against] = {claim.metric for claim in claims if claim.side > 0}
            told = _told(claims, {1: "further for", -1: "less far for", 0: "cannot be told apart for"}, lambda _: 1)
            how_many = _count(claims, "persona")
            where = f"along the vectors of {how_many} ({OPTIMISED}), over {_items(claims)}"
            lines.append(f"Texts of {blend} against those of {against}, {where}: {told}.")
    if len(further) > 1:
        whose = " and than ".join(f"those of {against}" for against in further)
        yield f"Texts of {blend} lie further along than {whose} for {_names(set.intersection(*further.values()))}."
    yield from lines
    if not lines:
        yield f"It was not measured how far texts of {blend} lie along the personas' vectors."
    yield from _read_out(result, blend)


_READ_OUTS = {
    BEYOND: "by sentence embeddings, nearer to the sentences of a persona than to those of others",
    SUBJECT: "by subject words",
}


def _read_out(result: Result, blend: str) -> Iterator[str]:
    """Yield what read-outs say that had no part in the steering."""
    for kind, how in _READ_OUTS.items():
        for against in (CONTROL, OTHER_PERSONA, RANDOM, "prompts"):
            claims = [claim for claim in _claims(result, blend, against) if claim.metric.startswith(kind)]
            if claims:
                told = _told(claims, {1: "more for", -1: "less for", 0: "cannot be told apart for"}, lambda _: 1)
                yield (
                    f"Read by what did not steer, {how}: texts of {blend} against those of {against}, for "
                    f"{_count(claims, 'persona')}, over {_items(claims)}: {told}."
                )


def _helps(result: Result, blend: str) -> Iterator[str]:
    left_out: dict[str, str] = {}
    said = False
    for against in _RIVALS:
        claims = [claim for claim in _claims(result, blend, against) if not claim.metric.startswith(OF_PERSONAS)]
        left_out |= {claim.metric: why for claim in claims if (why := why_not(result, claim.metric)) is not None}
        reliable = [claim for claim in claims if claim.metric not in left_out]
        rated = [claim for claim in reliable if metric(claim.metric).better]
        if rated:
            said = True
            names = {1: "better in", -1: "worse in", 0: "cannot be told apart in"}
            told = _told(rated, names, lambda name: metric(name).better)
            other = [claim for claim in reliable if not metric(claim.metric).better and claim.side]
            besides = f". Neither better nor worse by itself: {_joined(other)}" if other else ""
            where = f"in {_count(rated, 'measure')}, over {_items(claims)}"
            yield f"{blend} against {against}, {where}: {told}{besides}."
    if not said:
        yield f"{blend} was compared with nothing in a reliable measure, so nothing can be said."
    for why in dict.fromkeys(left_out.values()):
        those = ", ".join(name for name, reason in left_out.items() if reason == why)
        yield f"Left out of this answer, because {why}: {those}."
    for each in not_asked(result):
        yield f"No judge scored {each.criterion}: {each.rater} cannot be relied on, and so was not asked."


def _costs(result: Result, blend: str) -> Iterator[str]:
    discussion = ratios(result, DISCUSSION, blend)
    if discussion is None:
        yield f"{blend} and a discussion were not both run, so their costs cannot be compared."
    else:
        time, tokens = map(plain, discussion)
        yield (
            f"A discussion took {time} times as long a query as blends did, {blend} among them, and {tokens} times as "
            f"many tokens; in the paper it is {PAPER_TIME} times as long, and {PAPER_TOKENS} times as many tokens "
            f"({PAPER}). This is counted in one run, and has no interval."
        )
    yield vectors_sentence(result)


def _told(claims: Iterable[_Claim], names: Mapping[int, str], way: Callable[[str], int]) -> str:
    """Return claims sorted by what they say; `way` gives -1 for metrics of which less is better."""
    found: dict[str, list[_Claim]] = {name: [] for name in [*names.values(), _TOO_FEW]}
    for claim in claims:
        found[names[claim.side * way(claim.metric)] if claim.written.enough else _TOO_FEW].append(claim)
    return "; ".join(f"{name} {len(those)} ({_joined(those)})" for name, those in found.items() if those)


def _items(claims: Sequence[_Claim]) -> str:
    return f"{claims[0].items} items"


def _count(claims: Sequence[_Claim], noun: str) -> str:
    return f"{len(claims)} {noun}{'s' * (len(claims) != 1)}"


def _joined(claims: Iterable[_Claim]) -> str:
    return "; ".join(map(str, claims))


def _names(metrics: Iterable[str]) -> str:
    return ", ".join(sorted(name.removeprefix(PROJECTION) for name in metrics)) or "no persona"

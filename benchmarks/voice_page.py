"""The page: what was measured, as Markdown."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from voice_effects import Effect, Gain, findable, mean_effect, ratio
from voice_length import WINDOW, AtLength
from voice_tasks import KINDS

from billy_mlx.measure.statistics import Interval

OTHERS = "another persona"
_AIMED = ("chat", "continuation")
_HEADER = ("specific effect", "own effect", "words", "likelihood", "plain lost", "perplexity", "repeated", "shows")


@dataclass(frozen=True, eq=False)
class Section:
    """What was found in one kind of writing.

    Attributes:
        effects: by arm as the page calls it, then by persona.
        others: what the texts of the other personas do, steered.
        gains: by arm, then by persona.
        weights: by persona, the own effect at each weight, and Spearman's correlation of the two.
        pairs: of each blend of two, the shares of their effects alone.
        lengths: of long texts.
    """

    kind: str
    prompts: int
    seeds: int
    max_tokens: int
    effects: Mapping[str, Mapping[str, Effect]]
    others: Mapping[str, Effect] = field(default_factory=dict)
    gains: Mapping[str, Mapping[str, Gain]] = field(default_factory=dict)
    weights: Mapping[str, tuple[Sequence[float], float]] = field(default_factory=dict)
    pairs: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    lengths: Sequence[AtLength] = ()


def shown_prompted(section: Section) -> list[str]:
    """Return the personas whose prompted answers show; without prompted answers all there are."""
    if "prompt" in section.effects:
        return [persona for persona, effect in section.effects["prompt"].items() if effect.shows]
    return list(dict.fromkeys(persona for found in section.effects.values() for persona in found))


def page(head: str, sections: Sequence[Section], weights: Sequence[float] = ()) -> str:
    """Return all of it."""
    parts = [head]
    for section in sections:
        parts += [f"\n## {section.kind.capitalize()}\n", _told(section)]
        parts += _tables(section, weights)
    parts += ["\n## In short\n", "| in short | measured | aim |", "| --- | --- | --- |"]
    parts += [f"| {' | '.join(row)} |" for section in sections for row in in_short(section)]
    return "\n".join(parts)


def in_short(section: Section) -> Iterator[tuple[str, str, str]]:
    """Yield figure, measured and aim of everything that was measured; the aims are for chat and continuation."""
    rows = _lengths_in_short(section) if section.lengths else _effects_in_short(section)
    for figure, measured, aim in rows:
        yield f"{section.kind}: {figure}", measured, aim if section.kind in _AIMED else ""


def _effects_in_short(section: Section) -> Iterator[tuple[str, str, str]]:
    prompted, steered = section.effects.get("prompt", {}), section.effects.get("layered", {})
    for arm, aim in (("layered", ">= 1.2"), ("balanced", ""), ("prompt+half", "")):
        if set(section.effects.get(arm, {})) & set(prompted):
            yield f"mean specific effect, {arm} / system prompt", _beside(section.effects[arm], prompted), aim
    both = [persona for persona in steered if persona in prompted]
    if both:
        surprise = np.mean([steered[each].surprise - prompted[each].surprise for each in both])
        yield "perplexity, layered / system prompt", f"{math.exp(surprise):.2f}", "<= 1"
    gains = [section.gains.get(arm, {}) for arm in ("layered", "prompt")]
    read = [persona for persona in gains[0] if persona in gains[1]]
    if read:
        means = [_number(np.mean([some[persona].specific for persona in read])) for some in gains]
        yield "likelihood of own sentences, nats a token, layered and system prompt", " and ".join(means), ""
    if both:
        shown = [persona for persona in both if prompted[persona].shows]
        also = sum(steered[persona].shows for persona in shown)
        yield "voices that show steered, of those that show prompted", _of(also, len(shown)), ">= 80 %"
    yield from _weights_and_pairs_in_short(section)
    if steered:
        yield "smallest specific effect found with 80 % power", _least(findable(steered)), ""


def _weights_and_pairs_in_short(section: Section) -> Iterator[tuple[str, str, str]]:
    if section.weights:
        rho = [each for _, each in section.weights.values()]
        reached = sum(each >= 0.9 - 1e-9 for each in rho)
        measured = f"median {np.median(rho):.2f}, least {np.min(rho):.2f}; {reached} of {len(rho)} reach 0.9"
        yield "Spearman of weight and own read-out", measured, ">= 0.9"
    if section.pairs:
        carried = sum(min(shares) >= 0.5 for shares in section.pairs.values())
        yield "half-and-half pairs with at least half of both", _of(carried, len(section.pairs)), ">= 60 %"


def _beside(over: Mapping[str, Effect], under: Mapping[str, Effect]) -> str:
    """Return the ratio of two mean effects, or both of them where the second may be nothing."""
    found = ratio(over, under)
    if found is not None:
        return _spread(found, ".2f")
    means = [np.mean([some[each].mean for each in over if each in under]) for some in (over, under)]
    return f"{_number(means[0])} by {_number(means[1])}, which may be 0"


def _lengths_in_short(section: Section) -> Iterator[tuple[str, str, str]]:
    for arm in dict.fromkeys(each.arm for each in section.lengths):
        own = [each for each in section.lengths if each.arm == arm]
        marks = ", ".join(str(each.words) for each in own)
        if any(each.effect for each in own):
            effects = ", ".join("none" if each.effect is None else _number(each.effect.mean) for each in own)
            yield f"specific effect of {arm} at words {marks}", effects, ""
        repeated = ", ".join("none" if math.isnan(each.repeated) else f"{each.repeated:.3f}" for each in own)
        yield f"repeated by {arm} at words {marks}", repeated, ""


def _told(section: Section) -> str:
    seeds = "one seed" if section.seeds == 1 else f"{section.seeds} seeds"
    told = (
        f"{KINDS[section.kind].says.capitalize()}: {section.prompts} prompts, {seeds} for each, at most "
        f"{section.max_tokens} tokens."
    )
    if section.lengths:
        return (
            f"{told} The specific effect is of the {WINDOW} words before the mark, in texts that get there with and "
            "without the voice; *repeated* is of all words up to it, and not held against dose 0."
        )
    least = [f"`{arm}` {_least(findable(found))}" for arm, found in section.effects.items() if found]
    if not least:
        return told
    return f"{told} Smallest specific effect found with 80 % power after the correction: {', '.join(least)}."


def _least(effect: float) -> str:
    return f"{effect:.3f}" if math.isfinite(effect) else "none, with so few prompts"


def _tables(section: Section, weights: Sequence[float]) -> Iterator[str]:
    if section.lengths:
        header = ("arm", "words", "specific effect", "repeated", "texts that get there")
        yield _table(header, [_at_length(each) for each in section.lengths])
        return
    rows = [(arm, *_summary(found, section.gains.get(arm, {}))) for arm, found in section.effects.items() if found]
    if section.others:
        rows.append((OTHERS, *_summary(section.others, {})))
    yield _table(("arm", *_HEADER, "effect a nat"), rows)
    by_persona = [
        (persona, arm, *_row(effect, section.gains.get(arm, {}).get(persona)))
        for persona in dict.fromkeys(persona for found in section.effects.values() for persona in found)
        for arm, found in (*section.effects.items(), (OTHERS, section.others))
        for effect in [found.get(persona)]
        if effect is not None
    ]
    yield _table(("persona", "arm", *_HEADER), by_persona)
    if section.weights:
        told = [(persona, *map(_number, own), f"{rho:.2f}") for persona, (own, rho) in section.weights.items()]
        yield _table(("own effect at weight", *(f"{each:g}" for each in weights), "Spearman"), told)
    if section.pairs:
        told = [(pair, *(f"{each:.2f}" for each in shares)) for pair, shares in section.pairs.items()]
        yield _table(("half and half", "of the first one's effect", "of the second one's"), told)


def _summary(found: Mapping[str, Effect], gains: Mapping[str, Gain]) -> tuple[str, ...]:
    every = list(found.values())
    mean = mean_effect(found)
    surprise = float(np.mean([each.surprise for each in every]))
    effect = float(np.mean([each.mean for each in every]))
    return (
        _spread(mean) if mean is not None else _number(effect),
        _number(np.mean([each.own for each in every])),
        f"{np.mean([each.words for each in every]):+.2f}",
        _number(np.mean([each.specific for each in gains.values()])) if gains else "",
        _number(np.mean([each.lost for each in gains.values()])) if gains else "",
        f"×{math.exp(surprise):.2f}",
        _number(np.mean([each.repeated for each in every])),
        _of(sum(each.shows for each in every), len(every)),
        f"{effect / surprise:+.2f}" if surprise > 0.01 else "",
    )


def _row(effect: Effect, gain: Gain | None) -> tuple[str, ...]:
    return (
        _number(effect.mean) if effect.interval is None else _spread(effect.interval),
        _number(effect.own),
        f"{effect.words:+.2f}",
        "" if gain is None else _number(gain.specific) if gain.interval is None else _spread(gain.interval),
        "" if gain is None else _number(gain.lost),
        f"×{math.exp(effect.surprise):.2f}",
        _number(effect.repeated),
        f"{'yes' if effect.shows else 'no'} ({effect.corrected:.3f})",
    )


def _at_length(each: AtLength) -> tuple[str, ...]:
    effect = "" if each.effect is None else f"{_spread(each.effect)} of {each.effect.items} prompts"
    repeated = "" if math.isnan(each.repeated) else f"{each.repeated:.3f}"
    return each.arm, str(each.words), effect, repeated, f"{100 * each.reached:.0f} %"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows)]
    return "\n" + "\n".join(lines)


def _spread(interval: Interval, form: str = "+.3f") -> str:
    return f"{interval.mean:{form}} ({interval.low:{form}} to {interval.high:{form}})"


def _number(value: float | np.floating) -> str:
    return f"{value:+.3f}" if math.isfinite(value) else "none"


def _of(count: int, whole: int) -> str:
    return f"{count} of {whole}" + (f", {100 * count / whole:.0f} %" if whole else "")

"""What has been measured about a persona vector: by a judge, on held-out answers, on text that was steered with it.

Each is a frozen value with a text form, one JSON object, under which a vector file carries it.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from billy_mlx.text import sanitize

JUDGE_AUC = 0.6
"""A judge that tells the poles apart less well than this filters nothing; nor does one that puts both on the same side
of the middle of its scale, where the filter cuts."""
WEAK_AUC = 0.7
"""A vector that separates held-out answers less well than this, at every layer, is weak. Chance is 0.5."""

MOST_PERPLEXITY = 1.5
"""Times that of the unsteered text."""
LEAST_DISTINCT = 0.85
"""Times that of the unsteered text."""
MOST_REPETITION = 0.1
"""More than in the unsteered text."""
LEAST_LENGTH = 0.5
"""Times that of the unsteered text, both cut off at the same length."""

_MOST_CELLS = 1000


@dataclass(frozen=True)
class Judgement:
    """How the answers were judged before their means were taken.

    Attributes:
        judge: the model that judged them; "none" without one.
        auc: how well its scores told the persona's answers from neutral ones, from 0 to 1; None if it gave none.
        medians: its median scores, 0 to 100, of the persona's answers and of neutral ones; None likewise.
        filtered: whether its scores decided which answers were kept.
        judged: answers of each pole that it scored.
    """

    judge: str = "none"
    auc: float | None = None
    medians: tuple[float, float] | None = None
    filtered: bool = False
    judged: int = 0


@dataclass(frozen=True)
class Quality:
    """How well the vector separates answers that it was not made from, at each layer.

    Attributes:
        held_out_auc: (layers,) the vector of one half of the questions against the answers to the other half, both
            ways round; 0.5 is chance, 1 separates them all.
        split_half_cosine: (layers,) between the vectors of the two halves.
    """

    held_out_auc: tuple[float, ...]
    split_half_cosine: tuple[float, ...]


@dataclass(frozen=True)
class Cell:
    """What steering one layer with one dose did to text, held against the same prompts and seeds at dose 0.

    Attributes:
        dose: in residual norms.
        effect: how much further the finished text lies along the vector, read without steering at a later layer, in
            units of the gap between the poles.
        perplexity: under the unsteered model, divided by that of the unsteered text.
        distinct: share of different word pairs, divided likewise.
        repetition: share of four-word runs that have come before, less that of the unsteered text.
        length: in tokens, divided likewise.
    """

    layer: int
    dose: float
    effect: float
    perplexity: float
    distinct: float
    repetition: float
    length: float

    @property
    def fraying(self) -> float:
        """How far the text has come apart: 0 is unsteered text, from 1 on it no longer holds."""
        return max(
            math.log(max(self.perplexity, 1e-6)) / math.log(MOST_PERPLEXITY),
            (1 - self.distinct) / (1 - LEAST_DISTINCT),
            self.repetition / MOST_REPETITION,
            (1 - self.length) / (1 - LEAST_LENGTH),
        )

    @property
    def holds(self) -> bool:
        """Whether the text is not much stranger to the model, nor much more repetitive or shorter than unsteered."""
        return self.fraying <= 1


@dataclass(frozen=True)
class Calibration:
    """Which layer to steer, and how much, for this persona and model; doses are in residual norms.

    Attributes:
        gentle: the dose of half the effect that `full` has.
        too_much: where the text no longer holds; None if no dose of the sweep came to that.
        read_layer: where the finished texts were read, after the steered one.
        at_full: the layer to steer, the dose that 1 means, and what they do to texts that had no part in choosing them.
        effect_low: the lower end of the 95 % interval of that effect, by a bootstrap over the prompts.
        judged: how many points of 100 more than unsteered text the texts at `full` got for the persona; None where no
            judge was good enough to ask.
        prompts: how many there were.
        made_with: tokens, sampling and seed, in words.
        cells: the whole sweep.
    """

    gentle: float
    too_much: float | None
    read_layer: int
    at_full: Cell
    effect_low: float
    judged: float | None
    prompts: int
    made_with: str = ""
    cells: tuple[Cell, ...] = ()

    @property
    def layer(self) -> int:
        """The layer to steer."""
        return self.at_full.layer

    @property
    def full(self) -> float:
        """What dose 1 means."""
        return self.at_full.dose

    @property
    def shows(self) -> bool:
        """Whether the persona can be told in what is written at full dose."""
        return self.effect_low > 0 and (self.judged is None or self.judged > 0)


def judgement_text(judgement: Judgement) -> str:
    """Return what `parse_judgement` reads."""
    return json.dumps(_rounded(asdict(judgement)))


def quality_text(quality: Quality) -> str:
    """Return what `parse_quality` reads."""
    return json.dumps({name: [round(value, 4) for value in values] for name, values in asdict(quality).items()})


def calibration_text(calibration: Calibration) -> str:
    """Return what `parse_calibration` reads."""
    return json.dumps(_rounded(asdict(calibration)))


def parse_judgement(text: str) -> Judgement:
    """Read a judgement; ValueError, with the end of a sentence, if it is not one."""
    values = _Values(text)
    return Judgement(
        judge=values.text("judge"),
        auc=values.optional("auc", 0, 1),
        medians=None if values.values.get("medians") is None else _pair(values.numbers("medians", 2, 0, 100)),
        filtered=values.flag("filtered"),
        judged=values.count("judged"),
    )


def parse_quality(text: str, layers: int) -> Quality:
    """Read the quality of a vector of so many layers; ValueError if it is not one."""
    values = _Values(text)
    return Quality(
        held_out_auc=values.numbers("held_out_auc", layers, 0, 1),
        split_half_cosine=values.numbers("split_half_cosine", layers, -1, 1),
    )


def parse_calibration(text: str, layers: int) -> Calibration:
    """Read the calibration of a vector of so many layers; ValueError if it is not one."""
    values = _Values(text)
    cells = values.values.get("cells", [])
    if not isinstance(cells, list) or len(cells) > _MOST_CELLS:
        raise ValueError("its sweep is not a list")
    return Calibration(
        gentle=values.number("gentle", 0, 1000),
        too_much=values.optional("too_much", 0, 1000),
        read_layer=values.count("read_layer", layers - 1),
        at_full=_cell(values.values.get("at_full"), layers),
        effect_low=values.number("effect_low"),
        judged=values.optional("judged", -100, 100),
        prompts=values.count("prompts"),
        made_with=values.text("made_with"),
        cells=tuple(_cell(cell, layers) for cell in cells),
    )


def _pair(numbers: tuple[float, ...]) -> tuple[float, float]:
    return numbers[0], numbers[1]


def _cell(cell: object, layers: int) -> Cell:
    values = _Values(cell)
    names = ("effect", "perplexity", "distinct", "repetition", "length")
    measured = (values.number(name) for name in names)
    return Cell(values.count("layer", layers - 1), values.number("dose", 0, 1000), *measured)


class _Values:
    """The values of a JSON object from a stranger's file; each is checked when it is asked for."""

    def __init__(self, source: object) -> None:
        try:
            values = json.loads(source) if isinstance(source, str) else source
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        if not isinstance(values, dict):
            raise ValueError("it is not a JSON object")
        self.values: Mapping[str, Any] = values

    def number(self, name: str, least: float = -1e6, most: float = 1e6) -> float:
        return _number(name, self.values.get(name), least, most)

    def optional(self, name: str, least: float, most: float) -> float | None:
        return None if self.values.get(name) is None else self.number(name, least, most)

    def numbers(self, name: str, count: int, least: float, most: float) -> tuple[float, ...]:
        values = self.values.get(name)
        if not isinstance(values, Sequence) or len(values) != count:
            raise ValueError(f"{name} is not {count} numbers")
        return tuple(_number(name, value, least, most) for value in values)

    def count(self, name: str, most: int = 1_000_000) -> int:
        number = self.number(name, 0, most)
        if number != int(number):
            raise ValueError(f"{name} is not a whole number")
        return int(number)

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if not isinstance(value, str):
            raise ValueError(f"{name} is not a text")
        return sanitize(value)[:500]

    def flag(self, name: str) -> bool:
        value = self.values.get(name)
        if not isinstance(value, bool):
            raise ValueError(f"{name} is neither true nor false")
        return value


def _number(name: str, value: object, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} is not a number")
    if not (math.isfinite(value) and least <= value <= most):
        raise ValueError(f"{name} is {value:g}, and goes from {least:g} to {most:g}")
    return float(value)


def _rounded(value: Any) -> Any:
    """Return `value` with its numbers to four decimals: nothing here is known better."""
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(part) for part in value]
    return round(value, 4) if isinstance(value, float) else value

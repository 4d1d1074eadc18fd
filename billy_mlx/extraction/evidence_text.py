"""What has been measured about a vector, as the JSON that its file carries: nothing believed that cannot be true."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from billy_mlx.extraction.evidence import Calibration, Cell, Judgement, Outcome, Quality, Strength, Tried
from billy_mlx.text import sanitize

_MOST_CELLS = 1000


def judgement_text(judgement: Judgement) -> str:
    """Return what `parse_judgement` reads."""
    return json.dumps(_rounded(asdict(judgement)))


def quality_text(quality: Quality) -> str:
    """Return what `parse_quality` reads."""
    return json.dumps(_rounded(asdict(quality)))


def calibration_text(calibration: Calibration) -> str:
    """Return what `parse_calibration` reads."""
    return json.dumps(_rounded(asdict(calibration)))


def parse_judgement(text: str) -> Judgement:
    """Read a judgement; ValueError, with the end of a sentence, if it is not one."""
    values = _Values(text)
    return Judgement(
        judge=values.text("judge"),
        auc=values.optional("auc", 0, 1),
        medians=values.pair("medians", 0, 100),
        filtered=values.flag("filtered"),
        judged=values.count("judged"),
    )


def parse_quality(text: str, layers: int) -> Quality:
    """Read the quality of a vector of so many layers; ValueError if it is not one."""
    values = _Values(text)
    return Quality(
        held_out_auc=values.numbers("held_out_auc", layers, 0, 1),
        split_half_cosine=values.numbers("split_half_cosine", layers, -1, 1),
        auc_interval=values.pair("auc_interval", 0, 1),
    )


def parse_calibration(text: str, layers: int) -> Calibration:
    """Read the calibration of a vector of so many layers; ValueError if it is not one."""
    values = _Values(text)
    cells = values.values.get("cells", [])
    if not isinstance(cells, list) or len(cells) > _MOST_CELLS:
        raise ValueError(f"its sweep is not a list of at most {_MOST_CELLS} cells")
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


def strength_text(strength: Strength) -> str:
    """Return what `parse_strength` reads."""
    return json.dumps(_rounded(asdict(strength)))


def parse_strength(text: str) -> Strength:
    """Read the full strength of a vector; ValueError if it is not one."""
    values = _Values(text)
    tried = values.values.get("tried", [])
    if not isinstance(tried, list) or len(tried) > _MOST_CELLS:
        raise ValueError(f"what was tried is not a list of at most {_MOST_CELLS}")
    interval = values.pair("effect_interval", -1e6, 1e6)
    if interval is None:
        raise ValueError("effect_interval is not 2 numbers")
    prompted = values.values.get("prompted")
    return Strength(
        full=values.number("full", 0, 1000),
        limit=values.text("limit"),
        most_perplexity=values.number("most_perplexity", 0),
        at_full=_outcome(values.values.get("at_full")),
        effect_interval=interval,
        prompted=None if prompted is None else _outcome(prompted),
        prompts=values.count("prompts"),
        made_with=values.text("made_with"),
        tried=tuple(
            Tried(_Values(each).number("strength", 0, 1000), _outcome(_Values(each).values.get("outcome")))
            for each in tried
        ),
    )


def _outcome(outcome: object) -> Outcome:
    values = _Values(outcome)
    return Outcome(*(values.number(name) for name in ("effect", "perplexity", "distinct", "repetition", "length")))


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

    def pair(self, name: str, least: float, most: float) -> tuple[float, float] | None:
        if self.values.get(name) is None:
            return None
        first, second = self.numbers(name, 2, least, most)
        return first, second

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
    if not least <= value <= most:  # nor does NaN pass, nor a whole number too long to become a float
        raise ValueError(f"{name} is {str(value)[:20]}, and goes from {least:g} to {most:g}")
    return float(value)


def _rounded(value: Any) -> Any:
    """Return `value` with its numbers to four decimals: nothing here is known better."""
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(part) for part in value]
    return round(value, 4) if isinstance(value, float) else value

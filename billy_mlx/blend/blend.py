"""The blend: which personas, how much of each, how much in all, and where. A value with a text form.

    id:w(+id:w)*[@dose][/mode][/L15,16][/all][/np]    or    none

`none` is the model alone. A weight may be left out and is then 1; a dose is `1` (full), `0.3r` (residual norms) or `2a`
(the paper's coefficient).
The mode may be left out where somebody types a blend; `str` always names it, so that what is stored keeps its meaning
whatever the default becomes.
"""

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict

from billy_mlx.errors import BlendError
from billy_mlx.text import sanitize
from billy_mlx.vectors.card import NOBODY, PERSONA_ID


class Mode(StrEnum):
    """How the persona vectors of a blend become what is added at each layer; the first is what a typed blend takes."""

    LAYERED = "layered"
    BALANCED = "balanced"
    ORTHOGONAL = "orthogonal"
    PAPER = "paper"
    RAW = "raw"


DEFAULT_MODE = Mode.LAYERED
"""Of a blend that somebody types, and of one that is made, without a mode."""
FORMER_MODE = Mode.BALANCED
"""Of a stored blend without a mode: the default while modes were left out of files."""


class Unit(StrEnum):
    """What a dose of 1 means."""

    FULL = ""
    RESIDUAL_NORMS = "r"
    COEFFICIENT = "a"


@dataclass(frozen=True)
class Dose:
    """How much of a blend: `1` is full, `0.3r` 0.3 of the layer's own residual norm, `2a` the paper's coefficient."""

    amount: float
    unit: Unit = Unit.FULL

    def __post_init__(self) -> None:
        if not math.isfinite(self.amount) or abs(self.amount) > 1000:
            raise BlendError(f"a dose of {self.amount} cannot be given; it goes from -1000 to 1000")

    def __str__(self) -> str:
        return f"{_number(self.amount)}{self.unit}"

    @classmethod
    def parse(cls, text: str) -> "Dose":
        """Read `1.0`, `0.3r` or `2a`."""
        match = re.fullmatch(rf"({_NUMBER})([ra]?)", text.strip())
        if match is None:
            raise BlendError(f"{_shown(text)} is not a dose; give a number such as 1.0 (full), 0.3r or 2a")
        return cls(float(match[1]), Unit(match[2]))


_NUMBER = r"-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?"
_PART = re.compile(rf"\s*({PERSONA_ID.pattern})(?::({_NUMBER}))?\s*(\+|$)")
OWN_DOSE = Dose(1.0)
"""Stands for the dose of the mode: full, for `paper` the paper's coefficient of 2, for `raw` 1."""

_MODE_DOSE = {Mode.PAPER: Dose(2.0, Unit.COEFFICIENT), Mode.RAW: Dose(1.0, Unit.COEFFICIENT)}
_MAX_TEXT = 10_000


def _summed(weights: tuple[tuple[str, float], ...]) -> dict[str, float]:
    """Return what each persona has in all; BlendError if that, or its id, cannot be."""
    summed: dict[str, float] = {}
    for persona_id, weight in weights:
        if persona_id == NOBODY:
            raise BlendError(f"{NOBODY} is the model alone, and stands by itself")
        if not PERSONA_ID.fullmatch(persona_id):
            raise BlendError(f"{_shown(persona_id)} cannot be a persona's id")
        summed[persona_id] = summed.get(persona_id, 0.0) + float(weight)
    for persona_id, weight in summed.items():
        if not math.isfinite(weight) or abs(weight) > 1000:
            raise BlendError(f"the weight of {persona_id} is {weight}; it goes from -1000 to 1000")
    return summed


@dataclass(frozen=True)
class Blend:
    """Weights over personas, a dose, and how they are added; without weights, the model alone.

    Attributes:
        weights: persona id and weight, of any sign, sorted by id, each id once. Without any, all else is as it comes.
        dose: how much of the whole; left out, what is usual for the mode.
        layers: the layers to steer, sorted; None leaves the choice to the vectors.
        everywhere: steer the prompt too, not only the response.
        norm_preserving: scale each token's residual back to the norm it had.
    """

    weights: tuple[tuple[str, float], ...] = ()
    dose: Dose = OWN_DOSE
    mode: Mode = DEFAULT_MODE
    layers: tuple[int, ...] | None = None
    everywhere: bool = False
    norm_preserving: bool = False

    def __post_init__(self) -> None:
        summed = _summed(self.weights)
        object.__setattr__(self, "weights", tuple(sorted(summed.items())))
        if not summed:
            plain = {
                "dose": Dose(1.0),
                "mode": DEFAULT_MODE,
                "layers": None,
                "everywhere": False,
                "norm_preserving": False,
            }
            for name, value in plain.items():  # so that there is one model alone
                object.__setattr__(self, name, value)
            return
        if self.dose is OWN_DOSE:
            object.__setattr__(self, "dose", _MODE_DOSE.get(self.mode, Dose(1.0)))
        _check_dose(self.dose, self.mode)
        if self.layers is not None:
            if not self.layers or min(self.layers) < 0:
                raise BlendError("layers are counted from 0, such as L15 or L15,16")
            object.__setattr__(self, "layers", tuple(sorted(set(self.layers))))

    def __str__(self) -> str:
        if not self.weights:
            return NOBODY
        parts = ["+".join(f"{persona_id}:{_number(weight)}" for persona_id, weight in self.weights) + f"@{self.dose}"]
        parts.append(self.mode)
        if self.layers is not None:
            parts.append("L" + ",".join(map(str, self.layers)))
        parts += ["all"] * self.everywhere + ["np"] * self.norm_preserving
        return "/".join(parts)

    @property
    def persona_ids(self) -> tuple[str, ...]:
        """The personas' ids, sorted."""
        return tuple(persona_id for persona_id, _ in self.weights)

    @property
    def spelled(self) -> str | None:
        """Its text form as files and JSON have it: None for the model alone."""
        return str(self) if self.weights else None

    @property
    def adds_nothing(self) -> bool:
        """Whether the model is left alone: the dose or every weight is 0."""
        return self.dose.amount == 0 or not any(weight for _, weight in self.weights)

    @property
    def caution(self) -> str | None:
        """What may not be expected of it, as a sentence without its full stop; None if there is nothing."""
        if self.mode is Mode.RAW and self.dose.unit is Unit.RESIDUAL_NORMS and self.layers is None:
            return (
                f"{self.dose} is added at every layer that the vectors have, one on top of the other; name one layer, "
                "as in /L15, or give a few hundredths, as in 0.02r"
            )
        return None

    @classmethod
    def parse(cls, text: str) -> "Blend":
        """Read a blend that somebody types; `Blend.parse(str(blend)) == blend`. Without a mode it is `layered`.

        Raises:
            BlendError: the text is not a blend; the error says which part is not and what is allowed.
        """
        return BlendText.parse(text).blend(DEFAULT_MODE)

    @classmethod
    def of(cls, voice: "Blend | str") -> "Blend":
        """Return a blend as it is, and of a text what `parse` reads: for whoever takes either.

        Raises:
            BlendError: as `parse` does.
        """
        return cls.parse(voice) if isinstance(voice, str) else voice

    @classmethod
    def stored(cls, text: str) -> "Blend":
        """Read a blend from a file. Without a mode it is `balanced`, the default while modes were left out of files.

        Raises:
            BlendError: as `parse` does.
        """
        return BlendText.parse(text).blend(FORMER_MODE)


ALONE = Blend()
"""The model alone, unsteered."""


@dataclass(frozen=True)
class BlendText:
    """What the text of a blend says, and None for what it leaves open; `Blend` has the same by the same names."""

    weights: tuple[tuple[str, float], ...]
    dose: Dose | None = None
    mode: Mode | None = None
    layers: tuple[int, ...] | None = None
    everywhere: bool = False
    norm_preserving: bool = False

    @classmethod
    def parse(cls, text: str) -> "BlendText":
        """Read it; BlendError if a part of it is not what a blend has. Whether they fit together shows in `blend`."""
        if len(text) > _MAX_TEXT:
            raise BlendError(f"a blend of {len(text)} characters is too long; at most {_MAX_TEXT} are read")
        if text.strip() == NOBODY:
            return cls(())
        head, *flags = text.strip().split("/")
        names, at, dose = head.partition("@")
        return cls(_weights(names), Dose.parse(dose) if at else None, **_flags(flags))

    def blend(self, mode: Mode) -> Blend:
        """Return the blend, in `mode` if the text names none; BlendError if there is no such blend."""
        dose = OWN_DOSE if self.dose is None else self.dose
        return Blend(self.weights, dose, self.mode or mode, self.layers, self.everywhere, self.norm_preserving)


def check_norm(blend: Blend) -> None:
    """Raise BlendError if a mode cannot give each token its old norm back."""
    if blend.norm_preserving and blend.mode is Mode.LAYERED:
        raise BlendError(
            "/np gives each token its old norm back at every layer, and thereby takes from what the layers below have "
            "added, on all of which layered builds; leave out /np, or steer one layer, with /balanced/np"
        )


def _check_dose(dose: Dose, mode: Mode) -> None:
    """Raise BlendError if a mode has no dose of this unit."""
    if dose.unit is Unit.COEFFICIENT and mode not in _MODE_DOSE:
        raise BlendError(f"a dose in a, such as {dose}, is only for the modes paper and raw, not {mode}")
    if dose.unit is Unit.RESIDUAL_NORMS and mode is Mode.LAYERED:
        raise BlendError(
            f"a dose in residual norms, such as {dose}, says how long one layer's direction is, and layered steers all "
            f"layers; give a plain number, or add /balanced"
        )


def _weights(text: str) -> tuple[tuple[str, float], ...]:
    weights: list[tuple[str, float]] = []
    at = 0
    while at < len(text) or not weights or text[at - 1] == "+":
        match = _PART.match(text, at)
        if match is None:
            rest = _shown(text[at:]) if text[at:] else "the end"
            raise BlendError(
                f"a blend is written id:weight+id:weight, such as noir:0.6+gothic:0.4, but has {rest} there"
            )
        weights.append((match[1], float(match[2] or 1)))
        at = match.end()
    return tuple(weights)


class _Flags(TypedDict, total=False):
    mode: Mode
    everywhere: bool
    norm_preserving: bool
    layers: tuple[int, ...]


def _flags(flags: list[str]) -> _Flags:
    options: _Flags = {}
    for flag in flags:
        option = _flag(flag)
        if options.keys() & option.keys():
            raise BlendError(f"{_shown('/' + flag)} says again what the blend has said already")
        options |= option
    return options


def _flag(flag: str) -> _Flags:
    if flag in list(Mode):
        return {"mode": Mode(flag)}
    if flag == "all":
        return {"everywhere": True}
    if flag == "np":
        return {"norm_preserving": True}
    if re.fullmatch(r"L\d{1,4}(,\d{1,4})*", flag):
        return {"layers": tuple(int(layer) for layer in flag[1:].split(","))}
    raise BlendError(f"{_shown('/' + flag)} is not known; there are /{', /'.join(Mode)}, /L15,16, /all and /np")


def _number(value: float) -> str:
    """Return the shortest text that reads back to `value`."""
    return repr(value).removesuffix(".0")


def _shown(text: str) -> str:
    return repr(sanitize(text[:80]))

"""The flags that say whose voices are wanted, and the blends that come of them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import click
from click.core import ParameterSource

from billy_mlx.blend.blend import ALONE, DEFAULT_MODE, FORMER_MODE, Blend, BlendText, Dose, Mode
from billy_mlx.cli.options import Decorator
from billy_mlx.errors import UsageError
from billy_mlx.text import sanitize


def _only_one(_context: click.Context, _parameter: click.Parameter, blends: tuple[str, ...]) -> str | None:
    """Refuse a second --blend, which click would let replace the first one without a word."""
    if len(blends) > 1:
        raise UsageError(f"--blend is given {len(blends)} times; for several voices name each with --voice")
    return blends[0] if blends else None


_MODES = click.Choice([mode.value for mode in Mode])
_HOW = f"How the vectors are put together: {', '.join(Mode)}.  [default: {DEFAULT_MODE}]"
_BLEND = [
    click.option(
        "--blend",
        metavar="BLEND",
        multiple=True,
        callback=_only_one,
        help='Whose voice: "noir:0.6+lyrical:0.4", with dose and mode: "noir@0.5/balanced".',
    )
]
_VOICES = [
    click.option("--voice", "voices", metavar="BLEND", multiple=True, help="One voice of several; may be given often."),
    click.option("--compare", is_flag=True, help="Add the same prompt and seed without steering."),
]
_OVERRIDES = [
    click.option("--dose", metavar="DOSE", help="How much: 1.0 is full, 0.3r in residual norms, 2a the paper's unit."),
    click.option("--mode", type=_MODES, metavar="MODE", help=_HOW),
    click.option("--layers", metavar="N,N", help="The layers to steer, from 0.  [default: the mode's own]"),
    click.option(
        "--positions", type=click.Choice(["response", "all"]), help="Steer the answer, or the prompt as well."
    ),
]


@dataclass(frozen=True)
class Overrides:
    """What is said about every blend beside its own text; None leaves it to that.

    A flag that was typed wins over the blend's text, and that over the configuration file.
    """

    dose: str | None = None
    mode: str | None = None
    layers: str | None = None
    positions: str | None = None

    def blend(self, text: str, typed: Collection[str], mode: Mode) -> Blend:
        """Return the blend that `text`, the flags that are `typed` and the others give together, else in `mode`."""
        said = BlendText.parse(text)
        wins = {*typed} | _left_open(said)
        if self.mode is not None and "mode" in wins:
            said = replace(said, mode=Mode(self.mode))
        if self.dose is not None and "dose" in wins:
            said = replace(said, dose=Dose.parse(self.dose))
        if self.layers is not None and "layers" in wins:
            said = replace(said, layers=layer_numbers(self.layers))
        if self.positions is not None and "positions" in wins:
            said = replace(said, everywhere=self.positions == "all")
        return said.blend(mode)


def blend_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give `command` the parameters that `wanted_blends` takes."""
    return _with([*_BLEND, *_VOICES, *_OVERRIDES], command)


def one_blend_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give `command` those of them that say what one voice is."""
    return _with([*_BLEND, *_OVERRIDES], command)


def voices_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give `command` those of them that say what several voices are."""
    return _with([*_VOICES, *_OVERRIDES], command)


def wanted_blends(
    context: click.Context, blend: str | None, voices: tuple[str, ...], compare: bool, overrides: Overrides
) -> list[Blend]:
    """Return a blend for each voice asked for, the model alone last if it is to be compared with.

    Raises:
        UsageError: the flags contradict each other, or a blend cannot be read.
    """
    if blend is not None and voices:
        if is_typed(context, "blend") and is_typed(context, "voices"):
            raise UsageError("Both --blend and --voice are given; name every voice with --voice")
        voices = () if is_typed(context, "blend") else voices  # what is typed wins over the configuration file
    texts = voices or (() if blend is None else (blend,))
    typed = [flag for flag in ("compare", "dose", "mode", "layers", "positions") if is_typed(context, flag)]
    if typed and not texts:
        raise UsageError(f"--{typed[0]} is given but no voice; name one, such as --blend noir")
    mode = DEFAULT_MODE if is_typed(context, "voices" if voices else "blend") else FORMER_MODE
    blends = [overrides.blend(text, typed, mode) for text in texts]
    return [*blends, ALONE] if compare or not blends else blends


def is_typed(context: click.Context, name: str) -> bool:
    """Whether a parameter was given on the command line, rather than in the configuration file or not at all."""
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def _with(options: Sequence[Decorator], command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(options):
        command = option(command)
    return command


def _left_open(said: BlendText) -> set[str]:
    """Return which of the flags' settings a blend's own text leaves open."""
    given = {"dose": said.dose, "mode": said.mode, "layers": said.layers, "positions": said.everywhere or None}
    return {name for name, value in given.items() if value is None}


def layer_numbers(text: str) -> tuple[int, ...]:
    """Return the layers that a flag such as --layers 15,16 names; UsageError if it names none."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and len(part) <= 4 for part in parts):
        raise UsageError(f"{sanitize(text[:80])!r} names no layers; write their numbers, such as --layers 15 or 15,16")
    return tuple(sorted({*map(int, parts)}))

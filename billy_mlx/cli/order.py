"""What a command that writes is asked for: flags for voices and for how words are chosen, and the order they make."""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import wraps
from typing import Any

import click

from billy_mlx.blend.blend import ALONE, DEFAULT_MODE, FORMER_MODE, Blend, BlendText, Dose, Mode
from billy_mlx.cli.options import Decorator, LogitBias, is_typed, option_group
from billy_mlx.errors import UsageError
from billy_mlx.model.sampling import Sampling
from billy_mlx.text import sanitize

_SEEDS = 1_000_000  # how many seeds a new one is drawn from: short enough to be typed again
_OVERRIDDEN = ("dose", "mode", "layers", "positions")


@dataclass(frozen=True)
class Order:
    """What the flags that all commands that write share ask for.

    Attributes:
        blends: a voice each, the model alone last if it is to be compared with.
        several: the flags name voices, of which there may still be one.
        model: what --model was given.
        max_tokens: of each voice at most; 0 leaves it to the command.
    """

    blends: Sequence[Blend]
    several: bool
    model: str | None
    seed: int
    sampling: Sampling
    max_tokens: int
    as_json: bool


def with_order(kind: type[Order] = Order) -> Decorator:
    """Return a decorator that hands a command an order of this kind first, in place of the flags that it is made of.

    What a `kind` has beyond `Order` it takes from the flags of the same name.
    """

    def decorate(command: Callable[..., int]) -> Callable[..., int]:
        @click.pass_context
        @wraps(command)
        def ordered(context: click.Context, /, **flags: Any) -> int:
            own = {field.name: flags.pop(field.name) for field in fields(kind) if field.name in flags}
            return command(kind(**(own | _shared(context, flags, own))), **flags)

        return ordered

    return decorate


def _only_one(_context: click.Context, _parameter: click.Parameter, blends: tuple[str, ...]) -> str | None:
    """Refuse a second --blend, which click would let replace the first one without a word."""
    if len(blends) > 1:
        raise UsageError(f"--blend is given {len(blends)} times; for several voices name each with --voice")
    return blends[0] if blends else None


_BLEND: list[Decorator] = [
    click.option(
        "--blend",
        metavar="BLEND",
        multiple=True,
        callback=_only_one,
        help='Whose voice: "noir:0.6+lyrical:0.4", with dose and mode: "noir@0.5/balanced".',
    )
]
_VOICES: list[Decorator] = [
    click.option("--voice", "voices", metavar="BLEND", multiple=True, help="One voice of several; may be given often."),
    click.option("--compare", is_flag=True, help="Add the same prompt and seed without steering."),
]
_MODES = click.Choice([mode.value for mode in Mode])
_HOW = f"How the vectors are put together: {', '.join(Mode)}.  [default: {DEFAULT_MODE}]"
_OVERRIDES: list[Decorator] = [
    click.option("--dose", metavar="DOSE", help="How much: 1.0 is full, 0.3r in residual norms, 2a the paper's unit."),
    click.option("--mode", type=_MODES, metavar="MODE", help=_HOW),
    click.option("--layers", metavar="N,N", help="The layers to steer, from 0.  [default: the mode's own]"),
    click.option(
        "--positions", type=click.Choice(["response", "all"]), help="Steer the answer, or the prompt as well."
    ),
]
_CHANCE = click.FloatRange(0, 1)
_PENALTY = click.FloatRange(-100, 100)
_CONTEXT = click.IntRange(1, 100_000)
# mlx-lm's names, and the library's defaults. Only repetition is held down, which the library leaves alone: small
# models begin to loop without.
_SAMPLING: list[tuple[str, str, float, click.IntRange | click.FloatRange, str]] = [
    ("--temp", "temperature", 0.8, click.FloatRange(0, 10), "0 always takes the likeliest token."),
    ("--top-p", "top_p", 1.0, _CHANCE, "Keep the likeliest tokens that together are this likely."),
    ("--min-p", "min_p", 0.05, _CHANCE, "Drop tokens that are this much less likely than the likeliest."),
    ("--top-k", "top_k", 0, click.IntRange(0, 1_000_000), "Keep this many tokens; 0 keeps all."),
    ("--repetition-penalty", "repetition_penalty", 1.1, click.FloatRange(0.01, 10), "Above 1: avoid recent tokens."),
    ("--repetition-context-size", "repetition_context", 64, _CONTEXT, "How many tokens are recent."),
    ("--no-repeat-ngram", "no_repeat_ngram", 0, click.IntRange(0, 1000), "No run of this many tokens twice; 0: any."),
    ("--xtc-probability", "xtc_probability", 0.0, _CHANCE, "How often the most obvious tokens are dropped."),
    ("--xtc-threshold", "xtc_threshold", 0.1, click.FloatRange(0, 0.5), "How likely an obvious token is at least."),
    ("--dry-multiplier", "dry_multiplier", 0.0, click.FloatRange(0, 100), "Avoid continuing a repeated run."),
    ("--dry-base", "dry_base", 1.75, click.FloatRange(1, 10), "How fast that grows with the length of the run."),
    ("--dry-allowed-length", "dry_allowed_length", 2, click.IntRange(1, 1000), "Runs up to this length are free."),
    ("--dry-range", "dry_range", 1024, click.IntRange(2, 100_000), "How many tokens back runs are looked for."),
    ("--presence-penalty", "presence_penalty", 0.0, _PENALTY, "Taken from the logits of recent tokens, once each."),
    ("--presence-context-size", "presence_context", 20, _CONTEXT, "How many tokens are recent there."),
    ("--frequency-penalty", "frequency_penalty", 0.0, _PENALTY, "The same, as often as each token is among them."),
    ("--frequency-context-size", "frequency_context", 20, _CONTEXT, "How many tokens are recent there."),
]
_LOGIT_BIAS = click.option(
    "--logit-bias",
    metavar="JSON",
    default="{}",
    type=LogitBias('{"42": -5}'),
    help="What is added to the logits of tokens, by their ids: '{\"42\": -5}'.",
)

blend_options = option_group(*_BLEND, *_VOICES, *_OVERRIDES)
"""The flags for one voice or for several."""
one_blend_options = option_group(*_BLEND, *_OVERRIDES)
"""Those of them that say what one voice is."""
voices_options = option_group(*_VOICES, *_OVERRIDES)
"""Those of them that say what several voices are."""
sampling_options = option_group(
    *(
        click.option(flag, name, default=default, type=kind, metavar="N", show_default=True, help=text)
        for flag, name, default, kind, text in _SAMPLING
    ),
    _LOGIT_BIAS,
)
"""A flag for every setting of Sampling."""


def _shared(context: click.Context, flags: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return those fields of an order that are not just a flag, and take the flags out that they are made of.

    Raises:
        UsageError: the flags contradict each other, or a blend cannot be read.
    """
    overrides = _Overrides(**{name: flags.pop(name) for name in _OVERRIDDEN})
    blend, voices, compare = flags.pop("blend", None), flags.pop("voices", ()), flags.pop("compare", False)
    return {
        "blends": _wanted_blends(context, blend, voices, compare, overrides),
        "several": compare or bool(voices and not is_typed(context, "blend")),
        "seed": secrets.randbelow(_SEEDS) if own["seed"] is None else own["seed"],
        "max_tokens": own["max_tokens"] or 0,
        "sampling": Sampling(
            **{name: flags.pop(name) for _, name, *_ in _SAMPLING}, logit_bias=flags.pop("logit_bias")
        ),
    }


@dataclass(frozen=True)
class _Overrides:
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
            said = replace(said, layers=_layer_numbers(self.layers))
        if self.positions is not None and "positions" in wins:
            said = replace(said, everywhere=self.positions == "all")
        return said.blend(mode)


def _wanted_blends(
    context: click.Context, blend: str | None, voices: tuple[str, ...], compare: bool, overrides: _Overrides
) -> list[Blend]:
    """Return a blend for each voice asked for, the model alone last if it is to be compared with."""
    if blend is not None and voices:
        if is_typed(context, "blend") and is_typed(context, "voices"):
            raise UsageError("Both --blend and --voice are given; name every voice with --voice")
        voices = () if is_typed(context, "blend") else voices  # what is typed wins over the configuration file
    texts = voices or (() if blend is None else (blend,))
    typed = [flag for flag in ("compare", *_OVERRIDDEN) if is_typed(context, flag)]
    if typed and not texts:
        raise UsageError(f"--{typed[0]} is given but no voice; name one, such as --blend noir")
    mode = DEFAULT_MODE if is_typed(context, "voices" if voices else "blend") else FORMER_MODE
    blends = [overrides.blend(text, typed, mode) for text in texts]
    return [*blends, ALONE] if compare or not blends else blends


def _left_open(said: BlendText) -> set[str]:
    """Return which of the flags' settings a blend's own text leaves open."""
    given = {"dose": said.dose, "mode": said.mode, "layers": said.layers, "positions": said.everywhere or None}
    return {name for name, value in given.items() if value is None}


def _layer_numbers(text: str) -> tuple[int, ...]:
    """Return the layers that a flag such as --layers 15,16 names; UsageError if it names none."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and len(part) <= 4 for part in parts):
        raise UsageError(f"{sanitize(text[:80])!r} names no layers; write their numbers, such as --layers 15 or 15,16")
    return tuple(sorted({*map(int, parts)}))

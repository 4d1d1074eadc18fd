"""The flags that say how tokens are drawn: mlx-lm's names, and the library's defaults.

Only repetition is held down, which the library leaves alone: small models begin to loop without.
"""

from collections.abc import Callable
from typing import Any

import click

_CHANCE = click.FloatRange(0, 1)
_OPTIONS: list[tuple[str, str, float, click.IntRange | click.FloatRange, str]] = [
    ("--temp", "temperature", 0.8, click.FloatRange(0, 10), "0 always takes the likeliest token."),
    ("--top-p", "top_p", 1.0, _CHANCE, "Keep the likeliest tokens that together are this likely."),
    ("--min-p", "min_p", 0.05, _CHANCE, "Drop tokens that are this much less likely than the likeliest."),
    ("--top-k", "top_k", 0, click.IntRange(0, 1_000_000), "Keep this many tokens; 0 keeps all."),
    ("--repetition-penalty", "repetition_penalty", 1.1, click.FloatRange(0.01, 10), "Above 1: avoid recent tokens."),
    ("--repetition-context-size", "repetition_context", 64, click.IntRange(1, 100_000), "How many tokens are recent."),
    ("--no-repeat-ngram", "no_repeat_ngram", 0, click.IntRange(0, 1000), "No run of this many tokens twice; 0: any."),
    ("--xtc-probability", "xtc_probability", 0.0, _CHANCE, "How often the most obvious tokens are dropped."),
    ("--xtc-threshold", "xtc_threshold", 0.1, click.FloatRange(0, 0.5), "How likely an obvious token is at least."),
    ("--dry-multiplier", "dry_multiplier", 0.0, click.FloatRange(0, 100), "Avoid going on with a repeated run."),
    ("--dry-base", "dry_base", 1.75, click.FloatRange(1, 10), "How fast that grows with the length of the run."),
    ("--dry-allowed-length", "dry_allowed_length", 2, click.IntRange(1, 1000), "Runs up to this length are free."),
    ("--dry-range", "dry_range", 1024, click.IntRange(2, 100_000), "How many tokens back runs are looked for."),
]


def sampling_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give `command` a parameter for every setting of Sampling, under the setting's name."""
    for flag, name, default, kind, text in reversed(_OPTIONS):
        option = click.option(flag, name, default=default, type=kind, metavar="N", show_default=True, help=text)
        command = option(command)
    return command

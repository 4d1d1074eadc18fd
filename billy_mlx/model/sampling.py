"""How tokens are drawn, and why a text ends: values without MLX."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import msgspec

from billy_mlx.errors import UsageError

MAX_SEED = 2**32 - 1

FinishReason = Literal["stop", "length", "interrupted"]
"""An end token or a stop string; as many tokens as were asked for; somebody stopped it."""


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn; the names and meanings are mlx-lm's.

    Attributes:
        temperature: 0 takes the likeliest token.
        repetition_penalty: divides the logits of the last `repetition_context` tokens; 1 is none.
        no_repeat_ngram: no run of this many tokens comes twice; 0 is none.
        xtc_probability: chance, per token, of dropping all but the least likely of the tokens above `xtc_threshold`.
        dry_multiplier: strength of the penalty on continuing a repeated run of more than `dry_allowed_length` tokens,
            growing by `dry_base` per token of the run, over the last `dry_range` tokens; 0 is none.
        presence_penalty: is subtracted from the logits of the last `presence_context` tokens, once each; 0 is none.
        frequency_penalty: likewise for the last `frequency_context` tokens, as often as each is among them.
        logit_bias: what is added to a token's logit, by token id; given as a mapping, kept as sorted pairs.
    """

    temperature: float = 0.8
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.05
    repetition_penalty: float = 1.0
    repetition_context: int = 20
    no_repeat_ngram: int = 0
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.1
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_range: int = 1024
    presence_penalty: float = 0.0
    presence_context: int = 20
    frequency_penalty: float = 0.0
    frequency_context: int = 20
    logit_bias: Mapping[int, float] | tuple[tuple[int, float], ...] = ()

    def __post_init__(self) -> None:
        biases = tuple(sorted((token, float(bias)) for token, bias in dict(self.logit_bias).items()))
        object.__setattr__(self, "logit_bias", biases)
        for token, bias in biases:
            if not 0 <= token <= _MAX_TOKEN:
                raise UsageError(f"logit_bias names token {token}; token ids go from 0 to {_MAX_TOKEN}")
            if not _LEAST_BIAS <= bias <= _MOST_BIAS:
                raise UsageError(
                    f"the logit_bias of token {token} is {bias:g}; it goes from {_LEAST_BIAS:g} to {_MOST_BIAS:g}"
                )
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not low <= value <= high:  # also true of NaN
                raise UsageError(f"{name} is {value}; it goes from {low:g} to {high:g}")

    @property
    def needs_tokens(self) -> bool:
        """Whether the tokens so far must be known on the host, which ends decoding one step ahead."""
        return self.no_repeat_ngram > 0 or self.dry_multiplier > 0

    @property
    def recent(self) -> int:
        """How many of the tokens so far its penalties look at where the logits are, without the host; 0 for none."""
        penalties = [
            (self.repetition_penalty != 1, self.repetition_context),
            (self.presence_penalty != 0, self.presence_context),
            (self.frequency_penalty != 0, self.frequency_context),
        ]
        return max((context for used, context in penalties if used), default=0)

    def as_numbers(self) -> dict[str, int | float]:
        """Return it as records keep it: a number by each name; `Sampling.of_numbers` reads it back.

        What earlier versions do not know is in it only where it is not neutral, so that they can read the rest.
        """
        numbers: dict[str, Any] = asdict(self)
        later = {field.name: field.default for field in fields(self) if field.name in _LATER}
        kept = {name: number for name, number in numbers.items() if later.get(name, math.nan) != number}
        kept.pop("logit_bias", None)
        return kept | {f"{_BIAS_OF}{token}": bias for token, bias in dict(self.logit_bias).items()}

    @classmethod
    def of_numbers(cls, numbers: Mapping[str, int | float]) -> "Sampling":
        """Read what `as_numbers` gave.

        Raises:
            UsageError: there is something else in it.
        """
        biases = {name: number for name, number in numbers.items() if name.startswith(_BIAS_OF)}
        others = {name: number for name, number in numbers.items() if name not in biases}
        by_token = {name.removeprefix(_BIAS_OF): bias for name, bias in biases.items()}
        known = {field.name for field in fields(cls)} - {"logit_bias"}
        if others.keys() <= known and all(token.isdecimal() and token.isascii() for token in by_token):
            try:
                pairs = [(int(token), bias) for token, bias in by_token.items()]
                return msgspec.convert({**others, "logit_bias": pairs}, cls)
            except ValueError:  # a fraction where there are only whole numbers, or a number out of range
                pass
        raise UsageError("its tokens were drawn in a way that this version does not know")


_MAX_TOKEN = 2**31 - 1
# Far enough to rule a token out, or nothing but it in; half precision holds the upper one.
_LEAST_BIAS, _MOST_BIAS = -1e9, 1e4
_BIAS_OF = "logit_bias."
_LATER = {"presence_penalty", "presence_context", "frequency_penalty", "frequency_context", "logit_bias"}
_RANGES = [
    ("temperature", 0, 10),
    ("top_p", 0, 1),
    ("top_k", 0, 1_000_000),
    ("min_p", 0, 1),
    ("repetition_penalty", 0.01, 10),
    ("repetition_context", 1, 100_000),
    ("no_repeat_ngram", 0, 1000),
    ("xtc_probability", 0, 1),
    ("xtc_threshold", 0, 0.5),
    ("dry_multiplier", 0, 100),
    ("dry_base", 1, 10),
    ("dry_allowed_length", 1, 1000),
    ("dry_range", 2, 100_000),
    ("presence_penalty", -100, 100),
    ("presence_context", 1, 100_000),
    ("frequency_penalty", -100, 100),
    ("frequency_context", 1, 100_000),
]


def check_asked(seed: int, max_tokens: int, stop: Sequence[str]) -> None:
    """Raise UsageError if nothing can be written with these."""
    if not 0 <= seed <= MAX_SEED:
        raise UsageError(f"the seed is {seed}; it goes from 0 to {MAX_SEED}")
    if max_tokens < 1:
        raise UsageError(f"{max_tokens} tokens cannot be written; ask for at least 1")
    if "" in stop:
        raise UsageError("an empty text cannot end what is written; leave it out or give a text to stop at")

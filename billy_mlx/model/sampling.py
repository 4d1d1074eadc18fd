"""How tokens are drawn, and why a text ends: values without MLX."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

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

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not low <= value <= high:  # also true of NaN
                raise UsageError(f"{name} is {value}; it goes from {low:g} to {high:g}")

    @property
    def needs_tokens(self) -> bool:
        """Whether the tokens so far must be known on the host, which ends decoding one step ahead."""
        return self.no_repeat_ngram > 0 or self.dry_multiplier > 0


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
]


def check_asked(seed: int, max_tokens: int, stop: Sequence[str]) -> None:
    """Raise UsageError if nothing can be written with these."""
    if not 0 <= seed <= MAX_SEED:
        raise UsageError(f"the seed is {seed}; it goes from 0 to {MAX_SEED}")
    if max_tokens < 1:
        raise UsageError(f"{max_tokens} tokens cannot be written; ask for at least 1")
    if "" in stop:
        raise UsageError("an empty text cannot end what is written; leave it out or give a text to stop at")

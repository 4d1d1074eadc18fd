"""A passage: what a model wrote, and everything it takes to make it write the same again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

Work = Literal["continue", "rewrite", "infill"]
"""What the model was asked to do."""


@dataclass(frozen=True)
class Voice:
    """The blend that spoke from one token on.

    Attributes:
        first_token: the index of the first token drawn under it.
        blend: its text form; None for the unsteered model.
        layers: the layers that were steered.
    """

    first_token: int
    blend: str | None
    layers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Passage:
    """One text by a model and how it was made.

    Attributes:
        text: all of it, whatever of it was accepted.
        tokens: its token ids, the one that ended it included.
        voices: in the order they spoke; the first from token 0 on, each up to the next.
        work: what the model was asked to do.
        model: the model's id.
        fingerprint: of its weights, by name.
        vectors: a checksum of each persona vector that took part, by persona id.
        prompt: the token ids it was sent.
        seed: 0 to 2**32 - 1.
        sampling: how tokens were drawn, by name.
        max_tokens: how many it was allowed.
        stop: strings that would have ended it.
        reused: prompt tokens that came out of a cache made under the same directions.
        cache: the rule by which they could.
        thinking: the model was asked to think first.
        steer_thinking: it was steered while it thought, too.
        ended: why it ended ("stop", "length", "interrupted"); None if that is not known, as after a crash.
        made_with: versions and device, by name.
        date: when it was begun, ISO 8601 with its offset.
    """

    text: str
    tokens: tuple[int, ...]
    voices: tuple[Voice, ...]
    work: Work
    model: str
    fingerprint: Mapping[str, str]
    vectors: Mapping[str, str]
    prompt: tuple[int, ...]
    seed: int
    sampling: Mapping[str, int | float]
    max_tokens: int
    stop: tuple[str, ...] = ()
    reused: int = 0
    cache: str = ""
    thinking: bool = False
    steer_thinking: bool = False
    ended: str | None = None
    made_with: Mapping[str, str] = field(default_factory=dict)
    date: str = ""

    def __post_init__(self) -> None:
        if not self.voices or self.voices[0].first_token != 0:
            raise ValueError("a passage is in some voice from its first token on")
        starts = [voice.first_token for voice in self.voices]
        if starts != sorted(set(starts)):
            raise ValueError("the voices of a passage follow each other")
        if any(voice.blend == "" for voice in self.voices):
            raise ValueError("a voice has a blend, or none")
        if min(self.tokens + self.prompt, default=0) < 0 or not 0 <= self.seed < 2**32:
            raise ValueError("token ids and seeds count from 0")

    def as_json(self) -> dict[str, Any]:
        """Return it as what the json module can write; `Passage.of_json` reads it back."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return data

    @classmethod
    def of_json(cls, data: Any) -> "Passage":
        """Read what `as_json` gave.

        Raises:
            ValueError: something is missing, of another kind, or does not fit together.
        """
        try:
            return msgspec.convert(data, cls)
        except RecursionError as error:
            raise ValueError("this passage is nested too deeply") from error

"""A passage: what a model wrote, and everything it takes to make it write the same again."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal, Self

import msgspec

from billy_mlx.blend.blend import Blend
from billy_mlx.blend.recipe import Take
from billy_mlx.errors import BlendError

_MAX_TOKEN_ID = _MAX_SEED = 2**32 - 1

Work = Literal["continue", "rewrite", "infill"]
"""What the model was asked to do."""


@dataclass(frozen=True)
class Voice:
    """The blend that spoke from one token on.

    Attributes:
        first_token: the index of the first token drawn under it.
        blend: its text form; None for the unsteered model. One without a mode, as the version before wrote them, is
            balanced.
        layers: the layers that were steered, sorted.
        digest: of what was added, as `Directions.key` has it, empty for nothing; None in passages of the version
            before.
    """

    first_token: int
    blend: str | None
    layers: tuple[int, ...] = ()
    digest: str | None = None

    def __post_init__(self) -> None:
        if self.blend == "":
            raise ValueError("a voice has a blend, or none")
        if not _rising(self.layers) or min(self.layers, default=0) < 0:
            raise ValueError("layers are counted from 0 and sorted")

    @property
    def spelled(self) -> str | None:
        """Its blend with the mode, whoever wrote it; what is no blend to this version, as it stands."""
        return None if self.blend is None else _spelled(self.blend)


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
        reused: prompt tokens that came out of a cache.
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
        starts = [voice.first_token for voice in self.voices]
        if starts[:1] != [0]:
            raise ValueError("a passage is in some voice from its first token on")
        if not _rising(starts):
            raise ValueError("the voices of a passage follow each other")
        for ids in (self.tokens, self.prompt):
            if ids and not 0 <= min(ids) <= max(ids) <= _MAX_TOKEN_ID:
                raise ValueError(f"token ids go from 0 to {_MAX_TOKEN_ID}")
        if not 0 <= self.seed <= _MAX_SEED:
            raise ValueError(f"seeds go from 0 to {_MAX_SEED}")
        if not all(abs(number) < math.inf for number in self.sampling.values()):
            raise ValueError("what tokens are drawn by is finite")
        if self.max_tokens < 0 or not 0 <= self.reused <= len(self.prompt):
            raise ValueError("tokens are counted from 0, and only those of the prompt can be reused")
        if "" in self.stop:
            raise ValueError("an empty text ends nothing")

    @classmethod
    def of(cls, take: Take, work: Work) -> "Passage":
        """Return a take as a manuscript keeps it: flat, and each voice as text that any version can show."""
        recipe, made_with = take.recipe, take.made_with
        return cls(
            text=take.text,
            tokens=take.tokens,
            voices=tuple(Voice(turn.first_token, turn.voice.spelled, turn.layers, turn.digest) for turn in take.turns),
            work=work,
            model=made_with.model,
            fingerprint=made_with.fingerprint,
            vectors=made_with.vectors,
            prompt=take.prompt,
            seed=recipe.seed,
            sampling=recipe.sampling.as_numbers(),
            max_tokens=recipe.max_tokens,
            stop=recipe.stop,
            reused=take.cost.reused,
            cache=made_with.cache,
            thinking=recipe.thinks,
            steer_thinking=recipe.steer_thinking,
            ended=take.ended,
            made_with=made_with.programs,
            date=made_with.date,
        )

    @property
    def spelled(self) -> Self:
        """The same with the mode of every blend."""
        return replace(self, voices=tuple(replace(voice, blend=voice.spelled) for voice in self.voices))

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


@lru_cache(maxsize=1024)  # it is asked for at every paint
def _spelled(blend: str) -> str:
    try:
        return str(Blend.stored(blend))
    except BlendError:
        return blend


def _rising(numbers: Sequence[int]) -> bool:
    return all(before < after for before, after in pairwise(numbers))

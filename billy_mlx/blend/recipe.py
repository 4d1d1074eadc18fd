"""What decides a text, and what came of it: two values, without MLX.

A `Recipe` is everything that a `Writer` needs to know besides the model; a `Take` is one text that was written by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import msgspec

from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.errors import BlendError, UsageError
from billy_mlx.model.sampling import FinishReason, Sampling, check_asked
from billy_mlx.text import sanitize

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class Message:
    """One message of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True)
class Prompt:
    """What a model is asked.

    Attributes:
        messages: a system message, if any, then the user's and the model's in turn, the user's last. Without the chat
            template, the texts of one system and one user message.
        prefix: the beginning of the answer, which the model goes on from, past any thinking.
        chat: put the messages through the model's chat template; otherwise the model continues their text.
        tokens: token ids to be sent as they are, instead of all of the above.
    """

    messages: tuple[Message, ...] = ()
    prefix: str = ""
    chat: bool = True
    tokens: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.tokens is not None and (self.messages or self.prefix):
            raise UsageError("A prompt is token ids or text; leave out one of them")
        if not self.chat and not self.prefix and len(self.messages) > 1:
            raise UsageError("Without the chat template one message is sent alone; leave out the others")
        turns = [message.role for message in self.messages if message.role != "system"]
        systems = [at for at, message in enumerate(self.messages) if message.role == "system"]
        if systems not in ([], [0]):
            raise UsageError("A conversation has one system message at most, and it comes first")
        if turns != [("user", "assistant")[at % 2] for at in range(len(turns))] or turns[-1:] == ["assistant"]:
            raise UsageError("In a conversation the user and the model take turns, and the user speaks first and last")

    @classmethod
    def of(cls, user: str, *, system: str | None = None, prefix: str = "", chat: bool = True) -> "Prompt":
        """Return the prompt of one message."""
        said = [Message("system", system)] if system else []
        asked = [Message("user", user)] if user else []
        return cls((*said, *asked), prefix, chat)

    @property
    def system(self) -> str:
        """The system message; empty if there is none."""
        return next((message.content for message in self.messages if message.role == "system"), "")

    @property
    def user(self) -> str:
        """The user's last message; empty if there is none."""
        return next((message.content for message in self.messages[::-1] if message.role == "user"), "")

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing: no tokens, and no text but a system message."""
        return not self.tokens if self.tokens is not None else not (self.user + self.prefix).strip()


@dataclass(frozen=True)
class Recipe:
    """All that decides a text, but for the model.

    Attributes:
        prompt: what the model is asked.
        voice: the blend it writes in; `ALONE`, without weights, is the model by itself.
        sampling: how tokens are drawn.
        seed: 0 to 2**32 - 1; the same recipe with the same model gives the same text.
        max_tokens: how long the text may be, in tokens.
        stop: strings that end the text; they are not part of it.
        end_tokens: tokens that end the text besides the model's own, each as it is spelt or by its id.
        thinking: let a thinking model think first; its directions are held back until it has.
        steer_thinking: add them from the end of the prompt on, thinking or not.
        vectors: of persona vectors that are in memory and not on disk, the id and a checksum of each. A `Writer` fills
            it in, and refuses another vector under the same id.

    Raises:
        UsageError: a value is out of range, or the prompt is empty.
    """

    prompt: Prompt
    voice: Blend = ALONE
    sampling: Sampling = field(default_factory=Sampling)
    seed: int = 0
    max_tokens: int = 256
    stop: tuple[str, ...] = ()
    end_tokens: tuple[str, ...] = ()
    thinking: bool = False
    steer_thinking: bool = False
    vectors: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.prompt.is_empty:
            raise UsageError("The prompt is empty; say what to write")
        check_asked(self.seed, self.max_tokens, self.stop)

    @classmethod
    def of(
        cls,
        text: str,
        voice: Blend | str = ALONE,
        *,
        system: str | None = None,
        prefix: str = "",
        chat: bool = True,
        **settings: Any,
    ) -> "Recipe":
        """Return the recipe for one message.

        Args:
            text: the message.
            voice: a blend, or the text of one.
            system: the system prompt.
            prefix: how the answer begins.
            chat: whether it is sent by the model's chat template.
            settings: the other attributes, and those of `Sampling`, such as `temperature`.

        Raises:
            BlendError: the text is no blend.
            UsageError: the message is empty, a setting out of range, or an argument is of another kind.
        """
        blend = Blend.of(voice)
        for name, value, kind in (("text", text, str), ("voice", blend, Blend)):
            if not isinstance(value, kind):
                raise UsageError(f"the {name} of a recipe is a {type(value).__name__}; give a text")
        drawn = {each.name: settings.pop(each.name) for each in fields(Sampling) if each.name in settings}
        if drawn:
            settings["sampling"] = replace(settings.get("sampling", Sampling()), **drawn)
        return cls(Prompt.of(text, system=system, prefix=prefix, chat=chat), blend, **settings)

    @property
    def thinks(self) -> bool:
        """Whether a thinking model is to think first: an answer that has begun is past it."""
        return self.thinking and not self.prompt.prefix

    def as_json(self) -> dict[str, Any]:
        """Return it as what the json module can write, the voice in its text form; `Recipe.of_json` reads it back."""
        data: dict[str, Any] = msgspec.to_builtins(replace(self, voice=ALONE))
        return data | {"voice": str(self.voice)}

    @classmethod
    def of_json(cls, data: Any) -> "Recipe":
        """Read what `as_json` gave. What is left out is as it is by default.

        Raises:
            UsageError: something is unknown, missing, of another type, or out of range.
        """
        if not isinstance(data, Mapping):
            raise UsageError(f"a recipe is a table of settings, not a {type(data).__name__}")
        voice = data.get("voice", str(ALONE))
        if not isinstance(voice, str):
            raise UsageError("the voice of a recipe is the text of a blend, such as noir:0.6+gothic:0.4")
        try:
            recipe = msgspec.convert({name: value for name, value in data.items() if name != "voice"}, cls)
            recipe = replace(recipe, voice=Blend.stored(voice))
        except (ValueError, RecursionError, BlendError) as error:
            raise UsageError(f"this recipe cannot be read: {sanitize(str(error)[:200])}") from error
        _refuse_unknown(data, recipe.as_json(), "a recipe")
        return recipe


@dataclass(frozen=True)
class Turn:
    """The voice that spoke from one token on, up to the next turn.

    Attributes:
        first_token: index of the first token drawn under it.
        voice: the blend.
        layers: that it steered, sorted.
        digest: of what was added, as `Directions.key` has it; empty for nothing.
        everywhere: the prompt is steered, too.
    """

    first_token: int
    voice: Blend
    layers: tuple[int, ...] = ()
    digest: str = ""
    everywhere: bool = False


@dataclass(frozen=True)
class Cost:
    """What a take took.

    Attributes:
        reused: tokens of its prompt that came out of a cache.
        reading_seconds: from the start of the batch to its first token.
        writing_seconds: from its first token to its last one.
        seconds: its equal share of the time of its batch so far.
        forwarded: its equal share of the tokens that its batch sent through the model; the shares add up.
        rows: of its batch.
        peak_memory_gb: of its batch, in 10**9 bytes.
    """

    reused: int = 0
    reading_seconds: float = 0.0
    writing_seconds: float = 0.0
    seconds: float = 0.0
    forwarded: int = 0
    rows: int = 1
    peak_memory_gb: float = 0.0


@dataclass(frozen=True)
class MadeWith:
    """What a text depends on besides its recipe.

    Attributes:
        model: its id.
        fingerprint: of the model's weights, by name.
        vectors: a checksum of each persona vector that took part, by persona id.
        programs: versions and the device, by name.
        cache: the rule by which prompt tokens are taken from a cache.
        date: when it was begun, ISO 8601 with its offset.
    """

    model: str
    fingerprint: Mapping[str, str]
    vectors: Mapping[str, str]
    programs: Mapping[str, str]
    cache: str
    date: str


@dataclass(frozen=True)
class Take:
    """What came of a recipe, so far or in the end.

    Attributes:
        recipe: as it was given; what was turned to later is in `turns`.
        text: without thoughts only if nobody was asked to think.
        prompt: the token ids that were sent.
        tokens: the token ids of the text, the one that ended it included.
        end_token: the last of `tokens`, if it ends the text, as the model's own sign or one of the recipe's; None
            otherwise.
        turns: the voices in the order they spoke, the first from token 0 on.
        ended: why it ended; None while it is being written.
        cost: what it took.
        made_with: what else it depends on.
    """

    recipe: Recipe
    text: str
    prompt: tuple[int, ...]
    tokens: tuple[int, ...]
    end_token: int | None
    turns: tuple[Turn, ...]
    ended: FinishReason | None
    cost: Cost
    made_with: MadeWith

    @property
    def voice(self) -> Blend:
        """The blend that spoke last."""
        return self.turns[-1].voice

    @property
    def text_tokens(self) -> tuple[int, ...]:
        """The token ids that spell the text: all but the end token."""
        return self.tokens if self.end_token is None else self.tokens[:-1]


def _refuse_unknown(data: Mapping[Any, Any], known: Mapping[str, Any], where: str) -> None:
    """Raise UsageError for the first name in `data`, at any depth, that is not in `known`."""
    for name, value in data.items():
        if name not in known:
            raise UsageError(f"{sanitize(str(name)[:40])} is not a setting of {where}")
        if isinstance(value, Mapping) and isinstance(known[name], Mapping):
            _refuse_unknown(value, known[name], f"{where}'s {name}")

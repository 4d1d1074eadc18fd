"""What is asked for a manuscript, and what comes back while a model writes for it. No MLX here."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from billy_mlx.blend.blend import Blend
from billy_mlx.engine.messages import Job
from billy_mlx.manuscript.context.guide import Guide
from billy_mlx.manuscript.context.parts import Context
from billy_mlx.manuscript.passage import Passage, Work
from billy_mlx.model.sampling import Sampling

READING_SECONDS = 30.0
"""How long a model may read before it writes, if nobody says otherwise; what it has read it need not read again."""


@dataclass(frozen=True)
class Writing:
    """How a model is to write.

    Attributes:
        sampling: how tokens are drawn; repetition is held down, as small models loop without.
        max_tokens: of each voice at most, where nothing is said of words; not of a rewrite.
        budget: tokens the model may be sent; 0 for as many as model, memory and reading time allow.
        reading_seconds: how long the model may read, as far as that decides how much it is sent.
        stop: strings that end the text.
        thinking: let a thinking model think first, where it does not go on from text.
        gauge: tell how the text holds together while it is written, if whoever does the job can.
        words: of each voice at most; 0 leaves it to `max_tokens`. Not of a rewrite.
        rewrite_tokens: of a rewrite at most; None for about twice what it replaces.
    """

    sampling: Sampling = field(default_factory=lambda: Sampling(repetition_penalty=1.1, repetition_context=64))
    max_tokens: int = 200
    budget: int = 0
    reading_seconds: float = READING_SECONDS
    stop: tuple[str, ...] = ()
    thinking: bool = False
    gauge: bool = True
    words: int = 0
    rewrite_tokens: int | None = None


@dataclass(frozen=True)
class Write:
    """Write at a place of a manuscript, in one voice or in several as one batch.

    Attributes:
        text: all of the manuscript, with U+FFFD for the stray bytes of its file.
        cursor: where to write.
        selection: what is to be rewritten, only then.
        instruction: what the writer asks for; may be empty.
        voices: a blend each.
        seed: the same for all voices.
        only_context: answer with `Sent` alone, and write nothing.
    """

    job: Job
    work: Work
    text: str
    cursor: int
    guide: Guide
    voices: tuple[Blend, ...]
    seed: int
    selection: tuple[int, int] | None = None
    instruction: str = ""
    writing: Writing = field(default_factory=Writing)
    only_context: bool = False


@dataclass(frozen=True)
class Sent:
    """What the model is sent, before it writes."""

    job: Job
    context: Context


@dataclass(frozen=True)
class PromptRead:
    """How many tokens of the prompt are read."""

    job: Job
    tokens: int
    total: int


@dataclass(frozen=True)
class VoicesWrote:
    """What the voices have written since the last time, by their index; each at least one character."""

    job: Job
    texts: Mapping[int, str]


@dataclass(frozen=True)
class Written:
    """A voice has ended, and how its passage was made."""

    job: Job
    voice: int
    passage: Passage

"""Whether a running draft still holds together: how strange its latest words are to the unsteered model."""

import math
from collections.abc import Iterator, Sequence

from billy_mlx.engine.messages import Coherence, Job
from billy_mlx.measure.reading import Text, read_all
from billy_mlx.model.answers import Answers
from billy_mlx.model.decode import Decoding
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import chat_prompt
from billy_mlx.model.rows import Row
from billy_mlx.steps import finish

_EVERY = 24  # tokens
_LATEST = 48  # tokens that are judged
_BEFORE = 128  # tokens that are read before them
_OPENINGS = (
    "Write the opening of a story about a letter that comes late.",
    "Write a passage about a walk through a town at night.",
    "Write a scene at a family's table.",
    "Write the opening of a story about a house by the sea.",
)


class Gauge:
    """Measures drafts against the model's own text, which `prepare` has it write once.

    Attributes:
        own: perplexity of the unsteered model's own text; None until it is prepared.
    """

    def __init__(self, model: Model) -> None:
        self.own: float | None = None
        self._model = model

    def prepare(self) -> Iterator[None]:
        """Find `own`, a step at a time; for idle moments."""
        rows = [Row(tuple(chat_prompt(self._model.tokenizer, o)), max_tokens=_LATEST) for o in _OPENINGS]
        answers = Answers(rows, self._model.tokenizer.eos_token_ids)
        for step in Decoding(self._model, rows):
            answers.take(step)
            yield None
        texts = [Text(row.prompt, tuple(tokens)) for row, tokens in zip(rows, answers.tokens, strict=True)]
        readings = finish(read_all(self._model, texts))
        nats = -sum(reading.log_likelihood for reading in readings)
        self.own = math.exp(nats / max(1, sum(reading.average.tokens for reading in readings)))

    def due(self, tokens_written: int) -> bool:
        """Whether a draft of so many tokens is to be measured now."""
        return self.own is not None and tokens_written >= _LATEST and tokens_written % _EVERY == 0

    def measure(self, prompt: Sequence[int], written: Sequence[int]) -> float:
        """Return the perplexity of the latest tokens of `written`, given what stands before them."""
        before = (*prompt, *written[:-_LATEST])[-_BEFORE:]
        [reading] = finish(read_all(self._model, [Text(before, tuple(written[-_LATEST:]))]))
        return reading.perplexity


def coherence(gauge: Gauge, job: Job, voice: int, prompt: Sequence[int], written: Sequence[int]) -> Coherence | None:
    """Return what the gauge says of a draft, or None while it is not prepared."""
    if gauge.own is None:
        return None
    perplexity = gauge.measure(prompt, written)
    return Coherence(job, voice, perplexity, perplexity / gauge.own)

"""Voices that remember how they wrote: each becomes a passage."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from billy_mlx.blend.blend import Blend
from billy_mlx.blend.generate import Request, Voices
from billy_mlx.manuscript.passage import Passage, Voice, Work
from billy_mlx.model.cache import PromptStore
from billy_mlx.model.layers import Directions
from billy_mlx.model.model import Model
from billy_mlx.model.rows import Step
from billy_mlx.write.conditions import model_marks, surroundings, vector_marks

CACHE_RULE = "a cached token is used again if it was read under the direction that is due at its place"


class WritingRecord:
    """A request being written in several voices: iterate for the steps, ask for a `passage` at any time.

    Args:
        model: what writes.
        request: what is to be written.
        blends: a voice each; None is the unsteered model.
        work: what the request is, for the passage.
        store: caches kept between requests.
        now: when it was begun; now, if it is left out.

    Raises:
        BillyError: as `Voices` does.
    """

    def __init__(
        self,
        model: Model,
        request: Request,
        blends: Sequence[Blend],
        *,
        work: Work = "continue",
        store: PromptStore | None = None,
        now: datetime | None = None,
    ) -> None:
        self._model = model
        self._request = request
        self._work: Work = work
        self._date = (now or datetime.now(UTC)).isoformat(timespec="seconds")
        self._surroundings = surroundings()
        self._voices = Voices(model, request, blends, store=store)
        self._spoken = [
            [_voice(0, blend, row.directions)] for blend, row in zip(blends, self._voices.rows, strict=True)
        ]

    def __iter__(self) -> Iterator[Step]:
        return iter(self._voices)

    def steer(self, index: int, blend: Blend) -> None:
        """Have a voice go on in another blend, from the next token that it can: decoding is one token ahead.

        Raises:
            BillyError: as `Voices` does for blends.
        """
        first, added = self._voices.steer(index, blend)
        # Those that were to begin here or later never spoke: it was moved again before their first token was drawn.
        before = [voice for voice in self._spoken[index] if voice.first_token < first]
        self._spoken[index] = [*before, _voice(first, blend, added)]

    def stop(self, index: int | None = None) -> None:
        """End one voice, or all of them; what was written stays."""
        self._voices.decoding.stop(index)

    def passage(self, index: int) -> Passage:
        """Return what a voice has written so far and how, whether or not it has ended."""
        voices, row, request = self._voices, self._voices.rows[index], self._request
        tokens = tuple(voices.tokens[index])
        spoken = tuple(voice for voice in self._spoken[index] if voice.first_token < max(len(tokens), 1))
        spoke = {persona for voice in spoken if voice.blend for persona in Blend.stored(voice.blend).persona_ids}
        return Passage(
            text=voices.results()[index].text,
            tokens=tokens,
            voices=spoken,
            work=self._work,
            model=self._model.id,
            fingerprint=model_marks(self._model.fingerprint),
            vectors=vector_marks({persona: voices.vectors[persona] for persona in spoke}),
            prompt=row.prompt,
            seed=row.seed,
            sampling=asdict(row.sampling),
            max_tokens=row.max_tokens,
            stop=row.stop,
            reused=voices.decoding.reused_by(index),
            cache=CACHE_RULE,
            thinking=request.thinks,
            steer_thinking=request.steer_thinking,
            ended=voices.finished[index],
            made_with=self._surroundings,
            date=self._date,
        )


def _voice(first_token: int, blend: Blend, added: Directions) -> Voice:
    return Voice(first_token, blend.spelled, tuple(sorted(added.by_layer)), added.key)

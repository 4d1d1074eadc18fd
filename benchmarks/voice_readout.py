"""Read-outs that had no part in the steering: what texts are like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from voice_arms import KNOWN, Voice, card
from voice_shelf import Shelf, Text

from billy_mlx.measure.embedding import Embedder
from billy_mlx.measure.vocabulary import distinct_share, repeated_share, shares_of_words
from billy_mlx.measure.voice_axes import VoiceAxes, positions, voice_axes
from billy_mlx.vectors.card import SentenceSet

Floats = NDArray[np.float64]
Texts = Mapping[Voice, Sequence[Sequence[Text]]]
"""Of each voice, for every task the texts of all seeds."""


@dataclass(frozen=True, eq=False)
class Measured:
    """The texts of a voice, all seeds of a prompt averaged.

    Attributes:
        positions: (N, P) on the line of every bundled persona, in the order of `KNOWN`; 0 is plain, 1 its sentences.
        words: (N, P) words in a hundred that are of its subject words.
        nats: a token, under the unsteered model, over all texts.
        repeated: (N,) share of runs of four words that have come before in a text.
        distinct: (N,) share of different pairs of words.
    """

    positions: Floats
    words: Floats
    nats: float
    repeated: Floats
    distinct: Floats


class Ruler:
    """Measures texts: the lines of all bundled personas, by `embedder`."""

    def __init__(self, shelf: Shelf, embedder: Embedder, sentences: SentenceSet) -> None:
        self._shelf, self._embedder = shelf, embedder
        self._stems = {persona_id: card(persona_id).subject_words for persona_id in KNOWN}
        own = {persona_id: self.vectors(sentences.by_persona[persona_id]) for persona_id in KNOWN}
        self._axes: VoiceAxes = voice_axes(own, self.vectors(sentences.plain))

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return (N, D)."""
        found = self._shelf.embed(self._embedder, texts)
        return np.stack([found[text] for text in texts])

    def positions(self, texts: Sequence[str]) -> Floats:
        """Return (N, P); of a text without words, which is neither here nor there, 0."""
        said = np.array([bool(text.strip()) for text in texts])
        return np.where(said[:, None], positions(self.vectors(texts), self._axes), 0.0)

    def measure(self, texts: Sequence[Sequence[Text]]) -> Measured:
        """Return what the texts of a voice are like; `texts` are (prompts, seeds)."""
        flat = [text.text for row in texts for text in row]
        shape = (len(texts), len(texts[0]))
        every = [text for row in texts for text in row]
        return Measured(
            self.positions(flat).reshape(*shape, -1).mean(axis=1),
            shares_of_words(flat, self._stems).reshape(*shape, -1).mean(axis=1),
            sum(text.nats for text in every) / max(1, sum(text.tokens for text in every)),
            np.array([repeated_share(text) for text in flat]).reshape(shape).mean(axis=1),
            np.array([distinct_share(text) for text in flat]).reshape(shape).mean(axis=1),
        )

    def measure_all(self, texts: Texts) -> dict[Voice, Measured]:
        """Return it of all voices."""
        return {voice: self.measure(own) for voice, own in texts.items()}

"""Read-outs that had no part in the steering: sentences written by hand in a persona's voice, and its subject words."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from billy_mlx.bench.equal_length import AnswerText, Content, Scores, Values, scored_alike
from billy_mlx.bench.metrics import beyond_metric, subject_metric, voice_metric
from billy_mlx.bench.run import BenchProgress
from billy_mlx.blend.blend import Blend
from billy_mlx.errors import BillyError, ModelError
from billy_mlx.measure.embedding import Embedder
from billy_mlx.measure.vocabulary import share_of_words
from billy_mlx.measure.voice_axes import VoiceAxes, positions, specific, voice_axes
from billy_mlx.steps import mapped
from billy_mlx.vectors.card import Persona, bundled_cards, get_persona, load_sentences, sentences_of


@dataclass(frozen=True)
class ReadOuts:
    """What texts are held against.

    Attributes:
        subject_words: beginnings of words, by persona of the blend that has some.
        own: sentences, by persona of the blend that has some.
        others: sentences of bundled personas that are not in the blend.
        plain: sentences of nobody in particular.
        without: personas of the blend that have no sentences.
    """

    subject_words: Mapping[str, tuple[str, ...]]
    own: Mapping[str, tuple[str, ...]]
    others: Mapping[str, tuple[str, ...]]
    plain: tuple[str, ...]
    without: tuple[str, ...]

    @classmethod
    def of(cls, blend: Blend) -> "ReadOuts":
        """Return what the cards of a blend's personas have; a persona without a card has nothing."""
        bundled = load_sentences()
        cards = {persona_id: card for persona_id in blend.persona_ids if (card := _card(persona_id)) is not None}
        own = {persona_id: sentences_of(card, bundled) for persona_id, card in cards.items()}
        strangers = {card.id: sentences_of(card, bundled) for card in bundled_cards() if card.id not in own}
        return cls(
            {persona_id: card.subject_words for persona_id, card in cards.items() if card.subject_words},
            {persona_id: sentences for persona_id, sentences in own.items() if sentences},
            {persona_id: sentences for persona_id, sentences in strangers.items() if sentences},
            bundled.plain,
            tuple(persona_id for persona_id in blend.persona_ids if not own.get(persona_id)),
        )

    def missing(self, why: str | None) -> list[str]:
        """Return what is not read by sentences, a sentence each; `why` says that nothing is, and for what reason."""
        told = []
        if self.own and why is not None:
            told.append(f"Where texts lie by sentence embeddings was not measured. {why}.")
        if self.without:
            told.append(
                f"No sentences are known of {', '.join(self.without)}, so that no text is placed between plain ones "
                "and theirs: write some on the card, under sentences."
            )
        return told


def find_encoder(make: Callable[[], Embedder]) -> tuple[Embedder | None, str | None]:
    """Return the model of sentence embeddings, or None and why there is none."""
    try:
        return make(), None
    except ModelError as error:
        return None, str(error)


def word_scores(read_outs: ReadOuts, subjects: Sequence[AnswerText]) -> list[Scores]:
    """Return how many words in a hundred are of each persona's subject words."""

    def scored(_: AnswerText, content: Content) -> Values:
        said = bool(content.text.strip())
        return {
            subject_metric(persona): share_of_words(content.text, stems) if said else None
            for persona, stems in read_outs.subject_words.items()
        }

    return scored_alike(subjects, scored)


def voice_scores(
    encoder: Embedder, read_outs: ReadOuts, subjects: Sequence[AnswerText]
) -> Generator[BenchProgress, None, list[Scores]]:
    """Return where each text lies between plain sentences and each persona's own, yielding how far it is.

    And by how much more than between plain sentences and those of the personas that are not in the blend, averaged:
    what moves a text along every line alike, as any colour at all does, is no persona's.

    Raises:
        UsageError: a persona's sentences cannot be told from plain ones.
    """
    texts = dict.fromkeys(content.text for s in subjects for content in (s.whole, s.matched) if content is not None)
    sets = {**read_outs.own, **read_outs.others}
    every = [*texts, *read_outs.plain, *(sentence for sentences in sets.values() for sentence in sentences)]
    rows = yield from mapped(encoder.embed(every), partial(_progress, len({*every})))
    found = dict(zip(every, rows, strict=True))

    def embedded(some: Sequence[str]) -> np.ndarray:
        return np.stack([found[text] for text in some])

    axes = voice_axes({persona: embedded(own) for persona, own in sets.items()}, embedded(read_outs.plain))

    def scored(_: AnswerText, content: Content) -> Values:
        return _places(found[content.text] if content.text.strip() else None, axes, [*read_outs.own])

    return scored_alike(subjects, scored)


def _places(text: np.ndarray | None, axes: VoiceAxes, own: Sequence[str]) -> Values:
    """Return the place of a text on the line of each of `own`, and what it is beyond the others' lines."""
    if text is None:
        return {name: None for persona in own for name in (voice_metric(persona), beyond_metric(persona))}
    along = positions(text[None], axes)
    others = [place for place, persona in enumerate(axes.ids) if persona not in own]
    values: Values = {}
    for persona in own:
        place = axes.ids.index(persona)
        values[voice_metric(persona)] = float(along[0, place])
        if others:
            names = [persona, *(axes.ids[other] for other in others)]
            values[beyond_metric(persona)] = float(specific(along[:, [place, *others]], names, persona)[0])
    return values


def _card(persona_id: str) -> Persona | None:
    try:
        return get_persona(persona_id)
    except BillyError:  # a vector from elsewhere needs no card
        return None


def _progress(total: int, done: int) -> BenchProgress:
    return BenchProgress("reading the answers by sentences", done / total)

"""The sentences written by hand that texts are held against: plain ones, and those of every persona."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from billy_mlx.extraction.card import PAPER_IDS, SENTENCE, WRITING_IDS, Persona, bundled_folder
from billy_mlx.extraction.table import read_table

_PLAIN = "plain"
_EACH = 8  # about the same subjects for every persona, so that a subject is no part of a voice


@dataclass(frozen=True)
class SentenceSet:
    """Sentences of nobody in particular, and of each bundled persona by its id."""

    plain: tuple[str, ...]
    by_persona: Mapping[str, tuple[str, ...]]


def load_sentences(path: Path | None = None) -> SentenceSet:
    """Return the bundled set: 8 sentences of each persona, 24 plain ones; or that of another file for the same cards.

    Raises:
        CardError: the file breaks a rule.
    """
    table = read_table(bundled_folder() / "sentences.toml" if path is None else path)
    ids = PAPER_IDS + WRITING_IDS
    table.check_keys(required=(_PLAIN, *ids))
    plain = table.texts(_PLAIN, counts=range(2, 201), most=SENTENCE)
    each = range(_EACH, _EACH + 1)
    return SentenceSet(plain, {persona_id: table.texts(persona_id, counts=each, most=SENTENCE) for persona_id in ids})


def sentences_of(persona: Persona, bundled: SentenceSet) -> tuple[str, ...]:
    """Return the sentences on a persona's card, or those of a bundled card; none if there are none.

    A user's card with the id of a bundled one is another persona, so it does not get that one's.
    """
    if persona.sentences or persona.source.parent != bundled_folder():
        return persona.sentences
    return bundled.by_persona.get(persona.id, ())

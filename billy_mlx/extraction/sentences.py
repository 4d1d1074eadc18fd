"""The sentences written by hand that texts are held against: plain ones, and those of every persona."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from billy_mlx.errors import CardError
from billy_mlx.extraction.card import SENTENCE, Persona, bundled_folder, bundled_ids
from billy_mlx.toml_file import read_table

_PLAIN = "plain"
_EACH = 8  # about the same subjects for every persona, so that a subject is no part of a voice


@dataclass(frozen=True)
class SentenceSet:
    """Sentences of nobody in particular, and of each bundled persona by its id."""

    plain: tuple[str, ...]
    by_persona: Mapping[str, tuple[str, ...]]


def load_sentences(path: Path | None = None) -> SentenceSet:
    """Return the bundled set: 24 plain sentences, and 8 of each persona that has none on its card; or another file's.

    Raises:
        CardError: the file breaks a rule.
    """
    table = read_table(bundled_folder() / "sentences.toml" if path is None else path, CardError)
    table.check_keys(required=(_PLAIN,), optional=bundled_ids())
    plain = table.texts(_PLAIN, counts=range(2, 201), most=SENTENCE)
    there = [persona_id for persona_id in bundled_ids() if persona_id in table.values]
    each = range(_EACH, _EACH + 1)
    return SentenceSet(plain, {persona_id: table.texts(persona_id, counts=each, most=SENTENCE) for persona_id in there})


def sentences_of(persona: Persona, bundled: SentenceSet) -> tuple[str, ...]:
    """Return the sentences on a persona's card, or those of a bundled card; none if there are none.

    A user's card with the id of a bundled one is another persona, so it does not get that one's.
    """
    if persona.sentences or persona.source.parent != bundled_folder():
        return persona.sentences
    return bundled.by_persona.get(persona.id, ())

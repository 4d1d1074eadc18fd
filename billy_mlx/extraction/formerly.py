"""Which of the user's own vectors the version before has made, and what makes them anew."""

from collections.abc import Mapping
from dataclasses import dataclass

from billy_mlx.errors import BillyError
from billy_mlx.extraction.library import find_all, is_bundled
from billy_mlx.extraction.vector import PersonaVector
from billy_mlx.extraction.vector_file import load_vector
from billy_mlx.model.fingerprint import Fingerprint

_SHOWN = 6  # ids that a sentence names


@dataclass(frozen=True)
class Formerly:
    """The user's own vectors for a model that the version before has made, sorted.

    Attributes:
        of_cards: ids of those that were extracted from a card.
        of_texts: ids of those that are a voice of the user's own text.
    """

    of_cards: tuple[str, ...] = ()
    of_texts: tuple[str, ...] = ()

    @property
    def ids(self) -> frozenset[str]:
        """All of them."""
        return frozenset((*self.of_cards, *self.of_texts))

    def sentence(self, model_id: str) -> str | None:
        """Return how many there are and what to run, without an end; None if there are none."""
        count = len(self.ids)
        if not count:
            return None
        were, work, them = ("was", "works", "it") if count == 1 else ("were", "work", "them")
        return (
            f"{count} of your voices {were} prepared by an older version, and {work} as before; to prepare {them} "
            f"again, run: {'; '.join(self._commands(model_id))}"
        )

    def _commands(self, model_id: str) -> list[str]:
        named = " ".join(self.of_cards) if len(self.of_cards) <= _SHOWN else "--all"
        cards = [f"billy extract {named} --model {model_id}"] if self.of_cards else []
        texts = [f"billy extract --from-text FILE --name {each} --model {model_id}" for each in self.of_texts[:_SHOWN]]
        return cards + texts


def formerly_made(fingerprint: Fingerprint) -> Formerly:
    """Return which of the user's own vectors for a model the version before has made; their files are read."""
    return formerly({each.persona_id: each for each in _own(fingerprint)})


def formerly(vectors: Mapping[str, PersonaVector]) -> Formerly:
    """Return which of these vectors the version before has made."""
    former = sorted(persona_id for persona_id, vector in vectors.items() if vector.is_former)
    of_texts = tuple(persona_id for persona_id in former if vectors[persona_id].origin.source)
    return Formerly(tuple(persona_id for persona_id in former if persona_id not in of_texts), of_texts)


def _own(fingerprint: Fingerprint) -> list[PersonaVector]:
    found = []
    for path in find_all(fingerprint).values():
        if not is_bundled(path):
            try:
                found.append(load_vector(path))
            except BillyError:  # whoever wants to use it is told
                continue
    return found

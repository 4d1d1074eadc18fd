"""A trait of the tool persona_vectors, as JSON: what a persona's card can be made of."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from billy_mlx.errors import CardError
from billy_mlx.extraction.card import PROMPTS_PER_PERSONA, Persona, parse_card
from billy_mlx.extraction.new_card import card_text
from billy_mlx.formats.vectors.limits import refusal
from billy_mlx.text import sanitize

_MOST_RUBRIC = 1500  # characters, of a card


@dataclass(frozen=True)
class Trait:
    """A trait: the prompts that ask for it, what a judge is told, and how many questions the file has."""

    path: Path
    prompts: tuple[str, ...]
    rubric: str | None
    questions: int

    def as_persona(self, persona_id: str, name: str, folder: Path) -> Persona:
        """Return the persona that a card in `folder` would say; CardError if it cannot be one.

        The prompts that ask for the opposite are not on it, since the neutral pole is shared by all personas, and
        neither are the questions.
        """
        persona = Persona(
            id=persona_id,
            name=name,
            description=f"A trait that came from {' '.join(sanitize(self.path.name).split())[:100]}.",
            group="imported",
            prompts=self.prompts,
            rubric=self.rubric,
            license="not stated",
            author="not stated",
            subject_words=(),
            source=folder / f"{persona_id}.toml",
        )
        try:
            return parse_card(persona.source, card_text(persona))
        except CardError as error:
            raise CardError(f"{sanitize(str(self.path))} cannot become a card: {error}") from error


def is_trait(document: object) -> bool:
    """Whether a JSON document is meant to be a trait."""
    return isinstance(document, dict) and "instruction" in document


def read_trait(path: Path, document: dict[str, Any]) -> Trait:
    """Return the trait in a JSON document.

    Raises:
        CardError: it has another number of instructions than a card has prompts, or they are not text.
        VectorError: what it tells the judge is not text.
    """
    pairs, questions = document["instruction"], document.get("questions", [])
    count = len(pairs) if isinstance(pairs, list) else 0
    if count != PROMPTS_PER_PERSONA:
        raise CardError(
            f"{sanitize(str(path))} has {count} instructions, and a card has {PROMPTS_PER_PERSONA} prompts; leave that "
            "many in it"
        )
    prompts = [pair["pos"] for pair in pairs if isinstance(pair, dict) and isinstance(pair.get("pos"), str)]
    if len(prompts) < count:
        raise CardError(f"{sanitize(str(path))} has an instruction whose pos is not text; write it in quotes")
    told = document.get("eval_prompt")
    if told is not None and not isinstance(told, str):
        raise refusal(path, "its eval_prompt is not text")
    return Trait(
        path=path,
        prompts=tuple(sanitize(prompt) for prompt in prompts),
        rubric=None if told is None else _rubric(sanitize(told)),
        questions=len(questions) if isinstance(questions, list) else 0,
    )


def _rubric(told: str) -> str | None:
    """Return what an answer of the trait shows: the judge's prompt up to where the question and the answer come in."""
    placeholder = re.search(r"\{(question|answer)\}", told)
    text = told.strip()
    if placeholder is not None:
        before = told[: placeholder.start()]
        text = (before.rpartition("\n\n")[0] or before).strip()  # the paragraph they are in introduces them
    if len(text) > _MOST_RUBRIC:
        text = text[:_MOST_RUBRIC].rpartition(" ")[0] or text[:_MOST_RUBRIC]
    return text or None

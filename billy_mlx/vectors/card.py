"""Persona cards, the questions all personas share, and sentences to try them on: strict TOML in, frozen values out."""

import difflib
import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from billy_mlx import paths
from billy_mlx.errors import CardError, UsageError
from billy_mlx.text import sanitize
from billy_mlx.toml_file import Table, parse_table, read_table

_SHARED = ("questions", "prompts", "sentences")  # files beside the bundled cards that are none
PROMPTS_PER_PERSONA = 5
NOBODY = "none"
"""What stands for the model alone where a blend is written, and so is nobody's id."""
PERSONA_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")

_SUBJECT_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_REQUIRED = ("id", "name", "description", "group", "prompts", "license", "author")
_TAG = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_OPTIONAL = ("order", "rubric", "subject_words", "sentences", "tags")
_LINE, _TEXT = 200, 1500  # characters; a text of 1500 fits into one line of the file even when all of it is escaped
SENTENCE = 500  # characters at most; read-outs see no more than about 1000

_PLAIN = "plain"
_EACH = 8  # about the same subjects for every persona, so that a subject is no part of a voice


@dataclass(frozen=True)
class Persona:
    """What one card says.

    `prompts` are the five system prompts that ask for the persona; `rubric` tells a judge what an answer of it shows.
    `subject_words` are lower-case beginnings of words, for counting a shift of vocabulary: no prompt lists them.
    `sentences` are written by hand in the persona's voice, for telling how near a text comes to it; those of the
    bundled cards lie in a file of their own, so ask `sentences.sentences_of`. `tags` are words to find the card by, and
    `order` is its place among the cards of its group, the lowest first.
    """

    id: str
    name: str
    description: str
    group: str
    prompts: tuple[str, ...]
    rubric: str | None
    license: str
    author: str
    subject_words: tuple[str, ...]
    source: Path = field(compare=False)
    sentences: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    order: int = 0

    @classmethod
    def of(
        cls,
        persona_id: str,
        prompts: Sequence[str],
        *,
        name: str = "",
        description: str = "",
        rubric: str | None = None,
    ) -> "Persona":
        """Return a persona without a card, to extract a vector from a program.

        Args:
            persona_id: what blends call it.
            prompts: one or more system prompts that ask for it, taken in turn.
            name: for people; without it the id.
            description: likewise.
            rubric: what a judge is told, if one is asked.

        Raises:
            UsageError: the id cannot be a persona's, or there is no prompt, or an empty one.
        """
        if not PERSONA_ID.fullmatch(persona_id) or persona_id == NOBODY:
            shown = sanitize(persona_id[:80])
            raise UsageError(f"{shown!r} cannot be a persona's id; ids are lower-case letters, digits, - and _")
        if isinstance(prompts, str) or not prompts or not all(prompt.strip() for prompt in prompts):
            raise UsageError(f"give {persona_id} a list of one or more system prompts, none of them empty")
        return cls(
            id=persona_id,
            name=name or persona_id,
            description=description,
            group="own",
            prompts=tuple(prompts),
            rubric=rubric,
            license="",
            author="",
            subject_words=(),
            source=Path(f"{persona_id}.toml"),
        )

    @property
    def card_hash(self) -> str:
        """16 hexadecimal digits over what shapes the vector: id, prompts and rubric, and nothing else on the card."""
        return _hash([self.id, self.prompts, self.rubric])


@dataclass(frozen=True)
class PersonaSet:
    """The personas by id, in the order to show them, and what is wrong with the cards that could not be read."""

    personas: Mapping[str, Persona]
    errors: tuple[CardError, ...]


@dataclass(frozen=True)
class QuestionSet:
    """The questions every persona answers, and the five neutral system prompts of the other pole."""

    questions: tuple[str, ...]
    neutral_prompts: tuple[str, ...]

    @property
    def hash(self) -> str:
        """16 hexadecimal digits over questions and neutral prompts: neutral rollouts are kept under it."""
        return _hash([self.questions, self.neutral_prompts])


def load_personas(user_folder: Path | None = None) -> PersonaSet:
    """Return every readable card: those that come with the program by group and order, then the user's own by id.

    A user's card wins over the bundled one with its id, in that one's place; if it is bad, the bundled one is shown.

    Args:
        user_folder: where the user's cards are; without it `paths.personas_folder()`. It need not exist.
    """
    personas = {card.id: card for card in bundled_cards()}
    errors: list[CardError] = []
    for path in _user_cards(_user_folder(user_folder), errors):
        try:
            personas[path.stem] = read_card(path)
        except CardError as error:
            errors.append(error)
    return PersonaSet(personas, tuple(errors))


def get_persona(persona_id: str, user_folder: Path | None = None) -> Persona:
    """Return the persona with this id, the user's card before the bundled one.

    Raises:
        UsageError: there is no such card; its text names those that are spelt alike.
        CardError: the card breaks a rule. A bad card of the user's is never passed over for the bundled one.
    """
    folder = _user_folder(user_folder)
    if PERSONA_ID.fullmatch(persona_id):
        own = folder / f"{persona_id}.toml"
        if os.path.lexists(own):
            return read_card(own)
        if is_bundled(persona_id):
            return read_card(bundled_folder() / f"{persona_id}.toml")
    raise _unknown(persona_id, [*bundled_ids(), *(path.stem for path in _user_cards(folder, []))])


@cache
def bundled_cards() -> tuple[Persona, ...]:
    """Return the cards that come with the program, by group and order, whatever cards of the user's bear their ids."""
    files = [path for path in bundled_folder().glob("*.toml") if path.stem not in _SHARED]
    return tuple(sorted(map(read_card, files), key=lambda card: (card.group, card.order, card.id)))


def bundled_ids(group: str | None = None) -> tuple[str, ...]:
    """Return the ids of the bundled cards in their order, or those of one group: "paper" or "writing"."""
    return tuple(card.id for card in bundled_cards() if group in (None, card.group))


def is_bundled(persona_id: str) -> bool:
    """Return whether a card of this id comes with the program."""
    return persona_id not in _SHARED and (bundled_folder() / f"{persona_id}.toml").is_file()


def load_questions(path: Path | None = None) -> QuestionSet:
    """Return the bundled set of 24 questions, or that of another file; CardError if it breaks a rule."""
    table = read_table(bundled_folder() / "questions.toml" if path is None else path, CardError)
    table.check_keys(required=("questions", "neutral_prompts"))
    # Balanced means and held-out halves need several questions; 200 are hours of rollouts.
    questions = table.texts("questions", counts=range(2, 201), most=_TEXT)
    return QuestionSet(questions, table.texts("neutral_prompts", counts=_exactly(PROMPTS_PER_PERSONA), most=_TEXT))


def load_held_out_prompts() -> tuple[str, ...]:
    """Return the bundled prompts that vectors are calibrated on, which none of them was extracted with."""
    table = read_table(bundled_folder() / "prompts.toml", CardError)
    table.check_keys(required=("prompts",))
    return table.texts("prompts", counts=range(2, 201), most=_TEXT)


def read_card(path: Path) -> Persona:
    """Return what the card at `path` says, sanitised; CardError if it breaks a rule of the format."""
    return _persona(read_table(path, CardError))


def parse_card(path: Path, text: str) -> Persona:
    """Return what `text`, which is or will be the card at `path`, says; CardError as for `read_card`."""
    return _persona(parse_table(path, text, CardError))


def _persona(table: Table) -> Persona:
    table.check_keys(required=_REQUIRED, optional=_OPTIONAL)
    return Persona(
        id=_card_id(table),
        name=table.line("name", most=60),
        description=table.line("description", most=_LINE),
        group=table.line("group", most=40),
        prompts=table.texts("prompts", counts=_exactly(PROMPTS_PER_PERSONA), most=_TEXT),
        rubric=table.text("rubric", most=_TEXT) if "rubric" in table.values else None,
        license=table.line("license", most=_LINE),
        author=table.line("author", most=_LINE),
        subject_words=_subject_words(table) if "subject_words" in table.values else (),
        source=table.path,
        sentences=_sentences(table) if "sentences" in table.values else (),
        tags=_tags(table) if "tags" in table.values else (),
        order=table.number("order", range(1000)) if "order" in table.values else 0,
    )


def _card_id(table: Table) -> str:
    persona_id = table.line("id", most=64)
    if not PERSONA_ID.fullmatch(persona_id):
        raise table.error("id", "must be lower-case letters, digits, - and _, and begin with a letter or digit")
    if persona_id == NOBODY:
        raise table.error("id", f"is {NOBODY}, which is the model alone in blends; choose another")
    if persona_id != table.path.stem:
        raise table.error("id", f"is {persona_id}, but the file is named {table.path.name}; make them the same")
    return persona_id


def _subject_words(table: Table) -> tuple[str, ...]:
    words = table.texts("subject_words", counts=range(1, 41), most=40)
    for word in words:
        if word != word.lower() or not _SUBJECT_WORD.fullmatch(word):
            raise table.error("subject_words", f"must be single lower-case words; {word} is not one")
    return words


def _sentences(table: Table) -> tuple[str, ...]:
    return table.texts("sentences", counts=range(2, 41), most=SENTENCE)


def _tags(table: Table) -> tuple[str, ...]:
    tags = table.texts("tags", counts=range(1, 13), most=30)
    for tag in tags:
        if tag != tag.lower() or not _TAG.fullmatch(tag):
            raise table.error("tags", f"must be single words in lower case; {tag} is not one")
    return tags


def _user_cards(folder: Path, errors: list[CardError]) -> list[Path]:
    try:
        files = sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        errors.append(CardError(sanitize(f"{folder} cannot be listed ({error.strerror}); make it a readable folder")))
        return []
    return [path for path in files if path.suffix == ".toml" and not path.name.startswith(".")]


def _user_folder(folder: Path | None) -> Path:
    return paths.personas_folder() if folder is None else folder


def bundled_folder() -> Path:
    """Where the bundled cards are, and what they share."""
    return Path(__file__).parents[1] / "personas"


def _unknown(persona_id: str, known: list[str]) -> UsageError:
    wanted = persona_id[:64].lower().replace(" ", "-")
    close = difflib.get_close_matches(wanted, dict.fromkeys(known), n=3)
    meant = f"did you mean {' or '.join(close)}? " if close else ""
    return UsageError(sanitize(f"there is no persona {persona_id[:64]!r}; {meant}to see all, run: billy personas list"))


def _exactly(count: int) -> range:
    return range(count, count + 1)


def _hash(meaning: list[object]) -> str:
    return hashlib.sha256(json.dumps(meaning).encode()).hexdigest()[:16]


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

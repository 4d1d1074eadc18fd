"""Write a persona card: one that exists already as a value, or the beginning of a user's own."""

import json
import os
import re
from pathlib import Path
from textwrap import shorten

from billy_mlx.errors import CardError, UsageError
from billy_mlx.files import PRIVATE
from billy_mlx.text import sanitize
from billy_mlx.vectors.card import Persona, parse_card

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC

MOST_VOICE = 1000
"""Characters that describe a voice at most: five prompts have to hold them beside their own wording."""

_LINE = 200  # characters of a card's one line
_ENDS = (".", "!", "?", "…", '"', "”", ")")


def write_card(path: Path, persona: Persona) -> None:
    """Write `persona` to a new card at `path`, or leave nothing there.

    Raises:
        CardError: the file exists, cannot be written, or would not read back.
    """
    text = card_text(persona)
    parse_card(path, text)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritten(path, error) from None
    try:
        # Private, as a voice of one's own is described in one's own words.
        file = os.fdopen(os.open(path, _NEW, PRIVATE), "w", encoding="utf-8", newline="\n")
    except FileExistsError:
        raise CardError(sanitize(f"{path} exists and is kept; choose another id or remove that file")) from None
    except OSError as error:
        raise _unwritten(path, error) from None
    try:
        with file:
            file.write(text)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise _unwritten(path, error) from None


def card_text(persona: Persona) -> str:
    """Return the card in TOML."""
    one_line = ("id", "name", "description", "group", "license", "author")
    lines = [f"{key} = {_quoted(getattr(persona, key))}" for key in one_line]
    lines += [f"order = {persona.order}"] * (persona.order > 0)
    lines += ["", "prompts = [", *(f"    {_quoted(prompt)}," for prompt in persona.prompts), "]"]
    if persona.rubric is not None:
        lines += ["", f"rubric = {_quoted(persona.rubric)}"]
    for key in ("subject_words", "sentences", "tags"):
        if entries := getattr(persona, key):
            lines += ["", f"{key} = [", *(f"    {_quoted(entry)}," for entry in entries), "]"]
    return "\n".join(lines) + "\n"


def new_persona(persona_id: str, folder: Path, *, name: str = "", voice: str = "") -> Persona:
    """Return a persona to begin a card of one's own from: it works as it is, and every text is there to be replaced.

    Args:
        persona_id: the card's.
        folder: where the card is going to be.
        name: as people call it; without one the id in words.
        voice: what it is like, in a sentence or more of any wording: it goes into every prompt, and what a judge looks
            for.

    Raises:
        UsageError: the voice takes more words than there is room for.
    """
    name = name or persona_id.replace("-", " ").replace("_", " ").title()
    told = _as_sentences(voice)
    if len(told) > MOST_VOICE:
        raise UsageError(f"the description has {len(told):,} characters, and {MOST_VOICE:,} are the most; shorten it")
    first = re.split(r"(?<=[.!?…])\s", told, maxsplit=1)[0]
    return Persona(
        id=persona_id,
        name=name,
        description=shorten(first, _LINE, placeholder=" …") if told else f"One line that says who {name} is.",
        group="my own",
        prompts=_described_prompts(name, told) if told else _bare_prompts(name),
        rubric=f"The answer could only come from {name}: {told} Plain answers score low." if told else None,
        license="unpublished",
        author="me",
        subject_words=(),
        source=folder / f"{persona_id}.toml",
    )


def _bare_prompts(name: str) -> tuple[str, ...]:
    return (
        f"You are {name}. Answer every question as {name} would, in that voice and from that point of view.",
        f"Speak as {name} in all your answers. Notice what {name} notices, and say it in those words.",
        f"Write each answer in the voice of {name}, whatever the subject is, and never leave it.",
        f"In every answer be {name}: what you care about, what you remember and how you talk show it.",
        f"People know you as {name}. Let each sentence of every answer sound like you and like nobody else.",
    )


def _described_prompts(name: str, told: str) -> tuple[str, ...]:
    """Return five prompts in different wording, each with the whole description of the voice."""
    return (
        f"You are {name}. This is who you are: {told} Answer every question in that voice and from that point of view.",
        f"Speak as {name} in all your answers. What is known of {name}: {told} Notice what {name} notices, and say it "
        f"in those words.",
        f"Write each answer in the voice that is described here, whatever the subject is, and never leave it. {told} "
        f"The voice is called {name}.",
        f"{told} That is {name}, and in every answer it is you: what you care about, what you remember and how you "
        f"talk show it.",
        f"People know you as {name}, and they would know your voice anywhere. {told} Let each sentence of every answer "
        f"sound like that and like nobody else.",
    )


def _as_sentences(voice: str) -> str:
    """Return a description as it can stand between other sentences: on one line, with a capital and an end."""
    told = " ".join(sanitize(voice).split())
    return f"{told[:1].upper()}{told[1:]}{'' if told.endswith(_ENDS) else '.'}" if told else ""


def _quoted(text: str) -> str:
    # A JSON string is a TOML basic string, but for DEL, which a sanitised text does not hold.
    return json.dumps(text, ensure_ascii=False)


def _unwritten(path: Path, error: OSError) -> CardError:
    return CardError(
        sanitize(f"{path} cannot be written ({error.strerror}); make room or choose another place, then try again")
    )

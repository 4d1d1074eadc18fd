"""billy personas: the cards there are, and cards of one's own."""

import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from billy_mlx import paths
from billy_mlx.cli.options import json_option
from billy_mlx.cli.output import on_terminal, say, width, wrapped, write_heading, write_json, write_line, write_table
from billy_mlx.errors import BillyError, CardError, UsageError
from billy_mlx.extraction.persona_search import find
from billy_mlx.vectors.card import PERSONA_ID, PROMPTS_PER_PERSONA, Persona, get_persona, load_personas, read_card


@click.group("personas")
def command() -> None:
    """List persona cards, show one, write your own."""


@command.command("list")
@click.argument("words", metavar="[WORD]...", nargs=-1)
@json_option
def list_(words: tuple[str, ...], as_json: bool) -> None:
    """List all personas: the bundled ones and yours.

    With words, only those that they fit, the likeliest first: a name, a mood or a genre, as in: billy personas list
    funny
    """
    found = load_personas()
    for error in found.errors:
        say(f"left out: {error}")
    personas = find(list(found.personas.values()), " ".join(words))
    if not personas:
        say("no persona is like that; to see all, run: billy personas list")
    if as_json:
        write_json([_card(persona) for persona in personas])
    else:
        rows = [(each.id, each.name, each.group, each.description) for each in personas]
        write_table(("ID", "NAME", "GROUP", "DESCRIPTION"), rows)


@command.command()
@click.argument("persona_id", metavar="ID")
@json_option
def show(persona_id: str, as_json: bool) -> None:
    """Show a card and the prompts on it."""
    persona = get_persona(persona_id)
    if as_json:
        write_json(_card(persona))
        return
    write_heading(f"{persona.name} ({persona.id})")
    _write_wrapped(persona.description)
    write_line(f"{persona.group} · {persona.license} · {persona.author} · {persona.source}")
    for number, prompt in enumerate(persona.prompts, 1):
        write_line()
        _write_wrapped(f"{number}. {prompt}")
    if persona.rubric is not None:
        write_line()
        _write_wrapped(f"Judged by: {persona.rubric}")
    if persona.tags:
        write_line()
        _write_wrapped(f"Found by: {', '.join(persona.tags)}")


@command.command()
@click.argument("persona_id", metavar="ID")
@click.option("--name", metavar="TEXT", help="As it is shown.  [default: the id in words]")
@click.option("--description", metavar="TEXT", default="", help="What the voice is like: it goes into every prompt.")
@click.option("--prompt", "prompts", metavar="TEXT", multiple=True, help="A prompt that asks for it; give all five.")
@click.option("--edit", is_flag=True, help="Open the new card in your editor.")
def new(persona_id: str, name: str | None, description: str, prompts: tuple[str, ...], edit: bool) -> None:
    """Write a card of your own.

    stdout gets its file. Describe the voice in a sentence or more, and five prompts are made of that; or
    give all five yourself.
    """
    from billy_mlx.vectors.new_card import new_persona, write_card

    if prompts and len(prompts) != PROMPTS_PER_PERSONA:
        raise UsageError(f"A card has {PROMPTS_PER_PERSONA} prompts, and {len(prompts)} are given; give all or none")
    persona = new_persona(persona_id, paths.personas_folder(), name=name or "", voice=description)
    persona = replace(persona, prompts=prompts or persona.prompts)
    write_card(persona.source, persona)
    write_line(str(persona.source))
    if edit:
        click.edit(filename=str(persona.source))
        read_card(persona.source)
    elif not prompts and not description:
        say("edit the prompts in that file, then run: billy personas check " + str(persona.source))
    say(f"for its vector run: billy extract {persona_id}")


@command.command()
@click.argument("cards", metavar="ID|FILE...", nargs=-1, required=True)
def check(cards: tuple[str, ...]) -> int:
    """Read cards and say what is wrong with them."""
    bad = 0
    for card in cards:
        try:
            persona = _named(card)
        except BillyError as error:
            bad += 1
            say(str(error))
        else:
            write_line(f"{card}: good ({persona.name})")
    return 1 if bad else 0


def _named(card: str) -> Persona:
    """Return the persona of a file, or of an id if there is no file of that name."""
    if os.path.lexists(card):
        return read_card(Path(card))
    if PERSONA_ID.fullmatch(card):
        return get_persona(card)
    raise CardError(f"{card}: there is no such file")


def _card(persona: Persona) -> dict[str, Any]:
    return {**asdict(persona), "source": str(persona.source), "card_hash": persona.card_hash}


def _write_wrapped(text: str) -> None:
    write_line("\n".join(wrapped(text, min(width(), 100))) if on_terminal() else text)

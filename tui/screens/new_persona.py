"""A form for a persona of one's own: its name, one line about it, and five prompts that ask for it."""

import re
import unicodedata
from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Input, Label, TextArea

from billy_mlx import paths
from billy_mlx.errors import CardError
from billy_mlx.extraction.card import PROMPTS_PER_PERSONA, Persona
from billy_mlx.extraction.new_card import new_persona, write_card
from billy_mlx.text import sanitize
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.widgets.fields import LineField, TextField

_FIRST_NAME = "My voice"
_PROMPTS = [f"prompt-{number}" for number in range(1, PROMPTS_PER_PERSONA + 1)]


class NewPersona(Screen[Persona | None]):
    """Gives the persona whose card was written, or None.

    What was not touched yet follows the name.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("new-persona",)
    BINDINGS = bindings("anywhere", "new-persona")  # type: ignore[assignment]
    DEFAULT_CSS = """
    NewPersona > VerticalScroll { padding: 0 1; }
    NewPersona Label { width: 100%; margin-top: 1; }
    NewPersona TextArea { height: 4; border: none; padding: 0 1; background: $surface; }
    NewPersona TextArea:focus { background: $boost; }
    NewPersona #wrong { height: auto; max-height: 4; padding: 0 1; margin: 0; color: $text-muted; }
    NewPersona #wrong.-wrong { color: $text-error; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._begun = begun_as(_FIRST_NAME)

    def compose(self) -> ComposeResult:
        """Yield a field for everything."""
        texts = _fields(self._begun)
        with VerticalScroll(can_focus=False):
            yield Label("Name, as you would call it", markup=False)
            yield LineField(texts["name"], id="name", compact=True)
            yield Label("Id: lower-case letters, digits, - and _; blends and files name it so", markup=False)
            yield LineField(texts["id"], id="id", compact=True)
            yield Label("One line about it", markup=False)
            yield LineField(texts["description"], id="description", compact=True)
            for number, field in enumerate(_PROMPTS, 1):
                yield Label(f"Prompt {number} of {PROMPTS_PER_PERSONA}: {_ADVICE[number - 1]}", markup=False)
                yield TextField(texts[field], id=field)
        yield Label("Ctrl+S: save the card   Tab: next field   Esc: leave it", id="wrong", markup=False)
        yield Footer(show_command_palette=False)  # it is among the bindings

    def on_input_changed(self, event: Input.Changed) -> None:
        """Have the fields that nobody touched follow the name."""
        event.stop()
        if event.input.id == "name" and event.value.strip():
            before, self._begun = _fields(self._begun), begun_as(event.value.strip())
            for field, text in _fields(self._begun).items():
                if field != "name" and self._text(field) == before[field]:
                    self._put(field, text)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the next field."""
        event.stop()
        self.focus_next()

    def action_persona_save(self) -> None:
        """Write the card, or say what is wrong with it."""
        prompts = tuple(self._text(field).strip() for field in _PROMPTS)
        persona_id = self._text("id").strip()
        persona = replace(
            self._begun,
            id=persona_id,
            name=self._text("name").strip(),
            description=self._text("description").strip(),
            prompts=prompts,
            source=paths.personas_folder() / f"{_file_name(persona_id)}.toml",
        )
        try:
            write_card(persona.source, persona)
        except CardError as error:
            label = self.query_one("#wrong", Label)
            label.update(f"! {sanitize(str(error))}")
            label.add_class("-wrong")
        else:
            self.dismiss(persona)

    def action_back(self) -> None:
        """Write nothing."""
        self.dismiss(None)

    def _text(self, field: str) -> str:
        """Return what stands in a field, safe for a card."""
        widget = self.query_one(f"#{field}")
        return sanitize(
            widget.text if isinstance(widget, TextArea) else widget.value if isinstance(widget, Input) else ""
        )

    def _put(self, field: str, text: str) -> None:
        widget = self.query_one(f"#{field}")
        if isinstance(widget, TextArea):
            widget.load_text(text)
        elif isinstance(widget, Input):
            widget.value = text


_ADVICE = (
    "who speaks",
    "what they notice",
    "how they sound",
    "what they care about",
    "the same in other words",
)


def begun_as(name: str) -> Persona:
    """Return a persona of this name to begin from, with an id that is made of it."""
    persona = new_persona(id_of(name), paths.personas_folder())
    description, *prompts = (text.replace(persona.name, name) for text in (persona.description, *persona.prompts))
    return replace(persona, name=name, description=description, prompts=tuple(prompts))


def id_of(name: str) -> str:
    """Return an id made of a name: "Frau Müller" is "frau-muller"; "my-voice" if nothing of it can be used."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].strip("-") or "my-voice"


def _fields(persona: Persona) -> dict[str, str]:
    texts = {"name": persona.name, "id": persona.id, "description": persona.description}
    return texts | dict(zip(_PROMPTS, persona.prompts, strict=True))


def _file_name(persona_id: str) -> str:
    """Return an id as the name of a file inside its folder; `write_card` refuses an id that is none."""
    return re.sub(r"[^a-z0-9_-]", "-", persona_id)[:64] or "-"

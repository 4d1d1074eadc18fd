"""A form for a persona of one's own: a name and a description, of which all else is made; that can be changed, too."""

import re
import unicodedata
from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Collapsible, Footer, Input, Label, TextArea

from billy_mlx import paths
from billy_mlx.errors import BillyError, UsageError
from billy_mlx.text import sanitize
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.widgets.fields import LineField, TextField
from billy_mlx.vectors.card import PROMPTS_PER_PERSONA, Persona
from billy_mlx.vectors.new_card import new_persona, write_card

_FIRST_NAME = "My voice"
_PROMPTS = [f"prompt-{number}" for number in range(1, PROMPTS_PER_PERSONA + 1)]
_HINT = "Tab: next field   Esc: cancel"


class NewPersona(Screen[Persona | None]):
    """Gives the persona whose card was written, or None.

    What was not touched yet follows the name and the description.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("new-persona",)
    BINDINGS = bindings("anywhere", "new-persona")  # type: ignore[assignment]
    DEFAULT_CSS = """
    NewPersona > VerticalScroll { padding: 0 1; }
    NewPersona Label { width: 100%; margin-top: 1; }
    NewPersona TextArea { height: 4; border: none; padding: 0 1; background: $surface; }
    NewPersona TextArea:focus { background: $boost; }
    NewPersona #voice { height: 6; }
    NewPersona Collapsible { margin-top: 1; padding: 0; border: none; background: $background; }
    NewPersona #wrong { height: auto; max-height: 4; padding: 0 1; margin: 0; color: $text-muted; }
    NewPersona #wrong.-wrong { color: $text-error; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._begun = begun_as(_FIRST_NAME)
        self._too_long = False  # that is what is said to be wrong

    def compose(self) -> ComposeResult:
        """Yield a name, a box to describe the voice in, and below them a field for everything that is made of that."""
        texts = _fields(self._begun)
        with VerticalScroll(can_focus=False):
            yield Label("Name", markup=False)
            yield LineField(texts["name"], id="name", compact=True)
            yield Label("Describe the voice: who speaks, what they notice, how they sound", markup=False)
            yield TextField("", id="voice")
            with Collapsible(title="Advanced: what is made from it (Enter shows it)"):
                yield Label("Id: lower-case letters, digits, - and _; used in blends and file names", markup=False)
                yield LineField(texts["id"], id="id", compact=True)
                yield Label("A one-line description, for lists", markup=False)
                yield LineField(texts["description"], id="description", compact=True)
                yield Label("Words to find it by, such as: dark, funny, sea", markup=False)
                yield LineField("", id="tags", compact=True)
                for number, field in enumerate(_PROMPTS, 1):
                    yield Label(f"What the model is told, {number} of {PROMPTS_PER_PERSONA}", markup=False)
                    yield TextField(texts[field], id=field)
        yield Label(_HINT, id="wrong", markup=False)
        yield Footer(show_command_palette=False)  # it is among the bindings

    def on_input_changed(self, event: Input.Changed) -> None:
        """Let the fields that nobody touched follow the name."""
        event.stop()
        if event.input.id == "name":
            self._follow()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Let the fields that nobody touched follow the description."""
        event.stop()
        if event.text_area.id == "voice":
            self._follow()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the next field."""
        event.stop()
        self.focus_next()

    def action_persona_save(self) -> None:
        """Write the card, or say what is wrong with it."""
        try:
            persona = self._written()
            write_card(persona.source, persona)
        except BillyError as error:
            self._say_wrong(str(error))
            # What is wrong may stand where it is not seen; a description is asked for in plain sight.
            self.query_one(Collapsible).collapsed &= isinstance(error, UsageError)
        else:
            self.dismiss(persona)

    def action_back(self) -> None:
        """Write nothing."""
        self.dismiss(None)

    def _written(self) -> Persona:
        """Return the persona that the fields describe. Raises UsageError if nothing says what it is like."""
        prompts = tuple(self._text(field).strip() for field in _PROMPTS)
        if not self._text("voice").strip() and prompts == self._begun.prompts:
            raise UsageError("the voice is not described yet; a line or two is enough")
        persona_id = self._text("id").strip()
        return replace(
            begun_as(self._text("name").strip(), self._text("voice")),
            id=persona_id,
            name=self._text("name").strip(),
            description=self._text("description").strip(),
            prompts=prompts,
            tags=tuple(dict.fromkeys(re.findall(r"[^\s,;]+", self._text("tags").lower()))),
            source=paths.personas_folder() / f"{_file_name(persona_id)}.toml",
        )

    def _follow(self) -> None:
        """Make anew what is made of name and description, but for what the writer has changed."""
        name = self._text("name").strip()
        if not name:
            return
        try:
            begun = begun_as(name, self._text("voice"))
        except UsageError as error:
            self._too_long = True
            self._say_wrong(str(error))
            return
        before, self._begun = _fields(self._begun), begun
        for field, text in _fields(begun).items():
            if field != "name" and self._text(field) == before[field]:
                self._put(field, text)
        if self._too_long:
            self._too_long = False
            self._say_wrong("")

    def _say_wrong(self, sentence: str) -> None:
        label = self.query_one("#wrong", Label)
        label.update(f"! {sanitize(sentence)}" if sentence else _HINT)
        label.set_class(bool(sentence), "-wrong")

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


def begun_as(name: str, voice: str = "") -> Persona:
    """Return a persona of this name and description to begin from, with an id that is made of the name.

    Raises:
        UsageError: the description is too long.
    """
    return new_persona(id_of(name), paths.personas_folder(), name=name, voice=voice)


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

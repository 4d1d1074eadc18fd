"""All personas: their cards, how good their vectors are, which are alike, and how to make another."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from billy_mlx.engine.messages import Compared, Ended, Failed, Job, Loaded, Progress, VectorInfo, VoiceReady
from billy_mlx.text import sanitize
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.dates import progress_line
from billy_mlx.tui.keys import cancelling
from billy_mlx.tui.messages import StatusMessage, VectorUnwanted, VectorWanted
from billy_mlx.tui.screens.dialogs import Ask, typed_path
from billy_mlx.tui.screens.new_persona import NewPersona
from billy_mlx.tui.vector_job import STOPPING
from billy_mlx.tui.widgets.persona_list import (
    PersonaEntry,
    PersonaList,
    PersonaSearch,
    likenesses,
    measured,
    persona_list,
    persona_options,
    quality,
)
from billy_mlx.vectors.card import PERSONA_ID, Persona, PersonaSet, load_personas


@dataclass
class LearnWanted(Message):
    """A voice is to be made of the writer's own text: that of a file, or of the open manuscript (None)."""

    persona_id: str
    path: Path | None


@dataclass
class CardsChanged(Message):
    """A card was written: these are all of them now."""

    personas: PersonaSet


class PersonasScreen(Screen[str | None]):
    """Gives the id of a persona that is to join the blend, or None.

    Posts `LearnWanted`, `CardsChanged`, `VectorWanted`, `VectorUnwanted` and `StatusMessage`.

    Args:
        personas: every card.
        notes: what is known of the vectors, by persona id.
        compared: how alike the vectors are; None while that is not measured.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("personas",)
    BINDINGS = bindings("anywhere", "personas")  # type: ignore[assignment]
    DEFAULT_CSS = """
    PersonasScreen > Horizontal { height: 1fr; }
    PersonasScreen PersonaList { width: 30%; min-width: 30; max-width: 44; padding: 0 1; border-right: solid $primary; }
    PersonasScreen VerticalScroll { width: 1fr; height: 1fr; padding: 0 2; }
    PersonasScreen #card { max-width: 100; height: auto; }
    PersonasScreen #progress { height: auto; max-height: 3; padding: 0 1; color: $text-accent; }
    """

    def __init__(self, personas: PersonaSet, notes: Mapping[str, VectorInfo], compared: Compared | None = None) -> None:
        super().__init__()
        self._personas, self._notes, self._compared = personas, dict(notes), compared
        self._entries: dict[str, PersonaEntry] = {}
        self._job: Job | None = None  # the one whose progress was shown last
        self._progress = ""
        self._ready = self._under_way = self._stopping = False

    def compose(self) -> ComposeResult:
        """Yield the list and the card."""
        with Horizontal():
            yield PersonaList()
            with VerticalScroll():
                yield Static(id="card", markup=False)
        yield Static(id="progress", markup=False)
        yield Footer(show_command_palette=False)  # it is among the bindings

    def on_mount(self) -> None:
        """Show everybody, and the first of them."""
        self._ready = True  # the engine may have answered before there was anything to show it in
        self._show_progress(self._progress)
        self._fill()

    # What others say.

    def update(self, personas: PersonaSet, notes: Mapping[str, VectorInfo]) -> None:
        """Show other cards or vectors, and stay at the persona that is shown."""
        self._personas, self._notes = personas, dict(notes)
        self._fill()

    def show_similarity(self, compared: Compared) -> None:
        """Show how alike the vectors are."""
        self._compared = compared
        self._show_card()

    def on_engine_event(self, event: object) -> None:
        """Take in an event of the engine."""
        match event:
            case VoiceReady(voice=voice):
                self.update(self._personas, {**self._notes, voice.persona_id: voice})
            case Loaded(voices=voices):
                self._compared = None
                self.update(self._personas, voices)
            case Compared():
                self.show_similarity(event)
            case Progress(job=job, stage=stage, share=share, seconds_left=left):
                self._job, self._under_way = job, True
                line = cancelling(progress_line(stage, share, left), self, "persona-cancel")
                self._show_progress(STOPPING if self._stopping else line)
            case Ended(job=job) if job == self._job:
                self._under_way = self._stopping = False
                self._show_progress("")
            case Failed(job=job, reason=reason) if job == self._job:
                self._under_way = self._stopping = False
                self._show_progress(f"! {reason}")

    # What the writer does.

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show the card."""
        event.stop()
        self._show_card()

    def action_back(self) -> None:
        """Leave the blend as it is."""
        self.dismiss(None)

    def action_persona_add(self) -> None:
        """Add the persona to the blend."""
        if self._entry is not None:
            self.dismiss(self._entry.id)

    def action_persona_find(self) -> None:
        """Search for one."""
        self.app.push_screen(PersonaSearch([*self._entries.values()]), self._go_to)

    def action_persona_extract(self) -> None:
        """Prepare its voice, or prepare it again."""
        if self._entry is None or self._entry.persona is None:
            self.post_message(StatusMessage("this voice was made from a text; “Own voice” makes it again"))
        else:
            self.post_message(VectorWanted((self._entry.id,), again=self._entry.note is not None))

    def action_persona_cancel(self) -> None:
        """Cancel preparing voices."""
        self.post_message(VectorUnwanted())
        self._stopping = self._under_way
        if self._stopping:
            self._show_progress(STOPPING)

    def action_persona_new(self) -> None:
        """Write a card of one's own."""
        self.app.push_screen(NewPersona(), self._made)

    def action_persona_learn(self) -> None:
        """Make a voice of the writer's own text."""
        question = "What do you want to call the voice of your text? (lower-case letters, digits, - and _)"
        self.app.push_screen(Ask(question, "my-voice", self._name_refusal), self._named)

    def _made(self, persona: Persona | None) -> None:
        if persona is None:
            return
        self.update(load_personas(), self._notes)
        self.post_message(CardsChanged(self._personas))
        self._go_to(persona.id)
        self.action_persona_extract()

    def _named(self, persona_id: str | None) -> None:
        if persona_id is None:
            return

        def learn(file: str | None) -> None:
            if file is not None:
                self.post_message(LearnWanted(persona_id, typed_path(file) if file.strip() else None))
                self._show_progress(f"preparing the voice {persona_id}; you can keep writing")

        question = "Which file is your text in? It needs about 2,000 words. (empty: the open text)"
        self.app.push_screen(Ask(question, check=_file_refusal), learn)

    def _name_refusal(self, persona_id: str) -> str | None:
        if not PERSONA_ID.fullmatch(persona_id):
            return "a name has lower-case letters, digits, - and _ only, such as my-voice"
        if persona_id in self._personas.personas:
            return f"there is a persona called {persona_id} already; choose another name"
        return None

    # What is shown.

    @property
    def _entry(self) -> PersonaEntry | None:
        option = self.query_one(PersonaList).highlighted_option
        return None if option is None else self._entries.get(option.id or "")

    def _go_to(self, persona_id: str | None) -> None:
        if persona_id is not None and persona_id in self._entries:
            options = self.query_one(PersonaList)
            options.highlighted = options.get_option_index(persona_id)

    def _fill(self) -> None:
        """List everybody, and the cards that cannot be read."""
        if not self._ready:
            return
        shown = self._entry
        self._entries = {entry.id: entry for entry in persona_list(self._personas, self._notes)}
        short = [replace(entry, description="") for entry in self._entries.values()]
        faults = [
            Option(Content("! a card has an error"), id=f"!{index}") for index in range(len(self._personas.errors))
        ]
        heading = [Option(Content.styled("Left out", "bold"), disabled=True)] if faults else []
        self.query_one(PersonaList).set_options([*heading, *faults, *persona_options(short)])
        self._go_to(shown.id if shown is not None else next(iter(self._entries), None))
        self._show_card()

    def _show_progress(self, line: str) -> None:
        self._progress = line
        if self._ready:
            shown = self.query_one("#progress", Static)
            shown.update(sanitize(line))
            shown.display = bool(line)

    def _show_card(self) -> None:
        if not self._ready:
            return
        option = self.query_one(PersonaList).highlighted_option
        card = self.query_one("#card", Static)
        if option is None:
            card.update("There is no persona yet. “New persona” makes one.")
        elif option.id is not None and option.id.startswith("!"):
            card.update(Content(sanitize(str(self._personas.errors[int(option.id[1:])]))))
        elif self._entry is not None:
            card.update(_card(self._entry, self._compared, {each.id: each.name for each in self._entries.values()}))


def _card(entry: PersonaEntry, compared: Compared | None, names: Mapping[str, str]) -> Content:
    """Return all there is to say about a persona."""
    parts = [Content.styled(entry.name, "bold"), Content(f" ({entry.id})\n{entry.description}\n\n")]
    parts.append(Content("\n".join([*quality(entry.note), *likenesses(entry.id, compared, names)])))
    if entry.persona is not None:
        parts.append(Content.styled("\n\nWhat the model is told\n", "bold"))
        parts.append(Content("\n".join(f"{n}. {sanitize(text)}" for n, text in enumerate(entry.persona.prompts, 1))))
        if entry.persona.rubric is not None:
            parts.append(Content(f"\n\nChecked by asking: {sanitize(entry.persona.rubric)}"))
        if entry.tags:
            parts.append(Content(f"\n\nFound by: {', '.join(entry.tags)}"))
        about = f"{entry.persona.group} · {entry.persona.license} · {entry.persona.author} · {entry.persona.source}"
        parts.append(Content.styled(f"\n\n{sanitize(about)}", "$text-muted"))
    if numbers := measured(entry.note):
        parts += [Content.styled("\n\nAdvanced\n", "bold"), Content("\n".join(numbers))]
    return Content("").join(parts)


def _file_refusal(file: str) -> str | None:
    if not file.strip() or typed_path(file).is_file():
        return None
    return f"{file.strip()} is not a file; name a text file, such as novel.md, or leave it empty"

"""All personas, in the groups a writer looks for: what is known of their vectors in words, and a search for one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from billy_mlx.engine.messages import Compared, VectorInfo
from billy_mlx.extraction.persona_search import find
from billy_mlx.text import sanitize
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.widgets.fields import LineField
from billy_mlx.vectors.card import Persona, PersonaSet

WRITING, OWN, PAPER = "Writing voices", "Your own", "The paper's twelve"
_GROUPS = {"writing": WRITING, "paper": PAPER}


@dataclass(frozen=True)
class PersonaEntry:
    """One of the entries: safe to show.

    Attributes:
        group: its heading.
        persona: its card; None for a voice that was learnt from a text and has none.
        note: what is known of its vector; None if it has none for this model.
    """

    id: str
    name: str
    description: str
    group: str
    persona: Persona | None
    note: VectorInfo | None

    @property
    def tags(self) -> tuple[str, ...]:
        """Words to find it by besides its name."""
        return () if self.persona is None else self.persona.tags


def persona_list(personas: PersonaSet, notes: Mapping[str, VectorInfo]) -> tuple[PersonaEntry, ...]:
    """Return all personas: writing voices first, then the writer's own, then the paper's."""
    members = [_with_card(persona, notes.get(persona.id)) for persona in personas.personas.values()]
    members += [_without_card(note) for note in notes.values() if note.persona_id not in personas.personas]
    order = (WRITING, OWN, PAPER)
    return tuple(sorted(members, key=lambda entry: order.index(entry.group)))  # a stable sort


def best_first(entries: Sequence[PersonaEntry]) -> list[PersonaEntry]:
    """Return the personas that are prepared, by what was measured of their vectors: the surest first, the weak last.

    Where no more is known, voices for writing and the writer's own come before the others.
    """
    return sorted((entry for entry in entries if entry.note is not None), key=_rank)


def shows(note: VectorInfo | None) -> bool:
    """Return whether nothing that was measured says that a vector does not show in what is written with it."""
    return note is not None and note.weakness is None and (note.effect is None or note.effect > 0)


def mark(note: VectorInfo | None) -> str:
    """Return the sign for a vector that is not as it should be, in one column; a space if it is."""
    if note is None:
        return "✗"
    if note.weakness is not None:
        return "~"
    return "!" if note.outdated or note.former else " "


def state(note: VectorInfo | None) -> str:
    """Return the same in words, to the end of a sentence about the persona; "" if nothing is wrong."""
    if note is None:
        return "not prepared for this model yet; “Prepare voice” does it"
    wrong = [f"weak: {sanitize(note.weakness)}"] if note.weakness is not None else []
    wrong += ["its description was changed since; “Prepare voice” prepares it again"] * note.outdated
    wrong += [f"prepared by an older version; {_anew(note)}"] * (note.former and not note.outdated)
    return "; ".join(wrong)


def quality(note: VectorInfo | None) -> tuple[str, ...]:
    """Return sentences for a writer about a vector: how good it is, how much of it is right, and where it is from."""
    if note is None:
        return ("✗ It is not prepared for this model yet; “Prepare voice” does it while you write.",)
    lines = [] if note.weakness is None else [f"~ It is weak for this model: {sanitize(note.weakness)}."]
    if note.outdated:
        lines.append("! Its description was changed since; “Prepare voice” prepares it again.")
    if note.former:
        lines.append(f"! An older version prepared it, and it works as it did then; {_anew(note)}.")
    if note.auc is not None:
        lines.append(f"The model {_how_well(note.auc)} this voice from plain writing.")
    lines.append(_doses(note))
    made = f", from {sanitize(note.source)}" if note.source else ""
    lines.append(f"{'You prepared it on this machine' if note.own else 'It comes prepared with billy'}{made}.")
    return tuple(lines)


def measured(note: VectorInfo | None) -> tuple[str, ...]:
    """Return what was measured of a vector, for those who know what vectors are: how well it separates, and where."""
    if note is None:
        return ()
    lines = (
        []
        if note.auc is None
        else [f"Its vector tells its answers from neutral ones: AUC {note.auc:.2f} (0.5 is chance)."]
    )
    lines += [f"A full dose adds it {note.strength:.2f} times, layer by layer."] if note.strength is not None else []
    at = note.strength is None and note.layer is not None
    lines += [f"In mode balanced it steers layer {note.layer}."] if at else []
    return tuple(lines)


def likenesses(persona_id: str, compared: Compared | None, names: Mapping[str, str]) -> tuple[str, ...]:
    """Return lines about the personas that one is most and least like; none if that was not measured."""
    if compared is None or persona_id not in compared.persona_ids:
        return ()
    row = zip(compared.persona_ids, compared.cosines[compared.persona_ids.index(persona_id)], strict=True)
    others = sorted((cosine, sanitize(names.get(other, other))) for other, cosine in row if other != persona_id)
    most = [f"{name} {cosine:.2f} ({_likeness(cosine)})" for cosine, name in reversed(others[-3:])]
    least = [f"{name} {cosine:.2f} ({_likeness(cosine)})" for cosine, name in others[:-3][:3]]
    lines = [f"Most like {', '.join(most)}."] if most else []
    return (*lines, *([f"Least like {', '.join(least)}."] if least else []))


class PersonaSearch(ModalScreen[str | None]):
    """Gives the id of the persona that was chosen, or None.

    Args:
        entries: the personas, in the order to show them.
        taken: ids of those that are in the blend already.
    """

    BINDINGS = bindings("anywhere")  # type: ignore[assignment]
    DEFAULT_CSS = """
    PersonaSearch { align: center middle; }
    PersonaSearch > Vertical {
        width: 76; max-width: 100%; height: 80%; max-height: 34; padding: 0 1;
        background: $surface; border: round $primary;
    }
    PersonaSearch #about { width: 100%; height: 2; color: $text-muted; }
    """
    _MOVES: ClassVar[dict[str, str]] = {
        "down": "cursor_down",
        "up": "cursor_up",
        "pagedown": "page_down",
        "pageup": "page_up",
    }

    def __init__(self, entries: Sequence[PersonaEntry], taken: Collection[str] = ()) -> None:
        super().__init__()
        self._entries, self._taken = {entry.id: entry for entry in entries}, frozenset(taken)

    def compose(self) -> ComposeResult:
        """Yield the line to type in, the list, and words about the one it stands at."""
        with Vertical():
            yield LineField(placeholder="Type a name, a mood or a genre: sad, funny, sci-fi ...", compact=True)
            yield PersonaList()
            yield Label("", id="about", markup=False)

    def on_mount(self) -> None:
        """Show all personas."""
        self.query_one(PersonaList).can_focus = False
        self._fill("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show those that match."""
        event.stop()
        self._fill(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the one the list stands at."""
        event.stop()
        option = self.query_one(PersonaList).highlighted_option
        if option is not None:
            self.dismiss(option.id)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take the one that was clicked."""
        event.stop()
        self.dismiss(event.option_id)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Say what is known of it."""
        if event.option is not event.option_list.highlighted_option:
            return  # more was typed meanwhile
        entry = self._entries[event.option_id or ""]
        wrong = state(entry.note)
        kinds = f"\n{', '.join(entry.tags)}" if entry.tags else ""
        about = f"{mark(entry.note)} {wrong[0].upper()}{wrong[1:]}." if wrong else f"{entry.description}{kinds}"
        self.query_one("#about", Label).update(about)

    def on_key(self, event: Key) -> None:
        """Move in the list while the line keeps the focus."""
        if event.key in self._MOVES:
            event.stop()
            event.prevent_default()
            getattr(self.query_one(PersonaList), f"action_{self._MOVES[event.key]}")()

    def action_back(self) -> None:
        """Choose no persona."""
        self.dismiss(None)

    def _fill(self, wanted: str) -> None:
        everyone = [*self._entries.values()]
        best = find([entry for entry in everyone if entry.id not in self._taken], wanted)
        options = self.query_one(PersonaList)
        options.set_options(persona_options([entry for entry in everyone if entry in best]))
        options.action_first()
        if best and wanted.strip():
            options.highlighted = options.get_option_index(best[0].id)
        if not best:
            speaking = next(iter(find(everyone, wanted)), None)
            why = "No persona matches." if speaking is None else f"{speaking.name} is in the blend already."
            self.query_one("#about", Label).update(f"{why} Esc: cancel")


class PersonaList(OptionList, inherit_bindings=False):
    """Personas, a line each, below the headings of their groups. What enter does is its screen's."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(keys, action, show=False)
        for keys, action in (
            ("down", "cursor_down"),
            ("up", "cursor_up"),
            ("pagedown", "page_down"),
            ("pageup", "page_up"),
            ("home", "first"),
            ("end", "last"),
        )
    ]
    DEFAULT_CSS = """
    PersonaList {
        height: 1fr; border: none; padding: 0; background: $surface; text-wrap: nowrap; text-overflow: ellipsis;
    }
    """

    def __init__(self) -> None:
        super().__init__(compact=True, markup=False)


def persona_options(entries: Sequence[PersonaEntry]) -> list[Option]:
    """Return an option for each, below the heading of its group."""
    options: list[Option] = []
    group = ""
    for entry in entries:
        if entry.group != group:
            group = entry.group
            options.append(Option(Content.styled(group, "bold"), disabled=True))
        line = Content.assemble(f"{mark(entry.note)} {entry.name}  ", (entry.description, "$text-muted"))
        options.append(Option(line, id=entry.id))
    return options


def _rank(entry: PersonaEntry) -> tuple[float, ...]:
    note = entry.note or VectorInfo(entry.id)
    stale, effect, auc = note.outdated or note.former, note.effect or 0.0, note.auc or 0.0
    return (not shows(note), not note.calibrated, stale, entry.group == PAPER, -effect, -auc)


def _with_card(persona: Persona, note: VectorInfo | None) -> PersonaEntry:
    group = _GROUPS.get(persona.group, OWN)
    return PersonaEntry(persona.id, sanitize(persona.name), sanitize(persona.description), group, persona, note)


def _without_card(note: VectorInfo) -> PersonaEntry:
    persona_id = sanitize(note.persona_id)
    return PersonaEntry(persona_id, persona_id, f"Made from {sanitize(note.source) or 'your text'}.", OWN, None, note)


def _how_well(auc: float) -> str:
    for least, how in ((0.9, "clearly tells"), (0.75, "tells"), (0.65, "barely tells")):
        if auc >= least:
            return how
    return "cannot tell"


def _doses(note: VectorInfo) -> str:
    if note.strength is None and note.layer is None:
        return "What a full dose of it is was not measured; “Prepare voice” does it."
    gentle = "" if note.gentle is None else f"gentle from {note.gentle:.2f}, "
    frays = "" if note.too_much is None else f", too much above {note.too_much:.2f}"
    return f"Dose: {gentle}full at 1{frays}."


def _anew(note: VectorInfo) -> str:
    return "“Own voice” prepares it again from your text" if note.source else "“Prepare voice” prepares it again"


def _likeness(cosine: float) -> str:
    if cosine >= 0.7:
        return "very alike"
    if cosine >= 0.4:
        return "alike"
    return "a little alike" if cosine >= 0.1 else "unrelated" if cosine > -0.1 else "opposite"

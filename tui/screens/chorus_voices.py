"""Choose the voices of a chorus: the blend, its personas, saved blends, the model alone, or any other persona."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label

from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.errors import ManuscriptError
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.dials import Dials
from billy_mlx.tui.keys import key_on
from billy_mlx.tui.widgets.dial_labels import voice_names
from billy_mlx.tui.widgets.fields import Choices
from billy_mlx.tui.widgets.persona_list import PersonaEntry, PersonaSearch, best_first, shows
from billy_mlx.write.drafting_session import MOST_VOICES

_FEWEST = 2  # voices


class ChorusVoices(ModalScreen[tuple[Blend, ...] | None]):
    """Asks which voices write; gives 2 to 6 of them, or None.

    Args:
        blend: what the page is written with.
        saved: the blends that the writer kept, by name.
        entries: all personas.
        chosen: those that are marked to begin with.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("chorus-voices",)
    BINDINGS = bindings("anywhere", "chorus-voices")  # type: ignore[assignment]
    DEFAULT_CSS = """
    ChorusVoices { align: center middle; }
    ChorusVoices > Vertical {
        width: 76; max-width: 100%; height: auto; max-height: 90%; padding: 0 1;
        background: $surface; border: round $primary;
    }
    ChorusVoices Label { width: 100%; }
    ChorusVoices #hint { color: $text-muted; }
    ChorusVoices Choices, ChorusVoices Choices:focus { height: auto; max-height: 14; border: none; padding: 0; }
    """

    def __init__(
        self,
        blend: Blend,
        saved: Mapping[str, Dials],
        entries: Sequence[PersonaEntry],
        chosen: Sequence[Blend] = (),
    ) -> None:
        super().__init__()
        self._blend, self._saved, self._entries = blend, saved, entries
        self._voices = [*dict.fromkeys([*candidates(blend, saved), *chosen])]
        marked = [index for index, voice in enumerate(self._voices) if voice in chosen]
        self._choices = Choices(self._rows(), marked)
        self._hint_line = Label("", id="hint", markup=False)

    def compose(self) -> ComposeResult:
        """Yield the list."""
        with Vertical():
            yield Label(f"Which voices write? Choose {_FEWEST} to {MOST_VOICES}.", markup=False)
            yield self._choices
            yield self._hint_line

    def on_mount(self) -> None:
        """Say what can be done."""
        self._hint_line.update(self._hint)

    @property
    def _hint(self) -> str:
        return f"Space: mark   {key_on(self, 'chorus-add')}: add any persona   Enter: done   Esc: cancel"

    def on_choices_done(self, event: Choices.Done) -> None:
        """Give the voices, if they are neither too few nor too many."""
        event.stop()
        if _FEWEST <= len(event.chosen) <= MOST_VOICES:
            self.dismiss(tuple(self._voices[index] for index in event.chosen))
        else:
            marked = {0: "No voice is marked", 1: "Only one is marked"}.get(len(event.chosen), "Too many are marked")
            self._hint_line.update(f"{marked}; a chorus has {_FEWEST} to {MOST_VOICES} voices. {self._hint}")

    def action_chorus_add(self) -> None:
        """Search for a persona to add."""
        self.app.push_screen(PersonaSearch(self._entries), self._add)

    def action_back(self) -> None:
        """Choose none."""
        self.dismiss(None)

    def _add(self, persona_id: str | None) -> None:
        """Mark a persona that speaks alone, in a row of its own if there is none."""
        if persona_id is None:
            return
        member = next(one for one in self._entries if one.id == persona_id)
        if member.note is None:
            self._hint_line.update(
                f"{member.name} is not prepared for this model yet; “Prepare voice” among the personas does it."
            )
            return
        voice = _alone(persona_id, self._blend)
        if voice not in self._voices:
            self._voices.append(voice)
            self._choices.extend(self._rows()[-1:])
        self._choices.mark(self._voices.index(voice))
        self._hint_line.update(self._hint)

    def _rows(self) -> list[str]:
        """Return what to show of each voice: its name, and of a saved blend what is in it."""
        titles = {member.id: member.name for member in self._entries}
        names = voice_names(self._voices, titles, self._saved)
        plain = voice_names(self._voices, titles, {})
        rows = [name if name == made else f"{name}: {made}" for name, made in zip(names, plain, strict=True)]
        return [
            f"{row}, as it is now" if voice.weights and voice == self._blend else row
            for voice, row in zip(self._voices, rows, strict=True)
        ]


def candidates(blend: Blend, saved: Mapping[str, Dials]) -> tuple[Blend, ...]:
    """Return the voices to choose from: the blend, each of its personas, saved blends with a voice, the model alone."""
    alone = (_alone(persona_id, blend) for persona_id in blend.persona_ids)
    voices = [blend, *alone, *(dials.blend() for dials in saved.values())]
    return (*dict.fromkeys(voice for voice in voices if voice.weights), ALONE)


def usual_voices(blend: Blend, entries: Sequence[PersonaEntry], most: int) -> tuple[Blend, ...]:
    """Return the voices if none were chosen: the blend, those that were measured to show best, and the model alone.

    The personas of the blend come before others that show.

    Raises:
        ManuscriptError: there is no voice beside the model alone.
    """
    own = blend.persona_ids
    able = best_first(entries)
    best = sorted([one for one in able if shows(one.note)] or able, key=lambda member: member.id not in own)
    others = [_alone(member.id, blend) for member in best if own != (member.id,)]
    voices = [voice for voice in dict.fromkeys([blend, *others]) if voice.weights]
    if not voices:
        raise ManuscriptError("no voice is prepared for this model yet; “Prepare voice” among the personas does it")
    return (*voices[: max(1, most - 1)], ALONE)


def _alone(persona_id: str, blend: Blend) -> Blend:
    """Return a persona by itself, in the mode and at the dose of a blend."""
    return Blend(((persona_id, 1.0),), dose=blend.dose, mode=blend.mode)

"""The voices panel: which voices are in the blend, how much of each, and how much of all together."""

from collections.abc import Callable, Mapping

from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from billy_mlx.blend.blend import Blend
from billy_mlx.engine.messages import VectorInfo
from billy_mlx.errors import BlendError
from billy_mlx.text import sanitize
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.dates import progress_line
from billy_mlx.tui.dials import DialRow, Dials, typed_blend, typed_layers, typed_number
from billy_mlx.tui.keys import cancelling
from billy_mlx.tui.messages import StatusMessage, VectorUnwanted, VectorWanted
from billy_mlx.tui.screens.dialogs import Ask
from billy_mlx.tui.screens.saved_blends import SavedBlends, ask_for_name
from billy_mlx.tui.vector_job import STOPPING
from billy_mlx.tui.widgets.dial_panel import DialPanel
from billy_mlx.tui.widgets.persona_list import PersonaSearch, persona_list
from billy_mlx.vectors.card import PersonaSet

_NO_PERSONAS = PersonaSet({}, ())


class VoicesPanel(DialPanel):
    """The blend that is written with. Posts `BlendChanged`, `VectorWanted`, `VectorUnwanted` and `StatusMessage`."""

    BINDINGS = bindings("voices")  # type: ignore[assignment]
    DEFAULT_CSS = "VoicesPanel #progress { height: auto; max-height: 3; color: $text-accent; }"

    progress: reactive[str] = reactive("")
    """How far the making of a vector is, in words; "" if none is made."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._personas = _NO_PERSONAS

    def parts(self) -> tuple[Widget, ...]:
        """Return the dials, and how far a vector is."""
        line = Static(sanitize(self.progress), id="progress", markup=False)
        line.display = bool(self.progress)
        return *super().parts(), line

    # What the screen says.

    def show(
        self,
        blend: Blend,
        notes: Mapping[str, VectorInfo] | None,
        personas: PersonaSet,
        layer_count: int | None = None,
    ) -> None:
        """Show a blend; muted voices stay if it is the one that is shown already.

        Args:
            blend: what is written with.
            notes: what is known of the vectors, by persona id; None while no model is there.
            personas: every card.
            layer_count: how many layers the model has.
        """
        self.notes, self._personas, self.layer_count = notes, personas, layer_count
        self.names = {persona.id: persona.name for persona in personas.personas.values()}
        if blend != self.dials.blend():
            self.dials = Dials.of(blend)
        self.fill()
        self.sync()

    def preparing(self, stage: str, share: float, seconds_left: float | None) -> None:
        """Show how far the making of a vector is; `share` is from 0 to 1."""
        self.progress = cancelling(progress_line(stage, share, seconds_left), self.screen, "voice-cancel")

    def stopping(self) -> None:
        """The making of a vector comes to its end."""
        self.progress = STOPPING

    def prepared(self) -> None:
        """No voice is being prepared any more."""
        self.progress = ""

    def add(self, persona_id: str | None) -> None:
        """Add a voice, and go to its dial; None adds nobody."""
        if persona_id is not None:
            self.change(self.dials.adding(persona_id))
            self.row = 1 + [voice.persona_id for voice in self.dials.voices].index(persona_id)

    def watch_progress(self, progress: str) -> None:
        """Show how far a vector is."""
        if self._body.is_attached:
            line = self.query_one("#progress", Static)
            line.update(sanitize(progress))
            line.display = bool(progress)

    # What keys do, beyond turning dials.

    def action_voice_set(self) -> None:
        """Ask for the number of a dial, or for layers; turn any other row on."""
        dials, kind, voice = self.dials, self.kind, self.voice
        match kind:
            case DialRow.DOSE:
                self._ask(
                    "How much of all voices together? (1 is full)",
                    "",
                    lambda text: typed_number(dials, kind, voice, text),
                )
            case DialRow.VOICE:
                self._ask("How much of this voice?", "", lambda text: typed_number(dials, kind, voice, text))
            case DialRow.LAYERS:
                question = "Which layers, counted from 0? (15 or 15,16; empty: the mode's own)"
                self._ask(question, ",".join(map(str, dials.layers or ())), lambda text: typed_layers(dials, text))
            case _:
                self.step(1)

    def action_voice_add(self) -> None:
        """Search for a persona to add."""
        taken = [voice.persona_id for voice in self.dials.voices]
        notes = self.notes
        if notes is None:  # no model is there yet, and nothing known against anybody
            notes = {persona_id: VectorInfo(persona_id) for persona_id in self._personas.personas}
        self.app.push_screen(PersonaSearch(persona_list(self._personas, notes), taken), self.add)

    def action_voice_extract(self) -> None:
        """Prepare a voice, or all voices that are not prepared yet."""
        if self.kind is DialRow.VOICE:
            persona_id = self.dials.voices[self.voice].persona_id
            self.post_message(VectorWanted((persona_id,), again=persona_id in self.known))
            return
        missing = tuple(voice.persona_id for voice in self.dials.voices if voice.persona_id not in self.known)
        self.post_message(
            VectorWanted(missing) if missing else StatusMessage("choose the voice that you want to prepare again")
        )

    def action_voice_cancel(self) -> None:
        """Cancel preparing voices."""
        self.post_message(VectorUnwanted())

    def action_blend_save(self) -> None:
        """Keep the blend under a name."""
        if self.dials.voices:
            self.app.push_screen(ask_for_name(self.dials, self.names))
        else:
            self.post_message(StatusMessage("there is no blend to save yet; add a voice first"))

    def action_blend_load(self) -> None:
        """Take a blend that was saved."""

        def take(dials: Dials | None) -> None:
            if dials is not None:
                self.change(dials)

        self.app.push_screen(SavedBlends(self.names), take)

    def action_blend_text(self) -> None:
        """Show the blend's text form, to read, copy, change or replace."""
        dials = self.dials
        question = "The blend as text, as commands take it:"
        self._ask(question, dials.blend().spelled or "", lambda text: typed_blend(dials, text))

    def _ask(self, question: str, value: str, made: Callable[[str], Dials]) -> None:
        """Ask for a line of text, and take the dials that are made of it."""

        def refusal(text: str) -> str | None:
            try:
                made(text)
            except BlendError as error:
                return str(error)
            return None

        def take(text: str | None) -> None:
            if text is not None:
                self.change(made(text))
                if (caution := self.dials.blend().caution) is not None:
                    self.post_message(StatusMessage(caution))

        self.app.push_screen(Ask(question, value, refusal), take)

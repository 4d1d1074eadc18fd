"""The page: a manuscript being written, the voices beside it, and the lines around both.

What can be done here stands in `tui/page/`, the commands of one feature to a module. Their `action_…` methods are taken
over as the screen's own, where Textual looks for them.
"""

import gc
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import ActiveBinding
from textual.events import Key
from textual.screen import Screen
from textual.widgets import Input

from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.engine.messages import Ended, Failed, Loaded, Loading, Progress, Unloaded, VoiceReady
from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.former import Decide, undecided
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.tui.commands import COMMANDS, bindings
from billy_mlx.tui.keys import key_named, keys_of
from billy_mlx.tui.messages import BlendChanged, StatusMessage, errors_shown
from billy_mlx.tui.page.chorus import ChorusCommands
from billy_mlx.tui.page.colours import ColourCommands, PersonaScores
from billy_mlx.tui.page.draft_commands import DraftCommands
from billy_mlx.tui.page.draft_controller import DraftController
from billy_mlx.tui.page.files import FileCommands
from billy_mlx.tui.page.footer import is_possible, shown_keys_of
from billy_mlx.tui.page.model_commands import ModelCommands
from billy_mlx.tui.page.rewriting import RewriteController, RewriteKeys
from billy_mlx.tui.page.text_commands import TextCommands
from billy_mlx.tui.page.voice_commands import VoiceCommands
from billy_mlx.tui.screens.voices_panel import VoicesPanel
from billy_mlx.tui.widgets.editor import Editor
from billy_mlx.tui.widgets.status import HeadingLine, PageFooter, Status, fitted, place_toasts

if TYPE_CHECKING:
    from billy_mlx.engine.messages import ModelInfo
    from billy_mlx.tui.app import Studio
    from billy_mlx.tui.screens.find import FindClosed, MatchChosen, ReplaceWanted

_CONTINUE = next(command for command in COMMANDS if command.name == "continue")
_FRAME_SECONDS = 1 / 30
_IDLE_SECONDS = 0.6
_WATCH_SECONDS = 1.0  # apart are looks at how safe the text is: the disk's answers come without a word


class WritingScreen(Screen[None]):
    """A manuscript being written.

    Args:
        path: of its file; there may be none yet.
        decide: whether it is another text under another name, as `Manuscript.open` has it.

    Attributes:
        manuscript: what is written.
        blend: the voices it is written with.
        editor: shows it.
        panel: the voices, beside it.
        drafts: what models write.
        rewriting: the rewrite among the drafts that is gone through change by change.

    Raises:
        ManuscriptError: the file cannot be opened, or it has to be decided first what it is.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("page", "rewrite", "draft")
    BINDINGS = bindings("page", "draft")  # type: ignore[assignment]

    blend: Blend

    def __init__(self, path: Path, decide: Decide = undecided) -> None:
        super().__init__()
        self.manuscript = Manuscript.open(path, decide=decide)
        self._painting = False
        self._footed: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay the page out."""
        yield HeadingLine()
        with RewriteKeys():
            yield Editor(self.manuscript)
            yield VoicesPanel()
        yield Status()
        yield PageFooter(show_command_palette=False)

    def on_mount(self) -> None:
        """Bring page, voices and status together."""
        settings = self.studio.settings
        self.editor, self.panel = self.query_one(Editor), self.query_one(VoicesPanel)
        self.status, self.heading = self.query_one(Status), self.query_one(HeadingLine)
        self._set_up_commands()
        self.blend = Blend.parse(settings.blend) if settings.blend else ALONE
        self.heading.text = self.manuscript.name
        self.editor.colouring = settings.colouring
        self.set_class(settings.focus_mode, "-focus")
        self.editor.focus()
        end = len(self.manuscript.text)
        self.editor.select(end, end)  # where a text is continued
        self.apply_settings()
        self.set_interval(_WATCH_SECONDS, self._watch_over)
        self.watch(self.app, "app_focus", self._look_elsewhere, init=False)
        self.watch(self.editor, "scroll_y", self.on_text_area_selection_changed, init=False)
        self._idle = self.set_timer(_IDLE_SECONDS, self.rest)
        self.files.autosave.offer()  # before a key can be typed: it would go into the text that is offered another
        self.call_after_refresh(self._complete)
        self.call_after_refresh(gc.freeze)  # what is open stays: going through it again and again holds up keys
        if self.manuscript.notices:
            self.show_status(". ".join(self.manuscript.notices))

    def _set_up_commands(self) -> None:
        """Make the controllers and the commands, and take over the actions of these."""
        engine, show_soon, show_status = self.studio.engine, self.show_soon, self.show_status
        self.draft_commands, self.chorus = DraftCommands(self), ChorusCommands(self)
        self.drafts = DraftController(self.manuscript, self.editor, engine, changed=show_soon, show_status=show_status)
        self.rewriting = RewriteController(
            self.manuscript,
            self.editor,
            self.drafts,
            beside=self.draft_commands.action_beside,
            changed=show_soon,
            show_status=show_status,
        )
        self.voices, self.colours = VoiceCommands(self), ColourCommands(self, PersonaScores(engine))
        self.text_commands, self.files, self.model = TextCommands(self), FileCommands(self), ModelCommands(self)
        for commands in (
            self.draft_commands,
            self.chorus,
            self.voices,
            self.colours,
            self.text_commands,
            self.files,
            self.model,
        ):
            for name in dir(commands):
                if name.startswith("action_"):
                    setattr(self, name, getattr(commands, name))

    # What the studio says.

    @property
    def studio(self) -> "Studio":
        """The application, which has what all screens share."""
        return cast("Studio", self.app)

    def on_engine_event(self, event: object) -> None:
        """Take in an event of the engine."""
        for listener in (self.drafts, self.chorus, self.model, self.voices, self.colours):
            listener.on_engine_event(event)
        if isinstance(event, Loaded | VoiceReady):
            self.voices.show()
            self.rest()
        if isinstance(event, Loading | Loaded | Unloaded | VoiceReady | Progress | Ended | Failed):
            self.voices.show_preparing()
            self.show()

    def apply_settings(self) -> None:
        """Follow the settings as they are now."""
        settings = self.studio.settings
        self.editor.measure = settings.text_width
        self.editor.typewriter = settings.typewriter
        self.editor.hint = f"Write. {keys_of(_CONTINUE, settings.keys).split(',')[0]} continues."
        self.editor.give_away({key for keys in settings.keys.values() for key in keys.split(",")})
        self.voices.show_panel()
        self.files.save_every(settings.autosave_seconds)
        self.show()

    # What is shown.

    def show_status(self, sentence: str) -> None:
        """Show a sentence until the next key; above all else, too, where the line below the page cannot show it."""
        if self.chorus.screen is not None:
            self.chorus.screen.show_status(sentence)
            return
        self.status.message = sentence
        room = self.app.size.width - len(self.status.words) - len(self.status.safety) - 6
        if self.app.screen is not self or self.has_class("-focus") or len(sentence) > room:
            self.notify(sentence, timeout=15, markup=False)

    def errors_shown(self) -> AbstractContextManager[None]:
        """Show what the writer can put right, and continue behind the block."""
        return errors_shown(self.show_status)

    def show_soon(self) -> None:
        """Paint what has changed, at most so often that it can be followed."""
        if not self._painting:
            self._painting = True
            self.set_timer(_FRAME_SECONDS, self.show)

    def show(self) -> None:
        """Paint what has changed."""
        self._painting = False
        self.rewriting.look()
        self.editor.refresh_draft()
        status, drafts, coloured_by = self.status, self.drafts, self.colours.persona
        status.model, status.gauge = self.studio.model_state, drafts.coherence
        # Until the model is there, that it is loaded is all that it does.
        writing = "" if self.studio.model is None and drafts.running else drafts.summary
        status.doing = " · ".join(part for part in (self.rewriting.words, writing) if part)
        status.safety = self.files.safety
        status.words = self.text_commands.progress
        status.measured = "" if coloured_by is None else self.persona_title(coloured_by)
        footed = drafts.current, drafts.last, drafts.running, self.rewriting.current
        if self._footed != footed:  # a footer is laid out anew, which takes as long as a frame
            self._footed = footed
            self.refresh_bindings()

    def rest(self) -> None:
        """Do what can wait until the writer pauses."""
        self.colours.read()
        self.heading.text = self.manuscript.name
        self.show()
        self.files.remind_of_name()

    def replaced(self, *, follow: bool = True) -> None:
        """Show a text that was exchanged for another; with `follow` the cursor goes to where it differs."""
        self.text_commands.count_exchanged()
        self.editor.sync(follow=follow)
        self.drafts.follow()
        self.rest()

    def _complete(self) -> None:
        """Show what can wait until the text is on the screen."""
        self.voices.show()
        self.text_commands.count_from_here()
        self.show()

    def _watch_over(self) -> None:
        """Show how safe the text is by now, and say what has gone wrong."""
        self.status.safety = self.files.safety
        self.files.autosave.watch()

    def _look_elsewhere(self, focused: bool) -> None:
        """Look what other programs did while the writer was away."""
        if focused:
            self.files.autosave.look_elsewhere()

    # What commands ask of the page.

    @property
    def persona_titles(self) -> Mapping[str, str]:
        """What people call the personas there are cards of, by their ids."""
        return {persona.id: persona.name for persona in self.studio.personas.personas.values()}

    def persona_title(self, persona_id: str) -> str:
        """Return what people call a persona; its id if it has no card."""
        card = self.studio.personas.personas.get(persona_id)
        return persona_id if card is None else card.name

    def key_of(self, command: str) -> str:
        """Return how the writer calls a command, in a sentence."""
        return key_named(command, self.studio.settings.keys)

    def need_model(self) -> "ModelInfo":
        """Return the model there is to write with; ManuscriptError if there is none."""
        if self.studio.model is None:
            raise ManuscriptError(f"{self.studio.model_state}; the voices can write once it is ready")
        return self.studio.model

    def type_in(self, text: str) -> None:
        """Put what was typed elsewhere where it would have been typed here; what is said stays as it is."""
        if not text:
            return
        if isinstance(self.focused, Input):
            self.focused.insert_text_at_cursor(text)
        else:
            with self.editor.prevent(Editor.Edited):
                self.editor.insert(text, maintain_selection_offset=False)
            self.replaced(follow=False)

    # Keys.

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """The keys there are, as the footer shows them."""
        found = super().active_bindings
        return shown_keys_of(self, found) if self.is_mounted else found

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a command means anything now."""
        if self.is_mounted and not is_possible(self, action):
            return False
        return super().check_action(action, parameters)

    def action_settings(self) -> None:
        """Change how the studio looks and writes."""
        from billy_mlx.tui.screens.settings import SettingsScreen  # late, as it is not on the first page

        self.app.push_screen(SettingsScreen(self.studio.settings))

    def on_key(self, _: Key) -> None:
        """Take the last sentence away: it was read."""
        self.status.message = ""

    # What widgets say.

    def on_editor_edited(self, _: Editor.Edited) -> None:
        """Follow the writer."""
        self.status.message = ""
        self._idle.stop()
        self._idle = self.set_timer(_IDLE_SECONDS, self.rest)
        self.drafts.follow()

    def on_status_message(self, message: StatusMessage) -> None:
        """Show what a widget has to say."""
        self.show_status(message.text)

    def on_blend_changed(self, message: BlendChanged) -> None:
        """Let the voices follow the dials, also while text streams."""
        self.voices.steer(message.blend)

    def on_match_chosen(self, message: "MatchChosen") -> None:
        """Show what was found."""
        self.editor.select(message.start, message.end)

    def on_replace_wanted(self, message: "ReplaceWanted") -> None:
        """Replace, as one step."""
        self.text_commands.replace(message.hunks)

    def on_find_closed(self, _: "FindClosed") -> None:
        """Go back to the page."""
        self.text_commands.close_find()

    # Room.

    def on_resize(self) -> None:
        """Show the voices beside the page where there is room, and as many keys."""
        self.voices.show_panel()
        self.refresh_bindings()
        self.call_after_refresh(self.place_toasts)

    def on_descendant_focus(self) -> None:
        """Hide the voices again where they stood in for the page, however the writer left them."""
        self.voices.show_panel()

    def on_text_area_selection_changed(self) -> None:
        """Keep messages away from the cursor, if there are any: all would be laid out anew."""
        if len(self.app._notifications):
            self.place_toasts()

    def on_screen_resume(self) -> None:
        """Show messages that are still there in their place."""
        self.call_after_refresh(self.place_toasts)

    def place_toasts(self) -> None:
        """Place messages where they leave the line free that is written on, and all that is around the text."""
        if self._has_page:
            place_toasts(self, self.editor.region, self.editor.cursor_screen_offset.y)

    def fitted(self, message: str) -> str:
        """Return as much of a message as there is room for."""
        return fitted(message, self.editor.region, self.editor.cursor_screen_offset.y) if self._has_page else message

    @property
    def _has_page(self) -> bool:
        return self.is_mounted and self.editor.region.height > 0

"""The studio: what all its screens share, and how they follow one another."""

import contextlib
from collections.abc import Iterable, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from textual.actions import ActionParseResult
from textual.app import App, SystemCommand
from textual.dom import DOMNode
from textual.events import Event, Key, Paste
from textual.notifications import SeverityLevel
from textual.screen import Screen

from billy_mlx.engine.messages import (
    Broken,
    Loaded,
    Loading,
    ModelInfo,
    Unload,
    Unloaded,
    VectorInfo,
    VoiceReady,
)
from billy_mlx.errors import BillyError, ManuscriptError
from billy_mlx.manuscript.former import Decide, Undecided, ask_first
from billy_mlx.text import sanitize
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.driver import StudioDriver
from billy_mlx.tui.engine_client import Connect, EngineClient, connect
from billy_mlx.tui.fault_report import STOPPED, keep_report, keep_report_of
from billy_mlx.tui.key_queue import KeyQueue
from billy_mlx.tui.keys import available, described, key_named
from billy_mlx.tui.messages import EngineMessage, StatusMessage, VectorUnwanted, VectorWanted, errors_shown
from billy_mlx.tui.screens.dialogs import Confirm
from billy_mlx.tui.screens.writing import WritingScreen
from billy_mlx.tui.settings import Settings, load_settings, save_setting
from billy_mlx.tui.vector_job import VectorJob, text_to_learn
from billy_mlx.vectors.card import PersonaSet, load_personas

if TYPE_CHECKING:
    from billy_mlx.tui.screens.personas import CardsChanged, LearnWanted
    from billy_mlx.tui.screens.settings import SettingChanged

_PAINTED_SECONDS = 1.0  # by then the first screen is there
_LOOK_SECONDS = 20.0  # apart are looks at how long the model was not needed


@runtime_checkable
class EngineListener(Protocol):
    """A screen that takes in the events of the engine."""

    def on_engine_event(self, event: object) -> None:
        """Take in an event of the engine."""


class Studio(App[None]):
    """The studio.

    Args:
        path: the text to open; None for the start screen.
        model: to load, by any name that `--model` takes; None for the settings' or the default one.
        connect: makes the engine.

    Attributes:
        model: what is loaded; None while nothing is.
        model_state: the same in words, for a status line.
        voices: what is known of the vectors there are, by persona id.
        settings: as they are now.
        engine: takes requests for the engine.
        vector_job: prepares voices, from screen to screen.
        unsaved: once it was left: a sentence if some of the text could not be saved.
    """

    CSS_PATH = "billy.tcss"
    TITLE = "billy"
    BINDINGS = bindings("anywhere")  # type: ignore[assignment]
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING: ClassVar[str] = "ctrl+p"

    def __init__(self, path: Path | None = None, *, model: str | None = None, connect: Connect = connect) -> None:
        super().__init__(driver_class=StudioDriver)
        self.settings, self._faults = load_settings()
        self.model: ModelInfo | None = None
        self.model_state = "the model is loading"
        self.voices: Mapping[str, VectorInfo] = {}
        self.engine = EngineClient()
        self.vector_job = VectorJob(self.engine, self.show_status, partial(self.change_setting, "model"))
        self.unsaved: str | None = None
        self._path, self._model, self._connect = path, model, connect
        self._introduced = self._away = self._engine_asked_for = False
        self._said_former: set[str] = set()  # models
        self._key_queue = KeyQueue(self, super().on_event)

    @cached_property
    def personas(self) -> PersonaSet:
        """Every card; they are not read before they are asked for, as the text comes first."""
        return load_personas()

    def on_mount(self) -> None:
        """Show the text, or the start screen; the engine comes once that has been painted."""
        self.apply_settings(self.settings)
        if self._path is None:
            self.start()
        else:
            self.open(self._path)
        self.call_after_refresh(self._start_engine)
        # A key that was typed ahead takes the screen away, and with it what was to come once that is painted.
        self.set_timer(_PAINTED_SECONDS, self._start_engine)
        self.set_interval(_LOOK_SECONDS, self.unload_if_idle)
        for fault in self._faults:
            self.notify(fault, severity="warning", timeout=15, markup=False)

    def start(self) -> None:
        """Show the start screen, and open what is chosen there."""
        from billy_mlx.tui.screens.start import StartScreen

        screen = StartScreen()
        screen.say_model(self.model_state)
        self.push_screen(screen, self._opened)

    def open(self, path: Path, decide: Decide = ask_first) -> None:
        """Open a text, or ask what it is; if it cannot be opened, say why and show the start screen."""
        try:
            self.push_screen(WritingScreen(path, decide))
        except Undecided as doubt:
            question = (
                f"This text has the same words as {doubt.former.path}, which is gone and has {doubt.left} besides. "
                "Is it that text, moved?"
            )
            self.push_screen(
                Confirm(question, "It was moved", "It is a new text"),
                lambda moved: self.open(path, lambda _former, _left: moved),
            )
        except BillyError as error:
            self.start()
            self.notify(str(error), severity="error", timeout=30, markup=False)

    def apply_settings(self, settings: Settings) -> None:
        """Follow the settings."""
        self.settings = settings
        if settings.theme in self.available_themes:
            self.theme = settings.theme
        self.set_keymap({**settings.keys})
        for screen in self.screen_stack:
            if isinstance(screen, WritingScreen) and screen.is_mounted:
                screen.apply_settings()

    def on_engine_message(self, message: EngineMessage) -> None:
        """Remember what concerns everybody, and pass an event of the engine on to the screens."""
        self.engine.note_event()
        self._remember(message.event)
        self.vector_job.on_engine_event(message.event)
        for screen in self.screen_stack:
            if isinstance(screen, EngineListener):
                screen.on_engine_event(message.event)

    def unload_if_idle(self) -> None:
        """Free the model's memory, if nobody has needed it for as long as the settings say."""
        minutes = self.settings.unload_minutes
        if minutes and self.model is not None and not self._away and self.engine.quiet_seconds >= 60 * minutes:
            self.engine.ask(Unload())

    def choose_another(self) -> None:
        """Show the start screen instead of the text that is open."""
        self.pop_screen()
        self.start()

    def on_cards_changed(self, message: "CardsChanged") -> None:
        """Know the cards there are now."""
        self.personas = message.personas

    def on_vector_wanted(self, message: VectorWanted) -> None:
        """Prepare voices while the writer writes on, if they want that once it is known how long it takes."""
        if self.vector_job.is_busy():
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.vector_job.begin(message.personas, again=message.again)
                self._show_vector_job()

        known = self.personas.personas
        names = [known[each].name if each in known else each for each in message.personas]
        self.push_screen(self.vector_job.question(message.personas, names, again=message.again), answered)

    def on_vector_unwanted(self, _: VectorUnwanted) -> None:
        """Prepare no voice."""
        self.vector_job.cancel()
        self._show_vector_job()

    def on_learn_wanted(self, message: "LearnWanted") -> None:
        """Make a voice from a text: of a file, or of what is open."""
        with errors_shown(self.show_status):
            manuscript = None if self._page is None else self._page.manuscript
            self.vector_job.learn(message.persona_id, *text_to_learn(message.path, manuscript))
            self._show_vector_job()

    def get_model(self, chosen: tuple[str, tuple[str, ...]] | None) -> None:
        """Download a model by its hub id and prepare voices for it; nothing if none was chosen."""
        if chosen is not None:
            repo, personas = chosen
            self.vector_job.begin(personas, model=repo)

    def on_status_message(self, message: StatusMessage) -> None:
        """Show what a screen has to say."""
        self.show_status(message.text)

    def on_setting_changed(self, message: "SettingChanged") -> None:
        """Take up a setting, and keep it."""
        self.change_setting(message.name, message.value)

    def change_setting(self, name: str, value: object) -> None:
        """Change a setting, and keep it; if that is impossible, say why."""
        try:
            save_setting(name, value)
        except BillyError as error:
            self.notify(str(error), severity="error", timeout=15, markup=False)
        self.apply_settings(load_settings()[0])

    async def action_back(self) -> None:
        """Stay: what can be left has a way of its own, and Textual would take the page away."""

    def leave(self) -> None:
        """Save what is open, let go of the engine, and end; asks nobody, as after a signal nobody is there."""
        try:
            self._put_away()
        finally:
            self.exit()

    async def action_quit(self) -> None:
        """End the studio; ask first, if some of the text would be lost with it."""
        page = self._page
        if page is None:
            self.leave()
        elif not page.files.is_at_risk():
            page.files.leave_by(self.leave)
        elif not isinstance(self.screen, Confirm):  # it may be asked already

            def answered(yes: bool | None) -> None:
                if yes:
                    self.leave()

            question = "Some of your text is not saved and would be lost if you leave now:"
            why = page.manuscript.safety.problems[0]
            self.push_screen(Confirm(f"{question} {why}.", "Leave anyway", "Stay"), answered)

    async def on_event(self, event: Event) -> None:
        """Take in an event; keys and pastes wait for the gesture before them."""
        if isinstance(event, Key | Paste) and not event.is_forwarded:
            await self._key_queue.take(event)
        else:
            await super().on_event(event)

    async def run_action(
        self, action: "str | ActionParseResult", default_namespace: DOMNode | None = None, namespaces: Any = None
    ) -> bool:
        """Do what a key or the palette asks for; what the writer can put right is shown, and nothing ends."""
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except BillyError as error:
            self.show_status(str(error))
            return False

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Show a message for a while, wherever it comes from: of names and values in it nothing is obeyed."""
        message = sanitize(message)
        if isinstance(self.screen, WritingScreen):
            self.screen.place_toasts()
            message = self.screen.fitted(message)
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)

    def show_status(self, sentence: str) -> None:
        """Show a sentence to the writer, wherever that is done best."""
        if isinstance(self.screen, WritingScreen):
            self.screen.show_status(sentence)
        else:
            self.notify(sentence, severity="warning", timeout=15, markup=False)

    def action_help(self) -> None:
        """Show what can be done."""
        from billy_mlx.tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.settings.keys))

    def get_system_commands(self, screen: Screen) -> Iterable[SystemCommand]:  # type: ignore[type-arg]
        """Yield what the palette has: every command that can be done from where the writer is."""
        for command, target in available(screen):
            shown = described(command, self.settings.keys)
            yield SystemCommand(command.title, shown, partial(self.run_action, command.action, target))

    @property
    def _page(self) -> WritingScreen | None:
        """The text that is open, also where another screen lies over it."""
        return next((screen for screen in self.screen_stack if isinstance(screen, WritingScreen)), None)

    def _show_vector_job(self) -> None:
        if self._page is not None:
            self._page.voices.show_preparing()

    def _put_away(self) -> None:
        """Save what is open, and let go of it and of the engine."""
        if self._page is not None:
            self.unsaved = self._page.files.put_away() or self.unsaved
        self.engine.close()

    def _fatal_error(self) -> None:
        """End after an error that nobody foresaw, whose report is kept; on the screen it would be a page of code."""
        keep_report_of(self._exception)
        with contextlib.suppress(Exception):  # what is open may be what is broken; each word is in the journal
            self._put_away()
        self.panic(STOPPED)

    def _opened(self, path: Path | None) -> None:
        if path is None:
            self.leave()
        else:
            self.open(path)

    def _start_engine(self) -> None:
        if self._engine_asked_for:
            return
        self._engine_asked_for = True
        engine = self._connect(self._post_engine_event)
        self.engine.open(engine, self._model or self.settings.model or None)

    def _introduce(self) -> None:
        """Say what the starter model is; once, for it is loaded again and again."""
        if not self._introduced:
            self._introduced = True
            key = key_named("command-palette", self.settings.keys)
            self.notify(f"The starter model is a demonstration; {key} and “Models” show better ones.", timeout=12)

    def _post_engine_event(self, event: object) -> None:
        """Take an event from whatever thread it comes."""
        self.post_message(EngineMessage(event))

    def _remember(self, event: object) -> None:
        match event:
            case Loading(stage=stage):
                self._away, self.model, self.model_state = False, None, stage
            case Loaded(model=model, voices=voices, faults=faults, former=former):
                self.model, self.voices = model, voices
                self.model_state = f"{model.id}{', a demonstration' if model.demonstration else ''}"
                if model.demonstration and not (self._model or self.settings.model):
                    self._introduce()
                for fault in faults:
                    self.notify(fault, severity="warning", timeout=15, markup=False)
                if former is not None and model.id not in self._said_former:
                    self._said_former.add(model.id)
                    self.notify(former, timeout=30)
            case Unloaded(reason=reason, until_needed=True):
                self._away, self.model_state = True, reason
            case Unloaded(reason=reason):
                self.model, self.model_state = None, "no model"
                self.notify(reason, severity="error", timeout=30, markup=False)
            case VoiceReady(voice=voice):
                self.voices = {**self.voices, voice.persona_id: voice}
            case Broken(reason=reason, report=report):
                self.notify(reason, severity="error", timeout=30, markup=False)
                keep_report(report)


def run(path: Path | None = None, *, model: str | None = None) -> int:
    """Run the studio until the writer leaves it; returns the code to end the process with, 0 if all went well.

    Raises:
        ManuscriptError: it was left as it should be, but the text could not be saved.
    """
    studio = Studio(path, model=model)
    try:
        studio.run()
    finally:
        if isinstance(studio._driver, StudioDriver):
            studio._driver.restore()
    if studio.unsaved is not None and not studio.return_code:
        raise ManuscriptError(studio.unsaved)
    return studio.return_code or 0

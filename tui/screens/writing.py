"""The page: the manuscript, the voices beside it, and what is done with both."""

import gc
import os
import shlex
import subprocess
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.events import AppFocus, Key
from textual.widgets import Footer

from billy_mlx.engine.messages import Ended, Failed, Loaded, Progress, Unloaded, VoiceReady
from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.tui.commands import at, bindings
from billy_mlx.tui.drafts import PageDrafts
from billy_mlx.tui.keeping import Keeping
from billy_mlx.tui.messages import BlendChanged, Told
from billy_mlx.tui.reading import Reader
from billy_mlx.tui.screens.ask import Ask
from billy_mlx.tui.screens.excursions import Excursions
from billy_mlx.tui.settings import writing
from billy_mlx.tui.widgets.editor import Editor
from billy_mlx.tui.widgets.status import Status
from billy_mlx.tui.widgets.voices import VoicesPanel
from billy_mlx.tui.words import WordCount

_OF_DRAFTS = {command.action for command in at("draft")}
_OF_THE_LAST = {"retry", "next_draft", "previous_draft", "reopen"}
_WIDE = 100  # columns, from which on the voices stay beside the page
_FRAME_SECONDS = 1 / 30
_IDLE_SECONDS = 0.6


class WritingScreen(Excursions):
    """A manuscript being written.

    Args:
        path: of its file; there may be none yet.

    Raises:
        ManuscriptError: the file cannot be opened.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("page", "draft")
    BINDINGS = bindings("page", "draft")  # type: ignore[assignment]

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.manuscript = Manuscript.open(path)
        self._words, self._words_at_start = WordCount(), 0
        self._painting = False
        self._footed: tuple[int | None, int | None] = (None, None)

    def compose(self) -> ComposeResult:
        """Lay the page out."""
        with Horizontal():
            yield Editor(self.manuscript)
            yield VoicesPanel()
        yield Status()
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Bring page, voices and status together."""
        studio = self.studio
        self.editor, self.panel = self.query_one(Editor), self.query_one(VoicesPanel)
        self.status = self.query_one(Status)
        self.drafts = PageDrafts(self.manuscript, self.editor, studio.port, changed=self.show_soon, tell=self.tell)
        self.keeping = Keeping(self.app, self.manuscript, replaced=self.replaced, tell=self.tell)
        self.reader = Reader(studio.port)
        self.blend: str | None = studio.settings.blend or None
        self.show_voices()
        self.editor.colouring = studio.settings.colouring
        self.apply_settings()
        self.set_class(studio.settings.focus_mode, "-focus")
        self.editor.focus()
        self._words_at_start = self._words.of(self.manuscript.text.split("\n"))
        self.set_interval(studio.settings.autosave_seconds, self.keeping.save_quietly)
        self._idle = self.set_timer(_IDLE_SECONDS, self.rest)
        self.call_after_refresh(self.keeping.offer)
        self.call_after_refresh(gc.freeze)  # what is open stays: going through it again and again holds up keys
        for notice in self.manuscript.notices:
            self.tell(notice)
        self.show()

    def hear(self, event: object) -> None:
        """Take in an event of the engine."""
        self.drafts.hear(event)
        self.hear_abroad(event)
        if self.reader.hear(event):
            self._show_heat()
        if isinstance(event, Loaded | VoiceReady):
            self.reader.forget()
            self.show_voices()
            self.rest()
        if isinstance(event, Loaded | Unloaded | VoiceReady | Progress | Ended | Failed):
            self._show_preparing()
            self.show()

    def tell(self, sentence: str) -> None:
        """Show a sentence until the next key."""
        self.status.told = sentence

    def apply_settings(self) -> None:
        """Have the page be as the settings are now."""
        self.editor.measure = self.studio.settings.text_width
        self._show_panel(self.studio.settings.voices_panel)

    def show_voices(self) -> None:
        """Show the blend, and what is known of its vectors; nothing is while there is no model."""
        studio = self.studio
        self.panel.show(self.blend, None if studio.model is None else studio.voices, studio.personas)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a command means anything now: most of a draft's only while there is one."""
        if action not in _OF_DRAFTS or not self.is_mounted:
            return super().check_action(action, parameters)
        if action == "stop":
            return self.drafts.current is not None or not self.editor.has_focus
        return self.drafts.current is not None or (action in _OF_THE_LAST and self.drafts.last is not None)

    def show_soon(self) -> None:
        """Paint what has changed, at most so often that it can be followed."""
        if not self._painting:
            self._painting = True
            self.set_timer(_FRAME_SECONDS, self.show)

    def show(self) -> None:
        """Paint what has changed."""
        self._painting = False
        self.editor.refresh_draft()
        status, drafts = self.status, self.drafts
        status.model, status.doing, status.gauge = self.studio.model_state, drafts.state, drafts.coherence
        status.safety = str(self.manuscript.safety)
        status.words = self._counted()
        if self._footed != (drafts.current, drafts.last):  # a footer is laid out anew, which takes as long as a frame
            self._footed = (drafts.current, drafts.last)
            self.refresh_bindings()

    def rest(self) -> None:
        """Do what can wait until the writer pauses."""
        persona = self.editor.colouring
        if persona not in ("authors", "none") and self.studio.model is not None and self.studio.settings.reading:
            self.reader.read(self.manuscript.text, self.editor.cursor)
            self._show_heat()
        self.show()

    def replaced(self) -> None:
        """Show a text that was exchanged for another."""
        self.editor.sync()
        self.drafts.follow()
        self.rest()

    def put_away(self) -> None:
        """Save and let go of the manuscript."""
        self.drafts.stop()
        self.keeping.save_quietly()
        self.manuscript.close()

    # What the writer does.

    def on_key(self, _: Key) -> None:
        """Take the last sentence away: it was read."""
        self.status.told = ""

    def on_editor_edited(self, _: Editor.Edited) -> None:
        """Follow the writer."""
        if self.studio.settings.typewriter:
            self.editor.scroll_cursor_visible(center=True)
        self._idle.stop()
        self._idle = self.set_timer(_IDLE_SECONDS, self.rest)
        self.drafts.follow()

    def on_told(self, message: Told) -> None:
        """Show what a widget has to say."""
        self.tell(message.text)

    def on_blend_changed(self, message: BlendChanged) -> None:
        """Have the voices be as the dials are, also while text streams."""
        self.blend = message.blend
        self.drafts.steer(message.blend)

    def on_app_focus(self, _: AppFocus) -> None:
        """Look what other programs did while the writer was away."""
        self.keeping.look_elsewhere()

    def on_resize(self) -> None:
        """Show the voices beside the page where there is room."""
        self._show_panel(self.studio.settings.voices_panel)

    def action_continue(self) -> None:
        """Have the voices go on from the cursor."""
        self.need_model()
        self.drafts.go_on((self.blend,), writing(self.studio.settings))

    def action_rewrite(self) -> None:
        """Have the voices write the selection anew."""
        self.need_model()
        self.drafts.rewrite((self.blend,), writing(self.studio.settings))

    def action_instruct(self) -> None:
        """Ask what should happen, then go on, or rewrite the selection."""
        start, end = self.editor.selected
        title = "Rewrite the selection: what should change?" if end > start else "What should happen next?"
        self.app.push_screen(Ask(title), self._instructed)

    def _instructed(self, instruction: str | None) -> None:
        if not instruction:
            return
        start, end = self.editor.selected
        begin = self.drafts.rewrite if end > start else self.drafts.go_on
        with self.telling():
            self.need_model()
            begin((self.blend,), writing(self.studio.settings), instruction)

    def action_retry(self) -> None:
        """Have another alternative written."""
        self.need_model()
        self.drafts.again((self.blend,), writing(self.studio.settings))

    def action_accept(self) -> None:
        """Put the draft into the text."""
        self.drafts.accept()

    def action_accept_sentence(self) -> None:
        """Put its next sentence into the text."""
        self.drafts.accept_sentence()

    def action_accept_word(self) -> None:
        """Put its next word into the text."""
        self.drafts.accept_word()

    def action_stop(self) -> None:
        """Stop the model; a second time, put the draft away."""
        if not self.editor.has_focus:
            self.editor.focus()
            self._show_panel(self.studio.settings.voices_panel)
        else:
            self.drafts.stop_or_put_away()

    def action_next_draft(self) -> None:
        """Show the next alternative."""
        self.drafts.swipe(1)

    def action_previous_draft(self) -> None:
        """Show the alternative before this one."""
        self.drafts.swipe(-1)

    def action_reopen(self) -> None:
        """Take up the last draft again."""
        self.drafts.reopen()

    def action_undo(self) -> None:
        """Take the last step back."""
        self.editor.undo()
        self.drafts.follow()

    def action_redo(self) -> None:
        """Make the step again."""
        self.editor.redo()
        self.drafts.follow()

    def action_save(self) -> None:
        """Save now."""
        self.keeping.save()
        self.show()

    def action_voices(self) -> None:
        """Go to the voices."""
        self.panel.display = True
        self.panel.focus()

    def action_editor(self) -> None:
        """Hand the text to the writer's own editor."""
        command = self.studio.settings.editor or os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
        self.manuscript.save()
        try:
            with self.app.suspend():
                subprocess.run([*shlex.split(command), str(self.manuscript.path)], check=False)
        except OSError as error:
            raise ManuscriptError(f"{command} cannot be started: {error.strerror}; set another editor") from error
        self.keeping.look_elsewhere()

    def _show_panel(self, wanted: bool) -> None:
        self.panel.display = self.panel.has_focus_within or (wanted and self.size.width >= _WIDE)

    def _show_preparing(self) -> None:
        progress = self.studio.preparing.progress
        if progress is None:
            self.panel.prepared()
        else:
            self.panel.preparing(progress.stage, progress.share, progress.seconds_left)

    def _show_heat(self) -> None:
        persona = self.editor.colouring
        if persona not in ("authors", "none"):
            self.editor.set_scores(self.reader.heat(self.manuscript.text, persona))

    def _counted(self) -> str:
        words = self._words.of(self.manuscript.text.split("\n"))
        goal = self.studio.settings.word_goal
        today = f" · {words - self._words_at_start:+,} of {goal:,}" if goal else ""
        return f"{words:,} words{today}"

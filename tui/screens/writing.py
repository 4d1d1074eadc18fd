"""The page: the manuscript, the voices beside it, and what is done with both."""

import gc
import os
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.events import Key
from textual.timer import Timer

from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.blend.naming import name_of
from billy_mlx.engine.messages import Ended, Failed, Loaded, Loading, Progress, Unloaded, VoiceReady
from billy_mlx.manuscript.former import Decide, undecided
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.tui.chorus_drafts import ChorusDrafts
from billy_mlx.tui.commands import COMMANDS, at, bindings
from billy_mlx.tui.keys import keys_of
from billy_mlx.tui.messages import BlendChanged, StatusMessage
from billy_mlx.tui.page.autosave import Keeping
from billy_mlx.tui.page.persona_scores import Reader
from billy_mlx.tui.page.rewriting import Rewriting
from billy_mlx.tui.screens.excursions import Excursions
from billy_mlx.tui.screens.rewrite_keys import RewriteKeys
from billy_mlx.tui.screens.voices_panel import VoicesPanel
from billy_mlx.tui.widgets.editor import Editor
from billy_mlx.tui.widgets.status import HeadingLine, LastingFooter, Status
from billy_mlx.tui.word_count import WordCount, WordsWritten, amount

_CONTINUE = next(command for command in COMMANDS if command.name == "continue")
_OF_DRAFTS = {command.action for command in at("draft")}
_NOT_OF_REWRITES = {"accept", "accept_sentence", "accept_word"}
_OF_THE_LAST = {"retry", "next_draft", "previous_draft", "reopen", "uncut"}
_WIDE = 100  # columns, from which on the voices stay beside the page
_FRAME_SECONDS = 1 / 30
_IDLE_SECONDS = 0.6
_WATCH_SECONDS = 1.0  # apart are looks at how safe the text is: the disk's answers come without a word


class WritingScreen(Excursions):
    """A manuscript being written.

    Args:
        path: of its file; there may be none yet.
        decide: whether it is another text under another name, as `Manuscript.open` has it.

    Raises:
        ManuscriptError: the file cannot be opened, or it has to be decided first what it is.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("page", "rewrite", "draft")
    BINDINGS = bindings("page", "draft")  # type: ignore[assignment]

    def __init__(self, path: Path, decide: Decide = undecided) -> None:
        super().__init__()
        self.manuscript = Manuscript.open(path, decide=decide)
        self._words = WordCount()
        self._written: WordsWritten | None = None  # until the words are counted
        self._painting = False
        self._saving: Timer | None = None
        self._saving_seconds = 0.0
        self._footed: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay the page out."""
        yield HeadingLine()
        with RewriteKeys():
            yield Editor(self.manuscript)
            yield VoicesPanel()
        yield Status()
        yield LastingFooter(show_command_palette=False)

    def on_mount(self) -> None:
        """Bring page, voices and status together."""
        studio = self.studio
        self.editor, self.panel = self.query_one(Editor), self.query_one(VoicesPanel)
        self.status, self.heading = self.query_one(Status), self.query_one(HeadingLine)
        self.drafts = ChorusDrafts(self.manuscript, self.editor, studio.port, changed=self.show_soon, tell=self.tell)
        self.rewriting = Rewriting(
            self.manuscript,
            self.editor,
            self.drafts,
            beside=self.action_beside,
            changed=self.show_soon,
            tell=self.tell,
        )
        self.keeping = Keeping(self.app, self.manuscript, self)
        self.reader = Reader(studio.port)
        self.blend = Blend.parse(studio.settings.blend) if studio.settings.blend else ALONE
        self.heading.text = self.manuscript.name
        self.editor.colouring = studio.settings.colouring
        self.set_class(studio.settings.focus_mode, "-focus")
        self.editor.focus()
        end = len(self.manuscript.text)
        self.editor.select(end, end)  # where a text is gone on with
        self.apply_settings()
        self.set_interval(_WATCH_SECONDS, self.watch_over)
        self.watch(self.app, "app_focus", self.look_elsewhere, init=False)
        self.watch(self.editor, "scroll_y", self.on_text_area_selection_changed, init=False)
        self._idle = self.set_timer(_IDLE_SECONDS, self.rest)
        self.keeping.offer()  # before a key can be typed: it would go into the text that is offered another
        self.call_after_refresh(self._complete)
        self.call_after_refresh(gc.freeze)  # what is open stays: going through it again and again holds up keys
        if self.manuscript.notices:
            self.tell(". ".join(self.manuscript.notices))

    def hear(self, event: object) -> None:
        """Take in an event of the engine."""
        self.drafts.hear(event)
        self.hear_abroad(event)
        if self.reader.hear(event):
            self._show_heat()
        if isinstance(event, Loaded | VoiceReady):
            if not (isinstance(event, Loaded) and event.again):  # what a model has read before holds still
                self.reader.forget()
            self.show_voices()
            self.rest()
        if isinstance(event, Loading | Loaded | Unloaded | VoiceReady | Progress | Ended | Failed):
            self.show_preparing()
            self.show()

    def tell(self, sentence: str) -> None:
        """Show a sentence until the next key; above all else, too, where the line below the page cannot show it."""
        if self.singing is not None:
            self.singing.tell(sentence)
            return
        self.status.told = sentence
        room = self.app.size.width - len(self.status.words) - len(self.status.safety) - 6
        if self.app.screen is not self or self.has_class("-focus") or len(sentence) > room:
            self.notify(sentence, timeout=15, markup=False)

    def apply_settings(self) -> None:
        """Have the page be as the settings are now."""
        settings = self.studio.settings
        self.editor.measure = settings.text_width
        self.editor.typewriter = settings.typewriter
        self.editor.hint = f"Write. {keys_of(_CONTINUE, settings.keys).split(',')[0]} continues."
        self.editor.give_away({key for keys in settings.keys.values() for key in keys.split(",")})
        self.show_panel()
        if self._saving is None or settings.autosave_seconds != self._saving_seconds:
            if self._saving is not None:
                self._saving.stop()
            self._saving_seconds = settings.autosave_seconds
            self._saving = self.set_interval(self._saving_seconds, self.keeping.save_quietly)
        self.show()

    def show_voices(self) -> None:
        """Show the blend, and what is known of its vectors; nothing is while there is no model."""
        studio, model = self.studio, self.studio.model
        notes, layer_count = (None, None) if model is None else (studio.voices, model.layers)
        self.panel.show(self.blend, notes, studio.personas, layer_count)
        self._show_blend()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a command means anything now: most of a draft's only while there is one."""
        if action not in _OF_DRAFTS or not self.is_mounted:
            return super().check_action(action, parameters)
        rewrite = self.rewriting.current
        if action == "beside" or (action in _NOT_OF_REWRITES and rewrite is not None):
            return action == "beside" and rewrite is not None
        if action == "stop":
            return self.drafts.current is not None or not self.editor.has_focus or bool(self.query("FindBar"))
        return self.drafts.current is not None or (action in _OF_THE_LAST and self.drafts.last is not None)

    def show_panel(self) -> None:
        """Show the voices where the writer is at them, or wants them and there is room beside the page."""
        wanted = self.studio.settings.voices_panel and not self.has_class("-focus")
        self.panel.display = self.panel.has_focus_within or (wanted and self.size.width >= _WIDE)

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
        status, drafts = self.status, self.drafts
        status.model, status.gauge = self.studio.model_state, drafts.coherence
        # Until the model is there, that it is loaded is all that it does.
        told = "" if self.studio.model is None and drafts.running else drafts.told
        status.doing = " · ".join(part for part in (self.rewriting.words, told) if part)
        status.safety = self._safety()
        status.words = self._counted()
        coloured_by = self.editor.colouring
        status.measured = "" if coloured_by in ("authors", "none") else self.persona_title(coloured_by)
        footed = drafts.current, drafts.last, drafts.running, self.rewriting.current
        if self._footed != footed:  # a footer is laid out anew, which takes as long as a frame
            self._footed = footed
            self.refresh_bindings()

    def show_preparing(self) -> None:
        """Show how far the making of vectors is: below the page, and beside it where the voices are."""
        preparing = self.studio.preparing
        self.status.making = preparing.brief
        if preparing.stopping:
            self.panel.stopping()
        elif preparing.progress is None:
            self.panel.prepared()
        else:
            progress = preparing.progress
            self.panel.preparing(progress.stage, progress.share, progress.seconds_left)

    def rest(self) -> None:
        """Do what can wait until the writer pauses."""
        persona = self.editor.colouring
        if persona not in ("authors", "none") and self.studio.model is not None and self.studio.settings.reading:
            self.reader.read(self.manuscript.text, self.editor.cursor)
            self._show_heat()
        self.heading.text = self.manuscript.name
        self.show()
        self.remind_of_name(self._words.of(self.manuscript.text))

    def replaced(self, *, follow: bool = True) -> None:
        """Show a text that was exchanged for another; with `follow` the cursor goes to where it differs."""
        if self._written is not None:
            self._written.exchanged(self._words.of(self.manuscript.text))
        self.editor.sync(follow=follow)
        self.drafts.follow()
        self.rest()

    def watch_over(self) -> None:
        """Show how safe the text is by now, and say what has gone wrong."""
        self.status.safety = self._safety()
        self.keeping.watch()

    def look_elsewhere(self, focused: bool) -> None:
        """Look what other programs did while the writer was away."""
        if focused:
            self.keeping.look_elsewhere()

    def is_at_risk(self) -> bool:
        """Save what is not saved, and return whether some of it is in memory only even so."""
        manuscript = self.manuscript
        return manuscript.read_only is None and manuscript.safety.unsaved and manuscript.save().at_risk

    def put_away(self) -> str | None:
        """Save and let go of the manuscript; returns a sentence if some of it could not be saved."""
        self.drafts.stop()
        self.keeping.finish()
        return self.manuscript.close()

    # What the writer does.

    def on_key(self, _: Key) -> None:
        """Take the last sentence away: it was read."""
        self.status.told = ""

    def on_editor_edited(self, _: Editor.Edited) -> None:
        """Follow the writer."""
        self.status.told = ""
        self._idle.stop()
        self._idle = self.set_timer(_IDLE_SECONDS, self.rest)
        self.drafts.follow()

    def on_status_message(self, message: StatusMessage) -> None:
        """Show what a widget has to say."""
        self.tell(message.text)

    def on_blend_changed(self, message: BlendChanged) -> None:
        """Have the voices be as the dials are, also while text streams."""
        self.blend = message.blend
        self._show_blend()
        self.drafts.steer(message.blend)

    def on_resize(self) -> None:
        """Show the voices beside the page where there is room, and as many keys."""
        self.show_panel()
        self.refresh_bindings()
        self.call_after_refresh(self.place_toasts)

    def on_descendant_focus(self) -> None:
        """Hide the voices again where they stood in for the page, however the writer left them."""
        self.show_panel()

    def action_stop(self) -> None:
        """Stop the model, or put the draft away, if the writer is in the text; else go back there."""
        if not self.editor.has_focus:
            self.editor.focus()
        elif self.query("FindBar") and not self.drafts.running:
            self.close_find()
        else:
            self.drafts.stop_or_put_away()

    def action_voices(self) -> None:
        """Go to the voices."""
        self.panel.display = True
        self.panel.focus()

    def action_editor(self) -> None:
        """Hand the text to the writer's own editor."""
        commands = (self.studio.settings.editor, os.environ.get("VISUAL", ""), os.environ.get("EDITOR", ""), "vi")
        self.keeping.hand_over(next(command for command in commands if command.strip()))

    def _show_blend(self) -> None:
        titles = {persona.id: persona.name for persona in self.studio.personas.personas.values()}
        self.heading.blend = name_of(self.blend, titles)

    def _show_heat(self) -> None:
        persona = self.editor.colouring
        if persona not in ("authors", "none"):
            self.editor.set_scores(self.reader.heat(self.manuscript.text, persona))

    def _complete(self) -> None:
        """Show what can wait until the text is on the screen."""
        self.show_voices()
        self._written = WordsWritten(self._words.of(self.manuscript.text))
        self.show()

    def _safety(self) -> str:
        return str(self.manuscript.safety) if self.manuscript.read_only is None else "read only"

    def _counted(self) -> str:
        if self._written is None:
            return ""
        words, own = self._words.of(self.manuscript.text), self.manuscript.goal.words
        goal = self.studio.settings.word_goal if own is None else own
        new = self._written.of(words)
        return f"{amount(words)}{f' · {new:+,} of {goal:,}' if goal else ''}"

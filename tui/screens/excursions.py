"""Where one can go from the page, and what comes back from there.

A screen is imported when it is first gone to: together they take longer than the page itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.screen import Screen

from billy_mlx.blend.blend import Blend
from billy_mlx.engine.messages import Compare, Compared, Job, Load, Survey, Surveyed
from billy_mlx.errors import BillyError, ManuscriptError
from billy_mlx.manuscript.context.guide import Guide
from billy_mlx.manuscript.hunks import Hunk
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.tui.blends import saved_blends
from billy_mlx.tui.drafts import PageDrafts
from billy_mlx.tui.schema import refusal
from billy_mlx.tui.screens.ask import Ask
from billy_mlx.tui.settings import Settings, writing
from billy_mlx.tui.widgets.editor import Editor
from billy_mlx.tui.widgets.status import Status
from billy_mlx.tui.widgets.voices import VoicesPanel
from billy_mlx.write.messages import Sent

if TYPE_CHECKING:
    from billy_mlx.tui.app import Studio
    from billy_mlx.tui.choir import Choir
    from billy_mlx.tui.screens.chorus import ChorusScreen
    from billy_mlx.tui.screens.find import FindClosed, Found, ReplaceWanted


class Excursions(Screen[None]):
    """The commands of the page that lead to another screen and back.

    Attributes:
        manuscript: what is written on.
        blend: what it is written with, in its text form; None is the unsteered model.
    """

    manuscript: Manuscript
    editor: Editor
    panel: VoicesPanel
    status: Status
    drafts: PageDrafts
    blend: str | None
    _looking: Job | None = None
    _choir: "Choir | None" = None
    _sung: tuple[str | None, ...] | None = None
    _compared: Compared | None = None

    @property
    def studio(self) -> "Studio":
        """The application, which has what all screens share."""
        return cast("Studio", self.app)

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Tell what the writer can put right, and go on."""
        try:
            yield
        except BillyError as error:
            self.tell(str(error))

    def replaced(self) -> None:
        """Show a text that was exchanged for another."""
        raise NotImplementedError

    def tell(self, sentence: str) -> None:
        """Show a sentence to the writer."""
        raise NotImplementedError

    def put_away(self) -> None:
        """Save and let go of the manuscript."""
        raise NotImplementedError

    def hear_abroad(self, event: object) -> None:
        """Take in what the engine answers to what was asked here."""
        if self._choir is not None:
            self._choir.hear(event)
        match event:
            case Sent(job=job, context=context) if job == self._looking:
                from billy_mlx.tui.screens.context import ContextScreen

                self._looking = None
                self.app.push_screen(ContextScreen(context))
            case Surveyed():
                from billy_mlx.tui.screens.models import ModelsScreen

                screen = ModelsScreen(event, self.studio.personas, self.studio.preparing.progress)
                self.app.push_screen(screen, self._model_chosen)
            case Compared():
                self._compared = event

    # Finding.

    def action_find(self) -> None:
        """Find text, and replace it if that is wanted."""
        from billy_mlx.tui.screens.find import FindBar

        for bar in self.query(FindBar):
            bar.remove()
        start, end = self.editor.selected
        bar = FindBar(lambda: self.manuscript.text, lambda: self.editor.cursor, self.manuscript.text[start:end])
        self.mount(bar, before=self.status)

    def on_found(self, message: "Found") -> None:
        """Show what was found."""
        self.editor.select(message.start, message.end)

    def on_replace_wanted(self, message: "ReplaceWanted") -> None:
        """Replace, as one step."""
        self._replace(message.hunks)

    def on_find_closed(self, _: "FindClosed") -> None:
        """Go back to the page."""
        from billy_mlx.tui.screens.find import FindBar

        self.query(FindBar).remove()
        self.editor.focus()

    def _replace(self, hunks: tuple[Hunk, ...]) -> None:
        with self.telling():
            self.manuscript.replace(hunks)
        self.replaced()

    # A chorus.

    def action_chorus(self) -> None:
        """See the continuation in several voices at once."""
        from billy_mlx.tui.choir import Choir, usual_voices

        self.need_model()
        voices = self._sung or usual_voices(self.blend, self.studio.settings.chorus_voices)
        self._choir = Choir(self.manuscript, self.drafts, voices)
        self._choir.begin(writing(self.studio.settings))
        self.app.push_screen(self._choir.screen, self._sung_out)

    def on_chorus_screen_taken(self, message: "ChorusScreen.Taken") -> None:
        """Put a voice's text into the manuscript."""
        with self.telling():
            if self._choir is not None:
                self._choir.take(message.voice, message.length)

    def on_chorus_screen_again(self, _: "ChorusScreen.Again") -> None:
        """Have all write once more."""
        if self._choir is not None:
            self._sing(self._choir.voices)

    def on_chorus_screen_stop_all(self, _: "ChorusScreen.StopAll") -> None:
        """Have all stop."""
        self.drafts.stop()

    def on_chorus_screen_choose_voices(self, _: "ChorusScreen.ChooseVoices") -> None:
        """Have other voices chosen."""
        from billy_mlx.tui.screens.chorus import ChorusVoices

        if self._choir is not None:
            asking = ChorusVoices(self.blend, saved_blends()[0], self._choir.voices)
            self.app.push_screen(asking, self._sing)

    def _sing(self, voices: tuple[str | None, ...] | None) -> None:
        if self._choir is not None and voices:
            self._sung = voices
            with self.telling():
                self._choir.again(voices, writing(self.studio.settings))

    def _sung_out(self, _: None) -> None:
        self._choir = None
        self.replaced()

    # Personas.

    def action_personas(self) -> None:
        """Show all personas and their vectors."""
        from billy_mlx.tui.screens.personas import PersonasScreen

        self.studio.port.ask(Compare(self.studio.port.next_job()))
        screen = PersonasScreen(self.studio.personas, self.studio.voices, self._compared)
        self.app.push_screen(screen, self.panel.add)

    def action_export(self) -> None:
        """Write the text out for others."""
        from billy_mlx.tui.screens.export import ExportScreen

        self.app.push_screen(
            ExportScreen(self.manuscript, self.studio.settings.author),
            lambda path: None if path is None else self.tell(f"written: {path}"),
        )

    # What the model is told.

    def action_context(self) -> None:
        """Show what the model would be sent from the cursor."""
        request = self.drafts.desk.look(self.editor.cursor, writing=writing(self.studio.settings))
        self._looking = request.job
        self.studio.port.ask(request)

    def action_guide(self) -> None:
        """Write down what the model should always know."""
        from billy_mlx.tui.screens.guide import GuideScreen

        self.app.push_screen(GuideScreen(self.manuscript.guide), self._guided)

    def _guided(self, guide: Guide | None) -> None:
        if guide is not None:
            with self.telling():
                self.manuscript.guide = guide

    # Versions.

    def action_history(self) -> None:
        """Show every version, and go back to one."""
        from billy_mlx.tui.screens.history import HistoryScreen

        self.app.push_screen(HistoryScreen(self.manuscript), self._travelled)

    def _travelled(self, answer: tuple[str, int | str] | None) -> None:
        with self.telling():
            match answer:
                case ("go", int(revision)):
                    self.manuscript.versions.go(revision)
                case ("switch", str(branch)):
                    self.manuscript.versions.switch(branch)
        self.replaced()

    # The studio.

    def action_colours(self) -> None:
        """Colour the text in the next way there is."""
        heard = Blend.parse(self.blend).persona_ids if self.blend else ()
        ways = ["authors", *(persona for persona in heard if persona in self.studio.voices), "none"]
        now = self.editor.colouring
        self.editor.colouring = ways[(ways.index(now) + 1) % len(ways)] if now in ways else "authors"
        names = {"authors": "coloured by who wrote it", "none": "not coloured"}
        self.tell(
            f"the text is {names.get(self.editor.colouring, f'coloured by how much it is {self.editor.colouring}')}"
        )

    def action_settings(self) -> None:
        """Change how the studio looks and writes."""
        from billy_mlx.tui.screens.settings import SettingsScreen

        self.app.push_screen(SettingsScreen(self.studio.settings))

    def action_focus_mode(self) -> None:
        """Show nothing but the text, or everything again."""
        self.toggle_class("-focus")
        self.editor.focus()

    def action_goal(self) -> None:
        """Set how many words are to be written today."""
        self.app.push_screen(
            Ask(
                "How many words do you want to write today?",
                str(self.studio.settings.word_goal or ""),
                partial(refusal, Settings(), "word_goal"),
            ),
            lambda text: None if text is None else self.studio.change_setting("word_goal", text),
        )

    def action_open(self) -> None:
        """Put this text away and choose another."""
        self.put_away()
        self.studio.choose_another()

    def action_models(self) -> None:
        """See which models this machine can run."""
        self.tell("looking what this machine can run ...")
        self.studio.port.ask(Survey(self.studio.port.next_job()))

    def action_reload(self) -> None:
        """Load the model again."""
        self.studio.port.ask(Load(self.studio.settings.model or None))

    def _model_chosen(self, answer: tuple[str, tuple[str, ...]] | None) -> None:
        if answer is not None:
            repo, personas = answer
            self.studio.preparing.begin(personas, model=repo)

    def need_model(self) -> None:
        """Raise ManuscriptError if there is no model to write with."""
        if self.studio.model is None:
            raise ManuscriptError(f"{self.studio.model_state}; the voices can go on once it is there")

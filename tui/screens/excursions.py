"""Where one can go from the page, and what comes back from there.

A screen is imported when it is first gone to: together they take longer than the page itself.
"""

import time
from typing import TYPE_CHECKING, cast

from billy_mlx.engine.messages import Compare, Compared, Failed, Job, Load, Survey, Surveyed
from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.context.guide import Guide
from billy_mlx.manuscript.hunks import Hunk
from billy_mlx.tui.page.files import Naming
from billy_mlx.tui.screens.dialogs import Ask
from billy_mlx.tui.screens.legend import at_place, legend
from billy_mlx.tui.screens.singing import Singing
from billy_mlx.tui.setting_fields import checked, refusal
from billy_mlx.tui.settings import Settings, writing
from billy_mlx.write.messages import Sent

if TYPE_CHECKING:
    from billy_mlx.tui.screens.find import FindClosed, MatchChosen, ReplaceWanted
    from billy_mlx.tui.screens.history import Journey

_UNREAD = ", but is not read: switch on “Read in the background” in the settings"


class Excursions(Singing, Naming):
    """The commands of the page that lead to another screen and back."""

    _looking: tuple[Job, object] | None = None
    _surveying: tuple[Job, object] | None = None
    _compared: Compared | None = None

    def hear_abroad(self, event: object) -> None:
        """Take in what the engine answers to what was asked here."""
        if self._choir is not None:
            self._choir.hear(event)
        match event:
            case Sent(job=job, context=context) if self._looking is not None and job == self._looking[0]:
                from billy_mlx.tui.screens.context import ContextScreen

                asked, self._looking = self._looking, None
                if self._may_open(asked, "What the model is sent", "context"):
                    self.tell("")  # it was looked up
                    self.app.push_screen(ContextScreen(context))
            case Failed(job=job, reason=reason) if job in {asked and asked[0] for asked in self._asked}:
                self.tell(reason)
            case Surveyed(job=job) if self._surveying is not None and job == self._surveying[0]:
                from billy_mlx.tui.screens.models import ModelsScreen

                asked, self._surveying = self._surveying, None
                if self._may_open(asked, "The list of models", "models"):
                    self.tell("")
                    screen = ModelsScreen(event, self.studio.personas, self.studio.preparing.progress)
                    self.app.push_screen(screen, self._model_chosen)
            case Compared():
                self._compared = event

    def _may_open(self, asked: "tuple[Job, object]", what: str, command: str) -> bool:
        """Return whether a screen may open that was asked for a while ago: it would take what is typed meanwhile."""
        if self.app.screen is self and asked[1] == self._moment:
            return True
        self.tell(f"{what} is ready; ask for it again: {self.key_of(command)}")
        return False

    # Finding.

    def action_find(self) -> None:
        """Find text, and replace it if that is wanted."""
        from billy_mlx.tui.screens.find import FindBar

        self.query(FindBar).remove()
        start, end = self.editor.selected
        text, keys = self.manuscript.text[start:end], self.studio.settings.keys
        bar = FindBar(lambda: self.manuscript.text, lambda: self.editor.cursor, text, keys)
        self.mount(bar, before=self.status)
        self.call_after_refresh(self.place_toasts)

    def on_match_chosen(self, message: "MatchChosen") -> None:
        """Show what was found."""
        self.editor.select(message.start, message.end)

    def on_replace_wanted(self, message: "ReplaceWanted") -> None:
        """Replace, as one step."""
        self._replace(message.hunks)

    def on_find_closed(self, _: "FindClosed") -> None:
        """Go back to the page."""
        self.close_find()

    def close_find(self) -> None:
        """Take the bar for finding away, and go back to the text."""
        self.query("FindBar").remove()
        self.editor.focus()
        self.call_after_refresh(self.place_toasts)

    def _replace(self, hunks: tuple[Hunk, ...]) -> None:
        with self.telling():
            self.manuscript.replace(hunks)
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

        self.app.push_screen(ExportScreen(self.manuscript, self.studio.settings.author))  # which says what it wrote

    # What the model is told.

    def action_context(self) -> None:
        """Show what the model would be sent from the cursor; for a draft that stands there, with what was asked."""
        if self.studio.model is None:
            raise ManuscriptError(f"{self.studio.model_state}; look again once it is ready")
        draft = self.drafts.here
        request = self.drafts.desk.look(
            self.editor.cursor if draft is None else draft.start,
            writing=writing(self.studio.settings),
            selection=None if draft is None or draft.start == draft.end else (draft.start, draft.end),
            instruction="" if draft is None else draft.instruction,
        )
        self._looking = request.job, self._moment
        self.tell("finding out what the model is sent ...")
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

    def _travelled(self, answer: "Journey | None") -> None:
        versions = self.manuscript.versions
        with self.telling():
            match answer:
                case ("go", int(revision)):
                    versions.go(revision)
                    self.tell(f"this is the version you chose; {self.key_of('undo')} takes you back")
                case ("switch", str(branch)):
                    versions.switch(branch)
                    self.tell(f"you are on the branch {branch}")
                case ("branch", int(revision), str(name)):
                    before = versions.branch
                    versions.begin_branch(name, revision)
                    self.tell(f"the branch {name} starts here; {self.key_of('history')} takes you back to {before}")
        self.replaced()

    # The studio.

    def action_colours(self) -> None:
        """Colour the text in the next way there is."""
        heard = self.blend.persona_ids
        ways = ["authors", *(persona for persona in heard if persona in self.studio.voices), "none"]
        now = self.editor.colouring
        self.editor.colouring = ways[(ways.index(now) + 1) % len(ways)] if now in ways else "authors"
        self.rest()  # which has the model read the text for it
        by_authors = f"the text is coloured by who wrote it; {self.key_of('legend')} says which letter is whose"
        names = {"authors": by_authors, "none": "the text is not coloured"}
        measured = f"how much each sentence reads like {self.persona_title(self.editor.colouring)}"
        way = names.get(self.editor.colouring, f"the colours measure {measured}, whoever wrote it")
        unread = "" if self.editor.colouring in names or self.studio.settings.reading else _UNREAD
        self.tell(f"{way}{unread}")

    def action_who(self) -> None:
        """Say who wrote the passage at the cursor."""
        self.tell(self._who_is_here())

    def action_legend(self) -> None:
        """Show what the signs at the left edge stand for."""
        from billy_mlx.tui.screens.legend import LegendScreen

        entries = legend(self.manuscript, self.editor.mark_of, self.persona_titles)
        self.app.push_screen(LegendScreen(entries, self._who_is_here()))

    def _who_is_here(self) -> str:
        return at_place(self.manuscript, self.editor.cursor, self.persona_titles, time.time())

    def action_settings(self) -> None:
        """Change how the studio looks and writes."""
        from billy_mlx.tui.screens.settings import SettingsScreen

        self.app.push_screen(SettingsScreen(self.studio.settings))

    def action_focus_mode(self) -> None:
        """Show nothing but the text, or everything again."""
        self.toggle_class("-focus")
        self.editor.focus()
        self.show_panel()

    def action_goal(self) -> None:
        """Set how many words are to be written in this text today."""
        goal = self.manuscript.goal

        def check(text: str) -> str | None:
            return refusal(Settings(), "word_goal", text) if text.strip() else None

        def answered(text: str | None) -> None:
            if text is not None:
                with self.telling():
                    goal.words = cast("int", checked(Settings(), "word_goal", text)) if text.strip() else None
                self.rest()

        usual = self.studio.settings.word_goal or "none"
        question = (
            f"How many words do you want to write in this text today? Leave it empty for the {usual} of the settings."
        )
        self.app.push_screen(Ask(question, "" if goal.words is None else str(goal.words), check), answered)

    def action_open(self) -> None:
        """Put this text away and choose another."""
        if self.is_at_risk():
            raise ManuscriptError(f"{self.manuscript.safety.problems[0]}; this text stays open until then")
        self.leave_by(self._leave_for_another)

    def _leave_for_another(self) -> None:
        unsaved = self.put_away()
        self.studio.choose_another()
        if unsaved is not None:
            self.studio.tell(unsaved)

    def action_models(self) -> None:
        """See which models this machine can run."""
        self.tell("finding out what this machine can run ...")
        self._surveying = self.studio.port.next_job(), self._moment
        self.studio.port.ask(Survey(self._surveying[0]))

    def action_reload(self) -> None:
        """Load the model again."""
        self.studio.port.ask(Load(self.studio.settings.model or None))

    @property
    def _asked(self) -> tuple[tuple[Job, object] | None, ...]:
        return self._looking, self._surveying

    @property
    def _moment(self) -> object:
        """What the writer is at: text, cursor and what has the focus."""
        return self.manuscript.prose, self.editor.cursor, self.focused

    def _model_chosen(self, answer: tuple[str, tuple[str, ...]] | None) -> None:
        if answer is not None:
            repo, personas = answer
            self.studio.preparing.begin(personas, model=repo)

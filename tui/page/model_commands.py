"""The commands about the model: what it is sent, which models there are, load it again."""

from typing import TYPE_CHECKING

from billy_mlx.engine.messages import Failed, Job, ListModels, Load, ModelsListed
from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.context.parts import Context
from billy_mlx.tui.settings import writing
from billy_mlx.write.messages import Sent

if TYPE_CHECKING:
    from billy_mlx.tui.screens.writing import WritingScreen


class ModelCommands:
    """Asks the engine, and opens a screen with the answer if the writer has done nothing else meanwhile.

    Screens are imported when they are first opened: together they take longer than the page itself.

    Args:
        page: whose model it is.
    """

    def __init__(self, page: "WritingScreen") -> None:
        self._page = page
        # The jobs that were asked for, each with what the writer was at then.
        self._context: tuple[Job, object] | None = None
        self._survey: tuple[Job, object] | None = None

    def action_context(self) -> None:
        """Show what the model would be sent from the cursor; for a draft that stands there, with what was asked."""
        page = self._page
        if page.studio.model is None:
            raise ManuscriptError(f"{page.studio.model_state}; look again once it is ready")
        draft = page.drafts.here
        request = page.drafts.desk.look(
            page.editor.cursor if draft is None else draft.start,
            writing=writing(page.studio.settings),
            selection=None if draft is None or draft.start == draft.end else (draft.start, draft.end),
            instruction="" if draft is None else draft.instruction,
        )
        self._context = request.job, self._moment
        page.show_status("finding out what the model is sent ...")
        page.studio.engine.ask(request)

    def action_models(self) -> None:
        """Show which models this machine can run."""
        page = self._page
        page.show_status("finding out what this machine can run ...")
        self._survey = page.studio.engine.next_job(), self._moment
        page.studio.engine.ask(ListModels(self._survey[0]))

    def action_reload(self) -> None:
        """Load the model again."""
        studio = self._page.studio
        studio.engine.ask(Load(studio.settings.model or None))

    def on_engine_event(self, event: object) -> None:
        """Open the screen that an answer of the engine is for."""
        match event:
            case Sent(job=job, context=context) if self._context is not None and job == self._context[0]:
                self._show_context(context)
            case ModelsListed(job=job) if self._survey is not None and job == self._survey[0]:
                self._show_models(event)
            case Failed(job=job, reason=reason) if job in {asked and asked[0] for asked in self._asked}:
                self._page.show_status(reason)

    def _show_context(self, context: Context) -> None:
        from billy_mlx.tui.screens.context import ContextScreen

        asked, self._context = self._context, None
        if self._may_open(asked, "What the model is sent", "context"):
            self._page.app.push_screen(ContextScreen(context))

    def _show_models(self, surveyed: ModelsListed) -> None:
        from billy_mlx.tui.screens.models import ModelsScreen

        asked, self._survey = self._survey, None
        if self._may_open(asked, "The list of models", "models"):
            studio = self._page.studio
            screen = ModelsScreen(surveyed, studio.personas, studio.vector_job.progress)
            self._page.app.push_screen(screen, studio.get_model)

    def _may_open(self, asked: tuple[Job, object] | None, what: str, command: str) -> bool:
        """Return whether a screen may open that was asked for a while ago: it would take what is typed meanwhile."""
        page = self._page
        if page.app.screen is page and asked is not None and asked[1] == self._moment:
            page.show_status("")  # it is here
            return True
        page.show_status(f"{what} is ready; ask for it again: {page.key_of(command)}")
        return False

    @property
    def _asked(self) -> tuple[tuple[Job, object] | None, ...]:
        return self._context, self._survey

    @property
    def _moment(self) -> object:
        """What the writer is at: text, cursor and focus."""
        return self._page.manuscript.prose, self._page.editor.cursor, self._page.focused

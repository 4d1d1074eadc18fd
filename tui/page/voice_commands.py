"""The commands for the voices beside the page, and what shows the blend there and above the page."""

from typing import TYPE_CHECKING

from billy_mlx.blend.blend import Blend
from billy_mlx.blend.naming import name_of
from billy_mlx.engine.messages import Compare, Compared

if TYPE_CHECKING:
    from billy_mlx.tui.screens.writing import WritingScreen

_WIDE = 100  # columns, from which on the voices stay beside the page


class VoiceCommands:
    """Goes to the voices, and shows what is known of them.

    Args:
        page: what the voices write on.
    """

    def __init__(self, page: "WritingScreen") -> None:
        self._page = page
        self._compared: Compared | None = None

    def action_voices(self) -> None:
        """Go to the voices."""
        self._page.panel.display = True
        self._page.panel.focus()

    def action_personas(self) -> None:
        """Show all personas, prepare them, or make a new one."""
        from billy_mlx.tui.screens.personas import PersonasScreen  # late, as it takes long to import

        page, studio = self._page, self._page.studio
        studio.engine.ask(Compare(studio.engine.next_job()))
        page.app.push_screen(PersonasScreen(studio.personas, studio.voices, self._compared), page.panel.add)

    def action_focus_mode(self) -> None:
        """Show nothing but the text, or everything again."""
        self._page.toggle_class("-focus")
        self._page.editor.focus()
        self.show_panel()

    def on_engine_event(self, event: object) -> None:
        """Remember how alike the vectors are."""
        if isinstance(event, Compared):
            self._compared = event

    def steer(self, blend: Blend) -> None:
        """Write with another blend from now on, also what is being written."""
        self._page.blend = blend
        self.show_blend()
        self._page.drafts.steer(blend)

    def show(self) -> None:
        """Show the blend, and what is known of its vectors; nothing is while there is no model."""
        studio, model = self._page.studio, self._page.studio.model
        notes, layer_count = (None, None) if model is None else (studio.voices, model.layers)
        self._page.panel.show(self._page.blend, notes, studio.personas, layer_count)
        self.show_blend()

    def show_blend(self) -> None:
        """Show the blend's name above the page."""
        self._page.heading.blend = name_of(self._page.blend, self._page.persona_titles)

    def show_panel(self) -> None:
        """Show the voices where the writer is at them, or wants them and there is room beside the page."""
        page = self._page
        wanted = page.studio.settings.voices_panel and not page.has_class("-focus")
        page.panel.display = page.panel.has_focus_within or (wanted and page.size.width >= _WIDE)

    def show_preparing(self) -> None:
        """Show how far the preparing of voices is: below the page, and beside it where the voices are."""
        job, panel = self._page.studio.vector_job, self._page.panel
        self._page.status.preparing = job.brief
        if job.stopping:
            panel.stopping()
        elif job.progress is None:
            panel.prepared()
        else:
            panel.preparing(job.progress.stage, job.progress.share, job.progress.seconds_left)

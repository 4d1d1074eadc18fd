"""The page as the commands that lead away from it see it: what it shows, and what they ask of it."""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from textual.binding import ActiveBinding, Binding
from textual.screen import Screen
from textual.widgets import Input

from billy_mlx.blend.blend import Blend
from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.tui.chorus_drafts import ChorusDrafts
from billy_mlx.tui.commands import at
from billy_mlx.tui.keys import key_named
from billy_mlx.tui.messages import telling
from billy_mlx.tui.page.autosave import Keeping
from billy_mlx.tui.page.rewriting import Rewriting
from billy_mlx.tui.screens.voices_panel import VoicesPanel
from billy_mlx.tui.widgets.editor import Editor
from billy_mlx.tui.widgets.status import Status, fitted, place_toasts

if TYPE_CHECKING:
    from billy_mlx.tui.app import Studio

_WIDE = 150  # columns, in which the footer has room for all
_NOT_AT_VOICES = {"rewrite", "voices", "accept", "accept-sentence", "retry"} | {
    "beside",
    *(one.name for one in at("rewrite")),
}
_NOT_WITH_DRAFT = {"continue", "rewrite", "voices"}
_NOT_WITH_REWRITE = {*_NOT_WITH_DRAFT, "retry", "change-previous"}
_NOT_WITH_ONE_CHANGE = {*_NOT_WITH_REWRITE, "change-skip"}


class PageScreen(Screen[None]):
    """A page with a manuscript on it.

    Attributes:
        manuscript: what is written on.
        blend: what it is written with.
    """

    manuscript: Manuscript
    editor: Editor
    panel: VoicesPanel
    status: Status
    drafts: ChorusDrafts
    rewriting: Rewriting
    keeping: Keeping
    blend: Blend

    @property
    def studio(self) -> "Studio":
        """The application, which has what all screens share."""
        return cast("Studio", self.app)

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """The keys there are. In a narrow footer, only those of the moment are shown: more would be cut off.

        Another try is not offered of a draft that is in the text: it is undone first, as a message says.
        """
        found = super().active_bindings
        if not self.is_mounted:
            return found
        hidden = set() if self.size.width >= _WIDE else set(self._hidden())
        if self.drafts.current is None and self.drafts.last_is_in_text:
            hidden.add("retry")
        return {key: one._replace(binding=self._shown(one.binding, hidden)) for key, one in found.items()}

    def _shown(self, binding: Binding, hidden: Collection[str]) -> Binding:
        """Return a key as the footer has it now: escape says what it does at this moment."""
        if binding.id == "accept-sentence" and self.size.width < _WIDE:
            binding = replace(binding, description="A sentence")
        if binding.id != "stop":
            return replace(binding, show=False) if binding.id in hidden else binding
        if self.drafts.running and self.editor.has_focus:
            return replace(binding, description="Stop")
        away = self.editor.has_focus and not self.query("FindBar")
        return replace(binding, description="Put away" if away else "Back")

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

    @property
    def _has_page(self) -> bool:
        return self.is_mounted and self.editor.region.height > 0

    def _hidden(self) -> Collection[str]:
        """Return the commands for which there is no room in a narrow footer now."""
        rewrite = self.rewriting.current
        if self.panel.has_focus_within:
            return _NOT_AT_VOICES
        if rewrite is not None:
            return _NOT_WITH_ONE_CHANGE if rewrite.unlike else _NOT_WITH_REWRITE
        return () if self.drafts.current is None else _NOT_WITH_DRAFT

    def telling(self) -> AbstractContextManager[None]:
        """Tell what the writer can put right, and go on."""
        return telling(self.tell)

    def place_toasts(self) -> None:
        """Have messages leave the line free that is written on, and all that is around the text."""
        if self._has_page:
            place_toasts(self, self.editor.region, self.editor.cursor_screen_offset.y)

    def fitted(self, message: str) -> str:
        """Return as much of a message as there is room for."""
        return fitted(message, self.editor.region, self.editor.cursor_screen_offset.y) if self._has_page else message

    def on_text_area_selection_changed(self) -> None:
        """Keep messages away from the cursor, if there are any: all would be laid out anew."""
        if len(self.app._notifications):
            self.place_toasts()

    def on_screen_resume(self) -> None:
        """Show messages that are still there in their place."""
        self.call_after_refresh(self.place_toasts)

    def type_in(self, text: str) -> None:
        """Put what was typed elsewhere where it would have been typed here; it says nothing and unsays nothing."""
        if not text:
            return
        if isinstance(self.focused, Input):
            self.focused.insert_text_at_cursor(text)
        else:
            with self.editor.prevent(Editor.Edited):
                self.editor.insert(text, maintain_selection_offset=False)
            self.replaced(follow=False)

    def replaced(self, *, follow: bool = True) -> None:
        """Show a text that was exchanged for another; with `follow` the cursor goes to where it differs."""
        raise NotImplementedError

    def show_panel(self) -> None:
        """Show the voices, or hide them."""
        raise NotImplementedError

    def rest(self) -> None:
        """Do what can wait until the writer pauses."""
        raise NotImplementedError

    def tell(self, sentence: str) -> None:
        """Show a sentence to the writer."""
        raise NotImplementedError

    def is_at_risk(self) -> bool:
        """Save what is not saved, and return whether some of it is in memory only even so."""
        raise NotImplementedError

    def put_away(self) -> str | None:
        """Save and let go of the manuscript; returns a sentence if some of it could not be saved."""
        raise NotImplementedError

    def need_model(self) -> None:
        """Raise ManuscriptError if there is no model to write with."""
        if self.studio.model is None:
            raise ManuscriptError(f"{self.studio.model_state}; the voices can write once it is ready")

"""Which commands of the page are possible at the moment, and which keys of them the footer shows."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.binding import ActiveBinding, Binding

from billy_mlx.tui.commands import at

if TYPE_CHECKING:
    from billy_mlx.tui.screens.writing import WritingScreen

_WIDE = 150  # columns, in which the footer has room for all
_OF_DRAFTS = {command.action for command in at("draft")}
_NOT_OF_REWRITES = {"accept", "accept_sentence", "accept_word"}
_OF_THE_LAST = {"retry", "next_draft", "previous_draft", "reopen", "uncut"}
_NOT_AT_VOICES = {"rewrite", "voices", "accept", "accept-sentence", "retry"} | {
    "beside",
    *(one.name for one in at("rewrite")),
}
_NOT_WITH_DRAFT = {"continue", "rewrite", "voices"}
_NOT_WITH_REWRITE = {*_NOT_WITH_DRAFT, "retry", "change-previous"}
_NOT_WITH_ONE_CHANGE = {*_NOT_WITH_REWRITE, "change-skip"}


def is_possible(page: "WritingScreen", action: str) -> bool:
    """Return whether a command means anything now: most of a draft's only while there is one."""
    if action not in _OF_DRAFTS:
        return True
    rewrite, drafts = page.rewriting.current, page.drafts
    if action == "beside" or (action in _NOT_OF_REWRITES and rewrite is not None):
        return action == "beside" and rewrite is not None
    if action == "stop":
        return drafts.current is not None or not page.editor.has_focus or page.text_commands.is_finding
    return drafts.current is not None or (action in _OF_THE_LAST and drafts.last is not None)


def shown_keys_of(page: "WritingScreen", keys: Mapping[str, ActiveBinding]) -> dict[str, ActiveBinding]:
    """Return the keys there are, as the footer shows them.

    In a narrow footer, only those of the moment are shown: more would be cut off. Another try is not offered of a draft
    that is in the text: it is undone first, as a message says.
    """
    hidden = set() if page.size.width >= _WIDE else set(_hidden(page))
    if page.drafts.current is None and page.drafts.last_is_in_text:
        hidden.add("retry")
    return {key: one._replace(binding=_shown(page, one.binding, hidden)) for key, one in keys.items()}


def _shown(page: "WritingScreen", binding: Binding, hidden: Collection[str]) -> Binding:
    """Return a key as the footer has it now: escape says what it does at this moment."""
    if binding.id == "accept-sentence" and page.size.width < _WIDE:
        binding = replace(binding, description="A sentence")
    if binding.id != "stop":
        return replace(binding, show=False) if binding.id in hidden else binding
    if page.drafts.running and page.editor.has_focus:
        return replace(binding, description="Stop")
    away = page.editor.has_focus and not page.text_commands.is_finding
    return replace(binding, description="Put away" if away else "Back")


def _hidden(page: "WritingScreen") -> Collection[str]:
    """Return the commands for which there is no room in a narrow footer now."""
    rewrite = page.rewriting.current
    if page.panel.has_focus_within:
        return _NOT_AT_VOICES
    if rewrite is not None:
        return _NOT_WITH_ONE_CHANGE if rewrite.unlike else _NOT_WITH_REWRITE
    return () if page.drafts.current is None else _NOT_WITH_DRAFT

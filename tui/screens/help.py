"""Help for writers: how it works in a few sentences, what the marks mean, and every command with its keys."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from billy_mlx.tui.commands import COMMANDS, PLACES, Command, at, bindings
from billy_mlx.tui.keys import keys_of, pressed, shown_keys
from billy_mlx.tui.widgets.fields import LineField

_COLUMNS = 76  # so that border and scrollbar fit into 80
_KEY_COLUMNS = 22

_PALETTE = next(command for command in COMMANDS if command.name == "command-palette")

_TEXTS = {
    "How it works": (
        "Write. Press {continue} where you want the voices to continue. What they write appears as a draft, set apart "
        "from your text until you take it with {accept}. {accept-sentence} takes only its next sentence, {retry} asks "
        "for another alternative, {next-draft} shows the next one, and {stop} stops the model. Drafts that you do not "
        "take are kept as well. To change a passage, select it and press {rewrite}. The changes are shown word by "
        "word: {change-take} takes one, {change-skip} keeps your words. {instruct} lets you say what should happen.",
        "{select-all} selects the whole text. Ctrl+C, Ctrl+X and Ctrl+V copy, cut and paste. Ctrl+A and Ctrl+E go to "
        "the start and the end of a line.",
        "Your text is saved automatically. {undo} undoes one step after another, back to the very first, and "
        "{history} shows all versions of the text.",
    ),
    "Voices and doses": (
        "A voice is a way of writing that is already in the model, such as noir, lyrical or gothic. A persona is the "
        "description that a voice is prepared from. The voices panel ({voices}) mixes voices into a blend, each with "
        "its own share. The dose at the top is for the whole blend: 1 is full, a half is gentle, and "
        "above 1 the text sooner or later frays and stops making sense. A share below zero is the opposite of a voice. "
        "You can turn the dials while a draft is being written; it follows within a word or two.",
    ),
    "Marks and colours": (
        "The left margin says who wrote a line. No sign is you, ▎ with a letter is a voice, and · is text that came "
        "with the file. + instead of ▎ is a line by several authors, and ▎? a voice that was not recorded. {legend} "
        "explains the letters, and {who} says who wrote the passage at the cursor. {colours} changes the colours. With "
        "a persona, ▁ to ▇ show how much each sentence reads like it; that is measured, and does not say who wrote it.",
        "┊ marks a draft that you have not taken yet, and the place where it ends. ┊… marks a draft that waits; "
        "{next-waiting} goes to it. − marks what a rewrite would remove, and ▸ the change that you are at.",
        "In the voices panel, ✗ is a voice that is not prepared for this model yet, ~ one that is weak, and ! one "
        "whose description was changed since, or that an older version prepared. {voice-extract} prepares it.",
    ),
}


class HelpScreen(Screen[None]):
    """What can be done, and how.

    Args:
        keys: the keys of commands that the writer changed, by the command's name.
    """

    PLACES: ClassVar[tuple[str, ...]] = ()
    BINDINGS = [  # noqa: RUF012  Textual reads it so
        *bindings("anywhere"),
        Binding("up", "scroll(-1)", show=False),
        Binding("down", "scroll(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
    ]
    DEFAULT_CSS = """
    HelpScreen Input { border: round $primary; }
    HelpScreen VerticalScroll { height: 1fr; padding: 0 1; }
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        """Yield the line to search with, and the text."""
        yield LineField(placeholder="Type what you are looking for")
        with VerticalScroll(can_focus=False):
            yield Static(help_text(self._keys), id="help")
        yield Footer(show_command_palette=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what has to do with what was typed."""
        self.query_one("#help", Static).update(help_text(self._keys, event.value))
        self.query_one(VerticalScroll).scroll_home(animate=False)

    def action_scroll(self, lines: int) -> None:
        """Go up or down by lines."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_page(self, pages: int) -> None:
        """Go up or down by pages."""
        scroll = self.query_one(VerticalScroll)
        scroll.scroll_relative(y=pages * (scroll.size.height - 1), animate=False)

    def action_back(self) -> None:
        """Go back."""
        self.dismiss()


def help_text(keys: Mapping[str, str], wanted: str = "") -> Content:
    """Return the help, or what of it has all words of `wanted`; no line has more than 76 columns."""
    words = wanted.casefold().split()
    parts = [*_explained(keys, words), *_listed(keys, words)]
    return Content("\n").join(parts) if parts else Content("Nothing found. Try another word.")


def _explained(keys: Mapping[str, str], words: list[str]) -> Iterator[Content]:
    names = {command.name: pressed(command, keys) for command in COMMANDS}
    for title, paragraphs in _TEXTS.items():
        texts = [paragraph.format_map(names) for paragraph in paragraphs]
        if _has(words, title, *texts):
            yield Content.styled(title, "bold $primary")
            for text in texts:
                yield Content(textwrap.fill(text, _COLUMNS) + "\n")


def _listed(keys: Mapping[str, str], words: list[str]) -> Iterator[Content]:
    for place, title in PLACES.items():
        commands = [one for one in at(place) if _has(words, title, one.title, one.help, _shown(one, keys))]
        if commands:
            yield Content.styled(title, "bold $primary")
            for command in commands:
                yield _line(command, keys)
            yield Content("")


def _line(command: Command, keys: Mapping[str, str]) -> Content:
    shown = _shown(command, keys)
    indent = " " * (_KEY_COLUMNS + 1)
    if len(shown) > _KEY_COLUMNS:
        head, first = shown + "\n", indent
    else:
        head, first = f"{shown:<{_KEY_COLUMNS}} ", ""
    text = f"{command.title}: {command.help}"
    lines = textwrap.wrap(text, _COLUMNS - len(indent))
    return Content(head + first + ("\n" + indent).join(lines)).stylize("bold", 0, len(shown))


def _shown(command: Command, keys: Mapping[str, str]) -> str:
    return shown_keys(keys_of(command, keys)) or f"{shown_keys(keys_of(_PALETTE, keys))} and its name"


def _has(words: list[str], *texts: str) -> bool:
    text = " ".join(texts).casefold()
    return all(word in text for word in words)

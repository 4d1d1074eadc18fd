"""The commands for the text as a whole: find, versions, memory and notes, a goal, exports."""

from typing import TYPE_CHECKING, cast

from billy_mlx.manuscript.context.guide import Guide
from billy_mlx.manuscript.word_diff import Hunk
from billy_mlx.tui.screens.dialogs import Ask
from billy_mlx.tui.setting_fields import checked, refusal
from billy_mlx.tui.settings import Settings
from billy_mlx.tui.word_count import WordCount, WordsWritten, amount

if TYPE_CHECKING:
    from billy_mlx.tui.screens.history import VersionChoice
    from billy_mlx.tui.screens.writing import WritingScreen


class TextCommands:
    """Opens the screens for the text, and takes in what comes of them.

    A screen is imported when it is first opened: together they take longer than the page itself.

    Args:
        page: what shows the text.
    """

    def __init__(self, page: "WritingScreen") -> None:
        self._page = page
        self._words = WordCount()
        self._written: WordsWritten | None = None  # until the words are counted

    def action_select_all(self) -> None:
        """Select the whole text."""
        self._page.editor.select_all()

    def action_export(self) -> None:
        """Save a copy for other programs and for readers."""
        from billy_mlx.tui.screens.export import ExportScreen

        page = self._page
        page.app.push_screen(ExportScreen(page.manuscript, page.studio.settings.author))  # which says what it wrote

    def action_guide(self) -> None:
        """Note down what the model should always know."""
        from billy_mlx.tui.screens.guide import GuideScreen

        self._page.app.push_screen(GuideScreen(self._page.manuscript.guide), self._guided)

    def _guided(self, guide: Guide | None) -> None:
        if guide is not None:
            with self._page.errors_shown():
                self._page.manuscript.guide = guide

    # Find and replace.

    def action_find(self) -> None:
        """Find text, and replace it if that is wanted."""
        from billy_mlx.tui.screens.find import FindBar

        page = self._page
        page.query(FindBar).remove()
        start, end = page.editor.selected
        text, keys = page.manuscript.text[start:end], page.studio.settings.keys
        bar = FindBar(lambda: page.manuscript.text, lambda: page.editor.cursor, text, keys)
        page.mount(bar, before=page.status)
        page.call_after_refresh(page.place_toasts)

    @property
    def is_finding(self) -> bool:
        """Whether the bar that finds is below the page."""
        return bool(self._page.query("FindBar"))

    def close_find(self) -> None:
        """Close the bar that finds, and go back to the text."""
        self._page.query("FindBar").remove()
        self._page.editor.focus()
        self._page.call_after_refresh(self._page.place_toasts)

    def replace(self, hunks: tuple[Hunk, ...]) -> None:
        """Replace, as one step."""
        with self._page.errors_shown():
            self._page.manuscript.replace(hunks)
        self._page.replaced()

    # Versions.

    def action_history(self) -> None:
        """Show all versions of the text, and go back to one."""
        from billy_mlx.tui.screens.history import HistoryScreen

        self._page.app.push_screen(HistoryScreen(self._page.manuscript), self.go_to_version)

    def go_to_version(self, choice: "VersionChoice | None") -> None:
        """Show the version or the branch that was chosen."""
        page, versions = self._page, self._page.manuscript.versions
        with page.errors_shown():
            match choice:
                case ("go", int(revision)):
                    versions.go(revision)
                    page.show_status(f"this is the version you chose; {page.key_of('undo')} takes you back")
                case ("switch", str(branch)):
                    versions.switch(branch)
                    page.show_status(f"you are on the branch {branch}")
                case ("branch", int(revision), str(name)):
                    before = versions.branch
                    versions.begin_branch(name, revision)
                    back = page.key_of("history")
                    page.show_status(f"the branch {name} starts here; {back} takes you back to {before}")
        page.replaced()

    # Words, and how many there are to be.

    def action_goal(self) -> None:
        """Set how many words are to be written in this text today."""
        page, goal = self._page, self._page.manuscript.goal

        def check(text: str) -> str | None:
            return refusal(Settings(), "word_goal", text) if text.strip() else None

        def answered(text: str | None) -> None:
            if text is not None:
                with page.errors_shown():
                    goal.words = cast("int", checked(Settings(), "word_goal", text)) if text.strip() else None
                page.rest()

        usual = page.studio.settings.word_goal or "none"
        question = (
            f"How many words do you want to write in this text today? Leave it empty for the {usual} of the settings."
        )
        page.app.push_screen(Ask(question, "" if goal.words is None else str(goal.words), check), answered)

    def count_words(self) -> int:
        """Return how many words the text has."""
        return self._words.of(self._page.manuscript.text)

    def count_from_here(self) -> None:
        """Count as new what is written from now on, if it is not counted yet."""
        self._written = self._written or WordsWritten(self.count_words())

    def count_exchanged(self) -> None:
        """Take the text for as far written as the one that it was exchanged for."""
        if self._written is not None:
            self._written.exchanged(self.count_words())

    @property
    def progress(self) -> str:
        """How many words there are, and how many are new of the goal; empty while they are not counted."""
        if self._written is None:
            return ""
        words, own = self.count_words(), self._page.manuscript.goal.words
        goal = self._page.studio.settings.word_goal if own is None else own
        new = self._written.of(words)
        return f"{amount(words)}{f' · {new:+,} of {goal:,}' if goal else ''}"

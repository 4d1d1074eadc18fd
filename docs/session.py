"""Writes a page in the studio as a writer would, in a real terminal of 80×24, and keeps a picture of each step.

    make session

It uses the starter model and a home of its own. A step that does not come ends it with one sentence; at the end the
files must hold what the screen said was taken. The pictures are those of docs/session.md.
"""

import html
import io
import re
import sys
import zipfile
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

from pictures import keep, scratch
from rich.console import Console
from rich.style import Style
from rich.text import Text

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from helpers.pseudo_terminal import Terminal  # the tests' own: a window that can be looked at

SIZE = (80, 24)
PATIENCE_SECONDS = 120
_BILLY = [sys.executable, "-c", "from billy_mlx.cli import main; main()"]
_BEGINNING = """# The Harbour Clock

The clock on the customs house had stopped at ten past four, and nobody could say in which year. Marta set her watch \
by it all the same.

"""
_TYPED = "She wait for the ferry. The boats was late, and she were cold. Nobody come to the pier."
_NEXT = "A man comes to her"
_REMEMBERED = 12  # words
_TRIES = 60  # at a rewrite: the starter model often writes another passage instead
_SETTINGS = """[studio]
blend = "noir:0.6+lyrical:0.4@0.5"
words = 20
temperature = 0.4
"""
_SIGNS = re.compile(r"^ [ +▎┊·][ a-h…]? ", re.MULTILINE)  # what stands at the left edge of the page


class Session:
    """A terminal with the studio in it, and what the screen said is in the text.

    Attributes:
        taken: words that must be in the file at the end.
    """

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.taken: list[str] = []
        self._step, self._pictures = "", 0

    def begin(self, step: str) -> None:
        """Go on to a step; a failure is named by it."""
        self._step = step
        print(step, flush=True)

    def press(self, *keys: str) -> None:
        """Press keys."""
        self.terminal.press(*keys)

    def see(self, wanted: str | Callable[[str], object], what: str = "") -> None:
        """Wait for words on the screen, or for what a function finds in it, which `what` names."""
        met = wanted if callable(wanted) else lambda text: wanted in text
        try:
            self.terminal.wait_for(lambda terminal: met(terminal.text), PATIENCE_SECONDS)
        except AssertionError:
            self._fail(f"{what or repr(wanted)} did not come within {PATIENCE_SECONDS} seconds")

    def see_end_of_writing(self) -> None:
        """Wait until a draft is there and no longer written."""
        self.see(lambda text: "┊" in text and " writing" not in text and "Put away" in text, "a draft")

    def check(self, holds: bool, sentence: str) -> None:
        """End with a sentence if something does not hold."""
        if not holds:
            self._fail(sentence)

    def page(self) -> str:
        """Return the words on the page, without lines, signs and what is around it."""
        lines = self.terminal.settled().splitlines()[1:-2]
        return _words(_SIGNS.sub("", "\n".join(lines)))

    def note_taken(self) -> None:
        """Remember the last words on the page, which were just taken."""
        self.taken.append(" ".join(self.page().split()[-_REMEMBERED:]))

    def shoot(self, name: str) -> None:
        """Keep the screen as a picture."""
        self.terminal.settled()
        self._pictures += 1
        keep(f"session-{self._pictures}-{name}", _svg(self.terminal))

    def _fail(self, sentence: str) -> None:
        raise SystemExit(f"{self.terminal.text}\n\nsession: at “{self._step}”: {sentence}")


def write(session: Session) -> None:
    """Type a paragraph."""
    session.begin("write")
    session.see("starter, a demonstration")
    session.press("ctrl+end")
    session.terminal.type(_TYPED)
    session.see("pier.")
    session.shoot("write")


def go_on(session: Session) -> None:
    """Have the voices go on, and take that."""
    session.begin("go on")
    session.press("ctrl+g")
    session.see_end_of_writing()
    session.shoot("draft")
    session.press("tab")
    session.see("▎")
    session.note_taken()


def instruct(session: Session) -> None:
    """Say what should happen, have it written again, and see that it is still asked for."""
    session.begin("instruct and retry")
    session.press("ctrl+o")
    session.see("What should happen next?")
    session.terminal.type(_NEXT)
    session.see(_NEXT)
    session.press("enter")
    session.see_end_of_writing()
    session.see(f"“{_NEXT}”")
    session.press("ctrl+n")
    session.see("alternative 2 of 2")
    session.see_end_of_writing()
    session.see(f"“{_NEXT}”")
    session.shoot("retry")
    session.press("f4")
    session.see(f"You asked for: {_NEXT}")
    session.shoot("sent")
    session.press("escape")
    session.see("┊")
    session.press("tab")
    session.see("^g Continue")
    session.note_taken()


def rewrite(session: Session) -> None:
    """Turn the voices down, have the typed paragraph written anew, skip one change, and take the next."""
    session.begin("rewrite")
    dial(session, "0")
    session.press("ctrl+home", *["down"] * 5, "home")
    session.press(*["shift+right"] * len(_TYPED))
    session.press("ctrl+r")
    tries = _TRIES
    while not _has_two_changes(session):
        tries -= 1
        session.check(tries > 0, f"none of {_TRIES} rewrites had two changes to choose from")
        session.press("ctrl+n")
        session.see(" writing")
        print(".", end="", flush=True)
    session.shoot("change")
    session.press("shift+tab")
    session.see("change 2 of")
    session.press("ctrl+t")
    session.see(lambda text: "change 2 of" not in text, "the next change")
    session.shoot("skipped")
    session.press("escape")
    session.see("^g Continue")
    session.check(_words(_BEGINNING) in session.page(), "the paragraph before the passage is another")
    dial(session, "5")


def dial(session: Session, tenths: str) -> None:
    """Set how much of all voices is added."""
    session.press("f2")
    session.see("→ More")
    session.press(tenths)
    session.see(lambda text: re.search(rf"▸All +0\.{tenths}0", text), f"the dial at 0.{tenths}0")
    session.press("escape")
    session.see("^r Rewrite")


def chorus(session: Session) -> None:
    """Take a sentence of one voice, and one of another."""
    session.begin("chorus")
    session.press("ctrl+end", "f3")
    session.see(lambda text: text.count("done") >= 2, "the end of two voices")
    session.press("ctrl+t")
    session.see(" taken")
    session.press("right", "ctrl+t")
    session.see(lambda text: text.count(" taken") >= 2 or "before it" in text, "a sentence of another voice")
    session.shoot("chorus")
    session.press("escape")
    session.see(lambda text: "Put away" in text or "^r Rewrite" in text, "the page")
    session.shoot("voices")
    if "Put away" in session.terminal.text:  # of what the voices wrote, something is left
        session.press("escape")
    session.see("^r Rewrite")
    session.note_taken()


def history(session: Session) -> None:
    """Look at the versions."""
    session.begin("history")
    session.press("f8")
    session.see("turning points")
    session.shoot("history")
    session.press("escape")
    session.see("^g Continue")


def export(session: Session) -> None:
    """Write the text out as plain text."""
    session.begin("export")
    session.press("ctrl+p")
    session.see("Search")
    session.terminal.type("Export")
    session.see("Save a copy as Word")
    session.press("enter")
    session.see("Export: choose")
    session.shoot("export")
    session.press("ctrl+s")
    session.see("is saved.")
    session.shoot("exported")


def _has_two_changes(session: Session) -> bool:
    """Wait for the rewrite to be over; return whether it is shown in place, and has changes to choose from."""
    session.see(
        lambda text: (
            "Rewritten" in text or "change 1 of" in text or "same as your text" in text or "shares few words" in text
        ),
        "a whole rewrite",
    )
    text = session.terminal.settled()
    if "Rewritten" in text:
        session.press("escape")
        session.see("esc Put away")
        return False
    return "change 1 of" in text and "change 1 of 1" not in text


def _words(text: str) -> str:
    return " ".join(text.split())


def _svg(terminal: Terminal) -> str:
    """Return the screen with its colours as a picture."""
    columns, rows = SIZE
    console = Console(record=True, width=columns, height=rows, file=io.StringIO(), color_system="truecolor")
    for row in range(rows):
        cells = (terminal.screen.buffer[row][column] for column in range(columns))
        pieces = [("".join(cell.data for cell in run), style) for style, run in groupby(cells, _style)]
        console.print(Text.assemble(*pieces, no_wrap=True))
    return console.export_svg(title="billy")


def _style(cell: Any) -> Style:
    colours = [None if name == "default" else f"#{name}" for name in (cell.fg, cell.bg)]
    return Style(
        color=colours[0],
        bgcolor=colours[1],
        bold=cell.bold,
        italic=cell.italics,
        underline=cell.underscore,
        strike=cell.strikethrough,
        reverse=cell.reverse,
    )


def compare(session: Session, story: Path) -> None:
    """Leave, and see that the file has what was taken, and the Word file the same letters."""
    session.begin("leave")
    session.press("ctrl+q")
    session.check(session.terminal.wait_for_end(PATIENCE_SECONDS) == 0, "the studio did not end well")
    text = story.read_text(encoding="utf-8")
    for taken in session.taken:
        session.check(_words(taken) in _words(text), f"the file has not what was taken: {taken}")
    with zipfile.ZipFile(story.with_suffix(".docx")) as word:
        body = html.unescape(re.sub("<[^>]+>", "", word.read("word/document.xml").decode()))
    session.check(_letters(body) == _letters(text), "the Word file has other letters than the text")
    print(f"{len(session.taken)} takings and the export are as they should be")


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def main() -> None:
    """Go through all steps."""
    with scratch() as folder:
        (folder / "home" / "config").mkdir()
        (folder / "home" / "config" / "config.toml").write_text(_SETTINGS, encoding="utf-8")
        story = folder / "harbour.md"
        story.write_text(_BEGINNING, encoding="utf-8")
        with Terminal([*_BILLY, "write", str(story)], size=SIZE) as terminal:
            session = Session(terminal)
            for step in (write, rewrite, go_on, instruct, chorus, history, export):
                step(session)
            compare(session, story)


if __name__ == "__main__":
    main()

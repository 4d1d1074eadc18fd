"""Text that would command the terminal is shown in every place of the studio, and obeyed in none: not a byte of it."""

import json
import re
import sys
from pathlib import Path

import pytest
from helpers.pseudo_terminal import Terminal, obeyed

from billy_mlx import extraction, paths
from billy_mlx.tui.commands import at
from billy_mlx.tui.screens.saved_blends import blends_file

pytestmark = pytest.mark.slow

HOSTILE = "\x1b]0;OWNED\x07BELLS\x1b[31mSCARLET\x9b2JWIPED\x1b]52;c;QUFBQUFB\x07STOLEN\u202eREVERSED"
SHORT = HOSTILE[:22]
STUDIO = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from dataclasses import replace
from pathlib import Path
from helpers.scripted_engine import MODEL, VOICES, ScriptedEngine, context_of
from billy_mlx.engine.messages import Loaded, ModelOffer, Prepare, Progress, ListModels, ModelsListed
from billy_mlx.tui.app import Studio
from billy_mlx.write.messages import Sent, Write

HOSTILE = {HOSTILE!r}

class Engine(ScriptedEngine):
    def start(self, model=None):
        voices = {{**VOICES, "gothic": replace(VOICES["gothic"], weakness=HOSTILE)}}
        self.say(Loaded(replace(MODEL, id=f"model {{HOSTILE}}"), voices, (f"a fault {{HOSTILE}}",)))

    def ask(self, request):
        super().ask(request)
        if isinstance(request, Write) and request.only_context:
            self.say(Sent(request.job, context_of(request)))
        elif isinstance(request, Write):
            self.write(*[f" Drafted {{HOSTILE}} so."] * len(request.voices))
        elif isinstance(request, ListModels):
            self.say(ModelsListed(request.job, 16.0, (ModelOffer(HOSTILE, HOSTILE, 1.0, 2.0, HOSTILE, HOSTILE),)))
        elif isinstance(request, Prepare):
            self.say(Progress(request.job, f"making {{HOSTILE}}", 0.5))

# Toasts go soon, so that no question is asked behind one.
notify = Studio.notify
Studio.notify = lambda studio, message, **options: notify(studio, message, **(options | dict(timeout=1)))
Studio(Path(sys.argv[1]), connect=Engine).run()
"""


@pytest.fixture
def novel(tmp_path):
    """Return a text in a folder and a home where every name and value is hostile."""
    shown, short = json.dumps(HOSTILE), json.dumps(SHORT)
    path = tmp_path / f"novel {HOSTILE}.md"
    path.write_text(f"Dear reader {HOSTILE} goodbye.", encoding="utf-8")
    entry = {"uid": 0, "key": [HOSTILE], "comment": f"Entry {HOSTILE}", "content": HOSTILE}
    _write(tmp_path / "book.json", json.dumps({"entries": {"0": entry}}))
    text = (Path(extraction.__file__).parent.parent / "personas" / "noir.toml").read_text(encoding="utf-8")
    _write(paths.personas_folder() / "wrong.toml", f"id = {shown}\nname = {shown}\n")
    for name, what in (("evil", "name"), ("worse", "description")):
        card = re.sub(f"(?m)^{what} = .*$", lambda _, what=what: f"{what} = {short}", text)
        _write(paths.personas_folder() / f"{name}.toml", card.replace('"noir"', f'"{name}"'))
    _write(blends_file(), f'{short} = "noir"\nplain = {shown}\nkept = "noir"\n')
    _write(
        paths.config_file(), f"[studio]\nauthor = {shown}\ntheme = {shown}\n{shown} = 1\n[keys]\n{shown} = {shown}\n"
    )
    return path


@pytest.fixture
def studio(novel):
    """Return a terminal with the studio in it, which has opened the text and heard of its model."""
    command = [sys.executable, "-c", STUDIO, str(novel)]
    with Terminal(command, size=(240, 50), cwd=novel.parent, timeout_seconds=40) as terminal:
        terminal.wait_for("goodbye")
        terminal.wait_for(lambda _: stays_gone(terminal, "a fault"))
        yield terminal


def test_what_files_and_the_model_say_is_shown_and_never_obeyed(studio):
    look(studio, "f8", "newest first")
    look(studio, "f10", "Settings:")
    command(studio, "Models", "GB to download")
    look(studio, "enter", "Space marks")
    back(studio, "GB to download")
    look(studio, "f4", "What the model is sent:")
    look(studio, "f3", "» Half Fairy Tale", "f2", "Which voices write?")
    studio.press("f9")
    studio.wait_for("Left out")
    studio.press("x")
    studio.wait_for("Prepare again")
    studio.press("right", "enter")
    studio.wait_for("making ␛")
    back(studio, "Left out")
    look(studio, "f2", "→ More", "l", "Enter: use it")
    command(studio, "Memory and notes", "Lorebook")
    answer(studio, "ctrl+o", "the path of its file", "book.json", "[x] ")
    studio.press("ctrl+s")
    studio.wait_for("goodbye")
    command(studio, "Open another text", "Enter opens")
    assert obeyed(leave(studio), HOSTILE) == []


def test_what_is_typed_and_pasted_is_kept_and_never_obeyed(studio):
    answer(studio, "ctrl+o", "What should happen", HOSTILE, "┊")
    studio.press("tab")
    studio.wait_for("▎a")
    answer(studio, "ctrl+f", "Replace with", HOSTILE, "SCARLET")
    back(studio, "Replace with")
    answer(studio, "f1", "Type what you are looking for", HOSTILE, "Nothing found")
    back(studio, "Nothing found")
    command(studio, "Word goal", "How many words")
    paste(studio, None, "How many words")
    command(studio, "Export", "Export: choose")
    studio.press("down", "down")
    paste(studio, "enter", "Enter: done")
    back(studio, "Export: choose")
    studio.press("f2")
    studio.wait_for("→ More")
    for key, question in (("s", "What do you want to call"), ("t", "as commands take it"), ("enter", "(1 is full)")):
        paste(studio, key, question)
    answer(studio, "a", "Type a name", HOSTILE, "No persona matches")
    back(studio, "No persona matches")
    back(studio, "→ More")
    assert obeyed(leave(studio), HOSTILE) == []


def test_what_is_named_is_kept_and_never_obeyed(studio):
    studio.press("f8")
    studio.wait_for("newest first")
    paste(studio, "k", "A name for this version")
    paste(studio, "b", "branch")
    back(studio, "newest first")
    studio.press("f10")
    studio.wait_for("Settings:")
    studio.press(*["down"] * 8)
    paste(studio, "enter", "Enter: done")
    back(studio, "Settings:")
    studio.press("f9")
    studio.wait_for("Left out")
    studio.press("n")
    studio.wait_for("Describe the voice")
    fill(studio, fields=2)
    studio.press("enter")  # which shows what is made of them
    studio.wait_for("Words to find it by")
    studio.press("tab")
    fill(studio, fields=8)
    studio.press("ctrl+s")
    studio.wait_for(" must ")
    back(studio, "Describe the voice")
    back(studio, "Left out")
    assert obeyed(leave(studio), HOSTILE) == []


def test_texts_that_are_named_are_kept_and_never_obeyed(studio):
    command(studio, "Open another text", "Enter opens")
    paste(studio, "o", "Open which text")
    studio.press("n")
    studio.wait_for("no name yet")
    studio.paste(HOSTILE)
    studio.wait_for("SCARLET")
    paste(studio, "ctrl+s", "What is this text called")
    studio.press("ctrl+q")
    studio.wait_for("leave without a name")
    assert obeyed(leave(studio), HOSTILE) == []


def fill(terminal, fields):
    """Paste into one field after another."""
    for _ in range(fields):
        terminal.paste(HOSTILE)
        terminal.settled(0.4)  # what is pasted at once after tab still goes to the field before
        terminal.press("tab")
        terminal.settled(0.4)


def look(terminal, *steps):
    """Press keys, each until there is the text behind it; then go back."""
    for key, wanted in zip(steps[::2], steps[1::2], strict=True):
        terminal.press(key)
        terminal.wait_for(wanted)
    for wanted in reversed(steps[1::2]):
        back(terminal, wanted)


def back(terminal, gone):
    """Leave what has a text on the screen."""
    terminal.press("escape")
    terminal.wait_for(lambda _: stays_gone(terminal, gone))


def stays_gone(terminal, text):
    """Whether a text is not on the screen, nor was only hidden by half a picture."""
    return all(text not in terminal.settled() for _ in range(3))


def paste(terminal, key, question):
    """Answer a question with what is hostile; if that will not do, leave it."""
    if key is not None:
        terminal.press(key)
    terminal.wait_for(question)
    terminal.paste(HOSTILE)
    terminal.settled()
    terminal.press("enter")
    if not stays_gone(terminal, question):
        back(terminal, question)


def answer(terminal, key, question, text, then):
    """Answer a question."""
    terminal.press(key)
    terminal.wait_for(question)
    terminal.paste(text)
    terminal.press("enter")
    terminal.wait_for(then)


def command(terminal, name, then):
    """Give a command by its name."""
    terminal.press("ctrl+p")
    terminal.wait_for("Search for commands")
    terminal.type(name)
    terminal.wait_for(next(one.help for one in at("page") if one.title == name))
    terminal.wait_until_gone("Search for a persona")
    terminal.press("enter")
    terminal.wait_for(then)


def leave(terminal):
    terminal.press("ctrl+q")
    assert terminal.wait_for_end() == 0
    return terminal.output


def _write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")

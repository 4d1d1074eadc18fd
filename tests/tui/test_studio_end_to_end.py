"""The studio as a writer has it: in a pseudo-terminal, with the starter model, up to kill -9 and back."""

import signal
import sys

import pytest
from helpers.pseudo_terminal import Terminal, obeyed

from billy_mlx.manuscript.choices import read_choices

pytestmark = pytest.mark.slow

BILLY = [sys.executable, "-c", "from billy_mlx.cli import main; main()"]
HOSTILE = "\x1b]0;OWNED\x07BELLS\x1b[31mSCARLET\x9b2JWIPED\x1b]52;c;QUFBQUFB\x07STOLEN\u202eREVERSED"


@pytest.fixture
def novel(tmp_path):
    path = tmp_path / "novel.md"
    path.write_text("The keeper of the light looked out over the water.", encoding="utf-8")
    return path


@pytest.fixture
def write(starter_home):
    """Open the studio on a text, with the model ready."""

    def opened(path, *, ready="starter, a demonstration", **how):
        terminal = Terminal([*BILLY, "write", str(path)], env={"BILLY_HOME": str(starter_home)}, **how)
        terminal.wait_for(ready)
        return terminal

    return opened


@pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids=["80x24", "160x50"])
def test_a_story_is_written_lost_and_found_again(write, novel, size):
    with write(novel, size=size) as terminal:
        terminal.press("ctrl+e")
        terminal.type(" He was afraid.")
        terminal.wait_for("He was afraid.")
        terminal.press("ctrl+g")
        terminal.wait_for("┊")
        terminal.press("ctrl+d", "down", "right")  # a dial while it streams
        terminal.press("escape")
        terminal.wait_until_gone("→ More")
        terminal.press("escape")
        terminal.wait_until_gone(" writing ")
        terminal.press("tab")
        terminal.wait_for("▎a")
        terminal.press("ctrl+e", "Z", "Z")
        terminal.wait_for("ZZ")
        terminal.process.send_signal(signal.SIGKILL)
        terminal.wait_for_end()
    with write(novel, size=size, ready="never saved to its file") as terminal:
        terminal.press("down", "enter")
        terminal.wait_for("ZZ")
        terminal.press("ctrl+q")
        assert terminal.wait_for_end() == 0
    assert novel.read_text(encoding="utf-8").endswith("ZZ")


def test_a_page_without_a_name_comes_back_after_a_kill_and_becomes_a_file(starter_home, tmp_path):
    env = {"BILLY_HOME": str(starter_home), "XDG_DOCUMENTS_DIR": str(tmp_path)}
    with Terminal([*BILLY, "write"], env=env) as terminal:
        terminal.wait_for("New text")
        terminal.press("n")
        terminal.wait_for("Write. ctrl+g continues.")
        terminal.type("The keeper went out.")
        terminal.wait_for("went out.")
        terminal.process.send_signal(signal.SIGKILL)
        terminal.wait_for_end()
    with Terminal([*BILLY, "write"], env=env) as terminal:
        terminal.wait_for("has no name yet")
        terminal.press("enter")
        terminal.wait_for("went out.")
        terminal.press("ctrl+s")
        terminal.wait_for("What is this text called")
        terminal.press("enter")
        terminal.wait_for("out.md")
        terminal.press("ctrl+q")
        assert terminal.wait_for_end() == 0
    (path,) = tmp_path.glob("*.md")
    assert path.read_text(encoding="utf-8") == "The keeper went out."


def test_a_chorus_is_heard_and_a_sentence_of_it_taken(write, novel):
    with write(novel, size=(160, 50)) as terminal:
        terminal.press("ctrl+e", "f3")
        terminal.wait_for("the model alone")
        terminal.press("right")
        terminal.wait_for(lambda screen: screen.text.count("done") >= 2, timeout_seconds=120)
        terminal.press("enter")
        terminal.wait_for("▎a")
        terminal.press("ctrl+q")
        assert terminal.wait_for_end() == 0
    assert len(novel.read_text(encoding="utf-8")) > 60


def test_a_chorus_without_names_is_heard_and_then_told(write, novel):
    with write(novel, size=(160, 50)) as terminal:
        terminal.press("ctrl+e", "f3")
        terminal.wait_for("the model alone")
        terminal.press("b")
        terminal.wait_for("without names")
        terminal.press("ctrl+g")
        terminal.wait_for("Draft 2")
        terminal.press("b")  # for the home is that of other tests, too
        terminal.wait_for("with their names")
        terminal.wait_for(lambda screen: screen.text.count("done") >= 2, timeout_seconds=120)
        assert "the model alone" not in terminal.text
        terminal.press("enter")
        terminal.wait_for("That was")
        terminal.press("ctrl+q")
        assert terminal.wait_for_end() == 0
    (choice,) = read_choices().lines[-1:]
    assert (choice.kept, "none" in choice.offered) == (0, True)


@pytest.mark.parametrize("ending", [signal.SIGHUP, signal.SIGTERM], ids=["hangup", "terminate"])
def test_a_closed_window_loses_nothing(write, novel, ending):
    with write(novel) as terminal:
        terminal.press("ctrl+e", "Z", "Z")
        terminal.wait_for("ZZ")
        terminal.process.send_signal(ending)
        terminal.wait_for_end()
    assert novel.read_text(encoding="utf-8").endswith("ZZ")


@pytest.mark.parametrize("doing", ["loading", "streaming"])
def test_quitting_at_any_time_saves_the_text(write, novel, doing):
    with write(novel, ready="The keeper") as terminal:
        if doing == "streaming":
            terminal.wait_for("starter, a demonstration")
            terminal.press("ctrl+e", "ctrl+g")
            terminal.wait_for("┊")
        terminal.press("ctrl+e", "Z", "Z")
        terminal.press("ctrl+q")
        assert terminal.wait_for_end() == 0
    assert novel.read_text(encoding="utf-8").endswith("ZZ")


def test_hostile_text_is_shown_and_never_obeyed(write, novel):
    novel.write_text(f"Dear reader {HOSTILE} goodbye.", encoding="utf-8")
    with write(novel) as terminal:
        terminal.wait_for("goodbye")
        for keys in (["ctrl+f"], ["ctrl+o"], ["f2", "t"], ["f2", "a"], ["f9"], ["f10"], ["f1"]):
            terminal.press(*keys)
            terminal.paste(HOSTILE)
            terminal.press("enter")
            terminal.wait_for(lambda screen: True)
            terminal.press("escape")
            terminal.wait_for("goodbye")
        terminal.press("ctrl+q")
        terminal.wait_for_end()
    assert obeyed(terminal.output, HOSTILE) == []


def test_leaving_what_could_not_be_saved_says_so_below_the_screen(write, novel):
    with write(novel, ready="The keeper") as terminal:
        novel.chmod(0o444)
        terminal.press("ctrl+e", "Z", "Z")
        terminal.wait_for("ZZ")
        terminal.press("ctrl+q")
        assert terminal.wait_for_end() == 1
        assert "NOT SAVED: it is marked as read-only" in " ".join(terminal.text.split())
    novel.chmod(0o644)
    with write(novel, ready="never saved to its file") as terminal:
        terminal.press("down", "enter")
        terminal.wait_for("ZZ")


def limited(code, path, home):
    """Open the studio in a shell that gives it less address space than the starter needs; `code` runs before."""
    shell = ["sh", "-c", 'ulimit -v 1300000; exec "$@"', "sh"]
    billy = [sys.executable, "-c", f"{code}\nfrom billy_mlx.cli import main; main()"]
    return Terminal([*shell, *billy, "write", str(path)], size=(160, 50), env={"BILLY_HOME": str(home)})


linux = pytest.mark.skipif(sys.platform != "linux", reason="a Mac keeps to no such limit")


@linux
def test_without_memory_for_the_model_the_studio_says_so_and_lives_on(novel, starter_home):
    with limited("", novel, starter_home) as terminal:
        terminal.wait_for("Loading starter needs 0.8 GB of memory")
        terminal.press("ctrl+e")
        terminal.type(" He wrote on.")
        terminal.wait_for("He wrote on.")
        terminal.press("ctrl+q")
        assert terminal.wait_for_end() == 0
    assert novel.read_text(encoding="utf-8").endswith("He wrote on.")


@linux
def test_where_mlx_dies_of_it_all_the_same_the_terminal_is_given_back(novel, starter_home):
    with limited("from billy_mlx.model import memory; memory.limits = list", novel, starter_home) as terminal:
        assert terminal.wait_for_end() < 0
        assert "your text is kept: open it again" in terminal.text
        assert terminal.output.rindex(b"\x1b[?1049l") > terminal.output.rindex(b"\x1b[?1049h")
        assert terminal.output.rindex(b"\x1b[?1003l") > terminal.output.rindex(b"\x1b[?1003h")

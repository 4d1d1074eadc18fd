"""Bytes that come from a terminal: keys, pastes and the mouse, whole or in pieces, and what is none of them."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers.pseudo_terminal import Terminal, obeyed
from hypothesis import given
from hypothesis import strategies as st
from textual import events

from billy_mlx.text import visible
from billy_mlx.tui import terminal_input
from billy_mlx.tui.terminal_input import TerminalInput

PASTE = b"\x1b[200~one \x1b[31mtwo\x1b\xff\x1b[201~"
STUDIO = f"""
import sys
from functools import partial
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from helpers.scripted_engine import ScriptedEngine
from billy_mlx.tui import app
app.Studio = partial(app.Studio, connect=ScriptedEngine)
sys.exit(app.run(Path(sys.argv[1])))
"""
PARTS = st.sampled_from([b"\x1b", b"\x1b[", b"\x1b[M", b"\x1b[200~", b"\x1b[201~", b"\x1b[97:65;2u", b"\x1b[55296u"])


def taken(*pieces):
    """Return what comes of pieces of bytes: letters and names of keys, pastes, buttons of the mouse."""
    terminal = TerminalInput()
    return [told(event) for piece in pieces for event in terminal.feed(piece)]


def told(event):
    match event:
        case events.Key():
            return event.character or event.key
        case events.Paste(text=text):
            return ("paste", text)
        case events.MouseEvent():
            return (type(event).__name__, int(event.x), int(event.y))
    return type(event).__name__


def test_a_byte_that_is_no_text_is_replaced():
    assert taken(b"a\xffb") == ["a", "\N{REPLACEMENT CHARACTER}", "b"]


def test_a_letter_may_come_in_two_pieces():
    assert taken("é".encode()[:1], "é".encode()[1:] + b"b") == ["é", "b"]


def test_a_report_of_an_old_mouse_is_no_text():
    for place in range(33, 256):
        assert taken(b"\x1b[M " + bytes([place, place]) + b"x") == [("MouseDown", place - 33, place - 33), "x"]


def test_a_click_with_an_old_mouse_is_let_go_of():
    assert taken(b"\x1b[M !!", b"\x1b[M#!!") == [("MouseDown", 0, 0), ("MouseMove", 0, 0)]  # the driver makes it an up


def test_an_escape_in_a_paste_keeps_its_place():
    pasted = ("paste", "one \x1b[31mtwo\x1b\N{REPLACEMENT CHARACTER}")
    assert taken(b"a" + PASTE + b"b\x1b[A") == ["a", pasted, "b", "up"]


@pytest.mark.parametrize(
    "stream", [b"a" + PASTE + b"b", b"a\x1b[M \xff\xffb", b"\x1b[<0;5;5M\x1b[15~", b"\x1b[[A\x1bOQ"]
)
def test_it_is_the_same_however_the_bytes_are_cut(stream):
    for cut in range(len(stream)):
        assert taken(stream[:cut], stream[cut:]) == taken(stream)
    assert taken(*(bytes([byte]) for byte in stream)) == taken(stream)


@pytest.mark.parametrize("sequence", [b"\x1b[?1;2c", b"\x1b[>1c", b"\x1b[31m", b"\x1b[97:65;2u", b"\x1b[99999999u"])
def test_a_sequence_that_nobody_knows_is_no_text(sequence):
    assert taken(b"a" + sequence + b"b") == ["a", "b"]


@pytest.mark.parametrize("size", [b"0;0;0;0", b"9999999;9999999;1;1"])
def test_no_screen_has_such_a_size(size):
    assert taken(b"\x1b[48;" + size + b"t") == []


def test_the_mouse_is_still_known_after_what_the_parser_trips_over():
    assert taken(b"\x1b[48;24;80;240;800t\x1b[99999999u\x1b[<0;101;51M")[-1] == ("MouseDown", 10, 5)


@pytest.mark.parametrize(
    ("held", "meant"), [(b"\x1b", ["escape"]), (b"\x1b[", ["["]), (b"\x1b[20", []), (b"\x1b[M ", [])]
)
def test_what_is_not_gone_on_with_is_a_key_or_nothing(held, meant, monkeypatch):
    terminal = TerminalInput()
    assert list(terminal.feed(held)) == list(terminal.rest()) == []
    later(monkeypatch, terminal_input.HOLD_SECONDS)
    assert [event.character if event.key != "escape" else "escape" for event in terminal.rest()] == meant


def test_a_paste_of_which_the_end_is_lost_does_not_swallow_the_keys(monkeypatch):
    terminal = TerminalInput()
    assert list(terminal.feed(b"\x1b[200~one")) == list(terminal.rest()) == []
    later(monkeypatch, terminal_input.PASTE_SECONDS)
    assert [told(event) for event in (*terminal.rest(), *terminal.feed(b"a"))] == [("paste", "one"), "a"]


@given(st.lists(st.binary(max_size=6) | PARTS, max_size=12))
def test_whatever_comes_what_is_typed_is_text_and_nothing_raises(pieces):
    for one in taken(*pieces):
        str(one).encode()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"typed \xe9x", "typed \N{REPLACEMENT CHARACTER}x"),
        (b"\x1b[200~one\x1b[31mtwo\x1b[201~", "one\x1b[31mtwo"),
        (b"a" + PASTE + b"b", "aone \x1b[31mtwo\x1b\N{REPLACEMENT CHARACTER}b"),
        (b"\x1b[200~one\x1b]0;OWNED\x07\x1b[201~\xffz", "one\x1b]0;OWNED\x07\N{REPLACEMENT CHARACTER}z"),
    ],
)
def test_the_page_has_what_was_sent_and_nothing_of_it_is_obeyed(tmp_path, data, text):
    path = tmp_path / "novel.md"
    with Terminal([sys.executable, "-c", STUDIO, str(path)], timeout_seconds=40) as terminal:
        terminal.wait_for("scripted")
        terminal.send(data)
        terminal.wait_for(visible(text))
        terminal.press("ctrl+q")
        assert terminal.wait_for_end() == 0
    assert path.read_text(encoding="utf-8") == text
    assert b"Traceback" not in terminal.output
    assert obeyed(terminal.output, text) == []


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_the_studio_takes_any_bytes(seed):
    command = [sys.executable, str(Path(__file__).parents[1] / "helpers" / "terminal_fuzz.py"), str(seed), "400"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def later(monkeypatch, seconds):
    """Have so much time pass."""
    now = terminal_input.time.monotonic()
    monkeypatch.setattr(terminal_input, "time", SimpleNamespace(monotonic=lambda: now + seconds))

"""A file that another program changed: every way out is there, and shown in words."""

import pytest
from hosting import filled, seen, shown

from billy_mlx.tui.screens.conflict import ConflictScreen, free_copy


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "tale.md"
    file.write_text("The tower was quiet.")
    return file


def screen(path):
    return ConflictScreen(path, "The house was quiet.")


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
def test_what_happened_and_the_difference_are_shown(path, size):
    pictures = []
    shown(screen(path), seen(pictures), size=size)
    assert "! tale.md: another program changed this file" in pictures[0]
    assert "− house" in pictures[0]
    assert "+ tower" in pictures[0]


@pytest.mark.parametrize(
    ("keys", "answer"),
    [(["m"], "mine"), (["t"], "theirs"), (["enter"], "mine"), (["down", "enter"], "theirs"), (["escape"], None)],
)
def test_whose_text_it_is_to_be_is_one_or_two_keys(path, keys, answer):
    assert shown(screen(path), *keys).given == [answer]


def test_a_copy_gets_a_name_that_is_free(path):
    assert shown(screen(path), "c", "enter").given == [path.with_name("tale (mine).md")]
    path.with_name("tale (mine).md").touch()
    assert free_copy(path).name == "tale (mine 2).md"


@pytest.mark.parametrize(("name", "why"), [("tale.md", "is there already"), ("a/b.md", "a name, without a folder")])
def test_a_copy_replaces_nothing_and_stays_beside_the_file(path, name, why):
    pictures = []
    host = shown(screen(path), "c", filled(name), "enter", seen(pictures))
    assert host.given == []
    assert why in pictures[0]


def test_a_file_that_is_gone_is_called_so(path):
    path.unlink()
    pictures = []
    shown(screen(path), seen(pictures))
    assert "the file is gone" in pictures[0]
    assert "You changed it" not in pictures[0]
    assert "save my text under this name again" in pictures[0]


def test_a_file_that_cannot_be_read_is_told_in_words(path):
    path.write_bytes(b"\xff\xfe\xff")
    pictures = []
    assert shown(screen(path), seen(pictures), "m").given == ["mine"]
    assert "UTF-8" in pictures[0]


def test_a_hostile_name_is_harmless(path):
    hostile = path.with_name("a[b]\x1b]0;HOSTILE\x07.md")
    hostile.touch()
    pictures = []
    shown(screen(hostile), seen(pictures))
    assert "a[b]␛]0;HOSTILE.md" in pictures[0]


def test_a_copy_with_an_impossible_name_is_refused_in_words(path, monkeypatch):
    def refuse(self):
        raise ValueError("embedded null byte")

    pictures = []
    host = shown(
        screen(path), "c", lambda _: monkeypatch.setattr(type(path), "exists", refuse), "enter", seen(pictures)
    )
    assert host.given == []
    assert "no file can have such a name" in pictures[0]

"""Saving the writer's file, while others look at it or change it."""

import os
from pathlib import Path

import pytest

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.textfile import changed, digest_of, meant, read_text_file, save_text_file


def save(path):
    return save_text_file(path, "new", bom=False, expected=digest_of("old\n", bom=False))


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "novel.md"
    path.write_bytes(b"old\n")
    return path


def test_a_private_file_is_private_while_it_is_written(path, monkeypatch):
    path.chmod(0o600)
    modes, real = [], os.write
    monkeypatch.setattr(os, "write", lambda h, data: modes.append(os.fstat(h).st_mode & 0o777) or real(h, data))
    save(path)
    assert modes == [0o600]


def test_a_change_right_after_saving_is_seen(path, monkeypatch):
    real = os.replace
    monkeypatch.setattr(os, "replace", lambda old, new: (real(old, new), Path(new).write_bytes(b"theirs")))
    assert changed(path, save(path))


def test_a_mode_without_writing_is_obeyed(path):
    path.chmod(0o444)
    with pytest.raises(ManuscriptError, match="NOT SAVED: it is marked as read-only"):
        save(path)


@pytest.mark.parametrize("name", ["a\0b.md", "\ud800.md"])
def test_a_name_that_no_file_can_have_is_told_in_a_sentence(tmp_path, name):
    with pytest.raises(ManuscriptError, match="cannot be the name of a file") as told:
        read_text_file(tmp_path / name)
    str(told.value).encode()  # safe to print


def test_a_name_without_an_ending_is_markdown_unless_it_is_there(path):
    tale = path.with_name("tale")
    assert meant(tale) == path.with_name("tale.md")
    assert meant(path.with_name("tale.txt")) == path.with_name("tale.txt")
    tale.touch()
    assert meant(tale) == tale

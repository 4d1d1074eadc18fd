"""Homes beside notes that lead nowhere."""

import os
from pathlib import Path

from billy_mlx.manuscript import state_folder


def test_a_note_with_an_impossible_path_harms_no_other(tmp_path):
    state_folder.remember(
        state_folder.Home(Path("/" + "x" * 300), state_folder.find_home(tmp_path / "a.md", None).folder), "digest"
    )
    assert state_folder.find_home(tmp_path / "other.md", "digest").failure is None
    assert len(state_folder.recent()) == 1


def test_a_name_that_is_not_utf_8_is_not_noted(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.md"))
    state_folder.remember(state_folder.find_home(path, None), "digest")
    assert state_folder.recent() == ()

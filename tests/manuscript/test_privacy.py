"""What is kept of a text is for its writer alone, whatever the umask says, and nothing of a killed save stays."""

import os
import stat
import time

import pytest

from billy_mlx import paths
from billy_mlx.manuscript.context.guide import Guide
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.state_folder import find_home
from billy_mlx.tui.dials import Dials
from billy_mlx.tui.fault_report import keep_report
from billy_mlx.tui.screens.saved_blends import blends_file, save_blend
from billy_mlx.tui.settings import save_setting

LEFT_OVER = ".diary.md.0123abcd"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "diary.md"
    path.write_text("Dear diary", encoding="utf-8")
    path.chmod(0o640)
    return path


@pytest.fixture
def anyone():
    """Have no umask, as where all may read everything."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def kept_of(path):
    """Write on a text, keep something beside it, and return the modes of all that is kept, while it is open."""
    manuscript = Manuscript.open(path)
    manuscript.edit(0, 0, "So. ")
    manuscript.guide = Guide(memory="I am shy.")
    manuscript.save()
    modes = {found.name: mode(found) for found in (paths.state_folder(), *paths.state_folder().rglob("*"))}
    manuscript.close()
    return modes


def test_nobody_else_may_read_what_is_kept_of_a_text(path, anyone):
    modes = kept_of(path)
    home = find_home(path, None).folder.name
    assert {"journal", "history.db", "history.db-wal", "history.db-shm", "guide.json", "manuscript.json"} < {*modes}
    assert {name: each for name, each in modes.items() if each != 0o600} == dict.fromkeys(
        ("state", "manuscripts", home), 0o700
    )


def test_the_file_itself_keeps_the_mode_it_had(path, anyone):
    kept_of(path)
    assert mode(path) == 0o640


def test_what_a_version_before_kept_becomes_private_when_it_is_opened(path, anyone):
    kept_of(path)
    for found in (paths.state_folder(), *paths.state_folder().rglob("*")):
        found.chmod(0o777 if found.is_dir() else 0o666)
    Manuscript.open(path).close()
    assert not any(mode(found) & 0o077 for found in (paths.state_folder(), *paths.state_folder().rglob("*")))


def test_so_are_settings_blends_and_reports(anyone):
    save_setting("author", "Me")
    save_blend("mine", Dials().adding("noir"))
    keep_report("a report with words of the text")
    assert {mode(one) for one in (paths.config_file(), blends_file(), paths.state_folder() / "faults.log")} == {0o600}


def test_what_a_killed_save_left_is_removed_at_the_next_opening(path):
    left = path.with_name(LEFT_OVER)
    left.write_text("Dear di", encoding="utf-8")
    os.utime(left, (0, 0))
    Manuscript.open(path).close()
    assert not left.exists()


@pytest.mark.parametrize("name", [".diary.md.swp", ".diary.md.0123abcz", "diary.md.0123abcd", ".diary.txt.0123abcd"])
def test_what_others_have_there_stays(path, name):
    other = path.with_name(name)
    other.touch()
    os.utime(other, (0, 0))
    Manuscript.open(path).close()
    assert other.exists()


def test_so_does_what_may_be_a_save_under_way(path):
    left = path.with_name(LEFT_OVER)
    left.touch()
    Manuscript.open(path, clock=lambda: time.time() + 30).close()
    assert left.exists()


def test_so_does_what_there_is_while_another_program_has_the_text(path):
    first = Manuscript.open(path)
    left = path.with_name(LEFT_OVER)
    left.touch()
    os.utime(left, (0, 0))
    Manuscript.open(path).close()
    first.close()
    assert left.exists()

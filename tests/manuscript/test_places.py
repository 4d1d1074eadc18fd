"""The writer's file, the lock, and the folder where the rest is kept."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.disk_faults import ERRORS, faults

from billy_mlx.errors import ManuscriptError
from billy_mlx.lock import Holder, Lock, acquire
from billy_mlx.manuscript import state_folder
from billy_mlx.manuscript.textfile import Conflict, changed, digest_of, read_text_file, save_text_file


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "novel.md"
    path.write_bytes(b"old\n")
    return path


OLD = digest_of("old\n", bom=False)


@pytest.mark.parametrize("content", [b"", b"a\r\nb\r\n", b"\xef\xbb\xbfx", "é灯\n".encode(), b"\r", b"\x1b[31m"])
def test_a_file_is_read_and_saved_byte_for_byte(path, content):
    path.write_bytes(content)
    file = read_text_file(path)
    save_text_file(path, file.text, bom=file.bom, expected=file.digest)
    assert path.read_bytes() == content
    assert digest_of(file.text, bom=file.bom) == file.digest


@pytest.mark.parametrize("content", [b"\xff\xfea\0", "é".encode("latin-1")])
def test_what_is_no_text_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(ManuscriptError, match="not text in UTF-8: see line"):
        read_text_file(path)


def test_a_folder_and_a_pipe_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ManuscriptError, match="cannot be read"):
            read_text_file(place)


def test_a_link_stays_a_link_and_a_mode_stays_a_mode(path, tmp_path):
    path.chmod(0o640)
    link = tmp_path / "link.md"
    link.symlink_to(path)
    save_text_file(link, "new", bom=False, expected=OLD)
    assert link.is_symlink()
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640


def test_attributes_stay(path):
    try:
        os.setxattr(path, "user.tag", b"red")
    except (OSError, AttributeError):
        pytest.skip("no extended attributes here")
    save_text_file(path, "new", bom=False, expected=OLD)
    assert os.getxattr(path, "user.tag") == b"red"


@pytest.mark.parametrize(("expected", "kind"), [("0" * 64, "changed"), (None, "appeared")])
def test_another_file_is_a_conflict(path, expected, kind):
    with pytest.raises(Conflict) as conflict:
        save_text_file(path, "new", bom=False, expected=expected)
    assert conflict.value.kind == kind
    assert path.read_bytes() == b"old\n"


def test_a_file_that_is_gone_is_a_conflict(path):
    path.unlink()
    with pytest.raises(Conflict, match="moved or deleted"):
        save_text_file(path, "new", bom=False, expected=OLD)
    assert not path.exists()


@pytest.mark.parametrize("failure", [*ERRORS, "torn", "short"])
def test_whichever_call_fails_the_file_is_whole_and_nothing_is_left_beside_it(path, failure):
    with faults(path.parent) as watch:
        save_text_file(path, "new", bom=False, expected=OLD)
    for failing in range(len(watch.calls)):
        path.write_bytes(b"old\n")
        said = False
        with faults(path.parent, fail=lambda number, _, at=failing: failure if number == at else None):
            try:
                save_text_file(path, "new", bom=False, expected=OLD)
            except ManuscriptError:
                said = True
        assert path.read_bytes() == (b"old\n" if said else b"new")
        # Only the removal of the file with another name may itself be what fails.
        assert [*path.parent.glob(".*")] == [] or watch.calls[failing] == "unlink"


def test_a_change_is_seen_by_its_stamp(path):
    stamp = read_text_file(path).stamp
    assert not changed(path, stamp)
    path.write_bytes(b"other")
    assert changed(path, stamp)
    path.unlink()
    assert changed(path, stamp)
    assert not changed(path, None)


def test_a_file_that_is_marked_read_only_is_left_alone(path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anything
    with pytest.raises(ManuscriptError, match="NOT SAVED: it is marked as read-only"):
        save_text_file(path, "new", bom=False, expected=OLD)


def test_a_lock_is_held_once_and_names_its_holder(tmp_path):
    lock = acquire(tmp_path)
    holder = acquire(tmp_path)
    assert isinstance(holder, Holder)
    assert holder.pid == os.getpid()
    lock.release()
    again = acquire(tmp_path)
    assert isinstance(again, Lock)
    again.release()


def test_a_program_that_is_killed_gives_its_lock_up(tmp_path):
    script = "import os,signal; from pathlib import Path; from billy_mlx.lock import acquire; "
    script += (
        f"lock = acquire(Path({str(tmp_path)!r})); print(os.getpid(), flush=True); os.kill(os.getpid(), signal.SIGSTOP)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as other:
        pid = int(other.stdout.readline())
        assert acquire(tmp_path).pid == pid
        other.kill()
    lock = acquire(tmp_path)
    assert isinstance(lock, Lock)
    lock.release()


def test_a_folder_that_cannot_be_locked_is_said(tmp_path):
    assert acquire(tmp_path / "missing").doubtful


def test_a_holder_that_cannot_be_made_out_is_still_one(tmp_path):
    lock = acquire(tmp_path)
    (tmp_path / "lock").write_bytes(b"garbage")
    assert acquire(tmp_path) == Holder()
    lock.release()


def test_one_file_has_one_home_by_whatever_link(path, tmp_path):
    link = tmp_path / "link.md"
    link.symlink_to(path)
    assert state_folder.find_home(link, OLD).folder == state_folder.find_home(path, OLD).folder


def test_a_moved_file_brings_its_home_along_and_a_copied_one_does_not(path):
    first = state_folder.find_home(path, OLD)
    state_folder.remember(first, OLD)
    copy = path.with_name("copy.md")
    copy.write_bytes(b"old\n")
    assert state_folder.find_home(copy, OLD).moved_from is None
    copy.unlink()
    (first.folder / "journal").write_bytes(b"x")
    moved = state_folder.find_home(path.rename(path.with_name("moved.md")), OLD)
    assert moved.moved_from == path
    assert (moved.folder / "journal").read_bytes() == b"x"


def test_the_last_manuscripts_are_listed_and_damaged_notes_passed_over(path, tmp_path):
    for name in ("one.md", "two.md"):
        state_folder.remember(state_folder.find_home(tmp_path / name, None), None)
    (state_folder.find_home(path, OLD).folder / "manuscript.json").write_bytes(b'{"path": 1')
    assert {recent.path.name: recent.exists for recent in state_folder.recent()} == {"one.md": False, "two.md": False}


def test_names_of_any_kind_have_a_home(tmp_path):
    for name in ("…/../x".replace("/", "_"), "é" * 80 + ".md", ".md", "a b\n.md"):
        folder = state_folder.find_home(Path(tmp_path / name), None).folder
        assert folder.is_dir()
        assert "\n" not in folder.name

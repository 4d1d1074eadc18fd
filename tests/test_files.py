"""Files that are whole or not there: what has reached the disk when the call returns."""

import errno
import fcntl
import os
from types import SimpleNamespace

import pytest

from billy_mlx import files
from billy_mlx.errors import BillyError
from billy_mlx.files import sync, write_atomically


@pytest.fixture
def calls(monkeypatch):
    """The system calls made to sync, by name."""
    made = SimpleNamespace(names=[], refused=False)

    def full_sync(descriptor, command):
        made.names.append(command)
        if made.refused:
            raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(fcntl, "F_FULLFSYNC", "F_FULLFSYNC", raising=False)
    monkeypatch.setattr(fcntl, "fcntl", full_sync)
    monkeypatch.setattr(os, "fsync", lambda descriptor: made.names.append("fsync"))
    return made


def test_macos_is_told_to_empty_the_drives_own_cache(calls):
    sync(0)
    assert calls.names == ["F_FULLFSYNC"]


def test_a_file_system_without_it_gets_the_ordinary_sync(calls):
    calls.refused = True
    sync(0)
    assert calls.names == ["F_FULLFSYNC", "fsync"]


def test_other_systems_get_the_ordinary_sync(calls, monkeypatch):
    monkeypatch.delattr(fcntl, "F_FULLFSYNC")
    sync(0)
    assert calls.names == ["fsync"]


def test_the_file_is_synced_before_it_takes_its_name_and_the_folder_after(tmp_path, monkeypatch):
    synced = []
    path = tmp_path / "new" / "file"
    monkeypatch.setattr(files, "sync", lambda descriptor: synced.append((os.fstat(descriptor).st_ino, path.exists())))
    write_atomically(path, b"all of it")
    assert synced == [(path.stat().st_ino, False), (path.parent.stat().st_ino, True)]
    assert path.read_bytes() == b"all of it"


def test_a_folder_that_cannot_be_synced_is_no_failure(tmp_path, monkeypatch):
    def sync_files_only(descriptor):
        if (tmp_path / "file").exists():
            raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(files, "sync", sync_files_only)
    write_atomically(tmp_path / "file", b"all of it")
    assert (tmp_path / "file").read_bytes() == b"all of it"


def test_a_file_that_cannot_be_synced_is_not_saved(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "sync", full)
    with pytest.raises(BillyError, match="file was not saved: No space left on device"):
        write_atomically(tmp_path / "file", b"all of it")
    assert not list(tmp_path.iterdir())

"""The journal: a beginning of what was written, whatever happens to the file or to the disk."""

import contextlib
import os
import subprocess
import sys
import threading

import pytest
from helpers.disk_faults import ERRORS, faults
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.journal import MAGIC, Journal, read_journal

RECORDS = [b"first", b"", b"a longer record, with \0 and \n in it" * 20, b"last"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal"


def written(path, records=RECORDS):
    journal = Journal.create(path, records[0])
    for record in records[1:]:
        journal.append(record)
    return journal


def test_what_is_appended_can_be_read_at_once(path):
    journal = written(path)
    assert read_journal(path).records == tuple(RECORDS)
    assert read_journal(path).valid_bytes == journal.size == path.stat().st_size
    journal.close()


def test_no_journal_is_no_damage(path):
    assert read_journal(path).records == ()
    assert read_journal(path).damage is None


@pytest.mark.parametrize("content", [b"", b"something else", MAGIC[:-1] + b"9"])
def test_another_file_is_damage_and_holds_no_records(path, content):
    path.write_bytes(content)
    assert read_journal(path).records == ()
    assert read_journal(path).damage


def test_a_folder_in_its_place_is_an_error(path):
    path.mkdir()
    with pytest.raises(ManuscriptError, match="cannot be read"):
        read_journal(path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("journal") / "journal"
    written(path).close()
    return path.read_bytes()


@given(data=st.data())
def test_any_beginning_of_the_file_gives_a_beginning_of_the_records(whole, tmp_path_factory, data):
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    read = reread(tmp_path_factory, cut)
    assert read.records == tuple(RECORDS[: len(read.records)])


@given(data=st.data())
def test_any_damaged_byte_leaves_the_records_before_it(whole, tmp_path_factory, data):
    at, bits = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(1, 255))
    read = reread(tmp_path_factory, whole[:at] + bytes([whole[at] ^ bits]) + whole[at + 1 :])
    assert read.records == tuple(RECORDS[: len(read.records)])
    assert read.damage
    assert len(read.records) < len(RECORDS)


@given(junk=st.binary(max_size=200))
def test_any_bytes_are_read_without_an_error(tmp_path_factory, junk):
    assert reread(tmp_path_factory, MAGIC + junk).valid_bytes <= len(MAGIC) + len(junk)


def reread(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(content)
    return read_journal(path)


def test_a_torn_end_is_cut_off_before_anything_follows(path):
    written(path).close()
    path.write_bytes(path.read_bytes()[:-2])
    journal = Journal.open(path, read_journal(path).valid_bytes)
    journal.append(b"new")
    assert read_journal(path).records == (*RECORDS[:-1], b"new")
    journal.close()


@pytest.mark.parametrize("failure", ["torn", *ERRORS])
@pytest.mark.parametrize("broken", [{"write"}, {"write", "ftruncate"}], ids=["cut back", "not even cut back"])
def test_records_wait_in_order_until_there_is_room(path, failure, broken):
    now = {}
    with faults(path.parent, fail=lambda number, name: now.get(name)):
        journal = written(path)
        now.update(dict.fromkeys(broken, failure if failure != "torn" else ERRORS[0]), write=failure)
        journal.append(b"one")
        journal.append(b"two")
        assert journal.waiting == 2
        assert "is not safe" in journal.failure
        assert read_journal(path).records == tuple(RECORDS)
        now.clear()
        journal.append(b"three")
        assert journal.waiting == 0
        assert journal.failure is None
        assert read_journal(path).records == (*RECORDS, b"one", b"two", b"three")
        journal.close()


def test_a_short_write_is_gone_on_with(path):
    with faults(path.parent, fail=lambda number, name: "short" if name == "write" else None):
        written(path, [b"a long first record", b"and another"]).close()
    assert read_journal(path).records == (b"a long first record", b"and another")


@pytest.mark.parametrize("failure", ERRORS)
def test_each_call_of_creating_one_may_fail_and_leaves_the_old_one(path, failure):
    written(path).close()
    with faults(path.parent) as watch:
        Journal.create(path.with_name("other"), b"x").close()
    for failing in range(len(watch.calls)):
        with (
            faults(path.parent, fail=lambda n, name, at=failing: failure if n == at else None),
            contextlib.suppress(ManuscriptError),
        ):
            Journal.create(path, b"new").close()
        assert read_journal(path).records in (tuple(RECORDS), (b"new",))
    assert [file.name for file in path.parent.iterdir() if file.name.startswith(".")] == []


def test_a_sync_that_fails_is_said_until_one_succeeds(path):
    fails = [True]
    with faults(path.parent, fail=lambda n, name: ERRORS[1] if name == "fsync" and fails[0] else None):
        fails[0] = False
        journal = written(path)
        fails[0] = True
        journal.sync()
        assert "not safe" in journal.failure
        assert journal.unsynced
        journal.append(b"more")
        assert "not safe" in journal.failure
        fails[0] = False
        journal.sync()
    assert journal.failure is None
    assert not journal.unsynced
    journal.close()


def test_it_begins_anew_with_all_there_is(path):
    journal = written(path)
    journal.restart(b"everything")
    journal.append(b"more")
    assert read_journal(path).records == (b"everything", b"more")
    journal.close()


def test_what_cannot_begin_anew_goes_on(path):
    journal = written(path)
    with faults(path.parent, fail=lambda n, name: ERRORS[0]), pytest.raises(ManuscriptError, match="not safe"):
        journal.restart(b"everything")
    journal.append(b"more")
    assert read_journal(path).records == (*RECORDS, b"more")
    journal.close()


def test_an_append_does_not_wait_for_a_sync(path, monkeypatch):
    syncing, appended = threading.Event(), threading.Event()

    def slow(_):
        syncing.set()
        assert appended.wait(10)

    journal = written(path)
    monkeypatch.setattr(os, "fsync", slow)
    thread = threading.Thread(target=journal.sync)
    thread.start()
    assert syncing.wait(10)
    journal.append(b"meanwhile")
    appended.set()
    thread.join()
    assert journal.unsynced
    journal.close()


FULL_DISK = """
import resource, sys
from pathlib import Path
from billy_mlx.manuscript.journal import Journal, read_journal

path = Path(sys.argv[1])
journal = Journal.open(path, read_journal(path).valid_bytes)
resource.setrlimit(resource.RLIMIT_FSIZE, (journal.size + 100, resource.RLIM_INFINITY))
journal.append(b"x" * 50)
journal.append(b"y" * 500)
assert journal.waiting == 1 and journal.failure
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
journal.append(b"z")
assert journal.waiting == 0 and not journal.failure
"""


def test_a_disk_that_is_really_full_loses_nothing(path):
    """The kernel refuses to let the file grow, in a process of its own."""
    journal = written(path)
    journal.close()
    subprocess.run([sys.executable, "-c", FULL_DISK, str(path)], check=True)
    assert read_journal(path).records == (*RECORDS, b"x" * 50, b"y" * 500, b"z")


@pytest.mark.parametrize("failure", ERRORS)
def test_each_call_of_beginning_anew_may_fail_and_what_follows_is_in_the_file(path, failure):
    for failing in range(10):
        journal = Journal.create(path, b"old")
        with (
            faults(path.parent, fail=lambda n, name, at=failing: failure if n == at else None),
            contextlib.suppress(ManuscriptError),
        ):
            journal.restart(b"new")
        journal.append(b"more")
        assert read_journal(path).records in ((b"old", b"more"), (b"new", b"more"))
        journal.close()


def test_after_a_sync_that_failed_the_file_is_written_again(path):
    journal = written(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: (path / "no folder").stat())  # an OSError
        journal.sync()
    assert journal.failure
    before = path.stat().st_ino
    journal.sync()
    assert (journal.failure, path.stat().st_ino != before) == (None, True)
    journal.append(b"more")
    assert read_journal(path).records == (*RECORDS, b"more")
    journal.close()


def test_what_is_appended_after_closing_goes_into_no_other_file(path):
    journal = written(path)
    journal.close()
    other = os.open(path.with_name("other"), os.O_CREAT | os.O_WRONLY)
    journal.append(b"late")
    os.close(other)
    assert path.with_name("other").read_bytes() == b""
    assert journal.failure

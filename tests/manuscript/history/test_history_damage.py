import os
import shutil
import sqlite3
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from helpers.history_samples import all_closed, draft, line, typed  # noqa: F401
from hypothesis import given, settings
from hypothesis import strategies as st

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.history import file
from billy_mlx.manuscript.history.file import with_checksum, without_checksum
from billy_mlx.manuscript.history.history import History
from billy_mlx.manuscript.history.rows import keyframe_of, revision_of, standing_of
from billy_mlx.manuscript.prose import Prose

HELPERS = Path(__file__).parents[2] / "helpers"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "history.db"


def made(path, count=5):
    history = History.open(path)
    line(history, count)
    history.close()


def change(path, statement):
    """Change a closed history behind its back."""
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def set_aside_after(path, statement):
    """Return the notice of a history that was changed behind its back."""
    made(path)
    change(path, statement)
    history = History.open(path)
    assert (history.last_revision, history.failure, path.with_name("history.damaged-1.db").exists()) == (0, None, True)
    line(history, 2)
    history.close()
    assert History.open(path).notice is None
    return history.notice


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("PRAGMA application_id = 7", "no history"),
        ("PRAGMA user_version = 2", "newer version"),
        ("CREATE TRIGGER more AFTER INSERT ON revision BEGIN DELETE FROM draft; END", "its tables"),
        ("UPDATE standing SET head = 4", "changed by itself"),
        ("UPDATE revision SET edits = replace(edits, 'word', 'lord') WHERE id = 2", "changed by itself"),
        ("DELETE FROM revision WHERE id = 5", "missing"),
        ("DELETE FROM revision WHERE id = 3", "missing"),
        ("DELETE FROM standing", "after the last one"),
    ],
)
def test_a_file_that_is_not_as_it_was_left_is_set_aside_and_the_writer_told(path, statement, why):
    assert why in set_aside_after(path, statement)


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\0" + bytes(5000)])
def test_another_file_of_that_name_is_kept_and_not_read(path, content):
    path.write_bytes(content)
    history = History.open(path)
    assert "kept as history.damaged-1.db" in history.notice
    assert path.with_name("history.damaged-1.db").read_bytes() == content


def test_every_damaged_file_is_kept_under_its_own_number(path):
    for number in range(1, 4):
        path.write_bytes(b"damaged")
        assert f"history.damaged-{number}.db" in History.open(path).notice


def test_damage_found_while_reading_is_an_error_and_the_file_is_set_aside_next_time(path):
    history = History.open(path)
    history.keyframe(50, line(history, 50))
    history.close()
    change(path, "UPDATE revision SET made = 0 WHERE id = 2")
    history = History.open(path)
    assert history.prose_at(50).text == "word " * 50
    with pytest.raises(ManuscriptError, match=r"damaged.*open the manuscript again"):
        history.revision(2)
    history.close()
    assert "when it was last used" in History.open(path).notice


def test_a_log_left_behind_is_not_taken_for_that_of_a_new_file(path):
    path.with_name("history.db-wal").write_bytes(b"of another file")
    made(path)
    assert History.open(path).last_revision == 5
    assert path.with_name("history.damaged-1.db-wal").read_bytes() == b"of another file"


def test_a_file_begun_by_a_program_that_was_killed_does_not_matter(path):
    path.with_name("history.db.new").write_bytes(b"half")
    made(path)
    assert History.open(path).prose_at(5).text == "word " * 5


def test_a_file_in_use_by_another_program_is_left_where_it_is(path):
    made(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(ManuscriptError, match=r"cannot be read now.*locked"):
        History.open(path)
    other.close()
    assert History.open(path).head == 5


def test_a_flush_while_another_program_writes_is_made_up_for_later(path):
    history = History.open(path)
    line(history, 3)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    history.flush()
    assert "locked" in history.failure
    other.close()
    history.flush()
    assert (history.failure, History.open(path).head) == (None, 3)


def test_where_no_file_can_be_made_the_history_stays_in_memory_until_one_can(tmp_path):
    folder = tmp_path / "state"
    folder.write_text("a file where the folder should be")
    history = History.open(folder / "history.db")
    assert "not saved" in history.failure
    prose = line(history, 3)
    history.flush()
    assert (history.prose_at(3), history.children(2), bool(history.failure)) == (prose, (3,), True)
    folder.unlink()
    history.flush()
    assert (history.failure, History.open(folder / "history.db").prose_at(3)) == (None, prose)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_fails_the_flush_or_the_opening_with_a_reason(path):
    made(path)
    path.parent.chmod(0o500)
    try:
        with pytest.raises(ManuscriptError, match="cannot be read now"):
            History.open(path)
    finally:
        path.parent.chmod(0o700)
    assert History.open(path).head == 5


def test_a_full_disk_keeps_what_waits_and_the_next_flush_writes_it(path):
    history = History.open(path)
    writer = history._store.file._writer
    writer.execute("PRAGMA max_page_count = 14")
    prose = line(history, 500)
    history.flush()
    assert ("full" in history.failure, history.prose_at(500) == prose) == (True, True)
    writer.execute("PRAGMA max_page_count = 100000")
    history.flush()
    assert (history.failure, History.open(path).prose_at(500)) == (None, prose)


FULL = """
import resource, sys
from pathlib import Path
from helpers.history_samples import line
from billy_mlx.manuscript.history.history import History
history = History.open(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
line(history, 100, text="much " * 50)
history.flush()
failed = history.failure is not None
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
history.flush()
print(failed, history.failure)
"""


@pytest.mark.parametrize("limit", [4096, 16_000, 32_000])
def test_a_file_that_may_not_grow_fails_the_flush_and_no_more(path, limit):
    answer = run(["-c", FULL, str(path), str(limit)])
    assert answer == "True None"
    assert History.open(path).prose_at(100).text == "much " * 5000


@pytest.mark.slow
def test_a_killed_writer_leaves_what_it_had_flushed_and_nothing_in_part(tmp_path):
    assert run([str(HELPERS / "history_crash.py"), str(tmp_path), "120"]) == "120"


def run(arguments):
    environment = os.environ | {"PYTHONPATH": str(HELPERS.parent)}
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The files of a history that was not closed, two flushes of it in the log, and what is in them."""
    path = tmp_path_factory.mktemp("sample") / "history.db"
    history = History.open(path)
    line(history, 40)
    history.keyframe(30, history.prose_at(30))
    history.put_draft(draft(1, 1, 2))
    history.checkpoints["here"] = 12
    history.close()
    history = History.open(path)
    for id in range(41, 60):
        parent = id - 1 - id % 2
        history.add(typed(id, parent, history.prose_at(parent), f"new {id}", start=3)[0])
        history.head = id
        if id % 10 == 0:
            history.flush()
    files = {file.name: file.read_bytes() for file in path.parent.iterdir() if not file.name.endswith("-shm")}
    revisions = {id: history.revision(id) for id in range(1, 60)}
    return files, revisions, {id: history.prose_at(id) for id in revisions}


def told(ask, missing=None):
    """Return the answer; `missing` if it is an error that says so."""
    try:
        return ask()
    except (ManuscriptError, KeyError):
        return missing


def walk(history, revisions, texts):
    """Ask for everything and compare: what is there is right."""
    for id, revision in revisions.items():
        assert told(lambda id=id: history.revision(id)) in (None, revision)
        assert told(lambda id=id: history.prose_at(id)) in (None, texts[id])
        children = told(lambda id=id: history.children(id), ())
        assert all(revisions[child].parent == id for child in children)
    assert told(lambda: history.checkpoints["here"]) in (None, 12)
    assert told(lambda: history.find_draft(1)) in (None, draft(1, 1, 2))
    for landmarks in (True, False):
        versions = told(lambda landmarks=landmarks: [*history.tree(landmarks=landmarks)], ())
        assert {version.id for version in versions} <= revisions.keys()


def damaged(content, kind, place, length, value):
    """Return `content` with some bytes changed, cut off, or emptied."""
    place = place % max(1, len(content))
    if kind == "cut":
        return content[:place]
    new = bytes(length) if kind == "zero" else bytes([value]) * (length if kind == "fill" else 1)
    return (content[:place] + new + content[place + len(new) :])[: len(content)]


damages = st.tuples(
    st.booleans(),
    st.sampled_from(["byte", "byte", "fill", "zero", "cut"]),
    st.integers(0, 2**20),
    st.integers(1, 5000),
    st.integers(0, 255),
)


@pytest.mark.slow
@given(st.lists(damages, min_size=1, max_size=3))
@settings(max_examples=int(os.environ.get("BILLY_FUZZ", "100")), deadline=None)
def test_damaged_bytes_give_right_values_an_error_or_a_new_history(sample, tmp_path_factory, all_damages):
    files, revisions, texts = sample
    folder = tmp_path_factory.mktemp("damaged")
    changed = dict(files)
    for in_log, *damage in all_damages:
        name = "history.db-wal" if in_log else "history.db"
        changed[name] = damaged(changed[name], *damage)
    for name, content in changed.items():
        (folder / name).write_bytes(content)
    history = told(lambda: History.open(folder / "history.db"))
    if history is not None:
        walk(history, revisions, texts)
        assert history.last_revision >= 40 or history.notice
        history.close()
    shutil.rmtree(folder)


def test_a_row_does_not_pass_for_one_of_another_table_or_of_other_values():
    row = with_checksum("checkpoint", ("here", 3))
    assert without_checksum("checkpoint", row) == ("here", 3)
    for table, wrong in (("branch", row), ("checkpoint", ("here", 4, row[2])), ("checkpoint", row[1:])):
        with pytest.raises(ValueError, match="changed by itself"):
            without_checksum(table, wrong)


@pytest.mark.parametrize("data", [zlib.compress(bytes(10_000)), zlib.compress(bytes(500))[:-3], b"xyz"])
def test_compressed_bytes_are_read_up_to_a_limit(monkeypatch, data):
    monkeypatch.setattr(file, "LIMIT", 1000)
    with pytest.raises(ValueError, match="compressed bytes"):
        file._unpacked(data)


@pytest.mark.parametrize(
    "edits",
    [b"[[-1, '', '']]", b'[[0, "", "ab", null, [[3, 0]]]]', b'[[0, "", "ab", null, [[3, 0], [-1, 0]]]]', b"[[", b"{}"],
)
def test_edits_that_do_not_fit_are_refused(edits):
    with pytest.raises(ValueError, match=r"\w"):
        revision_of((2, 1, "typed", 1.0, None, edits))


@pytest.mark.parametrize(
    "row",
    [(2, 2, "typed", 1.0, None, b"[]"), (0, None, "typed", 1.0, None, b"[]"), (2, 1, "sung", 1.0, None, b"[]")],
)
def test_revisions_that_make_no_tree_are_refused(row):
    with pytest.raises(ValueError, match=r"\w"):
        revision_of(row)


def test_a_kept_text_and_a_standing_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="authors"):
        keyframe_of((1, b'["abc", [[2, 0]]]'))
    with pytest.raises(ValueError, match="after the last"):
        standing_of((1, 9, "main", 3, 0, 0))
    assert keyframe_of((1, b'["abc"]')) == Prose.by(0, "abc")

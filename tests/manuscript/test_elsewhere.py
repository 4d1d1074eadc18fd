"""A file that another program changed: it is noticed, and every way on keeps every word."""

import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript import file_on_disk
from billy_mlx.manuscript.elsewhere import read_theirs, said_of
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.prose import UNKNOWN, WRITER
from billy_mlx.manuscript.textfile import NotText
from billy_mlx.manuscript.word_diff import Merge, merge

NIGHT = "It was a dark night. The lamp was out.\n\nNobody came.\n"


@pytest.fixture
def novel(tmp_path):
    path = tmp_path / "novel.md"
    path.write_text(NIGHT)
    return path


@pytest.fixture
def manuscript(novel):
    opened = Manuscript.open(novel)
    yield opened
    opened.close()


def changed_in_secret(path, old, new):
    """Change a file so that size, time and inode stay, as a copy to FAT and back does."""
    stamp = path.stat()
    with path.open("r+b") as file:
        content = file.read().replace(old, new)
        file.seek(0)
        file.write(content)
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (stamp.st_size, stamp.st_mtime_ns)


def joined(base, mine, theirs):
    """Return mine with their changes."""
    merged = merge(base, mine, theirs)
    for one in reversed(merged.taken):
        mine = mine[: one.start] + theirs[one.first : one.last] + mine[one.end :]
    return mine


# Noticing it.


def test_a_change_of_the_same_size_and_time_is_seen(manuscript, novel):
    changed_in_secret(novel, b"dark", b"pale")
    assert manuscript.changed_elsewhere()


def test_without_a_reason_a_file_is_read_now_and_then(manuscript, novel, monkeypatch):
    monkeypatch.setattr(file_on_disk, "_PAUSE", 0)
    changed_in_secret(novel, b"dark", b"pale")
    assert manuscript.look_elsewhere(thorough=False).result()


def test_a_file_that_takes_long_to_read_is_not_read_for_nothing(manuscript, novel, monkeypatch):
    monkeypatch.setattr(file_on_disk, "_PAUSE", 1e9)
    assert not manuscript.look_elsewhere(thorough=False).result()
    changed_in_secret(novel, b"dark", b"pale")
    assert not manuscript.look_elsewhere(thorough=False).result()
    assert manuscript.look_elsewhere().result()


def test_a_save_never_goes_over_a_change_of_the_same_size_and_time(manuscript, novel):
    manuscript.edit(0, 0, "mine ")
    changed_in_secret(novel, b"dark", b"pale")
    assert manuscript.save().conflict
    assert novel.read_text() == NIGHT.replace("dark", "pale")


# Both.


def test_changes_at_other_places_are_brought_together_as_one_step(manuscript, novel):
    manuscript.edit(0, 2, "That")
    novel.write_text(NIGHT.replace("Nobody", "Somebody"))
    manuscript.elsewhere.keep_both()
    assert manuscript.text == novel.read_text() == NIGHT.replace("It", "That").replace("Nobody", "Somebody")
    assert not manuscript.safety.unsaved
    manuscript.versions.undo()
    assert manuscript.text == NIGHT.replace("It", "That")
    assert NIGHT.replace("Nobody", "Somebody") in {
        manuscript.versions.text_at(version.id).text for version in manuscript.versions.tree(landmarks=False)
    }


def test_it_stays_known_who_wrote_what(manuscript, novel):
    author = manuscript.drafts.alternative(draft := manuscript.drafts.begin("continue", 20))
    manuscript.drafts.write(author, " The fog came up from the harbour.")
    manuscript.drafts.accept(draft)
    manuscript.edit(0, 0, "Oh. ")
    novel.write_text(NIGHT.replace("Nobody", "Somebody"))
    manuscript.elsewhere.keep_both()
    spans = [(manuscript.text[one.start : one.end], one.author) for one in manuscript.prose.authors.spans()]
    assert spans == [
        ("Oh. ", WRITER),
        (NIGHT[:20], UNKNOWN),
        (" The fog came up from the harbour.", author),
        (NIGHT[20:].replace("Nobody", "Somebody"), UNKNOWN),
    ]


def test_where_both_changed_the_same_words_nothing_is_done_and_it_is_said(manuscript, novel):
    manuscript.edit(9, 13, "cold")
    novel.write_text(NIGHT.replace("dark", "pale"))
    with pytest.raises(ManuscriptError, match="at one place you have “cold”, and the other program has “pale”"):
        manuscript.elsewhere.keep_both()
    assert manuscript.text == NIGHT.replace("dark", "cold")
    assert novel.read_text() == NIGHT.replace("dark", "pale")


def test_how_they_go_together_is_known_before_it_is_done(novel):
    novel.write_text(NIGHT.replace("dark", "pale"))
    assert said_of(read_theirs(novel, NIGHT, f"Oh. {NIGHT}").merge) == ""
    assert "cannot be combined" in said_of(read_theirs(novel, NIGHT, NIGHT.replace("dark", "cold")).merge)


def test_the_end_of_one_paragraph_does_not_touch_a_new_one_after_it():
    assert joined("A.\n\nB.", "A. More.\n\nB.", "A.\n\nNew.\n\nB.") == "A. More.\n\nNew.\n\nB."


def test_words_beside_one_another_do_touch():
    assert merge("a dark night", "a cold night", "a dark dawn").touching == (("cold ", "dawn"),)


def test_in_a_long_book_words_of_one_paragraph_are_told_apart():
    base = "\n\n".join(f"Paragraph {number} is about nobody and the sea." for number in range(6000))
    mine = base.replace("Paragraph 77 is", "Part 77 is")
    theirs = base.replace("Paragraph 77 is about nobody", "Paragraph 77 is about us")
    assert "Part 77 is about us and the sea." in joined(base, mine, theirs)


WORDS = st.lists(st.sampled_from(["ab", "cd.", "ef\n\n", "gh\n", "i", "j"]), max_size=12).map(" ".join)


@given(WORDS, WORDS)
def test_a_change_of_one_alone_is_taken_whole_and_one_that_both_made_is_made_once(base, other):
    assert joined(base, base, other) == other
    assert joined(base, other, base) == other
    assert merge(base, other, other) == Merge()


@given(st.lists(st.sampled_from(["keep", "mine", "theirs"]), min_size=1, max_size=8))
def test_changes_with_a_kept_word_between_are_both_there(what):
    base = " ".join(f"w{index} k{index}" for index in range(len(what)))
    mine, theirs, wanted = base, base, base
    for index, one in enumerate(what):
        if one == "mine":
            mine, wanted = (text.replace(f"w{index} ", "mine ") for text in (mine, wanted))
        elif one == "theirs":
            theirs, wanted = (text.replace(f"w{index} ", f"theirs{index} ") for text in (theirs, wanted))
    assert joined(base, mine, theirs) == wanted


# A file that is no text any more.


@pytest.fixture
def binary(manuscript, novel):
    manuscript.edit(0, 0, "mine ")
    novel.write_bytes(b"\xff\xfe\x00\x01")
    return novel


def test_a_file_that_turned_binary_is_seen_and_not_overwritten(manuscript, binary):
    assert manuscript.changed_elsewhere()
    assert manuscript.save().conflict
    assert "not text in UTF-8" in read_theirs(binary, NIGHT, manuscript.text).wrong
    for way in (manuscript.elsewhere.take_theirs, manuscript.elsewhere.keep_both):
        with pytest.raises(NotText):
            way()
    assert binary.read_bytes() == b"\xff\xfe\x00\x01"


def test_mine_can_be_kept_and_what_they_put_there_as_well(manuscript, binary):
    aside = manuscript.elsewhere.keep_mine()
    assert aside == binary.with_name("novel (theirs).md")
    assert aside.read_bytes() == b"\xff\xfe\x00\x01"
    assert binary.read_text() == manuscript.text == f"mine {NIGHT}"
    assert not manuscript.safety.unsaved


def test_so_it_can_if_there_is_a_folder_now(manuscript, novel):
    novel.unlink()
    novel.mkdir()
    (novel / "inside").touch()
    assert manuscript.save().conflict
    assert (manuscript.elsewhere.keep_mine() / "inside").exists()
    assert novel.read_text() == NIGHT


def test_what_cannot_be_renamed_is_not_overwritten(manuscript, binary, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(ManuscriptError, match="cannot be renamed"):
        manuscript.elsewhere.keep_mine()
    assert binary.read_bytes() == b"\xff\xfe\x00\x01"


def test_a_file_that_is_gone_has_no_other_text_to_be_put_together_with(manuscript, novel):
    novel.unlink()
    with pytest.raises(ManuscriptError, match="is gone"):
        manuscript.elsewhere.keep_both()


def test_a_look_that_nobody_waits_for_any_more_does_not_end_the_sync_thread(manuscript, novel):
    begun, going = threading.Event(), threading.Event()
    manuscript._sync_thread.run(lambda: (begun.set(), going.wait()))
    begun.wait()
    looking = manuscript.look_elsewhere()
    assert looking.cancel()
    going.set()
    manuscript.edit(0, 0, "mine ")
    assert not manuscript.save().unsaved

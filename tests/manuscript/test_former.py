"""A new file with the same words as a deleted one: what it was is known, or asked, and nothing comes along unasked."""

import os
import shutil

import pytest

from billy_mlx.lock import acquire
from billy_mlx.manuscript import cards
from billy_mlx.manuscript.context.guide import Guide
from billy_mlx.manuscript.former import Undecided, ask_first
from billy_mlx.manuscript.kept import Left, left_in
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.state_folder import find_home, recent

TEXT = "The lamp had gone out, and nobody came up the stairs to see to it. Ada waited until the morning, then she left."
UNSAVED = "Never saved. "
SAVED = "So. " + TEXT


def yes(_former, _left):
    return True


def no(_former, _left):
    return False


@pytest.fixture
def novel(tmp_path):
    path = tmp_path / "novel.md"
    path.write_text(TEXT)
    return path


def left_behind(path, *, unsaved=UNSAVED, notes="", saved="So. "):
    """Write on a text, and leave it as a crash does."""
    manuscript = Manuscript.open(path)
    manuscript.edit(0, 0, saved)
    manuscript.save()
    manuscript.edit(0, 0, unsaved)
    if notes:
        manuscript.guide = Guide(memory=notes)
    manuscript._saving.result()
    manuscript._lock.release()
    return path


def copied(path, name="book.md"):
    """Have a new file with the same bytes under another name, and none under the old one."""
    copy = path.with_name(name)
    shutil.copyfile(path, copy)
    path.unlink()
    return copy


def looked_at(path, **how):
    """Open a text and close it: what it has of its own, and what is said."""
    manuscript = Manuscript.open(path, **how)
    offers, memory = [one.prose.text for one in manuscript.offers], manuscript.guide.memory
    undone = manuscript.versions.undo()
    manuscript.versions.redo()
    manuscript.close()
    return offers, memory, undone, " ".join(manuscript.notices)


NEW = ([], "", False)
ALL = ([UNSAVED + SAVED], "I am shy.", True)


# The same file under another name.


@pytest.mark.parametrize("elsewhere", ["book.md", "folder/novel.md"])
def test_a_renamed_or_moved_file_keeps_everything(novel, elsewhere):
    left_behind(novel, notes="I am shy.")
    (novel.parent / "folder").mkdir()
    *found, said = looked_at(novel.rename(novel.parent / elsewhere), decide=ask_first)
    assert tuple(found) == ALL
    assert "this text was novel.md before" in said


def test_a_file_in_a_renamed_folder_keeps_everything(novel):
    (novel.parent / "old").mkdir()
    left_behind(novel.rename(novel.parent / "old" / "novel.md"), notes="I am shy.")
    (novel.parent / "old").rename(novel.parent / "new")
    assert tuple(looked_at(novel.parent / "new" / "novel.md", decide=ask_first)[:3]) == ALL


def test_a_renamed_file_of_two_words_keeps_everything(novel):
    novel.write_text("")
    left_behind(novel, saved="Two words.")
    found = looked_at(novel.rename(novel.with_name("book.md")), decide=ask_first)
    assert found[:3] == ([UNSAVED + "Two words."], "", True)


def test_a_file_that_is_renamed_twice_is_followed(novel):
    left_behind(novel)
    second = novel.rename(novel.with_name("second.md"))
    assert looked_at(second)[0] == [UNSAVED + SAVED]
    assert looked_at(second.rename(novel.with_name("third.md")))[0] == [UNSAVED + SAVED]


# Another file with the same bytes.


@pytest.mark.parametrize("what", [{"notes": "I am shy."}, {}, {"unsaved": "", "notes": "I am shy."}])
def test_a_copy_of_a_deleted_file_gets_nothing_unasked(novel, what):
    copy = copied(left_behind(novel, **what))
    *found, said = looked_at(copy)
    assert tuple(found) == NEW
    assert "this is opened as a new text" in said
    assert f"{novel}, which is gone" in said
    assert copy.read_text() == SAVED


def test_what_is_there_is_counted(novel):
    copy = copied(left_behind(novel, notes="I am shy."))
    with pytest.raises(Undecided, match="has 2 unsaved words and notes for the model; say whether it was moved"):
        Manuscript.open(copy, decide=ask_first)


def test_it_is_asked_again_until_it_is_decided_whatever_was_written_meanwhile(novel):
    copy = copied(left_behind(novel, notes="I am shy."))
    for _ in range(2):
        manuscript = Manuscript.open(copy)
        manuscript.edit(0, 0, "More. ")
        manuscript.save()
        manuscript.close()
    with pytest.raises(Undecided):
        Manuscript.open(copy, decide=ask_first)
    *found, said = looked_at(copy, decide=yes)
    assert tuple(found) == ALL
    assert "this text was novel.md before" in said
    assert copy.read_text() == "More. More. " + SAVED
    (aside,) = cards.root().glob("*.aside-1")
    assert f"what was kept of it since is in {aside}" in said
    assert (aside / "history.db").exists()
    assert [each.path for each in recent()] == [copy]
    assert looked_at(copy, decide=ask_first)[3] == ""


def test_a_text_that_is_a_new_one_is_not_asked_about_again(novel):
    copy = copied(left_behind(novel, notes="I am shy."))
    assert looked_at(copy, decide=no) == (*NEW, "")
    assert looked_at(copy, decide=ask_first) == (*NEW, "")


@pytest.mark.parametrize("how", [{"decide": no}, {}])
def test_nothing_of_the_old_one_is_deleted(novel, how):
    looked_at(copied(left_behind(novel, notes="I am shy.")), **how)
    novel.write_text(SAVED)
    assert tuple(looked_at(novel)[:3]) == ALL


def test_an_answer_at_once_leaves_nothing_aside(novel):
    copy = copied(left_behind(novel, notes="I am shy."))
    assert tuple(looked_at(copy, decide=yes)[:3]) == ALL
    assert not list(cards.root().glob("*.aside-*"))


def test_a_copy_of_a_text_that_left_nothing_has_its_versions(novel):
    copy = copied(left_behind(novel, unsaved=""))
    *found, said = looked_at(copy, decide=ask_first)
    assert tuple(found) == ([], "", True)
    assert "this text was novel.md before" in said


@pytest.mark.parametrize("text", ["", "Chapter 1\n", "# Notes\n\n## Morning\n\n## Evening\n"])
def test_a_short_text_gets_nothing_of_another_and_nobody_is_asked(novel, text):
    novel.write_text("")
    left_behind(novel, saved=text, notes="I am shy.")
    novel.unlink()
    other = novel.with_name("other.md")
    other.write_text(text)
    os.utime(other, ns=(1, 1))
    assert looked_at(other, decide=ask_first) == (*NEW, "")


def test_a_new_file_with_the_number_of_a_deleted_one_is_another(novel):
    left_behind(novel)
    renamed = novel.rename(novel.with_name("book.md"))
    os.utime(renamed, ns=(1, 1))
    with pytest.raises(Undecided):
        Manuscript.open(renamed, decide=ask_first)


def test_a_copy_beside_the_text_is_never_asked_about(novel):
    left_behind(novel)
    copy = novel.with_name("book.md")
    shutil.copyfile(novel, copy)
    assert looked_at(copy, decide=ask_first) == (*NEW, "")


def test_a_doubt_ends_when_the_old_file_is_back(novel):
    copy = copied(left_behind(novel))
    looked_at(copy)
    novel.write_text("It is back.")
    assert looked_at(copy, decide=ask_first)[3] == ""


def test_what_is_open_elsewhere_cannot_be_taken_over_yet(novel):
    copy = copied(left_behind(novel))
    lock = acquire(find_home(novel, None).folder)
    *found, said = looked_at(copy, decide=yes)
    assert tuple(found) == NEW
    assert "this is opened as a new text" in said
    lock.release()
    assert looked_at(copy, decide=yes)[0] == [UNSAVED + SAVED]


def test_a_card_of_a_version_before_is_no_proof(novel):
    left_behind(novel)
    (card,) = cards.root().glob("*/manuscript.json")
    card.write_bytes(card.read_bytes().replace(b'"mark":[', b'"unknown":['))
    with pytest.raises(Undecided):
        Manuscript.open(novel.rename(novel.with_name("book.md")), decide=ask_first)


# What a folder has left.


def test_a_draft_that_waits_and_a_damaged_journal_count(novel):
    manuscript = Manuscript.open(novel)
    folder = find_home(novel, None).folder
    assert not left_in(folder)
    draft = manuscript.drafts.begin("continue", 0)
    manuscript.drafts.write(manuscript.drafts.alternative(draft), "Once.")
    assert str(left_in(folder)) == "1 open draft"
    manuscript.close()
    (folder / "journal").write_bytes(b"x" * 50)
    (folder / "guide.json").write_bytes(b"{")
    assert str(left_in(folder)) == "unsaved changes and notes for the model"


def test_all_of_it_is_a_sentence():
    assert str(Left(True, 1234, 2, notes=True)) == "1,234 unsaved words, 2 open drafts and notes for the model"
    assert str(Left(True, 0)) == "unsaved changes"
    assert (str(Left()), bool(Left())) == ("", False)


def test_a_text_that_only_lost_words_has_unsaved_changes(novel):
    manuscript = Manuscript.open(novel)
    manuscript.edit(0, 9, "")
    manuscript.close()
    assert str(left_in(find_home(novel, None).folder)) == "unsaved changes"

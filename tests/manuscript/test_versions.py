"""Versions: going to one and back, naming one, branches, and all of that after a crash."""

import itertools

import pytest

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.manuscript import Manuscript


class Tale:
    """A manuscript of three words, a version each, that can crash."""

    def __init__(self, path):
        self.path = path
        self.open()
        for word in ("one ", "two ", "three "):
            self.manuscript.edit(len(self.text), len(self.text), word)

    def open(self):
        clock = itertools.count(1.0, 10.0)
        self.manuscript = Manuscript.open(self.path, clock=lambda: next(clock))
        self.versions = self.manuscript.versions

    @property
    def text(self):
        return self.manuscript.text

    def reopen(self):
        self.manuscript.close()
        self.open()

    def crash(self, *, lost="nothing"):
        """Open it again without closing it: the kernel gives up a dead program's lock."""
        self.manuscript._ledger.history.flush()
        self.manuscript._lock.release()
        for file in self.manuscript._home.folder.glob(lost):
            file.unlink()
        self.open()
        for offer in self.manuscript.offers:
            self.manuscript.recover(offer)


@pytest.fixture
def tale(tmp_path):
    made = Tale(tmp_path / "tale.md")
    yield made
    made.manuscript.close()


def test_undo_leads_back_from_a_version_that_one_went_to(tale):
    first = tale.versions.current - 2
    tale.versions.go(first)
    assert tale.text == "one "
    tale.versions.undo()
    assert tale.text == "one two three "
    tale.versions.undo()
    assert tale.text == "one two "


def test_redo_goes_to_the_version_again_until_something_is_written(tale):
    first, last = tale.versions.current - 2, tale.versions.current
    tale.versions.go(first)
    for _ in range(2):
        tale.versions.undo()
        assert tale.versions.current == last
        tale.versions.redo()
        assert tale.versions.current == first
    tale.versions.undo()
    tale.manuscript.edit(0, 0, "new ")
    tale.versions.undo()
    tale.versions.redo()
    assert tale.text == "new one two three "


def test_undo_goes_back_over_what_was_written_there_and_over_a_restart(tale):
    tale.versions.go(tale.versions.current - 2)
    tale.manuscript.edit(4, 4, "more ")
    tale.manuscript.save()
    tale.reopen()
    texts = [tale.text]
    while tale.versions.undo():
        texts.append(tale.text)
    assert texts == ["one more ", "one ", "one two three ", "one two ", "one ", ""]


def test_undo_ends_after_going_there_and_back(tale):
    first, last = tale.versions.current - 2, tale.versions.current
    for place in (first, last, first, first):
        tale.versions.go(place)
    assert [tale.versions.undo() for _ in range(9)].count(True) < 9


def test_an_older_version_gets_a_name_and_the_text_stays(tale):
    first = tale.versions.current - 2
    tale.versions.checkpoint("good", first)
    assert (tale.versions.checkpoints, tale.text) == ({"good": first}, "one two three ")
    with pytest.raises(ManuscriptError, match="no version 99"):
        tale.versions.checkpoint("x", 99)


def test_a_branch_begins_at_an_older_version_and_the_other_stays(tale):
    first, last = tale.versions.current - 2, tale.versions.current
    tale.versions.begin_branch("dark", first)
    assert (tale.text, tale.versions.branch) == ("one ", "dark")
    assert tale.versions.branches == {"main": last, "dark": first}
    tale.versions.switch("main")
    assert tale.text == "one two three "


@pytest.mark.parametrize("again", ["reopen", "crash"])
def test_branches_that_were_renamed_stay_so(tale, again):
    first, last = tale.versions.current - 2, tale.versions.current
    tale.versions.begin_branch("dark", first)
    tale.versions.rename_branch("main", "light")  # not the current one
    tale.versions.rename_branch("dark", "darker")
    tale.versions.begin_branch("dark", last)
    tale.manuscript.save()
    getattr(tale, again)()
    assert tale.versions.branches == {"darker": first, "light": last, "dark": last}
    assert tale.versions.branch == "dark"


def test_a_branch_is_renamed_only_to_what_is_free(tale):
    tale.versions.begin_branch("dark")
    for name, new, why in (("dark", "main", "main already"), ("none", "x", "no branch none"), ("dark", " ", "a name")):
        with pytest.raises(ManuscriptError, match=why):
            tale.versions.rename_branch(name, new)
    tale.versions.rename_branch("dark", "dark")
    assert set(tale.versions.branches) == {"main", "dark"}


def test_a_name_of_a_version_that_is_lost_costs_no_word_after_a_crash(tale):
    tale.manuscript.save()
    tale.reopen()
    tale.versions.checkpoint("good", tale.versions.current - 2)
    tale.versions.rename_branch("main", "light")
    tale.manuscript.edit(0, 0, "new ")
    tale.crash(lost="history.db*")
    assert tale.text == "new one two three "

"""The changes of a rewrite, followed through a text in which the writer goes on."""

from dataclasses import replace
from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.changes import TextChange, changes_of, is_unlike
from billy_mlx.manuscript.draft import Alternative, Fate
from billy_mlx.manuscript.edit import Edit
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.passage import Passage, Voice
from billy_mlx.manuscript.prose import WRITER, Author, Prose

STONES = "The lamp had gone out. Mara stood on the wet stones. Nobody came."
NEW = "The lantern had gone out. Mara waited on the wet stones. Somebody came."
OTHER = "Fog hid every boat, and far below a bell rang twice."
MADE = Passage("x", (1,), (Voice(0, None),), "rewrite", "starter", {}, {}, (1,), 7, {}, 9, ended="stop")
words = st.lists(st.sampled_from(["a", "the", "cat", "black", "slept", "tree", "house."]), max_size=15).map(" ".join)


@pytest.fixture
def manuscript(tmp_path):
    path = tmp_path / "novel.md"
    path.write_text(STONES)
    manuscript = Manuscript.open(path, clock=iter(range(0, 100_000, 100)).__next__)
    yield manuscript
    manuscript.close()


@pytest.fixture
def draft(manuscript):
    draft = manuscript.drafts.begin("rewrite", 0, len(STONES))
    manuscript.drafts.write(manuscript.drafts.alternative(draft), NEW)
    assert manuscript.drafts.open_changes(draft) == (0, 1, 2)
    return draft


def alternative(text, ended="stop"):
    return Alternative(Author(1), text, replace(MADE, ended=ended))


@settings(max_examples=50)
@given(words, words, st.randoms(use_true_random=False))
def test_changes_taken_in_any_order_make_the_rewrite_and_taken_back_the_text(before, after, chance):
    changes, prose, steps = changes_of(before, alternative(after)), Prose.by(WRITER, before), []
    for index in chance.sample(range(len(changes)), len(changes)):
        change = changes[index]
        assert change.is_open(prose.text)
        steps.append(Edit.of(prose, change.start, change.end, Prose.by(Author(1), change.after)))
        prose, changes = steps[-1].apply(prose), tuple(each.moved(steps[-1]) for each in changes)
    assert prose.text == after
    assert all(change.is_taken(after) for change in changes)
    back = [step.inverse for step in reversed(steps)]
    assert all(reduce(TextChange.moved, back, change).is_open(before) for change in changes)


def test_a_rewrite_with_few_of_the_words_is_one_change():
    assert is_unlike(STONES, OTHER)
    assert [change.after for change in changes_of(STONES, alternative(OTHER))] == [OTHER]


def test_a_third_of_the_words_is_enough_and_of_a_few_none_is_needed():
    assert not is_unlike("one two three four five six", "one two 3 4 5 6")
    assert is_unlike("one two three four five six", "one 2 3 4 5 6")
    assert not is_unlike("dark", "bright")


def test_what_a_rewrite_that_was_stopped_has_not_come_to_stays():
    stopped = changes_of(STONES, alternative("The lantern had gone out. Mara", "interrupted"))
    ended = changes_of(STONES, alternative("The lantern had gone out. Mara"))
    assert [change.after for change in stopped] == ["lantern "]
    assert (len(ended), ended[-1].after) == (2, "")


def test_what_is_typed_around_a_change_stays_outside_and_within_closes_it(manuscript, draft):
    manuscript.edit(4, 4, "old ")
    assert manuscript.drafts.open_changes(draft) == (0, 1, 2)
    manuscript.edit(10, 10, "-")
    assert manuscript.drafts.open_changes(draft) == (1, 2)
    manuscript.versions.undo()
    assert manuscript.drafts.open_changes(draft) == (0, 1, 2)
    manuscript.drafts.accept(draft)
    assert manuscript.text == NEW.replace("The ", "The old ")


def test_a_change_is_known_by_its_number_whichever_were_taken(manuscript, draft):
    manuscript.drafts.accept_changes(draft, [2])
    assert manuscript.drafts.open_changes(draft) == (0, 1)
    manuscript.drafts.accept_changes(draft, [0])
    manuscript.versions.undo()
    manuscript.versions.undo()
    assert (manuscript.drafts.open_changes(draft), manuscript.text) == ((0, 1, 2), STONES)


def test_a_version_that_comes_back_as_a_whole_is_compared_anew(manuscript, draft):
    before = manuscript.versions.current
    manuscript.edit(0, len(STONES), "All of it is new.")
    manuscript.versions.go(before)
    assert len(manuscript.drafts.open_changes(draft)) == 3


def test_the_last_changes_decide_a_rewrite_and_it_can_be_taken_up_with_the_others(manuscript, draft):
    manuscript.drafts.accept_changes(draft, [2], last=True)
    assert (manuscript.drafts.open, manuscript.drafts.get(draft).fate) == ((), Fate.ACCEPTED)
    with pytest.raises(ManuscriptError, match="some changes of this rewrite were left out"):
        manuscript.drafts.swipe(draft)
    manuscript.drafts.reopen(draft)
    assert manuscript.drafts.open_changes(draft) == (0, 1)

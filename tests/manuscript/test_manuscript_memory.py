"""What a manuscript holds in memory does not grow with how long one writes on it."""

import gc
import tracemalloc

import pytest

from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.passage import Passage, Voice
from billy_mlx.manuscript.textfile import NotSaved

LETTERS = 200_000
PASSAGE = Passage(
    "x", (*range(100),), (Voice(0, "noir"),), "continue", "starter", {}, {}, (*range(1000, 3000),), 7, {}, 9
)


@pytest.fixture
def manuscript(tmp_path):
    path = tmp_path / "novel.md"
    path.write_text("It was a dark night.\n" * (LETTERS // 21), encoding="utf-8")
    manuscript = Manuscript.open(path)
    yield manuscript
    manuscript.close()


def test_a_text_that_was_saved_before_is_not_held(manuscript):
    assert grown(lambda: edit_and_save(manuscript), times=20) < 3 * LETTERS


@pytest.mark.slow
def test_a_draft_that_was_decided_on_is_not_held(manuscript):
    assert grown(lambda: draft(manuscript), times=20) < 3 * LETTERS  # their prompts would be 1.5 million bytes


def test_a_save_that_fails_leaves_the_text_that_is_in_the_file_known(manuscript, monkeypatch):
    edit_and_save(manuscript)
    monkeypatch.setattr("billy_mlx.manuscript.file_on_disk.save_text_file", _refuse)
    for _ in range(3):
        edit_and_save(manuscript)
    manuscript.close()
    with_offer = Manuscript.open(manuscript.path)
    assert (with_offer.text[:5], [offer.prose.text[:11] for offer in with_offer.offers]) == ("So. I", ["So. So. So."])
    with_offer.close()


def edit_and_save(manuscript):
    manuscript.edit(0, 0, "So. ")
    manuscript.save()


def draft(manuscript):
    begun = manuscript.drafts.begin("continue", len(manuscript.text))
    author = manuscript.drafts.alternative(begun)
    manuscript.drafts.write(author, " And so on.")
    manuscript.drafts.finish(author, PASSAGE)
    manuscript.drafts.reject(begun)
    manuscript.save()


def grown(do, times):
    """Return how many bytes are held after so many times that were not after the second."""
    do()
    do()
    tracemalloc.start()
    for _ in range(times):
        do()
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held


def _refuse(*_, **__):
    raise NotSaved("the disk is full", "make room")

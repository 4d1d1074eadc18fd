"""How many ideas and how rare: what an item's ideas share, and who says what another one says, does not count."""

import numpy as np
import pytest

from billy_mlx.bench.idea_scores import idea_scores
from billy_mlx.bench.matching import subjects
from billy_mlx.bench.store import Answer
from billy_mlx.bench.tasks import Item, load_tasks
from billy_mlx.measure.embedding import Embedder
from billy_mlx.steps import finish

HAT, INK = Item("uses", "uses-01", "What is a hat for?"), Item("uses", "uses-02", "What is ink for?")
IDEAS = {
    HAT: ["A hat keeps the rain off.", "A hat carries eggs home.", "A hat hides a bird well.", "A hat is a good drum."],
    INK: ["Ink marks the lost sheep.", "Ink dyes the old shoes.", "Ink stops a small leak.", "Ink draws a tall ship."],
}
WHAT = [*IDEAS[HAT], *IDEAS[INK]]


def embed(texts):
    """Ideas as they lie in a model: mostly where their item is, and each a little in a direction of its own."""
    yield len(texts)
    rows = np.zeros((len(texts), 10), np.float32)
    for row, text in zip(rows, texts, strict=True):
        row[WHAT.index(text)] = 1
        row[8 + text.startswith("Ink")] = 5
    return rows


def answer(arm, item, ideas):
    text = "\n".join(f"{number}. {idea}" for number, idea in enumerate(ideas, start=1))
    return Answer(arm, item.task, item.id, 0, text, 1, 1, 1, "stop")


def scores(answers, groups=None):
    """The whole answers' values, by arm and item."""
    found = subjects(answers, [HAT, INK], load_tasks())
    scored = finish(idea_scores(Embedder("planted", embed), found, groups or {}))
    return {(s.answer.arm, s.item.id): own.whole for s, own in zip(found, scored, strict=True)}


def test_different_ideas_for_one_thing_are_not_one_idea_though_there_are_only_two_things():
    found = scores([answer("dose-0", item, IDEAS[item]) for item in (HAT, INK)])
    assert {values["ideas"] for values in found.values()} == {4}


def test_an_arm_that_says_what_another_says_to_the_letter_changes_nobodys_rarity():
    arms = [("dose-0", IDEAS[HAT][:2]), ("single-1.0", IDEAS[HAT][1:3])]
    before = scores([answer(arm, HAT, ideas) for arm, ideas in arms])
    after = scores([answer(arm, HAT, ideas) for arm, ideas in [*arms, ("single-0.7", IDEAS[HAT][:2])]])
    assert before["dose-0", HAT.id]["rarity"] == after["dose-0", HAT.id]["rarity"] == pytest.approx(0.5)


def test_a_copy_among_other_answers_of_a_group_changes_nobodys_rarity():
    blend, control = answer("billy-balanced", HAT, IDEAS[HAT][:2]), answer("dose-0", HAT, IDEAS[HAT][1:3])
    other = answer("mode=raw", HAT, IDEAS[HAT][3:])
    swept = dict.fromkeys(("mode=balanced", "mode=raw"), "sweep modes")
    before = scores([blend, control, other], swept)
    after = scores([blend, control, other, answer("mode=balanced", HAT, IDEAS[HAT][:2])], swept)
    assert before["billy-balanced", HAT.id]["rarity"] == after["billy-balanced", HAT.id]["rarity"]


def test_arms_of_a_group_do_not_make_each_others_ideas_common():
    answers = [answer(arm, HAT, IDEAS[HAT][:2]) for arm in ("billy-paper", "billy-balanced")]
    found = scores(
        [*answers, answer("dose-0", HAT, IDEAS[HAT][2:])], dict.fromkeys(("billy-paper", "billy-balanced"), "b")
    )
    assert {values["rarity"] for values in found.values()} == {1}

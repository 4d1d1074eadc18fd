"""What is scored without a judge: how many ideas and how rare, and what the unsteered model makes of texts.

What an item's ideas share, and who says what another one says, does not count.
"""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import mlx.core as mx
import numpy as np
import pytest
from helpers.random_vectors import persona_vector
from helpers.small_bench import TASKS, TEXTS
from helpers.small_bench import THREE_USES as ITEMS
from helpers.small_bench import answer_to as answer
from mlx_lm.models.cache import make_prompt_cache

from billy_mlx.bench.cache import TextCache
from billy_mlx.bench.equal_length import subjects
from billy_mlx.bench.metrics import NATS, sentences
from billy_mlx.bench.store import Answer
from billy_mlx.bench.tasks import Item, load_tasks
from billy_mlx.bench.text_scores import Axis, TextReading, idea_scores, reading_scores
from billy_mlx.measure.activations import read
from billy_mlx.measure.embedding import Embedder
from billy_mlx.model.prompt import going_on_prompt
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


def listed(arm, item, ideas):
    text = "\n".join(f"{number}. {idea}" for number, idea in enumerate(ideas, start=1))
    return Answer(arm, item.task, item.id, 0, text, 1, 1, 1, "stop")


def by_answer(answers, groups=None):
    """The whole answers' values, by arm and item."""
    found = subjects(answers, [HAT, INK], load_tasks())
    scored = finish(idea_scores(Embedder("planted", embed), found, groups or {}))
    return {(s.answer.arm, s.item.id): own.whole for s, own in zip(found, scored, strict=True)}


def test_different_ideas_for_one_thing_are_not_one_idea_though_there_are_only_two_things():
    found = by_answer([listed("dose-0", item, IDEAS[item]) for item in (HAT, INK)])
    assert {values["ideas"] for values in found.values()} == {4}


def test_an_arm_that_says_what_another_says_to_the_letter_changes_nobodys_rarity():
    arms = [("dose-0", IDEAS[HAT][:2]), ("single-1.0", IDEAS[HAT][1:3])]
    before = by_answer([listed(arm, HAT, ideas) for arm, ideas in arms])
    after = by_answer([listed(arm, HAT, ideas) for arm, ideas in [*arms, ("single-0.7", IDEAS[HAT][:2])]])
    assert before["dose-0", HAT.id]["rarity"] == after["dose-0", HAT.id]["rarity"] == pytest.approx(0.5)


def test_a_copy_among_other_answers_of_a_group_changes_nobodys_rarity():
    blend, control = listed("billy-balanced", HAT, IDEAS[HAT][:2]), listed("dose-0", HAT, IDEAS[HAT][1:3])
    other = listed("mode=raw", HAT, IDEAS[HAT][3:])
    swept = dict.fromkeys(("mode=balanced", "mode=raw"), "sweep modes")
    before = by_answer([blend, control, other], swept)
    after = by_answer([blend, control, other, listed("mode=balanced", HAT, IDEAS[HAT][:2])], swept)
    assert before["billy-balanced", HAT.id]["rarity"] == after["billy-balanced", HAT.id]["rarity"]


def test_arms_of_a_group_do_not_make_each_others_ideas_common():
    answers = [listed(arm, HAT, IDEAS[HAT][:2]) for arm in ("billy-paper", "billy-balanced")]
    found = by_answer(
        [*answers, listed("dose-0", HAT, IDEAS[HAT][2:])], dict.fromkeys(("billy-paper", "billy-balanced"), "b")
    )
    assert {values["rarity"] for values in found.values()} == {1}


def nats(model, prompt, text):
    """Return what each token of `text` surprises by as an answer to `prompt`, from one forward pass."""
    before, whole = (going_on_prompt(model.tokenizer, part, user=prompt) for part in ("", text))
    logits = model.model(mx.array([whole]), cache=make_prompt_cache(model.model))[0].astype(mx.float32)
    log = logits - mx.logsumexp(logits, axis=-1, keepdims=True)
    return -np.mean([log[place - 1, whole[place]].item() for place in range(len(before), len(whole))])


def read_scores(tiny, *answers, axes=None, items=ITEMS):
    with TemporaryDirectory() as folder:
        cached = TextCache(Path(folder) / "readings.jsonl", TextReading)
        return finish(reading_scores(tiny, subjects(answers, items, TASKS), axes or {}, cached))


def test_an_answer_is_read_after_the_bare_prompt(tiny):
    [scores] = read_scores(tiny, answer("dose-0", ITEMS[0], TEXTS[0]))
    assert scores.whole[NATS] == pytest.approx(nats(tiny, ITEMS[0].prompt, TEXTS[0]), abs=1e-3)


def test_matched_texts_are_read_again(tiny):
    text = "The rain fell on the hat and the ink and the hen and on the red red cat."
    scores, _ = read_scores(tiny, *(answer(arm, ITEMS[3], t) for arm, t in (("a", text), ("b", "on " * 10))))
    cut = "The rain fell on the hat and the ink and"
    assert scores.matched[NATS] == pytest.approx(nats(tiny, ITEMS[3].prompt, cut), abs=1e-3)


def test_adherence_is_how_much_likelier_ideas_are_after_their_own_prompt(tiny):
    scores = read_scores(tiny, *(answer("dose-0", item, "1. A red hat.") for item in ITEMS[:3]))
    own, *others = (nats(tiny, item.prompt, "A red hat.") for item in ITEMS[:3])
    assert scores[0].whole["adherence"] == pytest.approx(np.mean(others) - own, abs=1e-3)


def test_with_two_items_an_idea_is_held_against_the_other_one(tiny):
    scores = read_scores(tiny, *(answer("dose-0", item, "1. A red hat.") for item in ITEMS[:2]))
    own, other = (nats(tiny, item.prompt, "A red hat.") for item in ITEMS[:2])
    assert scores[0].whole["adherence"] == pytest.approx(other - own, abs=1e-3)
    assert "the next one, where there are only two" in sentences(["adherence"])["adherence"]


def test_a_task_of_one_item_has_no_adherence(tiny):
    [scores] = read_scores(tiny, answer("dose-0", ITEMS[3], TEXTS[0]))
    assert scores.whole["adherence"] is None


def test_an_empty_answer_has_no_reading(tiny):
    axes = {"a": Axis.of(persona_vector(fingerprint=tiny.fingerprint))}
    [scores] = read_scores(tiny, answer("dose-0", ITEMS[0], ""), axes=axes)
    assert scores.whole == {NATS: None, "persona: a": None, "adherence": None}


def test_a_text_lies_on_a_personas_axis_between_the_poles_it_was_made_from(tiny):
    prompt = going_on_prompt(tiny.tokenizer, "", user=ITEMS[0].prompt)
    poles = [read(tiny, prompt, tiny.tokenizer.encode(t, add_special_tokens=False)).mean for t in ("the hat", "a hen")]
    vector = replace(
        persona_vector(directions=poles[1] - poles[0], fingerprint=tiny.fingerprint), neutral_mean=poles[0]
    )
    answers = [answer(arm, ITEMS[0], text) for arm, text in (("a", "the hat"), ("b", "a hen"))]
    scores = read_scores(tiny, *answers, axes={"noir": Axis.of(vector)})
    assert [each.whole["persona: noir"] for each in scores] == pytest.approx([0, 1], abs=1e-3)


KINDS = ("door", "kite", "drum", "sail")


def by_kind():
    """Return an embedder for which ideas are alike if they name the same thing."""

    def embed(texts):
        yield len(texts)
        return np.array([[float(kind in text) for kind in KINDS] for text in texts], np.float32)

    return Embedder("by kind", embed)


def idea_values(*told, groups=None):
    """Return what answers score that are given as arm and the things their ideas name."""
    answers = [
        answer(
            arm, item, "\n".join(f"{number}. The {kind} of my aunt's {number}." for number, kind in enumerate(kinds, 1))
        )
        for item in ITEMS[:2]
        for arm, kinds in told
    ]
    scores = finish(idea_scores(by_kind(), subjects(answers, ITEMS, TASKS), groups or {}))
    return [each.whole for each in scores[: len(told)]]


def test_ideas_that_are_the_same_count_once():
    assert [each["ideas"] for each in idea_values(("a", KINDS), ("b", ["door", "door", "kite"]), ("c", []))] == [
        4,
        2,
        0,
    ]


def test_an_idea_is_rare_as_far_as_other_groups_do_not_have_it():
    told = ("a", ["door", "kite"]), ("b", ["door"]), ("c", ["door", "drum"])
    assert [each["rarity"] for each in idea_values(*told)] == [0.5, 0, 0.5]


def test_arms_of_one_group_do_not_make_each_other_common():
    told = ("persona:a", ["door"]), ("persona:b", ["door", "drum"]), ("c", ["kite"])
    groups = {"persona:a": "personas", "persona:b": "personas"}
    assert [each["rarity"] for each in idea_values(*told, groups=groups)] == [1, 1, 1]
    assert [each["rarity"] for each in idea_values(*told)] == [0.5, 0.75, 1]


def test_diverse_ideas_have_a_greater_distance_and_vendi_score():
    diverse, same = idea_values(("a", KINDS), ("b", ["door"] * 3))
    assert diverse["embedding diversity"] > same["embedding diversity"] == pytest.approx(0, abs=1e-6)
    assert diverse["vendi"] > 2.5 > same["vendi"] == pytest.approx(1)

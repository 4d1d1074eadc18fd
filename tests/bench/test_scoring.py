"""Scores of stored answers with a tiny model: what is read, what is kept, and that no arm is known by its name."""

import shutil
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import mlx.core as mx
import numpy as np
import pytest
from mlx_lm.models.cache import make_prompt_cache
from vectors import persona_vector

from billy_mlx.bench import reading_scores as reading_scores_module
from billy_mlx.bench.idea_scores import idea_scores
from billy_mlx.bench.judging import QUICK
from billy_mlx.bench.kept import kept
from billy_mlx.bench.kept_texts import KeptTexts
from billy_mlx.bench.matching import subjects
from billy_mlx.bench.metrics import NATS, sentences
from billy_mlx.bench.reading_scores import Axis, TextReading, reading_scores
from billy_mlx.bench.result import GroupCost
from billy_mlx.bench.scoring import score
from billy_mlx.bench.settings import BenchSettings
from billy_mlx.bench.store import Answer, Store
from billy_mlx.bench.tasks import Item, load_tasks
from billy_mlx.extraction.library import store_vector
from billy_mlx.measure.activations import read
from billy_mlx.measure.embedding import Embedder, own_embedder
from billy_mlx.model.prompt import going_on_prompt
from billy_mlx.steps import finish

TASKS = load_tasks()
ITEMS = [
    *(
        Item("uses", f"uses-0{number}", f"What is {thing} for?")
        for number, thing in enumerate(("a hat", "ink", "rain"))
    ),
    Item("writing", "writing-01", "Write of the rain."),
]
TEXTS = [
    "1. A net for the cat in the attic.\n2. A red hat on the hen.",
    "Here:\n- A nest for a hen.\n- A drum in a band.",
]


def answer(arm, item, text, seed=0):
    return Answer(arm, item.task, item.id, seed, text, 1, 1, 1, "stop")


def cost(*arms, group=None):
    return GroupCost(group or arms[0], arms, 1, 1, 1.0, 1, 1, 1, 0.1, 1)


ANSWERS = [
    answer(arm, item, text) for arm, text in zip(("dose-0", "billy-paper"), TEXTS, strict=True) for item in ITEMS
]


@pytest.fixture
def store(tiny, tmp_path):
    """A run of two arms and four items, whose blend has vectors."""
    for seed, persona in enumerate("ab"):
        store_vector(persona_vector(persona, seed=seed, fingerprint=tiny.fingerprint))
    store = Store.create_or_resume(tmp_path / "run", BenchSettings("tiny", "a:0.5+b:0.5"), {})
    store.add(ANSWERS, cost("dose-0", "billy-paper"))
    return store


class Judge:
    """Scores by the length of an answer, and counts what it is asked."""

    name = key = "by length"
    asked = 0

    def score(self, criterion, answers):
        self.asked += len(answers)
        yield len(answers)
        return [float(min(100, len(text))) for _, text in answers]


def scored(tiny, store, judge=None, **bounds):
    return finish(score(tiny, TASKS, ITEMS, store, own_embedder(tiny), judge, **bounds))


def test_every_answer_is_scored_in_every_metric_and_each_has_its_sentence(tiny, store):
    scores, reliability = scored(tiny, store, Judge())
    assert [(each.arm, each.item) for each in scores] == [(each.arm, each.item) for each in ANSWERS]
    (names,) = {tuple(each.values) for each in scores}
    assert sentences(names).keys() == set(names) == set(scores[0].matched)
    assert {"ideas", "rarity", "persona: a", "persona: b", "adherence", "judge: elaboration"} < set(names)
    assert reliability[0].rater == "judge: by length, originality"


def test_without_a_judge_there_are_no_judges_scores(tiny, store):
    scores, reliability = scored(tiny, store)
    assert reliability == []
    assert not any(name.startswith("judge") for name in scores[0].values)


class Same(Judge):
    """Gives everything the same."""

    def score(self, criterion, answers):
        yield len(answers)
        return [60.0] * len(answers)


def test_in_a_quick_run_a_judge_is_not_asked_for_what_it_cannot_judge(tiny, store):
    scores, reliability = scored(tiny, store, Same(), bounds=QUICK)
    assert [each.rater for each in reliability] == ["judge: by length, originality", "judge: by length, adherence"]
    assert not any(name.startswith("judge") for name in scores[0].values)


def test_in_a_whole_run_a_judge_that_fails_is_heard_all_the_same(tiny, store):
    scores, reliability = scored(tiny, store, Same())
    assert [each.usable for each in reliability] == [False] * 3
    assert scores[0].values["judge: originality"] == 1 + 60 / 25


def test_scoring_again_costs_nothing_and_comes_to_the_same(tiny, store):
    judge = Judge()
    first = scored(tiny, store, judge)
    asked = judge.asked
    steps = score(tiny, TASKS, ITEMS, store, own_embedder(tiny), judge)
    assert list(steps) == []
    assert scored(tiny, store, judge) == first
    assert judge.asked == asked > 0


def test_after_the_template_or_the_end_tokens_were_corrected_nothing_that_was_scored_is_taken(tiny, corrected, store):
    scored_by(tiny, store)
    before = scores(store)
    scored_by(corrected, store)
    after = scores(store)
    assert [name.rpartition("-")[0] for name in sorted(after.keys() - before.keys())] == ["ideas", "readings"]
    assert before.items() <= after.items()


def scored_by(model, store):
    finish(score(model, TASKS, ITEMS, store, own_embedder(model), None))


def scores(store):
    return {path.name: path.read_bytes() for path in (store.folder / "scores").iterdir()}


def test_another_judge_scores_again_and_the_rest_is_kept(tiny, store):
    scored(tiny, store, Judge())
    other = Judge()
    other.key = "another"
    scored(tiny, store, other)
    kept = sorted(path.name.rpartition("-")[0] for path in (store.folder / "scores").iterdir())
    assert kept == ["ideas", "judge", "judge", "readings"]
    assert other.asked > 0


def test_a_judge_that_is_stopped_goes_on_where_it_was(tiny, store):
    stopped, going_on, whole = Judge(), Judge(), Judge()
    for progress in score(tiny, TASKS, ITEMS, store, own_embedder(tiny), stopped):
        if progress.stage == "judging" and progress.share > 0.9:
            break
    scored(tiny, store, going_on)
    shutil.rmtree(store.folder / "scores")
    scored(tiny, store, whole)
    assert going_on.asked < whole.asked / 2
    assert stopped.asked + going_on.asked <= whole.asked + len(TEXTS) * 2  # at most what was asked at once is lost


def test_reading_that_is_stopped_goes_on_where_it_was(tiny, store, monkeypatch):
    monkeypatch.setattr(reading_scores_module, "_AT_ONCE", 2)
    for progress in score(tiny, TASKS, ITEMS, store, own_embedder(tiny), None):
        if progress.stage == "reading the answers" and progress.share > 0.3:
            break
    [kept] = (store.folder / "scores").glob("readings-*.jsonl")
    before = kept.read_text()
    scored(tiny, store)
    assert len(before.splitlines()) > 3
    assert kept.read_text().startswith(before)
    assert len(set(kept.read_text().splitlines())) == len(kept.read_text().splitlines())


def test_new_answers_are_scored(tiny, store):
    scored(tiny, store)
    store.add([answer("dose-0", ITEMS[0], TEXTS[1], seed=1)], cost("dose-0"))
    assert len(scored(tiny, store)[0]) == len(ANSWERS) + 1


def test_one_more_answer_costs_the_judge_only_what_is_new(tiny, store):
    scored(tiny, store, Judge())
    store.add([answer("multi-role", ITEMS[0], "1. A den for the fox in the fen.\n2. A dam.")], cost("multi-role"))
    again = Judge()
    scored(tiny, store, again)
    assert 3 * 2 <= again.asked <= 3 * 2 + 2 * 2 * 2 * 3  # its two ideas, and what they are tried with


def test_progress_rises_to_the_end(tiny, store):
    shares = [each.share for each in score(tiny, TASKS, ITEMS, store, own_embedder(tiny), Judge())]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] == 1


def test_what_arms_are_called_changes_nothing(tiny, store, tmp_path):
    renamed = Store.create_or_resume(tmp_path / "other", store.settings, {})
    renamed.add([replace(each, arm=f"x-{each.arm}") for each in ANSWERS], cost("x-dose-0", "x-billy-paper"))
    own, other = (scored(tiny, each, Judge())[0] for each in (store, renamed))
    assert [(each.values, each.matched) for each in own] == [(each.values, each.matched) for each in other]


def test_paper_has_whole_lists_judged(tiny, store, tmp_path):
    paper = Store.create_or_resume(tmp_path / "paper", replace(store.settings, protocol="paper"), {})
    paper.add(ANSWERS, cost("dose-0", "billy-paper"))
    scores, _ = scored(tiny, paper, Judge())
    assert scores[0].values["judge: originality"] == pytest.approx(1 + len(TEXTS[0]) / 25)


def nats(model, prompt, text):
    """Return what each token of `text` surprises by as an answer to `prompt`, from one forward pass."""
    before, whole = (going_on_prompt(model.tokenizer, part, user=prompt) for part in ("", text))
    logits = model.model(mx.array([whole]), cache=make_prompt_cache(model.model))[0].astype(mx.float32)
    log = logits - mx.logsumexp(logits, axis=-1, keepdims=True)
    return -np.mean([log[place - 1, whole[place]].item() for place in range(len(before), len(whole))])


def read_scores(tiny, *answers, axes=None, items=ITEMS):
    with TemporaryDirectory() as folder:
        kept = KeptTexts(Path(folder) / "readings.jsonl", TextReading)
        return finish(reading_scores(tiny, subjects(answers, items, TASKS), axes or {}, kept))


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


def counted(calls):
    calls.append(1)
    yield 1
    return [0.5, None]


@pytest.mark.parametrize("damage", [b'{"not": "a list"}', b"[0.5, \xff]", b"[" * 5000])
def test_what_is_kept_is_not_made_again_and_damage_is(tmp_path, damage):
    folder, calls = tmp_path / "scores", []
    for decides in ("x", "x", "y"):
        assert finish(kept(folder, "name", decides, list[float | None], counted(calls))) == [0.5, None]
    assert len(calls) == 2
    for path in folder.iterdir():
        path.write_bytes(damage)
    finish(kept(folder, "name", "x", list[float | None], counted(calls)))
    assert len(calls) == 3

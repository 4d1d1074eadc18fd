"""Scores of stored answers with a tiny model: what is read, what is kept, and that no arm is known by its name."""

import shutil
from dataclasses import replace

import pytest
from helpers.random_vectors import persona_vector
from helpers.small_bench import TASKS, TEXTS
from helpers.small_bench import THREE_USES as ITEMS
from helpers.small_bench import answer_to as answer

from billy_mlx.bench import text_scores as reading_scores_module
from billy_mlx.bench.judging import QUICK
from billy_mlx.bench.metrics import sentences
from billy_mlx.bench.result import GroupCost
from billy_mlx.bench.scoring import score
from billy_mlx.bench.settings import BenchSettings
from billy_mlx.bench.store import Store
from billy_mlx.blend.blend import Blend
from billy_mlx.measure.embedding import own_embedder
from billy_mlx.steps import finish
from billy_mlx.vectors.library import store_vector


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
    store = Store.create_or_resume(tmp_path / "run", BenchSettings("tiny", Blend.parse("a:0.5+b:0.5")), {})
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


@pytest.mark.slow
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
    cached = sorted(path.name.rpartition("-")[0] for path in (store.folder / "scores").iterdir())
    assert cached == ["ideas", "judge", "judge", "readings"]
    assert other.asked > 0


@pytest.mark.slow
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
    [cached] = (store.folder / "scores").glob("readings-*.jsonl")
    before = cached.read_text()
    scored(tiny, store)
    assert len(before.splitlines()) > 3
    assert cached.read_text().startswith(before)
    assert len(set(cached.read_text().splitlines())) == len(cached.read_text().splitlines())


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


@pytest.mark.slow
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

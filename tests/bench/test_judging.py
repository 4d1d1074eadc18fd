"""A judge's scores per idea, whether it is found out when it cannot judge, and that it is asked for everything once."""

import random
from dataclasses import replace
from itertools import count

import pytest

from billy_mlx.bench.equal_length import subjects
from billy_mlx.bench.judging import (
    ALL,
    QUICK,
    Bounds,
    CachedJudge,
    check_judge,
    judge_scores,
    judge_trials,
    shuffled,
    verdict,
)
from billy_mlx.bench.result import Estimate
from billy_mlx.bench.store import Answer
from billy_mlx.bench.tasks import load_items, load_tasks
from billy_mlx.errors import BillyError
from billy_mlx.steps import finish

TASKS = load_tasks()
USES = TASKS["uses"]
BRICK, *_ = ITEMS = load_items(["uses"], 8)
WHOLE = Bounds(whole_answers=True)


class Planted:
    """A judge that scores by a rule of criterion, question and answer, and remembers what it was asked."""

    name, key = "planted", "planted"

    def __init__(self, rule):
        self.rule, self.asked = rule, []

    def score(self, criterion, answers):
        self.asked += [(criterion, *answer) for answer in answers]
        yield len(answers)
        return [self.rule(criterion, *answer) for answer in answers]


def listing(*ideas):
    return "\n".join(f"{number}. {idea}" for number, idea in enumerate(ideas, 1))


def made(*texts, item=BRICK, arm="billy-paper"):
    return [Answer(arm, item.task, item.id, seed, text, 1, 1, 1, "stop") for seed, text in enumerate(texts)]


def judged(rule, answers, bounds=ALL, items=ITEMS):
    """Return the scores of the answers, and the judge."""
    judge = Planted(rule)
    return finish(judge_scores(judge, subjects(answers, items, TASKS), bounds)), judge


FOUR = [f"A use of number {number} for one in the garden." for number in range(4)]


def by_number(criterion, question, answer):
    return 25.0 * int(answer.split("number ")[1][0])


def test_an_answer_has_the_mean_over_its_ideas_from_one_to_five():
    [scores], _ = judged(by_number, made(listing(*FOUR)))
    assert scores.whole == dict.fromkeys(("judge: originality", "judge: elaboration", "judge: adherence"), 2.5)


def test_every_criterion_is_asked_with_its_own_words_and_the_task_in_view():
    _, judge = judged(by_number, made(listing(FOUR[0])))
    assert judge.asked == [(c, BRICK.prompt, FOUR[0]) for c in (USES.originality, USES.elaboration, USES.adherence)]


def test_an_idea_that_several_arms_have_is_asked_once():
    answers = [*made(listing(FOUR[0])), *made(listing(FOUR[0], FOUR[1]), arm="dose-0")]
    scores, judge = judged(by_number, answers)
    assert len(judge.asked) == 2 * 3
    assert [each.whole["judge: adherence"] for each in scores] == [1.0, 1.5]


def test_bounds_spread_what_is_judged_over_the_answer():
    [scores], judge = judged(by_number, made(listing(*FOUR)), Bounds(2, ("adherence",)))
    assert [answer for _, _, answer in judge.asked] == [FOUR[0], FOUR[3]]
    assert scores.whole == {"judge: adherence": 2.5}


def test_at_matched_length_the_judged_ideas_that_are_still_there_count():
    [long, _], _ = judged(by_number, made(listing(*FOUR), listing(*FOUR[:3])), replace(QUICK, ideas=3))
    assert long.whole["judge: originality"] == pytest.approx(1 + (0 + 2 + 3) / 3)  # ideas 0, 2 and 3 are judged
    assert long.matched["judge: originality"] == 2.0  # of the first three, 0 and 2 are judged


def test_ideas_without_a_score_do_not_count():
    [scores], _ = judged(lambda *asked: None if "number 3" in asked[2] else by_number(*asked), made(listing(*FOUR)))
    assert scores.whole["judge: originality"] == 2.0
    [silent], _ = judged(lambda *_: None, made(listing(*FOUR)))
    assert set(silent.whole.values()) == {None}


def test_whole_answers_are_judged_as_they_are_written():
    _, judge = judged(lambda *_: 50.0, made(listing(*FOUR)), WHOLE)
    assert {answer for _, _, answer in judge.asked} == {listing(*FOUR)}


def test_an_answer_without_ideas_is_not_judged():
    [scores], judge = judged(lambda *_: 50.0, made(" \n"))
    assert set(scores.whole.values()) == {None}
    assert judge.asked == []


ANSWERS = [
    answer
    for item in ITEMS
    for answer in made(listing(*(f"{item.id} serves {way} in the old garden shed." for way in "abc")), item=item)
]


def checked(rule, answers=ANSWERS, bounds=ALL):
    """Return by criterion how far a judge can be relied on."""
    judge = Planted(rule)
    found = finish(check_judge(judge, judge_trials(subjects(answers, ITEMS, TASKS), bounds)))
    return {each.rater.removeprefix("judge: planted, "): each for each in found}


UNUSUAL = {idea for item in load_items() for idea in item.unusual}


def knows(criterion, question, answer):
    """Judge as one who knows the unusual ideas, whole sentences, and which item an idea is for."""
    item = next(item for item in load_items(["uses"]) if item.prompt == question)
    order = answer.endswith("shed.") and "serves" in answer.split()[1]
    return 10.0 + 40 * (answer in UNUSUAL) + 20 * (item.id in answer) + 20 * order + len(answer) / 100


@pytest.mark.slow
def test_a_judge_that_knows_can_be_relied_on():
    for criterion, found in checked(knows).items():
        auc, agreeing, silent = found.checks.values()
        assert found.usable, criterion
        assert (auc.mean, auc.low) == (1, 1)
        assert agreeing.mean == pytest.approx(1)
        assert silent.mean == 0
        assert "can be relied on" in found.verdict


def test_a_judge_that_gives_everything_the_same_is_found_out():
    for found in checked(lambda *_: 70.0).values():
        auc, _ = found.checks.values()  # an order of equals agrees with nothing
        assert (auc.mean, found.usable) == (0.5, False)
        assert "AUC 0.50" in found.verdict


def test_a_judge_that_throws_dice_is_found_out():
    dice = random.Random(3)
    for found in checked(lambda *_: dice.uniform(0, 100)).values():
        auc, agreeing, _ = found.checks.values()
        assert not found.usable
        assert auc.low < 0.5 < auc.high
        assert agreeing.low < 0 < agreeing.high


@pytest.mark.slow
def test_a_judge_that_has_it_the_wrong_way_round_is_found_out():
    found = checked(lambda *asked: 100 - knows(*asked))["originality"]
    assert not found.usable
    assert next(iter(found.checks.values())).mean == 0


def test_a_judge_that_gives_no_scores_could_not_be_tried():
    for found in checked(lambda *_: None).values():
        assert {name: check.mean for name, check in found.checks.items()} == {"share without a score": 1}
        assert not found.usable
        assert "could not be tried" in found.verdict


def test_what_was_tried_on_a_few_items_only_is_not_believed():
    found = checked(knows, ANSWERS[:4])
    assert found["originality"].usable  # tried on pairs that were written for it, whatever was answered
    assert not found["adherence"].usable
    assert "on too few items to rely on it (AUC 1.00" in found["adherence"].verdict


def test_a_task_of_one_item_has_no_other_to_tell_its_ideas_from():
    found = checked(knows, ANSWERS[:1])
    assert "could not be tried" in found["adherence"].verdict


def test_a_single_item_tells_nothing_of_a_judge():
    found = checked(knows, ANSWERS[:1])["elaboration"]
    assert found.checks == {}
    assert "could not be tried" in found.verdict


def test_originality_is_tried_on_pairs_for_the_tasks_that_were_answered():
    trials = judge_trials(subjects(ANSWERS, ITEMS, TASKS), QUICK)
    assert trials.keys() == {"originality", "adherence"}
    assert {trial.task.id for trial in trials["originality"]} == {"uses"}
    assert all(trial.better != trial.worse for trial in trials["originality"])


def test_in_a_quick_run_of_one_task_a_judge_is_tried_on_items_enough_to_be_believed():
    found = checked(knows, ANSWERS, QUICK)["originality"]
    assert found.usable
    assert next(iter(found.checks.values())).items == 5


@pytest.mark.parametrize(
    ("found", "usable"),
    [
        (Estimate(0.60, 0.51, 0.70, 5), True),
        (Estimate(0.59, 0.55, 0.63, 40), False),
        (Estimate(0.70, 0.50, 0.90, 10), False),
        (Estimate(1.00, 1.00, 1.00, 4), False),
    ],
)
def test_an_auc_of_0_6_whose_interval_leaves_out_chance_is_asked_for(found, usable):
    reliable, says = verdict("planted", "originality", found)
    assert reliable == usable
    assert f"AUC {found.mean:.2f}, {found.low:.2f} to {found.high:.2f} over {found.items} items" in says


def test_shuffled_words_are_the_same_words_always_in_the_same_order():
    text = " ".join(str(number) for number, _ in zip(count(), range(20), strict=False))
    assert shuffled(text) == shuffled(text) != text
    assert sorted(shuffled(text).split()) == sorted(text.split())


HAT, INK = ("What is a hat for?", "A net for the cat."), ("What is ink for?", "A moat\n  for a toad ☃")


class Judge:
    """Scores by the length of an answer, nothing where it has a snowman, and is stopped after some calls."""

    name = key = "by length"

    def __init__(self, calls=100):
        self.calls, self.asked = calls, []

    def score(self, criterion, answers):
        yield 0
        if len(self.asked) == self.calls:
            raise KeyboardInterrupt
        self.asked.append([*answers])
        yield len(answers)
        return [None if "☃" in text else float(len(text)) for _, text in answers]


def scores(judge, folder, *answers, criterion="good"):
    return finish(CachedJudge(judge, folder).score(criterion, answers))


@pytest.fixture
def file(tmp_path):
    """The file that a judge has left after two calls."""
    scores(Judge(), tmp_path, HAT)
    scores(Judge(), tmp_path, INK)
    [file] = tmp_path.iterdir()
    return file


def test_what_was_scored_is_not_asked_again(file):
    judge = Judge()
    assert scores(judge, file.parent, INK, HAT, INK) == [None, 18.0, None]
    assert judge.asked == []


def test_only_what_is_new_is_asked_for_and_counts_from_what_is_known(file):
    judge, new = Judge(), (HAT[0], "A boat.")
    steps = CachedJudge(judge, file.parent).score("good", [HAT, new, new])
    assert list(steps) == [2, 3]
    assert judge.asked == [[new]]


@pytest.mark.parametrize("asked", [("bad", HAT), ("good", (INK[0], HAT[1])), ("good", (HAT[0], "A net"))])
def test_another_criterion_question_or_text_is_asked_for(file, asked):
    judge = Judge()
    scores(judge, file.parent, asked[1], criterion=asked[0])
    assert judge.asked == [[asked[1]]]


def test_another_judge_has_a_file_of_its_own(file):
    other = Judge()
    other.key = "another"
    scores(other, file.parent, HAT)
    assert other.asked == [[HAT]]
    assert len([*file.parent.iterdir()]) == 2


def test_ctrl_c_loses_only_what_the_judge_was_at(tmp_path):
    judge = CachedJudge(Judge(calls=1), tmp_path / "scores")
    finish(judge.score("good", [HAT]))
    with pytest.raises(KeyboardInterrupt):
        finish(judge.score("good", [INK]))
    again = Judge()
    scores(again, tmp_path / "scores", HAT, INK)
    assert again.asked == [[INK]]


def test_a_torn_last_line_is_asked_for_again_and_written_over(file):
    file.write_bytes(file.read_bytes()[:-5])
    judge = Judge()
    assert scores(judge, file.parent, HAT, INK) == scores(judge, file.parent, HAT, INK) == [18.0, None]
    assert judge.asked == [[INK]]


@pytest.mark.parametrize("damage", [b"{}", b"\xff", b"[" * 5000])
def test_a_damaged_line_is_told_of_with_what_to_do(file, damage):
    file.write_bytes(damage + b"\n" + file.read_bytes())
    with pytest.raises(BillyError, match=r"line 1 of .* is damaged .*; remove that file, and what is in it is made"):
        CachedJudge(Judge(), file.parent)

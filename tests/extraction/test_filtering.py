"""The filter, by a judge that says what the test tells it to: who is kept, who is asked, and what is kept of it."""

from collections import Counter

import numpy as np
import pytest
from helpers.random_vectors import FINGERPRINT

from billy_mlx.errors import VectorError
from billy_mlx.extraction.filtering import LEAST_KEPT, Selection, keep_all, select
from billy_mlx.extraction.judge import COHERENCE, Judge, trait_criterion
from billy_mlx.extraction.pole import Pole, Rollout
from billy_mlx.measure.activations import Average
from billy_mlx.steps import finish
from billy_mlx.vectors.card import get_persona
from billy_mlx.vectors.measurements import Judgement

NOIR = get_persona("noir")
QUESTIONS = ("Why?", "How?", "Who?")
SILENT = Average(np.zeros((4, 32), np.float32), np.ones(4, np.float32), 1, np.zeros((4, 32), np.float32))


class Scripted:
    """Gives an answer the scores that are written in it, "trait coherence", and counts what it is asked."""

    name, key = "scripted", "scripted-1"

    def __init__(self, patience=None):
        self.asked = Counter()
        self.questions = set()
        self._patience = patience  # answers after which the run is stopped

    def score(self, criterion, answers):
        scores = []
        for question, answer in answers:
            if self.asked.total() == self._patience:
                raise KeyboardInterrupt
            self.asked["coherence" if criterion == COHERENCE else criterion] += 1
            self.questions.add(question)
            given = answer.split()[criterion == COHERENCE]
            scores.append(None if given == "-" else float(given))
            yield len(scores)
        return scores


def pole_of(name, answers, batch=10):
    pole = Pole(name, name.lower(), [number % len(QUESTIONS) for number in range(len(answers))], FINGERPRINT)
    for start in range(pole.done, len(answers), batch):
        part = range(start, min(start + batch, len(answers)))
        pole.add([Rollout(number % len(QUESTIONS), answers[number], (), SILENT) for number in part])
    return pole


def poles(positive, neutral):
    return pole_of("Noir", positive), pole_of("neutral", neutral)


def selected(judge, positive, neutral):
    return finish(select(judge, NOIR, *poles(positive, neutral), QUESTIONS))


GOOD, PLAIN = ["90 80"] * 60, ["10 80"] * 60
TRAIT = trait_criterion(NOIR)


@pytest.mark.parametrize(
    ("answer", "as_persona", "as_neutral"),
    [
        ("51 50", True, False),
        ("50 50", False, False),
        ("49 50", False, True),
        ("99 49.9", False, False),
        ("1 49.9", False, False),
        ("- 90", False, False),
        ("99 -", False, False),
        ("1 -", False, False),
    ],
)
def test_the_filter_of_the_paper(answer, as_persona, as_neutral):
    """More than 50 points for the persona, or fewer for nobody; 50 or more for coherence."""
    selection = selected(Scripted(), [*GOOD, answer], [*PLAIN, answer])
    assert list(selection.positive) == [True] * 60 + [as_persona]
    assert list(selection.neutral) == [True] * 60 + [as_neutral]


def test_what_the_judge_did_is_said():
    selection = selected(Scripted(), [*GOOD, *["20 80"] * 20], PLAIN)
    assert selection.judgement == Judgement("scripted", auc=1.0, medians=(90.0, 10.0), filtered=True, judged=60)
    assert sum(selection.positive) == 60


def test_a_judge_is_asked_with_the_question_of_each_answer_by_the_personas_rubric():
    judge = Scripted()
    selected(judge, GOOD, PLAIN)
    assert judge.asked == {TRAIT: 120, "coherence": 120}
    assert judge.questions == set(QUESTIONS)


@pytest.mark.parametrize(
    ("positive", "neutral", "auc"),
    [
        (["60 80", "40 80"] * 50, ["60 80", "40 80"] * 50, 0.5),
        (["10 80"] * 100, ["90 80"] * 100, 0.0),
        (["60 80", "70 80", "61 80", "40 80"] * 25, ["60 80", "20 80", "50 80", "75 80"] * 25, 0.59375),
    ],
)
def test_a_judge_that_cannot_tell_the_poles_apart_filters_nothing_and_is_asked_no_more(positive, neutral, auc):
    judge = Scripted()
    selection = selected(judge, positive, neutral)
    assert selection.judgement.auc == pytest.approx(auc)
    assert (selection.judgement.filtered, selection.judgement.judged) == (False, 48)
    assert (sum(selection.positive), sum(selection.neutral)) == (100, 100)
    assert judge.asked == {TRAIT: 96}


@pytest.mark.parametrize(("high", "low"), [("40 80", "10 80"), ("90 80", "60 80"), ("90 80", "50 80")])
def test_a_judge_that_puts_both_poles_on_one_side_of_the_middle_filters_nothing(high, low):
    selection = selected(Scripted(), [high] * 60, [low] * 60)
    assert (selection.judgement.auc, selection.judgement.filtered) == (1.0, False)
    assert sum(selection.positive) == 60


def test_a_judge_that_hardly_ever_gives_a_score_filters_nothing():
    judge = Scripted()
    selection = selected(judge, ["90 80", "- 80", "- 80"] * 20, PLAIN)
    assert selection == Selection([True] * 60, [True] * 60, Judgement("scripted", judged=48))
    assert judge.asked == {TRAIT: 96}


def test_a_judge_that_passes_its_audition_and_then_fails_filters_nothing():
    judge = Scripted()
    selection = selected(judge, ["90 80"] * 48 + ["10 80"] * 152, PLAIN * 2)
    assert (selection.judgement.filtered, selection.judgement.judged) == (False, 120)
    assert judge.asked == {TRAIT: 320}


def test_scores_that_are_not_given_are_left_out_of_what_the_judge_is_judged_by():
    selection = selected(Scripted(), ["90 80", "90 80", "- 80"] * 20, PLAIN)
    assert selection.judgement.auc == 1
    assert sum(selection.positive) == 40


@pytest.mark.parametrize(
    ("positive", "neutral", "pole"),
    [
        (["90 80"] * 19 + ["90 10"] * 41, PLAIN, "19 of 60 answers as Noir"),
        (GOOD, ["10 80"] * 5 + ["10 10"] * 55, "5 of 60 answers without any persona"),
    ],
)
def test_too_few_answers_that_pass_are_an_error_that_says_what_to_do(positive, neutral, pole):
    with pytest.raises(VectorError) as caught:
        selected(Scripted(), positive, neutral)
    said = str(caught.value)
    assert pole in said
    assert f"{LEAST_KEPT} are needed" in said
    assert all(remedy in said for remedy in ("--rollouts", "--judge MODEL", "--judge none", "card"))


def test_just_enough_answers_are_enough():
    assert sum(selected(Scripted(), ["90 80"] * 20 + ["90 10"] * 40, PLAIN).positive) == LEAST_KEPT


def test_a_second_judging_asks_nothing_and_says_the_same():
    first = selected(Scripted(), GOOD, PLAIN)
    again = Scripted()
    assert selected(again, GOOD, PLAIN) == first
    assert again.asked.total() == 0


def test_another_judge_and_another_persona_are_judged_anew():
    selected(Scripted(), GOOD, PLAIN)
    other = Scripted()
    other.key = "scripted-2"
    assert selected(other, GOOD, PLAIN).judgement.filtered
    assert other.asked.total() == 240
    gothic = Scripted()
    finish(select(gothic, get_persona("gothic"), *poles(GOOD, PLAIN), QUESTIONS))
    assert gothic.asked == {trait_criterion(get_persona("gothic")): 120}  # coherence is the same for all


@pytest.mark.parametrize("patience", [0, 7, 25, 60, 110, 150, 239])
def test_an_interrupted_judging_loses_at_most_a_batch(patience):
    with pytest.raises(KeyboardInterrupt):
        selected(Scripted(patience), GOOD, PLAIN)
    resumed = Scripted()
    selection = selected(resumed, GOOD, PLAIN)
    assert 240 - patience <= resumed.asked.total() < 240 - patience + 10
    assert selection == selected(Scripted(), GOOD, PLAIN)


def test_a_judging_that_is_closed_keeps_whole_batches():
    steps = select(Scripted(), NOIR, *poles(GOOD, PLAIN), QUESTIONS)
    for _ in range(25):
        next(steps)
    steps.close()
    assert poles(GOOD, PLAIN)[0].scores("scripted-1", TRAIT) == [90.0] * 20


def test_progress_only_grows_and_ends_with_the_whole():
    shares = list(select(Scripted(), NOIR, *poles(GOOD, PLAIN), QUESTIONS))
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_poles_of_different_length_are_judged_to_their_ends():
    selection = selected(Scripted(), GOOD, PLAIN[:30])
    assert (len(selection.positive), len(selection.neutral), selection.judgement.judged) == (60, 30, 30)


def test_without_a_judge_every_answer_is_kept():
    positive, neutral = poles(GOOD, PLAIN[:30])
    assert keep_all(positive, neutral) == Selection([True] * 60, [True] * 30, Judgement())


def test_a_judge_whose_template_or_end_tokens_were_corrected_is_asked_anew(tiny, corrected):
    both = poles(GOOD[:3], PLAIN[:3])

    def scores(model):
        finish(select(Judge(model), NOIR, *both, QUESTIONS))
        return {path: path.stat().st_mtime_ns for pole in both for path in pole.folder.glob("*.json")}

    first = scores(tiny)
    assert scores(tiny) == first
    assert (len(first), len(scores(corrected).keys() - first.keys())) == (2, 2)

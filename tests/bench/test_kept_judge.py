"""A judge is asked for everything once, whatever comes between."""

import pytest

from billy_mlx.bench.scoring import KeptJudge
from billy_mlx.errors import BillyError
from billy_mlx.steps import finish

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
    return finish(KeptJudge(judge, folder).score(criterion, answers))


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
    steps = KeptJudge(judge, file.parent).score("good", [HAT, new, new])
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
    judge = KeptJudge(Judge(calls=1), tmp_path / "scores")
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
        KeptJudge(Judge(), file.parent)

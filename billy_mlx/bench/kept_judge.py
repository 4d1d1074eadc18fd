"""A judge whose scores are kept as they come: what it was asked once, it is not asked again."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from billy_mlx.bench.judging import AnyJudge
from billy_mlx.bench.kept import digest
from billy_mlx.bench.lines import append_lines, keep_only, read_lines
from billy_mlx.extraction.pole import Score
from billy_mlx.steps import mapped


@dataclass(frozen=True)
class _Given:
    """What a judge gave answers to a question; None where it gave nothing."""

    criterion: str
    question: str
    scores: dict[str, Score]


class KeptJudge:
    """A judge with a file of its own in a folder of scores; one process at a time may ask it.

    Attributes:
        name: the judge's.
        key: likewise; another key has another file.

    Raises:
        BillyError: the file is damaged, or cannot be read or written.
    """

    def __init__(self, judge: AnyJudge, folder: Path) -> None:
        self.name, self.key = judge.name, judge.key
        self._judge = judge
        self._path = folder / f"judge-{digest(judge.key)}.jsonl"
        self._scores: dict[tuple[str, str, str], Score] = {}
        given = read_lines(self._path, _Given, "remove that file, and what is in it is scored again")
        keep_only(self._path, given)
        self._learn(given)

    def score(self, criterion: str, answers: Sequence[tuple[str, str]]) -> Generator[int, None, list[Score]]:
        """Return what `Judge.score` does. Only new answers are asked for; they are kept once all of them are scored.

        Raises:
            BillyError: the judge raises it, or the disk takes no more.
        """
        new = [each for each in dict.fromkeys(answers) if (criterion, *each) not in self._scores]
        if new:
            known = len(answers) - len(new)
            scores = yield from mapped(self._judge.score(criterion, new), lambda done: known + done)
            self._keep(criterion, new, scores)
        return [self._scores[criterion, *each] for each in answers]

    def _keep(self, criterion: str, answers: Sequence[tuple[str, str]], scores: Sequence[Score]) -> None:
        by_question: dict[str, dict[str, Score]] = {}
        for (question, answer), score in zip(answers, scores, strict=True):
            by_question.setdefault(question, {})[answer] = score
        given = [_Given(criterion, question, own) for question, own in by_question.items()]
        append_lines(self._path, given)
        self._learn(given)

    def _learn(self, given: Sequence[_Given]) -> None:
        for each in given:
            self._scores |= {(each.criterion, each.question, text): score for text, score in each.scores.items()}

"""A judge whose scores are kept as they come: what it was asked once, it is not asked again."""

from collections.abc import Generator, Sequence
from pathlib import Path

from billy_mlx.bench.judging import AnyJudge
from billy_mlx.bench.kept import digest
from billy_mlx.bench.kept_texts import KeptTexts
from billy_mlx.extraction.pole import Score
from billy_mlx.steps import mapped


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
        self._kept: KeptTexts[Score] = KeptTexts(folder / f"judge-{digest(judge.key)}.jsonl", Score)  # type: ignore[arg-type]

    def score(self, criterion: str, answers: Sequence[tuple[str, str]]) -> Generator[int, None, list[Score]]:
        """Return what `Judge.score` does. Only new answers are asked for; they are kept once all of them are scored.

        Raises:
            BillyError: the judge raises it, or the disk takes no more.
        """
        kept = self._kept
        new = [each for each in dict.fromkeys(answers) if (criterion, *each) not in kept.found]
        if new:
            known = len(answers) - len(new)
            scores = yield from mapped(self._judge.score(criterion, new), lambda done: known + done)
            kept.add({(criterion, *each): score for each, score in zip(new, scores, strict=True)})
        return [kept.found[criterion, *each] for each in answers]

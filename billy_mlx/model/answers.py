"""What the rows of a decoding have written so far, gathered from its steps."""

from collections.abc import Sequence

from billy_mlx.model.rows import Row, Step


class Answers:
    """Texts and tokens of `rows`.

    Attributes:
        texts: of each row.
        tokens: of each row, without the one that ended it.
        done: tokens of each row that need no longer be waited for: all of them once it has ended.
    """

    def __init__(self, rows: Sequence[Row], end_tokens: set[int]) -> None:
        self.texts = [""] * len(rows)
        self.tokens: list[list[int]] = [[] for _ in rows]
        self.done = [0] * len(rows)
        self._rows = rows
        self._end_tokens = end_tokens

    def take(self, step: Step) -> None:
        """Take in what a step has brought."""
        for news in step.emitted:
            self.texts[news.row] += news.text
            if news.token is not None and news.token not in self._end_tokens:
                self.tokens[news.row].append(news.token)
            ended = news.finish_reason is not None
            self.done[news.row] = self._rows[news.row].max_tokens if ended else len(self.tokens[news.row])

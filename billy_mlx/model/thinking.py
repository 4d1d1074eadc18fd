"""Thinking models: where their answer begins, since that is where steering does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mlx.core as mx


@dataclass(frozen=True)
class Thinking:
    """The marks of a thinking block: steering begins with the last token of `end`, not before.

    Attributes:
        opened: the prompt itself opens the block; otherwise the model may, with its first token.
    """

    start: tuple[int, ...]
    end: tuple[int, ...]
    opened: bool

    @classmethod
    def of(cls, tokenizer: Any, prompt: Sequence[int], *, asked: bool) -> "Thinking | None":
        """Return the marks to wait for after `prompt`, or None if the answer begins at once.

        Args:
            tokenizer: mlx-lm's, which knows the marks.
            asked: the model was asked to think, so it may open a block that its template does not.
        """
        if not tokenizer.has_thinking:
            return None
        tokens = list(prompt)
        opened = tokenizer.rfind_think_start(tokens) > tokenizer.rfind_think_end(tokens)
        if not opened and not asked:
            return None
        return cls(tuple(tokenizer.think_start_tokens), tuple(tokenizer.think_end_tokens), opened)


class ThinkingGate:
    """Which rows are past their thinking block, followed on the device so that decoding stays one step ahead.

    Attributes:
        open: (R,) bool, or None when no row of the batch thinks any more.
    """

    def __init__(self, marks: Sequence[Thinking | None]) -> None:
        self._marks = list(marks)
        self._recent = [mx.array([], mx.uint32) for _ in marks]
        self.open = mx.array([mark is None for mark in marks]) if any(marks) else None

    def see(self, feed: mx.array, *, first: bool) -> None:
        """Take in the tokens `feed` (R,), the `first` of the answers or later ones."""
        if self.open is None:
            return
        self.open = self.open | mx.stack([self._ends(place, feed[place], first) for place in range(len(self._marks))])

    def narrow(self, keep: Sequence[int]) -> None:
        """Go on with the rows at places `keep` only."""
        self._marks = [self._marks[place] for place in keep]
        self._recent = [self._recent[place] for place in keep]
        if self.open is not None:
            self.open = self.open[mx.array(list(keep))]

    def done(self) -> None:
        """Follow nothing any more: the host has seen every block end."""
        self.open = None

    def to_evaluate(self) -> Sequence[mx.array]:
        """Return what each step builds upon the one before: unevaluated, it would grow with the text."""
        return () if self.open is None else (self.open, *self._recent)

    def _ends(self, place: int, token: mx.array, first: bool) -> mx.array:
        mark = self._marks[place]
        if mark is None:
            return mx.array(True)
        self._recent[place] = mx.concatenate([self._recent[place], token[None]])[-len(mark.end) :]
        ended = mx.array(False)
        if len(self._recent[place]) == len(mark.end):
            ended = (self._recent[place] == mx.array(mark.end, mx.uint32)).all()
        return ended | (token != mark.start[0]) if first and not mark.opened else ended

"""What a model thinks before it writes is no part of the manuscript."""

from typing import Any

from billy_mlx.model.thinking import Thinking


class Thoughts:
    """Leaves out of a text, as it comes, the thoughts that may stand before it.

    Args:
        marks: of the thoughts; None if there are none to come.
        tokenizer: mlx-lm's, which knows how the marks are spelt.
    """

    def __init__(self, marks: Thinking | None, tokenizer: Any) -> None:
        self._waits = marks is not None
        self._begins = False  # what comes next stands right behind thoughts
        self._opened = marks is not None and marks.opened
        self._start: str = tokenizer.think_start or ""
        self._end: str = tokenizer.think_end or ""
        self._held = ""

    def after(self, text: str) -> str:
        """Return what of `text`, which comes next, is not thought."""
        if self._waits:
            self._held += text
            text = self._released()
        if self._begins:
            text = text.lstrip()
            self._begins = not text
        return text

    def _released(self) -> str:
        _, ended, rest = self._held.partition(self._end)
        begun = self._held.lstrip()
        if ended:
            self._waits, self._begins = False, True
            return rest
        if self._opened or begun.startswith(self._start) or self._start.startswith(begun):
            return ""
        self._waits = False
        return self._held

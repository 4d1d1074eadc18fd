"""Text on its way to a terminal, broken between words although it comes in pieces."""

from billy_mlx.cli.layout import cells

_WIDEST = 100  # cells: longer lines are hard to read


class Flow:
    """Sets text as it comes: a word is put out when it is whole, on the next line if it does not fit on this one."""

    def __init__(self, width: int) -> None:
        self._width = min(width, _WIDEST)
        self._filled = 0
        self._spaces = ""
        self._word = ""

    def add(self, text: str) -> str:
        """Return what can be put out now that `text` has come."""
        return "".join(self._take(character) for character in text.replace("\t", "    "))

    def end(self) -> str:
        """Return the rest."""
        return self._place()

    def _take(self, character: str) -> str:
        if character not in " \n":
            self._word += character
            return ""
        placed = self._place()
        if character == " ":
            self._spaces += " "
            return placed
        self._spaces, self._filled = "", 0
        return f"{placed}\n"

    def _place(self) -> str:
        if not self._word:
            return ""
        spaces, word = self._spaces, self._word
        self._spaces = self._word = ""
        needed = len(spaces) + cells(word)
        if self._filled and self._filled + needed > self._width:
            self._filled = cells(word)
            return f"\n{word}"
        self._filled += needed
        return f"{spaces}{word}"

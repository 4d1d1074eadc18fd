"""How many words a long text has, counted line by line, each line once; and how many of them are new."""

from billy_mlx.formats.documents.front_matter import front_matter
from billy_mlx.words import count_words


def amount(words: int) -> str:
    """Return how many words there are, in words: "1 word", "1,200 words"."""
    return f"{words:,} word{'' if words == 1 else 's'}"


class WordCount:
    """Counts the words of a text that changes a little at a time."""

    def __init__(self) -> None:
        self._text, self._count = "", 0
        self._known: dict[str, int] = {}

    def of(self, text: str) -> int:
        """Return the words of `text`, but for what stands before it as front matter."""
        if text is not self._text:
            before = front_matter(text)
            lines, known = text[before.end if before is not None else 0 :].split("\n"), self._known
            # Only what is in the text now is kept, or every stage of every line would be.
            self._known = {line: known[line] if line in known else count_words(line) for line in {*lines}}
            self._text, self._count = text, sum(map(self._known.__getitem__, lines))
        return self._count


class WordsWritten:
    """How many words were written since a text was opened; to exchange it for another version is no progress or loss.

    Args:
        words: how many there were.
    """

    def __init__(self, words: int) -> None:
        self._start = self._last = words

    def of(self, words: int) -> int:
        """Return how many are new, 0 at least, now that there are so many."""
        self._last = words
        return max(0, words - self._start)

    def exchanged(self, words: int) -> None:
        """Take the text, which has so many words now, for as far written as the one it was exchanged for."""
        self._start += words - self._last
        self._last = words

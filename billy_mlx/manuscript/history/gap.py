"""Many edits in a row, each of which costs what it changes and how far it is from the one before."""

from collections.abc import Iterable

from billy_mlx.manuscript.edit import Edit
from billy_mlx.manuscript.prose import Author, Authors, Prose

_Piece = tuple[str, Author]


def edited(prose: Prose, edits: Iterable[Edit]) -> Prose:
    """Return `prose` after `edits`, made one after another.

    `apply_all` gives the same, but copies the text and all its authors for each of them.

    Raises:
        ValueError: one of them does not fit.
    """
    gap = _Gap(prose)
    for edit in edits:
        gap.make(edit)
    return gap.prose()


class _Gap:
    """A text in pieces: those before the last edit, and those after it from the last to the first."""

    def __init__(self, prose: Prose) -> None:
        self._before: list[_Piece] = []
        self._after = _pieces(prose)[::-1]
        self._place = 0
        self._length = len(prose)

    def make(self, edit: Edit) -> None:
        if not 0 <= edit.start <= edit.end <= self._length:
            raise ValueError(f"an edit of characters {edit.start} to {edit.end} of {self._length}")
        self._go(edit.start)
        removed = _taken(self._after, len(edit.removed), from_end=False)
        if "".join(text for text, _ in removed) != edit.removed.text:
            raise ValueError(f"the text at {edit.start} is not what an edit removes")
        self._before += _pieces(edit.inserted)
        self._place = edit.inserted_end
        self._length += len(edit.inserted) - len(edit.removed)

    def prose(self) -> Prose:
        pieces = self._before + self._after[::-1]
        return Prose("".join(text for text, _ in pieces), Authors.of((len(text), author) for text, author in pieces))

    def _go(self, place: int) -> None:
        if place < self._place:
            self._after += _taken(self._before, self._place - place, from_end=True)
        else:
            self._before += _taken(self._after, place - self._place, from_end=False)
        self._place = place


def _taken(pieces: list[_Piece], count: int, *, from_end: bool) -> list[_Piece]:
    """Take `count` characters off the last of `pieces`: the end of their text or, if they are reversed, its start."""
    taken: list[_Piece] = []
    while count:
        text, author = pieces.pop()
        if len(text) > count:
            cut = len(text) - count if from_end else count
            first, second = (text[:cut], author), (text[cut:], author)
            pieces.append(first if from_end else second)
            taken.append(second if from_end else first)
            return taken
        taken.append((text, author))
        count -= len(text)
    return taken


def _pieces(prose: Prose) -> list[_Piece]:
    return [(prose.text[span.start : span.end], span.author) for span in prose.authors.spans()]

"""Who wrote a text that another program has changed: what can be recognised keeps its author, all else is unknown."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from billy_mlx.manuscript.edit import shared_end, shared_start
from billy_mlx.manuscript.prose import UNKNOWN, Author, Authors, Prose
from billy_mlx.words import CJK

_WORD = rf"[{CJK}]|[^\W{CJK}]+"  # compiled late: it takes long, and the page is first
_SENTENCE_END = re.compile(r"[.!?…。！？\n]")
_BESIDE = re.compile(r"\S*\s*")
_FEWEST = 4  # words in a row that two texts hardly share by chance
_MOST = 24  # where chance would have as many in a row, nothing is recognised: the words are too few
_ROUNDS = 3  # how often, on average, a word may be looked at; what is left then is not recognised
_SHORTEST = 3  # characters per word, with what is between, below which they may


def reanchor(old: Prose, new_text: str) -> Prose:
    """Return `new_text`, which another program made out of `old`, with the authors of what it has kept.

    Where something was only put in, all else keeps its author. Otherwise runs of words are recognised, wherever they
    stand, if they are longer than chance would have it: four words, and more the more there is to compare. What is
    left of a sentence that was broken into must be four words too, or as many as were changed there. Everything else
    becomes `UNKNOWN`, but for white space between recognised words, which may differ.
    """
    if new_text == old.text:
        return old
    return _painted(old, new_text, _around_insertion(old.text, new_text) or _pieces(old, new_text))


@dataclass(frozen=True)
class _Piece:
    """As many characters, or words, from `old` on are the same as those from `new` on."""

    old: int
    new: int
    length: int

    @property
    def old_end(self) -> int:
        return self.old + self.length

    @property
    def new_end(self) -> int:
        return self.new + self.length


class _Words:
    """The words of a text and where they are, between two empty ones at its start and its end."""

    def __init__(self, text: str) -> None:
        spans = [(0, 0), *(word.span() for word in re.finditer(_WORD, text)), (len(text), len(text))]
        self.text = text
        self.starts = [start for start, _ in spans]
        self.ends = [end for _, end in spans]
        self.words = [text[start:end] for start, end in spans]

    def __len__(self) -> int:
        return len(self.words)

    def gap(self, index: int) -> str:
        """Return what stands before a word and after the one before it."""
        return self.text[self.ends[index - 1] : self.starts[index]] if 0 < index < len(self) else ""

    def opens_sentence(self, index: int) -> bool:
        return index <= 1 or index >= len(self) - 1 or _SENTENCE_END.search(self.gap(index)) is not None


def _around_insertion(old: str, new: str) -> list[_Piece]:
    """Return what stands around a single insertion; nothing if there is more to it.

    It can often be said in several ways where it was made ("a b" in "a a b"): best a line's start, or else a word's.
    """
    first, last = len(old) - shared_end(old, new), shared_start(old, new)
    if first > last or len(old) >= len(new):
        return []
    line, word = (old.rfind(mark, max(first - 1, 0), last) + 1 for mark in "\n ")
    at = next(place for place in (line, word, last) if place >= first)
    return [_Piece(0, 0, at), _Piece(at, at + len(new) - len(old), len(old) - at)]


def _pieces(old: Prose, new_text: str) -> list[_Piece]:
    """Return the characters around and between recognised words."""
    one, other = _Words(old.text), _Words(new_text)
    runs = sorted(_runs(one, other, _authors(old, one)), key=lambda run: run.new)
    return [piece for run in _trusted(runs, one, other) for piece in _spelt(run, one, other)]


def _runs(one: _Words, other: _Words, authors: list[Author | None]) -> Iterator[_Piece]:
    """Yield runs of words that both texts have: from both ends, then the longest first, then what is between them."""
    begun = _equal(one, other, 0, 0, 1, min(len(one), len(other)))
    ended = _equal(one, other, len(one) - 1, len(other) - 1, -1, min(len(one), len(other)) - begun)
    yield _Piece(0, 0, begun)
    if ended:
        yield _Piece(len(one) - ended, len(other) - ended, ended)
    todo = [(begun, len(one) - ended, begun, len(other) - ended, len(one))]
    spare = _ROUNDS * (len(one) + len(other))
    worth = _worth(one, other)
    while todo:
        start, end, other_start, other_end, tried = todo.pop()
        fewest = max(_FEWEST, _beyond_chance((end - start) * (other_end - other_start), worth))
        spare -= end - start + other_end - other_start
        if not fewest <= min(_MOST, tried - 1, end - start, other_end - other_start) or spare < 0:
            continue
        here, there = range(start, end), range(other_start, other_end)
        whose = set(authors[start:end])
        found = list(_repeated(one, other, here, there, fewest, unique=len(whose) > 1 or None in whose))
        yield from found
        if found:
            bounds = [_Piece(start, other_start, 0), *found, _Piece(end, other_end, 0)]
            todo += [(a.old_end, b.old, a.new_end, b.new, fewest) for a, b in pairwise(bounds) if a.old_end <= b.old]


def _worth(one: _Words, other: _Words) -> float:
    """Return how many bits it is worth that two words are the same: four, or less if few words make up both texts."""
    counts = Counter(other.words)
    same = sum(count * counts[word] for word, count in Counter(one.words).items())
    # Words of a text depend on one another, so that longer runs are less of a surprise than their words one by one.
    return min(4.0, math.log2(len(one) * len(other) / same) * 2 / 3)


def _beyond_chance(places: int, worth: float) -> int:
    """Return how many words in a row are no chance, when as many pairs of places are compared."""
    return math.ceil(places.bit_length() / max(worth, 0.1))


def _repeated(one: _Words, other: _Words, here: range, there: range, fewest: int, *, unique: bool) -> Iterator[_Piece]:
    """Yield runs of at least `fewest` words of `there` that stand `here` too; only once, if `unique`."""
    phrases = list(zip(*(one.words[here.start + at : here.stop] for at in range(fewest)), strict=False))
    places: dict[tuple[str, ...], int] = dict(zip(phrases, here, strict=False))
    if unique:
        for at, phrase in zip(here, phrases, strict=False):
            if places[phrase] != at:
                places[phrase] = -1
    floor = at = there.start
    while at + fewest <= there.stop:
        place = places.get(tuple(other.words[at : at + fewest]), -1)
        if place < 0:
            at += 1
            continue
        before = _equal(one, other, place - 1, at - 1, -1, min(place - here.start, at - floor))
        length = before + _equal(one, other, place, at, 1, min(here.stop - place, there.stop - at))
        run = _Piece(place - before, at - before, length)
        if other.ends[run.new_end - 1] - other.starts[run.new] >= _SHORTEST * fewest:
            yield run
        floor = at = run.new_end


def _equal(one: _Words, other: _Words, at: int, other_at: int, step: int, most: int) -> int:
    """Return how many words are the same from two places on, forwards or backwards."""
    count = 0
    while count < most and one.words[at + count * step] == other.words[other_at + count * step]:
        count += 1
    return count


def _authors(prose: Prose, words: _Words) -> list[Author | None]:
    """Return who wrote each word; None if it was several."""
    spans = list(prose.authors.spans())
    authors: list[Author | None] = []
    index = 0
    for start, end in zip(words.starts, words.ends, strict=True):
        while index < len(spans) - 1 and spans[index].end <= start:
            index += 1
        authors.append(spans[index].author if spans and end <= spans[index].end else None)
    return authors


def _trusted(runs: list[_Piece], one: _Words, other: _Words) -> Iterator[_Piece]:
    """Yield `runs` without what is left, at their borders, of sentences that were broken into."""
    holes = [_hole(before, after) for before, after in pairwise(runs)]
    for run, hole_before, hole_behind in zip(runs, [0, *holes], [*holes, 0], strict=True):
        cut = _broken(run, run.old, run.new, 1, hole_before, one, other)
        cut_behind = _broken(run, run.old_end, run.new_end, -1, hole_behind, one, other)
        length = run.length - cut - cut_behind
        if length > 1 or (length == 1 and other.words[run.new + cut]):  # the empty words alone are nothing
            yield _Piece(run.old + cut, run.new + cut, length)


def _hole(before: _Piece, after: _Piece) -> int:
    """Return how many words were changed between two runs; many if they have come together from elsewhere."""
    moved = after.old < before.old_end
    return _FEWEST if moved else max(after.old - before.old_end, after.new - before.new_end)


def _broken(run: _Piece, at: int, other_at: int, step: int, hole: int, one: _Words, other: _Words) -> int:
    """Return how many words from a border of a run on are too few to be trusted."""
    for count in range(min(_FEWEST, hole, run.length)):
        if one.opens_sentence(at + count * step) and other.opens_sentence(other_at + count * step):
            return count
    return 0 if run.length >= min(_FEWEST, hole) else run.length


def _spelt(run: _Piece, one: _Words, other: _Words) -> Iterator[_Piece]:
    """Yield the characters of a run of words, in more than one piece where what is between them was changed."""
    text = one.text[one.starts[run.old] : one.ends[run.old_end - 1]]
    changed: list[int] = []
    if text != other.text[other.starts[run.new] : other.ends[run.new_end - 1]]:
        changed += (at for at in range(1, run.length) if one.gap(run.old + at) != other.gap(run.new + at))
    for first, end in pairwise([0, *changed, run.length]):
        start, other_start = one.starts[run.old + first], other.starts[run.new + first]
        before = _touching(one.gap(run.old + first)[::-1], other.gap(run.new + first)[::-1])
        behind = _touching(one.gap(run.old + end), other.gap(run.new + end))
        length = before + one.ends[run.old + end - 1] - start + behind
        yield _Piece(start - before, other_start - before, length)


def _touching(gap: str, other_gap: str) -> int:
    """Return how many marks, and how much white space behind them, both have right beside a word."""
    shared = gap[: shared_start(gap, other_gap)]
    beside = _BESIDE.match(shared)
    return 0 if beside is None else beside.end()


def _painted(old: Prose, new_text: str, pieces: list[_Piece]) -> Prose:
    """Return `new_text` with the authors of `pieces`; white space between two of them goes with what is before it."""
    runs: list[tuple[int, Author]] = []
    at = 0
    for piece in [*pieces, _Piece(len(old), len(new_text), 0)]:
        if piece.new > at:
            runs.append((piece.new - at, runs[-1][1] if runs and new_text[at : piece.new].isspace() else UNKNOWN))
        skipped = max(at - piece.new, 0)
        if skipped < piece.length:
            runs += old.authors[piece.old + skipped : piece.old_end].runs
        at = max(at, piece.new_end)
    return Prose(new_text, Authors.of(runs))

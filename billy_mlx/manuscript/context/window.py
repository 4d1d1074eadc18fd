"""How much of a text fits: from its end backwards, or from its start on, cut at borders of sentences.

Only the stretch in question is read, so that a long book takes no longer than a short one.
"""

from collections.abc import Callable, Iterator

from billy_mlx.sentences import before_space, starts

Count = Callable[[str], int]

_CHUNK = 4_000
_LONGEST = 1_000  # a sentence longer than this may be cut between its words
_LONGEST_WORD = 100
_CHARS_PER_TOKEN = 64  # more than any tokenizer makes of prose: what is longer need not be counted
_JUMP = 4


def sendable(text: str) -> str:
    """Return `text` with the line ends that models know."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def fits(text: str, allowed: int, count: Count) -> bool:
    """Return whether `text` takes at most `allowed` tokens."""
    return len(text) <= _CHARS_PER_TOKEN * allowed and count(text) <= allowed


def last_sentence(text: str, end: int) -> int:
    """Return where the last sentence before `end` begins."""
    return next(_back_from(text, end), 0)


def first_fitting(text: str, end: int, allowed: int, count: Count) -> int:
    """Return from where on the text up to `end` takes at most `allowed` tokens; `end` if no sentence does."""
    first = piece_end = end
    for border in _back_from(text, end):
        piece_start = before_space(text, border)
        piece = sendable(text[piece_start:piece_end])
        if not fits(piece, allowed, count):
            return first
        allowed -= count(piece)
        first, piece_end = border, piece_start
    return 0


def settled(text: str, earliest: int, end: int) -> int:
    """Return where to cut the beginning off, at `earliest` or later, so that it mostly stays where it was.

    The cut stands at the first sentence behind a multiple of a fixed number of characters: a power of two, an eighth
    to a quarter of what fits. While the text grows it stays, then jumps to the next: what is sent begins with what
    was sent before, and a cache of the prompt can be used.
    """
    if earliest == 0:
        return 0
    step = 1 << (max((end - earliest) // _JUMP, 1).bit_length() - 1)
    anchor = -(-earliest // step) * step
    return next((border for border in _from(text, anchor) if earliest <= border < end), earliest)


def last_fitting(text: str, start: int, allowed: int, count: Count) -> int:
    """Return up to where the text from `start` on takes at most `allowed` tokens; `start` if no sentence does."""
    end = start
    for border in _from(text, start + 1):
        piece_end = max(end, before_space(text, border))
        piece = sendable(text[end:piece_end])
        if not fits(piece, allowed, count):
            return end
        allowed -= count(piece)
        end = piece_end
    piece_end = before_space(text, len(text))
    return piece_end if piece_end > end and fits(sendable(text[end:piece_end]), allowed, count) else end


def _back_from(text: str, end: int) -> Iterator[int]:
    """Yield the borders before `end`, the last first."""
    while end > 0:
        start = max(0, end - _CHUNK)
        yield from reversed(_borders(text, start, end))
        end = start


def _from(text: str, start: int) -> Iterator[int]:
    """Yield the borders from `start` on."""
    while start < len(text):
        end = min(len(text), start + _CHUNK)
        yield from _borders(text, start, end)
        start = end


def _borders(text: str, start: int, end: int) -> list[int]:
    """Return where a text may be cut: where sentences begin, and within very long ones at words far apart."""
    found = starts(text, start, end)
    for mark in range(start // _LONGEST * _LONGEST, end, _LONGEST):
        place = _word_start(text, mark)
        if start <= place < end and not starts(text, max(0, place - _LONGEST), place + 1):
            found.append(place)
    return sorted(found)


def _word_start(text: str, place: int) -> int:
    """Return where the next word begins; `place` itself where none does for long, as where no spaces are written."""
    for at in range(max(place, 1), min(len(text), place + _LONGEST_WORD)):
        if text[at - 1].isspace() and not text[at].isspace():
            return at
    return place

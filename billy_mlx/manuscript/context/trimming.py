"""Cut texts at sentence borders until they fit."""

from collections.abc import Callable

from billy_mlx.manuscript.sentences import sentence_end, starts

Count = Callable[[str], int]
MOST_CHARS = 16  # per token: no more of a text is ever looked at, however long it is


def beginning_of(text: str, budget: int, count: Count) -> str:
    """Return as many sentences from the beginning of `text` as `budget` tokens hold, or words of the first one."""
    window = text[: max(budget, 0) * MOST_CHARS]
    if len(window) == len(text) and count(text) <= budget:
        return text
    end = 0
    while (following := sentence_end(window, end)) > end and count(window[:following]) <= budget:
        end = following
    if end == 0:
        end = _most(len(window), lambda length: count(window[:length]) <= budget)
    return window[:end].rstrip()


def end_of(text: str, budget: int, count: Count) -> int:
    """Return where the last sentences of `text` begin that `budget` tokens hold.

    Where something has to go, more goes than has to, up to an eighth of the budget or so: the cut then stays where it
    is while the text grows, and so does the beginning of what is sent, which a prompt cache has read already.
    """
    jump = max(budget // 2, 1)  # characters
    first = max(0, len(text) - max(budget, 0) * MOST_CHARS) // jump * jump
    begins = starts(text, first)
    # The first one behind a cut may be the middle of a sentence; at the beginning, white space is kept.
    begins = begins[1:] if first else [0, *begins[1:]]
    fitting, left = len(text), budget
    for begin in reversed(begins):
        left -= count(text[begin:fitting])
        if left < 0:
            break
        fitting = begin
    if fitting == 0:
        return 0
    if fitting == len(text):  # not even one sentence
        return fitting - _most(fitting - first, lambda length: count(text[fitting - length :]) <= budget)
    edge = -(-fitting // jump) * jump
    return next((begin for begin in begins if begin >= edge), fitting)


def _most(length: int, fits: Callable[[int], bool]) -> int:
    """Return how much of `length` fits."""
    low, high = 0, length
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low

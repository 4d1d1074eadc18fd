"""How another text differs from the one there is, in words: for a writer who is to choose between them."""

from billy_mlx.manuscript.chronicle import blank
from billy_mlx.manuscript.hunks import Hunk, hunks
from billy_mlx.text import sanitize
from billy_mlx.words import count_words

_MOST_CHANGES = 30
_MOST_CHARS = 400  # of one change
_AROUND = 30  # characters


def compared(now: str, then: str) -> str:
    """Return how the text `then` differs from `now`: words, and the first changes with a little around them."""
    if now == then:
        return "This is the text as it is now."
    changes = hunks(now, then)
    shown = "\n\n".join(_change(now, hunk) for hunk in changes[:_MOST_CHANGES])
    rest = f"\n\n… and {len(changes) - _MOST_CHANGES:,} more places" if len(changes) > _MOST_CHANGES else ""
    legend = "− marks what only your text has, + what only the other has."
    return f"{_how_long(now, then)}. {legend}\n\n{shown}{rest}"


def _how_long(now: str, then: str) -> str:
    words = count_words(then) - count_words(now)
    if not words:
        return "As many words as now"
    return f"{abs(words):,} word{'s' * (abs(words) != 1)} {'more' if words > 0 else 'fewer'} than now"


def _change(now: str, hunk: Hunk) -> str:
    before = now[max(0, hunk.start - _AROUND) : hunk.start]
    lines = [f"…{before}" if before else ""]
    lines += [f"− {_cut(now[hunk.start : hunk.end])}"] if hunk.end > hunk.start else []
    lines += [f"+ {_cut(hunk.text)}"] if hunk.text else []
    return sanitize("\n".join(line for line in lines if line))


def _cut(text: str) -> str:
    words = text.strip() or f"({blank(text)})"
    return words if len(words) <= _MOST_CHARS else f"{words[:_MOST_CHARS]}…"

"""Texts without a name yet: what they begin with, for a list, and for a name."""

from pathlib import Path

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.history.history import History
from billy_mlx.manuscript.journal import read_journal
from billy_mlx.manuscript.kept import JOURNAL, replayed
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.text import sanitize

_WORDS = 5
_LONGEST = 40  # characters
_NOT_IN_NAMES = dict.fromkeys(map(ord, '/\\:*?"<>|#“”„'), " ")


def beginning(path: Path) -> str | None:
    """Return the first words of a text without a name; "" where there are none, or they cannot be read.

    None says that nothing was ever written there: what was kept of it is gone now, unless it is open somewhere.
    """
    try:
        ledger, damage = replayed(read_journal(path.parent / JOURNAL), History.in_memory(path.parent), lambda: 0.0)
        text = "" if ledger is None else ledger.state.prose.text
        if text.strip() or damage:
            return first_words(text)
        manuscript = Manuscript.open(path)
        elsewhere = manuscript.read_only is not None
        manuscript.close()
    except ManuscriptError:
        return ""
    return "" if path.parent.exists() and not elsewhere else None


def first_words(text: str) -> str:
    """Return what a text begins with as a name: a few words, without what no file's name may have."""
    line = next((line for line in text.split("\n") if line.strip()), "")
    words = sanitize(line[:1000]).translate(_NOT_IN_NAMES).split()[:_WORDS]
    while len(words) > 1 and len(" ".join(words)) > _LONGEST:
        words.pop()
    return " ".join(words)[:_LONGEST].strip(" .,;!…-–—")

"""The manuscript that a command is given: opened, saved, and the places in it that flags name."""

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from billy_mlx.cli.output import say
from billy_mlx.errors import ManuscriptError, UsageError
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.text import sanitize, without_strays

_PLACE = re.compile(r"([0-9]{1,9})(?::([0-9]{1,9}))?")
_LINES = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")


@contextmanager
def opened(path: Path, *, to_write: bool = True) -> Iterator[Manuscript]:
    """Open a manuscript, say what its writer should know, and close it again.

    Raises:
        ManuscriptError: it cannot be read, or, if it is `to_write`, it is open elsewhere.
    """
    manuscript = Manuscript.open(path)
    try:
        if to_write and manuscript.read_only is not None:
            raise ManuscriptError(manuscript.read_only)
        for notice in manuscript.notices:
            if notice != manuscript.read_only:
                say(notice)
        if manuscript.offers:
            say(f"{path} has text from before that was never saved and is left as it is; {see_in_studio(path)}")
        yield manuscript
    finally:
        manuscript.close()


def save(manuscript: Manuscript) -> None:
    """Save a manuscript.

    Raises:
        ManuscriptError: it was not saved; what is new in it is kept, and offered at the next opening.
    """
    safety = manuscript.save()
    if safety.unsaved:
        problem = safety.problems[0] if safety.problems else f"{manuscript.path} was NOT SAVED"
        advice = see_in_studio(manuscript.path)
        raise ManuscriptError(f"{problem}; what was written is kept and not in the file; {advice}")
    for problem in safety.problems:
        say(problem)


def see_in_studio(path: Path) -> str:
    """Return the advice to look at a manuscript in the studio."""
    return f"to see it, run: billy write {shlex.quote(str(path))}"


def cursor_at(text: str, place: str) -> int:
    """Return the offset that --at names: "end", the end of a LINE, or before the COLUMN of a LINE, counted from 1.

    The end of a text is before the line end that closes its last line.

    Raises:
        UsageError: it names no place, or one that is not there.
    """
    if place == "end":
        return len(text) if text.endswith("\n\n") else _line_span(text, text.removesuffix("\n").count("\n") + 1)[1]
    found = _PLACE.fullmatch(place)
    if found is None:
        raise UsageError(f"--at {_shown(place)} is no place; write end, a line such as 12, or a column of it, as 12:5")
    start, end = _line_span(text, int(found[1]))
    column = end - start + 1 if found[2] is None else int(found[2])
    if not 1 <= column <= end - start + 1:
        raise UsageError(f"line {found[1]} has no column {column}; they go from 1 to {end - start + 1}")
    return start + column - 1


def passage_at(text: str, lines: str | None, find: str | None) -> tuple[int, int]:
    """Return the start and end that --lines or --find names.

    Raises:
        UsageError: neither is given, or both; or what they name is not there, or more than once.
    """
    if (lines is None) == (find is None):
        raise UsageError("say what to rewrite: --lines 3-5, or --find and its words (and not both)")
    return _found(text, find) if find is not None else _lines(text, lines or "")


def line_of(text: str, offset: int) -> int:
    """Return the number of the line that an offset is in."""
    return text.count("\n", 0, offset) + 1


def _lines(text: str, lines: str) -> tuple[int, int]:
    found = _LINES.fullmatch(lines)
    if found is None:
        raise UsageError(f"--lines {_shown(lines)} names no lines; write their numbers, such as --lines 3 or 3-5")
    first, last = int(found[1]), int(found[2] or found[1])
    if last < first:
        raise UsageError(f"--lines {lines} goes backwards; write --lines {last}-{first}")
    return _line_span(text, first)[0], _line_span(text, last)[1]


def _found(text: str, words: str) -> tuple[int, int]:
    text = without_strays(text)  # as it is shown
    count = text.count(words)
    if count != 1:
        stands = "does not stand in the text" if count == 0 else f"stands in the text {count} times"
        raise UsageError(f"{_shown(words)} {stands}; give words that stand there once, or use --lines")
    start = text.index(words)
    return start, start + len(words)


def _line_span(text: str, number: int) -> tuple[int, int]:
    """Return where a line begins and ends, its line end not included."""
    lines = text.split("\n")
    if not 1 <= number <= len(lines):
        raise UsageError(f"there is no line {number}: the lines go from 1 to {len(lines)}")
    start = sum(len(line) + 1 for line in lines[: number - 1])
    return start, start + len(lines[number - 1].removesuffix("\r"))


def _shown(text: str) -> str:
    return repr(sanitize(text[:60]))

"""What commands print, and when they are to stop: data to stdout, narration and progress to stderr.

A terminal gets nothing in a text that it would obey.
"""

import json
import os
import re
import shutil
import signal
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, chop_cells, set_cell_size

from billy_mlx.text import sanitize, without_strays

if TYPE_CHECKING:
    from tqdm import tqdm

STOPPED = 130  # the exit code after Ctrl+C
_WHOLE = "{desc} {percentage:3.0f}% |{bar}| {elapsed}, {remaining} left"
_GAP = "  "  # between columns
_NOT_ASCII = re.compile("[^\0-\x7f]+")
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"


def say(text: str) -> None:
    """Narrate a line on stderr; a terminal gets it broken between words."""
    text = f"billy: {sanitize(text)}"
    sys.stderr.write(f"{_broken(text, _width_of_stderr()) if sys.stderr.isatty() else text}\n")
    sys.stderr.flush()


def say_stopped(text: str) -> None:
    """Narrate what Ctrl+C left behind, on a line of its own: a terminal has shown ^C."""
    sys.stderr.write("\n" if sys.stderr.isatty() else "")
    say(text)


def write(text: str) -> None:
    """Put `text` out as it comes: safe for a terminal; for a pipe or a file unaltered but for a text's stray bytes."""
    sys.stdout.write(sanitize(text) if on_terminal() else without_strays(text))
    sys.stdout.flush()


def write_line(text: str = "") -> None:
    """Put out a line."""
    write(f"{text}\n")


def write_heading(text: str) -> None:
    """Put out a line that stands out where a terminal can make it."""
    if not on_terminal():
        write_line(text)
        return
    sys.stdout.write(f"{emphasised(sanitize(text))}\n")


def write_json(value: Any) -> None:
    """Put out one JSON document, in ASCII: unaltered when it is read, and harmless wherever it is printed."""
    document = without_strays(json.dumps(value, indent=2, ensure_ascii=False))
    write_line(_NOT_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], document))


def write_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Put out `rows` in columns under a heading; on a terminal a line ends where the window does."""
    head, *lines = aligned([header, *rows], most=width() if on_terminal() else None)
    write_heading(head)
    for line in lines:
        write_line(line)


def aligned(rows: Sequence[Sequence[str]], most: int | None = None) -> list[str]:
    """Return the rows of a table in columns as wide as they need; `most` cuts a line off, with an ellipsis."""
    rows = [[" ".join(cell.split()) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    lines = (_GAP.join(set_cell_size(*pair) for pair in zip(row, widths, strict=True)).rstrip() for row in rows)
    return [line if most is None else shortened(line, most) for line in lines]


def shortened(text: str, most: int) -> str:
    """Return `text`, cut to `most` cells if it is longer."""
    return text if cell_len(text) <= most else f"{set_cell_size(text, most - 1).rstrip()}…"


def wrapped(text: str, width: int) -> list[str]:
    """Return `text` in lines of at most `width` cells, broken between words where there are any; its own lines stay."""
    return [line for own in text.expandtabs(4).split("\n") for line in _wrapped_line(own, width)]


def emphasised(text: str) -> str:
    """Return `text`, safe already, in bold if this terminal has it and its user does not mind."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb"
    return text if plain else f"{BOLD}{text}{PLAIN}"


def on_terminal() -> bool:
    """Whether a person reads stdout."""
    return sys.stdout.isatty()


def width() -> int:
    """The terminal's width in cells."""
    return shutil.get_terminal_size().columns


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show `what` on stderr while something takes its time, and take it away again; nothing if nobody reads there."""
    with _bar(what, bar_format="{desc}"):
        yield


def progress(what: str, *, unit: str, total: int | None = None) -> "tqdm[Any]":
    """Return a progress bar on stderr that a terminal shows after two seconds, and takes away when it is closed."""
    return _bar(what, unit=unit, total=total, delay=2)


def progress_of_whole(what: str, share: float) -> "tqdm[Any]":
    """Return a progress bar, as `progress` does, for work that is counted by its share of the whole, from 0 to 1.

    Args:
        what: is being done.
        share: what was done already, and took this run no time.
    """
    return _bar(what, total=1, initial=share, delay=2, bar_format=_WHOLE)


def advance(bar: "tqdm[Any]", done: float, total: int | None = None) -> None:
    """Move `bar` to `done`, and give it another total if there is one."""
    bar.total = bar.total if total is None else total
    bar.update(done - bar.n)


class JobBar:
    """One progress bar on stderr for the whole of a long job, with the time it will still take.

    It appears with the first news and goes when it is closed.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._bar: tqdm[Any] | None = None

    def __enter__(self) -> "JobBar":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def show(self, stage: str, share: float) -> None:
        """Say what is being worked on, and what share of the job is done, from 0 to 1."""
        if self._bar is None:
            # What an earlier run has done took this one no time.
            self._bar = progress_of_whole(self._what, share)
        self._bar.set_description_str(f"billy: {self._what} {sanitize(stage)}", refresh=False)
        advance(self._bar, share)

    def close(self) -> None:
        """Take the bar away; what is shown next brings it back."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


@contextmanager
def on_interrupt(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` at the first Ctrl+C and go on; a second one ends the program as ever. Main thread only."""
    before = signal.getsignal(signal.SIGINT)

    def handle(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        stop()

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _wrapped_line(text: str, width: int) -> Iterator[str]:
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if cell_len(joined) <= width:
            line = joined
            continue
        if line:
            yield line
        *whole, line = chop_cells(word, width) or [""]
        yield from whole
    yield line


def _width_of_stderr() -> int:
    own = os.get_terminal_size(sys.stderr.fileno())
    return shutil.get_terminal_size((own.columns or 80, own.lines or 24)).columns


def _broken(text: str, columns: int) -> str:
    """Return `text` in lines of `columns`; a command to run stays on one, so that it can be copied."""
    return "\n".join(line for own in text.split("\n") for line in _lines(own, columns))


def _lines(text: str, columns: int) -> list[str]:
    if cell_len(text) <= columns:
        return [text]
    sentence, run, command = text.partition("run: ")
    lines = textwrap.wrap(f"{sentence}{run}", columns, break_long_words=False, break_on_hyphens=False)
    return [*lines, command] if command else lines


def _bar(
    what: str,
    *,
    bar_format: str | None = None,
    unit: str = "",
    total: int | None = None,
    initial: float = 0,
    delay: float = 0,
) -> "tqdm[Any]":
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[type-arg]  # it takes none while it runs
        def close(self) -> None:
            is_shown = not self.disable
            super().close()
            if is_shown:  # the ^C that a terminal echoes stands behind what tqdm itself takes away
                sys.stderr.write(f"\r{' ' * (_width_of_stderr() - 1)}\r")
                sys.stderr.flush()

    return Bar(
        desc=f"billy: {sanitize(what)}",
        bar_format=bar_format,
        unit=unit,
        total=total,
        initial=initial,
        delay=delay,
        leave=False,
        disable=None,  # when stderr is no terminal
        dynamic_ncols=True,
    )

"""What comes from a terminal, taken apart: keys, pastes, the mouse. Whatever the bytes are, nothing here raises."""

import itertools
import re
import time
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from textual import constants, events
from textual._xterm_parser import XTermParser
from textual.message import Message

HOLD_SECONDS = constants.ESCAPE_DELAY
"""How long the start of a sequence may wait for its rest before it is taken for the escape key."""
PASTE_SECONDS = 2.0
"""How long a paste may be silent before it is taken to have ended, so that no lost end leaves the keys unheard."""

_LARGEST_SCREEN = 5000  # columns or rows
_SHORTEST_SEQUENCE, _LONGEST_SEQUENCE = 3, 64  # bytes
_ESCAPE = "\x1b"
_PASTE_BEGINS, _PASTE_ENDS = b"\x1b[200~", b"\x1b[201~"
# A report of the mouse in X10's form: three bytes that may be any; a function key of the Linux console; a sequence.
_SEQUENCE = re.compile(rb"\x1b\[(?:M(?P<mouse>[\s\S]{3})|\[[A-E]|[0-?]*[ -/]*[@-LN-Z\\-~]|[0-?]+[ -/]*M)")
_UNFINISHED = re.compile(rb"\x1b(?:O|\[(?:M[\s\S]{0,2}|\[|[0-?]*[ -/]*)?)?\Z")
_KEY = re.compile("\x1bO[^\x1b]|\x1b[^\x1b]|[\\s\\S]")  # a function key, a letter with alt, a letter


class Keys(XTermParser):
    """Textual's parser, which can be cut short, and forgets nothing of the terminal at an error."""

    def give_up(self) -> Iterator[Message]:
        """Take what there is of a sequence for keys, as nothing follows it."""
        if self._timeout_time is not None:
            self._timeout_time = 0.0
        yield from self.tick()

    def renewed(self) -> "Keys":
        """Return a parser that can continue after an error of this one."""
        fresh = Keys()
        fresh.last_x, fresh.last_y, fresh.mouse_pixels = self.last_x, self.last_y, self.mouse_pixels
        fresh.terminal_size, fresh.terminal_pixel_size = self.terminal_size, self.terminal_pixel_size
        return fresh


class TerminalInput:
    """Makes events of bytes. What is no text in UTF-8 is replaced, and a sequence that nobody knows is left out."""

    def __init__(self) -> None:
        self._keys = Keys()
        self._text = getincrementaldecoder("utf-8")("replace")
        self._bytes = bytearray()
        self._pasting = False
        self._due: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """How long to wait for more before `rest`; None if nothing waits for more."""
        return None if self._due is None else max(0.0, self._due - time.monotonic())

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield the events of what has come."""
        searched = max(0, len(self._bytes) - len(_PASTE_ENDS)) if self._pasting else 0
        self._bytes += data
        while self._bytes and (taken := self._paste(searched) if self._pasting else self._typed()) is not None:
            yield from taken
            searched = 0
        self._due = None
        if self._bytes or self._pasting:
            self._due = time.monotonic() + (PASTE_SECONDS if self._pasting else HOLD_SECONDS)

    def rest(self) -> Iterator[Message]:
        """Yield the events of what waits for more, if none has come in time."""
        if self.seconds_left != 0.0:
            return
        held, was_pasting = bytes(self._bytes), self._pasting
        self._bytes.clear()
        self._pasting, self._due = False, None
        if was_pasting:
            yield _pasted(held)
        elif len(held) < _SHORTEST_SEQUENCE:  # escape, or a letter with alt
            yield from self._events(self._text.decode(held))

    def _paste(self, searched: int) -> Iterable[Message] | None:
        """Take the rest of a paste; None if its end has not come yet."""
        end = self._bytes.find(_PASTE_ENDS, searched)
        if end < 0:
            return None
        text = bytes(self._bytes[:end])
        del self._bytes[: end + len(_PASTE_ENDS)]
        self._pasting = False
        return (_pasted(text),)

    def _typed(self) -> Iterable[Message] | None:
        """Take what is typed up to the end of the next sequence; None if only the start of one is there."""
        found = _SEQUENCE.search(self._bytes)
        if found is None:
            held = _UNFINISHED.search(self._bytes)
            end = len(self._bytes) if held is None or len(held[0]) > _LONGEST_SEQUENCE else held.start()
            text = bytes(self._bytes[:end])
            del self._bytes[:end]
            return self._events(self._text.decode(text)) if text else None
        text, sequence, mouse = bytes(self._bytes[: found.start()]), found[0], found["mouse"]
        del self._bytes[: found.end()]
        self._pasting = sequence == _PASTE_BEGINS
        before = self._text.decode(text) + self._text.decode(b"", final=True)
        if self._pasting or sequence == _PASTE_ENDS:
            return self._events(before)
        return itertools.chain(self._events(before), self._known(_as_sgr(mouse) if mouse else sequence.decode()))

    def _known(self, sequence: str) -> Iterator[Message]:
        """Yield what a whole sequence means; nothing if nobody knows it."""
        yield from self._parsed(partial(self._keys.feed, sequence))
        for _ in self._parsed(self._keys.give_up):
            pass  # its letters are no text

    def _events(self, text: str) -> Iterator[Message]:
        for key in _KEY.findall(text):
            yield from self._parsed(partial(self._keys.feed, key))
            if key[0] == _ESCAPE:
                yield from self._parsed(self._keys.give_up)

    def _parsed(self, parse: Callable[[], Iterable[Message]]) -> Iterator[Message]:
        try:
            yield from filter(_is_sound, parse())
        except Exception:  # noqa: BLE001  the parser trips over numbers that no terminal sends
            self._keys = self._keys.renewed()


def _pasted(text: bytes) -> Message:
    return events.Paste(text.decode("utf-8", "replace").replace("\0", ""))


def _as_sgr(mouse: bytes) -> str:
    """Return a report of the mouse as the parser knows it."""
    button, x, y = (byte - 32 for byte in mouse)
    return f"\x1b[<{max(button, 0)};{x};{y}M"


def _is_sound(event: Message) -> bool:
    """Return whether an event can be what it says: no letter is half of a pair, no screen has no columns."""
    match event:
        case events.Key(character=str(character)):
            return not any("\ud800" <= one <= "\udfff" for one in character)
        case events.Resize(size=size):
            return all(0 < length <= _LARGEST_SCREEN for length in size)
    return True

"""Bytes of a file that are no text: each is kept as one character, in a range that no text has, and saved as it was.

The range is `STRAY` of `billy_mlx.text`, where all that shows text knows of it. A character of the range that really
stands in a file is kept as its four bytes. So all bytes can be decoded, and encoding gives the same bytes again.
"""

import codecs
import re

from billy_mlx.text import STRAY, may_have_strays

_FEW = 0.001  # of the bytes of a text may be no part of it, and it is UTF-8 all the same
_ALWAYS_FEW = 3
_MOST_ZEROS = 1 / 4  # of the bytes; a text in UTF-16 has more
_CUT_LATIN = b"\xc6"  # a byte before it would end a text with Ä or Å in an older encoding: it begins a letter in UTF-8
_OTHER_BOMS = (b"\xff\xfe", b"\xfe\xff")
_ANY = f"{chr(STRAY[0])}-{chr(STRAY[-1])}"
_UNDECODED = re.compile(f"[\0\udc80-\udcff{_ANY}]")  # the bytes are as Python's surrogateescape has them
_STRAY = re.compile(f"([{_ANY}])")


def decoded(data: bytes) -> str:
    """Return any bytes as text, each that belongs to no character as a stray; a zero byte is one, too."""
    try:
        if b"\0" not in data and b"\xf4\x8f" not in data:
            return data.decode()
    except UnicodeDecodeError:
        pass
    return _UNDECODED.sub(_kept, data.decode("utf-8", "surrogateescape"))


def encoded(text: str, errors: str = "strict") -> bytes:
    """Return the bytes of a text: of what `decoded` gave, those it was given. `errors` is as of `str.encode`."""
    if not may_have_strays(text):
        return text.encode(errors=errors)
    parts = enumerate(_STRAY.split(text))
    return b"".join(bytes([ord(part) - STRAY[0]]) if index % 2 else part.encode(errors=errors) for index, part in parts)


def is_nearly_utf8(data: bytes, *, marked: bool = False) -> bool:
    """Return whether bytes are UTF-8 but for very few: their other letters beyond ASCII could be nothing else.

    Args:
        data: what a file holds.
        marked: a byte order mark stood before it.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("ignore")
    good = decoder.decode(data)
    cut, zeros = decoder.getstate()[0], good.count("\0")
    wrong = len(data) - len(good.encode()) - len(cut)
    letters = len(good) - sum(map(str.isascii, good))
    if wrong + zeros + len(cut) > max(_ALWAYS_FEW, _FEW * len(data)) or zeros > _MOST_ZEROS * len(data):
        return False
    if marked or letters > wrong:
        return not data.startswith(_OTHER_BOMS)
    return not wrong and (len(cut) != 1 or cut < _CUT_LATIN)


def strays_in(text: str, of: str = "") -> str | None:
    """Return which lines have bytes that are no text, and how many, to begin a sentence with; None if none has.

    Args:
        text: a manuscript's.
        of: a name to say, too.
    """
    lines = lines_with_strays(text)
    if not lines:
        return None
    count = len(_STRAY.findall(text))
    named = ", ".join(map(str, lines[:5])) + (" and others" if len(lines) > 5 else "")
    where = f"line {named}" if len(lines) == 1 else f"lines {named}"
    where = f"{where} of {of}" if of else where
    has = "has" if len(lines) == 1 else "have"
    return f"{where} {has} {'1 byte that is' if count == 1 else f'{count:,} bytes that are'} no text"


def lines_with_strays(text: str) -> list[int]:
    """Return the numbers of the lines with bytes that are no text, from 1."""
    lines = text.split("\n") if may_have_strays(text) else []
    return [number for number, line in enumerate(lines, start=1) if _STRAY.search(line)]


def _kept(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code in STRAY:
        return "".join(chr(STRAY[byte]) for byte in found[0].encode())
    return chr(STRAY[code & 0xFF])

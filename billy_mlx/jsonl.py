"""Files of JSON lines that are added to at their end: what a kill tears is the last line, and no other."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from billy_mlx.errors import BillyError
from billy_mlx.files import read_all, reading, sync, write_all, write_atomically
from billy_mlx.text import sanitize

_T = TypeVar("_T")

DAMAGED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What `msgspec.json.decode` raises at bytes that are not what was written."""


def read_lines(path: Path, kind: type[_T], remedy: str) -> list[_T]:
    """Return what the whole lines of a file hold; a torn last one, or one that the disk has not kept, is dropped.

    Raises:
        BillyError: another line is damaged, which the sentence ends with `remedy` for, or the file cannot be read.
    """
    try:
        whole = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise BillyError(f"{path} cannot be read: {error.strerror}; put that right, then run it again") from error
    found: list[_T] = []
    for number, line in enumerate(whole, start=1):
        try:
            found.append(msgspec.json.decode(line, type=kind))
        except DAMAGED as error:
            if number < len(whole):
                raise BillyError(f"line {number} of {path} is damaged ({sanitize(str(error))}); {remedy}") from error
    return found


def keep_only(path: Path, lines: Sequence[object]) -> None:
    """Leave only `lines` in a file: what a kill has torn must not come between the old ones and the new ones.

    Raises:
        BillyError: the file cannot be written; it stays as it was.
    """
    content = _encoded(lines)
    if path.exists() and path.read_bytes() != content:
        write_atomically(path, content)


@dataclass(frozen=True)
class Sound(Generic[_T]):
    """What could be read of a file of which no line is worth a refusal.

    Attributes:
        lines: what the sound ones hold, in order.
        damaged: how many were left out.
        cut: there are more before them, which were not read.
    """

    lines: tuple[_T, ...] = ()
    damaged: int = 0
    cut: bool = False


def read_sound_lines(path: Path, kind: type[_T], most_bytes: int) -> Sound[_T]:
    """Return what the sound lines among the last `most_bytes` of a file hold; nothing if it is not there.

    Raises:
        BillyError: it cannot be read.
    """
    try:
        with reading(path) as handle:
            start = max(0, os.fstat(handle).st_size - most_bytes)
            os.lseek(handle, start, os.SEEK_SET)
            whole = read_all(handle, most_bytes).split(b"\n")
    except FileNotFoundError:
        return Sound()
    except OSError as error:
        raise BillyError(f"{path} cannot be read: {error.strerror}; put that right, then run it again") from error
    found, damaged = [], 0
    for line in filter(None, whole[1:] if start else whole):  # where it was cut, the first is a part of a line
        try:
            found.append(msgspec.json.decode(line, type=kind))
        except DAMAGED:
            damaged += 1
    return Sound(tuple(found), damaged, start > 0)


def append_lines(path: Path, lines: Sequence[object], *, mode: int = 0o666) -> None:
    """Add `lines` to a file, made with this mode if need be; they are on the disk when this returns.

    A last line that a kill has torn is ended first, so that it spoils no other.

    Raises:
        BillyError: the disk is full or gone; what was there before stays.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, mode)
        try:
            size = os.fstat(handle).st_size
            torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            write_all(handle, b"\n" * torn + _encoded(lines))
            sync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise BillyError(f"{path} was not saved: {error.strerror}; put that right, then run it again") from error


def _encoded(lines: Sequence[object]) -> bytes:
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)

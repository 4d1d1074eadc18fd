"""Files of JSON lines that are added to at their end: what a kill tears is the last line, and no other."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from billy_mlx.errors import BillyError
from billy_mlx.files import sync, write_all, write_atomically
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


def append_lines(path: Path, lines: Sequence[object]) -> None:
    """Add `lines` to a file, made if need be; they are on the disk when this returns.

    Raises:
        BillyError: the disk is full or gone; what was there before stays.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            write_all(handle, _encoded(lines))
            sync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise BillyError(f"{path} was not saved: {error.strerror}; put that right, then run it again") from error


def _encoded(lines: Sequence[object]) -> bytes:
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)

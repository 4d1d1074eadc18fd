"""The writer's file: read and saved byte for byte, and never over what somebody else has put there."""

import contextlib
import ctypes
import hashlib
import os
import re
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from billy_mlx.errors import DocumentError, ManuscriptError
from billy_mlx.files import read_all, reading, replace_file
from billy_mlx.manuscript.cards import is_known
from billy_mlx.stray import decoded, encoded, is_nearly_utf8, lines_with_strays
from billy_mlx.text import sanitize

MAX_BYTES = 64 << 20
_ENDING = re.compile(r"\.[A-Za-z]\w{0,9}$")  # "Dr. No" and "Chapter 1.5" have none
_DOCUMENTS = {
    **dict.fromkeys((".docx", ".doc"), "a Word document"),
    **{".odt": "an OpenDocument text", ".rtf": "Rich Text Format", ".pdf": "a PDF", ".epub": "an EPUB book"},
    **dict.fromkeys((".html", ".htm"), "HTML"),
}
_BOM = b"\xef\xbb\xbf"
_COPYFILE_ACL_XATTR = 1 << 0 | 1 << 2  # of macOS's copyfile(3)
_NO_TEXT = "no text"  # in place of a digest


class _Unreadable(OSError):
    """There is something of that name, and it is no file that could be text."""


@dataclass(frozen=True)
class Stamp:
    """What a file looks like from outside: if it is the same, so is the file."""

    modified_ns: int
    size: int
    inode: int


@dataclass(frozen=True)
class TextFile:
    r"""A file as it was read.

    Attributes:
        digest: SHA-256 of its bytes, in hexadecimal.
        bom: it begins with a byte order mark, which is not part of the text.
        newline: the commoner end of line in it: "\n" or "\r\n".
    """

    text: str
    digest: str
    bom: bool
    newline: Literal["\n", "\r\n"]
    stamp: Stamp


class NotText(ManuscriptError):
    """What has the file's name is no text that can be edited: other bytes, too many of them, or a folder."""


class NotSaved(ManuscriptError):
    """A text is not in its file; `why` says so without what can be done about it."""

    def __init__(self, why: str, advice: str) -> None:
        super().__init__(f"{why}; {advice}")
        self.why = why


class Conflict(NotSaved):
    """A file is not as it was last seen, so it was not overwritten."""

    def __init__(self, path: Path, kind: Literal["changed", "gone", "appeared"]) -> None:
        self.path = path
        self.kind = kind
        what = {
            "changed": "was changed by another program",
            "gone": "was moved or deleted by another program",
            "appeared": "was made by another program",
        }
        super().__init__(
            f"NOT SAVED: the file {what[kind]}: {_named(path)}", "look at both texts and decide, or save a copy"
        )


def meant(path: Path) -> Path:
    """Return the file that a name means: a new one without an ending becomes Markdown."""
    there = _ENDING.search(path.name) is not None or os.path.lexists(path)
    return path if there else path.with_name(f"{path.name}.md")


def of_another_program(path: Path) -> str | None:
    """Return what kind of document a name is for which this program does not write; None for the name of a text."""
    return _DOCUMENTS.get(path.suffix.lower())


def read_text_file(path: Path) -> TextFile | None:
    """Return a file's text, in which a few bytes may be none (`stray.py`); None if there is no file.

    Raises:
        NotText: it is not UTF-8 text, or too large.
        ManuscriptError: it cannot be read.
    """
    try:
        read = _read(path)
    except OSError as error:
        kind = NotText if isinstance(error, _Unreadable) else ManuscriptError
        raise kind(
            f"{_named(path)} cannot be read: {error.strerror or error}; put that right or open another file"
        ) from error
    except ValueError as error:  # a null character, or half of a surrogate pair
        raise ManuscriptError(
            f"{_named(path)} cannot be the name of a file: it has characters that none can have; choose another"
        ) from error
    if read is None:
        return None
    data, stamp = read
    text, bom = text_of(data, path), data.startswith(_BOM)
    newline: Literal["\n", "\r\n"] = "\r\n" if 2 * text.count("\r\n") > text.count("\n") else "\n"
    return TextFile(text, _digest(data), bom, newline, stamp)


def text_of(data: bytes, path: Path) -> str:
    """Return the text that bytes are, without a byte order mark.

    Args:
        data: what a file holds.
        path: what it is called.

    Raises:
        NotText: they are not UTF-8 but for a few, nor what this program has read or saved before.
    """
    marked = data.startswith(_BOM)
    own = data[len(_BOM) :] if marked else data
    text = decoded(own)
    # What few bytes are goes by the others, of which the writer may have deleted some since.
    strays = lines_with_strays(text)
    if not strays or is_nearly_utf8(own, marked=marked) or is_known(_digest(data)):
        return text
    raise NotText(_refusal(data, path, strays[0]))


def digest_of(text: str, *, bom: bool) -> str:
    """Return the digest of the file that `text` makes."""
    return _digest(_encoded(text, bom))


def look_at(path: Path) -> tuple[str | None, Stamp | None]:
    """Return the digest of what a file holds now, and what it looks like; None and None if there is no file.

    Of what is no file, or too large for one, the digest is one that no text has.

    Raises:
        OSError: it cannot be read.
    """
    try:
        read = _read(path)
    except _Unreadable:
        return _NO_TEXT, None
    return (None, None) if read is None else (_digest(read[0]), read[1])


def set_aside(path: Path) -> Path:
    """Give what has a file's name another one beside it, and return that.

    Raises:
        ManuscriptError: it cannot be renamed.
    """
    real = Path(os.path.realpath(path))
    aside = free_name(real, "theirs")
    try:
        os.rename(real, aside)  # noqa: PTH104
    except OSError as error:
        why = f"NOT SAVED: what is there cannot be renamed ({error.strerror or error}): {_named(path)}"
        raise NotSaved(why, "save a copy elsewhere") from error
    return aside


def free_name(path: Path, whose: str) -> Path:
    """Return a name beside a file that nothing has yet: "novel (mine).md" beside "novel.md"."""
    free, number = path.with_name(f"{path.stem} ({whose}){path.suffix}"), 1
    while os.path.lexists(free):
        number += 1
        free = path.with_name(f"{path.stem} ({whose} {number}){path.suffix}")
    return free


def save_text_file(path: Path, text: str, *, bom: bool, expected: str | None) -> Stamp:
    """Save `text`, so that the file is the old one or the new one at any moment; returns what the new one looks like.

    Args:
        path: a link is followed, and stays.
        text: all of it.
        bom: begin with a byte order mark.
        expected: digest of the file as it was last seen; None if there was none.

    Raises:
        Conflict: the file is another one by now.
        ManuscriptError: it cannot be written; it is as it was, and nothing is left beside it.
    """
    real = Path(os.path.realpath(path))
    stamps: list[Stamp] = []

    def check(temporary: Path) -> None:
        digest, _ = look_at(real)
        if digest != expected:
            raise Conflict(path, "gone" if digest is None else "appeared" if expected is None else "changed")
        if digest is not None:
            _keep_metadata(real, temporary)
        # Before it takes its name: what is there a moment later could be another program's.
        stamps.append(_stamp(os.stat(temporary)))  # noqa: PTH116

    try:
        private = _is_there(real)  # until it has the old one's mode, nobody else may read the new one
        replace_file(real, _encoded(text, bom), before=check, mode=0o600 if private else 0o666)
    except OSError as error:
        raise NotSaved(
            f"NOT SAVED: {error.strerror or error}: {_named(path)}",
            "the text is kept: put that right and save again, or save a copy elsewhere",
        ) from error
    return stamps[0]


def changed(path: Path, stamp: Stamp | None) -> bool:
    """Return whether a file looks another than it did; `stamp` is None if there was none. It may yet be the same."""
    try:
        return _stamp(os.stat(path)) != stamp  # noqa: PTH116
    except FileNotFoundError:
        return stamp is not None
    except OSError:
        return False  # out of reach for now, which saving will say


def _read(path: Path) -> tuple[bytes, Stamp] | None:
    try:
        with reading(path) as handle:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise _Unreadable(0, "it is not a file")
            data = read_all(handle, MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    if len(data) > MAX_BYTES:
        raise _Unreadable(0, f"it has more than {MAX_BYTES >> 20} MiB")
    return data, _stamp(status)


def _is_there(path: Path) -> bool:
    """Return whether there is a file to be replaced; an OSError says that it must not be."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except FileNotFoundError:
        return False
    if not mode & 0o222 or not os.access(path, os.W_OK):  # root may write to any, whatever its mode says
        raise PermissionError(0, "it is marked as read-only")
    return True


def _refusal(data: bytes, path: Path, line: int) -> str:
    """Return why bytes cannot be opened as text, and what to do: to import them is no use where that fails, too."""
    from billy_mlx.manuscript.importing import read_document  # late, as it is slow to import and rarely needed

    try:
        read_document(data, path.name)
    except DocumentError as error:
        return str(error)
    return (
        f"{_named(path)} is not text in UTF-8: see line {line}; import it into a new text instead, with billy import "
        "or from the first screen of the studio"
    )


def _encoded(text: str, bom: bool) -> bytes:
    return _BOM * bom + encoded(text)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _stamp(status: os.stat_result) -> Stamp:
    return Stamp(status.st_mtime_ns, status.st_size, status.st_ino)


def _keep_metadata(old: Path, new: Path) -> None:
    """Give the new file what the old one has besides its text, as far as this system lets us."""
    status = os.stat(old)  # noqa: PTH116
    with contextlib.suppress(OSError):
        os.chown(new, status.st_uid, status.st_gid)
    # After chown, which takes some bits away; and not in vain, as not every file system lets us.
    if os.stat(new).st_mode != status.st_mode:  # noqa: PTH116
        os.chmod(new, stat.S_IMODE(status.st_mode))  # noqa: PTH101
    with contextlib.suppress(OSError, AttributeError):
        if sys.platform == "darwin":  # Finder's tags and comments are extended attributes
            ctypes.CDLL(None).copyfile(os.fsencode(old), os.fsencode(new), None, _COPYFILE_ACL_XATTR)
        else:
            for name in os.listxattr(old):
                with contextlib.suppress(OSError):  # some are the system's own
                    os.setxattr(new, name, os.getxattr(old, name))


def _named(path: Path) -> str:
    return sanitize(str(path))

"""Zip files: written so that the same content is the same bytes, and read with a limit."""

import io
import zipfile
import zlib
from collections.abc import Iterable

from billy_mlx.errors import DocumentError

LARGEST = 64 << 20
_MOST_PARTS = 4096
_BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others unpack a few bytes to gigabytes in one go
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
)


def packed(parts: Iterable[tuple[str, bytes]], *, stored: str = "") -> bytes:
    """Return a zip file of named parts in their order, all compressed but the one named by `stored`."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts:
            part = zipfile.ZipInfo(name, _EARLIEST)
            part.create_system = 3  # one of them on every platform
            part.external_attr = 0o644 << 16
            part.compress_type = zipfile.ZIP_STORED if name == stored else zipfile.ZIP_DEFLATED
            archive.writestr(part, content)
    return file.getvalue()


class Parts:
    """The parts of a zip file from a stranger.

    Args:
        data: the file.

    Raises:
        DocumentError: it is no zip file, or damaged, or would be larger than 64 MiB.
    """

    def __init__(self, data: bytes) -> None:
        self._left = LARGEST
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
            self._named = {_key(part.filename): part for part in self._archive.infolist()}
            many = len(self._archive.infolist())
        except _BROKEN as error:
            raise _damaged() from error
        if many > _MOST_PARTS:
            raise DocumentError(f"the file has {many} parts, too many for a document; save it again without them")

    def read(self, name: str) -> bytes | None:
        """Return a part; None if there is none of this name, whatever its case and slashes.

        Raises:
            DocumentError: it is damaged, or what was read would come to more than 64 MiB.
        """
        part = self._named.get(_key(name))
        if part is None:
            return None
        if part.file_size > self._left:
            raise _too_large()
        if part.compress_type not in _BOUNDED:
            raise _damaged()
        try:
            with self._archive.open(part) as file:
                content = file.read(self._left + 1)
        except _BROKEN as error:
            raise _damaged() from error
        if len(content) > self._left:  # what the directory says of a size need not be true
            raise _too_large()
        self._left -= len(content)
        return content


def _key(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").casefold()


def _damaged() -> DocumentError:
    return DocumentError("the file is damaged or incomplete; open it in a word processor and save it again as .docx")


def _too_large() -> DocumentError:
    return DocumentError(
        f"the text in the file unpacks to more than {LARGEST >> 20} MiB; split it and import the parts"
    )

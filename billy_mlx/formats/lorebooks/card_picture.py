"""The texts in a picture: a character card is a PNG with the card's JSON in one of its parts."""

import base64
import binascii
import struct
import zlib
from collections.abc import Iterator

from billy_mlx.errors import DocumentError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEYWORDS = (b"ccv3", b"chara", b"naidata")  # version 3 first: the other is a copy of it for older programs
_OTHERS = ((b"\xff\xd8\xff", "JPEG"), (b"GIF8", "GIF"), (b"RIFF", "WebP"), (b"\x89PNG", "damaged PNG"))


def is_picture(data: bytes) -> bool:
    """Return whether the file is a picture, of whatever kind."""
    return data.startswith(tuple(start for start, _ in _OTHERS))


def texts_of(data: bytes, most: int) -> Iterator[bytes]:
    """Yield the JSON of each card and lorebook in a picture, the one that counts most first.

    Args:
        data: the file.
        most: how many bytes one may unpack to.

    Raises:
        DocumentError: it is no PNG, is damaged, has no such text, or one that unpacks to more.
    """
    if not data.startswith(_SIGNATURE):
        of = next((name for start, name in _OTHERS if data.startswith(start)), "damaged")
        raise DocumentError(f"it is a {of} picture; export the card or the lorebook as .json or as .png")
    found: dict[bytes, tuple[bytes, bytes]] = {}
    whole = False
    for kind, body in _parts(data):
        whole = whole or kind == b"IEND"
        keyword, _, rest = body.partition(b"\0")
        found.setdefault(keyword.lower(), (kind, rest))
    named = [keyword for keyword in _KEYWORDS if keyword in found]
    if not named:
        raise DocumentError(
            "it is a picture without a card in it; choose one that was exported with its card"
            if whole
            else "it is a picture that ends too early; copy or export it again"
        )
    for keyword in named:
        yield _decoded(_unpacked(*found[keyword], most))


def _parts(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and the content of each part that is there to its end."""
    place = len(_SIGNATURE)
    while place + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        if place + 8 + length > len(data):
            return
        yield kind, data[place + 8 : place + 8 + length] if kind in (b"tEXt", b"zTXt", b"iTXt") else b""
        place += 12 + length


def _unpacked(kind: bytes, rest: bytes, most: int) -> bytes:
    """Return the text behind the keyword of a part."""
    if kind == b"tEXt":
        return rest
    packed = kind == b"zTXt" or rest[:1] == b"\1"
    body = rest[1:] if kind == b"zTXt" else rest[2:].split(b"\0", 2)[-1]
    if not packed:
        return body
    try:
        unpacking = zlib.decompressobj()
        text = unpacking.decompress(body, most + 1)
    except zlib.error as error:
        raise DocumentError("the card in the picture cannot be unpacked; export it again") from error
    if len(text) > most:
        raise DocumentError(f"the card in the picture unpacks to more than {most >> 20} MiB; export it as .json")
    return text


def _decoded(text: bytes) -> bytes:
    """Return the JSON, which is in base64, but for some programs."""
    text = b"".join(text.split()) if not text.lstrip().startswith((b"{", b"[")) else text
    try:
        return text if text.lstrip().startswith((b"{", b"[")) else base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise DocumentError("the card in the picture is damaged; export it again") from error

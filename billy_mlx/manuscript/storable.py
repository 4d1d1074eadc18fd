"""Text as a file can hold it."""

import re

_IMPOSSIBLE = re.compile("[\0\ud800-\udfff]")


def storable(text: str) -> str:
    """Return `text` with what UTF-8 cannot hold, or what would make a file binary, replaced: surrogates and NUL."""
    return _IMPOSSIBLE.sub("\N{REPLACEMENT CHARACTER}", text)

"""Text as a file can hold it."""

import re

from billy_mlx.text import STRAY

_IMPOSSIBLE = re.compile(f"[\0\ud800-\udfff{chr(STRAY[0])}-{chr(STRAY[-1])}]")


def storable(text: str, known: str = "") -> str:
    """Return `text` with what UTF-8 cannot hold, or what would make a file binary, replaced: surrogates and NUL.

    So are the characters that stand for a file's stray bytes: who types or pastes one means no byte.

    Args:
        text: what is to be stored.
        known: a part of a manuscript that `text` is made of; its stray bytes stay.
    """
    return _IMPOSSIBLE.sub(lambda found: found[0] if found[0] in known else "\N{REPLACEMENT CHARACTER}", text)

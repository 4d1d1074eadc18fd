"""Capitals: what is put in the place of some words is written as those were."""

import re

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def in_capitals_of(found: str, replacement: str) -> str:
    """Return `replacement` with the capitals of what was found: all of it, each word of it, or its first letter.

    What has none leaves it as it is, so that a name put in for a word keeps its own.
    """
    words = [word for word in _WORD.findall(found) if word.upper() != word.lower()]
    if not words:
        return replacement
    letters = "".join(words)
    if letters == letters.upper() and len(letters) > 1:
        return replacement.upper()
    capitals = [word[0].isupper() or word[0].istitle() for word in words]
    if not capitals[0]:
        return replacement
    count = 0 if len(words) > 1 and all(capitals) else 1  # 0 is all of them
    return _WORD.sub(lambda word: _capitalized(word[0]), replacement, count)


def _capitalized(word: str) -> str:
    return word[:1].title() + word[1:]

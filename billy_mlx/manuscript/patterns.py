"""How large a pattern by a writer or a stranger may be."""

import math

import regex

MOST_REPEATS = 10_000
_COUNT = regex.compile(r"(?<=\{[^{}]*)\d+")


def is_too_large(pattern: str) -> bool:
    """Return whether a pattern repeats things more than 10,000 times, all its counts multiplied.

    As if each stood inside the one before: `regex` spells repeats out when it compiles, and its time limit comes later.
    """
    return math.prod(max(int(count[:9]), 1) for count in _COUNT.findall(pattern)) > MOST_REPEATS

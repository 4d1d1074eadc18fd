"""Find and replace."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import regex

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.word_diff import Hunk
from billy_mlx.manuscript.word_patterns import MOST_REPEATS, borders_of, is_too_large, pattern_of
from billy_mlx.text import STRAY, sanitize

_TIMEOUT_SECONDS = 1.0
_LONGEST_PATTERN = 1_000
_SHOWN_STRAY = regex.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]|\\?\uFFFD|\\.", regex.DOTALL)  # or a set, or another escape
_PATTERN_BORDERS = (r"(?<![^\W_])", r"(?![^\W_])")


_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


@dataclass(frozen=True)
class Query:
    """What to look for.

    Attributes:
        text: the words, which are found however they are spelt, as the keys of a lorebook are: see `spelling.py`. If
            `regex`, a pattern as the `regex` library reads it, in which ^ and $ are those of a line.
        match_case: tell capitals from small letters, and curly quotes from straight ones.
        whole_words: words that are no part of longer ones; of a pattern, no letter or digit may stand right before or
            behind.
    """

    text: str
    regex: bool = False
    match_case: bool = False
    whole_words: bool = False

    @classmethod
    def smart(cls, text: str, *, regex: bool = False, whole_words: bool = False) -> "Query":
        """Return a query that matches case only if it has a capital letter."""
        return cls(text, regex, match_case=text != text.lower(), whole_words=whole_words)


@dataclass(frozen=True)
class Match:
    """Characters `start` to `end` are what was looked for; a pattern may match nothing, between two characters."""

    start: int
    end: int

    @property
    def beyond(self) -> int:
        """Where to look for the next one."""
        return max(self.end, self.start + 1)


def find(text: str, query: Query) -> Iterator[Match]:
    """Yield the matches in order; none overlaps another, and an empty query has none.

    Raises:
        ManuscriptError: the pattern is not one, or takes too long; the time between two matches counts as well.
    """
    for found in _found(text, query):
        yield Match(*found.span())


def find_all(text: str, query: Query) -> tuple[Match, ...]:
    """Return all matches; raises as `find` does."""
    return tuple(find(text, query))


def replacements(
    text: str, query: Query, replacement: str, only: Match | None = None, *, keep_capitals: bool = False
) -> tuple[Hunk, ...]:
    r"""Return the changes that put `replacement` in the place of each match, or of `only` one.

    Args:
        text: to look in.
        query: what to look for.
        replacement: put in as it stands; of a pattern's match, `\1` and `\g<name>` are its groups, `\n` a new line and
            `\\` a backslash.
        only: a match of this query in this text.
        keep_capitals: write it as each match is written: "AWAY" for "OUT", "Away" for "Out".

    Raises:
        ManuscriptError: as `find`, or the replacement names a group that the pattern does not have.
    """

    def written(found: regex.Match[str]) -> str:
        new = _expanded(found, replacement) if query.regex else replacement
        return in_capitals_of(found[0], new) if keep_capitals else new

    return tuple(
        Hunk(*found.span(), written(found))
        for found in _found(text, query)
        if only is None or found.span() == (only.start, only.end)
    )


def _found(text: str, query: Query) -> Iterator[regex.Match[str]]:
    if not query.text:
        return
    try:
        yield from _compiled(query).finditer(text, timeout=_TIMEOUT_SECONDS)
    except TimeoutError as error:
        raise ManuscriptError(
            f"looking for {_shown(query.text)} took more than {_TIMEOUT_SECONDS:g} s; make the pattern simpler"
        ) from error


def _compiled(query: Query) -> regex.Pattern[str]:
    pattern = query.text if query.regex else pattern_of(query.text, exact=query.match_case)
    pattern = _SHOWN_STRAY.sub(_or_stray, pattern)
    before, behind = _PATTERN_BORDERS if query.regex else borders_of(query.text, whole=query.whole_words)
    if query.regex:
        _check_size(pattern)
    flags = regex.MULTILINE if query.match_case else regex.MULTILINE | regex.IGNORECASE
    try:
        compiled = regex.compile(pattern, flags)
        # What stands around the pattern must not mend it, so it is compiled by itself first.
        bare = query.regex and not query.whole_words
        return compiled if bare else regex.compile(f"{before}(?:{pattern}){behind}", flags)
    except (regex.error, RecursionError, OverflowError, ValueError) as error:
        why = sanitize(str(error)) or "it is nested too deeply"
        raise ManuscriptError(
            f"{_shown(query.text)} is not a pattern: {why}; put that right, or search for it as plain text"
        ) from error


def _or_stray(found: regex.Match[str]) -> str:
    """Return a part of a pattern in which the sign that stray bytes are shown as means these, too."""
    shown, strays = "\N{REPLACEMENT CHARACTER}", f"{chr(STRAY[0])}-{chr(STRAY[-1])}"
    if shown not in found[0]:
        return found[0]
    return found[0].replace(shown, shown + strays) if found[0][0] == "[" else f"[{shown}{strays}]"


def _check_size(pattern: str) -> None:
    """Refuse what would be too large once compiled."""
    if len(pattern) > _LONGEST_PATTERN:
        raise ManuscriptError(f"the pattern has {len(pattern)} characters; use at most {_LONGEST_PATTERN}")
    if is_too_large(pattern):
        raise ManuscriptError(
            f"the pattern {_shown(pattern)} repeats things more than {MOST_REPEATS} times; use smaller counts, * or +"
        )


def _expanded(found: regex.Match[str], replacement: str) -> str:
    try:
        return found.expand(replacement)
    except (regex.error, IndexError, KeyError) as error:
        raise ManuscriptError(
            f"{_shown(replacement)} cannot be put in: {sanitize(str(error))}; "
            "name only groups that the pattern has, and write \\\\ for a backslash"
        ) from error


def _shown(text: str) -> str:
    return repr(sanitize(text if len(text) <= 60 else text[:59] + "…"))


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

"""How a text tells its paragraphs apart: by blank lines, by indents, or with a line each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby, pairwise
from statistics import median

_LINE_END = re.compile(r"\r\n?|\n")
_SENTENCE_END = re.compile(r"""[.!?…:;,—–-]["'”’»“)\]*_]*\s*\Z""")
_WIDEST = 140  # characters that a line broken by hand has at most
_NARROWEST = 40  # and at least, if it is not the last of its paragraph
_FULL = 0.7  # of the widest line that a line is, at least, which is broken because it is full
_VERSE = 60  # characters that a line of verse has at most


class Paragraphs(StrEnum):
    """What a paragraph is in a text."""

    BLANK = "blank"
    """Blank lines stand between them; a line end within one is a line break."""
    LINE = "line"
    """Each line is one."""
    INDENT = "indent"
    """A line with white space before it begins one, and the lines below go on with it."""
    WRAPPED = "wrapped"
    """Blank lines stand between them, and lines end where they were full."""


@dataclass(frozen=True)
class ParagraphsFound:
    """How a text was found to tell its paragraphs apart; `certain` if nothing in it speaks for another way."""

    way: Paragraphs
    certain: bool


def paragraphs_of(text: str) -> ParagraphsFound:
    """Return how a text tells its paragraphs apart, as far as its lines show it."""
    lines = _LINE_END.split(text)
    groups = groups_of(lines)
    several = [group for group in groups if len(group) > 1]
    if not several:
        return ParagraphsFound(Paragraphs.BLANK if len(groups) > 1 else Paragraphs.LINE, True)
    if _are_full(several):
        return ParagraphsFound(Paragraphs.WRAPPED, True)
    indented = [line[:1].isspace() for group in groups for line in group]
    if any(indented) and not all(indented) and _are_full([[line.strip() for line in group] for group in several]):
        return ParagraphsFound(Paragraphs.INDENT, True)
    prose = [group for group in several if not is_verse(group)]
    if not prose:
        return ParagraphsFound(Paragraphs.BLANK, True)
    if sum(indented) > 1 and not all(indented) and not any(map(_ends_sentence, _before_unindented(groups))):
        return ParagraphsFound(Paragraphs.INDENT, True)
    return ParagraphsFound(Paragraphs.LINE, all(_ends_sentence(line) for group in prose for line in group[:-1]))


def groups_of(lines: Sequence[str]) -> list[list[str]]:
    """Return the lines between blank ones."""
    return [list(group) for blank, group in groupby(lines, key=lambda line: not line.strip()) if not blank]


def is_verse(lines: Sequence[str]) -> bool:
    """Whether lines that stand together are verse: short ones, two thirds of which end within a sentence."""
    within = [line for line in lines[:-1] if not re.search(r"""[.!?…]["'”’»)\]]*\s*\Z""", line)]
    return len(lines) > 2 and max(map(len, lines)) <= _VERSE and 3 * len(within) >= 2 * (len(lines) - 1)


def _are_full(groups: Sequence[Sequence[str]]) -> bool:
    """Whether lines end where they are full, and not where a sentence or a paragraph does."""
    ended = [line for group in groups for line in group[:-1]]
    widest = max(map(len, ended))
    if not _NARROWEST <= widest <= _WIDEST:
        return False
    full = [
        len(line) + 1 + len(after.split(maxsplit=1)[0]) > widest or len(line) >= _FULL * widest
        for group in groups
        for line, after in pairwise(group)
    ]
    within = [line for line in ended if not _ends_sentence(line)]
    return sum(full) >= 0.9 * len(full) and 3 * len(within) >= len(ended) and median(map(len, ended)) >= _NARROWEST


def _before_unindented(groups: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines that a line without an indent goes on from."""
    return [line for group in groups for line, after in pairwise(group) if not after[:1].isspace()]


def _ends_sentence(line: str) -> bool:
    return _SENTENCE_END.search(line) is not None

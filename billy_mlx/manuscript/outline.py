"""The headings of a text, to jump by."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from billy_mlx.formats.documents.front_matter import prose_of
from billy_mlx.formats.documents.markdown_in import block_tokens, runs_of
from billy_mlx.words import count_words

_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+\Z")
_BLANK = re.compile(r"[ \t]*[\r\n]*\Z")
# A line that is text wherever it stands: nothing a block begins with, and no end of an HTML block.
_TEXT = re.compile(r"(?:[^\s#=\-`~>*+_\[<0-9]|[*_][^\s*_>]|\+[^\s>]|-[^\s\->]|[0-9]+[^\s0-9.)>])[^>]*\Z")


@dataclass(frozen=True)
class Heading:
    """One heading.

    Attributes:
        level: 1 to 6.
        title: its words without markup; what a screen may not print is still in it.
        start: where its first line begins.
        end: where its last line ends, the line end not included.
    """

    level: int
    title: str
    start: int
    end: int


def outline(text: str) -> tuple[Heading, ...]:
    """Return the headings of a Markdown text in their order; those in quotes and lists are not part of it."""
    text = prose_of(text)
    spans = [match.span() for match in _LINE.finditer(text)]
    lines = [text[start:end] for start, end in spans]
    kept = list(_deciding(lines))
    tokens, references = block_tokens("".join(lines[number] for number in kept))
    headings = []
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map is not None and inline.content.strip():
            first, last = kept[token.map[0]], kept[token.map[1] - 1]
            end = spans[last][0] + len(lines[last].rstrip("\r\n"))
            title = "".join(run.text for run in runs_of(inline.content, references))
            headings.append(Heading(int(token.tag[1:]), title, spans[first][0], end))
    return tuple(headings)


def section_words(text: str, headings: Sequence[Heading]) -> tuple[int, ...]:
    """Return for each heading the words under it, those of the headings below it included, without its own."""
    ends = [heading.start for heading in headings[1:]] + [len(text)]
    words = [count_words(text[heading.end : end]) for heading, end in zip(headings, ends, strict=False)]
    open_: list[int] = []
    for index, heading in enumerate(headings):
        while open_ and headings[open_[-1]].level >= heading.level:
            open_.pop()
        own = words[index]
        for above in open_:
            words[above] += own
        open_.append(index)
    return tuple(words)


def _deciding(lines: Sequence[str]) -> Iterator[int]:
    """Yield the numbers of the lines that decide what is a heading.

    A novel is nearly all paragraphs of mere text. Where one follows another it changes nothing, and of the first its
    first line is enough. What is between two blank lines is kept or left out as a whole, so that link definitions
    and lazy lines are read as they stand.
    """
    after_text = False
    for blank, group in groupby(range(len(lines)), key=lambda number: _BLANK.match(lines[number]) is not None):
        numbers = list(group)
        if blank:
            yield numbers[0]
            continue
        is_text = all(_TEXT.match(lines[number]) for number in numbers)
        if not is_text:
            yield from numbers
        elif not after_text:
            yield numbers[0]
        after_text = is_text

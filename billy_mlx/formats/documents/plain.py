"""Plain text: read into blocks, where every sign is text, and written for readers, without markup."""

import re
from collections.abc import Iterator

from billy_mlx.formats.documents.document import Block, Document, Run, laid_out
from billy_mlx.formats.documents.paragraphs import Paragraphs, ParagraphsFound, groups_of, is_verse

SCENE_BREAK = "* * *"

_LINE_END = re.compile(r"\r\n?|\n|\f")
_BREAK = re.compile(r"\s*\*(?:[ \t]*\*){2,}\s*")
_SAID = {
    Paragraphs.BLANK: "blank lines were taken for what separates paragraphs",
    Paragraphs.LINE: "each line was taken for a paragraph",
    Paragraphs.INDENT: "indented lines were taken for the beginnings of paragraphs",
    Paragraphs.WRAPPED: "lines were joined to paragraphs, which blank lines separate",
}


def plain_text(text: Document) -> str:
    """Return a text without markup, its notes numbered at the end."""
    numbers = text.numbers

    def written(block: Block) -> str:
        if block.kind == "break":
            return SCENE_BREAK
        content = "".join(f"[{numbers[run.note]}]" if run.note else run.text for run in block.runs)
        return "\n".join("    " + line for line in content.split("\n")) if block.kind == "code" else content

    notes = [laid_out(blocks, written, quote="    ") for blocks in text.notes.values()]
    numbered = (f"\n[{number}] {note or chr(10)}" for number, note in enumerate(notes, start=1))
    return laid_out(text.blocks, written, quote="    ") + "".join(numbered)


def blocks_of_plain(text: str, way: Paragraphs) -> tuple[Block, ...]:
    """Return the blocks of a plain text.

    Args:
        text: any; white space around lines is no part of it, and the rest is, to the letter.
        way: what a paragraph is.
    """
    return tuple(_blocks(text, way))


def said_of(found: ParagraphsFound) -> str:
    """Return how a text was read, as a sentence without its full stop."""
    doubt = "" if found.certain else ", though that is not certain"
    return f"{_SAID[found.way]}{doubt}"


def _blocks(text: str, way: Paragraphs) -> Iterator[Block]:
    for group in groups_of(_LINE_END.split(text)):
        for lines in _paragraphs(group, way):
            if len(lines) == 1 and _BREAK.fullmatch(lines[0]):
                yield Block("break")
                continue
            between = " " if way in (Paragraphs.WRAPPED, Paragraphs.INDENT) else "\n"
            yield Block("paragraph", (Run(between.join(line.strip() for line in lines)),))


def _paragraphs(lines: list[str], way: Paragraphs) -> Iterator[list[str]]:
    """Yield the lines of each paragraph of those that stand together."""
    if way is Paragraphs.LINE and not is_verse(lines):
        yield from ([line] for line in lines)
        return
    paragraph: list[str] = []
    for line in lines:
        begins = _BREAK.fullmatch(line) or (way is Paragraphs.INDENT and line[:1].isspace())
        if paragraph and (begins or _BREAK.fullmatch(paragraph[-1])):
            yield paragraph
            paragraph = []
        paragraph.append(line)
    yield paragraph

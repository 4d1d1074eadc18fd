"""Footnote marks put into a Markdown text where they change nothing else about it."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from billy_mlx.formats.documents.document import joined
from billy_mlx.formats.documents.markdown_dialect import References
from billy_mlx.formats.documents.markdown_in import block_tokens, runs_of, with_note
from billy_mlx.formats.documents.paragraphs import Paragraphs

_LINE = re.compile(r"([^\r\n]*)(?:\r\n?|\n|\Z)")
_WORD_END = re.compile(r"(?<=\S)(?=\s)")
_TRIED = 8  # words in a paragraph, before its end is taken


@dataclass(frozen=True)
class Marks:
    """How the marks in a text look: the second is `[^p2]` if their label is "p"."""

    label: str

    @classmethod
    def unlike(cls, text: str) -> "Marks":
        """Return marks that `text` has none of."""
        label = "p"
        while f"[^{label}" in text:
            label += "p"
        return cls(label)

    def of(self, number: int) -> str:
        """Return the mark of a note."""
        return f"[^{self.label}{number}]"


def marked(text: str, places: Sequence[int], marks: Marks, way: Paragraphs = Paragraphs.WRAPPED) -> str:
    """Return `text` with marks 1, 2, ... at or after `places`, ready to have paragraphs appended.

    A mark goes behind the word that its place is in, and only into a paragraph: outside code, links, notes and HTML.
    What is in a heading or a code block goes to the end of the paragraph before, or else of the next; if there is
    none, into a paragraph of its own at the end.
    """
    paragraphs, references = _paragraphs(text, way)
    settled, homeless = [], []
    for number, place in enumerate(places, start=1):
        spot = _spot(text, place, number, marks, paragraphs, references)
        if spot is None:
            homeless.append(marks.of(number))
        else:
            settled.append((spot, number))
    parts, at = [], 0
    for spot, number in sorted(settled):
        parts += [text[at:spot], marks.of(number)]
        at = spot
    newline = "\r\n" if "\r\n" in text else "\n"
    own = newline + "".join(homeless) + newline if homeless else ""
    return "".join(parts) + text[at:] + _closing(text, newline) + own


@dataclass(frozen=True)
class _Paragraph:
    """The content of a paragraph and where each of its lines begins: in the content, and in the text."""

    content: str
    starts: tuple[int, ...]
    sources: tuple[int, ...]

    @property
    def start(self) -> int:
        return self.sources[0]

    def source(self, place: int) -> int:
        """Return where in the text a place in the content is."""
        line = bisect_right(self.starts, place) - 1
        return self.sources[line] + place - self.starts[line]

    def place(self, source: int) -> int:
        """Return where in the content a place in the text is, or the nearest there is."""
        line = max(bisect_right(self.sources, source) - 1, 0)
        end = self.starts[line + 1] - 1 if line + 1 < len(self.starts) else len(self.content)
        return min(max(self.starts[line] + source - self.sources[line], 0), end)


def _paragraphs(text: str, way: Paragraphs) -> tuple[list[_Paragraph], References]:
    """Return the paragraphs of which it is certain where in the text their lines are."""
    lines = [(match.start(), match[1]) for match in _LINE.finditer(text)]
    tokens, references = block_tokens(text, way)
    paragraphs, in_notes = [], 0
    for opening, inline in pairwise(tokens):
        if opening.type.startswith("footnote_reference"):
            in_notes += opening.nesting
        if in_notes or opening.type != "paragraph_open" or inline.map is None or not inline.content:
            continue
        starts, sources, at = [], [], 0
        for (source, line), content in zip(lines[inline.map[0] :], inline.content.split("\n"), strict=False):
            starts.append(at)
            sources.append(source + line.rfind(content) if content in line else -1)
            at += len(content) + 1
        if -1 not in sources:
            paragraphs.append(_Paragraph(inline.content, tuple(starts), tuple(sources)))
    return paragraphs, references


def _spot(
    text: str, place: int, number: int, marks: Marks, paragraphs: Sequence[_Paragraph], references: References
) -> int | None:
    """Return where in the text a mark changes nothing, as near to `place` as there is such a spot."""
    place = len(text[:place].rstrip())
    before = bisect_right(paragraphs, place, key=lambda paragraph: paragraph.start) - 1
    for paragraph in paragraphs[max(before, 0) : before + 2]:
        for spot in _spots(paragraph, place):
            if _changes_nothing(paragraph.content, spot, number, marks, references):
                return paragraph.source(spot)
    return None


def _spots(paragraph: _Paragraph, source: int) -> Iterator[int]:
    """Yield places in the content of a paragraph that are not inside a word, the best first."""
    content, place = paragraph.content, paragraph.place(source)
    if source > paragraph.start:
        if _between_words(content[place - 1 : place], content[place : place + 1]):
            yield place
        yield from (match.start() for match in islice(_WORD_END.finditer(content, place), _TRIED))
    yield len(content)


def _changes_nothing(content: str, at: int, number: int, marks: Marks, references: References) -> bool:
    label = f"{marks.label}{number}"
    with_mark = runs_of(content[:at] + marks.of(number) + content[at:], with_note(references, label))
    rest = [run for run in with_mark if run.note != label]
    outside_links = any(run.note == label and not run.link for run in with_mark)
    return outside_links and joined(rest) == runs_of(content, references)


def _between_words(before: str, after: str) -> bool:
    same_sign = before == after and not before.isalnum()  # two marks between three backticks would make code
    without_spaces = min(before, after) >= "\u3000"  # Chinese and Japanese, where any place will do
    return not before.isspace() and not same_sign and (without_spaces or not after.isalnum())


def _closing(text: str, newline: str) -> str:
    """Return what ends the last line of `text`, and a code or HTML block it leaves open, so that more may follow."""
    end = "" if not text or text.endswith(("\r", "\n")) else newline
    tokens, _ = block_tokens(text)
    for closing in ("", tokens[-1].markup if tokens else "", "-->", "</pre>", "?>", "]]>", ">"):
        line = closing + newline if closing else ""
        after, _ = block_tokens(f"{text}{end}{line}{newline}x")
        if len(after) > 2 and after[-3].level == 0 and after[-2].content == "x":
            return end + line
    return end

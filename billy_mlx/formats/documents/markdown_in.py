"""Markdown read into blocks."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, pairwise
from typing import Any

from markdown_it.token import Token

from billy_mlx.formats.documents.document import Block, Box, Document, Run, joined
from billy_mlx.formats.documents.front_matter import prose_of
from billy_mlx.formats.documents.markdown_dialect import NOTES, USES, References, Uses, parser
from billy_mlx.formats.documents.paragraphs import Paragraphs, is_verse
from billy_mlx.text import without_strays

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LINE_END = re.compile(r"\r\n?|\n")
_PARAGRAPH_END = "\ufdd0"  # a code point that Unicode keeps out of texts
_INDENTED = re.compile(r"\n[ \t\u3000]+(?=\S)")
_WIDE = "\u3000"
_MAY_LEAVE_OUT = re.compile(r"<!--|\]")
_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)


def document_of(text: str, way: Paragraphs = Paragraphs.WRAPPED) -> Document:
    """Return a Markdown text in blocks.

    HTML is text, only its comments are left out; images are their descriptions; tables are text.

    Args:
        text: any text is Markdown.
        way: what the lines of a paragraph are. As Markdown has it they go on, but for verse where blank lines are what
            separates paragraphs (`BLANK`); each is a paragraph of its own, but for verse (`LINE`); or those with an
            indent begin one (`INDENT`).
    """
    tokens, references = block_tokens(without_strays(text), way)
    read = list(_Reader(references, way).blocks(tokens))
    defined = {one.label: one for one in reversed(read) if isinstance(one, _Footnote)}  # the first of each label
    in_order = (run.note for one in read if isinstance(one, Block) for run in one.runs if run.note)
    notes = {label: defined[label] for label in dict.fromkeys(in_order)}
    blocks: list[Block] = []
    for one in read:
        if isinstance(one, Block):
            blocks.append(one)
        elif notes.get(one.label) is not one:  # nothing refers to it
            blocks += one.as_text
    return Document(tuple(blocks), {label: note.blocks for label, note in notes.items()})


@dataclass
class Unsaid:
    """What a Markdown text has that is no part of what it says.

    Attributes:
        comments: their texts, with their marks.
        titles: what pops up over links and pictures.
        pictures: how many there are; their descriptions are text.
        languages: what the code of a block is said to be.
        empty_links: how many links have no words.
    """

    comments: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    pictures: int = 0
    languages: list[str] = field(default_factory=list)
    empty_links: int = 0

    def add(self, tokens: Sequence[Token]) -> None:
        """Take in what the tokens of a paragraph have of it."""
        for token, after in zip(tokens, [*tokens[1:], None], strict=False):
            self.pictures += token.type == "image"
            self.titles += [str(token.attrs["title"])] if token.attrs.get("title") else []
            self.empty_links += token.type == "link_open" and after is not None and after.type == "link_close"
            if token.type == "html_inline":
                self.comments += _COMMENT.findall(token.content)
            self.add(token.children or [])


def unsaid_of(text: str, way: Paragraphs = Paragraphs.WRAPPED) -> Unsaid:
    """Return what a Markdown text has that is no part of what it says; `way` is what its paragraphs are."""
    tokens, references = block_tokens(without_strays(text), way)
    found = Unsaid()
    for token in tokens:
        if token.type == "html_block":
            found.comments += _COMMENT.findall(token.content)
        elif token.type == "fence" and token.info.strip():
            found.languages.append(token.info.strip())
        elif token.type == "inline" and _MAY_LEAVE_OUT.search(token.content):
            found.add(parser(inline=True).parseInline(token.content, references)[0].children or [])
    return found


def block_tokens(text: str, way: Paragraphs = Paragraphs.WRAPPED) -> tuple[list[Token], References]:
    """Return the parser's tokens of a text, the contents of its lines not parsed, and its link definitions.

    What stands before the text as front matter is no part of it. Notes stand between tokens of the types
    "footnote_reference_open" and "footnote_reference_close".
    """
    text = prose_of(text)
    references: References = {USES: Uses(text, way)}
    tokens = parser(inline=False).parse(text, references)
    if _WIDE in text:
        _indent(tokens, _LINE_END.split(text))
    return tokens, references


def _indent(tokens: list[Token], lines: list[str]) -> None:
    """Give paragraphs the wide spaces back that Chinese and Japanese ones begin with; the parser has taken them."""
    for opening, inline in pairwise(tokens):
        if opening.type == "paragraph_open" and inline.map is not None and inline.content:
            before, _, _ = lines[inline.map[0]].partition(inline.content.split("\n", 1)[0])
            inline.content = before[len(before.rstrip(_WIDE)) :] + inline.content


def with_note(references: References, label: str) -> References:
    """Return link definitions to which a note is added, for `runs_of` to find references to it."""
    return {**references, NOTES: {"refs": {**references.get(NOTES, {}).get("refs", {}), f":{label}": -1}, "list": {}}}


def runs_of(content: str, references: References, *, line_end: str = " ") -> tuple[Run, ...]:
    """Return the runs of the content of a paragraph or heading.

    Args:
        line_end: stands for the end of a line at which the text goes on.
    """
    runs: list[Run] = []
    style = _Style(line_end=line_end)
    for token in parser(inline=True).parseInline(content, references)[0].children or []:
        style = style.after(token)
        runs.append(style.run(token))
    return joined(runs)


@dataclass(frozen=True)
class _Style:
    strong: int = 0
    emphasis: int = 0
    link: str = ""
    line_end: str = " "

    def after(self, token: Token) -> "_Style":
        match token.type:
            case "strong_open" | "strong_close":
                return replace(self, strong=self.strong + token.nesting)
            case "em_open" | "em_close":
                return replace(self, emphasis=self.emphasis + token.nesting)
            case "link_open":
                return replace(self, link=str(token.attrs["href"]))
            case "link_close":
                return replace(self, link="")
        return self

    def run(self, token: Token) -> Run:
        if token.type == "footnote_ref":
            return Run("", link=self.link, note=str(token.meta["label"]))
        text = self.line_end if token.type == "softbreak" else _text(token)
        return Run(text, self.strong > 0, self.emphasis > 0, token.type == "code_inline", self.link)


def _text(token: Token) -> str:
    match token.type:
        case "softbreak":  # within the description of an image
            return " "
        case "hardbreak":
            return "\n"
        case "html_inline":
            return _html(token.content)
        case "image":
            return "".join(map(_text, token.children or []))
    return token.content


def _html(content: str) -> str:
    return _LINE_BREAK.sub("\n", _COMMENT.sub("", content))


@dataclass(frozen=True)
class _Footnote:
    """A note where it stands in the text."""

    label: str
    blocks: tuple[Block, ...]

    @property
    def as_text(self) -> tuple[Block, ...]:
        """What it is if nothing refers to it."""
        mark = Run(f"[^{self.label}]: ")
        first, *others = self.blocks or (Block("paragraph"),)
        if first.kind != "paragraph":
            return Block("paragraph", (mark,)), first, *others
        return replace(first, runs=joined((mark, *first.runs))), *others


class _Reader:
    """Turns a list of tokens with openings and closings into blocks that know what they stand in."""

    def __init__(self, references: References, way: Paragraphs) -> None:
        self._references = references
        self._way = way
        self._numbers = count(1)
        self._inside: list[Box] = []
        self._due: dict[Box, int] = {}  # the number of the next item

    def blocks(self, tokens: Sequence[Token]) -> Iterator[Block | _Footnote]:
        note = None  # where the one begins that a token is in
        for index, token in enumerate(tokens):
            if token.type == "footnote_reference_open":
                note = index
            elif token.type == "footnote_reference_close" and note is not None:
                yield self._footnote(tokens[note:index])
                note = None
            elif note is None:
                yield from self._blocks(tokens, index)

    def _blocks(self, tokens: Sequence[Token], index: int) -> Iterator[Block]:
        token, box = tokens[index], self._box(tokens[index])
        if box is not None:
            if box.kind == "item":
                self._number(token)
            self._inside.append(box)
            if box.kind == "item" and tokens[index + 1].type == "list_item_close":
                yield self._block("paragraph")  # an empty item is still there
        elif token.type in _CLOSINGS:
            self._inside.pop()
        elif token.type == "inline":
            yield from self._inline(tokens[index - 1], token)
        elif token.type in ("fence", "code_block"):
            yield self._block("code", (Run(token.content.removesuffix("\n"), code=True),))
        elif token.type == "hr":
            yield self._block("break")
        elif token.type == "html_block" and (text := _html(token.content).strip()):
            yield self._block("paragraph", (Run(text),))

    def _number(self, item: Token) -> None:
        """Begin another list at an item whose number is not that of the next: a year, say. All may be 1."""
        box = self._inside[-1] if self._inside else None
        if box is None or box.kind != "numbers":
            return
        number = int(item.info or box.first)
        due = self._due.get(box, box.first)
        if number != due and not number == box.first == 1:
            box = self._inside[-1] = Box("numbers", next(self._numbers), number)
            due = number
        self._due[box] = due + 1

    def _footnote(self, tokens: Sequence[Token]) -> _Footnote:
        opening, *content = tokens
        within = _Reader({**self._references, NOTES: {}}, self._way)
        within._inside = [*self._inside]
        within._numbers = self._numbers
        blocks = tuple(
            replace(one, kind="paragraph", level=0) if one.kind == "heading" else one
            for one in within.blocks(content)
            if isinstance(one, Block)
        )
        return _Footnote(str(opening.meta["label"]), blocks)

    def _inline(self, opening: Token, token: Token) -> Iterator[Block]:
        if opening.type == "heading_open":
            runs = runs_of(token.content, self._references)
            yield self._block("heading", runs, int(opening.tag[1:])) if token.content.strip() else self._block("break")
            return
        verse = self._way in (Paragraphs.LINE, Paragraphs.BLANK) and is_verse(token.content.split("\n"))
        end = "\n" if verse else _PARAGRAPH_END if self._way is Paragraphs.LINE else " "
        contents = _INDENTED.split(token.content) if self._way is Paragraphs.INDENT else [token.content]
        for content in contents:
            for paragraph in _split(runs_of(content, self._references, line_end=end)):
                yield self._block("paragraph", paragraph)

    def _block(self, kind: Any, runs: Sequence[Run] = (), level: int = 0) -> Block:
        return Block(kind, joined(runs), level, tuple(self._inside))

    def _box(self, token: Token) -> Box | None:
        match token.type:
            case "blockquote_open":
                return Box("quote", next(self._numbers))
            case "bullet_list_open":
                return Box("bullets", next(self._numbers))
            case "ordered_list_open":
                return Box("numbers", next(self._numbers), int(token.attrs.get("start", 1)))
            case "list_item_open":
                return Box("item", next(self._numbers))
        return None


def _split(runs: Sequence[Run]) -> list[list[Run]]:
    """Return runs in paragraphs, which the sign for their end stands between."""
    paragraphs: list[list[Run]] = [[]]
    for run in runs:
        first, *others = run.text.split(_PARAGRAPH_END)
        paragraphs[-1].append(replace(run, text=first))
        paragraphs += [[replace(run, text=other)] for other in others]
    return paragraphs


_CLOSINGS = ("blockquote_close", "bullet_list_close", "ordered_list_close", "list_item_close")

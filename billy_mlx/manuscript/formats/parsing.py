"""Markdown read into blocks, by the rules of CommonMark."""

import re
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import count, pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, blockquote, list_block
from markdown_it.token import Token

from billy_mlx.manuscript.formats.document import Block, Box, Run, joined

# Nobody nests quotes this deep; beyond it `>` and `-` are text. The parser's own limit would leave the rest out.
_DEEPEST = 16
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_LINE_END = re.compile(r"\r\n?|\n")
_WIDE = "\u3000"
_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)

References = MutableMapping[str, Any]
"""The link definitions of a text, as the parser keeps them."""


def blocks_of(text: str, marks: re.Pattern[str] | None = None) -> tuple[Block, ...]:
    """Return the blocks of a Markdown text.

    HTML is text, only its comments are left out; images are their descriptions; tables are text.

    Args:
        text: any text is Markdown.
        marks: what refers to a note, with the note's number as its first group.
    """
    tokens, references = block_tokens(text)
    return tuple(_Reader(references, marks).blocks(tokens))


def block_tokens(text: str) -> tuple[list[Token], References]:
    """Return the parser's tokens of a text, the contents of its lines not parsed, and its link definitions."""
    references: References = {}
    tokens = _parser(inline=False).parse(text, references)
    if _WIDE in text:
        _indent(tokens, _LINE_END.split(text))
    return tokens, references


def _indent(tokens: list[Token], lines: list[str]) -> None:
    """Give paragraphs the wide spaces back that Chinese and Japanese ones begin with; the parser has taken them."""
    for opening, inline in pairwise(tokens):
        if opening.type == "paragraph_open" and inline.map is not None:
            before, _, _ = lines[inline.map[0]].partition(inline.content.split("\n", 1)[0])
            inline.content = before[len(before.rstrip(_WIDE)) :] + inline.content


def runs_of(content: str, references: References, marks: re.Pattern[str] | None = None) -> tuple[Run, ...]:
    """Return the runs of the content of a paragraph or heading, with notes where `marks` matches."""
    runs: list[Run] = []
    style = _Style()
    for token in _parser(inline=True).parseInline(content, references)[0].children or []:
        style = style.after(token)
        run = style.run(token)
        runs.extend(_with_notes(run, marks) if marks and not run.code else [run])
    return joined(runs)


@dataclass(frozen=True)
class _Style:
    strong: int = 0
    emphasis: int = 0
    link: str = ""

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
        return Run(_text(token), self.strong > 0, self.emphasis > 0, token.type == "code_inline", self.link)


def _text(token: Token) -> str:
    match token.type:
        case "softbreak":
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


def _with_notes(run: Run, marks: re.Pattern[str]) -> Iterator[Run]:
    at = 0
    for mark in marks.finditer(run.text):
        yield replace(run, text=run.text[at : mark.start()])
        yield replace(run, text="", note=int(mark[1]))
        at = mark.end()
    yield replace(run, text=run.text[at:])


class _Reader:
    """Turns a list of tokens with openings and closings into blocks that know what they stand in."""

    def __init__(self, references: References, marks: re.Pattern[str] | None) -> None:
        self._references = references
        self._marks = marks
        self._numbers = count(1)
        self._inside: list[Box] = []

    def blocks(self, tokens: list[Token]) -> Iterator[Block]:
        for index, token in enumerate(tokens):
            box = self._box(token)
            if box is not None:
                self._inside.append(box)
                if box.kind == "item" and tokens[index + 1].type == "list_item_close":
                    yield self._block("paragraph")  # an empty item is still there
            elif token.type in _CLOSINGS:
                self._inside.pop()
            elif token.type == "inline":
                yield self._inline(tokens[index - 1], token)
            elif token.type in ("fence", "code_block"):
                yield self._block("code", (Run(token.content.removesuffix("\n"), code=True),))
            elif token.type == "hr":
                yield self._block("break")
            elif token.type == "html_block" and (text := _html(token.content).strip()):
                yield self._block("paragraph", (Run(text),))

    def _inline(self, opening: Token, token: Token) -> Block:
        runs = runs_of(token.content, self._references, self._marks)
        if opening.type == "heading_open":
            return self._block("heading", runs, int(opening.tag[1:]))
        return self._block("paragraph", runs)

    def _block(self, kind: Any, runs: tuple[Run, ...] = (), level: int = 0) -> Block:
        return Block(kind, runs, level, tuple(self._inside))

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


_CLOSINGS = ("blockquote_close", "bullet_list_close", "ordered_list_close", "list_item_close")


@cache
def _parser(*, inline: bool) -> MarkdownIt:
    parser = MarkdownIt("commonmark")
    parser.block.ruler.at("blockquote", _blockquote, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    parser.block.ruler.at("list", _list, {"alt": ["paragraph", "reference", "blockquote"]})
    return parser if inline else parser.disable(["inline", "text_join"])


def _blockquote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    return state.level < _DEEPEST and blockquote(state, start, end, silent)


def _list(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    return state.level < _DEEPEST and list_block(state, start, end, silent)

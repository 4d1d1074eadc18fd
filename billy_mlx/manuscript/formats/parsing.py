"""Markdown read into blocks, by the rules of CommonMark but where these would make something else of prose.

A line of hyphens below a line is a break between scenes and makes no heading of it, and so is `#` alone. What is
indented is text, not code. A comment that is not closed is text. A line such as `[Enter]: Hamlet` is text if it leads
nowhere. Asterisks within a word stress only a part of that word.
"""

import re
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import count, pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, blockquote, html_block, lheading, list_block, reference
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter
from markdown_it.token import Token

from billy_mlx.manuscript.formats.document import Block, Box, Run, joined
from billy_mlx.manuscript.formats.front_matter import prose_of
from billy_mlx.manuscript.formats.paragraphs import Paragraphs, is_verse

# Nobody nests quotes this deep; beyond it `>` and `-` are text. The parser's own limit would leave the rest out.
_DEEPEST = 16
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_LINE_END = re.compile(r"\r\n?|\n")
_PARAGRAPH_END = "\ufdd0"  # a code point that Unicode keeps out of texts
_WIDE = "\u3000"
_WORD_BEFORE, _WORD_BEHIND = re.compile(r"\S+\Z"), re.compile(r"\S+")
_CLOSED = [  # how HTML begins that may go over blank lines, and what closes it
    (re.compile(r"<!--"), re.compile(r"-->")),
    (
        re.compile(r"<(?:script|pre|style|textarea)(?=\s|>|$)", re.IGNORECASE),
        re.compile(r"</(?:script|pre|style|textarea)>", re.IGNORECASE),
    ),
    (re.compile(r"<\?"), re.compile(r"\?>")),
    (re.compile(r"<![A-Za-z]"), re.compile(r">")),
    (re.compile(r"<!\[CDATA\["), re.compile(r"\]\]>")),
]
_DEFINITION = re.compile(
    r"\[([^\[\]^][^\[\]]*)\]:\s*(?:<[^>]+>|[a-z][a-z0-9+.\-]*:\S|[./#]\S|www\.|\S+\.\w+/\S*)", re.IGNORECASE
)
_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)

References = MutableMapping[str, Any]
"""The link definitions of a text, as the parser keeps them."""


def blocks_of(
    text: str, marks: re.Pattern[str] | None = None, *, way: Paragraphs = Paragraphs.WRAPPED
) -> tuple[Block, ...]:
    """Return the blocks of a Markdown text.

    HTML is text, only its comments are left out; images are their descriptions; tables are text.

    Args:
        text: any text is Markdown.
        marks: what refers to a note, with the note's number as its first group.
        way: what the lines of a paragraph are. As Markdown has it they go on (`WRAPPED`, `INDENT`); each may be a
            paragraph of its own, but for verse (`LINE`), or a line (`BLANK`).
    """
    tokens, references = block_tokens(text)
    return tuple(_Reader(references, marks, way).blocks(tokens))


def comments_of(text: str) -> list[str]:
    """Return the comments of a Markdown text, which are no part of what it says."""
    tokens, _ = block_tokens(text)
    found = []
    for token in tokens:
        if token.type == "html_block":
            found += _COMMENT.findall(token.content)
        elif token.type == "inline" and "<!--" in token.content:
            parts = _parser(inline=True).parseInline(token.content)[0].children or []
            found += [part for each in parts if each.type == "html_inline" for part in _COMMENT.findall(each.content)]
    return found


def block_tokens(text: str) -> tuple[list[Token], References]:
    """Return the parser's tokens of a text, the contents of its lines not parsed, and its link definitions.

    What stands before the text as front matter is no part of it.
    """
    references: References = {}
    text = prose_of(text)
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


def runs_of(
    content: str, references: References, marks: re.Pattern[str] | None = None, *, line_end: str = " "
) -> tuple[Run, ...]:
    """Return the runs of the content of a paragraph or heading, with notes where `marks` matches.

    Args:
        line_end: stands for the end of a line at which the text goes on.
    """
    runs: list[Run] = []
    style = _Style(line_end=line_end)
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


def _with_notes(run: Run, marks: re.Pattern[str]) -> Iterator[Run]:
    at = 0
    for mark in marks.finditer(run.text):
        yield replace(run, text=run.text[at : mark.start()])
        yield replace(run, text="", note=int(mark[1]))
        at = mark.end()
    yield replace(run, text=run.text[at:])


class _Reader:
    """Turns a list of tokens with openings and closings into blocks that know what they stand in."""

    def __init__(self, references: References, marks: re.Pattern[str] | None, way: Paragraphs) -> None:
        self._references = references
        self._marks = marks
        self._way = way
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
                yield from self._inline(tokens[index - 1], token)
            elif token.type in ("fence", "code_block"):
                yield self._block("code", (Run(token.content.removesuffix("\n"), code=True),))
            elif token.type == "hr":
                yield self._block("break")
            elif token.type == "html_block" and (text := _html(token.content).strip()):
                yield self._block("paragraph", (Run(text),))

    def _inline(self, opening: Token, token: Token) -> Iterator[Block]:
        if opening.type == "heading_open":
            runs = runs_of(token.content, self._references, self._marks)
            yield self._block("heading", runs, int(opening.tag[1:])) if token.content.strip() else self._block("break")
            return
        apart = self._way is Paragraphs.LINE and not is_verse(token.content.split("\n"))
        goes_on = self._way in (Paragraphs.WRAPPED, Paragraphs.INDENT)
        end = _PARAGRAPH_END if apart else " " if goes_on else "\n"
        for paragraph in _split(runs_of(token.content, self._references, self._marks, line_end=end)):
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


@cache
def _parser(*, inline: bool) -> MarkdownIt:
    parser = MarkdownIt("commonmark")
    parser.block.ruler.at("blockquote", _blockquote, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    parser.block.ruler.at("list", _list, {"alt": ["paragraph", "reference", "blockquote"]})
    parser.block.ruler.at("lheading", _heading)
    parser.block.ruler.at("html_block", _html_block, {"alt": ["paragraph", "reference", "blockquote"]})
    parser.block.ruler.at("reference", _reference)
    parser.inline.ruler.at("emphasis", _emphasis)
    parser.disable("code")
    return parser if inline else parser.disable(["inline", "text_join"])


def _heading(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a heading that is underlined, but not with hyphens."""
    tokens, line = len(state.tokens), state.line
    found = lheading(state, start, end, silent)
    if found and not silent and state.tokens[tokens].markup == "-":
        del state.tokens[tokens:]
        state.line = line
        return False
    return found


def _html_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read HTML, but not to the end of the text where something in it is not closed."""
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    closing = next((closing for opening, closing in _CLOSED if opening.match(line)), None)
    if closing is not None and not closing.search(state.src, state.bMarks[start]):
        return False
    return html_block(state, start, end, silent)


def _reference(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read where links lead, if they can lead there and there are any."""
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    definition = _DEFINITION.match(line)
    if definition is None or state.src.casefold().count(f"[{definition[1]}]".casefold()) < 2:
        return False
    return reference(state, start, end, silent)


def _emphasis(state: StateInline, silent: bool) -> bool:
    """Note a run of marks that may stress something; within a word only a part of that word."""
    marker, start = state.src[state.pos], state.pos
    if silent or marker not in "*_":
        return False
    run = state.scanDelims(start, marker == "*")
    before, behind = state.src[:start], state.src[start + run.length :]
    within = before[-1:].isalnum() and behind[:1].isalnum()
    part_before, part_behind = _WORD_BEFORE.search(before), _WORD_BEHIND.match(behind)
    marks = marker * run.length
    opens = run.can_open and not (within and (part_behind is None or marks not in part_behind[0]))
    closes = run.can_close and not (within and (part_before is None or marks not in part_before[0]))
    if within and before[-1:].isdigit() and behind[:1].isdigit():
        opens = closes = False
    for _ in range(run.length):
        state.push("text", "", 0).content = marker
        state.delimiters.append(Delimiter(ord(marker), run.length, len(state.tokens) - 1, -1, opens, closes))
    state.pos += run.length
    return True


def _blockquote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    return state.level < _DEEPEST and blockquote(state, start, end, silent)


def _list(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    return state.level < _DEEPEST and list_block(state, start, end, silent)

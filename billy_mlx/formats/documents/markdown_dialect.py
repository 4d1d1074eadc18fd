"""The Markdown of manuscripts: CommonMark but where it would make something else of prose.

A line of hyphens below a line is a break between scenes and makes no heading of it, and so is `#` alone. What is
indented is text, not code, and so is what begins with `~~~` and goes on with words if nothing closes it. A comment that
is not closed is text. A line such as `[Enter]: Hamlet` is text if it leads nowhere, and `[^1]: Ibid.` if nothing refers
to it. Asterisks within a word stress only a part of that word.
"""

import re
from collections.abc import MutableMapping
from functools import cache, cached_property
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import normalizeReference
from markdown_it.rules_block import StateBlock, blockquote, fence, html_block, lheading, list_block, reference
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter
from mdit_py_plugins.footnote.index import footnote_def, footnote_ref

from billy_mlx.formats.documents.paragraphs import Paragraphs

# Nobody nests quotes this deep; beyond it `>` and `-` are text. The parser's own limit would leave the rest out.
_DEEPEST = 16
_FAR = 1000  # characters beyond which marks within words belong to nothing
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
_NOTE_DEFINITION = re.compile(r"\[\^([^\s\[\]]+)\]:")
_MARK = re.compile(r"\[\^([^\s\[\]]+)\](:?)")
_BRACKETS = re.compile(r"\[([^\[\]]+)\](:?)")
_CODE = re.compile(r"(`+)(?!`)[^`\n]*(?<!`)\1(?!`)")
_FENCES = {sign: re.compile(rf"^[ \t>]*{sign}{{3,}}[ \t]*$", re.MULTILINE) for sign in "`~"}
_LANGUAGE = re.compile(r"[\w+#.{}=-]*")
_INDENT = re.compile(r"^(?: {4}|\t)[ \t]*\S", re.MULTILINE)
USES, NOTES = "uses", "footnotes"  # among what the parser keeps; the second is its own name

References = MutableMapping[str, Any]
"""The link definitions of a text, as the parser keeps them."""


@cache
def parser(*, inline: bool) -> MarkdownIt:
    """Return the parser of what is within a paragraph, or of what stands below each other."""
    parser = MarkdownIt("commonmark")
    parser.block.ruler.at("blockquote", _blockquote, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    parser.block.ruler.at("list", _list, {"alt": ["paragraph", "reference", "blockquote"]})
    parser.block.ruler.at("lheading", _heading)
    parser.block.ruler.at("fence", _fence, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    parser.block.ruler.at("html_block", _html_block, {"alt": ["paragraph", "reference", "blockquote"]})
    parser.block.ruler.at("reference", _reference)
    parser.block.ruler.before("reference", "note", _note, {"alt": ["paragraph", "reference"]})
    parser.inline.ruler.after("image", "note", footnote_ref)
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


def _fence(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read lines of code, but not behind a line that goes on with words and that no other closes."""
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    if line[:3] not in ("```", "~~~"):
        return False
    goes_on = _LANGUAGE.fullmatch(line.lstrip("`~").strip()) is None
    if goes_on and not state.env[USES].is_closed(_FENCES[line[0]], state.src, state.eMarks[start]):
        return False
    return fence(state, start, end, silent)


def _html_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read HTML, but not to the end of the text where something in it is not closed."""
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    closing = next((closing for opening, closing in _CLOSED if opening.match(line)), None)
    if closing is not None and not state.env[USES].is_closed(closing, state.src, state.bMarks[start]):
        return False
    return html_block(state, start, end, silent)


def _reference(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read where links lead, if they can lead there and there are any."""
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    definition = _DEFINITION.match(line)
    if definition is None or not state.env[USES].links_to(definition[1]):
        return False
    if normalizeReference(definition[1]) in state.env.get("references", {}):
        return False  # the first of a name holds, and another one is text
    return reference(state, start, end, silent)


def _note(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a note, if anything refers to it."""
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    definition, uses = _NOTE_DEFINITION.match(line), state.env[USES]
    if definition is None or uses.in_note or not uses.refers_to(definition[1]):
        return False
    last = state.lineMax
    state.lineMax = uses.end_of_note(state, start, end)  # paragraphs go on to there, whatever `end` is
    uses.in_note = True
    found = footnote_def(state, start, state.lineMax, silent)
    uses.in_note = False
    state.lineMax = last
    return found


class Uses:
    """What a text refers to, and where a note in it ends."""

    def __init__(self, text: str, way: Paragraphs) -> None:
        self._text = text
        self._way = way
        self._unclosed: dict[re.Pattern[str], int] = {}  # from where on nothing closes what such a line opens
        self.in_note = False

    @cached_property
    def _links(self) -> set[str]:
        """The labels in brackets, in folded case, but for those of lines that say where one leads, and for code."""
        text = _CODE.sub(" ", self._text.casefold())
        return {found[1] for found in _BRACKETS.finditer(text) if not _defines(text, found)}

    @cached_property
    def _references(self) -> set[str]:
        return {mark[1] for mark in _MARK.finditer(self._text) if not _defines(self._text, mark)}

    @cached_property
    def _indents(self) -> bool:
        """Whether paragraphs begin with an indent, so that it says nothing about notes."""
        first = next((mark for mark in _MARK.finditer(self._text) if _defines(self._text, mark)), None)
        return _INDENT.search(self._text, 0, len(self._text) if first is None else first.start()) is not None

    def links_to(self, label: str) -> bool:
        """Return whether a label is there besides the line that says where it leads."""
        return label.casefold() in self._links

    def refers_to(self, label: str) -> bool:
        """Return whether something refers to the note of a label."""
        return label in self._references

    def is_closed(self, closing: re.Pattern[str], text: str, place: int) -> bool:
        """Return whether something at `place` or behind it closes HTML or code; quick however often it is asked."""
        if place >= self._unclosed.get(closing, place + 1):
            return False
        if closing.search(text, place):
            return True
        self._unclosed[closing] = place
        return False

    def end_of_note(self, state: StateBlock, start: int, end: int) -> int:
        """Return the line behind a note: its paragraph, and those below that are indented, where no others are."""
        line = start + 1
        goes_on = self._way in (Paragraphs.BLANK, Paragraphs.WRAPPED)
        while line < end and not state.isEmpty(line):
            if not goes_on and (self._indents or state.sCount[line] - state.blkIndent < 4):
                return line
            line += 1
        if not goes_on:
            return line
        while not self._indents and (after := state.skipEmptyLines(line)) < end:
            if state.sCount[after] - state.blkIndent < 4:
                break
            line = after + 1
        return line


def _defines(text: str, mark: re.Match[str]) -> bool:
    """Return whether a mark in brackets begins a line, and a colon follows it."""
    line_start = 1 + max(text.rfind("\n", 0, mark.start()), text.rfind("\r", 0, mark.start()))
    before = text[line_start : min(mark.start(), line_start + _FAR)]
    return mark[2] == ":" and not before.strip(" \t>-+*.)0123456789")


def _emphasis(state: StateInline, silent: bool) -> bool:
    """Note a run of marks that may stress something: of two within words only if both are within one."""
    marker, start = state.src[state.pos], state.pos
    if silent or marker not in "*_":
        return False
    run = state.scanDelims(start, marker == "*")
    opens, closes = run.can_open, run.can_close
    if marker == "*" and _is_within_word(state.src, start, start + run.length):
        run_alike = re.compile(rf"(?<!\*)\*{{{run.length}}}(?!\*)")
        before, behind = state.src[start - 1], state.src[start + run.length]
        between_digits = before.isdigit() and behind.isdigit()
        following = run_alike.search(state.src, start + run.length, start + _FAR)
        previous = next(reversed([*run_alike.finditer(state.src, max(0, start - _FAR), start)]), None)
        opens &= not between_digits and not _is_of_another_word(state.src, start, following)
        closes &= not between_digits and not _is_of_another_word(state.src, start, previous)
    for _ in range(run.length):
        state.push("text", "", 0).content = marker
        state.delimiters.append(Delimiter(ord(marker), run.length, len(state.tokens) - 1, -1, opens, closes))
    state.pos += run.length
    return True


def _is_of_another_word(text: str, place: int, marks: re.Match[str] | None) -> bool:
    """Whether marks are within a word, which is not the one at `place`."""
    if marks is None or not _is_within_word(text, marks.start(), marks.end()):
        return False
    between = text[min(place, marks.start()) : max(place, marks.end())]
    return any(map(str.isspace, between))


def _is_within_word(text: str, start: int, end: int) -> bool:
    return text[start - 1 : start].isalnum() and text[end : end + 1].isalnum()


def _blockquote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    return state.level < _DEEPEST and blockquote(state, start, end, silent)


def _list(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    return state.level < _DEEPEST and list_block(state, start, end, silent)

"""The letters of a Word document, the breaks between its scenes, and what of it does not come in as it was."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median_low
from typing import Any

from docx.oxml.ns import qn
from lxml import etree

from billy_mlx.formats.documents.document import Block, Box, common

_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_BRANCHES = (f"{_MC}Choice", f"{_MC}Fallback")

PAGE_END = "\f"
SYMBOL = "\x1a"
"""Stands for a sign of a font whose signs are not known."""

_LETTERED = (qn("w:t"), qn("w:delText"), qn("m:t"), qn("a:t"), qn("w:sym"), qn("w:noBreakHyphen"))
_SIGNS = {qn("w:tab"): "\t", qn("w:ptab"): "\t", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "\u2011"}
TEXTS = frozenset((*_LETTERED, *_SIGNS, qn("w:br")))
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

# What the fonts that came with the first Windows have in place of letters, from 0x21 and from 0x80.
_FONTS = {
    "symbol": (
        "!∀#∃%&∍()*+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}~",
        " " * 32 + "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪ 〉∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭ ",
    ),
    "wingdings": (
        "🖉✂✁👓🕭🕮🕯🕿✆🖂🖃📪📫📬📭🗀🗁🗎🗏🗐🗄⌛🖮🖰🖲🖳🖴🖫🖬✇✍🖎✌🖏👍👎☜☞☝☟🖐☺😐☹💣🕱🏳🏱✈☼🌢❄🕆✞🕈✠✡☪☯🕉☸♈♉♊♋♌♍♎♏♐♑♒♓🙰🙵⚫🔾◼🞏🞐❑❒🞟⧫◆❖⬩⌧⮹⌘🏵🏶🙶🙷",
        "🄋➀➁➂➃➄➅➆➇➈➉🄌➊➋➌➍➎➏➐➑➒➓🙢🙠🙡🙣🙞🙜🙝🙟∙•⬝⭘🞆🞈🞊🞋🔿▪🞎🟁🟅★🟋🟏🟓🟑⯐⌖⯎⯏⯑✪✰🕐🕑🕒🕓🕔🕕🕖🕗🕘🕙🕚🕛⮰⮱⮲⮳⮴⮵⮶⮷🙪🙫🙕🙔🙗🙖🙐🙑🙒🙓⌫⌦⮘⮚⮙⮛⮈⮊⮉⮋🡨🡪🡩🡫🡬🡭🡯🡮🡸🡺🡹🡻🡼🡽🡿🡾"
        "⇦⇨⇧⇩⬄⇳⬁⬀⬃⬂🢬🢭🗶✓🗷🗹 ",
    ),
}

# Signs of which one is a line of its own only between scenes; white space may stand between several.
_ORNAMENT = re.compile(
    r"[*#~\s•‣⁂⁎⁑⁕※∗⋆·∙⋅＊＃～〜◦\u25a0-\u25ff\u2605\u2606\u2619\u2660-\u2667\u2720-\u274d\u2756\u2766\u2767"
    r"\U0001f65c-\U0001f67f\-–—―⸺⸻_=+─-╿]+"
)
_DASHES = re.compile(r"[\s\-–—―_=+]*")
_FEWEST_DASHES = 3  # where they are not centred; two may be what somebody says
_LONGEST_ORNAMENT = 80
_FEW = 2  # empty lines, which are breaks even in a text of a few paragraphs
_SIDES = ("top", "left", "bottom", "right")


def text_of(element: Any) -> str:
    """Return the text of one of `TEXTS`; `PAGE_END` where a page ends, `SYMBOL` for a sign that is not known."""
    if element.tag == qn("w:sym"):
        return _symbol(element)
    if element.tag == qn("w:br"):
        return PAGE_END if element.get(qn("w:type")) == "page" else "\n"
    if element.tag in _SIGNS:
        return _SIGNS[element.tag]
    text = "".join(element.itertext()) if len(element) else element.text or ""
    return _CONTROL.sub("", text.replace("\r", " ").replace("\n", " "))


def letters(text: str) -> int:
    """Return how many signs of a text are no white space."""
    return sum(map(len, text.split()))


def letters_in(root: Any) -> int:
    """Return how many letters an element holds, wherever in it they stand."""
    return sum(letters(text_of(element).strip(SYMBOL)) for element in root.iter(*_LETTERED))


def settle_versions(root: Any) -> int:
    """Keep one version of what a document has in several, for newer and for older programs: the first with letters.

    Returns:
        How many letters the others had, where they are not the same.
    """
    if next(root.iter(f"{_MC}AlternateContent"), None) is None:
        return 0
    versions = _Versions()
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "start":
            versions.begin(element)
        else:
            versions.end(element)
    for branch in versions.dropped:
        branch.getparent().remove(branch)
    return versions.other


class _Versions:
    """Collects the text of each version on one way through a document, the innermost first."""

    def __init__(self) -> None:
        self.dropped: list[Any] = []
        self.other = 0
        self._texts: list[list[str]] = [[]]
        self._open: list[list[tuple[Any, str]]] = []

    def begin(self, element: Any) -> None:
        if element.tag == f"{_MC}AlternateContent":
            self._open.append([])
        elif _is_branch(element):
            self._texts.append([])

    def end(self, element: Any) -> None:
        if element.tag in _LETTERED:
            self._texts[-1].append(text_of(element))
        elif _is_branch(element):
            self._open[-1].append((element, "".join(self._texts.pop())))
        elif element.tag == f"{_MC}AlternateContent":
            self._choose(self._open.pop())

    def _choose(self, branches: list[tuple[Any, str]]) -> None:
        chosen, text = next(((one, text) for one, text in branches if text.strip()), (branches or [(None, "")])[0])
        self._texts[-1].append(text)
        for branch, other in branches:
            if branch is not chosen:
                self.dropped.append(branch)
                self.other += letters(other) if other.split() != text.split() else 0


def _is_branch(element: Any) -> bool:
    return element.tag in _BRANCHES and element.getparent().tag == f"{_MC}AlternateContent"


def _symbol(element: Any) -> str:
    code = _hexadecimal(element.get(qn("w:char")))
    signs = _FONTS.get(str(element.get(qn("w:font"))).strip().casefold())
    if signs is None:
        usable = 0x20 < code < 0xD800 or 0xF900 <= code <= 0x10FFFF  # in between is what each font fills as it likes
        return chr(code) if usable and chr(code).isprintable() else SYMBOL
    place = code & 0xFF
    row, first = (signs[0], 0x21) if place < 0x80 else (signs[1], 0x80)
    found = row[place - first : place - first + 1] if place >= first else " "
    return found.strip() or SYMBOL


def _hexadecimal(text: Any) -> int:
    return int(text, 16) if isinstance(text, str) and re.fullmatch("[0-9A-Fa-f]{1,6}", text) else 0


class Loss(StrEnum):
    """A sentence for what is left out or becomes something else."""

    DELETED = "text that is marked as deleted was left out ({letters}); what is marked as inserted was kept"
    HIDDEN = "hidden text was left out ({letters})"
    FOOTNOTES = "footnotes were left out: {count} ({letters})"
    ENDNOTES = "endnotes were left out: {count} ({letters})"
    COMMENTS = "comments were left out: {count} ({letters})"
    HEADERS = "headers and footers were left out ({letters})"
    BOXES = "pictures and text boxes were left out: {count} ({letters})"
    READINGS = "readings above words (furigana) were left out: {count} ({letters})"
    EMBEDDED = (
        "parts of this document are embedded files that were not read: {count}; open it in Word, copy all into a new "
        "document and import that"
    )
    VERSIONS = "a second version of a passage, for other programs, was left out ({letters})"
    UNKNOWN = "text in a place that is not known here was left out ({letters}); compare the result with the document"
    SYMBOLS = "signs of fonts such as Webdings were left out: {count}"
    HYPHENS = "hyphens that show only at the end of a line were left out: {count}"
    NUMBERS = "numbers that Word sets before headings were left out: {count}"
    EMPTY = "empty lines between paragraphs were left out: {count}; some may be breaks between scenes"
    TABLES = "tables became lines of text"
    FORMULAS = "formulas became plain letters ({letters}); compare them with the document"
    UNDERLINED = "underlining became italics ({letters})"
    STRUCK = "striking through was left out; the words were kept ({letters})"


class Losses:
    """How much there was of each loss.

    Attributes:
        total: how often there was any.
    """

    def __init__(self) -> None:
        self.total = 0
        self._of: dict[Loss, tuple[int, int]] = {}

    def add(self, loss: Loss, letters: int = 0, count: int = 1) -> None:
        """Count a loss once more, or `count` times."""
        counted, held = self._of.get(loss, (0, 0))
        self.total += count
        self._of[loss] = (counted + count, held + letters)

    def count(self, loss: Loss) -> int:
        """Return how often there was a loss."""
        return self._of.get(loss, (0, 0))[0]

    def notes(self) -> tuple[str, ...]:
        """Return the sentences, in the order in which the losses first came."""
        return tuple(
            loss.value.format(count=f"{count:,}", letters=_amount(letters))
            for loss, (count, letters) in self._of.items()
        )


def _amount(letters: int) -> str:
    return "no letters" if letters == 0 else "1 letter" if letters == 1 else f"{letters:,} letters"


@dataclass(frozen=True)
class Gap:
    """What stands between two blocks, and may be a break.

    Attributes:
        lines: empty ones.
        certain: there is a rule, a page ends, or the like.
        table: a block beside it is the row of a table, which empty lines are not counted by.
    """

    lines: int = 0
    certain: bool = False
    table: bool = False

    def __add__(self, other: "Gap") -> "Gap":
        return Gap(self.lines + other.lines, self.certain or other.certain, self.table or other.table)


def is_ornament(text: str, *, centred: bool) -> bool:
    """Return whether a paragraph of this text is a break."""
    if len(text) > _LONGEST_ORNAMENT or not text.strip() or not _ORNAMENT.fullmatch(text):
        return False
    return centred or not _DASHES.fullmatch(text) or letters(text) >= _FEWEST_DASHES


def settled(blocks: Iterable[Block | Gap], losses: Losses) -> Iterator[Block]:
    """Yield blocks with breaks for gaps: those that are certain, and more empty lines than the text usually has.

    No break is put beside a heading or another break, nor where the text begins or ends.
    """
    gaps, kept = _parted(blocks)
    pairs = list(zip(gaps, kept, kept[1:], strict=False))
    lines = [gap.lines for gap, before, after in pairs if _both_paragraphs(gap, before, after)]
    usual = _usual(lines)
    if usual is None:
        losses.add(Loss.EMPTY, count=sum(lines))
    yield from kept[:1]
    for gap, before, after in pairs:
        spaced = usual is not None and gap.lines > usual and _both_paragraphs(gap, before, after)
        if (gap.certain or spaced) and not {before.kind, after.kind} & {"heading", "break"}:
            yield Block("break", inside=_around(before.inside, after.inside))
        yield after


def _parted(blocks: Iterable[Block | Gap]) -> tuple[list[Gap], list[Block]]:
    """Return the blocks, and the gap behind each."""
    gaps, kept = [Gap()], []
    for block in blocks:
        if isinstance(block, Gap):
            gaps[-1] += block
        else:
            kept.append(block)
            gaps.append(Gap())
    return gaps[1:], kept


def _usual(lines: Sequence[int]) -> int | None:
    """Return how many empty lines stand between two paragraphs if nothing is meant by it; None if that is not clear."""
    usual = median_low(lines) if len(lines) > 1 else 0
    some = sum(line > 0 for line in lines)
    return usual if usual or some <= _FEW or some * 3 <= len(lines) else None


def _both_paragraphs(gap: Gap, before: Block, after: Block) -> bool:
    alike = before.inside == after.inside and all(box.kind == "quote" for box in before.inside)
    return alike and before.kind == after.kind == "paragraph" and not gap.certain and not gap.table


def _around(before: Sequence[Box], after: Sequence[Box]) -> tuple[Box, ...]:
    """Return the boxes that a break between two blocks stands in: quotes, for in a list it would look like an item."""
    shared = common(tuple(before), tuple(after))
    return shared if all(box.kind == "quote" for box in shared) else ()


def rules(paragraph: Any) -> tuple[bool, bool]:
    """Return whether a paragraph itself has a rule above it and one below it, and no border around it."""
    sides = _sides(paragraph)
    if not sides:
        return False, False
    above, below = sides == {"top"}, sides == {"bottom"}
    # Of paragraphs with the same border Word draws one frame.
    above = above and _sides(paragraph.getprevious()) != sides
    return above, below and _sides(paragraph.getnext()) != sides


def has_border(properties: Any) -> bool:
    """Return whether the properties of a paragraph or style have a border above or below."""
    borders = None if properties is None else properties.find(qn("w:pBdr"))
    return borders is not None and bool(_drawn(borders) & {"top", "bottom"})


def _sides(paragraph: Any) -> set[str]:
    borders = None if paragraph is None else paragraph.find(f"{qn('w:pPr')}/{qn('w:pBdr')}")
    return set() if borders is None else _drawn(borders)


def _drawn(borders: Any) -> set[str]:
    found = {side: borders.find(qn(f"w:{side}")) for side in _SIDES}
    return {
        side for side, one in found.items() if one is not None and one.get(qn("w:val")) not in (None, "nil", "none")
    }


def is_rule(drawing: Any) -> bool:
    """Return whether a drawing is a horizontal rule, as Word and Google Docs have them, or a mere line."""
    if letters_in(drawing):
        return False
    if any(one.get("{urn:schemas-microsoft-com:office:office}hr") in ("t", "true", "1") for one in drawing.iter("*")):
        return True
    shapes = drawing.iter("{urn:schemas-microsoft-com:vml}line", qn("a:prstGeom"))
    return any(one.get("prst", "line") in ("line", "straightConnector1") for one in shapes)

"""The letters of a Word document: what each element has, how many a part has, and which of two versions is read."""

import re
from typing import Any

from docx.oxml.ns import qn
from lxml import etree

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

"""Text out of Word documents: what holds it is walked, whatever it is, and what stays out is counted."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from docx.oxml.ns import qn

from billy_mlx.formats.documents.document import Run, is_web_link
from billy_mlx.formats.documents.docx_styles import Letters, Style, Styles, is_on, value_of
from billy_mlx.formats.documents.docx_text import SYMBOL, TEXTS, Loss, Losses, is_rule, letters, letters_in, text_of

RULE = "\v"
"""Stands for a line across the page in the text of a run."""

_DRAWN = {qn(f"w:{name}") for name in ("drawing", "pict", "object", "contentPart")}
_LOST = {
    **dict.fromkeys((qn("w:del"), qn("w:moveFrom")), Loss.DELETED),
    **dict.fromkeys(_DRAWN, Loss.BOXES),
    **dict.fromkeys((qn("w:altChunk"), qn("w:subDoc")), Loss.EMBEDDED),
    qn("w:footnoteReference"): Loss.FOOTNOTES,
    qn("w:endnoteReference"): Loss.ENDNOTES,
    qn("w:commentReference"): Loss.COMMENTS,
    qn("w:rt"): Loss.READINGS,
    qn("w:softHyphen"): Loss.HYPHENS,
}
# What describes text, and has elements that would be text elsewhere: the tabs of a paragraph are no tabs in it.
_ABOUT = {qn(f"w:{name}") for name in ("pPr", "rPr", "sectPr", "tblPr", "tblPrEx", "tblGrid", "trPr", "tcPr", "sdtPr")}


@dataclass(frozen=True)
class _Look(Letters):
    """How letters look, by the run, the styles and the link that they are in."""

    code: bool = False
    in_link: bool = False
    link: str = ""


class TextReader:
    """Reads the text in elements of a body.

    Args:
        styles: of the document.
        links: where its links lead, by their ids.
        losses: counts what stays out.
        label_of: gives the label of the note that an element refers to; empty for none.

    Attributes:
        without: how many letters are not in the runs, as far as is known; less those that were added.
    """

    def __init__(
        self, styles: Styles, links: Mapping[str, str], losses: Losses, label_of: Callable[[Any], str]
    ) -> None:
        self.without = 0
        self._styles, self._links, self._losses, self._label_of = styles, links, losses, label_of

    def nearest(self, parent: Any, tags: Container[str]) -> Iterator[Any]:
        """Yield elements of these kinds in their order, whatever they are wrapped in, but none within another."""
        within = [iter(parent)]
        while within:
            element = next(within[-1], None)
            if element is None:
                within.pop()
            elif element.tag in tags:
                yield element
            elif element.tag in _LOST:
                self.lose(_LOST[element.tag], element)
            elif element.tag not in _ABOUT:
                within.append(iter(element))

    def lose(self, loss: Loss, element: Any) -> None:
        """Count an element as left out."""
        lost = letters_in(element)
        self.without += lost
        if lost or loss not in (Loss.DELETED, Loss.READINGS):
            self._losses.add(loss, lost)

    def runs(self, elements: Iterable[Any], style: Style) -> Iterator[Run]:
        """Yield the runs in elements of a paragraph, whatever they are wrapped in."""
        looks = style if style.plain else Style()
        outermost = _Look(
            looks.strong, looks.emphasis, hidden=style.hidden, struck=looks.struck, underlined=looks.underlined
        )
        within = [(iter(elements), outermost)]
        while within:
            look = within[-1][1]
            element = next(within[-1][0], None)
            if element is None:
                within.pop()
            elif element.tag in TEXTS:
                yield self._run(element, look)
            elif element.tag in _DRAWN and is_rule(element):
                yield Run(RULE)
            elif label := self._label_of(element):
                self.without += letters_in(element)
                yield Run("", note=label)
            elif element.tag in _LOST:
                self.lose(_LOST[element.tag], element)
            elif element.tag not in _ABOUT:
                within.append((iter(element), self._look(element, look, looks)))

    def _look(self, element: Any, look: _Look, paragraph: Style) -> _Look:
        """Return how the letters within an element look that stands where letters look like `look`."""
        if element.tag == qn("w:hyperlink"):
            leads = self._links.get(str(element.get(qn("r:id"))), "")
            return replace(look, in_link=True, link=leads if is_web_link(leads) else look.link)
        if element.tag != qn("w:r"):
            return look
        properties = element.find(qn("w:rPr"))
        style = self._styles[value_of(properties, "w:rStyle")]

        def on(name: str, by_style: bool) -> bool:
            directly = is_on(properties, name)
            return by_style if directly is None else directly

        return replace(
            look,
            # In an italic paragraph a style of letters that makes italics makes them upright.
            strong=on("w:b", style.strong != paragraph.strong),
            emphasis=on("w:i", style.emphasis != paragraph.emphasis),
            code=style.code,
            hidden=on("w:vanish", look.hidden or style.hidden),
            struck=on("w:strike", style.struck or paragraph.struck) or is_on(properties, "w:dstrike") is True,
            underlined=on("w:u", style.underlined or paragraph.underlined),
        )

    def _run(self, element: Any, look: _Look) -> Run:
        text = text_of(element)
        amount = letters(text.strip(SYMBOL))
        if look.hidden:
            if amount:
                self._losses.add(Loss.HIDDEN, amount)
                self.without += amount
            return Run("")
        if text == SYMBOL:
            self._losses.add(Loss.SYMBOLS)
        if element.tag == qn("m:t"):
            self._losses.add(Loss.FORMULAS, amount)
        if look.struck and amount:
            self._losses.add(Loss.STRUCK, amount)
        underlined = look.underlined and amount > 0 and not look.in_link and not look.code
        if underlined:
            self._losses.add(Loss.UNDERLINED, amount)
        if look.code:
            return Run(text, code=True, link=look.link)
        return Run(text, look.strong, look.emphasis or underlined, link=look.link)

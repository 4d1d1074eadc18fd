"""What the styles and numberings of a Word document say that matters here."""

import re
from dataclasses import dataclass
from typing import Any, Literal

from docx.oxml.ns import qn

_HEADING = re.compile(r"heading ([1-6])")
_QUOTES = {"quote", "intense quote", "block text", "quotations"}
_CODES = {"code", "inline code", "source code", "html preformatted", "html code", "preformatted text", "verbatim char"}
DEEPEST_LEVEL = 8  # of a list, counted from 0: Word has no more
_DEEPEST = 20  # styles that a style is based on, one by one


@dataclass(frozen=True)
class Style:
    """One style.

    Attributes:
        level: of a heading, 1 to 6; 0 for other paragraphs.
        continues: a paragraph in it goes on with the item of a list before it.
        number: the numbering that it brings along; "" for none.
        strong, emphasis: what it does to the letters; of character styles only, as a paragraph's are for its looks.
    """

    level: int = 0
    quote: bool = False
    code: bool = False
    continues: bool = False
    number: str = ""
    strong: bool = False
    emphasis: bool = False


@dataclass(frozen=True)
class Numberings:
    """The kinds of lists: by the number of a numbering and a level, which kind and where it begins."""

    kinds: dict[tuple[str, int], tuple[Literal["bullets", "numbers"], int]]

    def kind(self, number: str, level: int) -> tuple[Literal["bullets", "numbers"], int]:
        """Return the kind of a list and the number of its first item; bullets where the document does not say."""
        return self.kinds.get((number, level), ("bullets", 1))


def styles(root: Any) -> dict[str, Style]:
    """Return the styles by their ids."""
    found = {} if root is None else {str(one.get(qn("w:styleId"))): one for one in root.iter(qn("w:style"))}
    return {id: _style(id, found) for id in found}


def numberings(root: Any) -> Numberings:
    """Return the numberings of a document; none if it has no such part."""
    if root is None:
        return Numberings({})
    abstract = {one.get(qn("w:abstractNumId")): _levels(one) for one in root.iter(qn("w:abstractNum"))}
    kinds: dict[tuple[str, int], tuple[Literal["bullets", "numbers"], int]] = {}
    for one in root.iter(qn("w:num")):
        number, based = str(one.get(qn("w:numId"))), one.find(qn("w:abstractNumId"))
        levels = {} if based is None else abstract.get(based.get(qn("w:val")), {})
        kinds |= {(number, level): kind for level, kind in levels.items()}
        for override in one.iter(qn("w:lvlOverride")):
            level, start = _number(override.get(qn("w:ilvl"))), override.find(qn("w:startOverride"))
            if start is not None and (number, level) in kinds:
                kinds[number, level] = (kinds[number, level][0], _number(start.get(qn("w:val")), 1))
    return Numberings(kinds)


def _levels(abstract: Any) -> dict[int, tuple[Literal["bullets", "numbers"], int]]:
    levels: dict[int, tuple[Literal["bullets", "numbers"], int]] = {}
    for one in abstract.iter(qn("w:lvl")):
        format, start = one.find(qn("w:numFmt")), one.find(qn("w:start"))
        bullets = format is None or format.get(qn("w:val")) in ("bullet", "none")
        first = 1 if start is None else _number(start.get(qn("w:val")), 1)
        levels[min(_number(one.get(qn("w:ilvl"))), DEEPEST_LEVEL)] = ("bullets" if bullets else "numbers", first)
    return levels


def _style(id: str, found: dict[str, Any]) -> Style:
    """Return a style with what it has from those it is based on."""
    style = Style()
    for _ in range(_DEEPEST):
        element = found.get(id)
        if element is None:
            break
        name = _value(element, "w:name").lower()
        heading = _HEADING.fullmatch(name)
        level = int(heading[1]) if heading else 1 if name == "title" else 0
        style = Style(
            style.level or level,
            style.quote or name in _QUOTES,
            style.code or name in _CODES,
            style.continues or name.startswith("list"),
            style.number or _number_of(element),
            *_letters(element, style),
        )
        id = _value(element, "w:basedOn")
    return style


def _letters(element: Any, style: Style) -> tuple[bool, bool]:
    """Return whether a character style makes bold and italic; what it is based on is not undone by it."""
    properties = element.find(qn("w:rPr")) if element.get(qn("w:type")) == "character" else None
    return style.strong or is_on(properties, "w:b") is True, style.emphasis or is_on(properties, "w:i") is True


def is_on(properties: Any, name: str) -> bool | None:
    """Return whether a property of letters is on; None if nothing is said of it."""
    found = None if properties is None else properties.find(qn(name))
    return None if found is None else found.get(qn("w:val")) not in ("0", "false", "off", "none")


def _number_of(element: Any) -> str:
    numbering = element.find(f"{qn('w:pPr')}/{qn('w:numPr')}")
    return "" if numbering is None else _value(numbering, "w:numId")


def _value(parent: Any, name: str) -> str:
    found = parent.find(qn(name))
    return "" if found is None else str(found.get(qn("w:val")) or "")


def _number(text: Any, default: int = 0) -> int:
    usable = isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 10
    return int(text) if usable else default

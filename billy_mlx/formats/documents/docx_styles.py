"""What the styles and numberings of a Word document say that matters here."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from docx.oxml.ns import qn

from billy_mlx.formats.documents.docx_text import has_border

# Word writes the English names, whatever its language; other programs do not. Its ids are in its language, without
# the letters that are not ASCII.
_HEADING = re.compile(r"(.+?)([1-9])")
_HEADINGS = {
    *("heading", "überschrift", "titre", "título", "titolo", "titlu", "kop", "rubrik", "overskrift", "otsikko"),
    *("nagłówek", "nadpis", "címsor", "başlık", "naslov", "antraštė", "virsraksts", "pealkiri", "encabezado"),
    *(
        "заголовок",
        "заглавие",
        "наслов",
        "επικεφαλίδα",
        "כותרת",
        "عنوان",
        "标题",
        "標題",
        "見出し",
        "제목",
        "tiêuđề",
        "judul",
    ),
}
_TITLES = {
    *("title", "titel", "titre", "título", "titolo", "titlu", "tittel", "rubrik", "otsikko", "tytuł", "název", "názov"),
    *("cím", "konubaşlığı", "naslov", "название", "заглавие", "τίτλος", "标题", "標題", "表題", "제목"),
}
_SHORTEST = 3  # of what is left of a name without its accents
for _names in (_HEADINGS, _TITLES):
    _names |= {ascii for name in _names if len(ascii := name.encode("ascii", "ignore").decode()) >= _SHORTEST}
_DEEPEST_HEADING, _BODY = 6, 9  # of a heading in Markdown, and the outline level of body text, counted from 0
_QUOTES = {"quote", "intensequote", "blocktext", "quotations"}
_CODES = {"code", "inlinecode", "sourcecode", "htmlpreformatted", "htmlcode", "preformattedtext", "verbatimchar"}
DEEPEST_LEVEL = 8  # of a list, counted from 0: Word has no more
_DEEPEST = 20  # styles that a style is based on, one by one


@dataclass(frozen=True)
class Letters:
    """How letters look."""

    strong: bool = False
    emphasis: bool = False
    hidden: bool = False
    struck: bool = False
    underlined: bool = False


@dataclass(frozen=True)
class Style(Letters):
    """One style, and what it does to the letters.

    Attributes:
        level: of a heading, 1 to 6; 0 for other paragraphs.
        continues: a paragraph in it goes on with the item of a list before it.
        number: the numbering that it brings along; "" for none.
        centred, ruled: how a paragraph in it stands: in the middle, and with a border above or below it.
    """

    level: int = 0
    quote: bool = False
    code: bool = False
    continues: bool = False
    number: str = ""
    centred: bool = False
    ruled: bool = False

    @property
    def plain(self) -> bool:
        """Whether what it does to the letters means something: that of a heading or quote is for its looks."""
        return not (self.level or self.quote or self.code)


class Styles:
    """The styles of a document; one that it does not describe is known by its id."""

    def __init__(self, root: Any) -> None:
        found = {} if root is None else {str(one.get(qn("w:styleId"))): one for one in root.iter(qn("w:style"))}
        self._styles = {id: _style(list(_chain(id, found))) for id in found}

    def __getitem__(self, id: str) -> Style:
        if id not in self._styles:
            key = _key(id)
            self._styles[id] = Style(level=_level_of_name(id), quote=key in _QUOTES, code=key in _CODES)
        return self._styles[id]


@dataclass(frozen=True)
class Numberings:
    """The kinds of lists: by the number of a numbering and a level, which kind and where it begins."""

    kinds: dict[tuple[str, int], tuple[Literal["bullets", "numbers"], int]]

    def kind(self, number: str, level: int) -> tuple[Literal["bullets", "numbers"], int]:
        """Return the kind of a list and the number of its first item; bullets where the document does not say."""
        return self.kinds.get((number, level), ("bullets", 1))


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


def _chain(id: str, found: dict[str, Any]) -> Iterator[Any]:
    """Yield a style and those it is based on, one by one."""
    for _ in range(_DEEPEST):
        if id not in found:
            return
        yield found[id]
        id = value_of(found[id], "w:basedOn")


def _style(chain: list[Any]) -> Style:
    """Return a style with what it has from those it is based on."""
    names = [_key(value_of(element, "w:name").split(",")[0]) for element in chain]
    properties = [found for element in chain if (found := element.find(qn("w:pPr"))) is not None]
    aligned = [found for one in properties if (found := value_of(one, "w:jc"))]
    # What the style of all paragraphs does to the letters is the look of the book.
    letters = [
        element.find(qn("w:rPr")) for element in chain if element.get(qn("w:default")) not in ("1", "true", "on")
    ]
    link = any("hyperlink" in name or name == "internetlink" for name in names)
    return Style(
        level=next((level for element in chain if (level := _level(element)) is not None), 0),
        quote=any(name in _QUOTES for name in names),
        code=any(name in _CODES for name in names),
        continues=any(name.startswith("list") for name in names),
        number=next((number for element in chain if (number := _number_of(element))), ""),
        centred=bool(aligned) and aligned[0] == "center",
        ruled=any(map(has_border, properties)),
        strong=_first(letters, "w:b"),
        emphasis=_first(letters, "w:i"),
        hidden=_first(letters, "w:vanish"),
        struck=_first(letters, "w:strike") or _first(letters, "w:dstrike"),
        underlined=_first(letters, "w:u") and not link,
    )


def _first(letters: list[Any], name: str) -> bool:
    return next((on for properties in letters if (on := is_on(properties, name)) is not None), False)


def _level(element: Any) -> int | None:
    """Return the level that a style says it has itself: by its name, its place in the outline, or its id."""
    named = _level_of_name(value_of(element, "w:name").split(",")[0])
    outline = outline_level(element.find(qn("w:pPr")))
    if named or outline is not None:
        return named or outline
    return _level_of_name(str(element.get(qn("w:styleId")))) or None


def outline_level(properties: Any) -> int | None:
    """Return the level of a heading that properties of a paragraph give it, 0 for none; None if they do not say."""
    text = "" if properties is None else value_of(properties, "w:outlineLvl")
    level = _number(text, -1)
    return None if level < 0 else 0 if level >= _BODY else min(level + 1, _DEEPEST_HEADING)


def _level_of_name(name: str) -> int:
    key = _key(name)
    found = _HEADING.fullmatch(key)
    if found and found[1] in _HEADINGS:
        return min(int(found[2]), _DEEPEST_HEADING)
    return 1 if key in _TITLES else 0


def _key(name: str) -> str:
    """Return a name as it is compared, whether it is one or an id made of it."""
    return re.sub(r"[\s_-]", "", unicodedata.normalize("NFKC", name).casefold())


def is_on(properties: Any, name: str) -> bool | None:
    """Return whether a property of letters is on; None if nothing is said of it."""
    found = None if properties is None else properties.find(qn(name))
    return None if found is None else found.get(qn("w:val")) not in ("0", "false", "off", "none")


def _number_of(element: Any) -> str:
    numbering = element.find(f"{qn('w:pPr')}/{qn('w:numPr')}")
    return "" if numbering is None else value_of(numbering, "w:numId")


def value_of(parent: Any, name: str) -> str:
    """Return the value of a child of `parent`; empty where there is no such child, or no parent."""
    found = None if parent is None else parent.find(qn(name))
    return "" if found is None else str(found.get(qn("w:val")) or "")


def _number(text: Any, default: int = 0) -> int:
    usable = isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 10
    return int(text) if usable else default

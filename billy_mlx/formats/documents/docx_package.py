"""The parts of a Word document: found by what leads to them, and read one by one, with a limit; and its notes."""

import posixpath
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from docx.oxml.ns import nsmap, qn
from lxml import etree

from billy_mlx.errors import DocumentError
from billy_mlx.formats.documents.archive import Parts
from billy_mlx.formats.documents.docx_text import Loss, Losses, letters_in, settle_versions

_MOST_TAGS = 2_000_000  # several times what a long novel has; they take a quarter of a minute
_USUAL = "word/document.xml"
_STRICT = "http://purl.oclc.org/ooxml/"
_TRANSITIONAL = {
    f"{_STRICT}wordprocessingml/main": nsmap["w"],
    f"{_STRICT}officeDocument/relationships": nsmap["r"],
    f"{_STRICT}officeDocument/math": nsmap["m"],
    f"{_STRICT}drawingml/main": nsmap["a"],
}

_KINDS = {"footnotes": ("w:footnote", Loss.FOOTNOTES), "endnotes": ("w:endnote", Loss.ENDNOTES)}


class Package:
    """A Word document from a stranger.

    Attributes:
        body: what holds its text.
        links: where its links lead, by their ids.

    Raises:
        DocumentError: it is damaged, too large, or no Word document.
    """

    def __init__(self, data: bytes) -> None:
        self._parts = Parts(data)
        self._tags_left = _MOST_TAGS
        roots = (self._main(), _USUAL)
        self._name, document = next(
            ((name, root) for name in roots if (root := self._parsed(name)) is not None), ("", None)
        )
        self.body: Any = None if document is None else document.find(qn("w:body"))
        if self.body is None:
            raise DocumentError("the file is not a Word document; open it in a word processor and save it as .docx")
        self._relations = self._relations_of(self._name)
        self.links = _links(self._relations)

    def parts(self, kind: str) -> Iterator[Any]:
        """Yield the roots of the parts of a kind, such as "styles"; that of its usual name if nothing leads to any."""
        for name in self._names(kind):
            root = self._parsed(name)
            if root is not None:
                yield root

    def links_of(self, kind: str) -> dict[str, str]:
        """Return where the links in the first part of a kind lead, by their ids."""
        return _links(self._relations_of(self._names(kind)[0]))

    def _names(self, kind: str) -> list[str]:
        folder = posixpath.dirname(self._name)
        found = [_path(folder, target) for _, type, target, outside in self._relations if type == kind and not outside]
        return list(dict.fromkeys(found)) or [f"{folder}/{kind}.xml"]

    def _relations_of(self, name: str) -> list[tuple[str, str, str, bool]]:
        folder, own = posixpath.split(name)
        return list(_relations(self._parsed(f"{folder}/_rels/{own}.rels")))

    def part(self, kind: str) -> Any:
        """Return the root of the first part of a kind; None for none."""
        return next(self.parts(kind), None)

    def _main(self) -> str:
        for _, type, target, outside in _relations(self._parsed("_rels/.rels")):
            if type == "officeDocument" and not outside:
                return _path("", target)
        return _USUAL

    def _parsed(self, name: str) -> Any:
        data = self._parts.read(name)
        if data is None:
            return None
        self._tags_left -= data.count(b"<")
        if self._tags_left < 0:
            raise DocumentError("the file is too large to be taken in at once; split it and import the parts")
        # Comments would hide the text behind them, and entities are what no Word document has.
        parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
        try:
            root = etree.fromstring(data, parser)
        except (SyntaxError, ValueError) as error:
            if getattr(error, "code", None) == etree.ErrorTypes.ERR_RESOURCE_LIMIT:
                raise DocumentError(
                    f"{name} in the file is nested too deeply, or has a text without an end; save the text as .txt "
                    "in a word processor and import that"
                ) from error
            raise DocumentError(f"{name} in the file is damaged; save it again in a word processor") from error
        if root.getroottree().docinfo.internalDTD is not None:
            raise DocumentError(
                f"{name} in the file is damaged: it defines entities; save it again in a word processor"
            )
        return _transitional(root)


def _relations(root: Any) -> Iterator[tuple[str, str, str, bool]]:
    """Yield the id, the kind and the target of all relations, and whether it lies outside of the file."""
    for one in () if root is None else root:
        kind = str(one.get("Type")).rstrip("/").rpartition("/")[2]
        yield str(one.get("Id")), kind, str(one.get("Target")), one.get("TargetMode") == "External"


def _links(relations: Iterable[tuple[str, str, str, bool]]) -> dict[str, str]:
    return {id: target for id, _, target, outside in relations if outside}


def _path(folder: str, target: str) -> str:
    """Return the name of the part that a target, as seen from a folder, leads to."""
    return posixpath.normpath(posixpath.join("/", folder, unquote(target).replace("\\", "/"))).lstrip("/")


def _transitional(root: Any) -> Any:
    """Return a part of a Strict Open XML document with the names that all others have."""
    if not str(root.tag).startswith(f"{{{_STRICT}"):
        return root
    for element in root.iter("*"):
        element.tag = _renamed(element.tag)
        for name, value in element.items():
            if name.startswith(f"{{{_STRICT}"):
                del element.attrib[name]
                element.set(_renamed(name), value)
    return root


def _renamed(name: str) -> str:
    namespace, brace, rest = name.lstrip("{").rpartition("}")
    return f"{{{_TRANSITIONAL.get(namespace, namespace)}}}{rest}" if brace else name


class Notes:
    """The notes of one document.

    Args:
        package: the document.
        losses: counts what stays out.
    """

    def __init__(self, package: Package, losses: Losses) -> None:
        self._losses = losses
        self._found: dict[tuple[str, str], tuple[Any, Mapping[str, str]]] = {}  # by what refers to them
        self._labels: dict[tuple[str, str], str] = {}
        self._keys: dict[str, tuple[str, str]] = {}
        self._marked = _marked(package.body)
        for kind, (tag, loss) in _KINDS.items():
            root = package.part(kind)
            if root is None:
                continue
            if other := settle_versions(root):
                losses.add(Loss.VERSIONS, other)
            self._read(root, tag, package.links_of(kind), loss)

    def _read(self, root: Any, tag: str, links: Mapping[str, str], loss: Loss) -> None:
        outside = letters_in(root)
        for note in root.iter(qn(tag)):
            held = letters_in(note)
            outside -= held
            key = (qn(f"{tag}Reference"), str(note.get(qn("w:id"))))
            if held and key not in self._found:
                self._found[key] = (note, links)
            elif held:
                self._losses.add(loss, held)
        if outside > 0:
            self._losses.add(Loss.UNKNOWN, outside)

    def label_of(self, reference: Any) -> str:
        """Return the label of the note that an element refers to: numbers, as they are asked for; empty for none."""
        key = (reference.tag, str(reference.get(qn("w:id"))))
        if reference.tag == qn("w:fldSimple"):  # points to where the note was referred to before
            code, name, *_ = [*str(reference.get(qn("w:instr"))).split(), "", ""]
            shown = "".join(reference.itertext()).strip()
            if code.upper() == "NOTEREF" and (not shown or shown.isdigit()):
                key = self._marked.get(name, key)
        if key not in self._found:
            return ""
        label = self._labels.setdefault(key, str(len(self._labels) + 1))
        self._keys[label] = key
        return label

    def find(self, label: str) -> tuple[Any, Mapping[str, str]]:
        """Return what holds the text of a note, and where links in it lead, by their ids."""
        return self._found[self._keys[label]]

    def count_others(self, used: Container[str]) -> None:
        """Count the notes as left out that are not among the labels `used`."""
        for tag, loss in _KINDS.values():
            others = [
                letters_in(note)
                for key, (note, _) in self._found.items()
                if key[0] == qn(f"{tag}Reference") and self._labels.get(key) not in used
            ]
            if others:  # references to them may have been counted already
                self._losses.add(loss, sum(others), max(0, len(others) - self._losses.count(loss)))


def _marked(body: Any) -> dict[str, tuple[str, str]]:
    """Return the references that bookmarks stand round, by the names of these."""
    references = tuple(qn(f"{tag}Reference") for tag, _ in _KINDS.values())
    marked: dict[str, tuple[str, str]] = {}
    name = ""
    for one in body.iter(qn("w:bookmarkStart"), qn("w:bookmarkEnd"), *references):
        if one.tag == qn("w:bookmarkStart"):
            name = str(one.get(qn("w:name")))
        elif one.tag == qn("w:bookmarkEnd"):
            name = ""
        elif name:
            marked[name] = (one.tag, str(one.get(qn("w:id"))))
    return marked

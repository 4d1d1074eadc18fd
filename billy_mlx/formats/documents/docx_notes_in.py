"""Footnotes and endnotes of a Word document from a stranger: found by what refers to them."""

from collections.abc import Container, Mapping
from typing import Any

from docx.oxml.ns import qn

from billy_mlx.formats.documents.docx_losses import Loss, Losses
from billy_mlx.formats.documents.docx_package import Package
from billy_mlx.formats.documents.docx_text import letters_in, settle_versions

_KINDS = {"footnotes": ("w:footnote", Loss.FOOTNOTES), "endnotes": ("w:endnote", Loss.ENDNOTES)}


class Notes:
    """The notes of one document.

    Args:
        package: the document.
        losses: is told what stays out.
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

"""How the first page of an export will be, for the screen that asks for it."""

from itertools import islice

from textual.content import Content

from billy_mlx.formats.documents.book import Book
from billy_mlx.formats.documents.document import Block, Document, laid_out
from billy_mlx.formats.documents.plain import SCENE_BREAK
from billy_mlx.text import visible

_MOST = 60  # blocks
_INDENT = "    "
_MIDDLE = " " * 20


def first_page(text: Document, book: Book) -> Content:
    """Return title, author and the first paragraphs as readers see them, indented but after a heading or break."""
    lines = [Content.styled(_MIDDLE + visible(one), "bold") for one in (book.title, book.author) if one.strip()]
    numbers = text.numbers
    before: Block | None = None
    for block in islice(text.below(book.title).blocks, _MOST):
        lines += _block(block, before, numbers)
        before = block
    return Content("\n").join(lines)


def _block(block: Block, before: Block | None, numbers: dict[str, int]) -> list[Content]:
    if block.kind == "break":
        return [Content(_MIDDLE + SCENE_BREAK)]
    text = visible("".join(f"[{numbers[run.note]}]" if run.note else run.text for run in block.runs))
    if block.kind == "heading":
        return [Content(""), Content.styled(_MIDDLE + text, "bold"), Content("")]
    if block.inside or block.kind == "code":
        return [Content(line) for line in laid_out([block], lambda _: text, quote=_INDENT).rstrip("\n").split("\n")]
    goes_on = before is not None and before.kind == "paragraph" and not before.inside
    return [Content(line) for line in ((_INDENT if goes_on and "\n" not in text else "") + text).split("\n")]

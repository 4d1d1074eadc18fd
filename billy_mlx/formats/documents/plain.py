"""Plain text for readers: no markup, a blank line between paragraphs."""

from billy_mlx.formats.documents.document import Block, Document
from billy_mlx.formats.documents.layout import laid_out

SCENE_BREAK = "* * *"


def plain_text(text: Document) -> str:
    """Return a text without markup, its notes numbered at the end."""
    numbers = text.numbers

    def written(block: Block) -> str:
        if block.kind == "break":
            return SCENE_BREAK
        content = "".join(f"[{numbers[run.note]}]" if run.note else run.text for run in block.runs)
        return "\n".join("    " + line for line in content.split("\n")) if block.kind == "code" else content

    notes = [laid_out(blocks, written, quote="    ") for blocks in text.notes.values()]
    numbered = (f"\n[{number}] {note or chr(10)}" for number, note in enumerate(notes, start=1))
    return laid_out(text.blocks, written, quote="    ") + "".join(numbered)

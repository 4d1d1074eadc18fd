"""Plain text for readers: no markup, a blank line between paragraphs."""

from collections.abc import Sequence

from billy_mlx.manuscript.formats.document import Block
from billy_mlx.manuscript.formats.layout import laid_out

SCENE_BREAK = "* * *"


def plain_text(blocks: Sequence[Block], notes: Sequence[str] = ()) -> str:
    """Return blocks as text, with `notes` numbered at the end."""
    numbered = [f"\n[{number}] {note}\n" for number, note in enumerate(notes, start=1)]
    return laid_out(blocks, _text, quote="    ") + "".join(numbered)


def _text(block: Block) -> str:
    if block.kind == "break":
        return SCENE_BREAK
    text = "".join(run.text if run.note is None else f"[{run.note}]" for run in block.runs)
    return "\n".join("    " + line for line in text.split("\n")) if block.kind == "code" else text

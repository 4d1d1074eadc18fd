"""What is sent besides the text: memory, lorebook entries, the author's note, and what is asked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from billy_mlx.manuscript.context.guide import Guide
from billy_mlx.manuscript.context.lorebook import Trigger
from billy_mlx.manuscript.context.parts import Cut, Part, PartKind
from billy_mlx.manuscript.context.trimming import Count, beginning_of


@dataclass(frozen=True)
class Piece:
    """A part with the words around it, and where it goes: to what a chat model should know, or what it is asked."""

    part: Part
    place: Literal["system", "user", "note"]
    before: str = ""
    behind: str = ""

    @property
    def sent(self) -> str:
        """The text as it is sent."""
        return f"{self.before}{self.part.text}{self.behind}"


def memory(guide: Guide, budget: int, count: Count) -> Iterator[Piece]:
    """Yield the memory, if there is any: its beginning, if all of it is too long."""
    if guide.memory.strip():
        part = _trimmed("memory", "memory", guide.memory.strip(), int(budget * guide.shares.memory), count)
        yield Piece(part, "system")


def lore(guide: Guide, triggers: tuple[Trigger, ...], budget: int, count: Count) -> Iterator[Piece]:
    """Yield the entries that are called for; those that do not fit are left out whole, the least important first."""
    left = int(budget * guide.shares.lore)
    for trigger in triggers:
        text = trigger.entry.text.strip()
        title = f"{trigger.entry.name}: {trigger.key or 'always'}"
        tokens = count(text)
        if tokens <= left:
            left -= tokens
            yield Piece(Part("lore", title, text, tokens), "system")
        else:
            yield Piece(Part("lore", title, "", 0, Cut(len(text), "all")), "system")


def note(guide: Guide, budget: int, count: Count) -> Iterator[Piece]:
    """Yield the author's note, if there is one."""
    if guide.note.strip():
        part = _trimmed("note", "author's note", guide.note.strip(), int(budget * guide.shares.note), count)
        yield Piece(part, "note", "[Author's note: ", "]\n\n")


def asked(instruction: str, selection: str, count: Count, *, chat: bool) -> Iterator[Piece]:
    """Yield the passage to be written anew and what the writer asks for; a base model gets both in brackets."""
    if selection:
        part = Part("selection", "the passage to rewrite", selection, count(selection))
        around = ("The passage as it is:\n\n", "") if chat else ("[The next passage, before it was rewritten: ", "]")
        yield Piece(part, "user", *around)
    if instruction.strip():
        part = Part("instruction", "instruction", instruction.strip(), count(instruction.strip()))
        yield Piece(part, "user", *(("", "") if chat else ("[What happens next: ", "]")))


def after(text: str, length: int, guide: Guide, budget: int, count: Count, *, chat: bool) -> Iterator[Piece]:
    """Yield the beginning of what follows; `length` is of all of it, of which `text` has enough."""
    kept = beginning_of(text, int(budget * guide.shares.after), count)
    if kept:
        cut = None if length <= len(kept) else Cut(length - len(kept), "end")
        around = ("What follows in the text:\n\n", "") if chat else ("[Later in the text: ", "]")
        yield Piece(Part("after", "text after the cursor", kept, count(kept), cut), "user", *around)


def _trimmed(kind: PartKind, title: str, text: str, budget: int, count: Count) -> Part:
    kept = beginning_of(text, budget, count)
    cut = None if kept == text else Cut(len(text) - len(kept), "end" if kept else "all")
    return Part(kind, title, kept, count(kept), cut)

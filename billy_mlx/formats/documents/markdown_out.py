"""Markdown out of blocks: what reads back as the same blocks."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from unicodedata import category

from billy_mlx.formats.documents.document import Block, Document, Run, joined, laid_out
from billy_mlx.formats.documents.markdown_dialect import References
from billy_mlx.formats.documents.markdown_in import runs_of, with_note

# What means something in a line of Markdown, wherever it stands; underscores only at a word's border.
_INLINE = re.compile(r"[\\`*\[\]<]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)|!(?=\[)")
_FIRST = re.compile(
    r"^(\s*)(#{1,6}(?=\s|$)|[-+](?=\s|$)|=+\s*$|-{2,}\s*$|>|~{3,}|(\d{1,9})([.)])(?=\s|$))", re.MULTILINE
)
_CLOSING = re.compile(r"(?<!\\)(#+)$")  # of a heading
# Line breaks and indents that would be no text at the borders of a paragraph or line, but a stray backslash or code.
_BORDERS = re.compile(r"\A(?:\\\n|[ \t])+|(?<=\\\n)[ \t]+")
_AFTER_MARK = re.compile(r"^(\[\^[^\s\[\]]+\]):")  # would begin a note
_MARKS = {(False, False): "", (False, True): "*", (True, False): "**", (True, True): "***"}


def markdown(text: Document) -> str:
    """Return a text as Markdown, a backslash before what would be markup and is not, its notes at the end."""
    notes = (f"\n[^{label}]: {_note(blocks)}\n" for label, blocks in text.notes.items())
    return laid_out(text.blocks, _text, quote="> ") + "".join(notes)


def escaped(text: str) -> str:
    """Return one line of text with a backslash before what would be markup."""
    return _INLINE.sub(lambda found: "\\" + found[0], text)


def _note(blocks: Sequence[Block]) -> str:
    """Return a note as one line, which is a note whatever paragraphs are in the text; lists are lines of it."""
    lines = (line for block in blocks for line in (_code_lines(block) if block.kind == "code" else [_text(block)]))
    return "<br>".join(lines).replace("\\\n", "<br>")


def _code_lines(block: Block) -> list[str]:
    return [_run(Run(line, code=True)) for line in block.text.split("\n")]


def _text(block: Block) -> str:
    match block.kind:
        case "break":
            return "***"
        case "code":
            fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", block.text)), default=0))
            return f"{fence}\n{block.text}\n{fence}"
        case "heading":
            title = _inline(block.runs).replace("\\\n", " ").replace("\n", " ")
            return "#" * block.level + " " + _CLOSING.sub(r"\\\1", title)
    return _FIRST.sub(_unmarked, _inline(block.runs))


def _unmarked(found: re.Match[str]) -> str:
    if found[3]:
        return f"{found[1]}{found[3]}\\{found[4]}"
    return f"{found[1]}\\{found[2]}"


def _inline(runs: Sequence[Run]) -> str:
    """Return runs as Markdown; without bold and italics where their marks would be text, as within some words."""
    text = _written(_settled(runs))
    references: References = {}
    for run in runs:
        references = with_note(references, run.note) if run.note else references
    if any(run.strong or run.emphasis for run in runs) and _words(runs_of(text, references)) != _words(runs):
        return _written(replace(run, strong=False, emphasis=False) for run in runs)
    return text


def _written(runs: Iterable[Run]) -> str:
    text = _without_end(_BORDERS.sub("", "".join(_run(run) for run in joined(runs))))
    return _AFTER_MARK.sub(r"\1\\:", text)


def _without_end(text: str) -> str:
    """Return a text without white space and line breaks at its end."""
    while True:
        kept = text.rstrip()
        if not (kept.endswith("\\") and text[len(kept) : len(kept) + 1] == "\n"):
            return kept
        text = kept[:-1]


def _words(runs: Iterable[Run]) -> list[str]:
    return "".join(run.text for run in runs).split()


def _settled(runs: Sequence[Run]) -> Iterator[Run]:
    """Yield `runs` with what their marks cannot stand beside split off from those in bold or italics.

    The marks hold only if they touch what they stress, and between a letter and a punctuation sign only on the side
    of the letter: in "**No.**Yes" they would be asterisks.
    """
    texts = ["", *(run.text for run in runs), ""]
    for run, before, behind in zip(runs, texts, texts[2:], strict=False):
        if run.code or not (run.strong or run.emphasis):
            yield run
            continue
        start, end = 0, len(run.text)
        while start < end and _cannot_touch(run.text[start], before[-1:] if start == 0 else run.text[start - 1]):
            start += 1
        while end > start and _cannot_touch(run.text[end - 1], behind[:1] if end == len(run.text) else run.text[end]):
            end -= 1
        plain = replace(run, strong=False, emphasis=False)
        yield replace(plain, text=run.text[:start])
        yield replace(run, text=run.text[start:end])
        yield replace(plain, text=run.text[end:])


def _cannot_touch(sign: str, outside: str) -> bool:
    """Whether no marks can stand between the first or last sign of what they stress and the one outside of it."""
    beside_letter = bool(outside.strip()) and not _is_punctuation(outside)
    return sign.isspace() or (beside_letter and _is_punctuation(sign))


def _is_punctuation(sign: str) -> bool:
    return category(sign)[0] in "PS"


def _run(run: Run) -> str:
    if run.note:
        return f"[^{run.note}]"
    if run.code and run.text.strip("\n"):
        fence = "`" * (1 + max((len(found) for found in re.findall("`+", run.text)), default=0))
        pad = " " if run.text.startswith("`") or run.text.endswith("`") else ""
        code = f"{fence}{pad}{run.text.replace(chr(10), ' ')}{pad}{fence}"
        return f"[{code}](<{run.link}>)" if run.link else code
    core = run.text.strip()
    if not core:
        return run.text.replace("\n", "\\\n")
    before, _, behind = run.text.partition(core)
    text = escaped(core).replace("\n", "\\\n")
    mark = _MARKS[run.strong, run.emphasis]
    text = f"{mark}{text}{mark}"
    text = f"[{text}](<{run.link}>)" if run.link else text
    return before.replace("\n", "\\\n") + text + behind.replace("\n", "\\\n")

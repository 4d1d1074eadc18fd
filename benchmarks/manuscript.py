"""What a manuscript costs: opening, typing, saving, its history, and what is asked of it while one writes.

    .venv/bin/python benchmarks/manuscript.py

Everything is in a temporary folder; `--folder` puts it on another disk, as the figures with a sync are of that disk.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from billy_mlx.formats.documents.book import Book
from billy_mlx.manuscript.context.context import build_context
from billy_mlx.manuscript.context.guide import Guide
from billy_mlx.manuscript.edit import Edit
from billy_mlx.manuscript.exporting import Format, export
from billy_mlx.manuscript.find import Query, find_all
from billy_mlx.manuscript.history.history import History
from billy_mlx.manuscript.importing import read_document
from billy_mlx.manuscript.journal import Journal
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.outline import outline
from billy_mlx.manuscript.prose import WRITER, Author, Authors, Prose
from billy_mlx.manuscript.provenance import shares
from billy_mlx.manuscript.reattribution import reanchor
from billy_mlx.manuscript.records import Kind, Revision
from billy_mlx.manuscript.word_diff import hunks
from billy_mlx.words import count_words

WORDS = 100_000
_SENTENCE = "The keeper of the light looked out over the water and counted the ships that had not come back. "


def novel(words: int = WORDS) -> str:
    """Return a text of so many words in chapters and paragraphs, every sentence a little different."""
    per_sentence = count_words(_SENTENCE)
    parts = []
    for number in range(words // (per_sentence + 1)):
        if number % 600 == 0:
            parts.append(f"\n\n# Chapter {number // 600 + 1}\n\n")
        elif number % 6 == 0:
            parts.append("\n\n")
        parts.append(f"{number} {_SENTENCE}")
    return "".join(parts).strip() + "\n"


def timed(work: Callable[[], object], rounds: int = 5) -> tuple[float, float]:
    """Return the median and the worst time of `work`, in milliseconds."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - begun))
    return statistics.median(times), max(times)


def report(what: str, times: tuple[float, float], bound: str = "") -> None:
    """Print a line of the table."""
    aim = f"<= {bound} ms" if bound else ""
    print(f"| {what} | {times[0]:.3g} ms | {times[1]:.3g} ms | {aim} |", flush=True)


def manuscript(folder: Path) -> None:
    """Open, type at the start of, and save a novel."""
    path = folder / "novel.md"
    path.write_text(novel(), encoding="utf-8")

    def open_and_close() -> None:
        Manuscript.open(path).close()

    report("open it for the first time, and close", timed(open_and_close, 1), "300")
    report("open it again, and close", timed(open_and_close, 9), "300")
    text = Manuscript.open(path)
    report("type a letter at its start", timed(lambda: text.edit(0, 0, "x"), 200), "5")
    report("undo, redo", timed(lambda: (text.versions.undo(), text.versions.redo()), 50))
    report("save", timed(text.save, 7))
    text.close()
    dying = os.fork()
    if dying == 0:
        dead = Manuscript.open(path)
        for place in range(1000):
            dead.edit(place, place, "x")
        os._exit(0)
    os.waitpid(dying, 0)
    report("open after a crash, 1,000 letters unsaved", timed(open_and_close, 1))


def journal(folder: Path) -> None:
    """Append keystrokes, with and without waiting for the disk."""
    record = b'["edited",{"revision":57,"changes":[{"start":10000,"end":10000,"prose":{"text":"x"}}],"made":1.0}]'
    made = Journal.create(folder / "journal", record)
    report("append to the journal", timed(lambda: made.append(record), 2000), "1")

    def synced() -> None:
        made.append(record)
        made.sync()

    report("append and wait for the disk", timed(synced, 100))
    made.close()


def history(folder: Path, edits: int = 100_000) -> None:
    """Open a history of 100,000 edits."""
    prose = Prose.by(WRITER, novel())
    kept = History.open(folder / "history.db")
    kept.add(Revision(1, None, (), Kind.OPENED, 0.0))
    kept.keyframe(1, prose)
    for number in range(2, edits + 2):
        place = number * 37 % len(prose)
        edit = Edit(place, Prose(), Prose.by(WRITER, "x"))
        prose = edit.apply(prose)
        kept.add(Revision(number, number - 1, (edit,), Kind.TYPED, float(number)))
        if kept.keyframe_due(number):
            kept.keyframe(number, prose)
        if number % 1000 == 0:
            kept.flush()
    kept.head = edits + 1
    kept.close()
    report(f"open a history of {edits:,} edits", timed(lambda: History.open(folder / "history.db").close()), "1000")
    print(f"| its size | {(folder / 'history.db').stat().st_size / 1e6:.1f} MB | | |")


def asked() -> None:
    """What a screen asks for while somebody writes."""
    text = novel()
    runs = [(200, WRITER if place % 400 else Author(1)) for place in range(0, len(text), 200)]
    prose = Prose(text, Authors.of(runs)[: len(text)])
    changed = text.replace("counted", "numbered", 20)

    def count(piece: str) -> int:
        return len(piece) // 4

    def context() -> None:
        build_context(
            text,
            len(text),
            Guide(memory="The light is at Ostend.", note="quiet"),
            work="continue",
            instruction="",
            selection=None,
            budget=4096,
            measure=lambda prompt: count(prompt.system + prompt.user + prompt.prefix),
            count=count,
            chat=True,
        )

    report("what the model is sent, 4,096 tokens", timed(context))
    report("outline", timed(lambda: outline(text)))
    report("words and shares", timed(lambda: shares(prose, {})))
    report("find a word everywhere", timed(lambda: find_all(text, Query("keeper"))))
    report("who wrote what, after 20 changes elsewhere", timed(lambda: reanchor(prose, changed), 3))
    report("word diff of 2,000 words", timed(lambda: hunks(text[:11_000], changed[:11_000])))
    word = export(prose, Format.DOCX, Book())["docx"]
    report("export .docx", timed(lambda: export(prose, Format.DOCX, Book()), 1))
    report("export EPUB", timed(lambda: export(prose, Format.EPUB, Book()), 2))
    report("import .docx", timed(lambda: read_document(word, "novel.docx"), 2))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where to write; a temporary folder if it is left out")
    parser.add_argument("--edits", type=int, default=100_000, help="in the history")
    options = parser.parse_args()
    print(f"| {WORDS:,} words | median | worst | aim |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        os.environ["BILLY_HOME"] = str(Path(scratch) / "home")
        manuscript(Path(scratch))
        journal(Path(scratch))
        history(Path(scratch), options.edits)
    asked()

"""An editor on a page by itself, and whether it shows what its text is."""

import asyncio
import contextlib
import itertools
from pathlib import Path

from textual.app import App

from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.passage import Passage, Voice
from billy_mlx.tui.messages import StatusMessage
from billy_mlx.tui.widgets.editor import Editor

STEADY = itertools.count(1000, 100)  # a clock by which every keystroke is a step of its own


class Host(App[None]):
    def __init__(self, manuscript):
        super().__init__()
        self.manuscript, self.told, self.edits = manuscript, [], 0

    def compose(self):
        yield Editor(self.manuscript)

    def on_status_message(self, message: StatusMessage):
        self.told.append(message)

    def on_editor_edited(self):
        self.edits += 1


def on_a_page(folder, text, act, *, size=(80, 24)):
    """Run `act` on an editor that shows `text`, or what the file has for None, with its pilot."""
    path = Path(folder) / "text.md"
    if text is not None:
        path.write_text(text, encoding="utf-8", newline="")

    async def run():
        manuscript = Manuscript.open(path, clock=lambda: float(next(STEADY)))
        with contextlib.closing(manuscript):
            async with Host(manuscript).run_test(size=size) as pilot:
                editor = pilot.app.query_one(Editor)
                editor.focus()
                await pilot.pause()
                await act(editor, pilot)

    asyncio.run(run())


def drafted(editor, text, *, end=None, blend=None):
    """Show a draft at the cursor, or for the text from there to `end`, and return its number and its author."""
    drafts = editor.manuscript.drafts
    draft = drafts.begin("continue" if end is None else "rewrite", editor.cursor, end)
    author = drafts.alternative(draft)
    drafts.write(author, text)
    if blend is not None:
        made = Passage(text, (), (Voice(0, blend),), "continue", "m", {}, {}, (), 0, {}, 9)
        drafts.finish(author, made)
    editor.show_draft(draft)
    return draft, author


def screen(editor):
    return ["".join(segment.text for segment in editor.render_line(y)).rstrip() for y in range(editor.size.height)]


def agrees(editor):
    """Return whether what is shown is the manuscript with the ghost in it."""
    view = editor._view
    return view.prose == editor.manuscript.prose and editor.text == view.shown

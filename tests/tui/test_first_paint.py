"""What the first paint waits for: neither MLX nor what it brings, nor what can be shown after the text."""

import asyncio
import json
import subprocess
import sys

from helpers.page_stories import on_page, until
from helpers.scripted_engine import studio
from textual import events

from billy_mlx.tui.app import Studio
from billy_mlx.tui.screens.writing import WritingScreen
from billy_mlx.tui.widgets.page_document import PageWrap

PAINTED = """
import asyncio, json, sys
from pathlib import Path
from billy_mlx.tui.app import Studio

class NoEngine:
    def start(self, model=None): pass
    def ask(self, request): pass
    def close(self): pass

async def paint():
    async with Studio(Path(sys.argv[1]), connect=lambda post: NoEngine()).run_test() as pilot:
        await pilot.pause()
        strips = pilot.app.screen._compositor.render_strips()
        return "".join(segment.text for strip in strips for segment in strip)

print(json.dumps([asyncio.run(paint()), [*sys.modules]]))
"""


_OF_MODELS = ("mlx", "mlx.core", "mlx_lm", "transformers", "numpy", "docx", "lxml", "httpx")
_LATE = (*_OF_MODELS, "tomlkit", "regex", "billy_mlx.manuscript.context.key_search", "billy_mlx.extraction.extract")
_LATE_SCREENS = ("find", "personas", "export", "guide", "history", "settings", "help", "start", "chorus", "models")


def test_the_text_is_painted_without_what_models_need(tmp_path):
    path = tmp_path / "novel.md"
    path.write_text("The keeper of the light", encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", PAINTED, str(path)], capture_output=True, check=True, text=True)
    shown, modules = json.loads(done.stdout)
    assert "The keeper of the light" in shown
    assert not {*_LATE} & {*modules}
    assert not {f"billy_mlx.tui.screens.{name}" for name in _LATE_SCREENS} & {*modules}


def test_words_and_voices_come_after_the_text(tmp_path):
    path = tmp_path / "novel.md"
    path.write_text("It was a dark night.", encoding="utf-8")

    async def story(app, pilot, engine, page):
        return page.status.words, page.panel.names.keys() == app.personas.personas.keys()

    assert on_page(path, story) == ("5 words", True)


def test_a_long_text_is_wrapped_once_to_a_width(tmp_path, monkeypatch):
    widths, wrap = [], PageWrap.wrap

    def noted(self, width, tab_width=None):
        widths.append(width)
        wrap(self, width, tab_width)

    async def story(app, pilot, engine, page):
        return len(page.editor.wrapped_document._offset_to_line_info)

    monkeypatch.setattr(PageWrap, "wrap", noted)
    path = tmp_path / "novel.md"
    path.write_text("It was a dark night.\n" * 1000, encoding="utf-8")
    assert (on_page(path, story), len([width for width in widths if width])) == (1001, 1)


def test_the_engine_comes_though_a_key_takes_the_start_screen_away_before_it_is_painted(monkeypatch):
    start = Studio.start

    def start_with_a_key(self):
        start(self)
        self.post_message(events.Key("n", "n"))  # typed ahead, before there was anything to see

    monkeypatch.setattr(Studio, "start", start_with_a_key)

    async def story():
        app, engines = studio()
        async with app.run_test() as pilot:
            assert isinstance(app.screen, WritingScreen)
            await until(pilot, lambda: engines)
            await pilot.pause(1.5)
            return len(engines)

    assert asyncio.run(story()) == 1

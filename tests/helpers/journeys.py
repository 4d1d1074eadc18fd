"""Counts what a reader has to pass through: the modules that five journeys enter, and how the house is cut up.

    .venv/bin/python tests/helpers/journeys.py [--list]

A journey is followed while it happens: every function of ours that is called, in any thread, says its module. What was
imported before does not count. docs/architecture.md describes the five.
"""

import argparse
import ast
import asyncio
import contextlib
import importlib
import os
import pkgutil
import queue
import sys
import tempfile
import threading
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

ROOT = Path(__file__).parents[2]
PACKAGE = "billy_mlx"
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

TEXT = "It was a dark night. The lamp"
PATIENCE_SECONDS = 60
_AHEAD = 4  # texts that an engine writes before somebody reads them


class Trace:
    """The modules of ours that are entered while it records, in order; made before any thread is."""

    def __init__(self):
        self.modules, self._records = {}, False
        threading.setprofile(self._called)
        sys.setprofile(self._called)

    @contextlib.contextmanager
    def recording(self):
        """Record within the block, from nothing."""
        self.modules, self._records = {}, True
        try:
            yield
        finally:
            self._records = False

    def _called(self, frame, event, _):
        if self._records and event == "call" and frame.f_code.co_name != "<module>":
            name = frame.f_globals.get("__name__", "")
            if name.startswith(f"{PACKAGE}."):
                self.modules.setdefault(name)


class Home:
    """A folder with a tiny model in it, and vectors of two personas."""

    def __init__(self, folder):
        from helpers.small_bench import plant, roomy

        os.environ["BILLY_HOME"] = str(folder / "home")
        os.environ["BILLY_MODEL"] = str(folder / "model")
        self.folder, self.model = folder, roomy(folder / "model")
        plant(self.model, ("noir", "gothic"))


def prompt_to_token(trace, home):
    """A message is answered in a voice."""
    from billy_mlx.blend.recipe import Recipe
    from billy_mlx.blend.writer import generate

    with trace.recording():
        generate(home.model, Recipe.of("Describe a harbour.", max_tokens=4), "noir:0.7+gothic:0.3")


def dial_to_decode(trace, home):
    """A dial is turned while an engine writes in a thread of its own, up to the texts after that."""
    from billy_mlx.engine.messages import Steer
    from billy_mlx.tui.app import Studio
    from helpers.page_stories import press, until

    engine, told = slow_engine()

    async def story():
        studio = Studio(page_of(home, "dial"), connect=doubled(engine))
        studio.settings = replace(studio.settings, blend="noir+gothic")
        async with studio.run_test(size=(160, 50)) as pilot:
            await until(pilot, lambda: studio.model is not None)
            await press(pilot, "ctrl+end", "ctrl+g")
            told.get(timeout=PATIENCE_SECONDS)
            await press(pilot, "f2")
            with trace.recording():
                await press(pilot, "right")
                for _ in range(2 * _AHEAD):
                    told.get(timeout=PATIENCE_SECONDS)
            assert isinstance(studio.engine._engine.asked[-1], Steer)
            studio.leave()

    with patch("secrets.randbelow", return_value=1):
        asyncio.run(story())
    told.maxsize = 1000
    told.get()
    engine.close(timeout_seconds=PATIENCE_SECONDS)


def slow_engine():
    """Return a real engine with its model loaded, and a queue of its texts: it waits for someone to take them."""
    from billy_mlx.engine.messages import Loaded
    from billy_mlx.tui.engine_client import connect
    from billy_mlx.write.messages import VoicesWrote

    told = queue.Queue(maxsize=_AHEAD)

    def post(event):
        if isinstance(event, Loaded | VoicesWrote):
            told.put(event)  # so that there is still something to write when the dial is turned

    engine = connect(post)
    engine.start()
    assert isinstance(told.get(timeout=PATIENCE_SECONDS), Loaded)
    return engine, told


def doubled(engine):
    """Return what connects a studio to a script, and `engine` to what the studio asks about writing."""
    from billy_mlx.engine.messages import Steer
    from billy_mlx.write.messages import Write
    from helpers.scripted_engine import ScriptedEngine

    class Doubled(ScriptedEngine):
        def ask(self, request):
            super().ask(request)
            if isinstance(request, Write | Steer):
                engine.ask(request)

    return Doubled


def key_to_disk(trace, home):
    """A letter is typed, up to where the disk has it."""
    from helpers.page_stories import until
    from helpers.scripted_engine import studio as scripted

    path, synced, fsync = page_of(home, "key"), threading.Event(), os.fsync

    def told(descriptor):
        fsync(descriptor)
        synced.set()

    async def story():
        studio, _ = scripted(path)
        async with studio.run_test(size=(160, 50)) as pilot:
            await until(pilot, lambda: studio.model is not None)
            await pilot.pause(1)  # what was begun at the opening is over
            synced.clear()
            with trace.recording():
                await pilot.press("x")
                await until(pilot, synced.is_set)
            studio.leave()

    with patch("os.fsync", told):
        asyncio.run(story())


def card_to_vector(trace, home):
    """A card becomes a file of a vector; nobody judges."""
    from billy_mlx.extraction import common
    from billy_mlx.extraction.extract import extract
    from billy_mlx.extraction.extraction import Extracted
    from billy_mlx.extraction.rollouts import RolloutSettings
    from billy_mlx.vectors.card import load_personas
    from billy_mlx.vectors.library import store_vector

    few = RolloutSettings(questions=2, rollouts=1, max_tokens=4, batch=4)
    with patch.object(common, "CARDS", common.CARDS[:2]), trace.recording():
        persona = load_personas().personas["comic"]
        for step in extract(home.model, [persona], settings=few):
            if isinstance(step, Extracted):
                store_vector(step.vector)


def arm_to_report(trace, home):
    """Two arms answer one item, and a report is written; nobody judges."""
    from billy_mlx.bench.arms import plan
    from billy_mlx.bench.gather import gather, made_with
    from billy_mlx.bench.report import write_html, write_markdown
    from billy_mlx.bench.run import run
    from billy_mlx.bench.store import Store
    from billy_mlx.measure.embedding import own_embedder
    from billy_mlx.steps import finish
    from helpers.small_bench import small

    settings = small(blend="noir+gothic", arms=("dose-0", "billy-layered"), tasks=("uses",), items_per_task=1)
    with trace.recording():
        planned = plan(home.model, settings)
        store = Store.create_or_resume(home.folder / "run", settings, made_with(home.model, "billy bench run"))
        finish(run(home.model, planned.arms, planned.items, store))
        result = finish(gather(home.model, store, embedder=own_embedder(home.model), judge=None))
        write_html(result, home.folder / "report.html")
        write_markdown(result, home.folder / "report.md")


JOURNEYS = {
    "a prompt to a token": prompt_to_token,
    "a dial to the running decode": dial_to_decode,
    "a key to the disk": key_to_disk,
    "a card to a vector": card_to_vector,
    "an arm to the report": arm_to_report,
}


def page_of(home, name):
    """Return a new page with a little text on it."""
    path = home.folder / f"{name}.md"
    path.write_text(TEXT, encoding="utf-8")
    return path


def import_all():
    """Import every module of ours, so that none is met for the first time on the way."""
    package = importlib.import_module(PACKAGE)
    for found in pkgutil.walk_packages(package.__path__, f"{PACKAGE}."):
        importlib.import_module(found.name)


def followed():
    """Take every journey; return the modules that each entered, in order."""
    trace = Trace()
    import_all()
    found = {}
    with tempfile.TemporaryDirectory(prefix="billy-") as folder, patch.dict(os.environ):
        home = Home(Path(folder))
        for name, journey in JOURNEYS.items():
            journey(trace, home)
            found[name] = list(trace.modules)
    return found


def sources():
    """Return the parsed source of every product module, by name, and how many lines there are in all."""
    trees, lines = {}, 0
    for folder, package in ((ROOT / PACKAGE, PACKAGE), (ROOT / "tui", f"{PACKAGE}.tui")):
        for path in folder.rglob("*.py"):
            parts = path.relative_to(folder).with_suffix("").parts
            name = ".".join([package, *(part for part in parts if part != "__init__")])
            text = path.read_text(encoding="utf-8")
            trees[name], lines = ast.parse(text), lines + text.count("\n")
    return trees, lines


def importers(trees):
    """Return which modules import each module, anywhere in them."""
    found = defaultdict(set)
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                wanted = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                inner = [f"{node.module}.{alias.name}" for alias in node.names]
                wanted = [each if each in trees else node.module for each in inner]
            else:
                continue
            for each in wanted:
                found[each] |= {name} - {each}
    return {name: found[name] for name in trees}


def house():
    """Return the counts of the house as rows of words and a number."""
    trees, lines = sources()
    alone = {name: min(by) for name, by in importers(trees).items() if len(by) == 1}
    classes = Counter(
        node.name
        for tree in trees.values()
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    read = [
        node
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Blend.parse", "Blend.stored")
    ]
    return {
        "modules": len(trees),
        "lines": lines,
        "modules with one importer": len(alone),
        "of these, in the same room": sum(room(name) == room(by) for name, by in alone.items()),
        "public class names that exist twice": sum(count > 1 for count in classes.values()),
        "calls of Blend.parse or Blend.stored": len(read),
    }


def room(name):
    """Return the room a module is in; of the modules on the ground floor, none."""
    parts = name.split(".")
    return parts[1] if len(parts) > 2 else ""


def main():
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="name the modules, in the order they are entered first")
    asked = parser.parse_args()
    for what, count in house().items():
        print(f"{what:<40}{count:>7,}")
    print()
    for name, modules in followed().items():
        print(f"{name:<40}{len(modules):>7,}")
        if asked.list:
            print(*(f"    {module}" for module in modules), sep="\n")
    sys.stdout.flush()
    os._exit(0)  # MLX would take its time


if __name__ == "__main__":
    main()

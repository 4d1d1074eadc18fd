"""What the studio costs while one writes a novel: the first paint, every key, leaving, memory.

    .venv/bin/python benchmarks/studio.py

The real studio in a pseudo-terminal, with the model that all commands use; the manuscript is in a temporary folder.
Machines differ, and are not always as fast as they can be: so each figure is also given in imports of Textual, which
the targets were set on a machine that did in 0.15 s.
"""

import argparse
import asyncio
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import psutil
from manuscript import novel

from billy_mlx import paths

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from helpers.pseudo_terminal import Terminal
from helpers.scripted_engine import studio as scripted_studio

WORDS = 80_000
SIZE = (110, 32)
FIRST_PAINT_SECONDS, KEY_SECONDS, QUIT_SECONDS, GROWN_MB = 0.4, 0.05, 0.5, 10
_LETTERS = "".join(map(chr, range(0x410, 0x450)))  # Cyrillic: neither the screen nor the model has any of them
_BILLY = [sys.executable, "-c", "from billy_mlx.cli import main; main()"]
_IMPORT = [sys.executable, "-c", "import textual.app, textual.widgets"]
_TEXT, _GHOST, _LOADED = "The keeper of the light", "┊", "a demonstration"


class Stopwatch(Terminal):
    """A terminal that looks at bytes as they arrive; the picture of the screen, which takes a while, is made after."""

    def seconds_to(self, letter: str) -> float:
        """Press a key, and return the seconds until its letter comes back."""
        arrived = b""
        begun = time.perf_counter()
        self.press(letter)
        while letter.encode() not in arrived:
            arrived += os.read(self._ours, 1 << 16)
        seconds = time.perf_counter() - begun
        self.output += arrived
        self._stream.feed(arrived)
        return seconds


class Measured:
    """A studio on a novel in a folder of its own, in a terminal.

    Attributes:
        first_paint: seconds from the start of the process to the text on the screen.
    """

    def __init__(self, folder: Path, name: str) -> None:
        path = folder / f"{name}.md"
        path.write_text(novel(WORDS), encoding="utf-8")
        begun = time.perf_counter()
        self.terminal = Stopwatch([*_BILLY, "write", str(path)], size=SIZE, timeout_seconds=300)
        self.terminal.wait_for(_TEXT)
        self.first_paint = time.perf_counter() - begun

    @property
    def memory_mb(self) -> float:
        """What of it is in memory."""
        return psutil.Process(self.terminal.process.pid).memory_info().rss / 1e6

    def wait_for_model(self) -> None:
        """Wait until it can write."""
        self.terminal.wait_for(_LOADED)

    def stream(self) -> None:
        """Have it write, and wait for the first of it."""
        self.terminal.press("pagedown", "ctrl+g")
        self.terminal.wait_for(_GHOST)

    def quit(self) -> float:
        """Return the seconds from the key to the end of the process."""
        begun = time.perf_counter()
        self.terminal.press("ctrl+q")
        self.terminal.wait_for_end()
        seconds = time.perf_counter() - begun
        self.terminal.close()
        return seconds


def keys(studio: Measured, count: int) -> list[float]:
    """Return the seconds of so many keys while text streams; it is begun anew when it ends."""
    seconds = []
    for letter in _LETTERS[:count]:
        if " writing" not in studio.terminal.text:
            studio.terminal.press("ctrl+g")
            studio.terminal.wait_for(" writing")
        seconds.append(studio.terminal.seconds_to(letter))
    return seconds


def grown_mb(folder: Path, edits: int, drafts: int) -> float:
    """Return how many megabytes of objects more a studio holds after so many edits and drafts, and a save of each ten.

    Its engine is a script, so that the time is spent on what the studio itself does.
    """
    path = folder / "growing.md"
    path.write_text(novel(WORDS), encoding="utf-8")

    async def written() -> float:
        app, engines = scripted_studio(path)
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause()
            page = app.screen_stack[1]

            async def once(number: int, *, draft: bool) -> None:
                if draft:
                    await pilot.press("ctrl+end", "ctrl+g")
                    engines[0].write(" She went on along the shore, and did not look back.")
                    await pilot.pause()
                    await pilot.press("tab" if number % 2 else "escape")
                    engines[0].asked.clear()
                else:
                    page.editor.insert("x" if number % 5 else " ")
                    await pilot.pause(0)
                if number % 10 == 0:
                    page.manuscript.save()

            for number in range(10):
                await once(number, draft=number % 2 == 0)
            gc.collect()
            tracemalloc.start()
            for number in range(edits):
                await once(number, draft=False)
            for number in range(drafts):
                await once(number, draft=True)
            gc.collect()
            return tracemalloc.get_traced_memory()[0] / 1e6

    return asyncio.run(written())


def import_seconds(rounds: int = 5) -> float:
    """Return how long Python takes to start and import Textual; the median."""
    seconds = []
    for _ in range(rounds):
        begun = time.perf_counter()
        subprocess.run(_IMPORT, check=True)
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


class Table:
    """The table, printed line by line.

    Args:
        yardstick: seconds that all times are compared with.
    """

    def __init__(self, yardstick: float) -> None:
        self._yardstick = yardstick
        print(f"| {WORDS:,} words | measured | in imports of Textual | aim |\n| --- | --- | --- | --- |")

    def seconds(self, what: str, value: float, target: float | None = None) -> None:
        """Print a time."""
        aim = "" if target is None else f"<= {target:g} s"
        print(f"| {what} | {value:.3f} s | {value / self._yardstick:.2f} | {aim} |", flush=True)

    def memory(self, what: str, value: float, target: float | None = None) -> None:
        """Print an amount of memory, in megabytes."""
        aim = "" if target is None else f"<= {target:g} MB"
        print(f"| {what} | {value:.0f} MB | | {aim} |", flush=True)


def measure(folder: Path, count: int, edits: int, drafts: int) -> None:
    """Print the table."""
    warming = Measured(folder, "warming")  # what is installed has been compiled, and has been read from the disk before
    warming.wait_for_model()
    warming.quit()
    yardstick = import_seconds()
    table = Table(yardstick)
    table.seconds("Python and Textual imported", yardstick)
    loading = Measured(folder, "loading")
    table.seconds("start to text on the screen", loading.first_paint, FIRST_PAINT_SECONDS)
    table.memory("memory then", loading.memory_mb)
    table.seconds("quit while the model loads", loading.quit(), QUIT_SECONDS)
    idle = Measured(folder, "idle")
    table.seconds("start to text on the screen, again", idle.first_paint, FIRST_PAINT_SECONDS)
    idle.wait_for_model()
    table.memory("memory with the model", idle.memory_mb)
    table.seconds("quit while nothing is written", idle.quit(), QUIT_SECONDS)
    streaming = Measured(folder, "streaming")
    table.seconds("start to text on the screen, a third time", streaming.first_paint, FIRST_PAINT_SECONDS)
    streaming.wait_for_model()
    streaming.stream()
    waits = keys(streaming, count)
    table.seconds(f"key to paint while text streams, median of {count}", statistics.median(waits))
    worst = statistics.quantiles(waits, n=20, method="inclusive")[-1]
    table.seconds(f"key to paint while text streams, 95th percentile of {count}", worst, KEY_SECONDS)
    table.seconds("quit while text streams", streaming.quit(), QUIT_SECONDS)
    table.memory(f"more held after {edits:,} edits and {drafts:,} drafts", grown_mb(folder, edits, drafts), GROWN_MB)


def main() -> None:
    """Measure in a home of its own, which has the models of the real one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--keys", type=int, choices=range(2, 65), default=60, metavar="N", help="how many keys to time, up to 64"
    )
    parser.add_argument("--edits", type=int, default=5000, metavar="N", help="after how many edits memory is looked at")
    parser.add_argument("--drafts", type=int, default=300, metavar="N", help="and after how many drafts")
    options = parser.parse_args()
    cache = paths.cache_folder()
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "home"
        home.mkdir()
        (home / "cache").symlink_to(cache)
        os.environ["BILLY_HOME"] = str(home)
        # Where Python may not keep what it has compiled, as some of those who develop have it, it would each time anew.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(home / "compiled")
        measure(Path(scratch), options.keys, options.edits, options.drafts)


if __name__ == "__main__":
    main()

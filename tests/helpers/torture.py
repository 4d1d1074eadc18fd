"""Kill a process that writes a manuscript, again and again, and see that nothing it had acknowledged is lost.

    python tests/helpers/torture.py --kills 2000

Half of the kills come at random moments; the others right before, in the middle of, or right after every single call
to the disk while a manuscript is opened, typed into, saved and closed. What is recovered has to be the text after the
last acknowledged step, or after the one that was under way.
"""

import argparse
import contextlib
import itertools
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from billy_mlx.manuscript.manuscript import Manuscript

sys.path.insert(0, str(Path(__file__).parents[1]))  # a command as well, where pytest has not seen to that
from helpers.disk_faults import faults

WORDS = (
    "sea",
    "fog",
    "lamp,",
    "harbour",
    "Ünder",
    "灯",
    "said the keeper.",
    "then nothing was heard of it",
    "\n\n",
    "\n",
)


def steps(seed, count):
    """Yield functions that each do one thing to a manuscript, and return the manuscript to go on with."""
    chance = random.Random(seed)
    for _ in range(count):
        kind = chance.choices([typed, deleted, undone, redone, saved, drafted, accepted, reopened], STEPS)[0]
        yield kind, chance.random(), " ".join(chance.choices(WORDS, k=chance.randint(1, 6)))


STEPS = [12, 3, 2, 1, 2, 3, 2, 1]


def typed(manuscript, where, text):
    place = int(where * len(manuscript.text))
    manuscript.edit(place, place, text)


def deleted(manuscript, where, text):
    start = int(where * len(manuscript.text))
    manuscript.edit(start, min(start + len(text), len(manuscript.text)), "")


def undone(manuscript, *_):
    manuscript.versions.undo()


def redone(manuscript, *_):
    manuscript.versions.redo()


def saved(manuscript, *_):
    manuscript.save()


def drafted(manuscript, where, text):
    drafts = manuscript.drafts
    if not drafts.open:
        drafts.alternative(drafts.begin("continue", int(where * len(manuscript.text))))
    draft = drafts.open[0]
    drafts.write(draft.alternatives[draft.shown].author, text)


def accepted(manuscript, where, _):
    for draft in manuscript.drafts.open[:1]:
        with contextlib.suppress(Exception):
            manuscript.drafts.accept(draft.id, None if where < 0.5 else 5)


def reopened(manuscript, *_):
    path, clock = manuscript.path, manuscript._clock
    manuscript.close()
    again = Manuscript.open(path, clock=clock)
    for offer in again.offers:
        again.recover(offer)
    return again


def run(path, seed, count, after=lambda manuscript: None):
    """Do `count` steps on the manuscript at `path`, calling `after` with it at the beginning and after each."""
    ticking = itertools.count(1.0, 0.3)
    manuscript = Manuscript.open(path, clock=lambda: next(ticking))
    after(manuscript)
    for step, where, text in steps(seed, count):
        manuscript = step(manuscript, where, text) or manuscript
        after(manuscript)
    return manuscript


def seen(manuscript):
    """What must not be lost: the text, and what a model has written beside it."""
    return manuscript.text, tuple(one.text for draft in manuscript.drafts.open for one in draft.alternatives)


def expected(folder, seed, count):
    """Return what was to be seen after each step, and the calls to the disk, of a run that nobody kills."""
    history = []
    with home(folder) as path, faults(folder) as watch:
        run(path, seed, count, lambda manuscript: history.append(seen(manuscript))).close()
    return history, watch.calls


@contextlib.contextmanager
def home(folder):
    """Yield a path for a manuscript in a new home of its own."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    os.environ["BILLY_HOME"] = str(folder / "home")
    (folder / "novel.md").write_bytes(b"# One\n\nIt was a dark night.\n")
    yield folder / "novel.md"


def killed(folder, path, seed, count, *, crash=None, delay=None):
    """Run in a child that is killed at a call to the disk or after `delay` seconds; return what it acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with faults(folder, crash=crash):
                run(path, seed, count, lambda _: os.write(writing, b".")).close()
        finally:
            os._exit(0)
    os.close(writing)
    acknowledged = b""
    if delay is not None:
        acknowledged += os.read(reading, 1)
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
    while part := os.read(reading, 4096):
        acknowledged += part
    os.close(reading)
    os.waitpid(child, 0)
    return len(acknowledged)


def check(path, acknowledged, history):
    """Open what is left and see that it is what was acknowledged, or one step more."""
    manuscript = Manuscript.open(path)
    allowed = history[max(acknowledged - 1, 0) : acknowledged + 1]
    texts = {manuscript.text, *(offer.prose.text for offer in manuscript.offers)}
    found = [text for text, _ in allowed if text in texts]
    written = {draft for _, drafts in allowed for draft in drafts}
    kept = {text for text in seen(manuscript)[1] if text}  # a draft begins without a word
    fine = bool(found) and kept <= written and any(set(drafts) <= kept for _, drafts in allowed)
    walked = walk(manuscript)
    manuscript.close()
    return fine and walked


def walk(manuscript):
    """Take every step back and make it again: the history is whole."""
    text = manuscript.text
    count = 0
    while manuscript.versions.undo():
        count += 1
    for _ in range(count):
        manuscript.versions.redo()
    return manuscript.text == text and not manuscript.safety.problems


def torture(kills, seed=0, count=12):
    """Kill `kills` times; returns descriptions of what went wrong, and how often each way of killing was used."""
    wrong, done = [], {"at a call": 0, "at random": 0}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve() / "run"
        while sum(done.values()) < kills:
            seed += 1
            history, calls = expected(folder, seed, count)
            crashes = [(number, when) for number, name in enumerate(calls) for when in moments(name)]
            chance = random.Random(seed)
            plan = [{"crash": crash} for crash in chance.sample(crashes, min(12, len(crashes)))]
            plan += [{"delay": chance.random() * 0.02} for _ in range(12)]
            for how in plan[: kills - sum(done.values())]:
                with home(folder) as path:
                    acknowledged = killed(folder, path, seed, count, **how)
                    if not check(path, acknowledged, history):
                        wrong.append(f"seed {seed}, {how}, {acknowledged} acknowledged")
                done["at a call" if "crash" in how else "at random"] += 1
    return wrong, done


def every_call(seed=1, count=8):
    """Kill at every moment of every call of one run; returns what went wrong, and how many kills there were."""
    wrong = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve() / "run"
        history, calls = expected(folder, seed, count)
        crashes = [(number, when) for number, name in enumerate(calls) for when in moments(name)]
        for crash in crashes:
            with home(folder) as path:
                acknowledged = killed(folder, path, seed, count, crash=crash)
                if not check(path, acknowledged, history):
                    wrong.append(f"{crash} {calls[crash[0]]}, {acknowledged} acknowledged")
    return wrong, len(crashes)


def moments(name):
    """When a process may be killed at a call; reading changes nothing, so once is enough."""
    if name == "read":
        return ("before",)
    return ("before", "torn", "after") if name == "write" else ("before", "after")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    begun = time.perf_counter()
    wrong, calls = every_call(options.seed + 1)
    print(f"{calls} kills, one at each moment of each call of a run: {len(wrong)} went wrong")
    more, done = torture(max(options.kills - calls, 0), options.seed)
    for line in (*wrong, *more):
        print("LOST:", line)
    ways = ", ".join(f"{number} {way}" for way, number in done.items())
    print(f"{sum(done.values())} kills ({ways}): {len(more)} went wrong; {time.perf_counter() - begun:.0f} s in all")
    sys.exit(bool(wrong or more))

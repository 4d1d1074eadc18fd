"""Break model folders in thousands of ways, and see that each one is refused in a sentence, or works.

    python tests/helpers/broken_folders.py --folders 5000
    python tests/helpers/broken_folders.py --only 4711

Each folder is loaded, written with and asked for what its chat template does, in a process that is watched. What the
program does in a process of its own, the trial, is done in that same process, so that it takes milliseconds; whatever
is too much for the trial has to be so there, and not afterwards.
"""

import argparse
import collections
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

import psutil

sys.path[:0] = [str(Path(__file__).parents[1])]  # a command as well, without pytest

import billy_mlx  # noqa: F401  isort: skip  before mlx is imported

from billy_mlx.blend.recipe import Recipe
from billy_mlx.blend.writer import generate
from billy_mlx.errors import BillyError
from billy_mlx.model import load, trial, trial_process
from billy_mlx.model.chat import behaviour
from billy_mlx.model.sampling import Sampling
from helpers.folder_mutations import broken, make_bases, read_bases, write
from helpers.refusals import objection

TRIAL_SECONDS, SECONDS = 2.0, 5.0  # of computing: in a step of the trial, which has longer in truth, and in all others
WALL_SECONDS = 60.0
BYTES = 500 << 20  # of memory that a step may take
PER_WORKER = 400  # folders, so that what each leaves in memory does not add up
POLL_SECONDS = 0.02
SAMPLING = Sampling(xtc_probability=0.5, repetition_penalty=1.1, no_repeat_ngram=2, dry_multiplier=0.5)
LETTERS = 20_000  # of the trial's long text, which has five times as many in truth
PROCESSES = 2
FINE = ("good", "refused", "too much for its trial")


class Worker:
    """A process that looks at one folder after another, and is killed if one takes too much."""

    def __init__(self, home):
        self.count = 0
        asked, self._ask = os.pipe()
        self._told, tell = os.pipe()
        parent = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                for descriptor in (self._ask, self._told):
                    os.close(descriptor)
                _work(asked, tell, home, parent)
            finally:
                os._exit(1)
        os.close(asked)
        os.close(tell)
        self._rest = b""
        self._process = psutil.Process(self._pid)

    def look(self, folder):
        """Return an outcome and what was said: "good", "refused", "too much for its trial", or a fault."""
        self.count += 1
        os.write(self._ask, f"{folder}\n".encode())
        step, on_trial = "starting", False
        began, (seconds, memory) = time.monotonic(), self._taken()
        while True:
            for message in self._messages():
                if "step" not in message:
                    return message["outcome"], message["said"]
                step, on_trial, began = message["step"], message["on trial"], time.monotonic()
                seconds, memory = self._taken()[0], min(memory, self._taken()[1])
            now, held = self._taken()
            died = self._died()
            too_much = None
            if now - seconds > (TRIAL_SECONDS if on_trial else SECONDS) or time.monotonic() - began > WALL_SECONDS:
                too_much = f"{step} does not end"
            elif held - memory > BYTES:
                too_much = f"{step} takes {(held - memory) >> 20} MB"
            elif died:
                too_much = f"{step} ended the process"
            if too_much is not None:
                self.kill()
                return "too much for its trial" if on_trial else "FAULT", too_much

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)
        self.count = PER_WORKER
        for descriptor in (self._ask, self._told):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _taken(self):
        try:
            times = self._process.cpu_times()
            return times.user + times.system, self._process.memory_info().rss
        except psutil.Error:
            return 0.0, 0

    def _died(self):
        try:
            return self._process.status() == psutil.STATUS_ZOMBIE
        except psutil.Error:
            return True

    def _messages(self):
        ready, _, _ = select.select([self._told], [], [], POLL_SECONDS)
        if ready:
            self._rest += os.read(self._told, 1 << 16)
        *lines, self._rest = self._rest.split(b"\n")
        return [json.loads(line) for line in lines]


def _work(asked, tell, home, parent):
    """Look at folders, as their names come, until there are no more."""
    import mlx.core as mx

    mx.disable_compile()  # of kernels, which takes the CPU seconds each
    os.environ["BILLY_HOME"] = str(home)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)

    def say(message):
        os.write(tell, json.dumps(message).encode() + b"\n")

    threading.Thread(target=trial_process._end_with, args=(parent,), daemon=True).start()
    trial._Trial, trial_process._LETTERS = _in_process(say), LETTERS
    for line in os.fdopen(asked, encoding="utf-8"):
        say(_looked(Path(line.strip()), lambda step: say({"step": step, "on trial": False})))


def _in_process(say):
    """Return what does a trial's task in this process."""

    class InProcess:
        def __init__(self, task, _):
            self._task = task

        def answer(self):
            step = ["starting"]

            def note(message):
                step[:] = [message["step"]]
                say({"step": message["step"], "on trial": True})

            try:
                answer = trial_process._tried(Path(self._task["folder"]), note)
            except BaseException as error:
                raise trial._OutOfBounds(f"{step[0]} ended the program that tried it", is_final=True) from error
            say({"step": "going on", "on trial": False})
            return answer

    return InProcess


def _looked(folder, step):
    try:
        step("loading")
        model = load.load(folder)
        step("writing")
        for request in (
            Recipe.of("Who is at the door?", max_tokens=3, sampling=SAMPLING),
            Recipe.of("Why", chat=False, max_tokens=3),
        ):
            generate(model, request)
        step("its chat template")
        asked = behaviour(model.tokenizer) if model.tokenizer.has_chat_template else ()
        lines = [f"{model.batches} that rows go together", *(f"{name}: {does}" for name, does in asked)]
    except BillyError as error:
        return {"outcome": objection(str(error)) or "refused", "said": str(error)}
    except BaseException:  # noqa: BLE001  that is what is looked for
        return {"outcome": "FAULT", "said": traceback.format_exc()[-3000:]}
    return {"outcome": next(filter(None, map(objection, lines)), "good"), "said": "\n".join(lines)}


def fuzz(seeds, tell=print):
    """Look at the folder of each seed; return how often each outcome came, and the faults with their seeds."""
    counts, faults = collections.Counter(), []
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch).resolve()
        subprocess.run(
            [sys.executable, __file__, "--bases", str(place / "bases")], check=True, stderr=subprocess.DEVNULL
        )
        bases, waiting, lock = read_bases(place / "bases"), iter(seeds), threading.Lock()

        def take():
            with lock:
                return next(waiting, None)

        def run(number):
            worker = None
            while (seed := take()) is not None:
                if worker is None or worker.count >= PER_WORKER:
                    if worker is not None:
                        worker.kill()
                    with lock:
                        worker = Worker(place / "home")
                files, done = broken(seed, bases)
                folder = write(files, place / f"{number}" / f"{seed}")
                outcome, said = worker.look(folder)
                shutil.rmtree(folder)
                counts[outcome] += 1
                if outcome not in FINE:
                    faults.append(f"{outcome} at --only {seed}: {said}\n    {done}")
                    tell(faults[-1])
            if worker is not None:
                worker.kill()

        threads = [threading.Thread(target=run, args=(number,)) for number in range(PROCESSES)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return counts, faults


def only(seed):
    """Look at one folder and tell everything."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch).resolve()
        subprocess.run(
            [sys.executable, __file__, "--bases", str(place / "bases")], check=True, stderr=subprocess.DEVNULL
        )
        files, done = broken(seed, read_bases(place / "bases"))
        print("\n".join(done))
        outcome, said = Worker(place / "home").look(write(files, place / "model"))
        print(f"{outcome}: {said}")
        return outcome


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folders", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, metavar="SEED")
    parser.add_argument("--bases", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bases is not None:
        make_bases(options.bases)
        sys.exit()
    if options.only is not None:
        sys.exit(only(options.only) not in FINE)
    begun = time.perf_counter()
    counts, faults = fuzz(range(options.seed, options.seed + options.folders))
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
    print(f"{sum(counts.values())} broken model folders ({outcomes}); {time.perf_counter() - begun:.0f} s in all")
    sys.exit(bool(faults))

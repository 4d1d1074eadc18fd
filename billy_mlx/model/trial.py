"""What runs other people's programs and data is tried first where it can do no harm: in a process that is watched.

A chat template is a program, a tokenizer is tables that a program goes by, and config.json says how large a model is.
Any of them may run for ever or fill the memory, by mistake or on purpose. A model folder is tried once: the verdict is
kept by a digest of what was tried and of the versions of what it was tried with.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import psutil

from billy_mlx import paths
from billy_mlx.errors import BillyError, ModelError
from billy_mlx.files import read_all, reading, write_atomically
from billy_mlx.model import weights
from billy_mlx.model.folder import described_by, shown
from billy_mlx.model.layers import Shape
from billy_mlx.text import quoted

SECONDS = 5.0
"""Of computing, that each part of a model folder may take on its trial, and a little more for every megabyte of it."""

_SECONDS_A_MEGABYTE = 0.3
_WALL = 6  # times as many seconds until nobody waits any more: a machine may be busy, and a file may hang
_START_SECONDS = 60.0  # until the process is ready: its imports take seconds on a slow disk
_BYTES, _BYTES_A_BYTE = 400 << 20, 24  # of memory, and for every byte of the folder's files but weights
_STEPS = 6  # at most, of a trial
_LARGEST_ANSWER = 64 << 20
_POLL_SECONDS = 0.02
_FROM_OUTSIDE = {-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP}  # out of memory, most likely
_DECIDES = ("billy-mlx", "jinja2", "tokenizers", "transformers", "mlx-lm", "mlx")
_PROCESS = "billy_mlx.model.trial_process"
_FOLDER = "\ufdd0"  # stands for the folder in what is kept: the same files may lie elsewhere as well
_LARGEST_VERDICT = 1 << 16


@dataclass(frozen=True)
class TrialBounds:
    """How much a trial may take: seconds of computing in each of its steps, and bytes of memory above its start."""

    seconds: float
    bytes_: int


def require_harmless(folder: Path, *, has_tokenizer: bool = True) -> Shape:
    """Try a model folder, unless one with the same files was tried before, and return the sizes of its model.

    Args:
        has_tokenizer: the folder is of a whole model; otherwise only the building of one is tried.

    Raises:
        ModelError: it is refused, with the part of it that is at fault.
    """
    files = described_by(folder)
    file = verdicts_folder() / f"{_digest(folder, files)}{'' if has_tokenizer else '-outline'}.json"
    own, verdict = shown(folder), _kept(file)
    if verdict is None:
        size = sum(each.stat().st_size for each in files)
        bounds = TrialBounds(SECONDS + size / 1e6 * _SECONDS_A_MEGABYTE, _BYTES + _BYTES_A_BYTE * size)
        verdict, is_final = _tried({"folder": str(folder), "has_tokenizer": has_tokenizer}, folder, bounds)
        if is_final:
            kept = replace(verdict, refused=verdict.refused.replace(own, _FOLDER))
            with suppress(BillyError):  # then it is tried the next time as well
                write_atomically(file, msgspec.json.encode(kept))
    if verdict.shape is None:
        raise ModelError(verdict.refused.replace(_FOLDER, own))
    return verdict.shape


def rendered(template: str, messages: list[Mapping[str, object]], settings: Mapping[str, object]) -> str:
    """Return what a chat template makes of messages that are longer than those it was tried with.

    Raises:
        ModelError: it takes too long or too much memory.
        ValueError: it fails; says how.
    """
    task = {"template": template, "messages": messages, "settings": settings}
    size = len(json.dumps(task))
    try:
        answer = _Trial(task, TrialBounds(SECONDS + size / 1e6, _BYTES + _BYTES_A_BYTE * size)).answer()
    except _OutOfBounds as error:
        what = f"The model's chat template is too much for a long message: {error}"
        raise ModelError(f"{what}; use --ignore-chat-template or another copy of the model") from error
    if "refused" in answer:
        raise ValueError(answer["refused"])
    return str(answer["text"])


def verdicts_folder() -> Path:
    """Where it is kept which model folders have passed their trial; tried again if it is gone."""
    return paths.cache_folder() / "tried"


@dataclass(frozen=True)
class _Verdict:
    """What came of a trial: the sizes of the model, or a sentence that says why it is refused."""

    refused: str = ""
    shape: Shape | None = None


def _tried(task: Mapping[str, object], folder: Path, bounds: TrialBounds) -> tuple[_Verdict, bool]:
    """Return what comes of a trial, and whether another one would end in the same way."""
    is_final = True
    try:
        answer = _Trial(task, bounds).answer()
    except _OutOfBounds as error:
        answer, is_final = {"refused": str(error)}, error.is_final
    if "shape" in answer:
        return _Verdict(shape=msgspec.convert(answer["shape"], Shape)), is_final
    refused = str(answer["refused"])
    if not answer.get("whole"):
        refused = f"{shown(folder)} cannot be used: {quoted(refused, 300)}; get the model again or choose another one"
    return _Verdict(refused), is_final


class _OutOfBounds(ModelError):
    """A trial took too much.

    Attributes:
        is_final: it would again; a time on the wall depends on what else the machine does.
    """

    def __init__(self, message: str, *, is_final: bool) -> None:
        super().__init__(message)
        self.is_final = is_final


class _Trial:
    """A process with a task, watched until it has answered.

    Each line that it writes is a JSON object: those before the last say which step begins, the last one is the answer.
    """

    def __init__(self, task: Mapping[str, object], bounds: TrialBounds) -> None:
        # The bounds hold without anyone who watches as well: whoever began this may be killed.
        most = _START_SECONDS + _STEPS * bounds.seconds
        self._task, self._bounds = {**task, "seconds": int(most), "parent": os.getpid()}, bounds
        self._step: str | None = None  # while it starts
        self._began = time.monotonic()
        self._read = 0  # bytes of what it has written
        self._rest = b""
        self._seconds = self._bytes = 0.0  # computed before this step, and held when the first began

    def answer(self) -> dict[str, Any]:
        """Return what the process answers.

        Raises:
            _OutOfBounds: it took too much, or died.
            ModelError: it cannot be started.
        """
        try:
            with tempfile.TemporaryFile() as task, tempfile.TemporaryFile() as said:
                task.write(json.dumps(self._task).encode())
                task.seek(0)
                process = subprocess.Popen(
                    [sys.executable, "-P", "-m", _PROCESS],
                    stdin=task,
                    stdout=said,
                    stderr=subprocess.DEVNULL,
                    env=_environment(),
                    start_new_session=True,  # Ctrl+C is for whoever waits for it
                )
                try:
                    return self._watched(process, said.fileno())
                finally:
                    process.kill()
                    process.wait()
        except OSError as error:
            raise ModelError(
                f"The model cannot be tried out: {error.strerror}; put that right and try again"
            ) from error

    def _watched(self, process: "subprocess.Popen[bytes]", said: int) -> dict[str, Any]:
        watched = psutil.Process(process.pid)
        while True:
            ended = process.poll()
            for line in self._lines(said):
                message: dict[str, Any] = json.loads(line)
                if "step" not in message:
                    return message
                self._begin(str(message["step"]), watched)
            if ended is not None:
                what = "starting" if self._step is None else self._step
                is_final = self._step is not None and ended not in _FROM_OUTSIDE
                raise _OutOfBounds(f"{what} ended the program that tried it", is_final=is_final)
            with suppress(psutil.Error):  # it has just ended
                self._require_bounded(watched)
            time.sleep(_POLL_SECONDS)

    def _lines(self, said: int) -> Iterator[bytes]:
        """Yield the lines that have come since."""
        new = os.pread(said, _LARGEST_ANSWER + 1 - self._read, self._read)
        self._read += len(new)
        if self._read > _LARGEST_ANSWER:
            raise _OutOfBounds(f"{self._step} gives more than {_LARGEST_ANSWER >> 20} MB", is_final=True)
        *whole, self._rest = (self._rest + new).split(b"\n")
        yield from whole

    def _begin(self, step: str, watched: psutil.Process) -> None:
        with suppress(psutil.Error):
            self._seconds = _computed(watched)
            if self._step is None:
                self._bytes = watched.memory_info().rss
        self._step, self._began = step, time.monotonic()

    def _require_bounded(self, watched: psutil.Process) -> None:
        waited = time.monotonic() - self._began
        if self._step is None:
            if waited > _START_SECONDS:
                raise _OutOfBounds(
                    f"the program that tries it does not start in {_START_SECONDS:.0f} s", is_final=False
                )
            return
        seconds = self._bounds.seconds
        if _computed(watched) - self._seconds > seconds:
            raise _OutOfBounds(f"{self._step} takes more than {seconds:.0f} seconds", is_final=True)
        if waited > _WALL * seconds:
            raise _OutOfBounds(f"{self._step} does not end in {_WALL * seconds:.0f} seconds", is_final=False)
        if watched.memory_info().rss - self._bytes > self._bounds.bytes_:
            raise _OutOfBounds(f"{self._step} takes more than {self._bounds.bytes_ >> 20} MB of memory", is_final=True)


def _computed(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _environment() -> dict[str, str]:
    """Return an environment in which the process finds this package, wherever it was imported from, and no network."""
    # An empty place is where the program was begun: whatever lies there is not to be imported.
    places = [str(Path(__file__).parents[2]), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return os.environ | {"PYTHONPATH": os.pathsep.join(places), "HF_HUB_OFFLINE": "1"}


def _digest(folder: Path, files: Sequence[Path]) -> str:
    """Return what changes with anything that decides what comes of a trial."""
    digest = hashlib.sha256(repr([(name, version(name)) for name in _DECIDES]).encode())
    for file in files:
        try:
            with file.open("rb") as stream:
                content = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise ModelError(f"{shown(file)} cannot be read: {error.strerror}; get the model again") from error
        digest.update(f"{str(file.relative_to(folder))!r}{content}".encode(errors="surrogatepass"))
    for file, header in weights.headers(folder):
        digest.update(f"{file.name!r}{hashlib.sha256(header).hexdigest()}".encode(errors="surrogatepass"))
    return digest.hexdigest()


def _kept(file: Path) -> _Verdict | None:
    """Return the verdict of an earlier trial, None if there was none."""
    try:
        with reading(file) as handle:
            verdict = msgspec.json.decode(read_all(handle, _LARGEST_VERDICT), type=_Verdict)
    except (OSError, msgspec.DecodeError, RecursionError):
        return None
    return verdict if verdict.shape is not None or verdict.refused else None

"""The one thread that owns a model: loads it, and does what is asked, a step at a time. MLX is imported inside it."""

import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from billy_mlx.engine.messages import (
    Broken,
    Ended,
    Failed,
    Job,
    Load,
    Loaded,
    Loading,
    Steer,
    Stop,
    Unloaded,
    Unsteered,
)
from billy_mlx.engine.schedule import Schedule
from billy_mlx.errors import BillyError

if TYPE_CHECKING:
    from billy_mlx.engine.work import Kind, Work
    from billy_mlx.engine.workshop import Workshop
    from billy_mlx.model.model import Model

Post = Callable[[object], None]
Loader = "Callable[[str | None], Model]"

_MEMORY_WORDS = ("memory", "alloc")
_NO_MEMORY = (
    "the model ran out of memory; what was written is kept: write with fewer voices, have less sent to it, or take a "
    "smaller model"
)


@dataclass(eq=False)
class _Running:
    """A job under way."""

    job: Job
    work: "Work"
    steps: Iterator[object | None]
    stopped: bool = False

    @property
    def urgent(self) -> bool:
        return self.work.urgent

    @property
    def rank(self) -> int:
        return self.work.rank


class Engine:
    """Does what it is asked in a thread of its own.

    Args:
        post: takes every event, in that thread; must not wait.
        kinds: gives what begins each type of request; called in that thread, as it brings MLX.
        load: loads a model; `billy_mlx.model.load.load` if nothing else is said.
    """

    def __init__(
        self,
        post: Post,
        kinds: "Callable[[], Mapping[type, Kind]]",
        *,
        load: "Callable[[str | None], Model] | None" = None,
    ) -> None:
        self._post, self._make_kinds, self._load_model = post, kinds, load
        self._requests: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="billy-engine", daemon=True)
        self._kinds: Mapping[type, Kind] = {}
        self._workshop: Workshop | None = None
        self._jobs: dict[Job, _Running] = {}
        self._schedule = Schedule(time.perf_counter)

    def start(self, model: str | None = None) -> None:
        """Begin, with loading a model."""
        self._requests.put(Load(model))
        self._thread.start()

    def ask(self, request: object) -> None:
        """Take a request, from any thread, without waiting."""
        self._requests.put(request)

    def close(self, timeout_seconds: float = 0.4) -> None:
        """Stop everything; the thread ends after its step, for which this waits no longer than `timeout_seconds`."""
        self._ending.set()
        self._requests.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout_seconds)

    def _run(self) -> None:
        try:
            self._kinds = self._make_kinds()
            while not self._ending.is_set():
                self._take_requests()
                if self._jobs and not self._ending.is_set():
                    self._step(self._schedule.next(list(self._jobs.values())))
        except Exception:  # noqa: BLE001  the last line of defence: without it the studio would wait for ever
            self._post(Unloaded("the engine has stopped by a fault of its own; leave the studio and open it again"))
            self._post(Broken("the engine has stopped by a fault of its own", traceback.format_exc()))
        finally:
            self._jobs.clear()
            _let_go()

    def _take_requests(self) -> None:
        """Take in what was asked meanwhile; with nothing else to do, wait for it."""
        with suppress(queue.Empty):
            while not self._ending.is_set():
                self._take(self._requests.get(block=not self._jobs))

    def _take(self, request: Any) -> None:
        match request:
            case None:
                return
            case Load(model=model):
                for running in list(self._jobs.values()):
                    self._end(running, Ended(running.job, stopped=True))
                self._load(model)
            case Stop(job=job, voice=voice):
                if job in self._jobs:
                    self._jobs[job].work.stop(voice)
                    self._jobs[job].stopped |= voice is None
            case Steer(job=job):
                if job in self._jobs:
                    self._steer(self._jobs[job], request)
            case _:
                self._begin(request)

    def _load(self, model: str | None) -> None:
        from billy_mlx.engine.notes import model_note, voice_notes
        from billy_mlx.engine.workshop import Workshop
        from billy_mlx.model.load import default_name, load

        self._workshop = None  # its memory is wanted
        try:
            name = default_name() if model is None else model
            self._post(Loading(f"loading {name} ..."))
            loaded = (self._load_model or load)(name)
            voices, faults = voice_notes(loaded)
        except BillyError as error:
            self._post(Unloaded(str(error)))
        except (MemoryError, RuntimeError) as error:
            if not _is_of_memory(error):
                raise
            self._post(
                Unloaded(f"{model or 'the model'} does not fit into memory; close something, or take a smaller one")
            )
        else:
            self._workshop = Workshop(loaded, self._load_within)
            self._post(Loaded(model_note(loaded), voices, faults))

    def _load_within(self, model: str) -> None:
        """Load another model for a job that goes on with it."""
        before = self._workshop
        self._load(model)
        if self._workshop is None:
            raise BillyError(f"{model} could not be loaded; choose another, or load the model again")
        if before is not None:
            before.model, before.store, before.kept = self._workshop.model, self._workshop.store, self._workshop.kept
            self._workshop = before

    def _begin(self, request: Any) -> None:
        kind = self._kinds.get(type(request))
        if kind is None:
            self._post(Broken("the engine was asked for something it does not know", repr(type(request))))
            return
        if self._workshop is None:
            self._post(Failed(request.job, "there is no model to do that with; load one first"))
            return
        work = kind(self._workshop, request)
        self._jobs[request.job] = _Running(request.job, work, iter(work))

    def _step(self, running: _Running) -> None:
        try:
            event = next(running.steps)
        except StopIteration:
            self._end(running, Ended(running.job, running.stopped))
        except BillyError as error:
            self._end(running, Failed(running.job, str(error)))
        except Exception as error:  # noqa: BLE001  a job that fails must not take the writer's others with it
            self._fail(running, error)
        else:
            if event is not None:
                self._post(event)
        finally:
            self._schedule.done(running)

    def _steer(self, running: _Running, request: Steer) -> None:
        from billy_mlx.engine.work import Steerable

        try:
            if isinstance(running.work, Steerable):
                running.work.steer(request.voice, request.blend)
        except BillyError as error:
            self._post(Unsteered(running.job, str(error)))

    def _fail(self, running: _Running, error: Exception) -> None:
        if _is_of_memory(error):
            if self._workshop is not None:
                self._workshop.store.clear()
            self._end(running, Failed(running.job, _NO_MEMORY))
            return
        report = "".join(traceback.format_exception(error))
        self._end(
            running, Failed(running.job, "that failed by a fault of the program; it is noted, and all else goes on")
        )
        self._post(Broken("something failed by a fault of the program; billy doctor shows where it is noted", report))

    def _end(self, running: _Running, event: object) -> None:
        del self._jobs[running.job]
        close = getattr(running.steps, "close", None)
        if close is not None:
            close()
        self._post(event)


def _is_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(word in str(error).lower() for word in _MEMORY_WORDS)
    )


def _let_go() -> None:
    """Give the thread's streams back: the process can abort at its end otherwise."""
    mx = sys.modules.get("mlx.core")
    clear = getattr(mx, "clear_streams", None)
    if clear is not None:
        clear()

"""The one thread that owns a model: loads it, and does what is asked, a step at a time. MLX is imported inside it."""

import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

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
    Unload,
    Unloaded,
    Unsteered,
)
from billy_mlx.errors import BillyError, is_of_memory

if TYPE_CHECKING:
    from billy_mlx.engine.jobs import JobContext, JobFactory, RunningJob
    from billy_mlx.model.model import Model

Post = Callable[[object], None]

_NO_MEMORY = (
    "the model ran out of memory; what was written is kept: use fewer voices, send the model less, or choose a "
    "smaller model"
)
_FAULT = "that failed because of a fault in the program; everything else still works, and billy doctor has the details"


_SHARE = 4  # times as long as a step in the background took, what is urgent has for itself


@dataclass(eq=False)
class _Running:
    """A job under way."""

    job: Job
    work: "RunningJob"
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
        job_types: gives what begins each type of request; called in that thread, as it brings MLX.
        load: loads a model; `billy_mlx.model.load.load` if nothing else is said.
    """

    def __init__(
        self,
        post: Post,
        job_types: "Callable[[], Mapping[type, JobFactory]]",
        *,
        load: "Callable[[str | None], Model] | None" = None,
    ) -> None:
        self._post, self._make_job_types, self._load_model = post, job_types, load
        self._requests: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="billy-engine", daemon=True)
        self._job_types: Mapping[type, JobFactory] = {}
        self._workshop: JobContext  # once the thread runs
        self._having_turn: _Running | None = None
        self._jobs: dict[Job, _Running] = {}
        self._schedule = Schedule(time.perf_counter)

    def start(self, model: str | None = None) -> None:
        """Begin, with loading a model."""
        self._requests.put(Load(model))
        self._thread.start()

    def ask(self, request: object) -> None:
        """Take a request, from any thread, without waiting."""
        self._requests.put(request)

    def close(self, timeout_seconds: float = 0.1) -> None:
        """Stop everything; the thread ends after its step, for which this waits no longer than `timeout_seconds`."""
        self._ending.set()
        self._requests.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout_seconds)

    def _run(self) -> None:
        try:
            from billy_mlx.engine.jobs import JobContext

            self._job_types = self._make_job_types()
            self._workshop = JobContext(None, self._load_within, self._wake)
            while not self._ending.is_set():
                self._take_requests()
                if self._jobs and not self._ending.is_set():
                    self._step(self._schedule.next(list(self._jobs.values())))
        except Exception as error:  # noqa: BLE001  the last line of defence: without it the studio would wait for ever
            self._report(error)
            self._post(
                Unloaded("the engine stopped because of a fault in the program; leave the studio and open it again")
            )
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
                self._load(model)
            case Unload():
                self._unload()
            case Stop(job=job, voice=voice):
                if job in self._jobs:
                    self._jobs[job].work.stop(voice)
                    self._jobs[job].stopped |= voice is None
            case Steer(job=job):
                if job in self._jobs:
                    self._steer(self._jobs[job], request)
            case _:
                self._begin(request)

    def _load(self, model: str | None, *, going_on: "_Running | None" = None) -> bool:
        """Load a model and say how that went; what was done with the one before ends, but for one job."""
        for running in [one for one in self._jobs.values() if one is not going_on]:
            self._end(running, Ended(running.job, stopped=True))
        return self._bring(model)

    def _bring(self, model: str | None, *, again: bool = False) -> bool:
        """Load a model and say how that went."""
        from billy_mlx.model.load import default_name, load

        self._workshop.use(None)  # its memory is wanted
        name = model or "the model"
        try:
            name = default_name() if model is None else model
            self._post(Loading(f"loading {name} again ..." if again else f"loading {name} ..."))
            loaded = (self._load_model or load)(name)
            event = self._described(loaded, again=again)
        except BillyError as error:
            self._post(Unloaded(str(error)))
        except Exception as error:  # noqa: BLE001  whatever a model makes MLX stumble over, the text can be gone on with
            if is_of_memory(error):
                self._post(
                    Unloaded(f"{name} does not fit into memory; close other programs, or choose a smaller model")
                )
            else:
                self._report(error)
                self._post(
                    Unloaded(f"{name} could not be loaded because of a fault in the program; choose another model")
                )
        else:
            self._workshop.use(loaded)
            self._post(event)
            return True
        return False

    def _described(self, model: "Model", *, again: bool) -> Loaded:
        from billy_mlx.engine.descriptions import model_info, vector_infos
        from billy_mlx.vectors.library import formerly_made

        voices, faults = vector_infos(model)
        former = formerly_made(model.fingerprint)
        voices = {each: replace(note, former=each in former.ids) for each, note in voices.items()}
        return Loaded(model_info(model), voices, faults, former.sentence(model.id), again)

    def _unload(self) -> None:
        """Put the model away until it is needed; not while a job is under way."""
        if self._jobs:
            return
        self._having_turn = None  # which holds what it was done with
        name = self._workshop.put_away()
        if name is not None:
            self._post(Unloaded(f"{name} is put away until you need it", until_needed=True))

    def _wake(self, model: str) -> None:
        """Load a model again that was put away; what is done without one goes on."""
        if not self._bring(model, again=True):
            raise BillyError(f"{model} could not be loaded again; choose another, or load the model again")

    def _load_within(self, model: str) -> None:
        """Load another model for the job that is having its turn."""
        if not self._load(model, going_on=self._having_turn):
            raise BillyError(f"{model} could not be loaded; choose another, or load the model again")

    def _begin(self, request: Any) -> None:
        kind = self._job_types.get(type(request))
        try:
            if kind is None:
                raise TypeError(f"the engine knows no {type(request).__name__}")
            work = kind(self._workshop, request)
            self._jobs[request.job] = _Running(request.job, work, iter(work))
        except BillyError as error:
            self._post(Failed(request.job, str(error)))
        except Exception as error:  # noqa: BLE001  as for a step
            self._post(Failed(request.job, _FAULT))
            self._report(error)

    def _step(self, running: _Running) -> None:
        self._having_turn = running
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
        from billy_mlx.engine.jobs import Steerable

        try:
            if isinstance(running.work, Steerable):
                running.work.steer(request.voice, request.blend)
        except BillyError as error:
            self._post(Unsteered(running.job, str(error)))
        except Exception as error:  # noqa: BLE001  as for a step
            self._fail(running, error)

    def _fail(self, running: _Running, error: Exception) -> None:
        if is_of_memory(error):
            self._workshop.store.clear()
            self._end(running, Failed(running.job, _NO_MEMORY))
        else:
            self._end(running, Failed(running.job, _FAULT))
            self._report(error)

    def _report(self, error: Exception) -> None:
        self._post(Broken(_FAULT, "".join(traceback.format_exception(error))))

    def _end(self, running: _Running, event: object) -> None:
        del self._jobs[running.job]
        close = getattr(running.steps, "close", None)
        if close is not None:
            close()
        self._post(event)


def _let_go() -> None:
    """Give the thread's streams back: the process can abort at its end otherwise."""
    mx = sys.modules.get("mlx.core")
    clear = getattr(mx, "clear_streams", None)
    if clear is not None:
        clear()


class Ranked(Protocol):
    """What is scheduled: `urgent` while somebody waits for it; of the others, the lowest `rank` goes first."""

    @property
    def urgent(self) -> bool: ...  # noqa: D102

    @property
    def rank(self) -> int: ...  # noqa: D102


_Work = TypeVar("_Work", bound=Ranked)


class Schedule:
    """Gives turns. While something is urgent, the background gets at most a fifth of the time.

    Args:
        clock: seconds, from anywhere on.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._begun = self._reserved_until = 0.0
        self._turns = {True: 0, False: 0}

    def next(self, works: Sequence[_Work]) -> _Work:
        """Return which of `works`, at least one, gets the next step; it is thought to begin now."""
        urgent = [work for work in works if work.urgent]
        waiting = [work for work in works if not work.urgent]
        self._begun = self._clock()
        if waiting and (not urgent or self._begun >= self._reserved_until):
            first = min(work.rank for work in waiting)
            return self._in_turn([work for work in waiting if work.rank == first], urgent=False)
        return self._in_turn(urgent, urgent=True)

    def done(self, work: Ranked) -> None:
        """Take note that the step is over."""
        if not work.urgent:
            now = self._clock()
            self._reserved_until = now + _SHARE * (now - self._begun)

    def _in_turn(self, works: Sequence[_Work], *, urgent: bool) -> _Work:
        # Counted apart: turns of the one would else decide whose turn it is among the others.
        self._turns[urgent] += 1
        return works[self._turns[urgent] % len(works)]

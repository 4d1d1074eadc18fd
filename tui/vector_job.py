"""The job that prepares voices while the writer writes on: one at a time, asked for from anywhere."""

from collections.abc import Callable, Sequence
from pathlib import Path

from textual.widgets import Label

from billy_mlx.engine.messages import Ended, Estimated, EstimateTime, Failed, Job, LearnVoice, Prepare, Progress, Stop
from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.textfile import read_text_file
from billy_mlx.text import sanitize, without_strays
from billy_mlx.tui.dates import about, progress_line
from billy_mlx.tui.engine_client import EngineClient
from billy_mlx.tui.screens.dialogs import Confirm
from billy_mlx.words import count_words

STOPPING = "stopping after this step; what is done so far is kept"
_WAITING = "Working out how long this takes ..."


class VectorJob:
    """The job that makes vectors, if one is running.

    Args:
        show_status: takes a sentence for the writer.
        choose: takes the name of a model that was fetched and prepared, for the next start.

    Attributes:
        progress: how far it is; None if there is no job, or no news of it yet.
        stopping: it was cancelled, and ends after its step.
    """

    def __init__(
        self, engine: EngineClient, show_status: Callable[[str], None], choose: Callable[[str], None] = lambda _: None
    ) -> None:
        self.progress: Progress | None = None
        self.stopping = False
        self._engine, self._show_status, self._choose = engine, show_status, choose
        self._model: str | None = None
        self._job: Job | None = None

    @property
    def running(self) -> bool:
        """Whether vectors are being made."""
        return self._job is not None

    @property
    def brief(self) -> str:
        """How far it is, in a few words; empty if nothing is made."""
        if self.stopping:
            return "preparing voices: stopping"
        if self.progress is None:
            return "preparing voices" if self.running else ""
        return progress_line("preparing voices", self.progress.share, self.progress.seconds_left)

    def begin(self, personas: tuple[str, ...], *, again: bool = False, model: str | None = None) -> None:
        """Prepare voices, and download a model first if one is named."""
        self._ask(Prepare(self._engine.next_job(), personas, model, again))

    def question(self, personas: tuple[str, ...], names: Sequence[str], *, again: bool) -> "VectorQuestion":
        """Return the question whether to prepare these voices; the engine is asked how long that takes."""
        job = self._engine.next_job()
        self._engine.ask(EstimateTime(job, personas, again))
        return VectorQuestion(job, names, again=again)

    def learn(self, persona_id: str, text: str, source: str) -> None:
        """Make a voice from a text."""
        self._ask(LearnVoice(self._engine.next_job(), persona_id, text, source))

    def cancel(self) -> None:
        """Stop; what was made so far is kept."""
        if self._job is None:
            self._show_status("no voice is being prepared")
            return
        self.stopping = True
        self._engine.ask(Stop(self._job))
        self._show_status(STOPPING)

    def on_engine_event(self, event: object) -> None:
        """Take in an event of the engine."""
        match event:
            case Progress(job=job) if job == self._job:
                self.progress = event
            case Ended(job=job, stopped=stopped) if job == self._job:
                if self._model is not None and not stopped:
                    self._choose(self._model)
                self._over("stopped; what is done so far is kept" if stopped else "the voices are ready")
            case Failed(job=job, reason=reason) if job == self._job:
                self._over(reason)

    def is_busy(self) -> bool:
        """Return whether vectors are being made; if so, say that the writer has to wait or cancel."""
        if self.running:
            self._show_status("voices are being prepared already; wait, or cancel it in the voices panel")
        return self.running

    def _ask(self, request: Prepare | LearnVoice) -> None:
        if self.is_busy():
            return
        self._job, self._model = request.job, request.model if isinstance(request, Prepare) else None
        self._engine.ask(request)

    def _over(self, sentence: str) -> None:
        self._job, self.progress, self.stopping = None, None, False
        self._show_status(sentence)


class VectorQuestion(Confirm):
    """Asks whether to prepare voices, and says how long that takes once the engine knows.

    Args:
        job: the number under which the engine was asked for that.
        names: whose vectors.
        again: they have some already.
    """

    def __init__(self, job: Job, names: Sequence[str], *, again: bool = False) -> None:
        self._job = job
        whose = ", ".join(names)
        have = "are prepared" if len(names) > 1 else "is prepared"
        self._begun = f"{whose} {have} already. Prepare again?" if again else f"Prepare {whose} for this model?"
        super().__init__(f"{self._begun} {_WAITING}", "Prepare", "Later")

    def on_mount(self) -> None:
        """Show what the engine answered before the question was on the screen."""
        self.query_one(Label).update(sanitize(self._question))

    def on_engine_event(self, event: object) -> None:
        """Take in an event of the engine."""
        match event:
            case Estimated(job=job, seconds=seconds) if job == self._job:
                self._say(f"This takes {about(seconds)}; you can keep writing meanwhile.")
            case Failed(job=job, reason=reason) if job == self._job:
                self._say(f"How long this takes is not known: {reason}")

    def _say(self, sentence: str) -> None:
        self._question = f"{self._begun} {sentence}"
        if self.is_mounted:
            self.query_one(Label).update(sanitize(self._question))


def text_to_learn(path: Path | None, manuscript: Manuscript | None) -> tuple[str, str]:
    """Return a text to make a voice of, and what it is, in words: of a file, or without one of what is open.

    Raises:
        ManuscriptError: there is no such file, or it cannot be read.
    """
    if path is None and manuscript is not None:
        text, path = manuscript.text, manuscript.path
    else:
        found = None if path is None else read_text_file(path)
        if found is None or path is None:
            raise ManuscriptError(f"there is no file {path}; name a file with a text of your own")
        text = found.text
    return without_strays(text), f"{count_words(text):,} words of {path.name}"

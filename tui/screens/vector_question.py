"""Whether a vector is to be made, with how long that takes as soon as it is known."""

from collections.abc import Sequence

from textual.widgets import Label

from billy_mlx.engine.messages import Estimated, Failed, Job
from billy_mlx.text import sanitize
from billy_mlx.tui.lasting import about
from billy_mlx.tui.screens.ask import Confirm

_WAITING = "Working out how long this takes ..."


class VectorQuestion(Confirm):
    """Asks whether to make vectors, and hears from the engine how long they take.

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
        """Say what was heard before there was a place to say it in."""
        self.query_one(Label).update(sanitize(self._question))

    def hear(self, event: object) -> None:
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

"""Whether a vector is to be made, with how long that takes as soon as it is known."""

from collections.abc import Sequence

from textual.widgets import Label

from billy_mlx.engine.messages import Estimated, Failed, Job
from billy_mlx.text import sanitize
from billy_mlx.tui.lasting import about
from billy_mlx.tui.screens.ask import Confirm

_WAITING = "How long it takes is being worked out ..."


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
        have = "have vectors" if len(names) > 1 else "has a vector"
        self._begun = f"{whose} {have} already. Make it anew?" if again else f"Make the vector of {whose}?"
        super().__init__(f"{self._begun} {_WAITING}", "Make it", "Later")

    def on_mount(self) -> None:
        """Say what was heard before there was a place to say it in."""
        self.query_one(Label).update(sanitize(self._question))

    def hear(self, event: object) -> None:
        """Take in an event of the engine."""
        match event:
            case Estimated(job=job, seconds=seconds) if job == self._job:
                self._say(f"That takes {about(seconds)}; you can go on writing meanwhile.")
            case Failed(job=job, reason=reason) if job == self._job:
                self._say(f"How long it takes cannot be told: {reason}")

    def _say(self, sentence: str) -> None:
        self._question = f"{self._begun} {sentence}"
        if self.is_mounted:
            self.query_one(Label).update(sanitize(self._question))

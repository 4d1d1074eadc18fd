"""How far a long job is: one progress bar on stderr for the whole of it, with the time it will still take."""

from typing import TYPE_CHECKING, Any

from billy_mlx.cli.output import advance, progress_of_whole
from billy_mlx.text import sanitize

if TYPE_CHECKING:
    from tqdm import tqdm


class Job:
    """The bar of a job; it appears with the first news and goes when it is closed."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._bar: tqdm[Any] | None = None

    def __enter__(self) -> "Job":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def show(self, stage: str, share: float) -> None:
        """Say what is being worked on, and what share of the job is done, from 0 to 1."""
        if self._bar is None:
            # What an earlier run has done took this one no time.
            self._bar = progress_of_whole(self._what, share)
        self._bar.set_description_str(f"billy: {self._what} {sanitize(stage)}", refresh=False)
        advance(self._bar, share)

    def close(self) -> None:
        """Take the bar away; what is shown next brings it back."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

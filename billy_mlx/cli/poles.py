"""How far the rollouts are: a progress bar on stderr for each pole, one after the other."""

from typing import TYPE_CHECKING, Any

from billy_mlx.cli.output import advance, progress

if TYPE_CHECKING:
    from tqdm import tqdm

    from billy_mlx.extraction.rollouts import Progress


class Poles:
    """The bars of one extraction; each appears with the first news of its pole and goes when it is closed."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None
        self._pole = ""

    def __enter__(self) -> "Poles":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def show(self, news: "Progress") -> None:
        """Take in how far a pole is."""
        if self._bar is None or news.pole != self._pole:
            self.close()
            self._pole = news.pole
            self._bar = progress(f"Extracting {news.pole}", unit=" tokens", total=news.total)
        advance(self._bar, news.tokens)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

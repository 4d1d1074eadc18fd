"""The commands of the page that have a chorus sing, and take of it."""

from typing import TYPE_CHECKING

from billy_mlx.tui.blends import saved_blends
from billy_mlx.tui.screens.drafting import Drafting
from billy_mlx.tui.settings import writing

if TYPE_CHECKING:
    from billy_mlx.tui.choir import Choir
    from billy_mlx.tui.screens.chorus import ChorusScreen


class Singing(Drafting):
    """A page where a chorus can sing. The screens are imported when they are first gone to."""

    _choir: "Choir | None" = None
    _sung: tuple[str | None, ...] | None = None

    def action_chorus(self) -> None:
        """See the continuation in several voices at once."""
        from billy_mlx.tui.choir import Choir, usual_voices

        self.need_model()
        voices = self._sung or usual_voices(self.blend, self.studio.settings.chorus_voices)
        self._choir = Choir(self.manuscript, self.drafts, voices)
        self._choir.begin(writing(self.studio.settings))
        self.app.push_screen(self._choir.screen, self._sung_out)

    def on_chorus_screen_taken(self, message: "ChorusScreen.Taken") -> None:
        """Put a voice's text into the manuscript."""
        with self.telling():
            if self._choir is not None:
                self._choir.take(message.voice, message.length)

    def on_chorus_screen_again(self, _: "ChorusScreen.Again") -> None:
        """Have all write once more."""
        if self._choir is not None:
            self._sing(self._choir.voices)

    def on_chorus_screen_stop_all(self, _: "ChorusScreen.StopAll") -> None:
        """Have all stop."""
        self.drafts.stop()

    def on_chorus_screen_choose_voices(self, _: "ChorusScreen.ChooseVoices") -> None:
        """Have other voices chosen."""
        from billy_mlx.tui.screens.chorus import ChorusVoices

        if self._choir is not None:
            asking = ChorusVoices(self.blend, saved_blends()[0], self._choir.voices)
            self.app.push_screen(asking, self._sing)

    def _sing(self, voices: tuple[str | None, ...] | None) -> None:
        if self._choir is not None and voices:
            self._sung = voices
            with self.telling():
                self._choir.again(voices, writing(self.studio.settings))

    def _sung_out(self, _: None) -> None:
        self._choir = None
        self.replaced()

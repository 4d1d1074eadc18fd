"""The commands of the page that have a chorus sing, and take of it."""

from typing import TYPE_CHECKING

from billy_mlx.tui.screens.drafting import Drafting
from billy_mlx.tui.screens.saved_blends import saved_blends
from billy_mlx.tui.settings import writing
from billy_mlx.tui.widgets.dial_labels import voice_names
from billy_mlx.tui.widgets.persona_list import Member, cast_of

if TYPE_CHECKING:
    from billy_mlx.tui.choir import Choir, Voices
    from billy_mlx.tui.screens.chorus import ChorusScreen


class Singing(Drafting):
    """A page where a chorus can sing. The screens are imported when they are first gone to."""

    _choir: "Choir | None" = None
    _sung: "Voices | None" = None

    @property
    def singing(self) -> "ChorusScreen | None":
        """The chorus over the page, while there is one."""
        return self._choir.screen if self._choir is not None and self._choir.screen.is_attached else None

    async def action_chorus(self) -> None:
        """See the continuation in several voices at once."""
        from billy_mlx.tui.choir import Choir
        from billy_mlx.tui.screens.chorus_voices import usual_voices

        self.need_model()
        settings = self.studio.settings
        voices = self._sung or usual_voices(self.blend, self._cast, settings.chorus_voices)
        choir = Choir(self.manuscript, self.drafts, voices, self._called)
        choir.begin(writing(settings))
        self._choir = choir
        await self.app.push_screen(choir.screen, self._sung_out)
        choir.refresh()  # with what they have written meanwhile

    def on_chorus_screen_taken(self, message: "ChorusScreen.Taken") -> None:
        """Put a voice's text into the manuscript."""
        if self._choir is not None:
            with self.telling():
                self._choir.take(message.voice, sentence=message.sentence)

    def on_chorus_screen_taken_back(self, _: "ChorusScreen.TakenBack") -> None:
        """Take the last of it out again."""
        if self._choir is None:
            return
        if self._choir.is_in_text:
            self.action_undo()
            self._choir.taken_back()
        else:
            self.tell("Nothing from this chorus is in the text.")

    def on_chorus_screen_again(self, _: "ChorusScreen.Again") -> None:
        """Have all write on."""
        if self._choir is not None:
            self._sing(self._choir.voices)

    def on_chorus_screen_before(self, _: "ChorusScreen.Before") -> None:
        """Show what they wrote before."""
        if self._choir is not None:
            self._choir.before()

    def on_chorus_screen_stop_all(self, _: "ChorusScreen.StopAll") -> None:
        """Have all stop."""
        if self._choir is not None:
            self._choir.stop()

    def on_chorus_screen_choose_voices(self, _: "ChorusScreen.ChooseVoices") -> None:
        """Have other voices chosen."""
        from billy_mlx.tui.screens.chorus_voices import ChorusVoices

        if self._choir is not None:
            asking = ChorusVoices(self.blend, saved_blends()[0], self._cast, self._choir.voices)
            self.app.push_screen(asking, self._sing)

    @property
    def _cast(self) -> tuple[Member, ...]:
        return cast_of(self.studio.personas, self.studio.voices)

    def _called(self, voices: "Voices") -> tuple[str, ...]:
        return voice_names(voices, {member.id: member.name for member in self._cast}, saved_blends()[0])

    def _sing(self, voices: "Voices | None") -> None:
        if self._choir is not None and voices:
            self._sung = voices
            with self.telling():
                self._choir.again(voices, writing(self.studio.settings))

    def _sung_out(self, _: None) -> None:
        choir, self._choir = self._choir, None
        if choir is not None:
            choir.end()
            if choir.screen.told:  # and not yet read
                self.tell(choir.screen.told)
        self.replaced()

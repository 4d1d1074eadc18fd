"""A chorus for the page: one draft whose alternatives are written side by side, a voice each."""

from billy_mlx.blend.blend import Blend
from billy_mlx.engine.messages import Coherence, Failed, Job
from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.tui.drafts import PageDrafts
from billy_mlx.tui.screens.chorus import ChorusScreen, alone_in
from billy_mlx.write.messages import Writing, Written, Wrote


class Choir:
    """The voices that sing, and the screen that shows them.

    Attributes:
        screen: where they are shown.
    """

    def __init__(self, manuscript: Manuscript, drafts: PageDrafts, voices: tuple[str | None, ...]) -> None:
        self.screen = ChorusScreen(voices)
        self._manuscript, self._drafts = manuscript, drafts
        self._draft = 0
        self._first = 0  # the alternative that the first voice writes
        self._job: Job | None = None

    @property
    def voices(self) -> tuple[str | None, ...]:
        """A blend each; None is the unsteered model."""
        return self.screen.voices

    def begin(self, writing: Writing) -> None:
        """Have them write from the cursor. Raises BillyError as `PageDrafts.go_on` does."""
        self._draft, self._first = self._drafts.go_on(self.voices, writing), 0
        self._job = self._drafts.desk.job_of(self._draft)

    def again(self, voices: tuple[str | None, ...], writing: Writing) -> None:
        """Have these write as well; what was written is kept. Raises BillyError as `PageDrafts.again` does."""
        first = len(self._manuscript.drafts.get(self._draft).alternatives)
        self._drafts.again(voices, writing)
        self._first, self._job = first, self._drafts.desk.job_of(self._draft)
        self.screen.begin(voices)

    def take(self, voice: int, length: int | None) -> None:
        """Put a voice's text into the manuscript, or `length` more characters. Raises ManuscriptError if not."""
        drafts = self._manuscript.drafts
        try:
            if drafts.get(self._draft).shown != self._first + voice:
                drafts.show(self._draft, self._first + voice)
            self._drafts.take(length)
        except ManuscriptError:
            self.screen.took(voice, self._taken(voice))
            raise
        if length is None:
            self._leave()

    def hear(self, event: object) -> None:
        """Show what the voices write."""
        if not self.screen.is_attached:
            return
        match event:
            case Wrote(job=job, texts=texts) if job == self._job:
                for voice, text in texts.items():
                    self.screen.grow(voice, text)
            case Written(job=job, voice=voice) if job == self._job:
                self.screen.ended(voice)
            case Coherence(job=job, voice=voice, ratio=ratio) if job == self._job:
                self.screen.coherence(voice, ratio)
            case Failed(job=job) if job == self._job:
                self._leave()

    def _taken(self, voice: int) -> int:
        """Return how many characters of a voice's text are in the manuscript."""
        held = self._manuscript.drafts.get(self._draft)
        return self._manuscript.drafts.taken(held) if held.shown == self._first + voice else 0

    def _leave(self) -> None:
        if self.screen.app.screen is self.screen:  # or a question stands over it, and the writer leaves by herself
            self.screen.dismiss(None)


def usual_voices(blend: str | None, most: int) -> tuple[str | None, ...]:
    """Return who sings if nobody was chosen: the blend, its personas alone, and the unsteered model."""
    if blend is None:
        usual = [str(Blend.parse(persona)) for persona in ("noir", "fairy-tale")]
        return (*usual, None)[: max(2, most)]
    alone = alone_in(Blend.parse(blend))
    voices = dict.fromkeys([blend, *(alone if len(alone) > 1 else [])])
    return (*list(voices)[: max(1, most - 1)], None)

"""A chorus for the page: drafts whose alternatives are written side by side, a voice each."""

from collections.abc import Callable
from dataclasses import dataclass

from billy_mlx.blend.blend import Blend
from billy_mlx.engine.messages import Coherence, Ended, Failed, Job
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.sentences import sentence_end
from billy_mlx.tui.chorus_drafts import ChorusDrafts
from billy_mlx.tui.screens.chorus import ChorusScreen
from billy_mlx.write.messages import VoicesWrote, Writing, Written

Voices = tuple[Blend, ...]
"""A blend each."""

_BEFORE = 1000  # characters of the manuscript that are shown at most


@dataclass(frozen=True)
class _Round:
    """What the voices wrote at one time: alternatives `first` and up of a draft, one each.

    The draft was begun at the revision `begun`, and so from the text as it was then.
    """

    draft: int
    first: int
    voices: Voices
    begun: int


class Choir:
    """The voices that sing, and the screen that shows them.

    Each time they write on from another text is a draft of its own, and all stay open until the chorus ends: so
    whatever they wrote can still be taken.

    Args:
        names: returns what voices are called.

    Attributes:
        screen: where they are shown.
    """

    def __init__(
        self, manuscript: Manuscript, drafts: ChorusDrafts, voices: Voices, names: Callable[[Voices], tuple[str, ...]]
    ) -> None:
        self.screen = ChorusScreen(names(voices))
        self._manuscript, self._drafts, self._names = manuscript, drafts, names
        self._first_voices = voices
        self._rounds: list[_Round] = []
        self._at = 0  # the round that is shown
        self._job: Job | None = None  # of the newest

    @property
    def voices(self) -> Voices:
        """Those who wrote last."""
        return self._rounds[-1].voices if self._rounds else self._first_voices

    def begin(self, writing: Writing) -> None:
        """Have them write from the cursor. Raises BillyError as `PageDrafts.go_on` does."""
        draft = self._drafts.go_on(self._first_voices, writing)
        self._add(draft, 0, self._first_voices, self._manuscript.versions.current)

    def again(self, voices: Voices, writing: Writing) -> None:
        """Have these write on from the text as it is now. Raises BillyError as `PageDrafts.again` does."""
        shown, now = self._rounds[self._at], self._manuscript.versions.current
        self.stop()
        self._drafts.turn_to(shown.draft)
        if now == shown.begun:
            first = len(self._manuscript.drafts.get(shown.draft).alternatives)
            self._drafts.again(voices, writing)
            self._add(shown.draft, first, voices, now)
        else:
            self._add(self._drafts.go_on_behind(voices, writing), 0, voices, now)
        self._show(len(self._rounds) - 1)

    def take(self, voice: int, *, sentence: bool) -> None:
        """Put a voice's next sentence into the manuscript, or all of it. Raises ManuscriptError if that cannot be."""
        shown = self._rounds[self._at]
        index = shown.first + voice
        text, taken = self._offered(shown, index)
        self._drafts.take(shown.draft, index, sentence_end(text, taken) - taken if sentence else None)
        if sentence:
            self.refresh()
        else:
            self._leave()

    @property
    def is_in_text(self) -> bool:
        """Whether any of what they wrote is in the manuscript."""
        drafts = self._manuscript.drafts
        return any(drafts.is_in_text(drafts.get(one.draft)) for one in self._rounds)

    def before(self) -> None:
        """Show what they wrote the time before; from the first time it goes on to the last."""
        there = self._there()
        if len(there) < 2:
            self.screen.tell("The voices have written only once so far.")
            return
        self._show(there[there.index(self._at) - 1])
        self.screen.tell(f"What they wrote: time {there.index(self._at) + 1} of {len(there)}.")

    def stop(self) -> None:
        """Have all stop; what they wrote stays."""
        self._drafts.stop_writing(self._rounds[-1].draft)

    def taken_back(self) -> None:
        """Show what stands in the text after a step was taken back, and of what they wrote what was written for it."""
        there = self._there()
        if self._at in there or not there:
            self.refresh()
        else:
            self._show(there[-1])

    def refresh(self) -> None:
        """Show what of the text, and of what the voices wrote, is where now."""
        shown = self._rounds[self._at]
        start = self._manuscript.drafts.get(shown.draft).start
        self.screen.show_before(self._manuscript.text[max(0, start - _BEFORE) : start])
        for voice in range(len(shown.voices)):
            self._show_voice(voice)

    def hear(self, event: object) -> None:
        """Show what the voices write."""
        if not self.screen.is_attached or self._job is None or getattr(event, "job", None) != self._job:
            return
        if isinstance(event, Failed):
            self._fail()
            return
        if self._at < len(self._rounds) - 1:
            return  # something older is looked at
        match event:
            case VoicesWrote(texts=texts):
                for voice in texts:
                    self._show_voice(voice)
            case Written() | Ended():
                self.refresh()
            case Coherence(voice=voice, ratio=ratio):
                self.screen.coherence(voice, ratio)

    def end(self) -> None:
        """Leave the page one draft, the one that was looked at; what else they wrote is put away."""
        shown = self._rounds[self._at].draft
        for draft in {one.draft for one in self._rounds} - {shown}:
            self._drafts.put_away_beside(draft)
        self._drafts.turn_to(shown)
        self._drafts.end_if_taken()

    def _add(self, draft: int, first: int, voices: Voices, begun: int) -> None:
        self._rounds.append(_Round(draft, first, voices, begun))
        self._job = self._drafts.desk.job_of(draft)

    def _show(self, at: int) -> None:
        self._at = at
        self.screen.begin(self._names(self._rounds[at].voices))
        self.refresh()

    def _there(self) -> list[int]:
        """Return which rounds were written for the text as it is now, or for one that it came of."""
        here = {one.id for one in self._manuscript.drafts.here}
        return [index for index, one in enumerate(self._rounds) if one.draft in here]

    def _offered(self, shown: _Round, index: int) -> tuple[str, int]:
        """Return what is offered of an alternative, and how much of that is in the text."""
        drafts = self._manuscript.drafts
        held = drafts.get(shown.draft)
        taken = drafts.taken(held, index)
        return held.alternatives[index].text[:taken] + drafts.rest(held, index).text, taken

    def _show_voice(self, voice: int) -> None:
        shown = self._rounds[self._at]
        index = shown.first + voice
        one = self._manuscript.drafts.get(shown.draft).alternatives[index]
        over = one.passage is not None or self._drafts.desk.job_of(shown.draft) is None
        self.screen.show_voice(voice, *self._offered(shown, index), over=over)

    def _fail(self) -> None:
        """Go back to what was written before, if nothing came this time; to the page, if nothing ever did."""
        newest, self._job = self._rounds[-1], None
        held = self._manuscript.drafts.get(newest.draft)
        if any(one.text for one in held.alternatives[newest.first :]):
            self.refresh()
        elif len(self._rounds) == 1:
            self._leave()
        else:
            self._rounds.pop()
            self._show(len(self._rounds) - 1)

    def _leave(self) -> None:
        if self.screen.app.screen is self.screen:  # or a question stands over it, and the writer leaves by herself
            self.screen.dismiss(None)

"""A chorus: drafts whose alternatives are written side by side, one by each voice; and its commands."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from billy_mlx.blend.blend import Blend
from billy_mlx.engine.messages import Coherence, Ended, Failed, Job
from billy_mlx.errors import BillyError
from billy_mlx.manuscript.choices import MODEL_ALONE, keep_choice
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.sentences import sentence_end
from billy_mlx.tui.page.draft_controller import DraftController
from billy_mlx.tui.screens.saved_blends import saved_blends
from billy_mlx.tui.settings import writing
from billy_mlx.tui.widgets.dial_labels import voice_names
from billy_mlx.tui.widgets.persona_list import PersonaEntry, persona_list
from billy_mlx.write.blind import blind_voices
from billy_mlx.write.messages import VoicesWrote, Writing, Written

if TYPE_CHECKING:
    from billy_mlx.tui.screens.chorus import ChorusScreen
    from billy_mlx.tui.screens.writing import WritingScreen


Voices = tuple[Blend, ...]
"""A blend each."""

_BEFORE = 1000  # characters of the manuscript that are shown at most


class ChorusCommands:
    """Begins a chorus, and does what the writer wants on its screen.

    A screen is imported when it is first opened: together they take longer than the page itself.

    Args:
        page: whose text the chorus continues.
    """

    def __init__(self, page: "WritingScreen") -> None:
        self._page = page
        self._chorus: Chorus | None = None
        self._last_voices: Voices | None = None

    @property
    def screen(self) -> "ChorusScreen | None":
        """The screen of the chorus, while it is over the page."""
        return self._chorus.screen if self._chorus is not None and self._chorus.screen.is_attached else None

    async def action_chorus(self) -> None:
        """Let several voices continue the text, side by side."""
        from billy_mlx.tui.screens.chorus_voices import usual_voices

        page = self._page
        model, settings = page.need_model(), page.studio.settings
        voices = self._last_voices or usual_voices(page.blend, self._personas, settings.chorus_voices)
        cast = _cast(voices, blind=settings.blind_chorus)
        chorus = Chorus(page.manuscript, page.drafts, cast, names=self._names, model=model.id, commands=self)
        chorus.begin(writing(settings))
        self._chorus = chorus
        await page.app.push_screen(chorus.screen, self._left)
        chorus.refresh()  # with what they have written meanwhile

    def on_engine_event(self, event: object) -> None:
        """Show what the voices write."""
        if self._chorus is not None:
            self._chorus.on_engine_event(event)

    # What the writer does on the screen of the chorus.

    def take(self, voice: int, *, sentence: bool) -> None:
        """Put a voice's next sentence into the manuscript, or all that it wrote."""
        if self._chorus is not None:
            with self._page.errors_shown():
                self._chorus.take(voice, sentence=sentence)

    def undo(self) -> None:
        """Undo what was taken last."""
        if self._chorus is None:
            return
        if self._chorus.is_in_text:
            self._page.draft_commands.action_undo()
            self._chorus.show_undone()
        else:
            self._page.show_status("Nothing from this chorus is in the text.")

    def again(self) -> None:
        """Let all voices write on."""
        if self._chorus is not None:
            self._write(self._chorus.voices)

    def before(self) -> None:
        """Show what the voices wrote before."""
        if self._chorus is not None:
            self._chorus.before()

    def stop(self) -> None:
        """Stop all voices."""
        if self._chorus is not None:
            self._chorus.stop()

    def choose_voices(self) -> None:
        """Ask which voices write, and let them."""
        from billy_mlx.tui.screens.chorus_voices import ChorusVoices

        if self._chorus is not None:
            asking = ChorusVoices(self._page.blend, saved_blends()[0], self._personas, self._chorus.voices)
            self._page.app.push_screen(asking, self._write)

    def turn_blind(self) -> None:
        """Have names hidden or shown, from the next time on: those on the screen stay as they are."""
        studio, again = self._page.studio, self._page.key_of("chorus-again")
        blind = not studio.settings.blind_chorus
        studio.change_setting("blind_chorus", blind)
        how = "without names until you keep one" if blind else "with their names"
        self._page.show_status(f"The next drafts come {how}; {again} has them written.")

    @property
    def _personas(self) -> tuple[PersonaEntry, ...]:
        return persona_list(self._page.studio.personas, self._page.studio.voices)

    def _names(self, voices: Voices) -> tuple[str, ...]:
        return voice_names(voices, {entry.id: entry.name for entry in self._personas}, saved_blends()[0])

    def _write(self, voices: Voices | None) -> None:
        if self._chorus is not None and voices:
            self._last_voices = voices
            with self._page.errors_shown():
                settings = self._page.studio.settings
                self._chorus.again(_cast(voices, blind=settings.blind_chorus), writing(settings))

    def _left(self, _: None) -> None:
        chorus, self._chorus = self._chorus, None
        if chorus is not None:
            chorus.end()
            if chorus.screen.message:  # and not yet read
                self._page.show_status(chorus.screen.message)
        self._page.replaced()


@dataclass(frozen=True)
class Cast:
    """Who writes at one time.

    Attributes:
        asked: the voices that the writer chose.
        voices: those that write, in the order they are shown.
        blind: nobody has said yet whose drafts they are.
    """

    asked: Voices
    voices: Voices
    blind: bool


def _cast(asked: Voices, *, blind: bool) -> Cast:
    """Return who writes if these are asked for; UsageError if they are too many for a blind chorus."""
    return Cast(asked, blind_voices(asked) if blind else asked, blind)


@dataclass(frozen=True)
class _Round:
    """What the voices wrote at one time: alternatives `first` and up of a draft, one each.

    The draft was begun at the revision `begun`, and so from the text as it was then.
    """

    draft: int
    first: int
    cast: Cast
    begun: int


class Chorus:
    """The voices of a chorus, and the screen that shows them.

    Each time they write on from another text is a draft of its own, and all stay open until the chorus ends: so
    whatever they wrote can still be taken.

    Args:
        cast: who writes the first time.
        names: returns what voices are called.
        model: the id of the model they write with.
        commands: does what the writer wants on the screen.

    Attributes:
        screen: where they are shown.
    """

    def __init__(
        self,
        manuscript: Manuscript,
        drafts: DraftController,
        cast: Cast,
        *,
        names: Callable[[Voices], tuple[str, ...]],
        model: str,
        commands: "ChorusCommands",
    ) -> None:
        from billy_mlx.tui.screens.chorus import ChorusScreen

        self._manuscript, self._drafts, self._names = manuscript, drafts, names
        self._first, self._model = cast, model
        self.screen = ChorusScreen(self._called(cast), commands)
        self._rounds: list[_Round] = []
        self._at = 0  # the round that is shown
        self._job: Job | None = None  # of the newest

    @property
    def voices(self) -> Voices:
        """The voices that were asked for last."""
        return self._rounds[-1].cast.asked if self._rounds else self._first.asked

    def begin(self, writing: Writing) -> None:
        """Let them write from the cursor. Raises BillyError as `DraftController.go_on` does."""
        draft = self._drafts.go_on(self._first.voices, writing)
        self._add(draft, 0, self._first, self._manuscript.versions.current)

    def again(self, cast: Cast, writing: Writing) -> None:
        """Let these voices write on from the text as it is now. Raises BillyError as `DraftController.again` does."""
        shown, now = self._rounds[self._at], self._manuscript.versions.current
        self.stop()
        self._drafts.turn_to(shown.draft)
        if now == shown.begun:
            first = len(self._manuscript.drafts.get(shown.draft).alternatives)
            self._drafts.again(cast.voices, writing)
            self._add(shown.draft, first, cast, now)
        else:
            self._add(self._drafts.go_on_behind(cast.voices, writing), 0, cast, now)
        self._show(len(self._rounds) - 1)

    def take(self, voice: int, *, sentence: bool) -> None:
        """Put a voice's next sentence into the manuscript, or all of it. Raises ManuscriptError if that cannot be.

        Of drafts without names, the first that anything is taken of is the one that was chosen.
        """
        shown = self._rounds[self._at]
        index = shown.first + voice
        text, taken = self._offered(shown, index)
        self._drafts.take(shown.draft, index, sentence_end(text, taken) - taken if sentence else None)
        if shown.cast.blind:
            self._choose(voice)
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
        """Show what they wrote the time before; from the first time on to the last."""
        there = self._there()
        if len(there) < 2:
            self.screen.show_status("The voices have written only once so far.")
            return
        self._show(there[there.index(self._at) - 1])
        self.screen.show_status(f"What they wrote: time {there.index(self._at) + 1} of {len(there)}.")

    def stop(self) -> None:
        """Stop all voices; what they wrote stays."""
        self._drafts.stop_writing(self._rounds[-1].draft)

    def show_undone(self) -> None:
        """Show the text after an undo, and what the voices wrote for that text."""
        there = self._there()
        if self._at in there or not there:
            self.refresh()
        else:
            self._show(there[-1])

    def refresh(self) -> None:
        """Show the text before the voices, and what each of them wrote, as they are now."""
        shown = self._rounds[self._at]
        start = self._manuscript.drafts.get(shown.draft).start
        self.screen.show_before(self._manuscript.text[max(0, start - _BEFORE) : start])
        for voice in range(len(shown.cast.voices)):
            self._show_voice(voice)

    def on_engine_event(self, event: object) -> None:
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
            case Coherence(voice=voice, ratio=ratio) if not self._rounds[self._at].cast.blind:  # it tells of a dose
                self.screen.coherence(voice, ratio)

    def end(self) -> None:
        """Leave the draft that is shown on the page, and put the others away; it as well, if it has no names yet."""
        self._keep_none()
        shown = self._rounds[self._at].draft
        for draft in {one.draft for one in self._rounds} - {shown}:
            self._drafts.put_away_beside(draft)
        self._drafts.turn_to(shown)
        self._drafts.end_if_taken()
        if all(one.cast.blind for one in self._rounds if one.draft == shown) and self._drafts.draft is not None:
            self._drafts.put_away()
            self.screen.message = self.screen.message or "No draft was kept. Undo brings them back."

    def _choose(self, voice: int) -> None:
        """Count the draft that was chosen, and show from now on whose they are."""
        shown = self._rounds[self._at]
        self._rounds[self._at] = replace(shown, cast=replace(shown.cast, blind=False))
        names = self._called(self._rounds[self._at].cast)
        self.screen.name_voices(names)
        self.screen.show_status(f"That was {names[voice]}. {self._count(shown, voice)}".strip())

    def _keep_none(self) -> None:
        """Count that nothing was chosen of what was written to its end."""
        for one in self._rounds:
            if one.cast.blind and self._drafts.desk.job_of(one.draft) is None:
                self.screen.message = self._count(one, None) or self.screen.message

    def _count(self, one: _Round, kept: int | None) -> str:
        """Write a choice down, and return why not if that is impossible: the text does not depend on it."""
        voices = one.cast.voices
        written = self._manuscript.drafts.get(one.draft).alternatives[one.first : one.first + len(voices)]
        texts = [(voice.spelled or MODEL_ALONE, each.text) for voice, each in zip(voices, written, strict=True)]
        model = next((each.passage.model for each in written if each.passage is not None), self._model)
        try:
            keep_choice(texts, kept, model)
        except BillyError as error:
            return str(error)
        return ""

    def _called(self, cast: Cast) -> tuple[str, ...]:
        if cast.blind:
            return tuple(f"Draft {number}" for number in range(1, len(cast.voices) + 1))
        return self._names(cast.voices)

    def _add(self, draft: int, first: int, cast: Cast, begun: int) -> None:
        self._rounds.append(_Round(draft, first, cast, begun))
        self._job = self._drafts.desk.job_of(draft)

    def _show(self, at: int) -> None:
        self._at = at
        self.screen.begin(self._called(self._rounds[at].cast))
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
        if self.screen.app.screen is self.screen:  # not under a question, from which the writer leaves by herself
            self.screen.dismiss(None)

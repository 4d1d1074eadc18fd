"""A request for a manuscript being written, event by event: by the engine's thread as by the commands."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from billy_mlx.blend.blend import Blend
from billy_mlx.blend.writer import Writer
from billy_mlx.engine.coherence import Gauge
from billy_mlx.engine.job_types import engine_job_types
from billy_mlx.engine.jobs import JobContext, JobFactory
from billy_mlx.engine.messages import Coherence
from billy_mlx.manuscript.context.parts import Context
from billy_mlx.manuscript.draft import ends_sentence
from billy_mlx.manuscript.passage import Passage
from billy_mlx.model.cache import PromptStore
from billy_mlx.model.model import Model
from billy_mlx.model.rows import Emitted, Step
from billy_mlx.model.thinking import Thinking
from billy_mlx.words import words_end
from billy_mlx.write.messages import PromptRead, Sent, VoicesWrote, Write, Written
from billy_mlx.write.recipes import context_for, recipe_for, selected

Event = Sent | PromptRead | VoicesWrote | Written | Coherence


class WritingJob:
    """What a `Write` asks for: iterate for its events, None where a step brings no news.

    Args:
        model: what writes.
        request: what is asked.
        store: caches kept between requests.
        gauge: follows a voice and tells how its text holds together; None if nobody wants to know.

    Raises:
        BillyError: while it is iterated, before anything is written: as `build_context` and `Writer` do.

    Attributes:
        urgent: the writer waits for it.
        rank: among what nobody waits for.
        stopped: it was asked to end, as a whole.
    """

    urgent = True
    rank = 0

    def __init__(
        self, model: Model, request: Write, store: PromptStore | None = None, gauge: type[Gauge] | None = None
    ) -> None:
        self.stopped = False
        self._model, self._request, self._store, self._gauge = model, request, store, gauge
        self._gauges: dict[int, Gauge] = {}
        self._voices = list(request.voices)
        self._stopped_voices: set[int] = set()
        self._writer: Writer | None = None
        self._texts = [""] * len(request.voices)
        self._spaces = [""] * len(request.voices)
        self._full: set[int] = set()  # voices that have all the words they may
        self._thoughts = [Thoughts(None, model.tokenizer) for _ in request.voices]
        self._events = self._run()

    def __iter__(self) -> Iterator[Event | None]:
        return self._events

    def stop(self, voice: int | None = None) -> None:
        """End one voice, or all of them; what was written stays."""
        self.stopped |= voice is None
        self._stopped_voices |= set(range(len(self._voices)) if voice is None else [voice])
        if self._writer is not None:
            self._writer.stop(voice)

    def steer(self, voice: int, blend: Blend) -> None:
        """Have a voice go on in another blend.

        Raises:
            BillyError: the model has no vector for it, or it cannot be added; the voice goes on as it was.
        """
        if self._writer is not None:
            self._writer.steer(voice, blend)
        self._voices[voice] = blend

    def _run(self) -> Iterator[Event | None]:
        context = context_for(self._model, self._request)
        yield Sent(self._request.job, context)
        if self._request.only_context or self.stopped:
            return
        recipes = [recipe_for(self._model, self._request, context.prompt, voice) for voice in self._voices]
        writer = Writer(self._model, recipes, store=self._store)
        self._writer = writer
        prompt = writer.take(0).prompt  # the same for all voices
        marks = Thinking.of(self._model.tokenizer, prompt, asked=recipes[0].thinks)
        self._thoughts = [Thoughts(marks, self._model.tokenizer) for _ in recipes]
        if self._gauge is not None:
            for voice, recipe in enumerate(recipes):
                self._gauges[voice] = self._gauge(self._model, prompt, recipe.sampling, voice)
        for voice in self._stopped_voices:
            writer.stop(voice)
        for step in writer:
            yield from self._news(writer, context, step)
            yield from self._gauged(step)

    def _news(self, writer: Writer, context: Context, step: Step) -> Iterator[Event | None]:
        job = self._request.job
        texts = {news.row: self._put(context, news) for news in step.emitted}
        texts = {voice: text for voice, text in texts.items() if text}
        ended = [news.row for news in step.emitted if news.finish_reason is not None]
        if texts:
            yield VoicesWrote(job, texts)
        elif step.prompt_tokens:
            yield PromptRead(job, step.prompt_tokens_read, step.prompt_tokens)
        elif not ended:
            yield None
        for voice in ended:
            yield Written(job, voice, self._passage(writer, voice))
        for voice in (texts.keys() | self._full) - set(ended):
            if voice in self._full or self._fills(voice):
                writer.stop(voice)

    def _gauged(self, step: Step) -> Iterator[Coherence | None]:
        """Have each voice that goes on read for its gauge, if it is time: a step of its own, since it takes some.

        Of the model alone nothing is told: what it is held against is itself, and it has no dose that could be lowered.
        """
        for news in step.emitted:
            if news.finish_reason is not None:
                self._gauges.pop(news.row, None)
            elif news.token is not None and news.row in self._gauges and self._gauges[news.row].take(news.token):
                read = self._gauges[news.row].read(self._request.job)
                yield None if self._voices[news.row].adds_nothing else read

    def _passage(self, writer: Writer, voice: int) -> Passage:
        """Return how a voice wrote: one that was stopped because it has its words was not interrupted."""
        passage = Passage.of(writer.take(voice), self._request.work)
        cut = voice in self._full and passage.ended == "interrupted"
        return replace(passage, ended="length") if cut else passage

    def _put(self, context: Context, news: Emitted) -> str:
        """Return what a voice's news adds to its text."""
        text = self._thoughts[news.row].after(news.text)
        text = text if self._texts[news.row] else self._opening(context, text)
        if self._request.work == "rewrite":  # white space around it is none of it: around the original stands its own
            whole = self._spaces[news.row] + text
            if not self._texts[news.row] and not selected(self._request)[:1].isspace():
                whole = whole.lstrip()
            text = whole.rstrip()
            self._spaces[news.row] = whole[len(text) :]
        elif self._request.writing.words:
            text = self._within(news.row, text)
        self._texts[news.row] += text
        return text

    def _within(self, voice: int, text: str) -> str:
        """Return what of a text a voice may still write; the word that is one too many ends it."""
        before, words = self._texts[voice], self._request.writing.words
        if voice in self._full:
            return ""
        if len(before) + len(text) < words:  # each takes a letter at least
            return text
        end = words_end(before + text, words)
        if end < len(before) + len(text):
            self._full.add(voice)
            return text[: max(0, end - len(before))]
        return text

    def _opening(self, context: Context, text: str) -> str:
        """Return what a text begins with: neither blanks that are there already, nor a space that begins a line."""
        request = self._request
        begins_line = not request.cursor or request.text[request.cursor - 1] in "\r\n"
        return context.continued(text.lstrip(" ") if begins_line or request.work == "rewrite" else text)

    def _fills(self, voice: int) -> bool:
        """Return whether a rewrite is as long as what it replaces and at the end of a sentence, as that is.

        Models that go on from text do not stop by themselves where a passage ends. What the writer asks for may take
        more words, though.
        """
        passage, text = selected(self._request), self._texts[voice]
        if not passage or self._request.instruction or len(text) < len(passage):
            return False
        return ends_sentence(passage) and ends_sentence(text)


class Thoughts:
    """Leaves out of a text, as it comes, the thoughts that may stand before it.

    Args:
        marks: of the thoughts; None if there are none to come.
        tokenizer: mlx-lm's, which knows how the marks are spelt.
    """

    def __init__(self, marks: Thinking | None, tokenizer: Any) -> None:
        self._waits = marks is not None
        self._begins = False  # what comes next stands right behind thoughts
        self._opened = marks is not None and marks.opened
        self._start: str = tokenizer.think_start or ""
        self._end: str = tokenizer.think_end or ""
        self._held = ""

    def after(self, text: str) -> str:
        """Return what of `text`, which comes next, is not thought."""
        if self._waits:
            self._held += text
            text = self._released()
        if self._begins:
            text = text.lstrip()
            self._begins = not text
        return text

    def _released(self) -> str:
        _, ended, rest = self._held.partition(self._end)
        begun = self._held.lstrip()
        if ended:
            self._waits, self._begins = False, True
            return rest
        if self._opened or begun.startswith(self._start) or self._start.startswith(begun):
            return ""
        self._waits = False
        return self._held


def job_types() -> Mapping[type, JobFactory]:
    """Return what begins each type of job."""
    return {**engine_job_types(), Write: writing}


def writing(shared: JobContext, request: Write) -> WritingJob:
    """Return the job that a `Write` asks for."""
    return WritingJob(shared.model, request, shared.store, Gauge if request.writing.gauge else None)

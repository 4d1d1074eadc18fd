"""An engine that says what a test tells it to: no thread, no model."""

from dataclasses import replace

from billy_mlx.blend.recipe import Prompt
from billy_mlx.engine.messages import Ended, Loaded, ModelInfo, Stop, VectorInfo
from billy_mlx.manuscript.context.parts import Context, Part
from billy_mlx.manuscript.passage import Passage, Voice
from billy_mlx.tui.app import Studio
from billy_mlx.write.messages import Sent, VoicesWrote, Write, Written

MODEL = ModelInfo("scripted", layers=4, width=32, chat=True, batches=True)
VOICES = {
    "noir": VectorInfo("noir", gentle=0.5, too_much=1.6, strength=1.2, auc=0.9),
    "gothic": VectorInfo("gothic", gentle=0.6, too_much=1.4, strength=1.1, auc=0.8),
    "customer": VectorInfo("customer", weakness="it does not show in what is written with it", strength=0.9, auc=0.6),
}


class ScriptedEngine:
    """Keeps what it is asked, and answers when the test says so.

    Attributes:
        asked: every request, in order.
        closed: it was let go of.
    """

    def __init__(self, post, voices=VOICES):
        self._post, self._voices = post, voices
        self.asked, self.closed, self.started_with = [], False, None

    def start(self, model=None):
        self.started_with = model
        self.say(Loaded(MODEL, self._voices))

    def ask(self, request):
        self.asked.append(request)

    def close(self, timeout_seconds=0.1):
        self.closed = True

    def say(self, *events):
        """Post events, as the engine's thread would."""
        for event in events:
            self._post(event)

    def last(self, kind):
        """Return the last request of a kind."""
        return next(request for request in reversed(self.asked) if isinstance(request, kind))

    def write(self, *texts, end=True):
        """Have the voices of the last `Write` say these texts, one each, and end."""
        request = self.last(Write)
        self.say(Sent(request.job, context_of(request)))
        self.say(VoicesWrote(request.job, dict(enumerate(texts))))
        if end:
            self.finish(*texts)

    def finish(self, *texts, stopped=False):
        """End the voices of the last `Write`, which have written these texts."""
        request = self.last(Write)
        for voice, text in enumerate(texts):
            passage = passage_of(text, request.voices[voice].spelled, request.work)
            self.say(Written(request.job, voice, replace(passage, ended="interrupted") if stopped else passage))
        self.say(Ended(request.job, stopped=stopped))

    def was_stopped(self):
        """Whether the last request is to stop."""
        return isinstance(self.asked[-1], Stop)


def context_of(request):
    """Return a context as the engine sends it."""
    part = Part("before", "The text before", request.text[: request.cursor], 7)
    return Context(Prompt.of("Go on.", prefix=request.text[: request.cursor]), (part,), 7, request.writing.budget, "")


def passage_of(text, blend, work="continue"):
    """Return how a text was made, as far as a script can tell."""
    return Passage(
        text,
        (1, 2),
        (Voice(0, blend, (2,)),),
        work,
        "scripted",
        {},
        {},
        (1,),
        0,
        {"temperature": 0.8},
        10,
        ended="stop",
    )


def studio(path=None, **how):
    """Return a studio with a scripted engine, and a list that holds the engine once it was made."""
    engines = []

    def connect(post):
        engines.append(ScriptedEngine(post, **how))
        return engines[0]

    return Studio(path, connect=connect), engines

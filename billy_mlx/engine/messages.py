"""What an engine is asked and what it answers: frozen values that any thread may hold. No MLX here.

A job is known by a number that whoever asks gives it. Its last event is always one `Ended` or one `Failed`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NewType

from billy_mlx.blend.blend import Blend

Job = NewType("Job", int)
"""The number of a job, given by whoever asks for it; none is given twice."""


# Asked.


@dataclass(frozen=True)
class Load:
    """Load a model, by any name that `billy --model` takes; None for the default one. Ends every job before it."""

    model: str | None = None


@dataclass(frozen=True)
class Unload:
    """Give the model's memory back, unless a job is under way; the next job that needs the model loads it again."""


@dataclass(frozen=True)
class Steer:
    """Have one voice of a job that writes go on in another blend."""

    job: Job
    voice: int
    blend: Blend


@dataclass(frozen=True)
class Stop:
    """End a job, or one voice of it; what was made so far stays."""

    job: Job
    voice: int | None = None


@dataclass(frozen=True)
class Read:
    """Score the sentences of paragraphs against every persona that has a vector, in this order, in the background."""

    job: Job
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class Prepare:
    """Make personas ready to write with, as one job: fetch a model, extract what has no vector, calibrate, store.

    Attributes:
        model: fetch this one from the hub first, and load it; None for the one that is loaded.
        again: extract and calibrate even what is there already.
    """

    job: Job
    personas: tuple[str, ...]
    model: str | None = None
    again: bool = False


@dataclass(frozen=True)
class EstimateTime:
    """Tell how long a `Prepare` of these personas with the loaded model would take; nothing is made.

    Attributes:
        again: as there.
    """

    job: Job
    personas: tuple[str, ...]
    again: bool = False


@dataclass(frozen=True)
class LearnVoice:
    """Make a voice of the writer's own text: extract it under this persona id, calibrate, store."""

    job: Job
    persona_id: str
    text: str
    source: str


@dataclass(frozen=True)
class Compare:
    """Measure how alike the persona vectors of the loaded model are."""

    job: Job


@dataclass(frozen=True)
class ListModels:
    """Look which models this machine could run, for a first choice."""

    job: Job


# Answered.


@dataclass(frozen=True)
class VectorInfo:
    """What is known of a persona's vector for the loaded model.

    Attributes:
        weakness: why little is to be expected of it, as the end of a sentence; None if nothing speaks against it.
        outdated: its card was changed since it was extracted.
        former: the version before has made it; of vectors that come with the program nobody is told.
        gentle: the dose of half the effect, where 1 is full; None if it was not calibrated.
        too_much: the dose from which text frays, where 1 is full; None if that is not known. Both are of a dose that is
            added layer by layer where `strength` is known, and else of one at `layer`.
        strength: how often it is added, layer by layer, at a dose of 1; None if that was not measured.
        layer: the one that is steered where only one is, from 0; None if it was not calibrated to one.
        auc: how well its words alone are told from neutral ones where texts are read; None if not measured.
        effect: how surely it shows in what is written at a dose of 1: the lower end of the measured effect, and above 0
            it does; None if that was not measured.
        own: it is the user's own, not one that comes with the program.
        source: of what it was made, in words.
    """

    persona_id: str
    weakness: str | None = None
    outdated: bool = False
    former: bool = False
    gentle: float | None = None
    too_much: float | None = None
    strength: float | None = None
    layer: int | None = None
    auc: float | None = None
    effect: float | None = None
    own: bool = False
    source: str = ""

    @property
    def calibrated(self) -> bool:
        """Whether anybody has measured what a full dose of it is."""
        return self.strength is not None or self.layer is not None


@dataclass(frozen=True)
class ModelInfo:
    """What is known of the loaded model. `demonstration` is true of the starter model, which is no great writer."""

    id: str
    layers: int
    width: int
    chat: bool
    batches: bool
    demonstration: bool = False


@dataclass(frozen=True)
class Loading:
    """A model is being loaded, in words."""

    stage: str


@dataclass(frozen=True)
class Loaded:
    """A model is ready.

    Attributes:
        voices: by persona id, those that have a vector for it.
        faults: what of them could not be read, a sentence each.
        former: how many of the user's own the version before has made, and what to run, in a sentence; None for none.
        again: it was unloaded because nobody needed it, and has come back as it was.
    """

    model: ModelInfo
    voices: Mapping[str, VectorInfo] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    former: str | None = None
    again: bool = False


@dataclass(frozen=True)
class Unloaded:
    """There is no model, and why. Requests that need one fail, unless it is only unloaded `until_needed`."""

    reason: str
    until_needed: bool = False


@dataclass(frozen=True)
class Progress:
    """How far a long job is.

    Attributes:
        stage: what it does, in words.
        share: of the whole that is done, from 0 to 1.
        seconds_left: for all of it, while nothing else is asked for; None until that can be told.
    """

    job: Job
    stage: str
    share: float
    seconds_left: float | None = None


@dataclass(frozen=True)
class Estimated:
    """How long making vectors would take, roughly, in seconds."""

    job: Job
    seconds: float


@dataclass(frozen=True)
class VoiceReady:
    """A persona has a vector now, or a better one."""

    job: Job
    voice: VectorInfo


@dataclass(frozen=True)
class SentenceScores:
    """One sentence of a paragraph, characters `start` to `end`, and how much it is of each persona.

    A score of 0 is the average neutral answer, 1 the persona's own.
    """

    start: int
    end: int
    scores: Mapping[str, float]


@dataclass(frozen=True)
class ParagraphScored:
    """What reading a paragraph gave. The same text is known again, so a paragraph is read once."""

    job: Job
    paragraph: str
    sentences: tuple[SentenceScores, ...]


@dataclass(frozen=True)
class Coherence:
    """How a running draft holds together: perplexity of its latest words under the unsteered model.

    Attributes:
        ratio: to what the unsteered model would have had with words of its own at the same places: about 1 for its own
            text, and more the less the text holds together.
    """

    job: Job
    voice: int
    perplexity: float
    ratio: float


@dataclass(frozen=True)
class Compared:
    """How alike vectors are: cosines at one layer, a row and a column for each of `persona_ids`."""

    job: Job
    persona_ids: tuple[str, ...]
    cosines: tuple[tuple[float, ...], ...]
    layer: int


@dataclass(frozen=True)
class ModelOffer:
    """A model that fits into this machine's memory.

    Attributes:
        repo: its hub id.
        name: as people say it.
        download_gb: what is fetched, in 10^9 bytes.
        memory_gb: what it takes while it writes.
        licence: by its usual name.
        why: one line for a writer.
        here: it is on this machine already.
    """

    repo: str
    name: str
    download_gb: float
    memory_gb: float
    licence: str
    why: str
    here: bool = False


@dataclass(frozen=True)
class ModelsListed:
    """What could be run here, the best first, at most three; `memory_gb` is what there is."""

    job: Job
    memory_gb: float
    offers: tuple[ModelOffer, ...]


@dataclass(frozen=True)
class Ended:
    """A job is over; `stopped` because it was asked to be."""

    job: Job
    stopped: bool = False


@dataclass(frozen=True)
class Failed:
    """A job is over because it could not be done: a sentence that says what happened, and what to do."""

    job: Job
    reason: str


@dataclass(frozen=True)
class Unsteered:
    """A voice could not go on in another blend, and why; it goes on as it was."""

    job: Job
    reason: str


@dataclass(frozen=True)
class Broken:
    """The engine met a fault of its own and goes on; `report` is for whoever mends it, `reason` for the writer."""

    reason: str
    report: str

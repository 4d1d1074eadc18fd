"""The same prompt in one voice or in several, written as one batch."""

import time
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

import mlx.core as mx

from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.blend.directions import directions
from billy_mlx.errors import UsageError
from billy_mlx.extraction.library import accept_vectors, load_vectors
from billy_mlx.extraction.vector import PersonaVector
from billy_mlx.model.cache import PromptStore
from billy_mlx.model.decode import Decoding
from billy_mlx.model.layers import UNSTEERED, Directions
from billy_mlx.model.memory import check_rows
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import chat_prompt, check_length, going_on_prompt, text_prompt
from billy_mlx.model.rows import FinishReason, Row, Step
from billy_mlx.model.sample import Sampling
from billy_mlx.model.thinking import Thinking


@dataclass(frozen=True)
class Request:
    """What is to be written, in whosever voice.

    Attributes:
        chat: put the prompt through the model's chat template; otherwise the model goes on from it.
        prefix: what the answer has already; the model goes on from there, past any thinking.
        thinking: let a thinking model think; its directions are held back until it has.
        steer_thinking: add them from the prompt's end on, thinking or not.
        stop: strings that end the text.
    """

    prompt: str
    system: str | None = None
    chat: bool = True
    prefix: str = ""
    thinking: bool = False
    steer_thinking: bool = False
    sampling: Sampling = field(default_factory=Sampling)
    seed: int = 0
    max_tokens: int = 256
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (self.prompt + self.prefix).strip():
            raise UsageError("The prompt is empty; say what to write")

    @property
    def thinks(self) -> bool:
        """Whether a thinking model is to think first: an answer that has begun is past it."""
        return self.thinking and not self.prefix


@dataclass(frozen=True)
class Generation:
    """One voice's text and how it was made. `blend` is None for the model alone; `finish_reason` while it runs."""

    text: str
    model: str
    blend: str | None
    dose: str | None
    mode: str | None
    layers: tuple[int, ...]
    positions: str
    seed: int
    prompt_tokens: int
    generation_tokens: int
    prompt_tps: float
    generation_tps: float
    peak_memory_gb: float
    finish_reason: FinishReason | None


class Voices:
    """A prompt being written in several voices: iterate for the steps, ask for the `results` at any time.

    Args:
        blends: a voice each.
        vectors: vectors in memory, such as sums and multiples, by the id that blends call each by, whatever its own
            persona_id; directions (layers, D) of this model in units of the residual stream, as `PersonaVector` has
            them. One of these comes before one on disk; ids that are not among them are loaded from disk.

    Attributes:
        vectors: by id, those that the blends so far needed, from memory or from disk.

    Raises:
        BillyError: from the constructor, before anything is written: an empty or too long prompt, an unknown persona,
            a missing or foreign vector, weights that cancel, a model that cannot be steered, too little memory; also
            what `accept_vectors` raises, even of a vector that no blend names.
    """

    def __init__(
        self,
        model: Model,
        request: Request,
        blends: Sequence[Blend],
        *,
        store: PromptStore | None = None,
        vectors: Mapping[str, PersonaVector] | None = None,
    ) -> None:
        self._model = model
        self._request = request
        self._blends = list(blends)
        prompt = prompt_tokens(model, request)
        check_length(model, prompt, request.max_tokens)
        check_rows(model, len(blends), len(prompt) + request.max_tokens)
        ids = {persona_id for blend in blends for persona_id in blend.persona_ids}
        self._in_memory = {} if vectors is None else accept_vectors(vectors, model.id, model.fingerprint)
        self.vectors = self._vectors_of(ids)
        thinking = None if request.steer_thinking else Thinking.of(model.tokenizer, prompt, asked=request.thinks)
        self.rows = [
            Row(
                prompt=tuple(prompt),
                sampling=request.sampling,
                seed=request.seed,
                max_tokens=request.max_tokens,
                stop=request.stop,
                continues=not request.chat or bool(request.prefix),
                thinking=thinking,
                directions=directions(blend, self.vectors) if blend.weights else UNSTEERED,
            )
            for blend in blends
        ]
        if any(row.directions.key for row in self.rows):
            _ = model.blocks  # refuses a model that cannot be steered
        for blend, row in zip(blends, self.rows, strict=True):
            model.require_addable(row.directions, str(blend))
        self.decoding = Decoding(model, self.rows, store=store)
        self._directions = [row.directions for row in self.rows]
        self._texts = [""] * len(blends)
        self.tokens: list[list[int]] = [[] for _ in blends]
        self.finished: list[FinishReason | None] = [None] * len(blends)
        self._started = self._first_token = 0.0
        self._last_token = [0.0] * len(blends)
        self._steps = self._run()

    def __iter__(self) -> Iterator[Step]:
        return self._steps

    def _run(self) -> Iterator[Step]:
        mx.reset_peak_memory()
        self._started = time.perf_counter()
        for step in self.decoding:
            now = time.perf_counter()
            if step.emitted and not self._first_token:
                self._first_token = now
            for news in step.emitted:
                self._last_token[news.row] = now
                self._texts[news.row] += news.text
                tokens = self.tokens[news.row]
                tokens += [] if news.token is None else [news.token]
                del tokens[len(tokens) - news.withdrawn :]
                self.finished[news.row] = news.finish_reason
            yield step

    def steer(self, index: int, blend: Blend) -> tuple[int, Directions]:
        """Have a voice go on in another blend.

        Returns:
            The first token drawn under it, as `Decoding.steer` has it, and what it adds.

        Raises:
            BillyError: as the constructor does for blends.
        """
        self.vectors |= self._vectors_of(set(blend.persona_ids) - set(self.vectors))
        changed = directions(blend, self.vectors) if blend.weights else UNSTEERED
        if changed.key:
            _ = self._model.blocks
        self._model.require_addable(changed, str(blend))
        self._blends[index], self._directions[index] = blend, changed
        return self.decoding.steer(index, changed), changed

    def results(self) -> list[Generation]:
        """Return what each voice has written so far, in the order of the blends."""
        return [self._result(index) for index in range(len(self.rows))]

    def _vectors_of(self, ids: Set[str]) -> dict[str, PersonaVector]:
        kept = {persona_id: self._in_memory[persona_id] for persona_id in ids & self._in_memory.keys()}
        return kept | load_vectors(sorted(ids - kept.keys()), self._model.id, self._model.fingerprint)

    def _result(self, index: int) -> Generation:
        row, blend, steered = self.rows[index], self._blends[index], self._directions[index]
        prefill, writing = self._first_token - self._started, self._last_token[index] - self._first_token
        return Generation(
            text=self._texts[index],
            model=self._model.id,
            blend=blend.spelled,
            dose=str(blend.dose) if blend.weights else None,
            mode=str(blend.mode) if blend.weights else None,
            layers=tuple(sorted(steered.by_layer)),
            positions="all" if steered.everywhere else "response",
            seed=row.seed,
            prompt_tokens=len(row.prompt),
            generation_tokens=len(self.tokens[index]),
            prompt_tps=_rate(len(row.prompt), prefill),
            generation_tps=_rate(len(self.tokens[index]) - 1, writing),
            peak_memory_gb=mx.get_peak_memory() / 1e9,
            finish_reason=self.finished[index],
        )


def generate(
    model: Model,
    request: Request | str,
    blend: Blend | str | None = ALONE,
    *,
    vectors: Mapping[str, PersonaVector] | None = None,
) -> Generation:
    """Return what `model` writes to a prompt in the voice of `blend`, or in its own.

    Args:
        blend: also its text form; None is the model alone as well.
        vectors: vectors in memory, by the id that `blend` calls each by, as `Voices` takes them; ids that are not
            among them are loaded from disk.

    Raises:
        BillyError: as `Voices` does.
    """
    request = Request(request) if isinstance(request, str) else request
    blend = Blend.parse(blend) if isinstance(blend, str) else ALONE if blend is None else blend
    voices = Voices(model, request, [blend], vectors=vectors)
    for _ in voices:
        pass
    return voices.results()[0]


def prompt_tokens(model: Model, request: Request) -> list[int]:
    """Return what a model is sent for a request, the chat template included.

    Raises:
        ModelError: the template fails.
    """
    if request.prefix:
        return going_on_prompt(model.tokenizer, request.prefix, user=request.prompt, system=request.system)
    if request.chat:
        return chat_prompt(model.tokenizer, request.prompt, system=request.system, thinking=request.thinking)
    return text_prompt(model.tokenizer, request.prompt)


def _rate(tokens: int, seconds: float) -> float:
    return tokens / seconds if tokens > 0 and seconds > 0 else 0.0

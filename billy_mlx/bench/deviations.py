"""What differs from the paper (arXiv 2510.10157) in a run with some settings, told in sentences."""

from billy_mlx.bench.names import without_place
from billy_mlx.bench.settings import DEFAULT_BLEND, BenchSettings
from billy_mlx.blend.blend import Blend, Mode
from billy_mlx.blend.directions import PAPER_LAYER, steered_layers
from billy_mlx.model.model import Model
from billy_mlx.vectors.library import load_vectors
from billy_mlx.vectors.vector import PersonaVector

_PAPER_DEPTH = 32  # layers of Llama-3.1-8B


def deviations_of(settings: BenchSettings, model: Model) -> list[str]:
    """Return how a run with some settings differs from the paper's, a sentence each, those of weight first.

    Raises:
        BillyError: a persona of the blend has no vector for the model.
    """
    blend = Blend.parse(settings.blend)
    vectors = list(load_vectors(blend.persona_ids, model.id, model.fingerprint).values())
    return [
        f"The model is {model.id}; the paper has Qwen2.5-7B and Llama-3.1-8B.",
        _judge(settings),
        *_items(settings),
        *_steering(settings, blend, vectors),
        *_vectors(vectors),
        *_sampling(settings),
        f"Answers have up to {settings.max_tokens} tokens, turns of the discussion up to {settings.discussion_tokens}.",
        "The discussion's prompts are our own; a turn is shown the task and what the others said in the round before, "
        "and not the rounds before that.",
        "The discussion's answer is what the four roles list last, each idea once; of a piece of writing it is "
        "the first role's.",
        "The multi-role prompt is our own; verbalized sampling and random directions are added.",
    ]


def _judge(settings: BenchSettings) -> str:
    how = "whole lists, as the paper does" if settings.whole_lists else "ideas one by one, where the paper judges lists"
    return (
        "The judge is a local model with rubrics of our own, whose score is the expectation over the numbers that it "
        f"might write next; it judges {how}."
    )


def _items(settings: BenchSettings) -> list[str]:
    many = "all" if settings.items_per_task is None else f"the first {settings.items_per_task}"
    if settings.tasks_file is not None:
        name = without_place(settings.tasks_file)
        return [f"The items are {many} in {name}; behind each question stands that a numbered list is wanted."]
    return [
        f"The items are our own, {many} of each task, and not those of LLM Discussion (arXiv 2405.06373).",
        "Where ideas are listed, the question asks for five of them, so that there are hardly ever more.",
        *_tasks(settings),
    ]


def _tasks(settings: BenchSettings) -> list[str]:
    told = [] if settings.tasks is None else [f"Only these tasks are asked: {', '.join(settings.tasks)}."]
    if settings.tasks is None or "writing" in settings.tasks:
        told.append("A task of short creative writing is added, which the paper does not have.")
    return told


def _steering(settings: BenchSettings, blend: Blend, vectors: list[PersonaVector]) -> list[str]:
    count = len(vectors[0].directions)
    layers = _named(steered_layers(Blend(blend.weights, mode=Mode.PAPER, layers=blend.layers), vectors))
    told = [
        "Layered blends are not the paper's: they add at every layer what the vectors there have over those below.",
        "Balanced and orthogonal blends are not the paper's: they add unit vectors, dosed in the layer's own norm.",
    ]
    if layers != str(PAPER_LAYER) or count != _PAPER_DEPTH:
        told.append(
            f"In paper mode the output of layer {layers} of {count} is steered, counted from 0; the paper's is layer "
            f"{PAPER_LAYER} of {_PAPER_DEPTH} (Llama-3.1-8B)."
        )
    if settings.protocol == "own":
        layered, alone = (
            _named(steered_layers(Blend(blend.weights, mode=mode, layers=blend.layers), vectors))
            for mode in (Mode.LAYERED, Mode.BALANCED)
        )
        told.append(f"In layered mode it is layers {layered}; in balanced and orthogonal mode it is layer {alone}.")
    if blend.weights != Blend.parse(DEFAULT_BLEND).weights:
        told.append(f"The blend is {blend}; the paper's is {DEFAULT_BLEND}.")
    return told


def _vectors(vectors: list[PersonaVector]) -> list[str]:
    made: dict[str, list[str]] = {}
    for vector in vectors:
        made.setdefault(_making(vector), []).append(vector.persona_id)
    return [
        "The questions behind the vectors are our own and the same for all personas, means are balanced over them, and "
        "the neutral answers are shared; the paper has questions of its own for each persona.",
        *(
            f"The vectors of {', '.join(persona_ids)} are from {making}; the paper has 10 answers to each question, of "
            "up to 1000 tokens at temperature 1, filtered by a judge."
            for making, persona_ids in made.items()
        ),
    ]


def _making(vector: PersonaVector) -> str:
    if not vector.origin.rollouts:
        return vector.origin.source or "a file that does not say how they were made"
    judged = "filtered by a judge" if vector.judgement is not None and vector.judgement.filtered else "not filtered"
    return f"{vector.origin.rollouts} answers with the persona/neutral ({vector.origin.sampling}), {judged}"


def _sampling(settings: BenchSettings) -> list[str]:
    sampling = settings.sampling
    drawn = (sampling.top_p, sampling.min_p, sampling.repetition_penalty)
    told = []
    if drawn != (0.8, 0.0, 1.2):
        told.append(
            f"Tokens are drawn with top-p {drawn[0]:g}, min-p {drawn[1]:g} and a repetition penalty of {drawn[2]:g}; "
            "the paper has top-p 0.8 and a repetition penalty of 1.2."
        )
    if sampling.repetition_penalty != 1:
        told.append(
            f"The repetition penalty looks back over the last {sampling.repetition_context:,} tokens, prompt included."
        )
    if sampling.temperature != 0.7:
        told.append(f"The temperature is {sampling.temperature:g}; the paper's single agent has 0.7.")
    told.append(f"Every arm answers an item {'once' if settings.seeds == 1 else f'{settings.seeds} times'}.")
    return told


def _named(layers: tuple[int, ...]) -> str:
    return ", ".join(map(str, layers))

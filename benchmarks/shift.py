"""Does each persona show in what is written? Prints the table of docs/shift.md.

Every persona writes to the same prompts with the same seeds as the unsteered model does. The finished texts are then
read by the unsteered model: what is scored is the words alone, not what was added while they were written.

    .venv/bin/python benchmarks/shift.py --dose 0.2r/balanced/L15 > docs/shift.md
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from billy_mlx import Blend, Model, PersonaVector, directions, load, load_vectors
from billy_mlx.extraction.card import Persona, get_persona, load_personas
from billy_mlx.measure.projection import project
from billy_mlx.measure.reading import Text as ToRead
from billy_mlx.measure.reading import read_all
from billy_mlx.measure.vocabulary import distinct_share, share_of_words
from billy_mlx.model.answers import Answers
from billy_mlx.model.decode import Decoding
from billy_mlx.model.layers import UNSTEERED, Directions
from billy_mlx.model.prompt import chat_prompt
from billy_mlx.model.rows import Row
from billy_mlx.model.sample import Sampling
from billy_mlx.steps import finish

# None of them is among the questions of the extraction, and no card mentions them.
PROMPTS = (
    "Tell me about your morning.",
    "Write about a train journey.",
    "Describe an old house at the end of a street.",
    "What makes a good friend?",
    "Write a short scene in a kitchen.",
    "Tell a story about a lost key.",
    "Explain how to learn a language.",
    "Describe a rainy afternoon.",
    "Write about a market.",
    "What should I cook tonight?",
    "Tell me about a photograph.",
    "Write the beginning of a novel.",
    "Describe a person who waits for a letter.",
    "What did you learn this year?",
    "Write about a window.",
    "Tell a story about two neighbours.",
    "Describe a small shop.",
    "How do I stay calm before an exam?",
    "Write about coming home.",
    "Describe a bridge at night.",
    "Tell me something about silence.",
    "What is a good way to spend a holiday?",
    "Write about a mistake.",
    "Describe the sea.",
)

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Text:
    """What was written to one prompt."""

    text: str
    activations: Floats  # (layers, D), averaged over the text as the unsteered model reads it


def main() -> None:
    """Write, read, score, print."""
    arguments = _arguments()
    model = load(arguments.model)
    ids = arguments.personas or list(load_personas().personas)
    vectors = load_vectors(ids, model.id, model.fingerprint)
    layer = len(model.layers) * 3 // 4
    prompts = [tuple(chat_prompt(model.tokenizer, prompt)) for prompt in PROMPTS[: arguments.prompts]]
    control = _write(model, prompts, UNSTEERED, arguments)
    print(_head(model, arguments, layer, control))
    steered = {}
    for persona_id in tqdm(ids, disable=None):
        blend = Blend.parse(f"{persona_id}@{arguments.dose}")
        steered[persona_id] = _write(model, prompts, directions(blend, vectors), arguments)
    shown = 0
    for persona_id in ids:
        row = _row(get_persona(persona_id), vectors[persona_id], layer, control, steered)
        shown += not row.endswith("| no |")
        print(row)
    print("\n| in short | measured | aim |\n| --- | --- | --- |")
    print(f"| personas that show in what is written at dose {arguments.dose} | {shown} of {len(ids)} | |")


def _write(
    model: Model, prompts: Sequence[tuple[int, ...]], added: Directions, arguments: argparse.Namespace
) -> list[Text]:
    rows = [
        Row(prompt, added, Sampling(), seed=arguments.seed + number, max_tokens=arguments.max_tokens)
        for number, prompt in enumerate(prompts)
    ]
    answers = Answers(rows, model.tokenizer.eos_token_ids)
    for step in Decoding(model, rows):
        answers.take(step)
    to_read = [ToRead(prompt, tuple(own)) for prompt, own in zip(prompts, answers.tokens, strict=True)]
    readings = finish(read_all(model, to_read))
    return [Text(text, reading.average.mean) for text, reading in zip(answers.texts, readings, strict=True)]


def _row(
    persona: Persona, vector: PersonaVector, layer: int, control: list[Text], steered: dict[str, list[Text]]
) -> str:
    own = steered[persona.id]
    along = {name: _projections(vector, texts)[:, layer].mean() for name, texts in steered.items()}
    others = [projection for name, projection in along.items() if name != persona.id]
    rank = 1 + sum(projection > along[persona.id] for projection in others)
    before, after = (_projections(vector, texts)[:, layer] for texts in (control, own))
    unsaid, said = (
        np.array([share_of_words(text.text, persona.subject_words) for text in texts]) for texts in (control, own)
    )
    distinct = [np.mean([distinct_share(text.text) for text in texts]) for texts in (control, own)]
    by_projection, by_words = _interval(before, after), _interval(unsaid, said)
    shown = [name for name, interval in (("projection", by_projection), ("words", by_words)) if interval[0] > 0]
    cells = [
        persona.id,
        f"{before.mean():.2f} → {after.mean():.2f}",
        f"{by_projection[0]:+.2f} … {by_projection[1]:+.2f}",
        f"{np.mean(others):.2f} ({rank}.)" if others else "",
        f"{unsaid.mean():.2f} → {said.mean():.2f}",
        f"{by_words[0]:+.2f} … {by_words[1]:+.2f}",
        f"{distinct[0]:.2f} → {distinct[1]:.2f}",
        " and ".join(shown) or "no",
    ]
    return f"| {' | '.join(cells)} |"


def _projections(vector: PersonaVector, texts: list[Text]) -> Floats:
    activations = np.stack([text.activations for text in texts])
    return project(activations, vector.directions, vector.neutral_mean, vector.projection_scale)


def _interval(control: Floats, steered: Floats, draws: int = 10_000) -> tuple[float, float]:
    """Return the 95 % interval of the mean difference, by a paired bootstrap over prompts."""
    differences = steered - control
    drawn = np.random.default_rng(0).integers(len(differences), size=(draws, len(differences)))
    low, high = np.quantile(differences[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def _head(model: Model, arguments: argparse.Namespace, layer: int, control: list[Text]) -> str:
    versions = f"mlx {version('mlx')}, mlx-lm {version('mlx-lm')}"
    command = " ".join([".venv/bin/python benchmarks/shift.py", *sys.argv[1:], "> docs/shift.md"])
    return f"""# Does each persona show in what is written?

Model `{model.id}`, dose {arguments.dose}, {len(control)} prompts that no card and no extraction question contains,
the same seed for a prompt with and without the persona, {arguments.max_tokens} tokens each, {versions}. Made by

    {command}

*Projection*: the finished text, read by the unsteered model without any system prompt, along the persona's vector at
layer {layer}; 0 is the average neutral answer of the extraction, 1 the average answer of the persona. *Words*: how many
words in a hundred are of the card's `subject_words`. *Distinct*: the share of word pairs in a text that are different
ones; a text that falls into a loop loses it. Left of the arrow the unsteered model (dose 0), right of it the persona.
*Others*: where the texts of the other personas lie along the same vector, and the place of the persona's own among
them all: vectors of one model have a part in common, and only what is beyond the others' is the persona's own.
The intervals hold 95 % of the mean difference by a paired bootstrap over the prompts; a persona *shows* where one lies
above 0.

| persona | projection | difference | others | words | difference | distinct | shows in |
| --- | --- | --- | --- | --- | --- | --- | --- |"""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("personas", nargs="*", help="ids; all if none is named")
    parser.add_argument("--model")
    parser.add_argument("--dose", default="1")
    parser.add_argument("--prompts", type=int, default=len(PROMPTS))
    parser.add_argument("--max-tokens", type=int, default=64)
    parser.add_argument("--seed", type=int, default=100)
    return parser.parse_args()


if __name__ == "__main__":
    main()

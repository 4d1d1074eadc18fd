"""Verbalized sampling: the model states a distribution over answers, and one of the unlikely ones is taken.

Source: arXiv 2510.01171, in the variant that takes answers below a probability of 0.10; the wording is our own.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from billy_mlx.bench.play import AsItStands, Play, turn
from billy_mlx.bench.settings import BenchSettings
from billy_mlx.bench.tasks import Item
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import chat_prompt

ANSWERS = 5
UNLIKELY = 0.10

_PROMPT = (
    "{task}\n\n"
    "Give five different answers to this task, each of them complete. Above each one write a line with its number and "
    "with how probable it is that you would give it, in this form:\n"
    "Answer 1, probability 0.07:\n"
    "Choose answers that you would hardly ever give: each probability is below 0.10."
)
_TAG = re.compile(
    r"^[\W_]*(?:answer[\W_]*)?\d+[\W_]+(?:with\s+)?(?:a\s+)?probability[^\w.\n]+(?:of\s+)?"
    r"(?P<number>\d*\.?\d+)\s*(?P<percent>%?)[\W_]*",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True)
class Stated:
    """An answer and the probability that the model gives it."""

    text: str
    probability: float


def verbalized(model: Model, settings: BenchSettings) -> Callable[[Item, int], Play]:
    """Return plays of one turn; a text that states no probabilities is the answer as it stands.

    The turn may be as long as five answers, as far as the model's context allows.
    """

    def play(item: Item, seed: int) -> Play:
        prompt = _PROMPT.format(task=item.prompt)
        most = ANSWERS * settings.max_tokens
        if model.context_length is not None:
            room = model.context_length - len(chat_prompt(model.tokenizer, prompt))
            most = max(settings.max_tokens, min(most, room))
        asked = turn(settings, item, seed, prompt=prompt, max_tokens=most)
        [text] = yield [asked]
        chosen = choose(stated(text), asked.seed)
        return AsItStands(text) if chosen is None else chosen

    return play


def stated(text: str) -> list[Stated]:
    """Return the answers in `text` with their probabilities; those without any words are left out."""
    tags = list(_TAG.finditer(text))
    ends = [*(tag.start() for tag in tags), len(text)][1:]
    found = [Stated(text[tag.end() : end].strip(), _probability(tag)) for tag, end in zip(tags, ends, strict=True)]
    return [each for each in found if each.text and each.probability <= 1]


def choose(answers: list[Stated], seed: int) -> str | None:
    """Return one of the answers below 0.10, drawn as likely as they are said to be; of all if none is so unlikely."""
    unlikely = [each for each in answers if each.probability < UNLIKELY] or answers
    if not unlikely:
        return None
    weights = [each.probability for each in unlikely]
    return random.Random(seed).choices(unlikely, weights if any(weights) else None)[0].text


def _probability(tag: re.Match[str]) -> float:
    return float(tag["number"]) / (100 if tag["percent"] else 1)

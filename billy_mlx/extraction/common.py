"""What the system prompts of all personas add alike, so that each persona stands out from it.

Neutral answers are read behind system prompts of the bundled cards, two of each, one answer behind each. What that adds
on average is "play a part, and not the assistant", whoever's part it is: as large as what most personas have of their
own. It depends on the model and the bundled cards alone, so that a new persona never changes it.
"""

from collections.abc import Generator, Iterator, Sequence
from functools import partial
from hashlib import sha256
from itertools import cycle, islice

import numpy as np

from billy_mlx.errors import VectorError
from billy_mlx.extraction.pole import Floats, Pole, Rollout, prompt_effect, question_means
from billy_mlx.measure.activations import Text, read_all
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import chat_prompt, sent_digest
from billy_mlx.steps import mapped
from billy_mlx.vectors.card import Persona, bundled_folder, read_card

# Named one by one: with another card here, every vector there is would have been told from something else.
CARDS = (
    "creative-professional",
    "environmentalist",
    "futurist",
    "analytical-thinker",
    "empathetic-counselor",
    "visionary-millionaire",
    "startup-founder",
    "social-entrepreneur",
    "customer",
    "digital-nomad",
    "industry-insider",
    "academic-researcher",
    "noir",
    "gothic",
    "minimalist",
    "lyrical",
    "satirist",
    "fairy-tale",
    "naturalist",
    "comic",
    "victorian",
    "dreamlike",
    "hard-science",
    "childrens",
)


def common_cards() -> list[Persona]:
    """Return the bundled cards whose system prompts are read, whatever cards of the user's bear their ids."""
    return [read_card(bundled_folder() / f"{persona_id}.toml") for persona_id in CARDS]


def cards_digest(cards: Sequence[Persona]) -> str:
    """Return in words which cards were read, for a vector's origin."""
    digest = sha256("".join(card.card_hash for card in cards).encode()).hexdigest()[:16]
    return f"{len(cards)} cards {digest}"


def read_common_part(
    model: Model, neutral: Pole, questions: Sequence[str], cards: Sequence[Persona], batch: int
) -> Generator[float, None, Floats]:
    """Return (layers, D), what the system prompts of `cards` add to neutral answers, yielding what share is read.

    Args:
        neutral: answers to the plain prompt.
        questions: by number, those that were answered.
        cards: at least one.
        batch: answers read at once.

    Raises:
        VectorError: no neutral answer says anything.
        BillyError: the disk takes no more.
    """
    pole, answers, behind = begin_common(model, neutral, questions, cards)
    while pole.done < len(pole):
        part = slice(pole.done, pole.done + batch)
        texts = [Text(prompt, each.tokens) for prompt, each in zip(behind[part], answers[part], strict=True)]
        readings = yield from mapped(read_all(model, texts), partial(_share, pole.done, len(pole)))
        pole.add(
            [
                Rollout(each.question, each.answer, each.tokens, read.average, each.average)
                for each, read in zip(answers[part], readings, strict=True)
            ]
        )
    means = question_means(pole, [True] * len(pole), prompt_effect)
    return np.asarray(np.stack(list(means.values())).mean(0, dtype=np.float64), np.float32)


def begin_common(
    model: Model, neutral: Pole, questions: Sequence[str], cards: Sequence[Persona]
) -> tuple[Pole, list[Rollout], list[tuple[int, ...]]]:
    """Return the pole of neutral answers behind `cards` with what of it is kept, the answers, and what they are behind.

    Raises:
        VectorError: no neutral answer says anything.
    """
    prompts = list(_spread(cards))
    answers = list(islice(cycle(_told(neutral, len(prompts))), len(prompts)))
    behind = [
        tuple(chat_prompt(model.tokenizer, questions[each.question], system=prompt))
        for each, prompt in zip(answers, prompts, strict=True)
    ]
    sent = [prompt + each.tokens for prompt, each in zip(behind, answers, strict=True)]
    asked = [each.question for each in answers]
    return Pole("common", sent_digest(model, sent, "common"), asked, model.fingerprint, plain=True), answers, behind


def _spread(cards: Sequence[Persona]) -> Iterator[str]:
    """Yield some of each card's system prompts, others for every card: all five would add hardly anything.

    On the starter model the mean over 48 has a cosine of 0.99 with that over all 120, at every layer.
    """
    for number, card in enumerate(cards):
        for place in (number, number + 2):
            yield card.prompts[place % len(card.prompts)]


def _told(neutral: Pole, most: int) -> list[Rollout]:
    """Return the first answers that say anything, evenly over the questions as they were written; at most so many."""
    told = list(islice((each for batch in neutral for each in batch if each.average.tokens > 0), most))
    if not told:
        raise VectorError("the model gave no answer without a voice; try another model, or more answers (--rollouts)")
    return told


def _share(before: int, total: int, read: int) -> float:
    return (before + read) / total

"""Arms that only prompt: one answer, one prompt for several roles, a discussion, and verbalized sampling.

The discussion follows LLM Discussion (arXiv 2405.06373): ideas first, then three rounds of building on the others',
then final answers. Verbalized sampling (arXiv 2510.01171) asks the model for several answers with a probability each,
and takes one below 0.10. All wording is our own.
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from billy_mlx.bench.ideas import split_ideas
from billy_mlx.bench.play import Arm, Fallback, Play, single, turn
from billy_mlx.bench.settings import BenchSettings
from billy_mlx.bench.tasks import Item, load_tasks
from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.errors import BillyError
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import chat_prompt
from billy_mlx.vectors.card import get_persona

ROLES = 4
ROUNDS = 5  # of a discussion
ANSWERS = 5
UNLIKELY = 0.10  # in verbalized sampling

_MULTI_ROLE = (
    "Think about the task below as each of these people in turn:\n\n{roles}\n\n"
    "Let them take up each other's thoughts. Then give one answer with the best of all of them, and nothing but the "
    "answer.\n\nThe task:\n\n{task}"
)
_SYSTEM = "You are one of four people in a discussion. Whatever you say, say it as this one of them.\n\n{role}"
# The task comes last: small models answer what they read last, and this rival of steering is to be at its best.
_FIRST = "{task}"
_NEXT = (
    "This is what three others have answered to a task:\n\n{said}\n\n"
    "Build on their ideas: take up the best, change and join them, and add new ones of your own. "
    "The task is this:\n\n{task}"
)
_LAST = (
    "This is what three others have answered to a task:\n\n{said}\n\n"
    "Give your final answer now, with the best ideas of all, and nothing but the answer. The task is this:\n\n{task}"
)
_CUT = " [cut here, as there is no room for all of it]"
_VERBALIZED = (
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


def prompted_arms(model: Model, settings: BenchSettings) -> list[Arm]:
    """Return the arms of the unsteered model; those that ask for roles ask for the personas of the settings' blend."""

    def alone(name: str, temperature: float) -> Arm:
        sampling = replace(settings.sampling, temperature=temperature)
        description = f"One unsteered answer at temperature {temperature:g}."
        return Arm(name, name, description, ALONE, single(settings, sampling=sampling))

    def multi_role(item: Item, seed: int) -> Play:
        cast = "\n".join(f"- {role}" for role in roles(settings.blend))
        [text] = yield [turn(settings, item, seed, prompt=_MULTI_ROLE.format(roles=cast, task=item.prompt))]
        return text

    several = "One prompt that asks the unsteered model to think as each of the blend's personas."
    discussed = "Four roles from the blend's personas discuss over five rounds; all are the same unsteered model."
    stated = "One prompt asks for five answers with their probabilities; one below 0.10 is taken (arXiv 2510.01171)."
    return [
        alone("single-0.7", 0.7),
        alone("single-1.0", 1.0),
        Arm("multi-role", "multi-role", several, ALONE, multi_role),
        Arm("discussion", "discussion", discussed, ALONE, discussion(model, settings)),
        Arm("verbalized", "verbalized", stated, ALONE, verbalized(model, settings)),
    ]


@dataclass(frozen=True)
class Role:
    """A persona's display name, and what it is in a line; empty where that is not known."""

    name: str
    description: str

    def __str__(self) -> str:
        return f"{self.name}: {self.description}" if self.description else self.name


def roles(blend: Blend) -> list[Role]:
    """Return a role for every persona that has a weight above 0, in the order of the blend."""
    return [_role(persona_id) for persona_id, weight in blend.weights if weight > 0]


def seats(blend: Blend, count: int) -> list[Role]:
    """Return `count` roles, every persona as often as its weight asks for (largest remainders first)."""
    positive = [(persona_id, weight) for persona_id, weight in blend.weights if weight > 0]
    total = sum(weight for _, weight in positive)
    quotas = [count * weight / total for _, weight in positive]
    taken = [int(quota) for quota in quotas]
    by_remainder = sorted(range(len(quotas)), key=lambda place: taken[place] - quotas[place])
    for place in by_remainder[: count - sum(taken)]:
        taken[place] += 1
    return [_role(persona_id) for (persona_id, _), times in zip(positive, taken, strict=True) for _ in range(times)]


def discussion(model: Model, settings: BenchSettings) -> Callable[[Item, int], Play]:
    """Return plays of 20 turns, four in each of five rounds; each turn sees what the other three said the round before.

    The system that this follows takes the lists of the last round, and so does this: where ideas are listed, the
    answer is the ideas of all four final lists, one list after the other, numbered anew, without those that are there
    already to the letter. A piece of writing cannot be put together so: there it is the first role's.
    """
    return _Discussion(model, settings, seats(settings.blend, ROLES)).play


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
        prompt = _VERBALIZED.format(task=item.prompt)
        most = ANSWERS * settings.max_tokens
        if model.context_length is not None:
            room = model.context_length - len(chat_prompt(model.tokenizer, prompt))
            most = max(settings.max_tokens, min(most, room))
        asked = turn(settings, item, seed, prompt=prompt, max_tokens=most)
        [text] = yield [asked]
        chosen = choose(stated(text), asked.seed)
        return Fallback(text) if chosen is None else chosen

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


def _role(persona_id: str) -> Role:
    try:
        persona = get_persona(persona_id)
    except BillyError:  # a vector from elsewhere needs no card
        return Role(persona_id.replace("-", " ").replace("_", " ").capitalize(), "")
    return Role(persona.name, persona.description)


@dataclass(frozen=True)
class _Discussion:
    model: Model
    settings: BenchSettings
    cast: Sequence[Role]

    def play(self, item: Item, seed: int) -> Play:
        said: list[str] = []
        for number in range(ROUNDS):
            frame = _FIRST if number == 0 else _LAST if number == ROUNDS - 1 else _NEXT
            prompts = [self._prompt(frame, item, place, said) for place in range(ROLES)]
            said = yield [
                turn(
                    self.settings,
                    item,
                    seed,
                    prompt=prompt,
                    system=self._system(place),
                    max_tokens=self.settings.discussion_tokens,
                    number=number * ROLES + place,
                )
                for place, prompt in enumerate(prompts)
            ]
        tasks = load_tasks()
        return _joined(said) if item.task not in tasks or tasks[item.task].lists_ideas else said[0]

    def _system(self, place: int) -> str:
        return _SYSTEM.format(role=self.cast[place])

    def _prompt(self, frame: str, item: Item, place: int, said: Sequence[str]) -> str:
        """Return the prompt of the role at `place`; the others' words are cut alike if the model holds no more."""
        model, system = self.model, self._system(place)
        others = [(self.cast[other].name, text) for other, text in enumerate(said) if other != place]
        kept = max((len(_tokens(model, text)) for _, text in others), default=0)
        while True:
            quoted = "\n\n".join(f"{name}:\n{_cut(model, text, kept)}" for name, text in others)
            prompt = frame.format(task=item.prompt, said=quoted)
            length = len(chat_prompt(model.tokenizer, prompt, system=system)) + self.settings.discussion_tokens
            too_many = 0 if model.context_length is None else length - model.context_length
            if too_many <= 0 or kept == 0:  # writing refuses a turn that is too long even so
                return prompt
            kept = max(0, kept - max(1, too_many // len(others)))


def _cut(model: Model, text: str, tokens: int) -> str:
    """Return `text` as it is, or its first `tokens` tokens and a remark that this is not all."""
    own = _tokens(model, text)
    if len(own) <= tokens:
        return text
    beginning: str = model.tokenizer.decode(own[:tokens])
    return beginning + _CUT


def _tokens(model: Model, text: str) -> list[int]:
    tokens: list[int] = model.tokenizer.encode(text, add_special_tokens=False)
    return tokens


def _joined(texts: Sequence[str]) -> str:
    different: dict[str, str] = {}
    for text in texts:
        for idea in split_ideas(text, lists_ideas=True):
            different.setdefault(idea.casefold(), idea)
    return "\n".join(f"{number}. {idea}" for number, idea in enumerate(different.values(), start=1))


def _probability(tag: re.Match[str]) -> float:
    return float(tag["number"]) / (100 if tag["percent"] else 1)

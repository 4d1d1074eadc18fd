"""Four roles that discuss an item over five rounds, all played by the same model.

After LLM Discussion (arXiv 2405.06373): ideas first, then three rounds of building on the others', then final answers.
The wording is our own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from billy_mlx.bench.ideas import split_ideas
from billy_mlx.bench.play import Play, turn
from billy_mlx.bench.roles import Role, seats
from billy_mlx.bench.settings import BenchSettings
from billy_mlx.bench.tasks import Item, load_tasks
from billy_mlx.blend.blend import Blend
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import chat_prompt

ROLES = 4
ROUNDS = 5

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


def discussion(model: Model, settings: BenchSettings) -> Callable[[Item, int], Play]:
    """Return plays of 20 turns, four in each of five rounds; each turn sees what the other three said the round before.

    The system that this follows takes the lists of the last round, and so does this: where ideas are listed, the
    answer is the ideas of all four final lists, one list after the other, numbered anew, without those that are there
    already to the letter. A piece of writing cannot be put together so: there it is the first role's.
    """
    return _Discussion(model, settings, seats(Blend.parse(settings.blend), ROLES)).play


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
        """Return what the role at `place` is told; the others' words are cut alike if the model holds no more."""
        model, system = self.model, self._system(place)
        others = [(self.cast[other].name, text) for other, text in enumerate(said) if other != place]
        kept = max((len(_tokens(model, text)) for _, text in others), default=0)
        while True:
            quoted = "\n\n".join(f"{name}:\n{_cut(model, text, kept)}" for name, text in others)
            prompt = frame.format(task=item.prompt, said=quoted)
            length = len(chat_prompt(model.tokenizer, prompt, system=system)) + self.settings.discussion_tokens
            too_many = 0 if model.context_length is None else length - model.context_length
            if too_many <= 0 or kept == 0:  # whoever writes a turn that is too long even so says that it is
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

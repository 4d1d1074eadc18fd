"""Plays driven side by side: their turns are written in batches, and their answers stored as soon as they are there."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from billy_mlx.bench.play import Arm, Fallback
from billy_mlx.bench.result import GroupCost
from billy_mlx.bench.store import Answer, Store
from billy_mlx.bench.tasks import Item
from billy_mlx.blend.recipe import Recipe, Take
from billy_mlx.blend.writer import Writer
from billy_mlx.model.model import Model
from billy_mlx.steps import mapped


@dataclass(frozen=True)
class BenchProgress:
    """How far a benchmark is: what is being done, and what share of the whole is.

    A resumed run does not begin at 0: estimate the time left from its first share on.
    """

    stage: str
    share: float

    def within(self, since: float, upto: float) -> "BenchProgress":
        """Return it as progress of a whole, of which this part goes from one share to another."""
        return BenchProgress(self.stage, since + (upto - since) * self.share)


def run(model: Model, arms: Sequence[Arm], items: Sequence[Item], store: Store) -> Generator[BenchProgress, None, None]:
    """Write the answers that `store` does not have yet, one group of arms after another.

    The plays of a group come in the order of the items: arms that send the same prompt share its reading, and prompts
    of a task, which are alike in length, lie together. Only as many are under way as fill a batch, the first ones
    first, so that a kill loses little.

    Raises:
        UsageError: a prompt does not fit into the model's context.
        ModelError: a batch does not fit into memory.
        BillyError: the disk takes no more.
    """
    if not items:
        return
    stored = {answer.key for answer in store.answers}
    plays = [_Playing(arm, item, seed) for item in items for seed in range(store.settings.seeds) for arm in arms]
    tokens = {arm.name: _most_tokens(arm, items[0]) for arm in arms}
    total = sum(tokens[playing.arm.name] for playing in plays)
    done = sum(tokens[playing.arm.name] for playing in plays if playing.key in stored)
    for group in dict.fromkeys(arm.group for arm in arms):
        missing = [playing for playing in plays if playing.arm.group == group and playing.key not in stored]
        yield BenchProgress(group, done / total)
        yield from mapped(_play_all(model, missing, store), partial(_progress, group, done, total))
        done += sum(tokens[playing.arm.name] for playing in missing)


def _progress(group: str, done: int, total: int, new: int) -> BenchProgress:
    return BenchProgress(group, min(1.0, (done + new) / total))


def _most_tokens(arm: Arm, item: Item) -> int:
    """Return how many tokens a play may write, found by playing it with nothing said."""
    play, tokens = arm.play(item, 0), 0
    try:
        turns = next(play)
        while True:
            tokens += sum(turn.max_tokens for turn in turns)
            turns = play.send([""] * len(turns))
    except StopIteration:
        return tokens


def _play_all(model: Model, plays: Sequence["_Playing"], store: Store) -> Generator[int, None, None]:
    """Play `plays` to their ends, yielding how many tokens need no longer be waited for."""
    coming, going, done = iter(plays), list[_Playing](), 0
    rows = store.settings.rows
    while batch := _next_batch(coming, going, rows):
        recipes = [playing.turns[place] for playing, place in batch]
        writer = Writer(model, recipes, directions=[playing.arm.directions for playing, _ in batch])
        for _ in writer:
            yield done + sum(map(writer.done, range(len(recipes))))
        done += sum(recipe.max_tokens for recipe in recipes)
        for (playing, place), text in zip(batch, writer.takes(), strict=True):
            playing.take(place, text)
        ended = [playing for playing in going if playing.answer is not None]
        if ended:
            store.add([_stored(playing) for playing in ended], _cost(ended))
        going[:] = [playing for playing in going if playing.answer is None]


def _next_batch(coming: Iterator["_Playing"], going: list["_Playing"], rows: int) -> list[tuple["_Playing", int]]:
    """Return the turns to write next, each as its play and its place there; begins plays until there are enough."""
    waiting = [(playing, place) for playing in going for place in playing.waiting]
    while len(waiting) < rows and (new := next(coming, None)) is not None:
        new.begin()
        going.append(new)
        waiting += [(new, place) for place in new.waiting]
    return waiting[:rows]


class _Playing:
    """A play, and what it has come to so far.

    Attributes:
        turns: that it has asked for last.
        written: all that was written for it, the last turns at the end.
        answer: once it is there.
        fallback: whether it is a text that was taken as it stands.
    """

    def __init__(self, arm: Arm, item: Item, seed: int) -> None:
        self.arm = arm
        self.key = (arm.name, item.task, item.id, seed)
        self.turns: list[Recipe] = []
        self.written: list[Take] = []
        self.answer: str | None = None
        self.fallback = False
        self._play = arm.play(item, seed)
        self._now: dict[int, Take] = {}

    @property
    def waiting(self) -> list[int]:
        """The places of turns that are not written yet."""
        return [place for place in range(len(self.turns)) if place not in self._now]

    def begin(self) -> None:
        """Ask for the first turns."""
        self.turns = next(self._play)

    def take(self, place: int, written: Take) -> None:
        """Take in the text of a turn, and go on once all are there."""
        self._now[place] = written
        if self.waiting:
            return
        round_ = [self._now[place] for place in range(len(self.turns))]
        self.written += round_
        try:
            turns = self._play.send([each.text for each in round_])
        except StopIteration as end:
            self.fallback = isinstance(end.value, Fallback)
            self.answer = end.value.text if self.fallback else end.value
        else:
            self.turns, self._now = turns, {}


def _stored(playing: _Playing) -> Answer:
    arm, task, item, seed = playing.key
    last = [each.ended or "" for each in playing.written[-len(playing.turns) :]]
    return Answer(
        arm=arm,
        task=task,
        item=item,
        seed=seed,
        text=playing.answer or "",
        turns=len(playing.written),
        tokens_in=sum(len(each.prompt) for each in playing.written),
        tokens_out=sum(len(each.text_tokens) for each in playing.written),
        finish_reason=next((reason for reason in last if reason != "stop"), "stop"),
        fallback=playing.fallback,
    )


def _cost(ended: Sequence[_Playing]) -> GroupCost:
    """Return what plays that have ended took, and nothing of those still under way, which a kill would undo."""
    written = [each for playing in ended for each in playing.written]
    return GroupCost(
        group=ended[0].arm.group,
        arms=tuple(dict.fromkeys(playing.arm.name for playing in ended)),
        queries=len(ended),
        turns=len(written),
        wall_seconds=sum(each.cost.seconds for each in written),
        tokens_in=sum(len(each.prompt) for each in written),
        tokens_out=sum(len(each.text_tokens) for each in written),
        tokens_forwarded=sum(each.cost.forwarded for each in written),
        peak_memory_gb=max(each.cost.peak_memory_gb for each in written),
        rows_at_once=max(each.cost.rows for each in written),
    )

"""Passages written by tiny models in two random voices."""

from dataclasses import replace

from billy_mlx.blend.blend import Blend
from billy_mlx.blend.recipe import Recipe
from billy_mlx.blend.writer import Writer
from billy_mlx.manuscript.passage import Passage
from billy_mlx.steps import finish
from billy_mlx.write.replay import replay

NOIR, GOTHIC = Blend.parse("noir@5"), Blend.parse("gothic@5/balanced/L2")


def asked(text="Write about the sea.", prefix="The sea was", **settings):
    return Recipe.of(text, prefix=prefix, **{"max_tokens": 16, "seed": 3} | settings)


RECIPE = asked()


def writer_of(model, recipe=RECIPE, blends=(NOIR,), **how):
    return Writer(model, [replace(recipe, voice=blend) for blend in blends], **how)


def passage_of(writer, row=0, work="continue"):
    """Return a passage as it comes out of a file."""
    return Passage.of_json(Passage.of(writer.take(row), work).as_json())


def record(model, recipe=RECIPE, blends=(NOIR,), moves=(), work="continue", **how):
    """Return the passages of a recipe in each of `blends`; `moves` are (tokens received, row, blend)."""
    writer = writer_of(model, recipe, blends, **how)
    waiting = list(moves)
    for _ in writer:
        while waiting and len(writer.take(waiting[0][1]).tokens) >= waiting[0][0]:
            _, row, blend = waiting.pop(0)
            writer.steer(row, blend)
    return [passage_of(writer, row, work) for row in range(len(blends))]


def replayed(model, passage):
    return finish(replay(model, passage))

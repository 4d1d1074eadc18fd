"""A model with a persona planted into its weights, and what extraction should find of it."""

from pathlib import Path

import mlx.core as mx
import numpy as np

from billy_mlx.extraction.rollouts import RolloutSettings
from billy_mlx.vectors.card import Persona, QuestionSet

MARKED = ("~~~~~~", "~~~~~~~~ and the rain", "Tide ~~~~~~~~~~~~", "~~~~~~ ~~~~~~ on a line", "As ~~~~ the tide ~~~~")


NEUTRAL = ("You help.", "Answer the question and the rest of it.", "Be of help to all.", "Go on.", "Say it in a line.")


QUESTIONS = QuestionSet(("Why?", "And then the rain?", "Who is at the door at this hour?", "How so?"), NEUTRAL)


PERSONA = Persona(
    "marked", "Marked", "Is full of marks.", "test", MARKED, None, "MIT", "nobody", (), Path("marked.toml")
)


SETTINGS = RolloutSettings(questions=4, rollouts=5, max_tokens=24, batch=20)


def weights(layer):
    return np.array(layer.weight.astype(mx.float32))


def clear_the_way(block, *, everything):
    """Keep the first number of the stream out of a block's hands, or the whole stream out of its MLP's."""
    out, down = 0.3 * weights(block.self_attn.o_proj), weights(block.mlp.down_proj)  # what is before weighs less
    out[0] = 0
    down[slice(None) if everything else 0] = 0
    block.self_attn.o_proj.weight, block.mlp.down_proj.weight = mx.array(out), mx.array(down)


def look_for_marks(attention, write):
    """Have heads 2 and 3, which share keys and values, look everywhere, see the first number only, and `write`."""
    query, value, out = (weights(part) for part in (attention.q_proj, attention.v_proj, attention.o_proj))
    query[16:] = 0
    value[8:] = 0
    value[8, 0] = 1
    out[:, 16:] = 0
    out[:, 16] = write
    attention.q_proj.weight, attention.v_proj.weight, attention.o_proj.weight = map(mx.array, (query, value, out))


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

"""Drafts without names: whose they are, in an order that says nothing, with the model alone among them. No MLX here."""

import random
from collections.abc import Sequence

from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.errors import UsageError
from billy_mlx.write.drafting_session import MOST_VOICES


def blind_voices(voices: Sequence[Blend]) -> tuple[Blend, ...]:
    """Return voices, each once, and the model alone, in an order that is drawn by this call.

    A voice that adds nothing is the model alone.

    Raises:
        UsageError: there is no other voice, or there are too many.
    """
    steered = [*dict.fromkeys(voice for voice in voices if not voice.adds_nothing)]
    if not 1 <= len(steered) < MOST_VOICES:
        raise UsageError(
            f"a blind chorus has 1 to {MOST_VOICES - 1} voices beside the model alone, and not {len(steered)}; "
            "choose as many"
        )
    drawn = [*steered, ALONE]
    random.SystemRandom().shuffle(drawn)  # and no seed, or whoever knows it knows the order
    return tuple(drawn)

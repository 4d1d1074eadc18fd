"""Which program is at work with which kept answers: two that wrote the same ones would mix them up.

A claim is a lock in a folder of its own, beside the answers, which come and go.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from billy_mlx import paths
from billy_mlx.lock import alone

if TYPE_CHECKING:
    from billy_mlx.model.model import Model

_NEUTRAL = "neutral answers"  # no persona has a space in its id


def weights_name(model: "Model") -> str:
    """Return what the folders of a model's answers and claims begin with."""
    return f"{model.fingerprint.base}-{model.fingerprint.weights}"


@contextmanager
def claim_personas(model: "Model", persona_ids: Iterable[str]) -> Iterator[None]:
    """Be the only program that extracts these personas from `model`, until the end.

    Raises:
        BillyError: another one extracts one of them; says which process.
    """
    with ExitStack() as claims:
        for persona_id in persona_ids:
            claims.enter_context(alone(_folder(model, persona_id), partial(_at_it, persona_id, model.id)))
        yield


@contextmanager
def claim_neutral(model: "Model") -> Iterator[None]:
    """Be the only program that writes neutral answers of `model`, until the end; BillyError if another one does."""
    sentence = f"is writing the neutral answers of {model.id}, which this needs as well; wait until they are there"
    with alone(_folder(model, _NEUTRAL), lambda who: f"{who} {sentence}, then run the same command again"):
        yield


@contextmanager
def claim_all(weights: str, refused: Callable[[str], str]) -> Iterator[None]:
    """Be the only program that extracts anything from a model, as far as others have begun; BillyError if one has.

    Args:
        weights: the model's `weights_name`.
        refused: makes the sentence from who is at work: "another billy (process 7)".
    """
    with ExitStack() as claims:
        for folder in sorted(_root(weights).glob("*/")):
            claims.enter_context(alone(folder, refused))
        yield


def _at_it(persona_id: str, model_id: str, who: str) -> str:
    return f"{who} is extracting {persona_id} from {model_id} already; wait until it is done, or stop it"


def _folder(model: "Model", what: str) -> Path:
    return _root(weights_name(model)) / sha256(what.encode()).hexdigest()[:16]


def _root(weights: str) -> Path:
    return paths.cache_folder() / "extractions" / weights

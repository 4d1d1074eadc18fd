"""The answers that extractions keep on the disk: who is at work with them, how many there are, and taking them away.

Two programs that wrote the same answers would mix them up, so each claims them first. A claim is a lock in a folder of
its own, beside the answers, which come and go.
"""

import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from billy_mlx import paths
from billy_mlx.errors import BillyError, ModelError
from billy_mlx.lock import alone
from billy_mlx.model.weights import tensors_of

if TYPE_CHECKING:
    from billy_mlx.model.model import Model

# Of a pole's folder; that of older versions ends otherwise than with a `sent_digest`.
_NAME = re.compile(r"(?P<weights>[0-9a-f]{16}-[0-9a-f]{16})-(?:(?P<sent>[0-9a-f]{32})|.*)")

_NEUTRAL = "neutral answers"  # no persona has a space in its id


@dataclass(frozen=True)
class KeptAnswers:
    """The kept answers of one pole.

    Attributes:
        weights: of the model, as `claims.weights_name` has them.
        is_old: they are under a key of an older version, which did not know what was sent; no extraction finds them.
    """

    folder: Path
    weights: str
    is_old: bool
    answers: int
    bytes_on_disk: int


def find_kept_answers() -> list[KeptAnswers]:
    """Return what is kept of every pole there is."""
    found: list[KeptAnswers] = []
    for folder in sorted(paths.poles_folder().glob("*/")):
        name = _NAME.fullmatch(folder.name)
        if name is not None:
            with suppress(FileNotFoundError):  # an extraction has ended and taken them away
                found.append(_found(folder, name))
    return found


def clear_kept_answers(kept: Iterable[KeptAnswers]) -> tuple[list[KeptAnswers], list[str]]:
    """Remove answers; return those that have gone, and a sentence for each model whose answers stay.

    They stay where another program is extracting from the model, but for old ones, which it does not look at.
    """
    gone: list[KeptAnswers] = []
    stay: list[str] = []
    for (weights, is_old), group in groupby(sorted(kept, key=_in_use_together), key=_in_use_together):
        own = list(group)
        try:
            with nullcontext() if is_old else claim_all(weights, partial(_at_work, own)):
                for each in own:
                    _remove(each)
                    gone.append(each)
        except BillyError as error:
            stay.append(str(error))
    return gone, stay


def summed(kept: Sequence[KeptAnswers]) -> str:
    """Return in words how many answers these are, and how much they take."""
    answers, size = sum(each.answers for each in kept), sum(each.bytes_on_disk for each in kept)
    return f"{answers:,} kept answer{'s' * (answers != 1)}, {size / 1e6:,.1f} MB"


def _found(folder: Path, name: re.Match[str]) -> KeptAnswers:
    files = list(folder.iterdir())
    return KeptAnswers(
        folder,
        weights=name["weights"],
        is_old=name["sent"] is None,
        answers=sum(map(_count, files)),
        bytes_on_disk=sum(file.stat().st_size for file in files),
    )


def _count(file: Path) -> int:
    """Return how many answers are in a file: none in one of scores, or that is damaged."""
    try:
        tensors = tensors_of(file) if file.suffix == ".safetensors" else []
    except (OSError, ModelError):
        return 0
    return next((tensor.shape[0] for tensor in tensors if tensor.name == "counted" and tensor.shape), 0)


def _in_use_together(kept: KeptAnswers) -> tuple[str, bool]:
    return kept.weights, kept.is_old


def _at_work(own: Sequence[KeptAnswers], who: str) -> str:
    return f"{who} is extracting from a model, of which {summed(own)}, stay; clear them once it is done"


def _remove(kept: KeptAnswers) -> None:
    try:
        with suppress(FileNotFoundError):
            shutil.rmtree(kept.folder)
    except OSError as error:
        raise BillyError(f"{kept.folder} cannot be removed: {error.strerror or error}; remove it yourself") from error


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

"""What extractions have left on the disk: how many answers, how much they take, and which nobody will find again."""

import re
import shutil
from collections.abc import Iterable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

from billy_mlx import paths
from billy_mlx.errors import BillyError, ModelError
from billy_mlx.extraction.claims import claim_all
from billy_mlx.model.weights import tensors_of

# Of a pole's folder; that of older versions ends otherwise than with a `sent_digest`.
_NAME = re.compile(r"(?P<weights>[0-9a-f]{16}-[0-9a-f]{16})-(?:(?P<sent>[0-9a-f]{32})|.*)")


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

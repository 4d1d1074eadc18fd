"""The activations of an extraction's answers in a safetensors file, for methods that are tried later."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from billy_mlx.errors import VectorError
from billy_mlx.extraction.pole import Floats, Pole
from billy_mlx.files import PRIVATE, write_atomically
from billy_mlx.formats.vectors.limits import LARGEST, require_file
from billy_mlx.text import sanitize

MOST_BYTES = 1 << 30
"""What a file may have at most: 240 answers of each pole from a model of 32 layers of 4096 take 0.8 GB."""

_FORMAT = "billy-activations-1"
_ARRAYS = ("positive", "neutral", "positive_plain")
_WHOLE = ("questions", "neutral_questions")


@dataclass(frozen=True, eq=False)
class Activations:
    """The residual stream over the answers of two poles, averaged over each answer's tokens.

    Attributes:
        persona_id: of the positive pole.
        model_id: that gave the answers.
        positive: (N, layers, D) float32, read behind the prompts they were written to.
        neutral: (M, layers, D) float32, likewise.
        positive_plain: (N, layers, D) float32, the positive answers read behind the plain prompt; None where that is
            what they were written to.
        questions: (N,), which question each positive answer is to.
        neutral_questions: (M,), likewise.
        answers: N texts.
        neutral_answers: M texts.
    """

    persona_id: str
    model_id: str
    positive: Floats
    neutral: Floats
    positive_plain: Floats | None
    questions: NDArray[np.int64]
    neutral_questions: NDArray[np.int64]
    answers: tuple[str, ...]
    neutral_answers: tuple[str, ...]


def require_room(answers: int, layers: int, width: int, *, plain: bool) -> None:
    """Raise VectorError if the activations of so many answers of each pole would take more than `MOST_BYTES`.

    Args:
        plain: whether those of the positive pole are kept twice, as `Activations` says.
    """
    size = answers * layers * width * 4 * (3 if plain else 2)
    if size > MOST_BYTES:
        most = MOST_BYTES * answers // size
        raise VectorError(
            f"the activations of {answers:,} answers would take {size / 2**30:.1f} GB, and {MOST_BYTES / 2**30:.0f} is "
            f"the most that is kept; ask for {most:,} answers at most (--questions, --rollouts), or do not keep them"
        )


def save_activations(path: Path, persona_id: str, model_id: str, positive: Pole, neutral: Pole) -> None:
    """Write the activations of two poles, whole or not at all, for nobody but the owner to read.

    Raises:
        VectorError: they would take more than `MOST_BYTES`.
        BillyError: the file cannot be written.
    """
    own, others = ([each for batch in pole for each in batch] for pole in (positive, neutral))
    layers, width = own[0].average.mean.shape
    require_room(max(len(own), len(others)), layers, width, plain=positive.plain)
    arrays: dict[str, NDArray[Any]] = {
        "positive": np.stack([each.average.mean for each in own]),
        "neutral": np.stack([each.average.mean for each in others]),
        "questions": np.array([each.question for each in own], np.int64),
        "neutral_questions": np.array([each.question for each in others], np.int64),
    }
    if positive.plain:
        arrays["positive_plain"] = np.stack([each.as_text.mean for each in own])
    texts = {"answers": [each.answer for each in own], "neutral_answers": [each.answer for each in others]}
    metadata = {"format": _FORMAT, "persona_id": persona_id, "model_id": model_id, "texts": json.dumps(texts)}
    write_atomically(path, safetensors.numpy.save(arrays, metadata), mode=PRIVATE)


def load_activations(path: str | Path) -> Activations:
    """Read what `extract(keep=...)` has kept of a vector's answers.

    Raises:
        VectorError: there is no such file, it holds something else, or a number in it is none of a model.
    """
    path = Path(path)
    require_file(path, MOST_BYTES + (1 << 26), "a file of activations")
    try:
        with safetensors.safe_open(path, framework="np") as file:
            metadata: Mapping[str, str] = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys() if name in (*_ARRAYS, *_WHOLE)}  # noqa: SIM118
        if metadata.get("format") != _FORMAT:
            raise ValueError("it is of another kind")
        return _activations(arrays, metadata)
    except (OSError, safetensors.SafetensorError, KeyError, ValueError, TypeError, RecursionError) as error:
        why = sanitize(str(error))[:200]
        raise VectorError(f"{path} holds no activations: {why}; keep them anew with extract(keep=...)") from error


def _activations(arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> Activations:
    """Return what tensors and metadata of a stranger's file are; ValueError or KeyError if they are something else."""
    texts = json.loads(metadata["texts"])
    answers = {name: _texts(texts[name]) for name in ("answers", "neutral_answers")}
    own, others = len(answers["answers"]), len(answers["neutral_answers"])
    width = arrays["positive"].shape[1:]
    shapes = {"positive": (own, *width), "neutral": (others, *width), "positive_plain": (own, *width)}
    shapes |= {"questions": (own,), "neutral_questions": (others,)}
    for name, array in arrays.items():
        if array.shape != shapes[name] or len(width) != 2:
            raise ValueError(f"{name} has the shape {array.shape}")
        if array.dtype != (np.int64 if name in _WHOLE else np.float32) or not (np.abs(array) <= LARGEST).all():
            raise ValueError(f"{name} holds numbers of another kind")
    return Activations(
        persona_id=sanitize(metadata["persona_id"])[:200],
        model_id=sanitize(metadata["model_id"])[:200],
        positive=arrays["positive"],
        neutral=arrays["neutral"],
        positive_plain=arrays.get("positive_plain"),
        questions=arrays["questions"],
        neutral_questions=arrays["neutral_questions"],
        **answers,
    )


def _texts(stored: object) -> tuple[str, ...]:
    if not isinstance(stored, list) or not all(isinstance(text, str) for text in stored):
        raise ValueError("its answers are not texts")
    return tuple(stored)

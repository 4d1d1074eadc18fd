"""The neutral pole: answers without any persona, written once per model and question set, then kept."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from billy_mlx import paths
from billy_mlx.extraction.card import QuestionSet
from billy_mlx.extraction.rollouts import Rollout, RolloutSettings
from billy_mlx.extraction.vector import LARGEST
from billy_mlx.files import write_atomically
from billy_mlx.measure.averages import Average
from billy_mlx.model.fingerprint import Fingerprint


def load_neutral(fingerprint: Fingerprint, questions: QuestionSet, settings: RolloutSettings) -> list[Rollout] | None:
    """Return the kept answers, or None if there are none or anything about them is odd: they can be written again."""
    asked = [question for _, question in settings.order(len(questions.questions))]
    try:
        with safetensors.safe_open(_path(fingerprint, questions, settings), framework="np") as file:
            tensors = _tensors(file, len(asked), fingerprint)
            answers = _answers(json.loads((file.metadata() or {})["answers"]), asked)
    except (OSError, safetensors.SafetensorError, KeyError, ValueError, RecursionError):
        return None
    averages = zip(tensors["mean"], tensors["norm"], tensors["tokens"].tolist(), strict=True)
    return [
        Rollout(question, answer, Average(*average))
        for question, answer, average in zip(asked, answers, averages, strict=True)
    ]


def save_neutral(
    rollouts: Sequence[Rollout], fingerprint: Fingerprint, questions: QuestionSet, settings: RolloutSettings
) -> None:
    """Keep the answers of the neutral pole."""
    tensors: dict[str, NDArray[Any]] = {
        "mean": np.stack([rollout.average.mean for rollout in rollouts]),
        "norm": np.stack([rollout.average.norm for rollout in rollouts]),
        "tokens": np.array([rollout.average.tokens for rollout in rollouts], np.int64),
    }
    answers = json.dumps([(rollout.question, rollout.answer) for rollout in rollouts])
    write_atomically(_path(fingerprint, questions, settings), safetensors.numpy.save(tensors, {"answers": answers}))


def _tensors(file: Any, rollouts: int, fingerprint: Fingerprint) -> Mapping[str, NDArray[Any]]:
    """Return what an open file holds; ValueError unless it is what answers of this model can be."""
    layers, width = fingerprint.layers, fingerprint.width
    shapes = {"mean": [rollouts, layers, width], "norm": [rollouts, layers], "tokens": [rollouts]}
    tensors = {}
    for name, shape in shapes.items():
        stored = file.get_slice(name)
        if (stored.get_dtype(), stored.get_shape()) != ("I64" if name == "tokens" else "F32", shape):
            raise ValueError(name)
        tensors[name] = file.get_tensor(name)
        least = -LARGEST if name == "mean" else 0
        if not ((tensors[name] >= least) & (tensors[name] <= LARGEST)).all():  # also true of NaN
            raise ValueError(name)
    return tensors


def _answers(stored: Any, asked: Sequence[int]) -> list[str]:
    """Return the answers of `stored`, [question, answer] for every one of `asked`; ValueError if it is not that."""
    if not isinstance(stored, list) or len(stored) != len(asked):
        raise ValueError("answers")
    for pair, question in zip(stored, asked, strict=True):
        if not (isinstance(pair, list) and len(pair) == 2 and pair[0] == question and isinstance(pair[1], str)):
            raise ValueError("answers")
    return [answer for _, answer in stored]


def _path(fingerprint: Fingerprint, questions: QuestionSet, settings: RolloutSettings) -> Path:
    name = f"{fingerprint.base}-{fingerprint.weights}-{questions.hash}-{settings.hash}.safetensors"
    return paths.cache_folder() / "neutral" / name

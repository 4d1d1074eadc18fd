"""The neutral pole: answers without any persona, written once per model and question set, then kept."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from billy_mlx import paths
from billy_mlx.extraction.card import QuestionSet
from billy_mlx.extraction.rollouts import Rollout, RolloutSettings
from billy_mlx.files import write_atomically
from billy_mlx.measure.averages import Average
from billy_mlx.model.fingerprint import Fingerprint


def load_neutral(fingerprint: Fingerprint, questions: QuestionSet, settings: RolloutSettings) -> list[Rollout] | None:
    """Return the kept answers, or None if there are none, or none that can be read: they can be written again."""
    try:
        with safetensors.safe_open(_path(fingerprint, questions, settings), framework="np") as file:
            mean, norm, tokens = (file.get_tensor(name) for name in ("mean", "norm", "tokens"))
            answers = json.loads((file.metadata() or {})["answers"])
    except (OSError, safetensors.SafetensorError, KeyError, ValueError):
        return None
    return [
        Rollout(question, answer, Average(row_mean, row_norm, int(count)))
        for (question, answer), row_mean, row_norm, count in zip(answers, mean, norm, tokens, strict=True)
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


def _path(fingerprint: Fingerprint, questions: QuestionSet, settings: RolloutSettings) -> Path:
    name = f"{fingerprint.base}-{fingerprint.weights}-{questions.hash}-{settings.hash}.safetensors"
    return paths.cache_folder() / "neutral" / name

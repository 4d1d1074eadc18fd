"""A pole: the answers to the shared questions under one set of system prompts, kept on disk as they are written.

A file for every batch, so that a run that was stopped goes on from the last whole one, and so that any number of
answers can be gone through with one batch of them in memory. Means over them are gathered in the same way.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from billy_mlx import paths
from billy_mlx.errors import VectorError
from billy_mlx.files import PRIVATE, write_atomically
from billy_mlx.formats.vectors.limits import LARGEST
from billy_mlx.measure.activations import Average
from billy_mlx.model.fingerprint import Fingerprint

_ARRAYS = ("mean", "norm", "start")  # of every average
_PLAIN = "plain_"  # before the names of what was read behind the plain prompt

Score = float | None
"""What a judge gave an answer, 0 to 100; None if it gave no score."""

Floats = NDArray[np.float32]
Kept = Sequence[bool]
"""For each answer of a pole, in order, whether it counts."""


@dataclass(frozen=True)
class Rollout:
    """One sampled answer, its tokens, and its response-average activations.

    Attributes:
        average: read behind the prompt that the answer was written to.
        plain: the same tokens read behind the plain prompt, that of a request without a persona; None where that is
            the prompt it was written to.
    """

    question: int
    answer: str
    tokens: tuple[int, ...]
    average: Average
    plain: Average | None = None

    @property
    def as_text(self) -> Average:
        """What is read where nothing but the words can tell whose they are: behind the plain prompt."""
        return self.average if self.plain is None else self.plain


class Pole:
    """The answers of one pole: iterate over it for batches of rollouts, in the order they were written.

    Args:
        name: what to call it, "neutral" or a persona's name.
        key: of the folder: a digest of whatever decides which answers come out, with the tokens that are sent.
        asked: the number of the question of every answer that belongs to the pole.
        fingerprint: of the model that answers.
        plain: whether its answers are read behind the plain prompt as well.
        systems: the number of the system prompt of every answer, where there are several.

    Attributes:
        asked: the same.
        systems: the same, 0 for every answer where there is but one.
        plain: the same.
        done: how many answers are there; those after a file that is damaged are written again.
        empty: how many of them say nothing.
    """

    def __init__(
        self,
        name: str,
        key: str,
        asked: Sequence[int],
        fingerprint: Fingerprint,
        *,
        plain: bool = False,
        systems: Sequence[int] | None = None,
    ) -> None:
        self.name = name
        self.folder = paths.poles_folder() / f"{fingerprint.base}-{fingerprint.weights}-{key}"
        self.asked = list(asked)
        self.systems = [0] * len(asked) if systems is None else list(systems)
        self._shape = (fingerprint.layers, fingerprint.width)
        self.plain = plain
        self._readings = ("", _PLAIN) if plain else ("",)
        self._starts: list[int] = []
        self.done = self.empty = 0
        while self.done < len(asked) and (batch := self._read(self.done)):
            self._count(batch)

    def __len__(self) -> int:
        return len(self.asked)

    def __iter__(self) -> Iterator[list[Rollout]]:
        for start in self._starts:
            batch = self._read(start)
            if not batch:  # another run has ended and removed them, or the disk is failing
                raise VectorError(f"{self._file(start)} is gone or damaged; run the same command again")
            yield batch

    def add(self, rollouts: Sequence[Rollout]) -> None:
        """Keep the next batch of answers.

        Raises:
            VectorError: the model's numbers are none that a vector could be made of.
            BillyError: the disk does not take it.
        """
        read = {prefix: [_reading(rollout, prefix) for rollout in rollouts] for prefix in self._readings}
        for average in (each for averages in read.values() for each in averages):
            if not all(map(_is_sound, (average.mean, average.norm, average.start))):
                raise VectorError(
                    f"the answers for {self.name} give numbers in the model that are not finite or go beyond "
                    f"{LARGEST:g}; try another model"
                )
        tensors: dict[str, NDArray[Any]] = {
            **{
                prefix + name: np.stack([getattr(average, name) for average in averages])
                for prefix, averages in read.items()
                for name in _ARRAYS
            },
            "counted": np.array([rollout.average.tokens for rollout in rollouts], np.int64),
            "lengths": np.array([len(rollout.tokens) for rollout in rollouts], np.int64),
            "tokens": np.array([token for rollout in rollouts for token in rollout.tokens], np.int64),
        }
        answers = json.dumps([(rollout.question, rollout.answer) for rollout in rollouts])
        content = safetensors.numpy.save(tensors, {"answers": answers})
        write_atomically(self._file(self.done), content, mode=PRIVATE)  # they may be the writer's own
        self._count(rollouts)

    def scores(self, judge: str, criterion: str) -> list[Score]:
        """Return the scores that are kept of the first answers: None where the judge gave none."""
        try:
            stored = json.loads(self._score_file(judge, criterion).read_bytes())
        except (OSError, ValueError, RecursionError):
            return []
        if not isinstance(stored, list) or len(stored) > self.done or not all(map(_is_score, stored)):
            return []
        return stored

    def save_scores(self, judge: str, criterion: str, scores: Sequence[Score]) -> None:
        """Keep what `judge` gave the first answers; BillyError if the disk does not take it."""
        write_atomically(self._score_file(judge, criterion), json.dumps(list(scores)).encode())

    def discard(self) -> None:
        """Remove the files: the answers can be written again."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._starts.clear()
        self.done = self.empty = 0

    def _count(self, batch: Sequence[Rollout]) -> None:
        self._starts.append(self.done)
        self.done += len(batch)
        self.empty += sum(not rollout.answer.strip() for rollout in batch)

    def _score_file(self, judge: str, criterion: str) -> Path:
        return self.folder / f"{sha256(f'{judge} {criterion}'.encode()).hexdigest()[:16]}.json"

    def _file(self, start: int) -> Path:
        return self.folder / f"{start:06}.safetensors"

    def _read(self, start: int) -> list[Rollout]:
        """Return the batch that begins with answer `start`; nothing if it is not there or anything about it is odd."""
        try:
            with safetensors.safe_open(self._file(start), framework="np") as file:
                answers = _answers(json.loads((file.metadata() or {})["answers"]), self.asked[start:])
                tensors = _tensors(file, len(answers), self._shape, self._readings)
        except (OSError, safetensors.SafetensorError, KeyError, ValueError, RecursionError):
            return []
        ends = np.cumsum(tensors["lengths"])
        tokens = np.split(tensors["tokens"], ends[:-1])
        averages = [_averages(tensors, prefix) for prefix in self._readings]
        return [
            Rollout(question, answer, tuple(own.tolist()), *read)
            for (question, answer), own, *read in zip(answers, tokens, *averages, strict=True)
        ]


def _reading(rollout: Rollout, prefix: str) -> Average:
    if not prefix:
        return rollout.average
    if rollout.plain is None or rollout.plain.tokens != rollout.average.tokens:
        raise ValueError("this pole keeps answers that are read behind the plain prompt as well, token for token")
    return rollout.plain


def _averages(tensors: Mapping[str, NDArray[Any]], prefix: str) -> list[Average]:
    mean, norm, start = (tensors[prefix + name] for name in _ARRAYS)
    rows = zip(mean, norm, tensors["counted"].tolist(), start, strict=True)
    return [Average(*row) for row in rows]


def _is_score(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and 0 <= value <= 100)


def _tensors(file: Any, count: int, shape: tuple[int, int], readings: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Return what an open file holds; ValueError unless it is what so many answers of this model can be."""
    layers, width = shape
    read = {"mean": [count, layers, width], "norm": [count, layers], "start": [count, layers, width]}
    shapes = {prefix + name: expected for prefix in readings for name, expected in read.items()}
    shapes |= {"counted": [count], "lengths": [count]}
    tensors = {name: _checked(file, name, expected) for name, expected in shapes.items()}
    tensors["tokens"] = _checked(file, "tokens", [int(tensors["lengths"].sum())])
    return tensors


def _checked(file: Any, name: str, shape: list[int]) -> NDArray[Any]:
    stored = file.get_slice(name)
    kind = "F32" if name.removeprefix(_PLAIN) in _ARRAYS else "I64"
    if (stored.get_dtype(), stored.get_shape()) != (kind, shape):
        raise ValueError(name)
    array: NDArray[Any] = file.get_tensor(name)
    if not _is_sound(array) or (not name.endswith(("mean", "start")) and (array < 0).any()):
        raise ValueError(name)
    return array


def _is_sound(array: NDArray[Any]) -> bool:
    return bool((np.abs(array) <= LARGEST).all())  # not so of NaN


def _answers(stored: Any, asked: Sequence[int]) -> list[tuple[int, str]]:
    """Return the answers of `stored`, [question, answer] each, to the first of `asked`; ValueError if not that."""
    if not isinstance(stored, list) or not 1 <= len(stored) <= len(asked):
        raise ValueError("answers")
    for pair, question in zip(stored, asked, strict=False):
        if not (isinstance(pair, list) and len(pair) == 2 and pair[0] == question and isinstance(pair[1], str)):
            raise ValueError("answers")
    return [(question, answer) for question, answer in stored]


def as_written(rollout: Rollout) -> Floats:
    """Return (layers, D), the mean over an answer's tokens behind the prompt that it was written to."""
    return rollout.average.mean


def as_text(rollout: Rollout) -> Floats:
    """Return (layers, D), the mean over an answer's tokens behind the plain prompt: what its words alone carry."""
    return rollout.as_text.mean


def prompt_effect(rollout: Rollout) -> Floats:
    """Return (layers, D), what the system prompt adds on the same words: the words themselves cancel.

    The mean is over the tokens that are steered later: the last one of the prompt, and the answer's.

    Source: the constant form of arXiv 2605.03907.
    """
    return rollout.average.steered - rollout.as_text.steered


def question_means(pole: Pole, kept: Kept, part: Callable[[Rollout], Floats] = as_written) -> dict[int, Floats]:
    """Return question to (layers, D), so that a question with more answers left weighs no more than another.

    Args:
        pole: whose answers are meant.
        kept: which of them count.
        part: what of an answer the mean is taken of, (layers, D).

    Raises:
        VectorError: no answer that counts has a token in it.
    """
    sums: dict[int, NDArray[np.float64]] = {}
    counts: dict[int, int] = {}
    answers = (rollout for batch in pole for rollout in batch)
    for rollout, counts_at_all in zip(answers, kept, strict=True):
        if not counts_at_all or rollout.average.tokens == 0:
            continue
        if rollout.question not in sums:
            sums[rollout.question] = np.zeros_like(rollout.average.mean, np.float64)
        sums[rollout.question] += part(rollout)
        counts[rollout.question] = counts.get(rollout.question, 0) + 1
    if not sums:
        raise VectorError(f"the model gave no answer for {pole.name}; try another model, or more answers (--rollouts)")
    return {question: (total / counts[question]).astype(np.float32) for question, total in sums.items()}


def residual_norm(pole: Pole, kept: Kept) -> Floats:
    """Return (layers,), the mean norm of the residual stream over all tokens of the answers that count."""
    total, tokens = np.zeros(1), 0
    answers = (rollout for batch in pole for rollout in batch)
    for rollout, counts in zip(answers, kept, strict=True):
        if counts:
            total = total + rollout.average.norm.astype(np.float64) * rollout.average.tokens
            tokens += rollout.average.tokens
    return np.asarray(total / max(tokens, 1), np.float32)

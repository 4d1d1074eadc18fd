"""What has been written and read so far: lines of a file that several processes may add to at the same time.

A line has a key, a digest of all it depends on, so that it is found again by whoever would make the same, and a name,
so that a page can be printed from the file alone. Of two lines with one name the later counts.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from voice_tasks import digest

from billy_mlx.errors import BillyError
from billy_mlx.jsonl import DAMAGED, append_lines
from billy_mlx.measure.embedding import Embedder
from billy_mlx.steps import finish

Floats = NDArray[np.float32]

_EMBEDDED_AT_ONCE = 256


class Name(NamedTuple):
    """Which text a text is: `number` of the prompt in its half, `seed` from 0, `max_tokens` as asked for."""

    arm: str
    persona: str
    kind: str
    half: str
    number: int
    seed: int
    max_tokens: int


class Text(msgspec.Struct, frozen=True, tag="text"):
    """A finished text.

    Attributes:
        key: digest of model, prompt, directions, seed, sampling and length.
        origin: digest of all that the texts of an arm, persona, kind and half have in common.
        nats: by which it surprises the unsteered model behind the plain prompt, over its `tokens`.
        made_with: model and versions, in words.
    """

    key: str
    name: Name
    origin: str
    fingerprint: str
    made_with: str
    text: str
    tokens: int
    nats: float


class Reading(msgspec.Struct, frozen=True, tag="reading"):
    """How likely hand-written sentences are under an arm, in nats a token; `own` by whose they are."""

    key: str
    arm: str
    persona: str
    fingerprint: str
    plain: list[float]
    own: dict[str, list[float]]


class Embedding(msgspec.Struct, frozen=True, tag="embedding"):
    """The vector of a text, float32."""

    key: str
    vector: bytes


Line = Text | Reading | Embedding


class Shelf:
    """Lines by key and by name, in a file or, without one, in memory alone.

    Attributes:
        texts: by key.
        named: the latest of each name.
        readings: by key.
        latest_readings: by arm and persona.
    """

    def __init__(self, path: Path | None = None, *, adding: bool = True) -> None:
        self.texts: dict[str, Text] = {}
        self.named: dict[Name, Text] = {}
        self.readings: dict[str, Reading] = {}
        self.latest_readings: dict[tuple[str, str], Reading] = {}
        self._embeddings: dict[str, Floats] = {}
        self._path = path
        self._adding = adding
        self._read = 0
        if path is not None and not adding and not path.exists():
            raise BillyError(f"{path} is not there; write texts into it with --keep first")
        if path is not None and adding and path.exists() and not path.read_bytes().endswith(b"\n"):
            append_lines(path, [""])  # so that a line torn by a kill is not joined to the next one
        self.refresh()

    def refresh(self) -> None:
        """Take in what other processes have added since."""
        if self._path is None or not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read += len(whole) + len(newline)
        for line in whole.split(b"\n"):
            self._take(line)

    def add(self, lines: Sequence[Line]) -> None:
        """Keep `lines`, on the disk if there is a file."""
        if self._path is not None and self._adding:
            append_lines(self._path, lines)
            self.refresh()
        else:
            for line in lines:
                self._put(line)

    def embed(self, embedder: Embedder, texts: Iterable[str]) -> dict[str, Floats]:
        """Return the vector of each text; those that are not there yet are made and kept."""
        keys = {text: digest(embedder.name, text) for text in texts}
        missing = [text for text, key in keys.items() if key not in self._embeddings]
        for at in range(0, len(missing), _EMBEDDED_AT_ONCE):
            some = missing[at : at + _EMBEDDED_AT_ONCE]
            vectors = finish(embedder.embed(some)).astype(np.float32)
            self.add([Embedding(keys[text], vector.tobytes()) for text, vector in zip(some, vectors, strict=True)])
        return {text: self._embeddings[key] for text, key in keys.items()}

    def _take(self, line: bytes) -> None:
        if len(line) <= len('""'):
            return
        try:
            self._put(msgspec.json.decode(line, type=Line))
        except DAMAGED:
            print(f"A line of {self._path} is damaged and will be made again", file=sys.stderr)

    def _put(self, line: Line) -> None:
        if isinstance(line, Text):
            self.texts[line.key] = self.named[line.name] = line
        elif isinstance(line, Reading):
            self.readings[line.key] = self.latest_readings[line.arm, line.persona] = line
        else:
            self._embeddings[line.key] = np.frombuffer(line.vector, np.float32)

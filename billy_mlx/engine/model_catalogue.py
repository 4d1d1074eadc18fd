"""Models worth offering to a writer, and how one is fetched while writing goes on, by a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from huggingface_hub import constants
from huggingface_hub.file_download import repo_folder_name

from billy_mlx.engine.jobs import BackgroundJob, JobContext, RunningJob
from billy_mlx.engine.messages import ListModels, ModelOffer, ModelsListed
from billy_mlx.errors import ModelError
from billy_mlx.model import hub
from billy_mlx.model.memory import ROOM, available_bytes
from billy_mlx.toml_file import Table, read_table

MOST_OFFERS = 3
_FILE = Path(__file__).parent / "models.toml"
_MOST_PARAMETERS = 10**13


@dataclass(frozen=True)
class KnownModel:
    """A model that is worth offering. `parameters` are stored in 4.5 bits each, scales included."""

    repo: str
    name: str
    parameters: int
    licence: str
    why: str

    @property
    def download_gb(self) -> float:
        """What is fetched, in 10^9 bytes."""
        return round(self.parameters / 1e9 * 4.5 / 8, 1)

    @property
    def memory_gb(self) -> float:
        """Weights, the caches of a few voices, and what a forward pass takes."""
        return round(self.download_gb * 1.15 + 0.8, 1)


@cache
def known_models(path: Path = _FILE) -> tuple[KnownModel, ...]:
    """Return what the catalogue has, the largest first; `TomlError` if a file breaks its rules."""
    file = read_table(path)
    return tuple(_known(repo, file) for repo in file.values)


def _known(repo: str, file: Table) -> KnownModel:
    values = file.values[repo]
    if not isinstance(values, dict):
        raise file.error(repo, "is no table; write it as a hub id in quotes and square brackets")
    own = Table(file.path, values)
    own.check_keys(required=("name", "parameters", "licence", "why"))
    parameters = own.number("parameters", range(1, _MOST_PARAMETERS))
    name, licence, why = (own.line(key, most=60) for key in ("name", "licence", "why"))
    return KnownModel(repo, name, parameters, licence, why)


def listing_models(_: JobContext, request: ListModels) -> RunningJob:
    """Begin what a `ListModels` asks for."""
    return BackgroundJob(_survey(request), rank=0)


def offers(memory_bytes: float) -> tuple[ModelOffer, ...]:
    """Return the best models that fit into so much memory, at most three."""
    fitting = [known for known in known_models() if known.memory_gb * 1e9 <= ROOM * memory_bytes]
    return tuple(
        ModelOffer(known.repo, known.name, known.download_gb, known.memory_gb, known.licence, known.why)
        for known in fitting[:MOST_OFFERS]
    )


def download_bytes(repo: str) -> float | None:
    """Return about how much is fetched of a model; None if it is not known here."""
    return next((known.download_gb * 1e9 for known in known_models() if known.repo == repo), None)


def _survey(request: ListModels) -> Iterator[object]:
    memory = available_bytes()
    found = tuple(replace(offer, here=hub.find(offer.repo) is not None) for offer in offers(memory))
    yield ModelsListed(request.job, memory / 1e9, found)


_LOOK_SECONDS = 0.02  # at a time, which is no longer than a step of writing
_COMMAND = [sys.executable, "-c", "from billy_mlx.cli import main; main()", "model", "get"]


def fetch(repo: str, expected_bytes: float | None) -> Iterator[float]:
    """Have a model on this machine, yielding what share of it is here, from 0 to 1, again and again.

    Args:
        repo: its hub id.
        expected_bytes: of all its files; without that the share stays 0 until it is here.

    Raises:
        ModelError: it could not be fetched; says why.
    """
    if hub.find(repo) is not None:
        return
    process = subprocess.Popen(
        [*_COMMAND, repo],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # Bars would fill the pipe, which is read at the end only.
        env={**os.environ, "HF_HUB_DISABLE_PROGRESS_BARS": "1"},
    )
    try:
        looked, share = 0.0, 0.0
        while process.poll() is None:
            time.sleep(_LOOK_SECONDS)
            if expected_bytes and time.monotonic() - looked > 1:
                looked, share = time.monotonic(), min(0.99, _bytes_here(repo) / expected_bytes)
            yield share
        if process.returncode:
            raise ModelError(_reason(repo, process))
    finally:
        process.kill()
        process.communicate()


def _bytes_here(repo: str) -> int:
    """Return the bytes of a repository that are here, those of unfinished files too."""
    blobs = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repo, repo_type="model") / "blobs"
    try:
        return sum(file.stat().st_size for file in blobs.iterdir())
    except OSError:  # none yet, or one was renamed just now
        return 0


def _reason(repo: str, process: "subprocess.Popen[str]") -> str:
    """Return what the command has said last: of a narration the sentence, without who says it."""
    lines = [] if process.stderr is None else process.stderr.read().strip().splitlines()
    said = [line.removeprefix("billy: ") for line in lines if line.startswith("billy: ")]
    return said[-1] if said else f"{repo} was not fetched; try again, or run: billy model get {repo}"

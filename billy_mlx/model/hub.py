"""Models from the Hugging Face hub: fetched by one command, found without the network ever after."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import constants, errors, scan_cache_dir, snapshot_download
from huggingface_hub.errors import (
    CacheNotFound,
    GatedRepoError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from billy_mlx import paths
from billy_mlx.errors import ModelError

# What mlx-lm reads: no .bin, no .gguf, and no code.
_WANTED = ["*.json", "*.jsonl", "*.txt", "*.jinja", "*.tiktoken", "tokenizer.model", "model*.safetensors"]


@dataclass(frozen=True)
class StoredModel:
    """A model on this machine; `commit` is the exact version of one from the hub, None for an imported one."""

    id: str
    path: Path
    commit: str | None
    bytes_on_disk: int


def get(repo: str, revision: str | None = None) -> Path:
    """Fetch what a model needs to run and return its folder in the hub's cache, snapshots/COMMIT.

    The one function that touches the network; it shows the hub's progress bars. What is there already is not fetched
    again. The cache notes the commit that `revision` meant, and `find` returns that commit until the next `get`.

    Args:
        repo: org/name.
        revision: a branch, tag or commit; None for the newest.

    Raises:
        ModelError: no such model, a closed one, no network, or a full disk.
    """
    try:
        return Path(snapshot_download(repo, revision=revision, allow_patterns=_WANTED))
    except (HFValidationError, OSError, errors.HTTPError) as error:  # type: ignore[attr-defined]  # httpx's, by any name
        raise ModelError(_not_fetched(repo, revision, error)) from error


def find(repo: str, revision: str | None = None) -> Path | None:
    """Return the folder of a model that `get` has stored completely, or None; never touches the network."""
    try:
        return Path(snapshot_download(repo, revision=revision, allow_patterns=_WANTED, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError):
        return None


def list_models() -> list[StoredModel]:
    """Return the models on this machine, by id: those in the hub's cache, then the starter and imported ones."""
    return [*sorted(_fetched(), key=lambda model: (model.id, model.commit)), *_imported()]


def _fetched() -> Iterator[StoredModel]:
    try:
        repos = scan_cache_dir(constants.HF_HUB_CACHE).repos
    except CacheNotFound:
        return
    for repo in repos:
        for version in repo.revisions if repo.repo_type == "model" else ():
            if _is_model(version.snapshot_path):
                yield StoredModel(repo.repo_id, version.snapshot_path, version.commit_hash, version.size_on_disk)


def _imported() -> Iterator[StoredModel]:
    for folder in sorted(paths.models_folder().glob("*/")):
        if _is_model(folder):
            size = sum(file.stat().st_size for file in folder.iterdir())
            yield StoredModel(folder.name, folder, None, size)


def _is_model(folder: Path) -> bool:
    return (folder / "config.json").exists() and any(folder.glob("model*.safetensors"))


def _not_fetched(repo: str, revision: str | None, error: Exception) -> str:
    """Say why, and what to do; the special kinds of an error come before the general ones."""
    match error:
        case HFValidationError():
            return f"{repo!r} is no hub id; write it as org/name"
        case GatedRepoError():
            return f"{repo} wants its terms accepted: do so at huggingface.co/{repo}, then run: hf auth login"
        case RepositoryNotFoundError():
            return f"The hub has no model {repo}, or it is private; check the name, or run: hf auth login"
        case RevisionNotFoundError():
            return f"{repo} has no revision {revision!r}; leave it out for the newest"
        case LocalEntryNotFoundError(__cause__=OfflineModeIsEnabled()):
            return f"{repo} was not fetched: HF_HUB_OFFLINE is set; unset it and run the same command again"
        case LocalEntryNotFoundError():
            return (
                f"{repo} was not fetched: the hub does not answer; run the same command again when there is a network"
            )
        case _:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            return f"{repo} was not fetched: {reason}; put that right and run the same command again"

"""Models from the Hugging Face hub: fetched by one command, found without the network ever after."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi, constants, errors, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from billy_mlx import paths
from billy_mlx.errors import ModelError, UsageError
from billy_mlx.model.completeness import WANTED, damage, is_begun, shortfall
from billy_mlx.model.hub_id import hint

_HTTPError: type[Exception] = errors.HTTPError  # type: ignore[attr-defined]  # httpx's, by any name
_PATIENCE_SECONDS = 10


@dataclass(frozen=True)
class StoredModel:
    """A model on this machine.

    Attributes:
        commit: the exact version of one from the hub; None for an imported one.
        shortfall: what it lacks, as a clause; None if it is whole.
    """

    id: str
    path: Path
    commit: str | None
    bytes_on_disk: int
    shortfall: str | None


def get(repo: str, revision: str | None = None) -> Path:
    """Fetch what a model needs to run and return its folder in the hub's cache, snapshots/COMMIT.

    The one function that touches the network; it shows the hub's progress bars. What is there already is not fetched
    again, unless it is damaged. The cache notes the commit that `revision` meant, and `find` returns that commit until
    the next `get`.

    Args:
        repo: org/name.
        revision: a branch, tag or commit; None for the newest.

    Raises:
        ModelError: no such model, a closed one, no network, a full disk, or not all of a model.
        UsageError: `repo` is what is often written for a hub id.
    """
    meant = hint(repo)
    if meant is not None:
        raise UsageError(meant)
    try:
        folder = Path(snapshot_download(repo, revision=revision, allow_patterns=[*WANTED]))
        _mend(repo, folder)
    except (HFValidationError, OSError, _HTTPError) as error:
        raise ModelError(_not_fetched(repo, revision, error)) from error
    missing = shortfall(folder)
    if missing is not None:
        raise ModelError(_not_whole(repo, folder, missing))
    return folder


def find(repo: str, revision: str | None = None) -> Path | None:
    """Return the folder of a model that `get` has stored completely, or None; never touches the network."""
    folder = cached(repo, revision)
    return folder if folder is not None and shortfall(folder) is None else None


def cached(repo: str, revision: str | None = None) -> Path | None:
    """Return the folder of whatever the cache has of a repository, if that is all the hub's client knows of."""
    folder, is_all = _snapshot(repo, revision)
    return folder if is_all else None


def cached_in_part(repo: str, revision: str | None = None) -> str | None:
    """Return what a model lacks that is in the cache in part, as a clause; None if it is whole, or none of it here."""
    folder, is_all = _snapshot(repo, revision)
    if folder is None:
        return None
    return shortfall(folder) or (None if is_all else "not all of its files are here")


def list_models() -> list[StoredModel]:
    """Return the models on this machine, by id: those in the hub's cache, then the starter and imported ones."""
    return [*_fetched(), *_imported()]


def _snapshot(repo: str, revision: str | None) -> tuple[Path | None, bool]:
    """Return the folder of a revision in the cache, and whether the client knows of nothing that is missing."""
    try:
        wanted = [*WANTED]
        return Path(snapshot_download(repo, revision=revision, allow_patterns=wanted, local_files_only=True)), True
    except HFValidationError:
        return None, False
    except LocalEntryNotFoundError as error:
        begun: str | None = getattr(error, "snapshot_path", None)
        return None if begun is None else Path(begun), False


def _mend(repo: str, folder: Path) -> None:
    """Fetch the damaged files again, which the client takes for fetched because they are there."""
    for file in damage(folder):
        try:
            hf_hub_download(repo, file.name, revision=folder.name, force_download=True)
        except ValueError as error:  # the client's way to say that there is no network for what is forced
            raise LocalEntryNotFoundError(str(error)) from error


def _fetched() -> Iterator[StoredModel]:
    for repo in sorted(Path(constants.HF_HUB_CACHE).glob("models--*/")):
        name = repo.name.removeprefix("models--").replace("--", "/", 1)
        versions = [
            _stored(name, folder, folder.name) for folder in sorted(repo.glob("snapshots/*/")) if is_begun(folder)
        ]
        # Another version, begun once and given up for a newer one, is nobody's concern.
        current = {ref.read_text().strip() for ref in (repo / "refs").rglob("*") if ref.is_file()}
        are_all_begun = all(version.shortfall is not None for version in versions)
        for version in versions:
            if version.shortfall is None or version.commit in current or are_all_begun:
                yield version


def _imported() -> Iterator[StoredModel]:
    for folder in sorted(paths.models_folder().glob("[!.]*/")):
        if is_begun(folder):
            yield _stored(folder.name, folder, None)


def _stored(name: str, folder: Path, commit: str | None) -> StoredModel:
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return StoredModel(name, folder, commit, size, shortfall(folder))


def _not_whole(repo: str, folder: Path, missing: str) -> str:
    """Say what to do when something is missing though the client took all for fetched: with or without the hub."""
    try:
        files = HfApi().model_info(repo, revision=folder.name, timeout=_PATIENCE_SECONDS).siblings or []
    except (OSError, _HTTPError):
        return _in_part(repo, missing)
    if any(file.rfilename.endswith(".gguf") for file in files):
        return f"{repo} holds GGUF, no MLX model; fetch one of its files and run: billy model import FILE.gguf"
    return f"{repo} is not complete on the hub either: {missing}; choose another model"


def _in_part(repo: str, missing: str) -> str:
    way = (
        "unset HF_HUB_OFFLINE and get it again" if constants.HF_HUB_OFFLINE else "get it again when there is a network"
    )
    return f"{repo} is not complete: {missing}; {way}"


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
        case LocalEntryNotFoundError() if (missing := cached_in_part(repo, revision)) is not None:
            return _in_part(repo, missing)
        case LocalEntryNotFoundError(__cause__=OfflineModeIsEnabled()):
            return f"{repo} was not fetched: HF_HUB_OFFLINE is set; unset it and run the same command again"
        case LocalEntryNotFoundError():
            return (
                f"{repo} was not fetched: the hub does not answer; run the same command again when there is a network"
            )
        case _:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            return f"{repo} was not fetched: {reason}; put that right and run the same command again"

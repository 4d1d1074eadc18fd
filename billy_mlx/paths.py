"""Where things live: one folder under BILLY_HOME, or else the platform's own folders."""

import os
from collections.abc import Callable
from pathlib import Path

import platformdirs

_APP = "billy"


def config_file() -> Path:
    """The TOML file with the user's defaults."""
    return _folder("config", platformdirs.user_config_path) / "config.toml"


def personas_folder() -> Path:
    """The user's own cards; one here wins over a bundled card with its id."""
    return _folder("data", platformdirs.user_data_path) / "personas"


def vectors_folder() -> Path:
    """Persona vectors extracted on this machine, a folder per model."""
    return _folder("data", platformdirs.user_data_path) / "vectors"


def state_folder() -> Path:
    """What the program remembers between two starts."""
    return _folder("state", platformdirs.user_state_path)


def models_folder() -> Path:
    """Model folders made from GGUF files; they can be made again."""
    return cache_folder() / "models"


def poles_folder() -> Path:
    """Answers that extractions keep, a folder for every pole; they can be written again."""
    return cache_folder() / "poles"


def cache_folder() -> Path:
    """What can be made again, at a cost: models, answers of extractions."""
    return _folder("cache", platformdirs.user_cache_path)


def documents_folder() -> Path:
    """Where new texts of the writer go: the folder for documents that the system names, or else home."""
    folder = platformdirs.user_documents_path()
    return folder if folder.is_dir() else Path.home()


def expanded(name: str | Path) -> Path:
    """Return a path that somebody typed, with what `~` means in its place.

    One such as `~nobody/x`, of a user that there is not, stays as it is: whoever opens it says that it is not there.
    """
    return Path(os.path.expanduser(name))  # noqa: PTH111  Path.expanduser raises RuntimeError for that


def _folder(kind: str, platform_folder: Callable[..., Path]) -> Path:
    home = os.environ.get("BILLY_HOME")
    return expanded(home) / kind if home else platform_folder(_APP, appauthor=False)

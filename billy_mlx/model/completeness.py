"""Whether a model folder holds all that a model needs, by what its files say of one another."""

from fnmatch import fnmatch
from pathlib import Path

from billy_mlx.model import weights

# What mlx-lm reads: no .bin, no .gguf, and no code.
WANTED = ("*.json", "*.jsonl", "*.txt", "*.jinja", "*.tiktoken", "tokenizer.model", "model*.safetensors")
_CONFIG = "config.json"
_VOCABULARIES = ("tokenizer.json", "tokenizer.model", "tekken.json", "vocab*", "*.tiktoken")  # one of these


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
        is_adapter = (folder / "adapter_config.json").exists()
        return f"{_CONFIG}, being a LoRA adapter, which mlx_lm.fuse fuses into its model" if is_adapter else _CONFIG
    lacking = weights.lacking(folder)
    if lacking is not None:
        return lacking
    names = [file.name for file in folder.iterdir() if file.exists()]
    if not any(fnmatch(name, pattern) for name in names for pattern in _VOCABULARIES):
        return "a tokenizer"
    gone = (file.name for file in sorted(folder.iterdir()) if not file.exists())
    return next((name for name in gone if any(fnmatch(name, pattern) for pattern in WANTED)), None)

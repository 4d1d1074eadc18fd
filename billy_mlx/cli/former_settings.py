"""What the configuration file says as the version before took it, and what to write now."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from billy_mlx import paths
from billy_mlx.blend.blend import DEFAULT_MODE, FORMER_MODE, BlendText, Dose, Unit
from billy_mlx.config import read_config
from billy_mlx.errors import BillyError
from billy_mlx.text import sanitize


def former_settings() -> tuple[str, ...]:
    """Return a sentence for each key of the file that means what it did because it names no mode; none without a file.

    What cannot be read at all is told by whoever reads it.
    """
    try:
        values = read_config()
    except BillyError:
        return ()
    generate, studio = _table(values, "generate"), _table(values, "studio")
    sentences = [*_generate(generate), *_blends("blend", "studio", studio.get("blend"))]
    return tuple(f"{paths.config_file()}: {sanitize(sentence)}" for sentence in sentences)


def _generate(values: Mapping[str, object]) -> Iterator[str]:
    if "mode" in values:
        return  # which all of them take
    for key in ("blend", "voice"):
        yield from _blends(key, "generate", values.get(key))
    if _is_in_residual_norms(values.get("dose")):
        yield (
            f"dose in [generate] is in residual norms, which a blend of the usual mode, {DEFAULT_MODE}, does not have; "
            f'write mode = "{FORMER_MODE}" below it, or a plain number'
        )


def _blends(key: str, table: str, value: object) -> Iterator[str]:
    for text in value if isinstance(value, list) else [value]:
        now = _now(text)
        if now is not None:
            yield (
                f'{key} in [{table}] is "{text}", which names no mode and so is {FORMER_MODE}, as it was; write '
                f'"{now}" for the mode that is usual now, or "{text}/{FORMER_MODE}" to keep it'
            )


def _now(text: object) -> str | None:
    """Return a blend that names no mode in the one that is usual now; None if it names one, or is none."""
    try:
        said = BlendText.parse(text) if isinstance(text, str) else None
        if said is None or said.mode is not None:
            return None
        said.blend(FORMER_MODE)
    except BillyError:
        return None
    try:
        return str(said.blend(DEFAULT_MODE))
    except BillyError:  # its dose is in residual norms
        return str(replace(said, dose=None).blend(DEFAULT_MODE))


def _is_in_residual_norms(dose: object) -> bool:
    try:
        return isinstance(dose, str) and Dose.parse(dose).unit is Unit.RESIDUAL_NORMS
    except BillyError:
        return False


def _table(values: Mapping[str, object], name: str) -> Mapping[str, object]:
    table = values.get(name)
    return table if isinstance(table, dict) else {}

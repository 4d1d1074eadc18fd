"""Blends that the writer kept under a name: `blends.toml` in the folder of the configuration, a line each.

Who is muted is kept too, behind the blend (`Dials.parse`).
"""

import json
from collections.abc import Mapping
from pathlib import Path

from billy_mlx import paths
from billy_mlx.errors import BillyError, BlendError, TomlError
from billy_mlx.files import PRIVATE, write_atomically
from billy_mlx.text import sanitize
from billy_mlx.toml_file import MAX_BYTES, MAX_DOTS, MAX_LINE, read_table
from billy_mlx.tui.dials import Dials

LONGEST_NAME = 60
_HEAD = "# Blends by name, as --blend takes them, and who is muted; one without a mode is balanced.\n"


def blends_file() -> Path:
    """Where they are kept."""
    return paths.config_file().with_name("blends.toml")


def saved_blends() -> tuple[Mapping[str, Dials], tuple[str, ...]]:
    """Return the dials of the blends by name, sorted, and a sentence for each entry that cannot be used."""
    try:
        values = _read()
    except TomlError as error:
        return {}, (str(error),)
    good, wrong = {}, []
    for name, text in values.items():
        try:
            good[_checked_name(name)] = _checked_blend(text)
        except BillyError as error:
            wrong.append(sanitize(f"{blends_file()}: {name[:LONGEST_NAME]} is skipped: {error}"))
    return dict(sorted(good.items(), key=lambda item: item[0].casefold())), tuple(wrong)


def save_blend(name: str, dials: Dials) -> None:
    """Keep a blend under a name, in the place of one that had it, and who of it is muted.

    Raises:
        BlendError: the name will not do.
        BillyError: the file cannot be read or written, or would be too large.
    """
    _write({**_read(), _checked_name(name.strip()): dials.text()})


def forget_blend(name: str) -> None:
    """Keep a blend no longer; nothing happens if there is none of that name. BillyError as for `save_blend`."""
    values = _read()
    if values.pop(name, None) is not None:
        _write(values)


def _read() -> dict[str, object]:
    """Return what the file has, good or bad; TomlError if it cannot be used at all."""
    return read_table(blends_file()).values if blends_file().exists() else {}


def _write(values: Mapping[str, object]) -> None:
    """Write all entries that are text, also those that are no blends: they may be mended by hand."""
    entries = [f"{_quoted(name)} = {_quoted(_spelled(text))}" for name, text in values.items() if isinstance(text, str)]
    if any(len(entry) > MAX_LINE or entry.count(".") > MAX_DOTS for entry in entries):
        raise BlendError(f"this blend is too long to save: at most {MAX_LINE} characters and {MAX_DOTS} dots")
    content = (_HEAD + "\n".join(entries) + "\n").encode()
    if len(content) > MAX_BYTES:
        raise BlendError(f"{blends_file()} would be larger than {MAX_BYTES // 1024} KiB; delete a blend first")
    write_atomically(blends_file(), content, mode=PRIVATE)


def _checked_name(name: str) -> str:
    if not 1 <= len(name) <= LONGEST_NAME or name != sanitize(name) or "\n" in name or "\t" in name:
        raise BlendError(f"a blend's name has 1 to {LONGEST_NAME} characters, on one line; choose another")
    return name


def _checked_blend(text: object) -> Dials:
    if not isinstance(text, str):
        raise BlendError('it is not text; write a blend in quotes, such as "noir:0.6+gothic:0.4"')
    return Dials.parse(text)


def _spelled(text: str) -> str:
    """Return a blend with its mode, whatever version wrote it; what is no blend, as it stands."""
    try:
        return _checked_blend(text).text()
    except BlendError:
        return text


def _quoted(text: str) -> str:
    # A JSON string is a TOML basic string, but for DEL and surrogates.
    return json.dumps(sanitize(text), ensure_ascii=False)

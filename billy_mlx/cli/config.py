"""The user's defaults for `generate`: the table [generate] of the configuration file, by the flags' long names."""

from pathlib import Path

import click

from billy_mlx import paths
from billy_mlx.errors import UsageError
from billy_mlx.text import sanitize


def generate_defaults() -> dict[str, object]:
    """Return the file's values by parameter name, each one checked as the flag's would be.

    Raises:
        UsageError: the file or one of its keys or values is wrong; says which and what is allowed.
    """
    path = paths.config_file()
    table = _read(path)
    for key in table:
        if key not in ("model", "generate"):
            raise UsageError(f"{path}: {_shown(key)} is not known; there are model and the table [generate]")
    values = table.get("generate", {})
    if not isinstance(values, dict):
        raise UsageError(f"{path}: generate is not a table; write [generate] and its keys below")
    return dict(_checked(path, key, value) for key, value in values.items())


def _read(path: Path) -> dict[str, object]:
    from billy_mlx.extraction.table import MAX_BYTES, parse_table

    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise UsageError(f"{path} is larger than {MAX_BYTES // 1024} KiB; shorten it")
        return parse_table(path, data.decode("utf-8-sig")).values
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}; correct it or delete it") from error


def _checked(path: Path, key: str, value: object) -> tuple[str, object]:
    from billy_mlx.cli.generate import command

    flags = {flag.removeprefix("--"): option for option in command.params for flag in option.opts}
    option = flags.get(key)
    if option is None or option.name is None or key in ("prompt", "p", "m"):
        allowed = ", ".join(sorted(flags.keys() - {"prompt", "p", "m"}))
        raise UsageError(f"{path}: [generate] has no key {_shown(key)}; there are {allowed}")
    kind = "a list" if option.multiple else "a text, a number, true or false"
    if isinstance(value, (list, dict)) != bool(option.multiple) or isinstance(value, dict):
        raise UsageError(f"{path}: {key} in [generate] must be {kind}")
    try:
        option.type_cast_value(click.Context(command), value)
    except click.BadParameter as error:
        raise UsageError(f"{path}: {key} in [generate]: {error.message}") from error
    return option.name, value


def _shown(key: str) -> str:
    return repr(sanitize(key[:60]))

"""The configuration file: read in one place, within bounds, for the commands and the studio alike.

model = "org/name"              what is used when no model is named
adapter-path = "folder"         of an adapter for that model
chat-template-name = "name"     of a model that has several
[generate]                      defaults of that command, by its flags
[studio] and [keys]             the studio's settings, and keys that are not as they come
"""

from billy_mlx import paths
from billy_mlx.errors import TomlError, UsageError
from billy_mlx.text import sanitize
from billy_mlx.toml_file import MAX_BYTES, parse_table


def read_config() -> dict[str, object]:
    """Return the top-level values of the file; empty if there is none.

    Raises:
        UsageError: it cannot be read; says why.
    """
    return parse_config(config_text())


def config_text() -> str:
    """Return the file as it stands; empty if there is none.

    Raises:
        UsageError: as `read_config` does.
    """
    path = paths.config_file()
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise UsageError(f"{path} is larger than {MAX_BYTES // 1024} KiB; shorten it")
        return data.decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {sanitize(str(error))}; correct it or delete it") from error


def parse_config(text: str) -> dict[str, object]:
    """Return the top-level values of what is or will be the file; UsageError if it is not TOML within bounds."""
    try:
        return parse_table(paths.config_file(), text).values
    except TomlError as error:
        raise UsageError(str(error)) from error


def configured(key: str) -> str | None:
    """Return the text under a key that belongs to no table; None if there is none.

    Raises:
        UsageError: the file cannot be read, or something else is there.
    """
    value = read_config().get(key)
    if not isinstance(value, str | None):
        shown = sanitize(repr(value))[:60]
        raise UsageError(f'{paths.config_file()}: {key} is {shown}; write it in quotes, as in {key} = "starter"')
    return value

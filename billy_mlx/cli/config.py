"""The user's defaults for commands that write: the table [generate] of the configuration file, by flags' long names."""

import json
from difflib import get_close_matches
from pathlib import Path

import click

from billy_mlx import paths
from billy_mlx.cli.options import JsonObject
from billy_mlx.config import read_config
from billy_mlx.errors import UsageError
from billy_mlx.text import sanitize

WRITING = ("generate", "continue", "rewrite", "chorus")
"""The commands that take these defaults: the first all of them, the others those of flags that they share with it."""
_OF_GENERATE = {"as_json", "compare", "max_tokens"}  # how long a passage becomes goes by the text that it is in
_KEYS = ("model", "adapter-path", "chat-template-name", "generate", "studio", "keys")  # the last two the studio checks


def defaults_of(name: str) -> dict[str, object]:
    """Return the file's values for one of the commands that write. UsageError as `generate_defaults` has it."""
    values = generate_defaults()
    return values if name == "generate" else {key: value for key, value in values.items() if key not in _OF_GENERATE}


def generate_defaults() -> dict[str, object]:
    """Return the file's values by parameter name, each one checked as the flag's would be.

    Raises:
        UsageError: the file or one of its keys or values is wrong; says which and what is allowed.
    """
    path = paths.config_file()
    table = read_config()
    for key in table:
        if key not in _KEYS:
            known = "there are model, adapter-path, chat-template-name and the tables [generate], [studio] and [keys]"
            raise UsageError(f"{path}: {_shown(key)} is not known; {known}")
    values = table.get("generate", {})
    if not isinstance(values, dict):
        raise UsageError(f"{path}: generate is not a table; write [generate] and its keys below")
    return dict(_checked(path, key, value) for key, value in values.items())


def _checked(path: Path, key: str, value: object) -> tuple[str, object]:
    from billy_mlx.cli.generate import command

    options = {flag[2:]: option for option in command.params for flag in option.opts if flag.startswith("--")}
    del options["prompt"], options["messages"]
    option = options.get(key.replace("_", "-"))
    if option is None or option.name is None:
        close = get_close_matches(key[:60].replace("_", "-"), options, n=1)
        meant = f"did you mean {close[0]}? there" if close else "there"
        raise UsageError(f"{path}: [generate] has no key {_shown(key)}; {meant} are {', '.join(sorted(options))}")
    value = _as_flag(option, value)
    takes_several = option.multiple and option.name != "blend"
    if isinstance(value, dict) or (isinstance(value, list) and not takes_several):
        raise UsageError(f"{path}: {key} in [generate] must be a text, a number, true or false")
    value = [value] if option.multiple and not isinstance(value, list) else value
    try:
        option.type_cast_value(click.Context(command), value)
    except click.BadParameter as error:
        raise UsageError(f"{path}: {key} in [generate]: {error.message}") from error
    return option.name, value


def _as_flag(option: click.Parameter, value: object) -> object:
    """Return a value in the form the flag has: a list of layers' numbers, or a table, as a text."""
    if option.name == "layers" and isinstance(value, list) and all(type(layer) is int for layer in value):
        return ",".join(map(str, value))
    if isinstance(option.type, JsonObject) and isinstance(value, dict):
        return json.dumps(value, default=str)
    return value


def _shown(key: str) -> str:
    return repr(sanitize(key[:60]))

"""Flags that several commands share, so that they mean the same everywhere."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

model_option: Decorator = click.option(
    "--model", metavar="ID|PATH", help="A hub id, a folder or an imported model.  [default: the starter]"
)
TEMPLATE_NAME = "billy.chat_template_name"
"""Where the context of a command keeps which chat template is asked for."""


TEMPLATE_CONFIG = "billy.chat_template_config"
"""Where it keeps which values the template is to have."""


def _keep_config(context: click.Context, _: click.Parameter, config: dict[str, Any]) -> None:
    context.meta[TEMPLATE_CONFIG] = config


def _keep_template(context: click.Context, _: click.Parameter, name: str | None) -> None:
    context.meta[TEMPLATE_NAME] = name


template_option: Decorator = click.option(
    "--chat-template-name",
    metavar="NAME",
    expose_value=False,
    callback=_keep_template,
    help="Which of its chat templates, for a model that has several.",
)
file_argument: Decorator = click.argument(
    "file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
json_option: Decorator = click.option("--json", "as_json", is_flag=True, help="One JSON document instead.")


class JsonObject(click.ParamType):  # type: ignore[type-arg]  # generic in new versions of click alone
    """A flag's value that is a JSON object; a table of the configuration file is one already."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        """Return it as a mapping; fails unless it is one."""
        try:
            found = json.loads(value) if isinstance(value, str) else value
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            self.fail(f"it is no JSON object, such as {self.example}", param, ctx)
        return found

    def __init__(self, example: str) -> None:
        self.example = example


class LogitBias(JsonObject):
    """A JSON object with a number for each token id."""

    name = "logit bias"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a number by token id; fails unless all are."""
        biases = super().convert(value, param, ctx)
        if not all(str(token).isdecimal() and type(bias) in (int, float) for token, bias in biases.items()):
            self.fail(f"it has to give token ids a number each, as {self.example} does", param, ctx)
        return {int(token): float(bias) for token, bias in biases.items()}


template_config_option: Decorator = click.option(
    "--chat-template-config",
    metavar="JSON",
    default="{}",
    type=JsonObject('{"enable_thinking": false}'),
    expose_value=False,
    callback=_keep_config,
    help="Values for its chat template, by their names there.",
)


def option_group(*options: Decorator) -> Decorator:
    """Return one decorator for several flags, which the help shows in this order."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def count_option(*names: str, default: int | None, text: str, least: int = 1, most: int | None = None) -> Decorator:
    """Return a flag that takes a whole number; without a `default` of its own the text has to say what happens."""
    kind = click.IntRange(least, most)
    return click.option(*names, metavar="N", type=kind, default=default, show_default=default is not None, help=text)


def seed_option(default: int | None, text: str) -> Decorator:
    """Return the flag for a seed, which may be anything that samplers take."""
    return count_option("--seed", default=default, text=text, least=0, most=2**32 - 1)


new_seed_option: Decorator = seed_option(None, "Write the same again.  [default: a new one]")


def judge_option(text: str) -> Decorator:
    """Return the flag that names a judge."""
    return click.option("--judge", metavar="self|none|MODEL", default="self", show_default=True, help=text)


def utf8_text(_context: click.Context, parameter: click.Parameter, value: str | tuple[str, ...] | None) -> object:
    """Refuse bytes that are no text: the shell hands them on as lone surrogates, which no tokenizer takes."""
    try:
        "".join(value or "").encode()
    except UnicodeEncodeError:
        raise click.BadParameter("it is not UTF-8 text", param=parameter) from None
    if isinstance(value, tuple) and "" in value:
        raise click.BadParameter("it is empty", param=parameter)
    return value


def is_typed(context: click.Context, name: str) -> bool:
    """Whether a parameter was given on the command line, rather than in the configuration file or not at all."""
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE

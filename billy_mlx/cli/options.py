"""Flags that several commands share, so that they mean the same everywhere."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def option_group(*options: Decorator) -> Decorator:
    """Return one decorator for several flags, which the help shows in this order."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_ADAPTER = "billy.adapter_path"  # in the context of a command


def _keep_adapter(context: click.Context, _: click.Parameter, folder: str | None) -> None:
    context.meta[_ADAPTER] = folder


def _with_adapter(context: click.Context, _: click.Parameter, model: str | None) -> str | None:
    """Return what a model is called with the adapter that is asked for: from here on it goes by that name."""
    folder: str | None = context.meta.get(_ADAPTER)
    if folder is None:
        return model
    from billy_mlx.model.adapter import with_adapter
    from billy_mlx.model.load import default_name

    return with_adapter(default_name() if model is None else model, folder)


model_option: Decorator = option_group(
    click.option(
        "--model",
        metavar="ID|PATH",
        callback=_with_adapter,
        help="A hub id, a folder or an imported model.  [default: the starter]",
    ),
    click.option(
        "--adapter-path",
        metavar="FOLDER",
        is_eager=True,  # the model's name has it
        expose_value=False,
        callback=_keep_adapter,
        help="A LoRA or DoRA adapter for it, as mlx_lm.lora makes one.",
    ),
)


def model_flags(called: str) -> str:
    """Return the flags that name a model, and the adapter that it may have, as a shell takes them."""
    from billy_mlx.model.adapter import apart

    name, adapter = apart(called)
    flags = ["--model", name] if adapter is None else ["--model", name, "--adapter-path", adapter]
    return shlex.join(flags)


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


def typed(context: click.Context, parameter: click.Parameter) -> object:
    """Return what a parameter was given on the command line, even if its command itself does not get it."""
    if parameter.name == "model":
        from billy_mlx.model.adapter import apart

        return apart(context.params["model"])[0]
    return context.params.get(parameter.name or "", context.meta.get(f"billy.{parameter.name}"))


def is_typed(context: click.Context, name: str) -> bool:
    """Whether a parameter was given on the command line, rather than in the configuration file or not at all."""
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE

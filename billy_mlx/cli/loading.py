"""Loading a model for a command, and a judge, with what the reader is told meanwhile."""

from typing import TYPE_CHECKING

import click

from billy_mlx.cli.options import TEMPLATE_CONFIG, TEMPLATE_NAME
from billy_mlx.cli.output import say, waiting
from billy_mlx.errors import UnsteerableModel
from billy_mlx.text import quoted, sanitize

if TYPE_CHECKING:
    from billy_mlx.extraction.judge import Judge
    from billy_mlx.model.fingerprint import Fingerprint
    from billy_mlx.model.model import Model


def load_model(name: str | None, *, asks: bool = False) -> "Model":
    """Return the model that --model names, or the default one, with the chat template that is asked for.

    Args:
        name: None for the default.
        asks: the model is going to be asked for something, so that it matters whether it has a chat template.

    Raises:
        BillyError: it cannot be loaded.
    """
    from billy_mlx.model.load import default_name, load

    called = default_name() if name is None else name
    context = click.get_current_context(silent=True)
    with waiting(f"Loading {sanitize(called)} ..."):
        model = load(called, chat_template_name=None if context is None else context.meta.get(TEMPLATE_NAME))
    config = None if context is None else context.meta.get(TEMPLATE_CONFIG)
    if config and asks:
        from billy_mlx.model.template_config import configure_template

        for name in configure_template(model.tokenizer, config):
            say(f"the chat template of {sanitize(model.id)} does not read {quoted(name, 40)}, which changes nothing")
    if asks and not model.tokenizer.has_chat_template:
        say(without_template(model))
    return model


def identified(name: str | None) -> "tuple[str, Fingerprint]":
    """Return id and fingerprint of the model that --model names, or of the default one, which is not loaded.

    Raises:
        BillyError: there is no such model.
    """
    from billy_mlx.model.load import identify

    with waiting("Looking at the model ..."):
        return identify(name)


def unsteerable(model: "Model") -> str | None:
    """Return why a model cannot be steered, None if it can; it writes all the same."""
    try:
        _ = model.blocks
    except UnsteerableModel as error:
        return str(error)
    return None


def without_template(model: "Model") -> str:
    """Return what follows from it that a model has no chat template."""
    return (
        f"{sanitize(model.id)} has no chat template: prompts are sent as plain text, with a system prompt before them"
    )


def load_judge(name: str, model: "Model") -> "Judge | None":
    """Return the judge called `name`: "self" is `model`, "none" is nobody, anything else another local model.

    Raises:
        ModelError: there is no such model on this machine, or no memory for a second one.
    """
    from billy_mlx.extraction.judge import Judge
    from billy_mlx.model.load import load

    if name == "none":
        return None
    if name == "self":
        return Judge(model)
    with waiting(f"Loading {sanitize(name)} ..."):
        return Judge(load(name))

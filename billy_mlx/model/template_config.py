"""Values of one's own for a chat template, as mlx-lm's --chat-template-config gives them: written in front of it."""

import json
import math
from collections.abc import Mapping

from jinja2 import TemplateError, meta
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment
from mlx_lm.tokenizer_utils import TokenizerWrapper

from billy_mlx.errors import UsageError
from billy_mlx.text import quoted

_OURS = {"messages", "add_generation_prompt", "tokenize"}  # what the template is given with every prompt
_DEEPEST = 20


def configure_template(tokenizer: TokenizerWrapper, config: Mapping[str, object]) -> list[str]:
    """Have a tokenizer's chat template find values under names of its own; return the names that it does not read.

    The values become part of the template's text, so that whoever puts messages through it has them.

    Args:
        tokenizer: with one chat template.
        config: by name, what JSON can hold.

    Raises:
        UsageError: there is no template that takes values, or a name or a value cannot be given to one.
    """
    template = tokenizer.chat_template
    if not isinstance(template, str):
        raise UsageError("This model has no chat template that takes values; leave out --chat-template-config")
    # Templates are read with the line break after a mark left out, so that what follows still begins a line.
    lines = [f"{{% set {_name(name)} = {_literal(value)} %}}\n" for name, value in config.items()]
    tokenizer.chat_template = "".join(lines) + template
    try:
        return sorted(config.keys() - meta.find_undeclared_variables(_parser().parse(template)))
    except TemplateError:  # it fails, or has marks of transformers' own: what it reads is not known
        return []


def _parser() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])


def _name(name: str) -> str:
    try:
        fits = name.isidentifier() and name.isascii() and name not in _OURS
        _parser().parse(f"{{% set {name} = 1 %}}" if fits else "")
    except TemplateError:  # it is a word of the language
        fits = False
    if not fits:
        raise UsageError(f"--chat-template-config cannot set {quoted(name, 40)!r}; give a name that the template reads")
    return name


def _literal(value: object, depth: int = 0) -> str:
    """Return a value of JSON as templates write it."""
    if depth > _DEEPEST:
        raise UsageError("--chat-template-config is nested too deeply; give it fewer levels")
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_text(str(key))}: {_literal(each, depth + 1)}' for key, each in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_literal(each, depth + 1) for each in value)}]"
    if isinstance(value, int | float) and math.isfinite(value):
        return json.dumps(value)
    if isinstance(value, str):
        return _text(value)
    raise UsageError(f"--chat-template-config has {quoted(value, 40)}, which JSON cannot hold; leave it out")


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)

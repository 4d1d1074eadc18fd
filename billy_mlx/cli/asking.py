"""What a command asks a model for: a message, a conversation in a file, an answer that has begun."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import click
import msgspec

from billy_mlx.blend.recipe import Message, Prompt
from billy_mlx.cli.options import is_typed
from billy_mlx.cli.output import say
from billy_mlx.errors import UsageError
from billy_mlx.text import quoted

_MOST_BYTES = 16 << 20  # of a file of messages: more than any model reads
_NEED_TEMPLATE = {"system_prompt": "--system-prompt", "messages": "--messages", "prefix": "--prefill-response"}


@dataclass(frozen=True)
class PromptFlags:
    """What the flags say that make a prompt; None and "" are what was not given.

    Attributes:
        prompt: the message, or "-" for stdin.
        messages: a file with a conversation, which takes its place and that of `system_prompt`.
        prefix: the beginning of the answer.
    """

    prompt: str | None
    messages: Path | None
    system_prompt: str | None
    prefix: str
    ignore_chat_template: bool

    def as_prompt(self) -> Prompt:
        """Return it as one value, read from stdin or a file if need be.

        Raises:
            UsageError: it says nothing, or contradicts itself, or the file is no conversation.
        """
        asked = _settled(self)
        if asked.messages is not None:
            if asked.prompt is not None or is_typed(click.get_current_context(), "system_prompt"):
                other = "-p" if asked.prompt is not None else "--system-prompt"
                raise UsageError(f"--messages brings all that is said, so that {other} has no place; leave it out")
            return Prompt(read_messages(asked.messages), asked.prefix)
        if asked.prompt is None:
            raise UsageError("There is nothing to answer; give -p TEXT, or a conversation with --messages FILE")
        text = _from_stdin() if asked.prompt == "-" else asked.prompt
        if not text.strip():
            raise UsageError("The prompt is empty; say what to write")
        return Prompt.of(text, system=asked.system_prompt, prefix=asked.prefix, chat=not asked.ignore_chat_template)


def read_messages(path: Path) -> tuple[Message, ...]:
    """Return the messages of a JSON file, a list of {"role": ..., "content": ...}.

    Raises:
        UsageError: it cannot be read, or holds something else.
    """
    example = 'a list such as [{"role": "user", "content": "Hello."}]'
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise UsageError(f"{quoted(path)} is larger than {_MOST_BYTES >> 20} MiB; shorten the conversation")
        messages = msgspec.json.decode(data, type=tuple[Message, ...])
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{quoted(path)} holds no messages: {quoted(error)}; write {example}") from error
    if not messages:
        raise UsageError(f"{quoted(path)} holds no messages; write {example}")
    return messages


def _settled(asked: PromptFlags) -> PromptFlags:
    """Return it without what contradicts the rest: what is typed wins over the configuration file."""
    context = click.get_current_context()
    given = [name for name in _NEED_TEMPLATE if getattr(asked, name)]
    if not given or not asked.ignore_chat_template:
        return asked
    typed = [name for name in given if is_typed(context, name)]
    if is_typed(context, "ignore_chat_template") is bool(typed):
        flag = _NEED_TEMPLATE[(typed or given)[0]]
        raise UsageError(
            f"{flag} needs the chat template, which --ignore-chat-template leaves out; leave out one of them"
        )
    if typed:
        return replace(asked, ignore_chat_template=False)
    return replace(asked, system_prompt=None, prefix="", messages=None)


def _from_stdin() -> str:
    if sys.stdin.isatty():
        say("write the prompt, then press Ctrl+D on a line of its own")
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"What came through stdin is not UTF-8 text ({error.reason} at byte {error.start})") from error
    return text.removesuffix("\n")  # the one that every tool ends its output with

"""billy generate: steered text to stdout."""

import sys
from dataclasses import asdict, replace

import click

from billy_mlx.cli.loading import load_model
from billy_mlx.cli.options import (
    count_option,
    is_typed,
    json_option,
    model_option,
    new_seed_option,
    template_option,
    utf8_text,
)
from billy_mlx.cli.order import Order, blend_options, sampling_options, with_order
from billy_mlx.cli.output import STOPPED, say, write_json
from billy_mlx.cli.printing import show, stream, summarise, write_all
from billy_mlx.cli.vector_report import warn_of_blends
from billy_mlx.errors import UsageError

_EXAMPLES = """\b
billy generate -p "Describe a harbour at night." --blend noir:0.7+lyrical:0.3
billy generate -p "Describe a harbour at night." --voice noir --voice gothic --compare
billy generate -p - --ignore-chat-template --blend minimalist < chapter.md
"""


@click.command("generate", epilog=_EXAMPLES)
@click.option("-p", "--prompt", required=True, metavar="TEXT", callback=utf8_text, help="What to write; - reads stdin.")
@blend_options
@model_option
@template_option
@count_option("-m", "--max-tokens", default=200, text="How long at most.")
@new_seed_option
@click.option("--system-prompt", metavar="TEXT", callback=utf8_text, help="Set before the prompt.")
@click.option(
    "--stop", metavar="TEXT", multiple=True, callback=utf8_text, help="End before this text; may be given often."
)
@click.option(
    "--extra-eos-token",
    "end_tokens",
    metavar="TOKEN",
    multiple=True,
    callback=utf8_text,
    help="A token that ends the text as well; may be given often.",
)
@click.option("--ignore-chat-template", is_flag=True, help="Continue the prompt instead of answering it.")
@click.option("--thinking", is_flag=True, help="Let a thinking model think; it is steered once it has.")
@click.option("--steer-thinking", is_flag=True, help="Steer the thinking as well.")
@json_option
@sampling_options
@with_order()
def command(
    order: Order,
    prompt: str,
    system_prompt: str | None,
    stop: tuple[str, ...],
    end_tokens: tuple[str, ...],
    ignore_chat_template: bool,
    thinking: bool,
    steer_thinking: bool,
) -> int:
    """Write text in one voice, or in several side by side.

    A blend is persona ids with weights, joined by +. What --dose, --mode, --layers and --positions say replaces what
    the blends themselves say. Defaults for all of this may stand in the configuration file (billy paths), in a table
    [generate]: they fill what flags and blends leave open.
    """
    system_prompt, ignore_chat_template = _chat(system_prompt, ignore_chat_template)
    prompt = _from_stdin() if prompt == "-" else prompt
    from billy_mlx.blend.recipe import Prompt, Recipe
    from billy_mlx.blend.writer import Writer

    alone = Recipe(
        Prompt.of(prompt, system=system_prompt, chat=not ignore_chat_template),
        thinking=thinking,
        steer_thinking=steer_thinking,
        sampling=order.sampling,
        seed=order.seed,
        max_tokens=order.max_tokens,
        stop=stop,
        end_tokens=end_tokens,
    )
    loaded = load_model(order.model, asks=alone.prompt.chat)
    writing = Writer(loaded, [replace(alone, voice=blend) for blend in order.blends])
    warn_of_blends(order.blends, loaded, order.model)
    aloud = len(order.blends) == 1 and not order.as_json
    generations = [stream(writing)] if aloud else write_all(writing)
    if order.as_json:
        rows = [asdict(generation) for generation in generations]
        write_json({"rows": rows} if order.several else rows[0])
    else:
        if not aloud:
            show(generations)
        summarise(generations)
    return STOPPED if any(generation.finish_reason == "interrupted" for generation in generations) else 0


def _chat(system_prompt: str | None, ignore_chat_template: bool) -> tuple[str | None, bool]:
    """Return both settings, of which only one can be: what is typed wins over the configuration file."""
    context = click.get_current_context()
    if system_prompt is None or not ignore_chat_template:
        return system_prompt, ignore_chat_template
    if is_typed(context, "system_prompt") is is_typed(context, "ignore_chat_template"):
        raise UsageError(
            "--system-prompt needs the chat template, which --ignore-chat-template leaves out; leave out one of them"
        )
    return (None, True) if is_typed(context, "ignore_chat_template") else (system_prompt, False)


def _from_stdin() -> str:
    if sys.stdin.isatty():
        say("write the prompt, then press Ctrl+D on a line of its own")
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"What came through stdin is not UTF-8 text ({error.reason} at byte {error.start})") from error
    return text.removesuffix("\n")  # the one that every tool ends its output with

"""billy generate: steered text to stdout."""

from dataclasses import asdict, replace
from pathlib import Path

import click

from billy_mlx.cli.loading import load_model
from billy_mlx.cli.options import (
    count_option,
    json_option,
    model_option,
    new_seed_option,
    template_config_option,
    template_option,
    utf8_text,
)
from billy_mlx.cli.order import Order, blend_options, sampling_options, with_order
from billy_mlx.cli.output import STOPPED, write_json
from billy_mlx.cli.printing import show, stream, summarise, write_all
from billy_mlx.cli.vector_report import warn_of_blends

_EXAMPLES = """\b
billy generate -p "Describe a harbour at night." --blend noir:0.7+lyrical:0.3
billy generate -p "Describe a harbour at night." --voice noir --voice gothic --compare
billy generate -p - --ignore-chat-template --blend minimalist < chapter.md
"""


@click.command("generate", epilog=_EXAMPLES)
@click.option("-p", "--prompt", metavar="TEXT", callback=utf8_text, help="What to write; - reads stdin.")
@click.option(
    "--messages",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help='A conversation instead: JSON, a list of {"role": ..., "content": ...}.',
)
@blend_options
@model_option
@template_option
@template_config_option
@count_option("-m", "--max-tokens", default=200, text="How long at most.")
@new_seed_option
@click.option("--system-prompt", metavar="TEXT", callback=utf8_text, help="Set before the prompt.")
@click.option(
    "--prefill-response",
    "prefix",
    metavar="TEXT",
    default="",
    callback=utf8_text,
    help="The beginning of the answer, which the model goes on from.",
)
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
    prompt: str | None,
    messages: Path | None,
    system_prompt: str | None,
    prefix: str,
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
    from billy_mlx.blend.recipe import Recipe
    from billy_mlx.blend.writer import Writer
    from billy_mlx.cli.asking import PromptFlags

    alone = Recipe(
        PromptFlags(prompt, messages, system_prompt, prefix, ignore_chat_template).as_prompt(),
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

"""billy generate: steered text to stdout."""

import secrets
import sys
from dataclasses import asdict, replace

import click

from billy_mlx.cli.blend_options import Overrides, blend_options, is_typed, wanted_blends
from billy_mlx.cli.loading import load_model
from billy_mlx.cli.options import SEEDS, json_option, model_option, template_option, utf8_text
from billy_mlx.cli.output import STOPPED, say, write_json
from billy_mlx.cli.sampling_options import sampling_options
from billy_mlx.cli.vector_warnings import warn_of_blends
from billy_mlx.cli.voices import show, stream, summarise, write_all
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
@click.option(
    "-m", "--max-tokens", metavar="N", type=click.IntRange(1), default=200, show_default=True, help="How long at most."
)
@click.option(
    "--seed", metavar="N", type=click.IntRange(0, 2**32 - 1), help="Write the same again.  [default: a new one]"
)
@click.option("--system-prompt", metavar="TEXT", callback=utf8_text, help="Set before the prompt.")
@click.option(
    "--stop", metavar="TEXT", multiple=True, callback=utf8_text, help="End before this text; may be given often."
)
@click.option("--ignore-chat-template", is_flag=True, help="Go on from the prompt instead of answering it.")
@click.option("--thinking", is_flag=True, help="Let a thinking model think; it is steered once it has.")
@click.option("--steer-thinking", is_flag=True, help="Steer the thinking as well.")
@json_option
@sampling_options
@click.pass_context
def command(
    context: click.Context,
    /,
    prompt: str,
    blend: str | None,
    voices: tuple[str, ...],
    compare: bool,
    dose: str | None,
    mode: str | None,
    layers: str | None,
    positions: str | None,
    model: str | None,
    max_tokens: int,
    seed: int | None,
    system_prompt: str | None,
    stop: tuple[str, ...],
    ignore_chat_template: bool,
    thinking: bool,
    steer_thinking: bool,
    as_json: bool,
    **sampling: float,
) -> int:
    """Write text in one voice, or in several side by side.

    A blend is persona ids with weights, joined by +. What --dose, --mode, --layers and --positions say replaces what
    the blends themselves say. Defaults for all of this may stand in the configuration file (billy paths), in a table
    [generate]: they fill what flags and blends leave open.
    """
    blends = wanted_blends(context, blend, voices, compare, Overrides(dose, mode, layers, positions))
    system_prompt, ignore_chat_template = _chat(context, system_prompt, ignore_chat_template)
    prompt = _from_stdin() if prompt == "-" else prompt
    from billy_mlx.blend.recipe import Prompt, Recipe
    from billy_mlx.blend.writer import Writer
    from billy_mlx.model.sampling import Sampling

    alone = Recipe(
        Prompt.of(prompt, system=system_prompt, chat=not ignore_chat_template),
        thinking=thinking,
        steer_thinking=steer_thinking,
        sampling=Sampling(**sampling),  # type: ignore[arg-type]  # the flags' types are the settings'
        seed=secrets.randbelow(SEEDS) if seed is None else seed,
        max_tokens=max_tokens,
        stop=stop,
    )
    loaded = load_model(model, asks=alone.prompt.chat)
    writing = Writer(loaded, [replace(alone, voice=blend) for blend in blends])
    warn_of_blends(blends, loaded, model)
    if as_json:
        generations = write_all(writing)
        rows = [asdict(generation) for generation in generations]
        write_json({"rows": rows} if compare or (voices and not is_typed(context, "blend")) else rows[0])
    elif len(blends) == 1:
        generations = [stream(writing)]
        summarise(generations)
    else:
        generations = write_all(writing)
        show(generations)
        summarise(generations)
    return STOPPED if any(generation.finish_reason == "interrupted" for generation in generations) else 0


def _chat(context: click.Context, system_prompt: str | None, ignore_chat_template: bool) -> tuple[str | None, bool]:
    """Return both settings, of which only one can be: what is typed wins over the configuration file."""
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

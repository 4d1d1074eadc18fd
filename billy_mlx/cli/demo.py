"""billy demo: two personas extracted afresh, and one prompt with neither, each and both of them."""

import os
import shlex
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from billy_mlx.blend.blend import Blend, Dose
from billy_mlx.cli.loading import load_model
from billy_mlx.cli.options import model_flags, model_option
from billy_mlx.cli.output import STOPPED, JobBar, say, write_line
from billy_mlx.cli.printing import show, summarise, write_all
from billy_mlx.vectors.card import get_persona

if TYPE_CHECKING:
    from billy_mlx.model.model import Model

_PERSONAS = ("gothic", "childrens")  # of all pairs, what these two do to a small model shows at a glance
_PROMPT = "Tell me about the moon."
_SEED = 2
_MAX_TOKENS = 80
_QUESTIONS = 16
_DOSE = 2.0  # about what a dose of 1 comes to once it is calibrated, for which the demo takes no time


@click.command("demo")
@click.option("-p", "--prompt", metavar="TEXT", default=_PROMPT, show_default=True, help="What to write.")
@model_option
@click.option(
    "--seed", metavar="N", type=click.IntRange(0, 2**32 - 1), default=_SEED, show_default=True, help="The same for all."
)
def command(prompt: str, model: str | None, seed: int) -> int:
    """Extract two personas, then write without and with them.

    The same prompt and seed with neither, each and both of them, side by side. Takes a minute.
    The vectors are thrown away again; yours stay as they are.
    """
    from billy_mlx.blend.recipe import Prompt, Recipe
    from billy_mlx.blend.writer import Writer
    from billy_mlx.model.sampling import Sampling

    loaded = load_model(model, asks=True)
    voices = [*_PERSONAS, "+".join(f"{persona}:0.5" for persona in _PERSONAS)]
    blends = [Blend.parse(f"{voice}@{_DOSE:g}") for voice in voices]
    sampling = Sampling(temperature=0.7, repetition_penalty=1.1, repetition_context=64)
    alone = Recipe(Prompt.of(prompt), sampling=sampling, seed=seed, max_tokens=_MAX_TOKENS)
    with _own_folder():
        _extract(loaded)
        generations = write_all(Writer(loaded, [alone, *(replace(alone, voice=blend) for blend in blends)]))
    write_line(f"{prompt}\n")
    show(generations)
    summarise(generations)
    calibrated = (str(replace(blend, dose=Dose(1.0))) for blend in blends)
    say(f"with the stored vectors, whose dose of 1 is calibrated:\n{_command(prompt, calibrated, model, seed)}")
    return STOPPED if any(generation.finish_reason == "interrupted" for generation in generations) else 0


def _command(prompt: str, voices: Iterable[str], model: str | None, seed: int) -> str:
    """Return the command that does what the demo did, in lines that a shell takes as one."""
    lines = [f"billy generate -p {shlex.quote(prompt)}", " ".join(f"--voice {voice}" for voice in voices)]
    lines += [] if model is None else [model_flags(model)]
    lines.append(f"--compare --temp 0.7 --seed {seed} -m {_MAX_TOKENS}")
    return " \\\n  ".join(lines)


def _extract(model: "Model") -> None:
    """Extract the demo's personas with few rollouts."""
    from billy_mlx.extraction.extract import extract
    from billy_mlx.extraction.extraction import Extracted
    from billy_mlx.extraction.rollouts import RolloutSettings
    from billy_mlx.vectors.library import store_vector

    settings = RolloutSettings(questions=_QUESTIONS, rollouts=1, max_tokens=40, batch=_QUESTIONS)
    with JobBar("Extracting") as job:
        for news in extract(model, [get_persona(persona) for persona in _PERSONAS], settings=settings):
            if isinstance(news, Extracted):
                store_vector(news.vector)
            else:
                job.show(news.stage, news.share)


@contextmanager
def _own_folder() -> Iterator[None]:
    """Keep what is stored in a folder that is thrown away: the writer's own vectors stay as they are."""
    before = os.environ.get("BILLY_HOME")
    with tempfile.TemporaryDirectory(prefix="billy-demo-") as folder:
        os.environ["BILLY_HOME"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["BILLY_HOME"]
            else:
                os.environ["BILLY_HOME"] = before

"""billy extract: persona vectors for a model."""

import tempfile
from pathlib import Path

import click

from billy_mlx import paths
from billy_mlx.cli.options import count_option, model_option, seed_option
from billy_mlx.cli.output import STOPPED, say, say_stopped, waiting, write_line
from billy_mlx.cli.poles import Poles
from billy_mlx.errors import BillyError, UsageError
from billy_mlx.extraction.card import Persona, get_persona, load_personas, load_questions

_EXAMPLES = """\b
billy extract noir gothic --model mlx-community/Qwen2.5-7B-Instruct-4bit
billy extract --all --to personas/vectors     (how the bundled vectors were made)
"""


@click.command("extract", epilog=_EXAMPLES)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "everyone", is_flag=True, help="Every persona of: billy personas list.")
@model_option
@count_option("--questions", default=24, text="Of the shared questions.")
@count_option("--rollouts", default=5, text="Answers to each question.")
@count_option("-m", "--max-tokens", default=64, text="Of each answer.")
@count_option("--batch", default=60, text="Answers written at once.")
@seed_option(0, "Of the first answer.")
@click.option("--to", metavar="FOLDER", help="Store there instead, in a folder for the model.")
def command(
    ids: tuple[str, ...],
    everyone: bool,
    model: str | None,
    questions: int,
    rollouts: int,
    max_tokens: int,
    batch: int,
    seed: int,
    to: str | None,
) -> int:
    """Extract persona vectors for a model.

    The model answers the shared questions once as itself and once as each persona; a vector is the difference.
    stdout gets the file of each vector. Vectors that are stored already are replaced.
    Ctrl+C keeps those that are ready.
    """
    personas = _personas(ids, everyone)
    there_are = len(load_questions().questions)
    if questions > there_are:
        raise UsageError(f"--questions is {questions}, and there are {there_are} shared questions; ask for fewer")
    from billy_mlx.extraction.extract import Extracted, extract
    from billy_mlx.extraction.library import store_vector
    from billy_mlx.extraction.rollouts import RolloutSettings
    from billy_mlx.model.load import default_name, load

    settings = RolloutSettings(questions=questions, rollouts=rollouts, max_tokens=max_tokens, batch=batch, seed=seed)
    root = None if to is None else Path(to).expanduser()
    for folder in (root or paths.vectors_folder(), paths.cache_folder() / "neutral"):
        _require_writable(folder)  # now, and not after minutes of rollouts
    name = default_name() if model is None else model
    with waiting(f"Loading {name} ..."):
        loaded = load(name)
    ready = 0
    try:
        with Poles() as poles:
            for news in extract(loaded, personas, settings=settings):
                if isinstance(news, Extracted):
                    poles.close()
                    write_line(str(store_vector(news.vector, root)))
                    ready += 1
                else:
                    poles.show(news)
    except KeyboardInterrupt:
        say_stopped(f"stopped; {ready} of {len(personas)} vectors are stored")
        return STOPPED
    return 0


def _require_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".billy-") as file:
            file.write(b"billy")
            file.flush()
    except OSError as error:
        raise BillyError(
            f"{folder} cannot be written to: {error.strerror or error}; choose another folder (--to, or BILLY_HOME)"
        ) from error


def _personas(ids: tuple[str, ...], everyone: bool) -> list[Persona]:
    if bool(ids) == everyone:
        raise UsageError("Name the personas to extract, or --all (and not both); to see them, run: billy personas list")
    if not everyone:
        return [get_persona(persona_id) for persona_id in dict.fromkeys(ids)]
    found = load_personas()
    for error in found.errors:
        say(f"left out: {error}")
    return list(found.personas.values())

"""billy calibrate: how much of a persona a dose of 1 is."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from billy_mlx.cli.loading import load_model
from billy_mlx.cli.options import count_option, json_option, model_option, seed_option, template_option
from billy_mlx.cli.output import STOPPED, JobBar, say, say_stopped, write_json, write_table
from billy_mlx.cli.vector_report import draw_strengths, require_plots
from billy_mlx.errors import BillyError, UsageError
from billy_mlx.paths import expanded
from billy_mlx.vectors.card import get_persona

if TYPE_CHECKING:
    from billy_mlx.extraction.calibrate import Calibrated, CalibrationSettings, Subject
    from billy_mlx.extraction.extraction import ExtractionProgress
    from billy_mlx.model.model import Model
    from billy_mlx.vectors.vector import PersonaVector

_HEADER = ("ID", "FULL", "LIMIT", "EFFECT", "PROMPTED", "PERPLEXITY", "PROMPTED", "")
_EXAMPLES = """\b
billy calibrate noir
billy calibrate --all --plot strengths
"""


@click.command("calibrate", epilog=_EXAMPLES)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "everyone", is_flag=True, help="Every persona that has a vector.")
@model_option
@template_option
@count_option("--prompts", default=12, text="To choose on, and as many others to measure on.", least=4, most=24)
@count_option("-m", "--max-tokens", default=40, text="Of each text.", least=8)
@count_option("--batch", default=64, text="Texts written at once.")
@seed_option(0, "Of the first text.")
@click.option("--plot", metavar="FOLDER", help="Draw what was tried for each persona there, as PNG.")
@click.option("--to", metavar="FOLDER", help="Where the vectors are, if they were extracted with --to.")
@json_option
def command(
    ids: tuple[str, ...],
    everyone: bool,
    model: str | None,
    prompts: int,
    max_tokens: int,
    batch: int,
    seed: int,
    plot: str | None,
    to: str | None,
    as_json: bool,
) -> int:
    """Find how much of a persona a dose of 1 is.

    Writes to the same prompts in several strengths, behind the card's own system prompts, and plainly. A dose of 1 is
    the most at which texts are no stranger to the model than those behind the system prompts, and read no further
    along the persona. It is stored with the vector, and measured on other prompts. Ctrl+C keeps what is ready; --all
    then does the rest.
    """
    if bool(ids) == everyone:
        raise UsageError(
            "Name the personas to calibrate, or --all (and not both); to see them, run: billy vectors list"
        )
    from billy_mlx.extraction.calibrate import CalibrationSettings, calibrate

    if plot is not None:
        require_plots()
    settings = CalibrationSettings(prompts=prompts, max_tokens=max_tokens, batch=batch, seed=seed)
    root = None if to is None else expanded(to)
    loaded, subjects = _subjects(ids, model, root)
    if everyone:
        subjects = _unfinished(subjects, settings)
    steps = calibrate(loaded, subjects, settings=settings)
    ready: list[PersonaVector] = []
    stopped = False
    try:
        with JobBar("Calibrating") as job:
            for vector in _store(steps, job, root):
                ready.append(vector)
                if plot is not None:
                    _draw(vector, expanded(plot))
    except KeyboardInterrupt:
        say_stopped(f"stopped; {len(ready)} of {len(subjects)} are calibrated")
        stopped = True
    _report(ready, as_json=as_json)
    return STOPPED if stopped else 0


def _subjects(ids: Sequence[str], model: str | None, root: Path | None) -> "tuple[Model, list[Subject]]":
    """Return the loaded model and what to calibrate: the vectors of `ids`, or all there are, with their cards."""
    from billy_mlx.extraction.calibrate import Subject
    from billy_mlx.vectors.library import find_all, load_vectors

    loaded = load_model(model, asks=True)
    wanted = list(dict.fromkeys(ids)) or list(find_all(loaded.fingerprint, root))
    vectors = list(load_vectors(loaded, wanted, root).values())
    if not ids:  # another tool's files are used as that tool does: there is nothing to find out
        vectors = [vector for vector in vectors if vector.is_difference]
    if not vectors:
        raise UsageError(
            f"There is no persona vector for {loaded.id} yet; run: billy extract --all --model {loaded.id}"
        )
    subjects = []
    for vector in vectors:
        try:
            subjects.append(Subject(vector, get_persona(vector.persona_id)))
        except BillyError:  # a voice of one's own text has no card
            subjects.append(Subject(vector))
    return loaded, subjects


def _unfinished(subjects: "Sequence[Subject]", settings: "CalibrationSettings") -> "list[Subject]":
    """Return those that have not been calibrated in this way yet."""
    done = [each for each in subjects if (found := each.vector.strength) and found.made_with == str(settings)]
    if done:
        say(f"{len(done)} of {len(subjects)} are calibrated like this already; to do one again, name it")
    return [each for each in subjects if each not in done]


def _store(
    steps: "Iterator[ExtractionProgress | Calibrated]", job: JobBar, root: Path | None
) -> "Iterator[PersonaVector]":
    """Yield every vector that is calibrated, and stored; the rest goes to the progress bar."""
    from billy_mlx.extraction.calibrate import Calibrated
    from billy_mlx.vectors.library import store_vector

    for news in steps:
        if isinstance(news, Calibrated):
            job.close()
            store_vector(news.vector, root)
            yield news.vector
        else:
            job.show(news.stage, news.share)


def _report(vectors: "Sequence[PersonaVector]", *, as_json: bool) -> None:
    from dataclasses import asdict

    known = [(vector, vector.strength) for vector in vectors if vector.strength is not None]
    if as_json:
        write_json([{"persona_id": vector.persona_id, **asdict(found)} for vector, found in known])
        return
    rows = [
        (
            vector.persona_id,
            f"{found.full:.2f}",
            found.limit,
            f"{found.at_full.effect:+.2f}",
            "" if found.prompted is None else f"{found.prompted.effect:+.2f}",
            f"{found.at_full.perplexity:.2f}",
            "" if found.prompted is None else f"{found.prompted.perplexity:.2f}",
            "" if found.shows else "does not show",
        )
        for vector, found in known
    ]
    if rows:
        write_table(_HEADER, rows)
        say("full: how often the vector is added at dose 1. An effect of 1 is as far as the persona's own answers go")


def _draw(vector: "PersonaVector", folder: Path) -> None:
    path = folder / f"{vector.persona_id}.png"
    draw_strengths(vector, path)
    say(f"drawn: {path}")

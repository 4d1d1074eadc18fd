"""billy extract: persona vectors for a model."""

import shlex
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from billy_mlx import paths
from billy_mlx.blend.blend import Blend
from billy_mlx.cli.loading import load_model
from billy_mlx.cli.options import (
    count_option,
    is_typed,
    judge_option,
    model_flags,
    model_option,
    seed_option,
    template_option,
)
from billy_mlx.cli.output import STOPPED, JobBar, say, say_stopped, write_line
from billy_mlx.cli.vector_report import judged, say_single_layers
from billy_mlx.errors import BillyError, UsageError
from billy_mlx.manuscript.textfile import NotText, text_of
from billy_mlx.paths import expanded
from billy_mlx.text import without_strays
from billy_mlx.vectors.card import PERSONA_ID, Persona, get_persona, load_personas, load_questions

if TYPE_CHECKING:
    from billy_mlx.extraction.extraction import Extracted, ExtractionProgress
    from billy_mlx.extraction.rollouts import RolloutSettings
    from billy_mlx.model.model import Model
    from billy_mlx.vectors.vector import PersonaVector

_EXAMPLES = """\b
billy extract noir gothic --model mlx-community/Qwen2.5-7B-Instruct-4bit
billy extract --from-text novel.md stories.md --name my-voice
billy extract --all --to personas/vectors     (how the bundled vectors were made)
"""
_METHODS = ("prompt-effect", "mean-difference", "pca", "logistic")
_METHOD = (
    "What the system prompts add on the same words; the paper's difference of two means; the first principal component "
    "of the differences; or a logistic regression.  [default: prompt-effect]"
)
_SIZES = ("questions", "rollouts", "max_tokens", "batch", "seed")


_MOST_TEXT = 1 << 26  # bytes


@click.command("extract", epilog=_EXAMPLES)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "everyone", is_flag=True, help="Every persona of: billy personas list.")
@click.option("--from-text", is_flag=True, help="The voice of your own text: name its files instead of ids.")
@click.option("--name", metavar="ID", help="What to call the voice of --from-text.")
@model_option
@template_option
@judge_option("Who decides which answers count: self, none or a model.")
@click.option("--method", type=click.Choice(_METHODS), metavar="METHOD", help=_METHOD)
@click.option("--paper", is_flag=True, help="The paper's method: 10 answers of 1000 tokens, at temperature 1.")
@count_option("--questions", default=24, text="Of the shared questions.")
@count_option("--rollouts", default=1, text="Answers to each question.")
@count_option("-m", "--max-tokens", default=64, text="Of each answer.")
@count_option("--batch", default=48, text="Answers written at once.")
@seed_option(0, "Of the first answer.")
@click.option("--fresh", is_flag=True, help="Forget the answers that are kept for these, and write them all again.")
@click.option("--to", metavar="FOLDER", help="Store there instead, in a folder for the model.")
@click.pass_context
def command(
    context: click.Context,
    /,
    ids: tuple[str, ...],
    everyone: bool,
    from_text: bool,
    name: str | None,
    model: str | None,
    judge: str,
    method: str | None,
    paper: bool,
    fresh: bool,
    to: str | None,
    **sizes: int,
) -> int:
    """Extract persona vectors for a model.

    The model answers the shared questions once as itself and once as each persona, and reads the persona's answers
    again without its system prompts: a vector is what these add on the same words.
    A judge (the model itself, if nothing else is said) leaves out answers that miss the persona; if it cannot tell the
    personas apart, its scores are ignored. stdout gets the file of each vector. Stored vectors are replaced.
    Ctrl+C keeps the vectors that are ready and the answers so far: the same command continues from there. --fresh does
    not: it forgets the answers that are kept for these personas, and the neutral ones that all of the model share.
    """
    _require_sense(context, everyone, from_text, name, method, paper)
    personas = [] if from_text else _personas(ids, everyone)
    text = read_own_text(ids, name) if from_text else ""
    settings = _settings(context, paper, sizes)
    root = None if to is None else paths.expanded(to)
    for folder in (root or paths.vectors_folder(), paths.poles_folder()):
        _require_writable(folder)  # now, and not after minutes of rollouts
    by = method or ("mean-difference" if paper else "prompt-effect")
    loaded, steps = _begin(ids, name, text, personas, model, judge, settings, method=by, fresh=fresh)
    ready = 0
    try:
        with JobBar("Extracting") as job:
            for vector, file in _store(steps, job, root):
                write_line(file)
                _report(vector, loaded)
                if ready == 0:  # it is the same for all of a model
                    say_single_layers([Blend(((vector.persona_id, 1.0),))], {vector.persona_id: vector})
                ready += 1
    except KeyboardInterrupt:
        wanted = max(1, len(personas))
        again = "run it again without --fresh" if fresh else "run it again"
        say_stopped(f"stopped; {ready} of {wanted} vectors are stored, and the answers so far: {again} to continue")
        return STOPPED
    extracted = ids if name is None else (name,)
    say(f"for how much of it a dose of 1 is, run: {_next_command(extracted, model, to)}")
    if paper:
        names = "+".join(persona.id for persona in personas[:4])
        say(f"to write as the paper does, with the raw mean of the vectors: --blend {names}/paper")
    return 0


def _require_sense(
    context: click.Context, everyone: bool, from_text: bool, name: str | None, method: str | None, paper: bool
) -> None:
    """Raise UsageError if flags contradict each other."""
    if from_text and (everyone or paper or method):
        raise UsageError(
            "--from-text is for your own voice; --all, --method and --paper are for personas: leave out one of them"
        )
    if paper and method == "prompt-effect":
        raise UsageError("--paper takes the paper's method, mean-difference; leave out --method or --paper")
    if from_text and is_typed(context, "judge"):
        raise UsageError("--judge is for answers as a persona; your own text counts as it is: leave --judge out")
    if name is not None and not from_text:
        raise UsageError("--name is for the voice of your own text; name its files: --from-text FILE --name my-voice")


def _begin(
    files: Sequence[str],
    name: str | None,
    text: str,
    personas: Sequence[Persona],
    model: str | None,
    judge: str,
    settings: "RolloutSettings",
    *,
    method: str,
    fresh: bool,
) -> "tuple[Model, Iterator[ExtractionProgress | Extracted]]":
    """Return the loaded model, and the extraction that is asked for, which has not begun."""
    from billy_mlx.cli.loading import load_judge
    from billy_mlx.extraction.extract import extract
    from billy_mlx.extraction.own_text import extract_from_text

    loaded = load_model(model, asks=True)
    if name is None:
        heard = load_judge(judge, loaded)
        return loaded, extract(loaded, personas, settings=settings, judge=heard, method=method, fresh=fresh)
    source = f"{len(text.split()):,} words of {', '.join(Path(file).name for file in files)}"
    return loaded, extract_from_text(loaded, name, text, source=source, settings=settings, fresh=fresh)


def _store(
    steps: "Iterator[ExtractionProgress | Extracted]", job: JobBar, root: Path | None
) -> "Iterator[tuple[PersonaVector, str]]":
    """Yield every vector that is ready, and the file it is in; the rest goes to the progress bar."""
    from billy_mlx.extraction.extraction import Extracted
    from billy_mlx.vectors.library import store_vector

    said: set[str] = set()
    for news in steps:
        if isinstance(news, Extracted):
            job.close()
            for doubt in news.doubts:
                if doubt not in said:  # the neutral answers are every vector's
                    say(doubt)
            said |= {*news.doubts}
            yield news.vector, str(store_vector(news.vector, root))
        else:
            job.show(news.stage, news.share)


def _report(vector: "PersonaVector", model: "Model") -> None:
    """Say what the judge did and how good the vector is."""
    from billy_mlx.vectors.vector import read_layer

    quality = vector.quality
    if vector.judgement is not None and vector.judgement.judge != "none":
        say(f"{vector.persona_id}: as a judge {judged(vector.judgement)}; answers kept: {vector.origin.rollouts}")
    if quality is not None:
        auc = quality.held_out_auc[read_layer(len(quality.held_out_auc))]
        sure = "" if quality.auc_interval is None else " (95 %: {:.2f} to {:.2f})".format(*quality.auc_interval)
        say(f"{vector.persona_id}: its words alone are told from neutral ones with AUC {auc:.2f}{sure}; 0.5 is chance")
    if vector.weakness is not None:
        say(f"{vector.persona_id} is weak for {model.id}: {vector.weakness}")
    if vector.unmeasured is not None:
        say(f"{vector.persona_id}: {vector.unmeasured}; it may be written with all the same")


def _next_command(ids: Sequence[str], model: str | None, to: str | None) -> str:
    """Return the command that calibrates what has been extracted."""
    words = ["billy calibrate", *(ids or ["--all"])]
    words += [] if model is None else [model_flags(model)]
    words += [] if to is None else ["--to", shlex.quote(to)]
    return " ".join(words)


def _settings(context: click.Context, paper: bool, sizes: dict[str, int]) -> "RolloutSettings":
    """Return how the answers are sampled: what is typed wins over the paper's numbers."""
    there_are = len(load_questions().questions)
    if sizes["questions"] > there_are:
        raise UsageError(
            f"--questions is {sizes['questions']}, and there are {there_are} shared questions; ask for fewer"
        )
    from billy_mlx.extraction.rollouts import RolloutSettings

    if not paper:
        return RolloutSettings(**sizes)  # type: ignore[arg-type]  # the flags are the settings' own numbers
    typed = {size: sizes[size] for size in _SIZES if is_typed(context, size)}
    return replace(RolloutSettings.paper(), **typed)  # type: ignore[arg-type]


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


def read_own_text(files: Sequence[str], name: str | None) -> str:
    """Return the text of all `files`, for a voice that is to be called `name`.

    Raises:
        UsageError: a file or the name is missing or cannot be used.
    """
    if not files or name is None:
        raise UsageError(
            "Name the files of your text and the voice: billy extract --from-text novel.md --name my-voice"
        )
    if not PERSONA_ID.fullmatch(name):
        raise UsageError("--name takes lower-case letters, digits, - and _, such as my-voice")
    if name in load_personas().personas:
        raise UsageError(f"There is a persona called {name}, whose vector this would replace; choose another --name")
    return "\n\n".join(map(_read_text, files))


def _read_text(file: str) -> str:
    path = expanded(file)
    if not path.is_file():
        raise UsageError(f"{path} is not a file; name files of text, such as novel.md")
    if path.stat().st_size > _MOST_TEXT:
        raise UsageError(f"{path} is larger than {_MOST_TEXT >> 20} MiB; give a part of it")
    try:
        return without_strays(text_of(path.read_bytes(), path))
    except NotText:
        raise UsageError(f"{path} is not UTF-8 text; save it as plain text in UTF-8") from None

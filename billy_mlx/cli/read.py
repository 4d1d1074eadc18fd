"""billy read: how much each paragraph of a text is of each persona."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import click

from billy_mlx.cli.loading import load_model
from billy_mlx.cli.open_file import line_of, opened
from billy_mlx.cli.options import count_option, file_argument, json_option, model_option
from billy_mlx.cli.output import STOPPED, on_interrupt, progress, say, shortened, write_json, write_table
from billy_mlx.cli.vector_report import warn_of_weakness
from billy_mlx.errors import UsageError
from billy_mlx.text import without_strays
from billy_mlx.write.paragraphs import paragraphs

if TYPE_CHECKING:
    from billy_mlx.measure.sentence_scores import Scale, Sentence
    from billy_mlx.model.model import Model
    from billy_mlx.vectors.vector import PersonaVector

_WORDS = 40  # cells of a paragraph that are shown
_FEW = 3  # personas
_EXAMPLES = """\b
billy read novel.md
billy read novel.md --personas noir,gothic --json
"""


@dataclass(frozen=True)
class Paragraph:
    """A paragraph and its scores by persona, and those of its sentences: 0 is neutral, 1 the persona's own."""

    line: int
    text: str
    scores: Mapping[str, float]
    sentences: "Sequence[Sentence]"


@click.command("read", epilog=_EXAMPLES)
@file_argument
@click.option("--personas", metavar="ID,ID", help="Those to look for.  [default: all that have a vector]")
@count_option("--top", default=None, text="How many personas to show.  [default: those that are named, or 3]")
@model_option
@json_option
def command(file: Path, personas: str | None, top: int | None, model: str | None, as_json: bool) -> int:
    """Say how much each paragraph of FILE is of each persona, whoever wrote it.

    0 is what the model's neutral answers are, 1 the persona's own; in brackets, how much more than the average of
    FILE. Each persona has a column, the strongest in FILE first; those are shown whose share differs most from
    paragraph to paragraph. FILE stays as it is.
    """
    with opened(file, to_write=False) as manuscript:
        text = without_strays(manuscript.text)
    loaded, vectors = _prepared(personas, model)
    found, stopped = _read(loaded, text, _scales(vectors))
    if as_json:
        write_json([asdict(paragraph) for paragraph in found])
    else:
        _write(found, top or (_FEW if personas is None else len(vectors)))
    if stopped:
        say("stopped by you")
        return STOPPED
    return 0


def _prepared(personas: str | None, model: str | None) -> "tuple[Model, dict[str, PersonaVector]]":
    from billy_mlx.vectors.library import find_all, load_vectors

    loaded = load_model(model)
    named = None if personas is None else [one for one in (each.strip() for each in personas.split(",")) if one]
    ids = sorted(find_all(loaded.fingerprint)) if named is None else named
    if not ids:
        raise UsageError("there are no personas to look for: name some, such as --personas noir,gothic")
    vectors = load_vectors(loaded, ids)
    if named is not None:
        warn_of_weakness(vectors.values())
    return loaded, vectors


def _scales(vectors: "Mapping[str, PersonaVector]") -> "dict[str, Scale]":
    """Return how to measure each persona; says of which nobody can."""
    from billy_mlx.engine.reading import scale_of

    scales = {persona: scale_of(vector) for persona, vector in vectors.items()}
    for persona in (persona for persona, scale in scales.items() if scale is None):
        if vectors[persona].is_measurable:
            say(f"{persona} is left out: its vector does not say what is neutral; run: billy extract {persona}")
        else:
            say(f"{persona} is left out: its words do not tell it from neutral text with this model")
    found = {persona: scale for persona, scale in scales.items() if scale is not None}
    if not found:
        raise UsageError("there are no personas to look for; name others with --personas")
    return found


def _read(model: "Model", text: str, scales: "Mapping[str, Scale]") -> tuple[list[Paragraph], bool]:
    """Return the paragraphs that were read, and whether Ctrl+C ended it before the last."""
    from billy_mlx.measure.sentence_scores import SentenceReader

    reader = SentenceReader(model, scales)
    places = list(paragraphs(text))
    read: list[Paragraph] = []
    asked_to_stop: list[bool] = []
    with (
        on_interrupt(lambda: asked_to_stop.append(True)),
        progress("Reading", unit=" paragraphs", total=len(places)) as bar,
    ):
        for start, paragraph in places:
            for sentences in reader.read(paragraph):
                if asked_to_stop:
                    return read, True
                if sentences:
                    read.append(Paragraph(line_of(text, start), paragraph, _together(sentences), sentences))
            bar.update()
    return read, False


def _together(sentences: "Sequence[Sentence]") -> dict[str, float]:
    """Return the scores of a paragraph: of its sentences, by their length."""
    lengths = [sentence.end - sentence.start for sentence in sentences]
    return {
        persona: fmean([sentence.scores[persona] for sentence in sentences], lengths) for persona in sentences[0].scores
    }


def _write(found: Sequence[Paragraph], top: int) -> None:
    """Put out a row for each paragraph, with a column for each persona, and one for the average.

    All fiction is far from a model's neutral answers, in the same directions: where a paragraph differs says more.
    """
    average = {persona: fmean(one.scores[persona] for one in found) for persona in (found[0].scores if found else ())}
    shown = _shown(found, average, top)
    rows = [(str(one.line), shortened(one.text, _WORDS), *_cells(one, average, shown)) for one in found]
    if found:
        rows.append(("all", "the average", *(f"{average[persona]:.2f}" for persona in shown)))
    write_table(("LINE", "PARAGRAPH", *shown), rows)


def _shown(found: Sequence[Paragraph], average: Mapping[str, float], top: int) -> list[str]:
    """Return the personas that rise most above the average anywhere, the strongest on average first."""
    rises = {persona: max(one.scores[persona] - average[persona] for one in found) for persona in average}
    most = sorted(rises, key=lambda persona: -rises[persona])[:top]
    return sorted(most, key=lambda persona: -average[persona])


def _cells(one: Paragraph, average: Mapping[str, float], shown: Sequence[str]) -> list[str]:
    scores = [(one.scores[persona], one.scores[persona] - average[persona]) for persona in shown]
    return [f"{score:.2f} ({above:+.2f})" for score, above in scores]

"""billy paths: where things are."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from billy_mlx import paths
from billy_mlx.cli.options import json_option
from billy_mlx.cli.output import say, write_json, write_table

if TYPE_CHECKING:
    from billy_mlx.extraction.kept_answers import KeptAnswers

_CLEAR_OLD = "billy vectors clear-answers --old"


@click.command("paths")
@json_option
def command(as_json: bool) -> None:
    """Show where cards, vectors and models are kept, and how many answers of extractions are.

    BILLY_HOME puts all of it under one folder.
    """
    from billy_mlx.extraction.kept_answers import find_kept_answers, summed

    places = {
        "configuration": paths.config_file(),
        "personas": paths.personas_folder(),
        "vectors": paths.vectors_folder(),
        "models": paths.models_folder(),
        "answers": paths.poles_folder(),
        "cache": paths.cache_folder(),
        "state": paths.state_folder(),
    }
    kept = find_kept_answers()
    old = [each for each in kept if each.is_old]
    if as_json:
        counts = {name: _counted(some) for name, some in (("kept_answers", kept), ("old_answers", old))}
        write_json({**{name: str(place) for name, place in places.items()}, **counts})
        return
    write_table(("WHAT", "WHERE"), [(name, str(place)) for name, place in places.items()])
    if kept:
        say(f"for extractions: {summed(kept)}; to remove them, run: billy vectors clear-answers")
    if old:
        say(f"of older versions, and found by no extraction: {summed(old)}; to remove these, run: {_CLEAR_OLD}")


def _counted(kept: "Sequence[KeptAnswers]") -> dict[str, int]:
    return {
        "poles": len(kept),
        "answers": sum(each.answers for each in kept),
        "bytes": sum(each.bytes_on_disk for each in kept),
    }

"""billy paths: where things are."""

import click

from billy_mlx import paths
from billy_mlx.cli.options import json_option
from billy_mlx.cli.output import write_json, write_table


@click.command("paths")
@json_option
def command(as_json: bool) -> None:
    """Show where cards, vectors and models are kept.

    BILLY_HOME puts all of it under one folder.
    """
    places = {
        "configuration": paths.config_file(),
        "personas": paths.personas_folder(),
        "vectors": paths.vectors_folder(),
        "models": paths.models_folder(),
        "cache": paths.cache_folder(),
        "state": paths.state_folder(),
    }
    if as_json:
        write_json({name: str(place) for name, place in places.items()})
    else:
        write_table(("WHAT", "WHERE"), [(name, str(place)) for name, place in places.items()])

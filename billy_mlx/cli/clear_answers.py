"""billy vectors clear-answers: the answers that extractions have kept."""

import click

from billy_mlx.cli.output import say


@click.command("clear-answers")
@click.option("--old", is_flag=True, help="Only those of older versions, which no extraction finds any more.")
def clear_answers(old: bool) -> int:
    """Remove the answers that extractions have kept, and say how many that were.

    Vectors stay. The next extraction of a model writes its neutral answers anew, and one that was stopped begins anew.
    Answers of a model that another billy is extracting from stay as well, and the exit code is then 1.
    """
    from billy_mlx.extraction.kept_answers import clear_kept_answers, find_kept_answers, summed

    gone, stay = clear_kept_answers([each for each in find_kept_answers() if each.is_old or not old])
    for sentence in stay:
        say(sentence)
    if gone or not stay:
        say(f"removed: {summed(gone)}")
    return 1 if stay else 0

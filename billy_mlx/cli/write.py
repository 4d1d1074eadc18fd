"""billy write, and bare billy: the studio, which comes later; until then the demo."""

import click

from billy_mlx.cli.demo import command as demo
from billy_mlx.cli.output import say


@click.command("write")
@click.argument("file", metavar="[FILE.md]", required=False)
@click.pass_context
def command(context: click.Context, file: str | None) -> int | None:
    """Open the studio (later; until then, the demo)."""
    untouched = f"; {file} is not touched" if file else ""
    say(f"the writing studio comes later{untouched}; here is the demo (billy --help lists the commands)")
    code: int | None = context.invoke(demo)
    return code

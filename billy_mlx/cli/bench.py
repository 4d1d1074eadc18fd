"""billy bench: does blending steer, does it help, and what does it cost, on this machine and with this model."""

import click

from billy_mlx.cli.bench_report import report
from billy_mlx.cli.bench_run import run

_EXAMPLES = """\b
billy bench run --quick
billy bench report bench-starter-quick --judge mlx-community/Qwen2.5-7B-Instruct-4bit
"""


@click.group("bench", epilog=_EXAMPLES)
def command() -> None:
    """Compare blends with what else there is: prompts, single personas, a discussion, and no steering at all."""


command.add_command(run)
command.add_command(report)

"""billy bench export: a run's report as one file, to be given to others."""

from pathlib import Path

import click

from billy_mlx.cli.output import write_line
from billy_mlx.errors import UsageError
from billy_mlx.paths import expanded

_EXAMPLES = """\b
billy bench export bench-Qwen2.5-7B-Instruct-4bit-own -o qwen2.5-7b-m2-max.json
"""


@click.command("export", epilog=_EXAMPLES)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("-o", "--output", metavar="FILE", required=True, help="Where to write it.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def export(folder: Path, output: str, force: bool) -> None:
    """Write the report on a run as one JSON file that can be given to others.

    In it are the numbers of all tables; the settings; the model's name and fingerprint; the machine's device, memory
    and system; the versions of billy-mlx, mlx, mlx-lm and Python; and of texts only the items and answers that the
    report shows as examples. Not in it are each answer's scores, which report.json has, and folders of this machine.
    Names of people who rated are as --rater gave them. stdout gets the file.
    """
    from billy_mlx.bench.export import export as exported
    from billy_mlx.bench.store import Store
    from billy_mlx.files import write_atomically

    file = expanded(output)
    if file.exists() and not force:
        raise UsageError(f"{file} exists; choose another name, or --force to replace it")
    write_atomically(file, exported(Store.open(expanded(folder))))
    write_line(str(file))

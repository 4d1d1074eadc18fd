"""Every benchmark in turn, and one table of what they measured: prints docs/measured/benchmarks.md.

    .venv/bin/python benchmarks/run_all.py > docs/measured/benchmarks.md

A script prints tables; those whose last column is headed "aim" are gathered. What the scripts print besides goes to
stderr, as does how long each took. `first_token.py` is run by `speed.py`; modules without a main are no benchmarks.
"""

import argparse
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from paired import machine, print_table

FOLDER = Path(__file__).parent
SCRIPTS = {
    "speed.py": (),
    "steering.py": (),
    "extraction.py": ("--personas", "1", "--batches", "60", "--more-personas", "1"),
    "vectors.py": (),
    "voices.py": (
        *("noir", "gothic", "childrens", "--arms", "prompt,layered", "--prompts", "8", "--seeds", "1"),
        *("--half", "report", "--no-likelihood"),
    ),
    "manuscript.py": (),
    "studio.py": (),
}
"""The benchmarks with the arguments that make them take minutes and not hours; their own pages say what more gives."""

NOT_RUN = {
    *("first_token.py", "paired.py", "pipelines.py"),
    *("researcher_billy.py", "researcher_repeng.py", "researcher_tasks.py", "run_all.py"),
    *("voice_arms.py", "voice_effects.py"),
    *("voice_kept.py", "voice_length.py", "voice_measure.py", "voice_page.py", "voice_readout.py", "voice_shelf.py"),
    *("voice_tasks.py", "voice_writing.py"),
}
_HEAD = """# What was measured

Made by `make bench`, which runs every script in `benchmarks/`; each one's own page or help says what its figures mean.
Timings differ from machine to machine; ratios are of two things that take turns in one process. Ranges are quartiles.
These scripts were told to do less than they can:

"""


def main() -> None:
    """Run, gather, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scripts", nargs="*", metavar="SCRIPT", help="only these, such as speed.py")
    chosen = parser.parse_args().scripts or list(SCRIPTS)
    described = machine()
    rows = []
    for script in chosen:
        began = time.perf_counter()
        rows += [(script.removesuffix(".py"), *row) for row in gathered(_printed(script))]
        print(f"{script}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    print(_HEAD, *(f"    {shlex.join((script, *SCRIPTS[script]))}\n" for script in chosen if SCRIPTS[script]), sep="")
    print(described)
    print_table(("benchmark", "figure", "measured", "aim"), rows)


def gathered(page: str) -> Iterator[tuple[str, str, str]]:
    """Yield figure, measured value and aim of every row in the tables of `page` whose last column is the aim."""
    inside = False
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            inside = False
        elif cells[-1] == "aim":
            inside = True
        elif inside and set(cells[0]) != {"-"}:
            yield cells[0], cells[1], cells[-1]


def _printed(script: str) -> str:
    command: Sequence[str] = (sys.executable, str(FOLDER / script), *SCRIPTS[script])
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    sys.stderr.write(run.stdout)
    if run.returncode:
        sys.exit(f"{script} ended with {run.returncode}; the table was not made")
    return run.stdout


if __name__ == "__main__":
    main()

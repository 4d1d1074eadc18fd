"""Manuscripts as the commands open, change and save them."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from billy_mlx.cli.output import say
from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.manuscript import Manuscript


@contextmanager
def opened(path: Path, *, to_write: bool = True) -> Iterator[Manuscript]:
    """Open a manuscript, say what its writer should know, and close it again.

    Raises:
        ManuscriptError: it cannot be read, or, if it is `to_write`, it is open elsewhere.
    """
    manuscript = Manuscript.open(path)
    try:
        if to_write and manuscript.read_only is not None:
            raise ManuscriptError(manuscript.read_only)
        for notice in manuscript.notices:
            if notice != manuscript.read_only:
                say(notice)
        if manuscript.offers:
            say(f"{path} has text from before that was never saved and is left as it is; {studio(path)}")
        yield manuscript
    finally:
        manuscript.close()


def save(manuscript: Manuscript) -> None:
    """Save a manuscript.

    Raises:
        ManuscriptError: it was not saved; what is new in it is kept, and offered at the next opening.
    """
    safety = manuscript.save()
    if safety.unsaved:
        problem = safety.problems[0] if safety.problems else f"{manuscript.path} was NOT SAVED"
        raise ManuscriptError(f"{problem}; what was written is kept and not in the file; {studio(manuscript.path)}")
    for problem in safety.problems:
        say(problem)


def studio(path: Path) -> str:
    """Return the advice to look at a manuscript in the studio."""
    return f"to see it, run: billy write {shlex.quote(str(path))}"

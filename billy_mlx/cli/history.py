"""billy history: the versions of a text, and the way to any of them."""

import shlex
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from billy_mlx.cli.open_file import opened, save
from billy_mlx.cli.options import file_argument, json_option, utf8_text
from billy_mlx.cli.output import say, write, write_json, write_line, write_table
from billy_mlx.errors import UsageError
from billy_mlx.manuscript.chronicle import compared, counted, named, told, when
from billy_mlx.manuscript.history.tree import Version
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.versions import Versions
from billy_mlx.text import sanitize

_EXAMPLES = """\b
billy history novel.md
billy history novel.md show 12 --diff
billy history novel.md go 12
billy history novel.md name 12 "first good one"
"""


class _OfAFile(click.Group):
    """A group whose first argument is a file, behind which stand a command, or else the flags of `list`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        asks_for_help = {"-h", "--help"} & {*args}
        if args and not asks_for_help and all(word.startswith("-") for word in args[1:2]):
            args = [args[0], "list", *args[1:]]
        return super().parse_args(ctx, args)


@click.group("history", cls=_OfAFile, epilog=_EXAMPLES)
@file_argument
@click.pass_context
def command(context: click.Context, file: Path) -> None:
    """List the versions of FILE, show one, or go back to one.

    Without COMMAND they are listed, with the flags of list. VERSION is a number of the list, or a name.
    """
    context.obj = file


_version = click.argument("version", callback=utf8_text)
_name = click.argument("name", callback=utf8_text)


@command.command("list")
@click.option("--all", "every", is_flag=True, help="Every version, and not only where the text took a turn.")
@json_option
@click.pass_obj
def list_(file: Path, every: bool, as_json: bool) -> None:
    """List the versions, newest first; this is what happens without a command, too."""
    with opened(file) as manuscript:
        found = manuscript.versions.tree(landmarks=not every)
        current = manuscript.versions.current
        if as_json:
            write_json([_document(one, current) for one in found])
        else:
            write_table(("VERSION", "WHEN", "NAMES", "WORDS", "WHAT"), list(_rows(found, current)))


@command.command()
@_version
@click.option("--diff", is_flag=True, help="How it differs from the text as it is now.")
@json_option
@click.pass_obj
def show(file: Path, version: str, diff: bool, as_json: bool) -> None:
    """Put out the text of a version."""
    with opened(file) as manuscript:
        revision = _revision(manuscript.versions, version)
        text = manuscript.versions.text_at(revision).text
        difference = compared(manuscript.text, text) if diff else None
    if as_json:
        write_json({"version": revision, "text": text, "difference": difference})
    elif difference is not None:
        write_line(difference)
    else:
        write(text)


@command.command()
@_version
@click.pass_obj
def go(file: Path, version: str) -> None:
    """Give FILE the text of a version again, which can be undone; the name of a branch switches to it."""
    with opened(file) as manuscript:
        versions = manuscript.versions
        before, branch = versions.current, versions.branch
        if not version.isdecimal() and version not in versions.checkpoints and version in versions.branches:
            versions.switch(version)
        else:
            versions.go(_revision(versions, version))
        save(manuscript)
        _say_where(manuscript, str(before) if versions.branch == branch else branch)


@command.command()
@_version
@_name
@click.pass_obj
def name(file: Path, version: str, name: str) -> None:
    """Give a version a name."""
    with opened(file) as manuscript:
        manuscript.versions.checkpoint(name, _revision(manuscript.versions, version))


@command.command()
@_version
@_name
@click.pass_obj
def branch(file: Path, version: str, name: str) -> None:
    """Begin a branch at a version, and give FILE its text; the branch before stays."""
    with opened(file) as manuscript:
        before = manuscript.versions.branch
        manuscript.versions.begin_branch(name, _revision(manuscript.versions, version))
        save(manuscript)
        _say_where(manuscript, before)


@command.command()
@click.argument("branch", callback=utf8_text)
@_name
@click.pass_obj
def rename(file: Path, branch: str, name: str) -> None:
    """Give a branch another name."""
    with opened(file) as manuscript:
        manuscript.versions.rename_branch(branch, name)


def _revision(versions: Versions, named: str) -> int:
    """Return the number of the version that a number or a name is for; UsageError if there is no such name."""
    if named.isdecimal() and len(named) < 19:
        return int(named)
    names = {**versions.branches, **versions.checkpoints}
    if named not in names:
        known = ", ".join(map(sanitize, names))
        raise UsageError(f"there is no version called {sanitize(named)!r}; give a number, or one of: {known}")
    return names[named]


def _say_where(manuscript: Manuscript, before: str) -> None:
    versions, file = manuscript.versions, shlex.quote(str(manuscript.path))
    say(
        f"{manuscript.path.name} is version {versions.current} now, on the branch {versions.branch}; "
        f"to go back, run: billy history {file} go {shlex.quote(before)}"
    )


def _rows(found: Iterator[Version], current: int) -> Iterator[tuple[str, ...]]:
    now = time.time()
    for one in found:
        here = "← now" if one.id == current else ""
        names = " ".join(part for part in (named(one), here) if part)
        yield str(one.id), when(one.made, now), names, counted(one), told(one)


def _document(version: Version, current: int) -> dict[str, object]:
    made = datetime.fromtimestamp(version.made).astimezone().isoformat(timespec="seconds")
    return {**asdict(version), "made": made, "is_current": version.id == current}

"""Put the flags of mlx-lm's commands beside ours: prints the table of docs/models.md, and names flags without a line.

.venv/bin/python docs/flags.py
"""

import argparse
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

import billy_mlx  # noqa: F401  before mlx

LINES = Path(__file__).with_name("flags.toml")
COMMANDS = ("generate", "chat", "cache_prompt", "server")


def theirs() -> dict[str, list[str]]:
    """Return each long flag of mlx-lm with the commands that have it."""
    found: dict[str, list[str]] = {}
    for command in COMMANDS:
        for action in _parser(command)._actions:
            for flag in action.option_strings:
                if flag.startswith("--"):
                    found.setdefault(flag, []).append(command)
    return dict(sorted(found.items()))


def lines() -> dict[str, dict[str, str]]:
    """Return what is said of each flag: `ours`, `why`, or both."""
    said: dict[str, dict[str, str]] = tomllib.loads(LINES.read_text(encoding="utf-8"))["flags"]
    return said


def table() -> list[str]:
    """Return the table, line by line."""
    rows = ["| mlx-lm | in | here |", "| --- | --- | --- |"]
    said = lines()
    rows += [f"| `{flag}` | {', '.join(commands)} | {_here(flag, said[flag])} |" for flag, commands in theirs().items()]
    return rows


def main() -> None:
    """Print the table, or name what it lacks and what mlx-lm no longer has."""
    there, said = theirs().keys(), lines().keys()
    for flag in sorted(there - said):
        print(f"flags.toml says nothing of {flag}", file=sys.stderr)
    for flag in sorted(said - there):
        print(f"mlx-lm has no {flag}", file=sys.stderr)
    if there != said:
        sys.exit(1)
    print("\n".join(table()))


def _here(flag: str, line: dict[str, str]) -> str:
    if "ours" not in line:
        return f"left out: {line['why']}"
    name = "same" if line["ours"] == flag else f"`{line['ours']}`"
    return f"{name}; {line['why']}" if "why" in line else name


def _parser(command: str) -> argparse.ArgumentParser:
    """Return the parser of a command, which the server makes in its main function and keeps to itself."""
    module = import_module(f"mlx_lm.{command}")
    if hasattr(module, "setup_arg_parser"):
        parser: argparse.ArgumentParser = module.setup_arg_parser()
        return parser
    caught: list[argparse.ArgumentParser] = []

    def catch(parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        caught.append(parser)
        raise InterruptedError

    with patch.object(argparse.ArgumentParser, "parse_args", catch):
        try:
            module.main()
        except InterruptedError:
            return caught[0]
    raise RuntimeError(f"mlx_lm.{command} parses no arguments any more")


if __name__ == "__main__":
    main()

"""The commands: each parses what it is given, calls the library and prints. stdout is data, stderr is narration.

Importing this costs no mlx: a command's module is imported when the command is named, and what it needs of the library
when it runs.
"""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import click

from billy_mlx.cli.config import WRITING, defaults_of
from billy_mlx.cli.output import STOPPED, say, say_stopped
from billy_mlx.errors import BillyError, is_of_memory

_COMMANDS = (
    *("generate", "write", "continue", "rewrite", "chorus", "read", "history", "replay", "stats"),
    *("import", "export", "extract", "calibrate", "bench", "personas", "vectors", "model", "demo", "doctor", "paths"),
)
_PLACES = {
    "continue": "manuscript_commands.continue_",
    "rewrite": "manuscript_commands.rewrite",
    "chorus": "manuscript_commands.chorus",
    "import": "documents.import_",
    "export": "documents.export",
    "paths": "doctor.show_paths",
}
"""Module and name of the commands that share a module; each of the others is `command` in a module of its own."""
_SETTINGS = {"max_content_width": 100, "help_option_names": ["-h", "--help"]}
_EXAMPLES = """\b
billy generate -p "Describe a harbour at night." --blend noir:0.7+lyrical:0.3 --compare
billy personas list
billy demo
"""


class _LateCommands(click.Group):
    """A group that imports the module of a command when the command is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name = _PLACES.get(cmd_name, f"{cmd_name}.command").split(".")
        command: click.Command = getattr(import_module(f"billy_mlx.cli.{module}"), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] in WRITING and not {"-h", "--help"} & {*args}:
            # A broken configuration file concerns only who uses it, and not who asks for help with it.
            ctx.default_map = {args[0]: defaults_of(args[0])}
        return super().resolve_command(ctx, args)


@click.group(cls=_LateCommands, invoke_without_command=True, epilog=_EXAMPLES, context_settings=_SETTINGS)
@click.version_option(package_name="billy-mlx", prog_name="billy", message="%(prog)s %(version)s")
@click.pass_context
def commands(context: click.Context) -> int | None:
    """Write with a local language model, steered by blends of personas."""
    if context.invoked_subcommand is not None:
        return None
    from billy_mlx.cli.write import command as write

    code: int | None = context.invoke(write)
    return code


def main() -> None:
    """Run the command line of this process and exit with its code."""
    stdout_is_closed = sys.stdout is None
    _open_closed_streams()
    if stdout_is_closed:
        say("stdout is closed, so that nothing can be put out; open it, or send it to /dev/null")
        sys.exit(1)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character shows a question mark instead of ending the program.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except OSError:
        # Said already; without this Python tries once more while it exits, and says so in its own way.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Do what a command line asks and return the exit code: 0 done, 1 failed, 2 wrong usage, 130 stopped."""
    try:
        code = _invoke(arguments)
        sys.stdout.flush()
        return code
    except BillyError as error:
        return _refuse(str(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        say_stopped("stopped")
        return STOPPED
    except BrokenPipeError:
        return 0  # whoever reads has had enough
    except OSError as error:
        return _refuse(_of_the_system(error), 1)
    except (MemoryError, RuntimeError) as error:
        if not is_of_memory(error):
            raise
        return _refuse("The memory ran out; close other programs, choose a smaller model or ask for less at once", 1)
    except ImportError as error:
        # A module that is there and does not load goes by its last name alone: "core".
        if "mlx" not in {(error.name or "").partition(".")[0], Path(error.path or "").parent.name}:
            raise
        return _refuse(f"MLX does not start here: {error}; on Linux install a backend: pip install 'billy-mlx[cpu]'", 1)


def _open_closed_streams() -> None:
    """Put nothing in the place of the streams that a shell's `<&-` and `>&-` close, for which Python has None.

    In this order, so that each gets its own number: no file opened later is mistaken for one of them.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115  open until the program ends


def _invoke(arguments: Sequence[str]) -> int:
    try:
        with commands.make_context("billy", list(arguments)) as context:
            code = commands.invoke(context)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as ended:  # --help and --version
        return ended.exit_code
    except click.exceptions.NoArgsIsHelpError as error:  # a group that was given no command
        sys.stderr.write(f"{error.format_message()}\n")
        return error.exit_code
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx is not None else "billy"
        reason = error.format_message().rstrip(".")
        return _refuse(f"{reason}; to see what there is, run: {path} --help", error.exit_code)
    except click.ClickException as error:
        return _refuse(error.format_message(), error.exit_code)


def _refuse(reason: str, code: int) -> int:
    with suppress(OSError):  # nobody may read stderr
        say(reason)
    return code


def _of_the_system(error: OSError) -> str:
    what = "The output cannot be written" if error.filename is None else f"{error.filename} cannot be used"
    return f"{what}: {error.strerror or error}; put that right and run the same command again"

"""What a model would be sent, part by part, with what was cut."""

import msgspec

from billy_mlx.cli.output import say, write, write_heading, write_json
from billy_mlx.manuscript.context.parts import Context, Part


def show_context(context: Context, *, as_json: bool) -> int:
    """Put out the parts of what is sent, or one document, and return the exit code."""
    if as_json:
        write_json(msgspec.to_builtins(context))
        return 0
    for part in context.parts:
        write_heading(f"=== {_title(part)} ===")
        write(f"\n{part.text}\n\n" if part.text else "\n")
    for warning in context.warnings:
        say(warning)
    why = f" ({context.why})" if context.why else ""
    say(f"{context.tokens} of at most {context.budget} tokens{why}; nothing was written")
    return 0


def _title(part: Part) -> str:
    tokens = f"{part.title}, {part.tokens} token{'s' * (part.tokens != 1)}"
    if part.cut is None:
        return tokens
    where = "all of it" if part.cut.where == "all" else f"at its {part.cut.where}"
    return f"{tokens}, {part.cut.chars:,} characters cut, {where}"

"""How fast a model reads and writes here, and how long its first token takes from the command on.

Prints a table of medians. Tokens a second are given in wall time, which other processes slow down, and in CPU time over
all threads, which they disturb less: on an idle machine the former is at least the latter. `--quick` measures next to
nothing, to see whether it runs.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import billy_mlx  # noqa: F401  puts a fast BLAS into the process, before mlx is imported

# isort: split
from paired import Arm, Spread, Timing, in_turn, machine, print_table, timed

from billy_mlx.model.decode import Decoding
from billy_mlx.model.load import load
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import chat_prompt
from billy_mlx.model.rows import Row

PROMPT = "Describe a harbour at night."
PREFILL_TOKENS = 512
ROWS = 16
_COMMAND = "from billy_mlx.cli import main; main()"
Line = tuple[str, str, str, str]


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    rounds, tokens = (1, 1) if arguments.quick else (arguments.rounds, arguments.tokens)
    fresh = 1 if arguments.quick else 3
    lines = _first_token(arguments.model, arguments.blend, fresh)
    model = load(arguments.model)
    lines += [_prefill(model, 32 if arguments.quick else PREFILL_TOKENS, rounds), *_decode(model, rounds, tokens)]
    print(f"{model.id}: {len(model.layers)} layers of {model.width}; {rounds} rounds")
    print(machine())
    print_table(("median (quartiles)", "wall time", "CPU time", "aim"), lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a folder or a hub id; the default model otherwise")
    parser.add_argument("--blend", help="for the command, as in noir; unsteered otherwise")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=12, help="per row and round of decoding")
    parser.add_argument("--quick", action="store_true")
    return parser.parse_args()


def _first_token(model: str | None, blend: str | None, rounds: int) -> list[Line]:
    """Measure in fresh processes: the command as a whole, then its stages."""
    options = [*_option("--model", model), *_option("--blend", blend)]
    commands = [_command(options) for _ in range(rounds)]
    lines = [("s from the command to its first text", *_both(commands), "<= 4")]
    script = [sys.executable, str(Path(__file__).with_name("first_token.py")), *_option("--model", model)]
    runs = [json.loads(_output([*script, *["--steered"] * bool(blend)])) for _ in range(rounds)]
    return lines + [(f"s of it: {stage}", *_both([Timing(*run[stage]) for run in runs]), "") for stage in runs[0]]


def _option(name: str, value: str | None) -> list[str]:
    return [] if value is None else [name, value]


def _command(options: Sequence[str]) -> Timing:
    """Return the time to the first byte on stdout, and the CPU time of the whole command, which ends there."""
    command = [sys.executable, "-c", _COMMAND, "generate", "-p", PROMPT, "-m", "1", "--seed", "0", *options]
    before, started = _cpu_of_children(), time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        wall = time.perf_counter() - started
        reason = process.stderr.read().decode()
    if process.returncode != 0:
        sys.exit(reason)
    return Timing(wall, _cpu_of_children() - before)


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _output(command: Sequence[str]) -> bytes:
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout


def _both(timings: Sequence[Timing]) -> tuple[str, str]:
    return str(Spread.of([one.wall for one in timings])), str(Spread.of([one.cpu for one in timings]))


def _prefill(model: Model, tokens: int, rounds: int) -> Line:
    prompt = _long_prompt(model, tokens + 1)  # the last one is read by the first step of decoding
    timings = [timed(partial(_read, model, prompt)) for _ in range(rounds)]
    return "tokens/s read (prefill)", *_per_second(timings, tokens), ">= 250"


def _long_prompt(model: Model, length: int) -> tuple[int, ...]:
    once = chat_prompt(model.tokenizer, PROMPT)
    return tuple((once * (1 + length // len(once)))[:length])


def _read(model: Model, prompt: tuple[int, ...]) -> None:
    for step in Decoding(model, [Row(prompt)]):
        if step.prompt_tokens_read == step.prompt_tokens:
            return


def _decode(model: Model, rounds: int, tokens: int) -> list[Line]:
    prompt = tuple(chat_prompt(model.tokenizer, PROMPT))
    arms = {str(count): Arm(model, [Row(prompt, seed=seed) for seed in range(count)]) for count in (1, ROWS)}
    timings = in_turn(arms, rounds=rounds, tokens=tokens)
    return [
        ("tokens/s written, one row", *_per_second(timings["1"], tokens), ">= 10"),
        (f"tokens/s written, {ROWS} rows", *_per_second(timings[str(ROWS)], ROWS * tokens), ">= 100"),
    ]


def _per_second(timings: Sequence[Timing], tokens: int) -> tuple[str, str]:
    return str(Spread.of([tokens / one.wall for one in timings])), str(Spread.of([tokens / one.cpu for one in timings]))


if __name__ == "__main__":
    main()

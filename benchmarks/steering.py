"""What steering costs while a model writes, against the same model unsteered in the same process.

Prints a table: the speed of one and of all blocks steered, the operations each steered block adds, the speed of several
voices in one batch over one voice, the peak memory. `--quick` measures next to nothing, to see whether it runs.
"""

import argparse
import gc
import io
import re
from collections.abc import Collection, Mapping

import billy_mlx  # noqa: F401  puts a fast BLAS into the process, before mlx is imported

# isort: split
import mlx.core as mx
import numpy as np
from mlx_lm.models.cache import make_prompt_cache
from paired import Arm, Timing, in_turn, machine, print_table, speed_ratios

from billy_mlx.model.decode import Decoding
from billy_mlx.model.layers import UNSTEERED, Directions, Steering, stack, steer
from billy_mlx.model.load import load
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import chat_prompt
from billy_mlx.model.rows import Row

PROMPT = "Describe a harbour at night, as somebody sees it who has come back after many years."
BATCHES = (4, 16)
Line = tuple[str, str, str, str]


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    rounds, tokens = (2, 1) if arguments.quick else (arguments.rounds, arguments.tokens)
    model = load(arguments.model)
    print(f"{model.id}: {len(model.layers)} layers of {model.width}; {rounds} rounds of {tokens} tokens")
    print(machine())
    lines = [
        *_steered_speed(model, rounds, tokens),
        *_operations(model),
        *_batch_speed(model, rounds, tokens),
        _memory(model, 4 * tokens),
    ]
    print_table(("median (quartiles)", "wall time", "CPU time", "aim"), lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a folder or a hub id; the default model otherwise")
    parser.add_argument("--rounds", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=6, help="per row and round")
    parser.add_argument("--quick", action="store_true")
    return parser.parse_args()


def _steered_speed(model: Model, rounds: int, tokens: int) -> list[Line]:
    arms = {
        "unsteered": Arm(model, [_row(model, ())]),
        "one": Arm(model, [_row(model, [_middle(model)])]),
        "all": Arm(model, [_row(model, range(len(model.layers)))]),
    }
    timings = in_turn(arms, rounds=rounds, tokens=tokens)
    return [
        _line("decode speed, one layer steered / unsteered", timings, "one", ">= 0.99"),
        _line("decode speed, all layers steered / unsteered", timings, "all", ">= 0.97"),
    ]


def _line(name: str, timings: Mapping[str, list[Timing]], arm: str, aim: str) -> Line:
    wall, cpu = speed_ratios(timings[arm], timings["unsteered"])
    return name, str(wall), str(cpu), aim


def _batch_speed(model: Model, rounds: int, tokens: int) -> list[Line]:
    """Compare the tokens a second of several voices, each with its own direction, with those of one."""
    voices = [_row(model, [_middle(model)], seed) for seed in range(max(BATCHES))]
    arms = {str(count): Arm(model, voices[:count]) for count in (1, *BATCHES)}
    timings = in_turn(arms, rounds=max(2, rounds // 2), tokens=tokens)
    lines = []
    for count in BATCHES:
        wall, cpu = speed_ratios(timings[str(count)], timings["1"], rows=count)
        lines.append((f"speed of {count} voices in one batch / one voice", str(wall), str(cpu), ""))
    return lines


def _operations(model: Model) -> list[Line]:
    plain = _decoding_operations(model, ())
    lines = []
    for name, layers in (("one layer", [_middle(model)]), ("all layers", range(len(model.layers)))):
        added = (_decoding_operations(model, layers) - plain) / len(layers)
        lines.append((f"operations added per steered block, {name}", f"{added:g} (of {plain})", "", "1"))
    return lines


def _decoding_operations(model: Model, layers: Collection[int]) -> int:
    """Count the operations in the graph of one decoding step."""
    tokens, cache, graph = mx.array([_row(model, ()).prompt]), make_prompt_cache(model.model), io.StringIO()
    directions = stack([_directions(model, layers, 0)])
    model.model(tokens[:, :-1], cache=cache)
    mx.eval(directions, [part.state for part in cache])
    with steer(model.blocks, Steering(directions)):
        mx.export_to_dot(graph, model.model(tokens[:, -1:], cache=cache))
    return len(re.findall(r'label ="\w+", shape=rectangle', graph.getvalue()))


def _memory(model: Model, tokens: int) -> Line:
    """Compare the peaks of reading the prompt and decoding `tokens` with all layers steered and with none."""
    _peak_bytes(model, (), tokens)  # what other arms have left goes with it
    peaks = [_peak_bytes(model, layers, tokens) for layers in (range(len(model.layers)), ())]
    return (
        "peak memory, all layers steered / unsteered",
        f"{peaks[0] / peaks[1]:.4f} (of {peaks[1] / 1e6:,.0f} MB)",
        "",
        "",
    )


def _peak_bytes(model: Model, layers: Collection[int], tokens: int) -> int:
    gc.collect()
    mx.clear_cache()
    mx.reset_peak_memory()
    for _ in Decoding(model, [_row(model, layers, max_tokens=tokens)]):
        pass
    return mx.get_peak_memory()


def _row(model: Model, layers: Collection[int], seed: int = 0, max_tokens: int = 1) -> Row:
    prompt = tuple(chat_prompt(model.tokenizer, PROMPT))
    return Row(prompt, _directions(model, layers, seed), seed=seed, max_tokens=max_tokens)


def _directions(model: Model, layers: Collection[int], seed: int) -> Directions:
    """Return random directions, short ones: how fast it is does not depend on what is added."""
    if not layers:
        return UNSTEERED
    noise = np.random.default_rng(seed).standard_normal((len(layers), model.width), np.float32)
    return Directions(dict(zip(layers, 0.01 * noise, strict=True)))


def _middle(model: Model) -> int:
    return len(model.layers) // 2


if __name__ == "__main__":
    main()

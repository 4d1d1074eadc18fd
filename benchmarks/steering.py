"""What steering costs while a model writes, against the same model unsteered in the same process.

Prints a table: the speed of one layer steered and of a blend added layer by layer, as it is by default, the operations
each steered block adds, the speed of several voices in one batch over one voice, the peak memory. `--quick` measures
next to nothing, to see whether it runs.
"""

import argparse
import gc
import io
import re
from collections.abc import Mapping

import billy_mlx  # noqa: F401  puts a fast BLAS into the process, before mlx is imported

# isort: split
import mlx.core as mx
import numpy as np
from mlx_lm.models.cache import make_prompt_cache
from paired import Arm, Timing, in_turn, machine, print_table, speed_ratios

from billy_mlx.blend.blend import Blend
from billy_mlx.blend.directions import directions
from billy_mlx.model.decode import Decoding
from billy_mlx.model.layers import UNSTEERED, Directions, Steering, stack, steer
from billy_mlx.model.load import load
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import chat_prompt
from billy_mlx.model.rows import Row
from billy_mlx.vectors.vector import Origin, PersonaVector

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
        "unsteered": Arm(model, [_row(model, UNSTEERED)]),
        "one": Arm(model, [_row(model, _one_layer(model))]),
        "layered": Arm(model, [_row(model, _layered(model))]),
    }
    timings = in_turn(arms, rounds=rounds, tokens=tokens)
    return [
        _line("decode speed, one layer steered / unsteered", timings, "one", ">= 0.99"),
        _line(f"decode speed, {_layer_by_layer(model)} / unsteered", timings, "layered", ">= 0.97"),
    ]


def _line(name: str, timings: Mapping[str, list[Timing]], arm: str, aim: str) -> Line:
    wall, cpu = speed_ratios(timings[arm], timings["unsteered"])
    return name, str(wall), str(cpu), aim


def _batch_speed(model: Model, rounds: int, tokens: int) -> list[Line]:
    """Compare the tokens a second of several voices, each with directions of its own, with those of one."""
    voices = [_row(model, _layered(model, seed), seed) for seed in range(max(BATCHES))]
    arms = {str(count): Arm(model, voices[:count]) for count in (1, *BATCHES)}
    timings = in_turn(arms, rounds=max(2, rounds // 2), tokens=tokens)
    lines = []
    for count in BATCHES:
        wall, cpu = speed_ratios(timings[str(count)], timings["1"], rows=count)
        lines.append((f"speed of {count} voices in one batch / one voice", str(wall), str(cpu), ""))
    return lines


def _operations(model: Model) -> list[Line]:
    plain = _decoding_operations(model, UNSTEERED)
    lines = []
    for name, added in (("one layer", _one_layer(model)), (_layer_by_layer(model), _layered(model))):
        more = (_decoding_operations(model, added) - plain) / len(added.by_layer)
        lines.append((f"operations added per steered block, {name}", f"{more:g} (of {plain})", "", "1"))
    return lines


def _decoding_operations(model: Model, added: Directions) -> int:
    """Count the operations in the graph of one decoding step."""
    tokens, cache, graph = mx.array([_row(model, added).prompt]), make_prompt_cache(model.model), io.StringIO()
    directions = stack([added])
    model.model(tokens[:, :-1], cache=cache)
    mx.eval(directions, [part.state for part in cache])
    with steer(model.blocks, Steering(directions)):
        mx.export_to_dot(graph, model.model(tokens[:, -1:], cache=cache))
    return len(re.findall(r'label ="\w+", shape=rectangle', graph.getvalue()))


def _memory(model: Model, tokens: int) -> Line:
    """Compare the peaks of reading the prompt and decoding `tokens` with a blend and without one."""
    _peak_bytes(model, UNSTEERED, tokens)  # what other arms have left goes with it
    peaks = [_peak_bytes(model, added, tokens) for added in (_layered(model), UNSTEERED)]
    return (
        f"peak memory, {_layer_by_layer(model)} / unsteered",
        f"{peaks[0] / peaks[1]:.4f} (of {peaks[1] / 1e6:,.0f} MB)",
        "",
        "",
    )


def _peak_bytes(model: Model, added: Directions, tokens: int) -> int:
    gc.collect()
    mx.clear_cache()
    mx.reset_peak_memory()
    for _ in Decoding(model, [_row(model, added, max_tokens=tokens)]):
        pass
    return mx.get_peak_memory()


def _row(model: Model, added: Directions, seed: int = 0, max_tokens: int = 1) -> Row:
    prompt = tuple(chat_prompt(model.tokenizer, PROMPT))
    return Row(prompt, added, seed=seed, max_tokens=max_tokens)


def _one_layer(model: Model) -> Directions:
    return directions(Blend.parse(f"random/balanced/L{len(model.layers) // 2}"), _random_vector(model, 0))


def _layered(model: Model, seed: int = 0) -> Directions:
    """Return what a blend adds by default."""
    return directions(Blend.parse("random"), _random_vector(model, seed))


def _layer_by_layer(model: Model) -> str:
    layers = sorted(_layered(model).by_layer)
    return f"layer by layer ({layers[0]} to {layers[-1]})"


def _random_vector(model: Model, seed: int) -> dict[str, PersonaVector]:
    """Return a vector that grows over the layers; a short one: how fast it is does not depend on what is added."""
    steps = np.random.default_rng(seed).standard_normal((len(model.layers), model.width), np.float32)
    grown = 0.001 * np.cumsum(steps, axis=0)
    lengths = np.linalg.norm(grown, axis=-1)
    origin = Origin(model_id=model.id)
    norms = np.full_like(lengths, 0.1)
    return {"random": PersonaVector("random", model.fingerprint, origin, grown, np.zeros_like(grown), norms, lengths)}


if __name__ == "__main__":
    main()

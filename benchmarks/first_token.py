"""From a fresh process to the first token, stage by stage, as `billy generate` goes: one JSON object.

Each stage has its seconds of wall time and of CPU time; the first begins when this script does, so that Python's own
start is not in it. `--steered` adds a direction, which brings in the self-test.
"""

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

PROMPT = "Describe a harbour at night."


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a folder or a hub id; the default model otherwise")
    parser.add_argument("--steered", action="store_true")
    arguments = parser.parse_args()
    print(json.dumps(_stages(arguments.model, steered=arguments.steered)))


def _stages(name: str | None, *, steered: bool) -> dict[str, tuple[float, float]]:
    stages: dict[str, tuple[float, float]] = {}
    with _stage(stages, "imports"):
        import billy_mlx  # noqa: F401  puts a fast BLAS into the process, before mlx is imported

        # isort: split
        import numpy as np

        from billy_mlx.model.decode import Decoding
        from billy_mlx.model.layers import UNSTEERED, Directions
        from billy_mlx.model.load import load
        from billy_mlx.model.prompt import chat_prompt
        from billy_mlx.model.rows import Row
    with _stage(stages, "load"):
        model = load(name)
    directions = UNSTEERED
    if steered:
        with _stage(stages, "self-test"):
            _ = model.blocks
        directions = Directions({len(model.layers) // 2: np.full(model.width, 0.01, np.float32)})
    with _stage(stages, "prompt"):
        prompt = chat_prompt(model.tokenizer, PROMPT)
        steps = iter(Decoding(model, [Row(tuple(prompt), directions)]))
        while (step := next(steps)).prompt_tokens_read < step.prompt_tokens:
            pass
    with _stage(stages, "first token"):
        next(steps)
    return stages


@contextmanager
def _stage(stages: dict[str, tuple[float, float]], name: str) -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    stages[name] = time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()

"""Twelve things that researchers do with steering vectors, in billy_mlx and in repeng: the same numbers?

Each half runs in an environment of its own, with the same model folder and in float32 on a CPU:

    .venv/bin/python benchmarks/researcher_tasks.py --with billy MODEL --out results
    OTHER/bin/python benchmarks/researcher_tasks.py --with repeng MODEL --out results
    .venv/bin/python benchmarks/researcher_tasks.py --with billy MODEL --out results
    .venv/bin/python benchmarks/researcher_tasks.py --compare results/billy.json results/repeng.json

Each writes a control vector, and reads the one of the other if that is there: so the first has to run twice. OTHER has
`pip install repeng==0.4.0 torch transformers`. What was found is in docs/measured/repeng.md.
"""

import argparse
import ast
import inspect
import json
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

TEXT = "The harbour at night, "
_SCENES = ("At noon the ship came in.", "He opened the letter.", "The door was locked.", "It had rained all week.")
_OTHERS = ("She sat down to write.", "The train was late again.", "They had met before.", "Nobody knew the way.")
PAIRS = [(f"I am so happy today. {scene} I", f"I am so sad today. {scene} I") for scene in _SCENES + _OTHERS]
MORE_PAIRS = [(f"Dear Sir or Madam. {scene} We", f"hey, what's up. {scene} We") for scene in _SCENES + _OTHERS]
AT_ONE_LAYER, AT_EACH = 2.0, 1.0
COUNT = 20

TASKS = {
    "tokens": ("load a model, tokenise a text", "load_and_tokenise"),
    "stream": ("residual stream at every layer", "residual_stream"),
    "component": ("vector from pairs, last token: PCA of the differences", "principal_component"),
    "centred": ("the same with the differences centred (repeng's default)", "centred_component"),
    "mean": ("the same by mean difference", "mean_difference"),
    "one_layer": ("logits with a vector added at one layer", "steered_logits"),
    "layers": ("logits with it added at all layers but the first and last", "steered_logits"),
    "combined": ("sum and difference of two vectors", "sum_and_difference"),
    "greedy": ("20 tokens written greedily with the vector", "greedy_tokens"),
    "ablated": ("logits with a direction projected out at one layer", "ablated_logits"),
    "written": ("write a GGUF control vector, for the other to read", "write_control_vector"),
    "read": ("read the other's GGUF control vector", "read_directions"),
}
"""By key, a task in words and the function that does it."""

_LAYERED = ("stream", "component", "centred", "mean", "combined")  # (layers, D), or two beside each other
_ALONG_ONLY = ("component", "centred")  # lines: the tools give them lengths, and for the last one a sign, of their own
_MOVED = {"one_layer": "unsteered", "layers": "unsteered", "ablated": "unsteered", "greedy": "unsteered_greedy"}
_SAME = 1e-4  # of a layer's largest number
_ALONG = 0.9999  # the least cosine of a line


def main() -> None:
    """Run one half, or compare both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path, help="a model folder with config.json and safetensors")
    parser.add_argument("--with", dest="half", choices=("billy", "repeng"))
    parser.add_argument("--out", type=Path, default=Path("results"), help="a folder for the results of both halves")
    parser.add_argument("--compare", nargs=2, type=Path, metavar="JSON")
    arguments = parser.parse_args()
    if arguments.compare:
        first, second = (json.loads(path.read_text(encoding="utf-8")) for path in arguments.compare)
        print("\n".join(table(first, second)))
    elif arguments.model is None or arguments.half is None:
        parser.error("name a model folder and --with billy or --with repeng, or two files to --compare")
    else:
        arguments.out.mkdir(parents=True, exist_ok=True)
        found = run(arguments.half, arguments.model, arguments.out)
        (arguments.out / f"{arguments.half}.json").write_text(json.dumps(found), encoding="utf-8")


def run(name: str, folder: Path, out: Path) -> dict[str, Any]:
    """Return what one half has, as JSON takes it: its versions, the lines of each task, and the numbers."""
    half = import_module(f"researcher_{name}")
    return {
        "with": name,
        "versions": {package: version(package) for package in half.PACKAGES},
        "lines": {key: lines_of(getattr(half, function)) for key, (_, function) in TASKS.items()},
        "results": {key: _plain(value) for key, value in results(half, name, folder, out).items()},
    }


def results(half: ModuleType, name: str, folder: Path, out: Path) -> dict[str, Any]:
    """Return the numbers that come of each task."""
    count = json.loads((folder / "config.json").read_text(encoding="utf-8"))["num_hidden_layers"]
    one, many = [count // 2], list(range(1, count - 1))
    model, tokenizer, tokens = half.load_and_tokenise(folder, TEXT)
    mean, other = (half.mean_difference(model, tokenizer, pairs) for pairs in (PAIRS, MORE_PAIRS))
    written, foreign = (out / f"{each}.gguf" for each in (name, "repeng" if name == "billy" else "billy"))
    half.write_control_vector(model, mean, written)
    flat = half.above_the_first
    return {
        "tokens": tokens,
        "stream": half.residual_stream(model, tokens)[:, -1],
        "component": flat(half.principal_component(model, tokenizer, PAIRS)),
        "centred": flat(half.centred_component(model, tokenizer, PAIRS)),
        "mean": flat(mean),
        "unsteered": half.steered_logits(model, tokens, mean, 0.0, one),
        "one_layer": half.steered_logits(model, tokens, mean, AT_ONE_LAYER, one),
        "layers": half.steered_logits(model, tokens, mean, AT_EACH, many),
        "combined": [flat(each) for each in half.sum_and_difference(mean, other)],
        "unsteered_greedy": half.greedy_tokens(model, tokens, mean, 0.0, one[0], COUNT),
        "greedy": half.greedy_tokens(model, tokens, mean, AT_ONE_LAYER, one[0], COUNT),
        "ablated": half.ablated_logits(model, tokens, mean, one[0]),
        "written": flat(mean),
        "read": half.read_directions(model, foreign) if foreign.exists() else None,
    }


def lines_of(function: Callable[..., Any]) -> int:
    """Return how many lines a function's body has, without its docstring, blank lines and comments."""
    source = inspect.getsource(function)
    (definition,) = ast.parse(source).body
    body = source.splitlines()[definition.body[0].end_lineno :]
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in body)


def table(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Return the lines of a Markdown table: each task, how long it is in both halves, and whether they agree."""
    header = ("task", f"lines, {first['with']}", f"lines, {second['with']}", "agree?", "difference", "besides")
    rows = [header, ["---"] * len(header)]
    for key, (words, _) in TASKS.items():
        rows.append([words, *(str(half["lines"][key]) for half in (first, second)), *compared(key, first, second)])
    totals = [str(sum(half["lines"].values())) for half in (first, second)]
    rows.append(["together", *totals, "", "", ""])
    versions = [f"{name} {number}" for half in (first, second) for name, number in half["versions"].items()]
    return [f"Versions: {', '.join(versions)}.", "", *(f"| {' | '.join(row)} |" for row in rows)]


def compared(key: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return of one task whether both halves agree, by how much they differ at most, and what else there is to say.

    A difference is a share of the largest number there is, layer by layer where there are any. The last layer is told
    apart: what transformers calls its hidden state has gone through the model's final norm.
    """
    ours, others = (half["results"][key] for half in (first, second))
    if key in ("written", "read"):  # what one has read is held against what the other has written
        others = second["results"]["read" if key == "written" else "written"]
    if ours is None or others is None:
        return "", "", "the first half has to run again"
    ours, others = np.array(ours), np.array(others)
    if ours.dtype.kind == "i":
        same = np.array_equal(ours, others)
        return _word(same), "none" if same else "other tokens", _moved(key, first, ours)
    if key in _LAYERED:
        return _layer_by_layer(key, ours, others)
    difference = _difference(ours, others)
    return _word(difference <= _SAME), _shown(difference), _moved(key, first, ours)


def _layer_by_layer(key: str, ours: NDArray[Any], others: NDArray[Any]) -> tuple[str, str, str]:
    """Return the same of what has layers: the last but one axis."""
    layers = list(zip(np.moveaxis(ours, -2, 0), np.moveaxis(others, -2, 0), strict=True))
    cosines = [abs(_cosine(*layer)) if key == "centred" else _cosine(*layer) for layer in layers]
    besides = f"last layer: cosine {cosines[-1]:.2f}"
    if key in _ALONG_ONLY:
        least = min(cosines[:-1])
        return _word(least >= _ALONG), f"cosine 1 - {max(0.0, 1 - least):.0e}", besides
    difference = max(_difference(*layer) for layer in layers[:-1])
    return _word(difference <= _SAME), _shown(difference), besides


def _difference(ours: NDArray[Any], others: NDArray[Any]) -> float:
    return float(np.abs(ours - others).max() / np.abs(ours).max())


def _moved(key: str, half: Mapping[str, Any], numbers: NDArray[Any]) -> str:
    """Say how far a vector moves what is compared, so that it is seen to do something."""
    if key not in _MOVED:
        return ""
    without = np.array(half["results"][_MOVED[key]])
    if key == "greedy":
        return f"{sum(a != b for a, b in zip(numbers, without, strict=False))} of {COUNT} are others than without it"
    return f"moved by up to {np.abs(numbers - without).max():.2g}"


def _cosine(first: NDArray[Any], second: NDArray[Any]) -> float:
    return float((first * second).sum() / (np.linalg.norm(first) * np.linalg.norm(second)))


def _shown(difference: float) -> str:
    return f"{difference:.0e}" if difference else "none"


def _word(same: bool) -> str:
    return "yes" if same else "no"


def _plain(value: Any) -> Any:
    """Return numbers as JSON takes them, those that are not whole to seven digits."""
    if value is None:
        return None
    numbers = np.array(value)
    if numbers.dtype.kind == "i":
        return numbers.tolist()
    return [_plain(each) for each in numbers] if numbers.ndim else float(f"{numbers:.7g}")


if __name__ == "__main__":
    main()

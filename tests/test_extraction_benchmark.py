"""The benchmark of the extraction runs, on a model that takes no time, and prints what it promises."""

import subprocess
import sys
from pathlib import Path

import pytest
from helpers.tiny_models import tiny_folder

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "extraction.py"
LINES = [
    "s per persona, ours, its share of the neutral pole included",
    "s for the neutral pole, once",
    "s per persona, published",
    "s of it: writing both poles",
    "s of it: reading all of it again",
    "published / ours, as many answers in batches of 20",
    "published / ours at what each needs, 240 answers / 24",
    "published / ours per answer, 24 of ours in batches of 8",
    "published / ours per answer, 24 of ours in batches of 24",
    "tokens through the model per persona, published / ours",
    "forward passes per persona, published / ours",
    "cosine with the vector of single readings, least over layers and personas",
    "peak MB of MLX beyond the model, 3 times the rollouts / once",
    "peak MB of Python and NumPy, 3 times the rollouts / once",
]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """What the benchmark prints: the name of a line to its first number."""
    folder = str(tiny_folder(tmp_path_factory.mktemp("benchmarked")))
    command = [sys.executable, "-W", "error", str(SCRIPT), "--quick", "--model", folder]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    rows = [line.strip("| ").split(" | ") for line in run.stdout.splitlines() if line.startswith("| ")][2:]
    return {name: float(measured.split()[0]) for name, measured, *_ in rows}


def test_every_line_is_printed_and_no_other(table):
    assert list(table) == LINES


def test_both_pipelines_take_time_and_the_published_one_puts_more_through_the_model(table):
    assert all(value > 0 for value in table.values())
    assert table["tokens through the model per persona, published / ours"] > 2  # the second reading is counted


def test_single_readings_of_the_same_answers_give_the_same_vectors(table):
    assert table["cosine with the vector of single readings, least over layers and personas"] >= 0.999

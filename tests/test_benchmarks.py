"""The benchmarks run, on a model that takes no time, and print what they promise. What they measure is no test's."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tiny import tiny_folder

FOLDER = Path(__file__).parents[1] / "benchmarks"

pytestmark = pytest.mark.slow


def printed(script, *arguments):
    """Run a benchmark as a user does and return what it prints."""
    command = [sys.executable, "-W", "error", str(FOLDER / script), *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(tiny_folder(tmp_path_factory.mktemp("benchmarked")))


def test_the_cost_of_steering_is_printed(model):
    lines = printed("steering.py", "--quick", "--model", model).splitlines()
    operations = [line for line in lines if line.startswith("operations added per steered block")]
    assert [line.split("  ")[1].strip().split()[0] for line in operations] == ["1", "1"]
    for line in ("one layer steered", "all layers steered", "4 voices", "16 voices", "peak memory"):
        assert any(line in printed_line for printed_line in lines)


def test_the_speed_and_the_wait_for_the_first_token_are_printed(model):
    table = printed("speed.py", "--quick", "--model", model)
    for line in ("first text", "imports", "load", "read (prefill)", "written, one row", "written, 16 rows"):
        assert line in table


def test_the_stages_to_the_first_token_are_one_json_object(model):
    stages = json.loads(printed("first_token.py", "--steered", "--model", model))
    assert list(stages) == ["imports", "load", "self-test", "prompt", "first token"]
    assert all(wall > 0 and cpu >= 0 for wall, cpu in stages.values())

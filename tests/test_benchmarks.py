"""The benchmarks run, on a model that takes no time, and print what they promise. What they measure is no test's."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.random_vectors import persona_vector
from helpers.tiny_models import tiny_folder

from billy_mlx.model.load import load
from billy_mlx.vectors.library import store_vector
from billy_mlx.vectors.measurements import Outcome, Quality, Strength

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
    operations = [line for line in lines if line.startswith("| operations added per steered block")]
    assert [line.split("|")[2].split()[0] for line in operations] == ["1", "1"]
    assert "operations added per steered block, layer by layer (1 to 2)" in operations[1]
    for line in ("one layer steered", "speed, layer by layer (1 to 2)", "4 voices", "16 voices", "peak memory"):
        assert any(line in printed_line for printed_line in lines)


def test_the_speed_and_the_wait_for_the_first_token_are_printed(model):
    table = printed("speed.py", "--quick", "--model", model)
    for line in ("first text", "imports", "load", "read (prefill)", "written, one row", "written, 16 rows"):
        assert line in table


def test_every_script_is_run_for_the_table_and_only_what_has_an_aim_column_is_in_it():
    sys.path.insert(0, str(FOLDER))
    from run_all import NOT_RUN, SCRIPTS, gathered

    assert {path.name for path in FOLDER.glob("*.py")} == NOT_RUN | set(SCRIPTS)
    page = "| a | b |\n| --- | --- |\n| 1 | 2 |\n\n| x | y | z | aim |\n| --- | --- | --- | --- |\n| f | 3 s | 4 |  |\n"
    assert list(gathered(page)) == [("f", "3 s", "")]


@pytest.fixture
def calibrated(model):
    """Vectors of four personas for the model, with a calibration each, among the user's own."""
    at_full = Outcome(effect=0.8, perplexity=1.2, distinct=1.0, repetition=0.0, length=1.0)
    found = Strength(2.0, "perplexity", 1.3, at_full, (0.4, 1.1), at_full, prompts=4, made_with="four prompts")
    quality = Quality((0.9, 0.8, 0.7, 0.6), (0.5,) * 4, (0.55, 0.7))
    fingerprint = load(model).fingerprint
    for seed, persona_id in enumerate(("noir", "gothic", "comic", "lyrical")):
        vector = persona_vector(persona_id, seed=seed, norm=5.0, fingerprint=fingerprint)
        store_vector(replace(vector, strength=found, quality=quality))


def test_the_page_of_vectors_has_a_row_for_each_and_says_which_are_weak(model, calibrated):
    page = printed("vectors.py", "--model", model)
    assert [line.split(" | ")[0] for line in page.splitlines() if line.startswith("| ")][2:6] == [
        "| noir",
        "| gothic",
        "| lyrical",
        "| comic",
    ]
    assert "| 0.60 | 0.55 … 0.70 | 0.50 | 2.00 | perplexity | +0.80 | +0.40 … +1.10 | +0.80 |" in page
    assert "No other persona is weak" in page


def test_the_stages_to_the_first_token_are_one_json_object(model):
    stages = json.loads(printed("first_token.py", "--steered", "--model", model))
    assert list(stages) == ["imports", "load", "self-test", "prompt", "first token"]
    assert all(wall > 0 and cpu >= 0 for wall, cpu in stages.values())


def test_what_a_manuscript_costs_is_printed(tmp_path):
    lines = printed("manuscript.py", "--folder", str(tmp_path), "--edits", "1500").splitlines()
    assert lines[0] == "| 100,000 words | median | worst | aim |"
    bounded = [line.split("|")[1:5] for line in lines[2:] if line.split("|")[4].strip()]
    assert len(bounded) == 5
    assert all(float(cells[1].split()[0]) > 0 for cells in bounded)


@pytest.mark.usefixtures("starter_home")
def test_what_the_studio_costs_is_printed():
    lines = printed("studio.py", "--keys", "2", "--edits", "20", "--drafts", "4").splitlines()
    assert lines[0] == "| 80,000 words | measured | in imports of Textual | aim |"
    targets = [line.split("|")[4].strip() for line in lines[2:]]
    assert [target for target in targets if target] == [
        *["<= 0.4 s", "<= 0.5 s"] * 2,
        "<= 0.4 s",
        "<= 0.05 s",
        "<= 0.5 s",
        "<= 10 MB",
    ]

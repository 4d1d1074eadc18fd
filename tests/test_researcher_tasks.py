"""What researchers do with steering vectors gives the numbers that repeng gives, which are kept in researcher_results.

Those were made by `benchmarks/researcher_tasks.py --with repeng` of the folder that `tiny_folder` writes.
"""

import json
import shutil
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
from helpers.tiny_models import tiny_folder

HERE = Path(__file__).parent
KEPT = HERE / "researcher_results"
LOGITS = ("one_layer", "layers", "ablated")


@pytest.fixture
def tasks(monkeypatch):
    monkeypatch.syspath_prepend(HERE.parent / "benchmarks")
    import researcher_tasks

    return researcher_tasks


@pytest.fixture
def theirs():
    return json.loads((KEPT / "repeng.json").read_text(encoding="utf-8"))


@pytest.fixture
def folder(tmp_path):
    return tiny_folder(tmp_path / "tiny")


def test_every_task_gives_what_repeng_gives(tasks, theirs, folder, tmp_path):
    shutil.copy(KEPT / "repeng.gguf", tmp_path)
    ours = tasks.run("billy", folder, tmp_path)
    agreed = {key: tasks.compared(key, ours, theirs)[0] for key in tasks.TASKS}
    assert agreed == dict.fromkeys(tasks.TASKS, "yes")
    moved = {key: np.abs(np.subtract(ours["results"][key], ours["results"]["unsteered"])).max() for key in LOGITS}
    assert min(moved.values()) > 0.5


def test_the_last_layer_differs_from_repengs_by_the_final_norm_alone(tasks, theirs, folder):
    import researcher_billy

    model, _, tokens = researcher_billy.load_and_tokenise(folder, tasks.TEXT)
    last = mx.array(researcher_billy.residual_stream(model, tokens)[-1, -1])
    assert np.allclose(model.model.model.norm(last), theirs["results"]["stream"][-1], atol=1e-5)
    assert not np.allclose(last, theirs["results"]["stream"][-1], atol=0.1)


@pytest.mark.parametrize(("key", "by"), [("one_layer", 1e-2), ("mean", 1e-2), ("greedy", 1), ("written", 1e-2)])
def test_a_number_that_is_another_is_no_agreement(tasks, theirs, key, by):
    theirs["results"]["read"] = theirs["results"]["written"]
    assert tasks.compared(key, theirs, theirs)[0] == "yes"
    changed = json.loads(json.dumps(theirs))
    place = changed["results"][key]
    while isinstance(place[0], list):
        place = place[0]
    place[0] += by
    assert tasks.compared(key, changed, theirs)[0] == "no"


def three_lines(first, second):
    """Return something.

    The docstring has lines as well.
    """
    # so has a comment
    total = first + second

    total *= 2
    return total


def test_lines_are_those_of_the_body_without_its_docstring_and_comments(tasks):
    assert tasks.lines_of(three_lines) == 3

from dataclasses import replace

import pytest
from benching import MADE_WITH, new_store, small

from billy_mlx.bench.result import GroupCost
from billy_mlx.bench.store import Answer, Store
from billy_mlx.errors import BillyError

ANSWER = Answer("dose-0", "uses", "uses-01", 0, "1. A tower\n2. Ärger ☃", 1, 20, 6, "length")
COST = GroupCost("dose-0", ("dose-0",), 1, 1, 0.5, 20, 6, 25, 0.25, 4)


def number(n):
    return replace(ANSWER, seed=n)


@pytest.fixture
def kept(tmp_path):
    """A folder with three answers, each with its cost."""
    store = new_store(tmp_path / "run")
    for n in range(3):
        store.add([number(n)], COST)
    return store.folder


def test_what_was_added_is_read_again(kept):
    store = Store.open(kept)
    assert (store.settings, store.made_with) == (small(), MADE_WITH)
    assert store.answers == [number(0), number(1), number(2)]


def test_costs_of_a_group_are_added_up(kept):
    other = replace(COST, arms=("random-1",), peak_memory_gb=1.0, rows_at_once=2)
    store = new_store(kept)
    store.add([number(3)], other)
    [cost] = store.costs
    assert cost == GroupCost("dose-0", ("dose-0", "random-1"), 4, 4, 2.0, 80, 24, 100, 1.0, 4)


@pytest.mark.parametrize("name", ["answers.jsonl", "costs.jsonl"])
def test_a_torn_last_line_is_dropped_and_written_over(kept, name):
    path = kept / name
    path.write_bytes(path.read_bytes()[:-5])
    store = new_store(kept)
    assert [answer.seed for answer in store.answers] == [0, 1]
    store.add([number(7)], COST)
    assert [answer.seed for answer in Store.open(kept).answers] == [0, 1, 7]
    assert Store.open(kept).costs[0].queries == 3


def test_answers_without_their_cost_are_not_there(kept):
    path = kept / "costs.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:1]))
    assert new_store(kept).answers == [number(0)]


def test_a_last_line_that_the_disk_lost_is_dropped(kept):
    path = kept / "answers.jsonl"
    path.write_bytes(path.read_bytes() + b"\0" * 40 + b"\n")
    assert len(new_store(kept).answers) == 3


def test_a_damaged_line_in_the_middle_is_told_of(kept):
    path = kept / "answers.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"seed":1', b'"seed":?'))
    with pytest.raises(BillyError, match=r"line 2 of .* is damaged"):
        Store.open(kept)


def test_other_settings_are_refused_in_a_sentence_that_names_them(kept):
    with pytest.raises(BillyError, match=r"other settings \(seeds 1, not 2\); choose another folder"):
        new_store(kept, small(seeds=2, rows=1))


def test_another_batch_size_goes_on(kept):
    assert new_store(kept, small(rows=3)).settings.rows == 3


def test_another_model_is_refused(kept):
    with pytest.raises(BillyError, match=r"with the model w+, not v+;"):
        Store.create_or_resume(kept, small(), {"fingerprint": "v" * 16})


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(BillyError, match="holds no benchmark run; make one with: billy bench run"):
        Store.open(tmp_path)


def test_a_damaged_description_is_told_of(kept):
    (kept / "run.json").write_text('{"settings": {"model": "tiny", "seeds": 0}}')
    with pytest.raises(BillyError, match=r"run\.json cannot be read"):
        Store.open(kept)


def test_what_made_it_stays_as_it_was_begun(kept):
    assert Store.create_or_resume(kept, small(), MADE_WITH | {"command": "again"}).made_with == MADE_WITH

import json
from dataclasses import replace

import pytest
from helpers.small_bench import MADE_WITH, new_store, small

from billy_mlx.bench.result import GroupCost
from billy_mlx.bench.settings import ScoredBy
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
    with pytest.raises(BillyError, match=r"with the model w+, not v+; .* choose another folder"):
        Store.create_or_resume(kept, small(), {"fingerprint": "v" * 16})


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(BillyError, match="holds no benchmark run; make one with: billy bench run"):
        Store.open(tmp_path)


@pytest.mark.parametrize("damage", [b'{"settings": {"model": "tiny", "seeds": 0}}', b"[" * 5000, b'{"\xff": 1}'])
def test_a_damaged_description_is_told_of(kept, damage):
    (kept / "run.json").write_bytes(damage)
    with pytest.raises(BillyError, match=r"run\.json cannot be read"):
        Store.open(kept)


def test_a_report_is_refused_another_model(kept):
    Store.open(kept).require_model(MADE_WITH["fingerprint"])
    with pytest.raises(BillyError, match=r"with the model w+, not v+; take the model that began it"):
        Store.open(kept).require_model("v" * 16)


def begun(folder, questions, **settings):
    return Store.create_or_resume(folder, small(**settings), MADE_WITH, questions=questions)


def test_other_questions_are_refused_with_the_name_of_their_file_alone(tmp_path):
    begun(tmp_path, "a1", tasks_file="/home/ann/mine.json")
    assert begun(tmp_path, "a1", tasks_file="/home/ann/mine.json").answers == []
    with pytest.raises(BillyError, match=r"^mine\.json has other questions now than .*; put back the file"):
        begun(tmp_path, "b2", tasks_file="/home/ann/mine.json")
    with pytest.raises(BillyError, match=r"^mine\.json"):
        Store.open(tmp_path).require_questions("b2")


def test_other_questions_of_our_own_are_those_of_another_version(tmp_path):
    begun(tmp_path, "a1")
    with pytest.raises(BillyError, match=r"Our tasks have other questions now .*; take the version of billy-mlx"):
        begun(tmp_path, "b2")


def test_answers_to_other_prompts_are_not_added_to_nor_reported_on(tmp_path):
    Store.create_or_resume(tmp_path, small(), MADE_WITH, prompts="a1")
    Store.open(tmp_path).require_prompts("a1")
    with pytest.raises(BillyError, match=r"chat template, the tokens that end its answers or .*; put that back, or"):
        Store.open(tmp_path).require_prompts("b2")
    with pytest.raises(BillyError, match=f"^{tmp_path} holds answers to other prompts"):
        Store.create_or_resume(tmp_path, small(), MADE_WITH, prompts="b2")


def test_an_older_run_is_reported_on_and_nothing_is_added_to_it(tmp_path):
    new_store(tmp_path)
    Store.open(tmp_path).require_prompts("a1")
    with pytest.raises(BillyError, match=r"as an older version began it; choose another folder, or .* bench report"):
        Store.create_or_resume(tmp_path, small(), MADE_WITH, prompts="a1")


def test_who_scored_it_first_is_kept_and_may_be_another_the_next_time(tmp_path):
    first, second = ScoredBy("judges/large", "own", quick=True), ScoredBy("none")
    for scored_by in (first, second):
        Store.create_or_resume(tmp_path, small(), MADE_WITH, scored_by=scored_by)
    assert Store.open(tmp_path).scored_by == first


def test_a_folder_of_an_older_version_opens(kept):
    run = json.loads((kept / "run.json").read_text())
    del run["scored_by"], run["questions"]
    (kept / "run.json").write_text(json.dumps(run))
    (kept / "answers.jsonl").write_bytes((kept / "answers.jsonl").read_bytes().replace(b',"fallback":false', b""))
    store = begun(kept, "a1")
    assert [answer.fallback for answer in store.answers] == [False] * 3
    assert store.scored_by == ScoredBy("self", "own", quick=False)


@pytest.mark.parametrize(
    ("blend", "meant"),
    [
        ("futurist:1@1", "futurist:1@1/balanced"),
        ("futurist:1@0.2r/L1", "futurist:1@0.2r/balanced/L1"),
        ("futurist:1@2a/paper", "futurist:1@2a/paper"),
    ],
)
def test_the_blend_of_a_run_by_the_version_before_means_what_it_meant(kept, blend, meant):
    run = json.loads((kept / "run.json").read_text())
    run["settings"]["blend"] = blend
    (kept / "run.json").write_text(json.dumps(run))
    assert Store.open(kept).settings == small(blend=meant)
    with pytest.raises(BillyError, match=f"other settings .blend '{meant}', not 'futurist:1@1/layered'"):
        Store.create_or_resume(kept, small(blend="futurist"), MADE_WITH)
    assert Store.create_or_resume(kept, small(blend=meant), MADE_WITH).answers


def test_what_made_it_stays_as_it_was_begun(kept):
    assert Store.create_or_resume(kept, small(), MADE_WITH | {"command": "again"}).made_with == MADE_WITH

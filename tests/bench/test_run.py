import shutil
from dataclasses import replace

import pytest
from helpers.small_bench import ITEMS, MADE_WITH, new_store, plant, roomy, small

from billy_mlx.bench.arms import comparison_arms
from billy_mlx.bench.run import run
from billy_mlx.bench.store import Store
from billy_mlx.blend.writer import Writer
from billy_mlx.errors import UsageError
from billy_mlx.steps import finish


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return roomy(tmp_path_factory.mktemp("roomy"))


@pytest.fixture(autouse=True)
def vectors(model, billy_home):
    plant(model, norm=50.0)  # so that a random model is moved by them


@pytest.fixture(scope="module")
def whole(model, tmp_path_factory):
    """A run of all arms that nobody disturbed."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BILLY_HOME", str(home))
        plant(model, norm=50.0)
        return played(model, home / "run")


def played(model, folder, **changes):
    settings = small(**{"rows": 3} | changes)
    store = Store.create_or_resume(folder, settings, MADE_WITH)
    finish(run(model, comparison_arms(model, settings), ITEMS, store))
    return store


def texts(store):
    return {answer.key: answer.text for answer in store.answers}


def counts(store):
    return {cost.group: (cost.queries, cost.turns, cost.tokens_in, cost.tokens_out) for cost in store.costs}


@pytest.mark.slow
def test_every_arm_answers_every_item_with_every_seed(model, whole, tmp_path):
    assert len(texts(whole)) == len(whole.answers) == 23 * 2
    assert len(texts(played(model, tmp_path, seeds=2, arms=("personas",)))) == 3 * 2 * 2


def test_dose_0_writes_what_the_single_agent_writes(whole):
    written = texts(whole)
    for item in ITEMS:
        assert written["dose-0", item.task, item.id, 0] == written["single-0.7", item.task, item.id, 0]
        assert written["dose-0", item.task, item.id, 0] != written["billy-balanced", item.task, item.id, 0]
    alike = [written["dose-0", i.task, i.id, 0] == written["billy-layered", i.task, i.id, 0] for i in ITEMS]
    assert not all(alike)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1, 50])
def test_neither_batch_size_nor_other_arms_change_a_text(model, whole, tmp_path, rows):
    store = played(model, tmp_path, arms=("random-3", "discussion", "billy-paper"), rows=rows)
    assert len(store.answers) == 6
    assert texts(store).items() <= texts(whole).items()


@pytest.mark.slow
@pytest.mark.parametrize("kept", [7, 19, 33])
def test_a_run_that_was_killed_comes_to_the_same_answers(model, whole, tmp_path, kept):
    folder = tmp_path / "run"
    shutil.copytree(whole.folder, folder)
    lines = (folder / "answers.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "answers.jsonl").write_bytes(b"".join(lines[:kept]) + lines[kept][:10])
    assert counts(played(model, folder)) == counts(whole)
    assert (folder / "answers.jsonl").read_bytes() == b"".join(lines)


def test_a_run_that_stops_between_batches_keeps_all_that_was_done(model, tmp_path):
    settings = small(arms=("personas",), rows=2)
    going = run(model, comparison_arms(model, settings), ITEMS, new_store(tmp_path, settings))
    while not (tmp_path / "answers.jsonl").exists():
        next(going)
    going.close()
    assert len(Store.open(tmp_path).answers) == 2
    assert len(played(model, tmp_path, arms=("personas",), rows=2).answers) == 6


def test_a_run_that_is_complete_writes_nothing_and_begins_at_its_end(model, whole):
    before = (whole.folder / "costs.jsonl").read_bytes()
    arms = comparison_arms(model, whole.settings)
    assert {step.share for step in run(model, arms, ITEMS, Store.open(whole.folder))} == {1.0}
    assert (whole.folder / "costs.jsonl").read_bytes() == before


def test_costs_add_up_to_what_was_counted(whole):
    for cost in whole.costs:
        answers = [answer for answer in whole.answers if answer.arm in cost.arms]
        tokens = [(answer.turns, answer.tokens_in, answer.tokens_out) for answer in answers]
        assert (cost.queries, cost.turns) == (len(answers), sum(turns for turns, _, _ in tokens))
        assert cost.tokens_in == sum(tokens_in for _, tokens_in, _ in tokens)
        assert cost.tokens_out == sum(tokens_out for _, _, tokens_out in tokens)
        assert cost.wall_seconds > 0


def test_a_discussion_takes_twenty_turns_and_the_others_one(whole):
    turns = {answer.arm: answer.turns for answer in whole.answers}
    assert turns.pop("discussion") == 20
    assert set(turns.values()) == {1}


def test_a_prompt_that_several_arms_send_is_read_once(model, tmp_path):
    store = played(model, tmp_path, arms=("random", "single-0.7"), rows=10)
    random, alone = sorted(store.costs, key=lambda cost: cost.group)
    assert random.tokens_in == 5 * alone.tokens_in
    assert random.tokens_forwarded - random.tokens_out < 2 * (alone.tokens_forwarded - alone.tokens_out)


@pytest.mark.parametrize(
    ("written", "kept"),
    [("Answer 1, probability 0.07:\nA tower", ("A tower", False)), ("A plain tower", ("A plain tower", True))],
)
def test_an_answer_says_whether_its_text_was_taken_as_it_stands(model, tmp_path, monkeypatch, written, kept):
    whole = Writer.takes
    monkeypatch.setattr(Writer, "takes", lambda self: [replace(take, text=written) for take in whole(self)])
    [first, _] = played(model, tmp_path, arms=("verbalized",)).answers
    assert (first.text, first.fallback) == kept


@pytest.mark.slow
def test_progress_rises_to_the_whole(model, tmp_path):
    settings = small(arms=("single-0.7", "discussion"))
    steps = list(run(model, comparison_arms(model, settings), ITEMS, new_store(tmp_path, settings)))
    shares = [step.share for step in steps]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    assert next(step.share for step in steps if step.stage == "discussion") == pytest.approx(6 / (6 + 20 * 4))


def test_a_prompt_that_is_too_long_is_told_of(model, tmp_path):
    settings = small(arms=("dose-0",))
    long = replace(ITEMS[0], prompt="word " * 2000)
    with pytest.raises(UsageError, match="shorten the prompt"):
        finish(run(model, comparison_arms(model, settings), [long], new_store(tmp_path, settings)))

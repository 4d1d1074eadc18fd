"""What a report is made of beside scores: examples, costs, and what the numbers cannot support."""

from dataclasses import replace

import pytest
from results import difference
from vectors import persona_vector

from billy_mlx.bench.evidence import choose_examples, gather, made_with
from billy_mlx.bench.limits import find_limits
from billy_mlx.bench.plan import plan, planned_items
from billy_mlx.bench.result import Estimate, GroupCost, Reliability
from billy_mlx.bench.settings import BenchSettings
from billy_mlx.bench.store import Answer, Store
from billy_mlx.bench.tasks import Item
from billy_mlx.measure.embedding import own_embedder
from billy_mlx.steps import finish
from billy_mlx.vectors.library import store_vector
from billy_mlx.vectors.vector import Origin

ITEMS = [Item("uses", f"uses-{number:02}", f"What is brick {number} for?") for number in range(1, 9)]
ARMS = ("dose-0", "billy-balanced", "personas")
AUC = {"AUC": Estimate(0.5, 0.4, 0.6, 10)}
UNRELIABLE = Reliability("judge: tiny, originality", "originality", AUC, False, "it guesses")


def answer(arm, item, text, seed=0, reason="stop"):
    return Answer(arm, item.task, item.id, seed, text, 1, 10, 8, reason)


def cost(arm, queries):
    return GroupCost(arm, (arm,), queries, queries, 1.0, 10 * queries, 8 * queries, 18 * queries, 0.1, 4)


@pytest.fixture
def vectors(tiny):
    """Vectors of two personas of the tiny model."""
    for seed, name in enumerate(("noir", "gothic")):
        store_vector(persona_vector(name, seed=seed, fingerprint=tiny.fingerprint))


@pytest.fixture
def settings(tiny, vectors):
    """A small comparison."""
    return replace(
        BenchSettings.own(tiny.id, "noir+gothic@0.2r/balanced/L1"), arms=ARMS, items_per_task=2, max_tokens=8
    )


@pytest.fixture
def store(tiny, settings, tmp_path):
    """Its answers, as if they had been written."""
    made = Store.create_or_resume(tmp_path / "run", settings, made_with(tiny, "billy bench run"))
    planned = plan(tiny, settings)
    for arm in planned.arms:
        told = [
            answer(arm.name, item, f"1. A hat of {arm.name} for the red one, on and on\n2. An oven for {item.id}")
            for item in planned.items
        ]
        made.add(told, cost(arm.name, len(told)))
    return made


def limits(tiny, store, *reliability, items=None, comparisons=()):
    planned = plan(tiny, store.settings)
    return " ".join(find_limits(tiny, planned.arms, items or planned.items, store, reliability, comparisons))


def test_everything_that_answers_show_is_gathered(tiny, store):
    result = finish(gather(tiny, store, embedder=own_embedder(tiny), judge=None))
    assert [arm.name for arm in result.arms] == ["persona:gothic", "persona:noir", "billy-balanced", "dose-0"]
    assert {mean.metric for mean in result.means} <= result.metrics.keys()
    assert {projection.arm for projection in result.projections} == {
        *("persona:gothic", "persona:noir", "billy-balanced")
    }
    assert sum(group.queries for group in result.costs) == len(store.answers)
    assert result.main == "billy-balanced"
    assert own_embedder(tiny).name.endswith(f"/{result.made_with['embeddings']}")  # without where it lies


def test_how_far_it_is_only_rises_to_the_whole(tiny, store):
    shares = [progress.share for progress in gather(tiny, store, embedder=own_embedder(tiny), judge=None)]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)


def test_half_a_run_can_be_reported_on(tiny, store):
    first = planned_items(store.settings)[0]
    store.answers = [each for each in store.answers if each.item == first.id and each.arm != "persona:noir"]
    result = finish(gather(tiny, store, embedder=own_embedder(tiny), judge=None))
    assert {arm.name for arm in result.arms} == {"persona:gothic", "billy-balanced", "dose-0"}
    assert {example.item for example in result.examples} == {first.id}


def test_examples_have_the_texts_of_all_arms_side_by_side():
    told = [answer(arm, item, f"{arm} {item.id}") for arm in ("a", "b") for item in ITEMS]
    examples = choose_examples(ITEMS, told, seed=0)
    assert len(examples) == 3
    assert all(example.texts == {arm: f"{arm} {example.item}" for arm in ("a", "b")} for example in examples)


def test_examples_are_drawn_by_the_seed_and_not_by_what_the_texts_are():
    def drawn(seed, text):
        told = [answer("a", item, f"{text} {item.id}") for item in ITEMS]
        return [example.item for example in choose_examples(ITEMS, told, seed)]

    assert drawn(0, "good") == drawn(0, "bad")
    assert len({tuple(drawn(seed, "good")) for seed in range(10)}) > 1


def test_an_item_that_not_all_arms_have_answered_is_no_example():
    told = [answer("a", item, "x") for item in ITEMS] + [answer("b", ITEMS[4], "y")]
    assert [example.item for example in choose_examples(ITEMS, told, seed=0)] == [ITEMS[4].id]


def test_without_answers_there_are_no_examples():
    assert choose_examples(ITEMS, [], seed=0) == []


def test_a_small_model_is_said_to_be_no_judge(tiny, store):
    assert "million parameters: it is no judge" in limits(tiny, store)


def test_a_judge_that_guesses_is_not_to_be_heeded(tiny, store):
    assert "judge: tiny, originality is not to be heeded" in limits(tiny, store, UNRELIABLE)
    assert "not to be heeded" not in limits(tiny, store, replace(UNRELIABLE, usable=True))
    assert "Nobody has judged" in limits(tiny, store)


def test_few_items_are_a_limit_and_many_are_not(tiny, store):
    assert "as few as 2 items" in limits(tiny, store)
    assert "as few as" not in limits(tiny, store, items=ITEMS * 5)


def test_answers_cut_off_are_told_with_the_arm_that_has_most(tiny, store):
    assert "were cut off" not in limits(tiny, store)
    store.answers = [replace(each, finish_reason="length") for each in store.answers[:10]] + store.answers[10:]
    assert "25% of all answers were cut off at the most tokens they may have (persona:gothic: 100%)" in limits(
        tiny, store
    )


def test_texts_that_steering_left_as_they_were_are_told(tiny, store):
    assert "to the letter" not in limits(tiny, store)
    store.answers = [replace(each, text=each.item) for each in store.answers]
    assert "billy-balanced (100%)" in limits(tiny, store)
    assert "dose-0 (" not in limits(tiny, store)


def test_arms_that_are_the_same_to_the_letter_are_told(tiny, store):
    store.answers += [replace(each, arm="single-0.7") for each in store.answers if each.arm == "dose-0"]
    assert "All texts of dose-0 and single-0.7 are the same to the letter" in limits(tiny, store)
    store.answers[-1] = replace(store.answers[-1], text="Something else.")
    assert "All texts" not in limits(tiny, store)


def test_answers_that_are_not_what_their_arm_is_about_are_told(tiny, store):
    assert "taken as they stood" not in limits(tiny, store)
    verbalized = [answer("verbalized", item, "1. A hat.") for item in ITEMS[:4]]
    store.answers += [*verbalized[:3], replace(verbalized[3], fallback=True)]
    assert "were taken as they stood: verbalized (25%)." in limits(tiny, store)


def test_the_number_of_differences_is_told_with_how_many_chance_makes(tiny, store):
    few, one_task = difference("rarity", 0.3, items=4), replace(difference("rarity", 0.3), task="uses")
    said = limits(tiny, store, comparisons=[*[difference("rarity", 0.3)] * 2000, few, one_task])
    assert "2,000 differences over all tasks have a sign" in said
    assert "about 100 of them" in said


def test_rarity_is_said_to_depend_on_the_arms_there_are(tiny, store):
    assert "Rarity is among the ideas of the 4 arms" in limits(tiny, store, comparisons=[difference("rarity", 0.3)])
    assert "Rarity" not in limits(tiny, store, comparisons=[difference("words", 0.3)])


def test_where_vectors_came_from_is_what_their_files_say(tiny, store):
    assert "The vectors were made with tiny from its own answers (gothic, noir)." in limits(tiny, store)
    noir = persona_vector("noir", fingerprint=tiny.fingerprint)
    store_vector(replace(noir, origin=Origin("tiny", source="control vector: noir.gguf")))
    said = limits(tiny, store)
    assert "made with tiny from its own answers (gothic); taken from control vector: noir.gguf (noir)." in said
    store_vector(replace(noir, origin=Origin("tiny")))
    assert "made nobody knows how (noir)." in limits(tiny, store)


def test_a_person_who_was_held_against_nobody_is_said_to_be_unchecked(tiny, store):
    ann = Reliability("human: Ann, originality", "originality", {}, True, "Ann rated 3 ideas")
    assert "human: Ann, originality is heeded unchecked: Ann rated 3 ideas." in limits(tiny, store, ann)
    assert "unchecked" not in limits(tiny, store, replace(ann, checks=AUC))


def test_of_very_few_items_no_side_is_claimed(tiny, store):
    assert "over fewer than 5 items no side is claimed" in limits(tiny, store)
    assert "no side is claimed" not in limits(tiny, store, items=ITEMS)

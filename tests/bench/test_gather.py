"""Everything that a report shows beside scores: examples, and what vectors cost once, which is not made up."""

from dataclasses import replace

import pytest
from helpers.random_vectors import persona_vector
from helpers.small_bench import BRICKS, answer, answered

from billy_mlx.bench.arms import planned_items
from billy_mlx.bench.gather import choose_examples, gather, vector_cost
from billy_mlx.bench.result import GroupCost
from billy_mlx.blend.blend import Blend
from billy_mlx.measure.embedding import own_embedder
from billy_mlx.model.prompt import chat_prompt
from billy_mlx.steps import finish
from billy_mlx.vectors.card import get_persona, load_questions
from billy_mlx.vectors.library import store_vector
from billy_mlx.vectors.vector import Origin


@pytest.fixture
def store(tiny, tmp_path):
    return answered(tiny, tmp_path / "run")


@pytest.mark.slow
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


@pytest.mark.slow
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
    told = [answer(arm, item, f"{arm} {item.id}") for arm in ("a", "b") for item in BRICKS]
    examples = choose_examples(BRICKS, told, seed=0)
    assert len(examples) == 3
    assert all(example.texts == {arm: f"{arm} {example.item}" for arm in ("a", "b")} for example in examples)


def test_examples_are_drawn_by_the_seed_and_not_by_what_the_texts_are():
    def drawn(seed, text):
        told = [answer("a", item, f"{text} {item.id}") for item in BRICKS]
        return [example.item for example in choose_examples(BRICKS, told, seed)]

    assert drawn(0, "good") == drawn(0, "bad")
    assert len({tuple(drawn(seed, "good")) for seed in range(10)}) > 1


def test_an_item_that_not_all_arms_have_answered_is_no_example():
    told = [answer("a", item, "x") for item in BRICKS] + [answer("b", BRICKS[4], "y")]
    assert [example.item for example in choose_examples(BRICKS, told, seed=0)] == [BRICKS[4].id]


def test_without_answers_there_are_no_examples():
    assert choose_examples(BRICKS, [], seed=0) == []


COSTS = [GroupCost("billy", ("billy-balanced",), 4, 4, 2.0, 40, 80, 120, 0.1, 4)]  # 40 tokens a second


def keep(model, persona_id, **origin):
    card = get_persona(persona_id)
    said = {"card_hash": card.card_hash, "question_hash": load_questions().hash}
    said |= {"rollouts": "110/120 of 120", "sampling": "64 tokens, temperature 0.8"} | origin
    vector = persona_vector(persona_id, fingerprint=model.fingerprint)
    store_vector(replace(vector, origin=Origin("tiny", **said)))


def prompt_tokens(model, systems):
    questions = load_questions().questions
    lengths = [len(chat_prompt(model.tokenizer, ask, system=system)) for system in systems for ask in questions]
    return sum(lengths) / len(lengths)


@pytest.mark.slow
def test_every_persona_has_a_pole_and_all_share_the_neutral_one(tiny):
    keep(tiny, "noir")
    keep(tiny, "gothic")
    poles = [get_persona("gothic").prompts, get_persona("noir").prompts, load_questions().neutral_prompts]
    read = sum(round(120 * prompt_tokens(tiny, systems)) for systems in poles)
    found = vector_cost(tiny, Blend.parse("noir+gothic"), COSTS)
    assert found.tokens == read + 3 * 120 * 64
    assert found.wall_seconds == pytest.approx(3 * 120 * 64 / 40)


def test_without_an_answer_of_the_blend_there_is_no_speed(tiny):
    keep(tiny, "noir")
    found = vector_cost(tiny, Blend.parse("noir"), [replace(COSTS[0], group="dose-0")])
    assert found.tokens is not None
    assert found.wall_seconds is None


@pytest.mark.parametrize("unknown", ["rollouts", "sampling", "question_hash"])
def test_what_a_file_does_not_say_is_not_made_up(tiny, unknown):
    keep(tiny, "noir", **{unknown: "" if unknown != "question_hash" else "0" * 16})
    found = vector_cost(tiny, Blend.parse("noir"), COSTS)
    assert (found.tokens, found.wall_seconds) == (None, None)


def test_the_source_says_whose_vectors_were_made_how(tiny):
    keep(tiny, "noir")
    store_vector(
        replace(persona_vector("mine", fingerprint=tiny.fingerprint), origin=Origin("tiny", source="my novel"))
    )
    source = vector_cost(tiny, Blend.parse("noir+mine"), COSTS).source
    assert "noir: 110/120 of 120 answers a pole, 64 tokens, temperature 0.8" in source
    assert "mine: my novel" in source

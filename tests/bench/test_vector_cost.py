"""What vectors cost once is worked out from what their files say, and not made up where they say nothing."""

from dataclasses import replace

import pytest
from vectors import persona_vector

from billy_mlx.bench.result import GroupCost
from billy_mlx.bench.vector_cost import vector_cost
from billy_mlx.model.prompt import chat_prompt
from billy_mlx.vectors.card import get_persona, load_questions
from billy_mlx.vectors.library import store_vector
from billy_mlx.vectors.vector import Origin

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


def test_every_persona_has_a_pole_and_all_share_the_neutral_one(tiny):
    keep(tiny, "noir")
    keep(tiny, "gothic")
    poles = [get_persona("gothic").prompts, get_persona("noir").prompts, load_questions().neutral_prompts]
    read = sum(round(120 * prompt_tokens(tiny, systems)) for systems in poles)
    found = vector_cost(tiny, "noir+gothic", COSTS)
    assert found.tokens == read + 3 * 120 * 64
    assert found.wall_seconds == pytest.approx(3 * 120 * 64 / 40)


def test_without_an_answer_of_the_blend_there_is_no_speed(tiny):
    keep(tiny, "noir")
    found = vector_cost(tiny, "noir", [replace(COSTS[0], group="dose-0")])
    assert found.tokens is not None
    assert found.wall_seconds is None


@pytest.mark.parametrize("unknown", ["rollouts", "sampling", "question_hash"])
def test_what_a_file_does_not_say_is_not_made_up(tiny, unknown):
    keep(tiny, "noir", **{unknown: "" if unknown != "question_hash" else "0" * 16})
    found = vector_cost(tiny, "noir", COSTS)
    assert (found.tokens, found.wall_seconds) == (None, None)


def test_the_source_says_whose_vectors_were_made_how(tiny):
    keep(tiny, "noir")
    store_vector(
        replace(persona_vector("mine", fingerprint=tiny.fingerprint), origin=Origin("tiny", source="my novel"))
    )
    source = vector_cost(tiny, "noir+mine", COSTS).source
    assert "noir: 110/120 of 120 answers a pole, 64 tokens, temperature 0.8" in source
    assert "mine: my novel" in source

"""What a blend carries: at the layer it steers it is arithmetic, and at the last layer it is measured."""

from types import SimpleNamespace

import numpy as np
import pytest
from helpers.random_vectors import persona_vector

from billy_mlx.bench.play import Arm
from billy_mlx.bench.projections import LAST, STEERED, project_blends
from billy_mlx.bench.store import Answer
from billy_mlx.bench.tasks import Item
from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.blend.directions import directions
from billy_mlx.blend.prompt_tokens import prompt_tokens
from billy_mlx.blend.recipe import Recipe
from billy_mlx.measure.activations import Text, read_all
from billy_mlx.model.layers import UNSTEERED
from billy_mlx.steps import finish
from billy_mlx.vectors.library import store_vector

ITEMS = [Item("uses", f"uses-0{number}", f"What is brick {number} for?") for number in (1, 2, 3)]


def answer(item, text, arm="dose-0"):
    return Answer(arm, item.task, item.id, 0, text, 1, 1, 1, "stop")


def an_arm(name, blend=ALONE, added=UNSTEERED):
    def play(item, seed):
        (text,) = yield [Recipe.of(item.prompt, seed=seed, max_tokens=8)]
        return text

    return Arm(name, name, "says", blend, play, added)


@pytest.fixture
def vectors(tiny):
    """Vectors of three personas of the tiny model, two of them in the blend."""
    made = [persona_vector(name, seed=seed, fingerprint=tiny.fingerprint) for seed, name in enumerate("abc")]
    for vector in made:
        store_vector(vector)
    return {vector.persona_id: vector for vector in made}


@pytest.fixture
def projected(tiny, vectors):
    """The projections of a blend's arm, given its text form and the answers of dose-0."""

    def project(text, answers=None, most_items=3):
        blend = Blend.parse(text)
        arms = [an_arm("dose-0"), an_arm("billy-balanced", blend, directions(blend, vectors))]
        answers = [answer(item, "the red hat and the on") for item in ITEMS] if answers is None else answers
        return finish(project_blends(tiny, arms, ITEMS, SimpleNamespace(answers=answers), most_items))

    return project


def test_at_the_steered_layer_it_is_the_projection_of_what_was_added(projected, vectors):
    added = directions(Blend.parse("a:0.7+b:0.3@0.5r/balanced/L1"), vectors).by_layer[1]
    for found in projected("a:0.7+b:0.3@0.5r/balanced/L1"):
        if found.place == STEERED:
            unit = vectors[found.persona].directions[1] / np.linalg.norm(vectors[found.persona].directions[1])
            assert found.layer == 1
            assert found.estimate.mean == pytest.approx(added @ unit / 2.0, abs=1e-5)
            assert found.estimate.high - found.estimate.low < 1e-5


def test_of_a_layered_blend_the_first_layer_is_arithmetic_as_nothing_was_added_below(projected, vectors):
    added = directions(Blend.parse("a:0.7+b:0.3/layered"), vectors).by_layer[1]
    found = [each for each in projected("a:0.7+b:0.3/layered") if each.place == STEERED]
    assert {each.layer for each in found} == {1}
    for each in found:
        unit = vectors[each.persona].directions[1] / np.linalg.norm(vectors[each.persona].directions[1])
        assert each.estimate.mean == pytest.approx(added @ unit / 2.0, abs=1e-5)


def test_a_persona_alone_carries_its_dose_on_its_own_axis(projected):
    along = {found.persona: found.estimate.mean for found in projected("a@0.5r/balanced/L2") if found.place == STEERED}
    assert along["a"] == pytest.approx(0.5, abs=1e-5)


def test_at_the_last_layer_it_differs_from_text_to_text(projected):
    answers = [answer(item, text) for item, text in zip(ITEMS, ("the hat", "on and on and on", "re"), strict=True)]
    last = [found.estimate for found in projected("a@0.5r/balanced/L1", answers) if found.place == LAST]
    assert all(estimate.items == 3 and estimate.high > estimate.low for estimate in last)


def test_no_more_items_are_read_than_are_wanted(projected):
    assert {found.estimate.items for found in projected("a@0.5r/balanced/L1", most_items=2)} == {2}


def test_a_steered_last_layer_is_both(projected):
    found = projected("a@0.5r/balanced/L3")
    means = {place: [each.estimate.mean for each in found if each.place == place] for place in (STEERED, LAST)}
    assert means[STEERED] == pytest.approx(means[LAST])


def test_axes_are_the_blends_personas_and_some_that_are_in_no_blend(projected):
    assert {found.persona for found in projected("a+b@0.5r/balanced/L1")} == {"a", "b", "c"}


@pytest.mark.parametrize("answers", [[], [answer(ITEMS[0], " ")], [answer(ITEMS[0], "other", arm="random-1")]])
def test_without_an_answer_of_dose_0_nothing_is_projected(projected, answers):
    assert projected("a@0.5r/balanced/L1", answers) == []


def prompted(name, frame):
    def play(item, seed):
        (text,) = yield [Recipe.of(frame.format(item.prompt), seed=seed, max_tokens=8)]
        return text

    return Arm(name, name, "says", ALONE, play)


def test_a_prompt_carries_what_the_same_words_have_more_behind_it(tiny, vectors):
    blend = Blend.parse("a@0.5r/balanced/L1")
    multi_role = prompted("multi-role", "Think as several people. {}")
    arms = [an_arm("dose-0"), an_arm("billy-balanced", blend, directions(blend, vectors)), multi_role]
    answers = [answer(item, "the red hat and the on") for item in ITEMS]
    found = finish(project_blends(tiny, arms, ITEMS, SimpleNamespace(answers=answers), 3))
    told = {(each.layer, each.persona): each.estimate.mean for each in found if each.arm == "multi-role"}
    said = tuple(tiny.tokenizer.encode("the red hat and the on", add_special_tokens=False))

    def read(play):
        turns = [next(play(item, 0))[0] for item in ITEMS]
        texts = [Text(tuple(prompt_tokens(tiny, turn.prompt)), said) for turn in turns]
        return np.mean([reading.average.mean for reading in finish(read_all(tiny, texts))], axis=0)

    shift = read(multi_role.play) - read(arms[0].play)
    assert {layer for layer, _ in told} == {1, 3}
    for (layer, persona), mean in told.items():
        unit = vectors[persona].directions[layer] / np.linalg.norm(vectors[persona].directions[layer])
        assert mean == pytest.approx(shift[layer] @ unit / 2.0, abs=1e-4)


def test_a_prompt_that_changes_nothing_carries_nothing(tiny, vectors):
    blend = Blend.parse("a@0.5r/balanced/L1")
    arms = [an_arm("dose-0"), an_arm("billy-balanced", blend, directions(blend, vectors)), prompted("prompts", "{}")]
    answers = [answer(item, "the red hat") for item in ITEMS]
    found = finish(project_blends(tiny, arms, ITEMS, SimpleNamespace(answers=answers), 3))
    assert {each.estimate.mean for each in found if each.arm == "prompts"} == {0.0}


def test_a_blend_that_adds_nothing_carries_nothing(projected):
    assert projected("a@0r/balanced/L1") == []


def test_a_vector_that_says_no_residual_norm_is_no_axis(tiny, vectors, projected):
    from dataclasses import replace

    store_vector(replace(vectors["c"], residual_norm=None))
    assert {found.persona for found in projected("a+b@0.5r/balanced/L1")} == {"a", "b"}

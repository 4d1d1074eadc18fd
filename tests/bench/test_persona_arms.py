"""Rivals made of personas: their system prompts, alone and with the blend, and a persona that is not in it."""

import json
from dataclasses import replace

import numpy as np
import pytest
from helpers.random_vectors import persona_vector
from helpers.small_bench import ITEMS, MADE_WITH, plant, roomy, small

from billy_mlx.bench.arms import comparison_arms, plan, prompts_digest
from billy_mlx.bench.persona_arms import all_prompts, likeness, others_of, settled
from billy_mlx.bench.run import run
from billy_mlx.bench.steered_arms import Steered
from billy_mlx.bench.store import Store, begun_settings
from billy_mlx.blend.blend import ALONE
from billy_mlx.steps import finish
from billy_mlx.vectors.card import get_persona
from billy_mlx.vectors.library import store_vector

FORMER = [
    *("single-0.7", "single-1.0", "multi-role", "discussion", "verbalized"),
    *("persona:creative-professional", "persona:environmentalist", "persona:futurist"),
    *("billy-layered", "billy-paper", "billy-balanced", "billy-orthogonal", "dose-0"),
    *(f"random-{n}" for n in range(1, 6)),
]


def named(model, **changes):
    return {arm.name: arm for arm in comparison_arms(model, small(**changes))}


def system(arm, seed=0):
    return next(arm.play(ITEMS[0], seed))[0].prompt.system


def test_a_personas_prompt_is_its_cards_and_another_for_every_seed(tiny):
    plant(tiny)
    arm, card = named(tiny)["prompt:futurist"], get_persona("futurist")
    assert [system(arm, seed) for seed in range(6)] == [*card.prompts, card.prompts[0]]
    assert (arm.blend, arm.group, arm.directions.key) == (ALONE, "prompts", "")


def test_the_prompt_of_all_has_the_prompt_of_each(tiny):
    plant(tiny)
    arms = named(tiny)
    for seed in range(3):
        asked = system(arms["prompts"], seed)
        parts = [system(arms[f"prompt:{persona}"], seed) for persona in small().blend.persona_ids]
        assert [part in asked for part in parts] == [True] * 3
        assert system(arms["prompt+billy"], seed) == asked


def test_the_prompt_of_one_is_its_own_and_no_more():
    assert all_prompts({"noir": ("a", "b")}) == ("a", "b")


def test_prompt_and_blend_are_steered_as_the_main_blend_is(tiny):
    plant(tiny)
    arms = named(tiny, blend="futurist+environmentalist@0.5")
    assert arms["prompt+billy"].directions.key == arms["billy-layered"].directions.key != ""
    assert arms["prompt+billy"].blend == arms["billy-layered"].blend


def test_a_persona_with_a_negative_weight_is_not_asked_for(tiny):
    plant(tiny)
    arms = named(tiny, blend="futurist:1+environmentalist:-0.5")
    assert "prompt:environmentalist" not in arms
    assert system(arms["prompts"]) == get_persona("futurist").prompts[0]


def test_a_persona_without_a_card_leaves_its_prompt_out_and_says_so(tiny):
    plant(tiny, ("futurist", "mine"))
    settings = small(blend="futurist+mine")
    planned = plan(tiny, settings)
    assert [arm.name for arm in planned.arms if arm.name.startswith("prompt")] == ["prompt:futurist"]
    [told] = [sentence for sentence in planned.left_out if "no card" in sentence]
    assert told.startswith("The arms prompt:mine, prompts and prompt+billy are left out: there is no card of mine")
    assert plan(tiny, replace(settings, arms=("dose-0",))).left_out == []


def towards(cosine, persona_id, fingerprint):
    """Return a vector with this cosine with `plain` at every layer."""
    row = np.zeros(32)
    row[:2] = cosine, np.sqrt(1 - cosine**2)
    return persona_vector(persona_id, np.tile(row, (4, 1)), fingerprint=fingerprint)


@pytest.fixture
def ordered(tiny):
    """The vectors of a blend's one persona, and of four others and an imported one, with known cosines to it."""
    places = {"futurist": 1.0, "noir": 0.9, "gothic": 0.5, "comic": 0.1, "analytical-thinker": -0.4, "mine": 0.3}
    made = {persona: towards(cosine, persona, tiny.fingerprint) for persona, cosine in places.items()}
    for vector in made.values():
        store_vector(vector)
    return made


def test_likeness_is_the_mean_cosine(ordered):
    own = [ordered["futurist"], ordered["noir"]]
    with_noir = 0.5 * 0.9 + np.sqrt(1 - 0.5**2) * np.sqrt(1 - 0.9**2)
    assert likeness(ordered["gothic"], own) == pytest.approx((0.5 + with_noir) / 2)


def test_the_other_persona_is_in_the_middle_by_likeness_and_has_a_card(tiny, ordered):
    # analytical-thinker -0.4, comic 0.1, gothic 0.5, noir 0.9: of the two in the middle the one that is more like.
    arms = named(tiny, blend="futurist@0.5")
    assert [name for name in arms if name.startswith("other:")] == ["other:gothic"]
    assert str(arms["other:gothic"].blend) == "gothic:1@0.5/layered"


def test_a_damaged_vector_is_nobodys_rival(tiny, ordered):
    store_vector(ordered["gothic"]).write_bytes(b"no vector")
    assert others_of(Steered(tiny, small(blend="futurist"))) == ("comic",)


def test_another_persona_can_be_named(tiny, ordered):
    assert list(named(tiny, blend="futurist", arms=("other:comic", "dose-0"))) == ["dose-0", "other:comic"]


def test_without_another_vector_the_arm_is_left_out_and_said_to_be(tiny):
    plant(tiny)
    [told] = [sentence for sentence in plan(tiny, small()).left_out if "other:ID" in sentence]
    assert told.endswith("here and a card; make one with: billy extract ID.")


def test_a_choice_once_made_stays_when_other_vectors_come(tiny, ordered):
    settings = settled(tiny, small(blend="futurist"))
    assert settings.others == ("gothic",)
    store_vector(towards(0.7, "environmentalist", tiny.fingerprint))
    store_vector(towards(0.8, "creative-professional", tiny.fingerprint))
    assert others_of(Steered(tiny, small(blend="futurist"))) != ("gothic",)
    assert others_of(Steered(tiny, settings)) == ("gothic",)


def test_a_run_that_goes_on_keeps_the_choice(tiny, tmp_path):
    settings = small(others=("noir",))
    Store.create_or_resume(tmp_path, settings, MADE_WITH)
    assert begun_settings(tmp_path) == settings
    assert begun_settings(tmp_path / "new") is None


def former(folder, settings):
    """Make the folder of a run as the version before would have left it."""
    Store.create_or_resume(folder, settings, MADE_WITH)
    path = folder / "run.json"
    content = json.loads(path.read_text())
    del content["settings"]["others"]
    path.write_text(json.dumps(content))


def test_a_folder_of_the_version_before_has_the_arms_it_had_and_the_same_prompts(tiny, tmp_path):
    plant(tiny, (*small().blend.persona_ids, "noir"))
    former(tmp_path, small())
    settings = Store.open(tmp_path).settings
    assert [arm.name for arm in plan(tiny, settings).arms] == FORMER
    assert plan(tiny, settings).left_out == []
    before = plan(tiny, small(arms=tuple(FORMER)))
    assert prompts_digest(tiny, plan(tiny, settings)) == prompts_digest(tiny, before)
    assert prompts_digest(tiny, plan(tiny, settings)) != prompts_digest(tiny, plan(tiny, small()))


def test_a_folder_of_the_version_before_that_names_its_arms_keeps_them(tiny, tmp_path):
    former(tmp_path, small(arms=("dose-0", "random")))
    assert Store.open(tmp_path).settings.arms == ("dose-0", "random")


def test_prompts_of_later_seeds_are_watched_too(tiny, monkeypatch):
    plant(tiny)
    settings = small(seeds=2, arms=("prompt:futurist",))
    before = prompts_digest(tiny, plan(tiny, settings))
    card = get_persona("futurist")
    changed = replace(card, prompts=(card.prompts[0], "You are another.", *card.prompts[2:]))
    monkeypatch.setattr("billy_mlx.bench.persona_arms.get_persona", lambda persona_id: changed)
    assert prompts_digest(tiny, plan(tiny, settings)) != before


@pytest.mark.slow
def test_all_of_these_arms_answer_with_a_real_model(tmp_path, billy_home):
    model = roomy(tmp_path / "model", context=8192)
    plant(model, ("futurist", "environmentalist", "noir"), norm=50.0)
    settings = settled(
        model, small(blend="futurist+environmentalist", seeds=2, arms=("prompts", "prompt+billy", "others"))
    )
    store = Store.create_or_resume(tmp_path / "run", settings, MADE_WITH)
    finish(run(model, comparison_arms(model, settings), ITEMS, store))
    arms = {answer.arm for answer in store.answers}
    assert arms == {"prompt:futurist", "prompt:environmentalist", "prompts", "prompt+billy", "other:noir"}
    assert len(store.answers) == 5 * 2 * 2
    texts = {answer.key: answer.text for answer in store.answers}
    assert any(text != texts["prompts", *key[1:]] for key, text in texts.items() if key[0] == "prompt+billy")

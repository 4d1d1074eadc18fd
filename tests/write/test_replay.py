"""A passage is written again, token for token, or says why not."""

from dataclasses import replace

import mlx.core as mx
import numpy as np
import pytest
from helpers.passages import GOTHIC, NOIR, asked, passage_of, record, replayed, writer_of
from helpers.random_vectors import persona_vector
from mlx_lm.models.cache import make_prompt_cache

from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.blend.directions import directions
from billy_mlx.blend.provenance import vector_mark
from billy_mlx.blend.recipe import Recipe
from billy_mlx.manuscript.passage import Voice
from billy_mlx.model.cache import PromptStore
from billy_mlx.model.layers import Steering, stack, steer
from billy_mlx.model.sampling import Sampling
from billy_mlx.vectors.library import load_vectors, store_vector, vector_path
from billy_mlx.vectors.measurements import Calibration, Cell, Outcome, Strength
from billy_mlx.write.replay import Replayed

pytestmark = pytest.mark.usefixtures("vectors")
CALIBRATION = Calibration(0.1, None, 3, Cell(3, 0.2, 1.0, 1.2, 1.0, 0.0, 1.0), 0.5, None, 16)


MOVES = [(1, 0, GOTHIC), (3, 1, ALONE), (6, 0, ALONE), (6, 2, NOIR), (9, 0, NOIR)]


@pytest.mark.parametrize("name", ["tiny", "hybrid"])
def test_every_row_of_a_batch_is_written_again_alone_with_its_dials_moved(request, name):
    model = request.getfixturevalue(name)
    passages = record(model, blends=(NOIR, GOTHIC, ALONE), moves=MOVES)
    assert [len(passage.voices) for passage in passages] == [4, 2, 2]
    for passage in passages:
        assert replayed(model, passage) == Replayed(passage.tokens)


def by_hand(model, passage):
    """The likeliest tokens, drawn one by one with the direction that the passage says each was drawn under."""
    cache = make_prompt_cache(model.model)
    model.model(mx.array([passage.prompt[:-1]]), cache=cache)
    vectors = load_vectors(model, passage.vectors)
    token, drawn = passage.prompt[-1], []
    for n in range(len(passage.tokens)):
        blend = [voice.blend for voice in passage.voices if voice.first_token <= n][-1]
        with steer(model.blocks, Steering(stack([directions(Blend.parse(blend), vectors)]))):
            logits = model.model(mx.array([[token]]), cache=cache)
        token = int(mx.argmax(logits[0, -1]))
        drawn.append(token)
    return tuple(drawn)


@pytest.mark.parametrize("moved_at", [0, 1, 2, 5])
def test_a_voice_begins_exactly_where_it_is_said_to(tiny, moved_at):
    greedy = asked(sampling=Sampling(temperature=0))
    (passage,) = record(tiny, greedy, moves=[(moved_at, 0, GOTHIC)])
    assert passage.voices[-1].first_token == (moved_at + 1 if moved_at else 0)
    assert by_hand(tiny, passage) == passage.tokens


def test_the_first_words_of_two_moves_at_one_place_are_the_last_ones(tiny):
    (passage,) = record(tiny, moves=[(3, 0, GOTHIC), (3, 0, ALONE)])
    assert [voice.blend for voice in passage.voices] == ["noir:1@5/layered", None]
    assert replayed(tiny, passage).reason is None


@pytest.mark.parametrize(
    "changes",
    [
        {"sampling": Sampling(temperature=0)},
        {"sampling": Sampling(no_repeat_ngram=3, dry_multiplier=0.5)},
        {"sampling": Sampling(presence_penalty=0.7, frequency_penalty=-0.3, logit_bias={7: 2, 9: -3})},
        {"prefix": ""},
        {"chat": False},
        {"stop": ("a",)},
        {"prefix": "", "thinking": True},
        {"steer_thinking": True},
    ],
)
def test_it_does_not_matter_how_it_was_sampled(tiny, changes):
    for passage in record(tiny, asked(**changes), blends=(NOIR, ALONE), moves=[(2, 0, GOTHIC)]):
        assert replayed(tiny, passage).reason is None


def test_a_passage_that_was_stopped_is_written_again_as_far_as_it_went(tiny):
    writer = writer_of(tiny)
    for _ in writer:
        if len(writer.take(0).tokens) == 5:
            writer.stop()
    passage = passage_of(writer)
    assert (passage.ended, len(passage.tokens)) == ("interrupted", 5)
    assert replayed(tiny, passage) == Replayed(passage.tokens)


@pytest.mark.parametrize(
    "blend", ["noir@2a/paper", "noir:1+gothic:-0.2/orthogonal", "noir@3/all", "noir@3/balanced/L1,2/np", "noir@-1/L0,3"]
)
def test_it_does_not_matter_how_it_was_blended(tiny, blend):
    (passage,) = record(tiny, blends=[Blend.parse(blend)], moves=[(3, 0, Blend.parse("gothic@3/all")), (7, 0, ALONE)])
    assert replayed(tiny, passage) == Replayed(passage.tokens)


@pytest.mark.parametrize("steered", [True, False])
def test_a_model_that_thinks_writes_its_thoughts_and_its_answer_again(thinker, steered):
    recipe = asked(prefix="", thinking=True, steer_thinking=steered)
    (passage,) = record(thinker, recipe, moves=[(4, 0, GOTHIC)])
    assert (passage.thinking, passage.steer_thinking) == (True, steered)
    assert replayed(thinker, passage) == Replayed(passage.tokens)


def test_a_passage_of_which_nothing_was_written_is_written_again_at_once(tiny):
    passage = passage_of(writer_of(tiny))
    assert replayed(tiny, passage) == Replayed(())


def test_a_text_that_ends_too_early_says_so(tiny):
    (passage,) = record(tiny, blends=[Blend.parse("noir@5/balanced")])
    count = len(passage.tokens)
    assert (passage.ended, count) == ("stop", 12)
    longer = replace(passage, tokens=(*passage.tokens, 1))
    assert replayed(tiny, longer) == Replayed(passage.tokens, count, "it ends after 12 of 13 tokens")


def test_a_passage_out_of_a_cache_says_so_and_is_written_again_without(tiny):
    store = PromptStore()
    record(tiny, store=store)
    (passage,) = record(tiny, store=store)
    assert passage.reused > 0
    assert replayed(tiny, passage) == Replayed(passage.tokens)


def test_another_model_is_named(tiny, hybrid):
    (passage,) = record(tiny)
    assert f"{hybrid.id} is another model" in replayed(hybrid, passage).reason


def test_a_model_that_was_exchanged_under_its_name_is_named(tiny):
    (passage,) = record(tiny)
    other = replace(passage, fingerprint={**passage.fingerprint, "weights": "0"})
    assert "it has changed since" in replayed(tiny, other).reason


def test_a_vector_that_is_gone_is_named_with_what_makes_it(tiny):
    (passage,) = record(tiny)
    vector_path("noir", tiny.fingerprint).unlink()
    assert "run: billy extract noir" in replayed(tiny, passage).reason


def formerly(passage):
    """The passage as the version before wrote it: without the digest of what was added."""
    return replace(passage, voices=tuple(replace(voice, digest=None) for voice in passage.voices))


def test_a_vector_that_is_not_vouched_for_is_named(tiny):
    (passage,) = record(tiny)
    assert "the vector of noir was" in replayed(tiny, replace(formerly(passage), vectors={})).reason
    assert replayed(tiny, replace(passage, vectors={})) == Replayed(passage.tokens)  # what it added is known


def test_a_passage_of_the_version_before_is_written_again_in_the_mode_that_it_did_not_name(tiny):
    (passage,) = record(tiny, blends=[Blend.parse("noir:0.7+gothic:0.3@5/balanced")])
    [voice] = formerly(passage).voices
    before = replace(passage, voices=(replace(voice, blend="gothic:0.3+noir:0.7@5"),))
    assert replayed(tiny, before) == Replayed(passage.tokens)


def test_a_vector_that_was_made_anew_is_named(tiny):
    (passage,) = record(tiny)
    store_vector(persona_vector("noir", seed=9, fingerprint=tiny.fingerprint))
    for each in (passage, formerly(passage)):
        assert "the vector of noir was extracted or calibrated anew" in replayed(tiny, each).reason


def test_of_several_vectors_the_one_that_was_made_anew_is_named(tiny):
    (passage,) = record(tiny, blends=[Blend.parse("noir+gothic@5")])
    store_vector(persona_vector("gothic", seed=9, fingerprint=tiny.fingerprint))
    assert replayed(tiny, passage).reason.startswith("the vector of gothic was extracted or calibrated anew")


def strong(vector, full):
    outcome = Outcome(1.0, 1.2, 1.0, 0.0, 1.0)
    return replace(vector, strength=Strength(full, "effect", 1.5, outcome, (0.5, 1.5), None, 16))


def test_a_strength_of_its_own_is_part_of_what_was_added(tiny):
    (passage,) = record(tiny)
    vector = load_vectors(tiny, ["noir"])["noir"]
    store_vector(strong(vector, 1.3))
    assert "the vector of noir was extracted or calibrated anew" in replayed(tiny, passage).reason


def test_what_changed_of_a_vector_and_was_not_added_does_not_matter(tiny):
    (passage,) = record(tiny)
    vector = load_vectors(tiny, ["noir"])["noir"]
    store_vector(replace(vector, calibration=CALIBRATION))
    assert vector_mark(replace(vector, calibration=CALIBRATION)) != vector_mark(vector)
    assert replayed(tiny, passage) == Replayed(passage.tokens)


def test_a_mark_is_that_of_the_version_before_until_there_is_a_strength():
    vector = persona_vector("noir", np.ones((4, 32)))
    marks = [vector_mark(each) for each in (vector, replace(vector, calibration=CALIBRATION), strong(vector, 1.3))]
    assert marks[:2] == ["f9f3d2abd9998024", "04318754777ff7cd"]  # as commit eda0563 gave them
    assert len({*marks, vector_mark(strong(vector, 1.4))}) == 4


def test_a_version_that_merges_in_another_way_says_so_and_writes_nothing(tiny):
    (passage,) = record(tiny)
    older = {**passage.made_with, "billy-mlx": "0.0"}
    other = replace(passage, voices=(replace(passage.voices[0], digest="0" * 16),), made_with=older)
    again = replayed(tiny, other)
    assert again.tokens == ()
    assert again.reason.startswith("noir:1@5/layered adds something else to the model now than when it was written")
    assert "billy-mlx was 0.0 then and is" in again.reason


def test_a_text_that_differs_says_from_where_on_and_what_has_changed(tiny):
    (passage,) = record(tiny)
    other = replace(passage, tokens=(*passage.tokens[:4], passage.tokens[4] ^ 1, *passage.tokens[5:]))
    assert replayed(tiny, other).differs_at == 4
    assert replayed(tiny, other).reason.startswith(f"it differs from token 5 of {len(passage.tokens)} on; last digits")
    older = replace(other, made_with={**passage.made_with, "mlx": "0.1"})
    assert "mlx 0.1 then and" in replayed(tiny, older).reason


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sampling": {"unknown": 1}}, "does not know"),
        ({"sampling": {"top_k": 1.5}}, "does not know"),
        ({"sampling": {"temperature": -1}}, "temperature is -1"),
        ({"prompt": ()}, "its prompt is missing"),
        ({"prompt": (10**6,)}, "not this model's"),
        ({"prompt": (1,) * 600}, "holds 512"),
        ({"voices": (Voice(0, "noir@"),)}, "is not a dose"),
        ({"voices": (Voice(0, "noir/L99"),)}, "there is no layer 99"),
        ({"voices": (Voice(0, "noir@0.2r/layered"),)}, "give a plain number"),
    ],
)
def test_what_cannot_be_written_again_says_why(tiny, changes, said):
    (passage,) = record(tiny)
    assert said in replayed(tiny, replace(passage, **changes)).reason


@pytest.mark.slow
def test_the_starter_model_writes_a_chorus_again_from_its_json(starter_home):
    from billy_mlx import load

    model = load()
    request = Recipe.of("Go on with the story.", prefix="The lighthouse keeper counted", max_tokens=24, seed=11)
    blends = [Blend.parse("noir:0.6+lyrical:0.4"), Blend.parse("gothic"), ALONE]
    moves = [(4, 0, Blend.parse("noir@0.3")), (9, 0, Blend.parse("gothic:1+noir:-0.3")), (9, 2, Blend.parse("noir"))]
    passages = record(model, request, blends, moves)
    assert [len(passage.voices) for passage in passages] == [3, 1, 2]
    assert [replayed(model, passage).reason for passage in passages] == [None] * 3

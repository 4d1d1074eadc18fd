"""A prompt in one voice or several: what each writes, what is said about it, and what is refused beforehand."""

from dataclasses import replace

import pytest
from vectors import persona_vector

from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.blend.generate import Request, Voices, generate
from billy_mlx.errors import BlendError, ModelError, UsageError, VectorError
from billy_mlx.extraction.library import store_vector
from billy_mlx.model import memory

REQUEST = Request("Write about the sea.", max_tokens=8, seed=3)


@pytest.fixture(autouse=True)
def vectors(billy_home, tiny):
    """Random vectors of two personas for the tiny model."""
    for seed, persona_id in enumerate(("noir", "gothic")):
        store_vector(persona_vector(persona_id, seed=seed, fingerprint=tiny.fingerprint))


def test_a_blend_changes_what_is_written_and_the_seed_repeats_it(tiny):
    plain, steered, again = (generate(tiny, REQUEST, blend) for blend in (ALONE, "noir@5", "noir@5"))
    assert steered.text == again.text != plain.text


def test_everything_about_a_text_is_said(tiny):
    written = generate(tiny, REQUEST, "noir:0.6+gothic:0.4@0.5r/orthogonal/L1,2")
    assert (written.blend, written.dose, written.mode) == (
        "gothic:0.4+noir:0.6@0.5r/orthogonal/L1,2",
        "0.5r",
        "orthogonal",
    )
    assert (written.layers, written.positions, written.seed) == ((1, 2), "response", 3)
    assert written.generation_tokens == 8
    assert written.finish_reason == "length"
    assert written.prompt_tps > 0 < written.generation_tps
    assert written.model == tiny.id


def test_a_blend_of_dose_zero_is_the_unsteered_model_token_for_token(tiny):
    assert generate(tiny, REQUEST, "noir@0").text == generate(tiny, REQUEST).text


def test_the_order_of_the_personas_is_irrelevant(tiny):
    assert generate(tiny, REQUEST, "noir+gothic@2").text == generate(tiny, REQUEST, "gothic+noir@2").text


def test_voices_are_written_together_as_each_is_alone(tiny):
    blends = [Blend.parse("noir@2"), Blend.parse("gothic@2/all"), ALONE]
    voices = Voices(tiny, REQUEST, blends)
    for _ in voices:
        pass
    assert [result.text for result in voices.results()] == [generate(tiny, REQUEST, blend).text for blend in blends]


def test_results_may_be_asked_for_half_way(tiny):
    voices = Voices(tiny, REQUEST, [ALONE])
    steps = [step for _, step in zip(range(4), voices, strict=False)]
    (half,) = voices.results()
    assert steps[-1].emitted
    assert half.finish_reason is None
    assert generate(tiny, REQUEST).text.startswith(half.text)


def test_a_voice_that_was_changed_is_said_to_be_what_it_is_now(tiny):
    voices = Voices(tiny, REQUEST, [Blend.parse("noir")])
    first, added = voices.steer(0, Blend.parse("gothic/L1/all"))
    assert (first, list(added.by_layer)) == (0, [1])
    (result,) = voices.results()
    assert (result.blend, result.layers, result.positions) == ("gothic:1@1/layered/L1/all", (1,), "all")


def test_without_the_chat_template_the_text_goes_on_from_the_prompt(tiny):
    going_on = generate(tiny, replace(REQUEST, chat=False))
    assert going_on.prompt_tokens == len(tiny.tokenizer.encode(REQUEST.prompt)) < generate(tiny, REQUEST).prompt_tokens


def test_a_stop_string_ends_the_text_and_is_no_part_of_it(tiny):
    whole = generate(tiny, replace(REQUEST, max_tokens=40)).text
    stop = whole[len(whole) // 2 :][:3]
    cut = generate(tiny, replace(REQUEST, max_tokens=40, stop=(stop, "never to be found")))
    assert cut.text == whole[: whole.index(stop)]
    assert cut.finish_reason == "stop"


@pytest.mark.parametrize(
    ("request_", "blend", "error", "said"),
    [
        (replace(REQUEST, prompt="sea " * 1000), ALONE, UsageError, "holds 512"),
        (REQUEST, "noirr", UsageError, "noir"),
        (REQUEST, "comic", VectorError, "run: billy extract comic --model"),
        (REQUEST, "noir/L9", BlendError, "there is no layer 9"),
        (replace(REQUEST, seed=-1), ALONE, UsageError, "the seed is -1"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(tiny, request_, blend, error, said):
    with pytest.raises(error, match=said):
        generate(tiny, request_, blend)


def test_an_empty_prompt_is_refused_before_a_model_is_loaded():
    with pytest.raises(UsageError, match="The prompt is empty"):
        Request("  ")


def test_too_little_memory_is_a_refusal_in_words(tiny, monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: 1000)
    with pytest.raises(ModelError, match="take fewer rows at once or a shorter text"):
        generate(tiny, REQUEST)


def test_a_blend_beyond_float16_is_refused_by_name(tiny, monkeypatch):
    monkeypatch.setitem(tiny.__dict__, "shape", replace(tiny.shape, dtype="float16"))
    generate(tiny, REQUEST, "noir@5")
    with pytest.raises(UsageError, match=r"^noir:1000@1000a/raw adds [0-9,]+ at layer \d, more than the float16 of"):
        generate(tiny, REQUEST, "noir:1000@1000a/raw")
    with pytest.raises(UsageError, match=r"^gothic:1000@1000a/raw adds"):
        Voices(tiny, REQUEST, [Blend.parse("noir")]).steer(0, Blend.parse("gothic:1000@1000a/raw"))

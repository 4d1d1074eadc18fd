"""A prompt in one voice or several: what each writes, what is said about it, and what is refused beforehand."""

from dataclasses import replace

import pytest
from helpers.random_vectors import persona_vector

from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.blend.directions import directions
from billy_mlx.blend.prompt_tokens import prompt_tokens
from billy_mlx.blend.recipe import Message, Prompt, Recipe
from billy_mlx.blend.writer import Writer, generate
from billy_mlx.errors import BlendError, ModelError, UsageError, VectorError, VectorMismatch
from billy_mlx.model import memory
from billy_mlx.vectors.library import load_vectors, store_vector

RECIPE = Recipe.of("Write about the sea.", max_tokens=8, seed=3)


@pytest.fixture(autouse=True)
def vectors(billy_home, tiny):
    """Random vectors of two personas for the tiny model."""
    for seed, persona_id in enumerate(("noir", "gothic")):
        store_vector(persona_vector(persona_id, seed=seed, fingerprint=tiny.fingerprint))


def in_voice(blend, recipe=RECIPE):
    return replace(recipe, voice=Blend.parse(blend))


def asking(text, recipe=RECIPE, **prompt):
    return replace(recipe, prompt=Prompt.of(text, **prompt))


def written(writer):
    for _ in writer:
        pass
    return writer.takes()


def test_a_blend_changes_what_is_written_and_the_seed_repeats_it(tiny):
    plain, steered, again = (generate(tiny, RECIPE, blend) for blend in (ALONE, "noir@5", "noir@5"))
    assert steered.text == again.text != plain.text


def test_everything_about_a_text_is_said(tiny):
    recipe = in_voice("noir:0.6+gothic:0.4@0.5r/orthogonal/L1,2")
    take = generate(tiny, recipe)
    [turn] = take.turns
    added = directions(recipe.voice, load_vectors(tiny, ["gothic", "noir"]))
    assert (take.recipe, take.voice) == (recipe, recipe.voice)
    assert (turn.first_token, turn.layers, turn.digest, turn.everywhere) == (0, (1, 2), added.key, False)
    assert (len(take.tokens), take.ended, take.end_token) == (8, "length", None)
    assert (take.cost.rows, take.cost.forwarded) == (1, len(take.prompt) + 7)
    assert take.cost.reading_seconds > 0 < take.cost.writing_seconds
    assert take.cost.seconds >= take.cost.reading_seconds + take.cost.writing_seconds
    assert take.made_with.model == tiny.id
    assert list(take.made_with.vectors) == ["gothic", "noir"]


def test_a_blend_of_dose_zero_is_the_unsteered_model_token_for_token(tiny):
    assert generate(tiny, RECIPE, "noir@0").tokens == generate(tiny, RECIPE).tokens


def test_the_order_of_the_personas_is_irrelevant(tiny):
    assert generate(tiny, RECIPE, "noir+gothic@2").text == generate(tiny, RECIPE, "gothic+noir@2").text


def test_recipes_of_all_kinds_are_written_together_as_each_is_alone(tiny):
    recipes = [
        in_voice("noir@2"),
        in_voice("gothic@2/all", replace(RECIPE, seed=8, max_tokens=5)),
        asking("Who is at the door, and why so late?", prefix="It was"),
        asking("The sea", chat=False),
        replace(RECIPE, prompt=Prompt(tokens=(5, 6, 7))),
    ]
    together = written(Writer(tiny, recipes))
    assert [take.tokens for take in together] == [generate(tiny, recipe).tokens for recipe in recipes]
    assert sum(take.cost.forwarded for take in together) > 0


def test_takes_may_be_asked_for_half_way(tiny):
    writer = Writer(tiny, [RECIPE])
    steps = [step for _, step in zip(range(4), writer, strict=False)]
    half = writer.take(0)
    assert steps[-1].emitted
    assert half.ended is None
    assert generate(tiny, RECIPE).text.startswith(half.text)


@pytest.mark.parametrize("when", ["before", "while the first is written", "after"])
def test_a_recipe_that_is_added_later_is_written_as_it_is_alone(tiny, when):
    late = in_voice("noir@3", replace(RECIPE, seed=11))
    writer = Writer(tiny, [RECIPE])
    if when == "before":
        assert writer.add(late) == 1
    steps, rows = iter(writer), set()
    for number, step in enumerate(steps):
        rows |= {news.row for news in step.emitted}
        if when == "while the first is written" and number == 3:
            assert writer.add(late) == 1
    if when == "after":
        assert writer.add(late) == 1
        rows |= {news.row for step in writer for news in step.emitted}
    assert rows == {0, 1}
    assert [take.tokens for take in writer.takes()] == [generate(tiny, each).tokens for each in (RECIPE, late)]


def test_a_recipe_that_waits_can_be_turned_and_stopped(tiny):
    writer = Writer(tiny, [RECIPE, RECIPE])
    writer.steer(0, Blend.parse("noir@5"))
    writer.stop(1)
    steered, stopped = written(writer)
    assert steered.tokens == generate(tiny, RECIPE, "noir@5").tokens
    assert [turn.voice for turn in steered.turns] == [Blend.parse("noir@5")]
    assert (stopped.tokens, stopped.ended) == ((), "interrupted")


def test_a_turn_may_be_planned_for_a_later_token(tiny):
    planned = Writer(tiny, [RECIPE])
    planned.steer(0, Blend.parse("noir@5"), first_token=4)
    planned.steer(0, Blend.parse("gothic@5"), first_token=6)
    (take,) = written(planned)
    assert [(turn.first_token, *turn.voice.persona_ids) for turn in take.turns] == [(0,), (4, "noir"), (6, "gothic")]
    by_hand = Writer(tiny, [RECIPE])
    for _ in by_hand:
        if (count := len(by_hand.take(0).tokens)) in (3, 5):
            by_hand.steer(0, Blend.parse("noir@5" if count == 3 else "gothic@5"))
    assert by_hand.take(0).turns == take.turns
    assert by_hand.take(0).tokens == take.tokens


def test_a_voice_that_was_changed_is_said_to_be_what_it_is_now(tiny):
    writer = Writer(tiny, [in_voice("noir")])
    turn = writer.steer(0, Blend.parse("gothic/L1/all"))
    assert (turn.first_token, turn.layers, turn.everywhere) == (0, (1,), True)
    assert writer.take(0).turns == (turn,)


def test_directions_that_no_blend_has_are_added_as_they_are(tiny):
    blend = Blend.parse("noir@5")
    added = directions(blend, load_vectors(tiny, ["noir"]))
    (take,) = written(Writer(tiny, [RECIPE], directions=[added]))
    assert take.tokens == generate(tiny, RECIPE, blend).tokens
    assert take.turns[0].digest == added.key
    assert take.made_with.vectors == {}


def test_done_counts_to_the_length_asked_for(tiny):
    writer = Writer(tiny, [RECIPE, replace(RECIPE, max_tokens=3)])
    counts = [(writer.done(0), writer.done(1)) for _ in writer]
    assert counts == sorted(counts)
    assert counts[-1] == (8, 3)


def test_without_the_chat_template_the_text_continues_the_prompt(tiny):
    going_on = generate(tiny, asking("Write about the sea.", chat=False))
    assert list(going_on.prompt) == tiny.tokenizer.encode("Write about the sea.")
    assert len(going_on.prompt) < len(generate(tiny, RECIPE).prompt)


def test_a_stop_string_ends_the_text_and_is_no_part_of_it(tiny):
    longer = replace(RECIPE, max_tokens=40)
    whole = generate(tiny, longer).text
    stop = whole[len(whole) // 2 :][:3]
    cut = generate(tiny, replace(longer, stop=(stop, "never to be found")))
    assert cut.text == whole[: whole.index(stop)]
    assert (cut.ended, cut.end_token, cut.text_tokens) == ("stop", None, cut.tokens)


def test_a_conversation_is_sent_whole(tiny):
    roles = ("system", "user", "assistant", "user")
    said = [Message(*each) for each in zip(roles, ("Be brief.", "One.", "Two.", "Three?"), strict=True)]
    sent = tiny.tokenizer.decode(prompt_tokens(tiny, Prompt(tuple(said))))
    places = [sent.index(message.content) for message in said]
    assert places == sorted(places)
    last = prompt_tokens(tiny, Prompt((said[0], said[1])))
    assert last == prompt_tokens(tiny, Prompt.of("One.", system="Be brief."))


@pytest.mark.parametrize(
    ("recipe", "voice", "error", "said"),
    [
        (asking("sea " * 1000), None, UsageError, "holds 512"),
        (RECIPE, "noirr", UsageError, "noir"),
        (RECIPE, "comic", VectorError, "run: billy extract comic --model"),
        (RECIPE, "noir/L9", BlendError, "there is no layer 9"),
        (replace(RECIPE, prompt=Prompt(tokens=(10**6,))), None, ModelError, "token number 1,000,000"),
        (replace(RECIPE, prompt=Prompt(tokens=(5, -1))), None, ModelError, "token number -1"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(tiny, recipe, voice, error, said):
    with pytest.raises(error, match=said):
        generate(tiny, recipe, voice)


def test_what_cannot_be_added_leaves_the_others(tiny):
    writer = Writer(tiny, [RECIPE])
    with pytest.raises(VectorError, match="comic is not prepared"):
        writer.add(in_voice("comic"))
    assert len(written(writer)) == 1


def test_too_little_memory_is_a_refusal_in_words(tiny, monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: 1000)
    with pytest.raises(ModelError, match="take fewer rows at once or a shorter text"):
        generate(tiny, RECIPE)


def test_a_blend_beyond_float16_is_refused_by_name(tiny, monkeypatch):
    monkeypatch.setitem(tiny.__dict__, "shape", replace(tiny.shape, dtype="float16"))
    generate(tiny, RECIPE, "noir@5")
    with pytest.raises(UsageError, match=r"^noir:1000@1000a/raw adds [0-9,]+ at layer \d, more than the float16 of"):
        generate(tiny, RECIPE, "noir:1000@1000a/raw")
    with pytest.raises(UsageError, match=r"^gothic:1000@1000a/raw adds"):
        Writer(tiny, [in_voice("noir")]).steer(0, Blend.parse("gothic:1000@1000a/raw"))


def test_a_recipe_knows_its_vectors_in_memory_and_refuses_another(tiny):
    mine, other = (persona_vector("x", seed=seed, fingerprint=tiny.fingerprint) for seed in (5, 6))
    take = generate(tiny, in_voice("mine@5"), vectors={"mine": mine})
    [(name, mark)] = take.recipe.vectors
    assert (name, len(mark)) == ("mine", 16)
    assert generate(tiny, take.recipe, vectors={"mine": mine}).tokens == take.tokens
    for given in ({"mine": other}, {"mine": mine * 2}):
        with pytest.raises(VectorMismatch, match="another vector called mine"):
            generate(tiny, take.recipe, vectors=given)

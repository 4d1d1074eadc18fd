"""Scores token by token: what a plain pass gives, where the letters of each token are, and the page of it."""

from xml.etree import ElementTree

import mlx.core as mx
import numpy as np
import pytest
from helpers.random_vectors import persona_vector
from mlx_lm.models.cache import make_prompt_cache

from billy_mlx.blend.directions import directions
from billy_mlx.blend.recipe import Recipe
from billy_mlx.blend.writer import Writer, generate
from billy_mlx.errors import UsageError, VectorMismatch
from billy_mlx.extraction.extract import extract
from billy_mlx.model.hooks import add, hook
from billy_mlx.model.layers import record
from billy_mlx.vectors import token_scores as module
from billy_mlx.vectors.library import load_vectors
from billy_mlx.vectors.token_scores import LiveScores, token_scores

TEXT = "The sea was <b>wide</b> & näive, 海."


@pytest.fixture
def vectors(tiny):
    return {name: persona_vector("x", seed=seed, fingerprint=tiny.fingerprint) for seed, name in enumerate("ab")}


@pytest.mark.parametrize("chunk", [256, 5, 1])
def test_scores_and_likelihoods_are_those_of_a_plain_pass(tiny, vectors, monkeypatch, chunk):
    monkeypatch.setattr(module, "_CHUNK", chunk)
    prompt, tokens = [5, 6, 7], tiny.tokenizer.encode(TEXT, add_special_tokens=False)
    read = token_scores(tiny, TEXT, vectors, prompt=prompt)
    with record(tiny.blocks) as seen:
        logits = tiny.model(mx.array([prompt + tokens]), cache=make_prompt_cache(tiny.model))
    for name, vector in vectors.items():
        assert read.scores[name].shape == (len(tokens), 4)
        for layer in range(4):
            h = np.array(seen.latest[layer][0])[len(prompt) :] - vector.neutral_mean[layer]
            unit = vector.reading[layer] / np.linalg.norm(vector.reading[layer])
            assert np.allclose(read.scores[name][:, layer], h @ unit / vector.projection_scale[layer], atol=1e-4)
    nats = np.array(logits[0] - mx.logsumexp(logits[0], axis=-1, keepdims=True))
    expected = [nats[len(prompt) - 1 + at, token] for at, token in enumerate(tokens)]
    assert np.allclose(read.log_likelihoods, expected, atol=1e-3)


def test_the_first_token_of_all_follows_nothing(tiny, vectors):
    read = token_scores(tiny, TEXT, vectors)
    assert np.isnan(read.log_likelihoods[0])
    assert np.isfinite(read.log_likelihoods[1:]).all()
    for scores in read.scores.values():
        assert np.isnan(scores[0]).all()
        assert np.isfinite(scores[1:]).all()


def test_every_letter_belongs_to_one_token(tiny, vectors):
    read = token_scores(tiny, TEXT, vectors)
    assert read.text == TEXT
    assert read.starts[0] == 0
    assert read.starts[1:] == read.ends[:-1]
    assert read.ends[-1] == len(TEXT)


def test_a_take_is_read_by_its_tokens_behind_its_prompt(tiny, vectors):
    take = generate(tiny, Recipe.of("Write about the sea.", max_tokens=8, seed=3))
    read = token_scores(tiny, take.text_tokens, vectors, prompt=take.prompt)
    assert read.tokens == take.text_tokens
    assert read.text == take.text


def test_the_page_shows_the_text_and_nothing_it_could_do(tiny, vectors):
    page = token_scores(tiny, TEXT, vectors, prompt=[5]).to_html("a")
    assert "<b>" not in page
    assert "&amp;" in page
    assert page.count("rgba") == page.count("<span")
    assert token_scores(tiny, TEXT, vectors).to_html("a", layers=[0]) != page


def test_what_cannot_be_read_is_refused(tiny, hybrid, vectors):
    with pytest.raises(UsageError, match="The text is empty"):
        token_scores(tiny, "", vectors)
    with pytest.raises(UsageError, match="holds 512"):
        token_scores(tiny, "sea " * 1000, vectors)
    with pytest.raises(VectorMismatch):
        token_scores(hybrid, TEXT, vectors)


@pytest.mark.parametrize("lengths", [(9,), (9, 4, 7)], ids=["one row", "rows of several lengths"])
def test_scores_while_writing_are_those_of_the_finished_text(tiny, vectors, lengths):
    live = LiveScores(tiny, vectors)
    asked = [Recipe.of("Write about the sea.", max_tokens=length, seed=length) for length in lengths]
    writer = Writer(tiny, asked, observer=live)
    for _ in writer:
        pass
    for row, take in enumerate(writer.takes()):
        found = live.of(take.text_tokens, prompt=take.prompt, row=row)
        after = token_scores(tiny, take.text_tokens, vectors, prompt=take.prompt)
        assert (found.text, found.tokens, found.starts, found.ends) == (
            after.text,
            after.tokens,
            after.starts,
            after.ends,
        )
        assert np.isnan(found.log_likelihoods).all()
        for name in vectors:
            assert np.allclose(found.scores[name], after.scores[name], atol=1e-3)


def test_scores_come_while_the_text_is_being_written(tiny, vectors):
    live = LiveScores(tiny, vectors)
    writer, seen = Writer(tiny, [Recipe.of("Write about the sea.", max_tokens=9)], observer=live), []
    for _ in writer:
        read = live.of(writer.take(0).text_tokens, prompt=writer.take(0).prompt)
        seen.append(len(read.tokens))
    assert seen == sorted(seen)
    assert 0 < seen[len(seen) // 2] < seen[-1] == 9


def test_a_steered_text_is_read_with_what_is_added_to_it(tiny, vectors):
    live, vector = LiveScores(tiny, vectors), vectors["a"]
    recipe = Recipe.of("Write about the sea.", "a@1/raw/L1", max_tokens=6)
    writer = Writer(tiny, [recipe], vectors={"a": vector}, observer=live)
    list(writer)
    take = writer.take(0)
    plain = token_scores(tiny, take.text_tokens, vectors, prompt=take.prompt).scores["a"][:, 1]
    added = directions(recipe.voice, {"a": vector}).by_layer[1]
    along = added @ vector.reading[1] / np.linalg.norm(vector.reading[1])
    assert along > 0
    assert np.allclose(live.scores()["a"][:, 1] - plain, along / vector.projection_scale[1], atol=1e-3)


def test_a_plot_has_a_line_for_every_vector_and_layer(tiny, vectors):
    read = token_scores(tiny, TEXT, vectors, prompt=[5])
    for names, layers, lines in ((("a",), None, 1), ((), None, 2), ((), [0, 2, 3], 6)):
        plot = ElementTree.fromstring(read.to_svg(*names, layers=layers))
        drawn = plot.findall("{http://www.w3.org/2000/svg}polyline")
        assert len(drawn) == lines
        assert all(len(line.attrib["points"].split()) == len(read.tokens) for line in drawn)
        assert read.to_html(*names, layers=layers).count("pre-wrap") == lines


def test_a_plot_is_higher_where_a_token_lies_further(tiny, vectors):
    read = token_scores(tiny, TEXT, vectors, prompt=[5])
    [line] = ElementTree.fromstring(read.to_svg("a", layers=[2])).iter("{http://www.w3.org/2000/svg}polyline")
    heights = [float(point.split(",")[1]) for point in line.attrib["points"].split()]
    assert np.array_equal(np.argsort(heights), np.argsort(-read.scores["a"][:, 2]))


def test_a_vector_or_layer_that_was_not_read_is_named(tiny, vectors):
    read = token_scores(tiny, TEXT, vectors)
    with pytest.raises(UsageError, match="'c' was not read; there are a, b"):
        read.to_html("c")
    with pytest.raises(UsageError, match="layer 4 is not there; they go from 0 to 3"):
        read.to_svg("a", layers=[4])


def test_an_observer_that_is_used_again_reads_the_new_text_alone(tiny, vectors):
    live = LiveScores(tiny, vectors)
    for seed in (1, 2):
        writer = Writer(tiny, [Recipe.of("Write about the sea.", max_tokens=6, seed=seed)], observer=live)
        list(writer)
    take = writer.take(0)
    after = token_scores(tiny, take.text_tokens, vectors, prompt=take.prompt)
    found = live.of(take.text_tokens, prompt=take.prompt)
    assert len(live.scores()["a"]) == 6
    assert np.allclose(found.scores["a"], after.scores["a"], atol=1e-3)


WRONG = {
    "a list of ids": lambda model, vectors, take: token_scores(model, TEXT, list(vectors)),
    "one vector": lambda model, vectors, take: token_scores(model, TEXT, vectors["a"]),
    "what is no vector": lambda model, vectors, take: token_scores(model, TEXT, {"a": 3}),
    "a take": lambda model, vectors, take: token_scores(model, take, vectors),
    "a prompt as text": lambda model, vectors, take: token_scores(model, TEXT, vectors, prompt="Write."),
    "a list while writing": lambda model, vectors, take: LiveScores(model, list(vectors)),
    "a voice that is a number": lambda model, vectors, take: Recipe.of("Write.", 3),
    "a message that is a number": lambda model, vectors, take: Recipe.of(42),
    "settings beside a recipe": lambda model, vectors, take: generate(model, take.recipe, max_tokens=3),
    "an id that is no list": lambda model, vectors, take: load_vectors(model, "noir"),
    "pairs without an id": lambda model, vectors, take: extract(model, pairs=[("a", "b")]),
    "directions of too few layers": lambda model, vectors, take: hooked(model, add(np.zeros((2, 32)))),
    "a hook that returns nothing": lambda model, vectors, take: hooked(model, lambda layer, h: None),
    "a layer that is no list": lambda model, vectors, take: hook(model.blocks, add(np.zeros(32)), layers=3),
}


def hooked(model, edit):
    with hook(model.blocks, edit, layers=[3]):
        return generate(model, "Write.", max_tokens=2)


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG.keys())
def test_an_argument_of_another_kind_is_refused_in_one_sentence(tiny, vectors, call):
    take = generate(tiny, "Write.", max_tokens=2)
    with pytest.raises(UsageError) as refused:
        call(tiny, vectors, take)
    assert len(str(refused.value).splitlines()) == 1


def test_a_text_of_a_blend_will_do_wherever_a_voice_is_asked_for(tiny, vectors):
    writer = Writer(tiny, [Recipe.of("Write.", max_tokens=4, temperature=0.0)], vectors=vectors)
    writer.steer(0, "a@1a/raw/L1")
    list(writer)
    assert [str(turn.voice) for turn in writer.take(0).turns] == ["a:1@1a/raw/L1"]
    assert writer.take(0).recipe.sampling.temperature == 0.0
    assert list(directions("a@1a/raw/L1", vectors).by_layer) == [1]

"""Vectors from pairs of texts and from answers that are there: what is read is what the model's blocks hand on."""

import mlx.core as mx
import numpy as np
import pytest

import billy_mlx as billy
from billy_mlx import paths
from billy_mlx.errors import UsageError, VectorError
from billy_mlx.extraction.activations_file import load_activations, require_room
from billy_mlx.extraction.rollouts import RolloutSettings
from billy_mlx.model.layers import record
from billy_mlx.model.prompt import chat_prompt
from billy_mlx.vectors.library import load_vectors, store_vector

PAIRS = [
    ("The sea was black and the rain came down.", "The sea was calm and the sun came up."),
    ("Nobody answered the door that night.", "My aunt answered the door that day."),
    ("Blood on the stairs again.", "Dust on the stairs again."),
    ("He lied, and lit another cigarette.", "He smiled, and poured another tea."),
    ("The city never forgave anyone.", "The city was kind to everyone."),
]
FEW = RolloutSettings(questions=4, rollouts=1, max_tokens=4, batch=4)


def streams(model, tokens):
    """What every block hands on, (T, layers, D), in one pass of the model as it is."""
    with record(model.blocks) as recording:
        mx.eval(model.model(mx.array([list(tokens)])))
        return np.stack([np.array(recording.latest[layer][0].astype(mx.float32)) for layer in range(4)], axis=1)


def plain(model, text):
    return model.tokenizer.encode(text)


def begin(model, text):
    """How many tokens do not count: what the tokenizer puts in front, or the first one of all."""
    return max(1, len(plain(model, text)) - len(model.tokenizer.encode(text, add_special_tokens=False)))


def test_pairs_give_the_mean_difference_of_all_their_tokens(tiny):
    vector = billy.extract(tiny, pairs={"storm": PAIRS}).vectors()["storm"]
    means = [[streams(tiny, plain(tiny, text))[begin(tiny, text) :].mean(0) for text in pair] for pair in PAIRS]
    assert np.allclose(vector.directions, np.mean([own - other for own, other in means], axis=0), atol=1e-5)
    assert np.allclose(vector.neutral_mean, np.mean([other for _, other in means], axis=0), atol=1e-5)
    assert (vector.origin.method, vector.origin.source) == ("mean-difference", "5 contrast pairs")


def test_pairs_are_read_at_their_last_token_when_asked(tiny):
    vector = billy.extract(tiny, pairs={"storm": PAIRS}, count="last").vectors()["storm"]
    last = [[streams(tiny, plain(tiny, text))[-1] for text in pair] for pair in PAIRS]
    assert np.allclose(vector.directions, np.mean([own - other for own, other in last], axis=0), atol=1e-5)


def test_answers_are_read_behind_their_question(tiny):
    answers = [(f"Question {number}?", own, other) for number, (own, other) in enumerate(PAIRS)]
    vector = billy.extract(tiny, answers={"storm": answers}).vectors()["storm"]
    found = []
    for question, *texts in answers:
        prompt = chat_prompt(tiny.tokenizer, question)
        bare = [tiny.tokenizer.encode(text, add_special_tokens=False) for text in texts]
        found.append([streams(tiny, [*prompt, *tokens])[len(prompt) :].mean(0) for tokens in bare])
    assert np.allclose(vector.directions, np.mean([own - other for own, other in found], axis=0), atol=1e-5)


def test_a_function_makes_the_directions_and_the_reading_stays_the_difference(tiny):
    def doubled(positive, neutral):
        return 2 * (positive - neutral).mean(0)

    by_name = billy.extract(tiny, pairs={"storm": PAIRS}).vectors()["storm"]
    own = billy.extract(tiny, pairs={"storm": PAIRS}, method=doubled).vectors()["storm"]
    assert own.origin.method == "doubled"
    assert np.allclose(own.directions, 2 * by_name.directions, atol=1e-5)
    assert np.allclose(own.reading, by_name.reading, atol=1e-6)


@pytest.mark.parametrize("method", ["pca", "logistic"])
def test_ready_methods_are_called_by_name(tiny, method):
    vector = billy.extract(tiny, pairs={"storm": PAIRS}, method=method).vectors()["storm"]
    assert vector.origin.method == method
    assert vector.quality is not None
    assert np.isfinite(vector.directions).all()


def test_a_vector_of_pairs_is_written_with_stored_and_read_again(tiny, billy_home):
    vector = billy.extract(tiny, pairs={"storm": PAIRS}).vectors()["storm"]
    recipe = billy.Recipe.of("Hello", "storm@4a/raw", max_tokens=4)
    in_memory = billy.generate(tiny, recipe, vectors={"storm": vector})
    store_vector(vector)
    assert np.array_equal(load_vectors(tiny, ["storm"])["storm"].directions, vector.directions)
    assert billy.generate(tiny, recipe).text == in_memory.text
    assert billy.generate(tiny, recipe, "none").text != in_memory.text


def test_several_vectors_come_in_one_extraction_and_leave_nothing_behind(tiny, billy_home):
    extraction = billy.extract(tiny, pairs={"storm": PAIRS, "calm": [(b, a) for a, b in PAIRS]})
    shares = [step.share for step in extraction if hasattr(step, "share")]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert not [*paths.poles_folder().glob("*/*.safetensors")]


def test_one_pair_gives_a_vector_without_a_quality(tiny):
    vector = billy.extract(tiny, pairs={"storm": PAIRS[:1]}).vectors()["storm"]
    assert vector.quality is None


WRONG = {
    "nothing": {},
    "two at once": {"pairs": {"a": PAIRS}, "answers": {"a": [("Q", "A", "B")]}},
    "no pair": {"pairs": {"a": []}},
    "one text": {"pairs": {"a": ["text"]}},
    "an empty text": {"pairs": {"a": [("x", " ")]}},
    "two texts for an answer": {"answers": {"a": [("Q", "A")]}},
    "an id with a space": {"pairs": {"an id": PAIRS}},
    "a method that is not there": {"pairs": {"a": PAIRS}, "method": "magic"},
    "a prompt's effect without prompts": {"pairs": {"a": PAIRS}, "method": "prompt-effect"},
    "a middle token": {"pairs": {"a": PAIRS}, "count": "middle"},
    "pca of one pair": {"pairs": {"a": PAIRS[:1]}, "method": "pca"},
}


@pytest.mark.parametrize("asked", WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_extracted_is_refused_in_one_sentence(tiny, asked):
    with pytest.raises(UsageError) as refused:
        billy.extract(tiny, **asked).vectors()
    assert "\n" not in str(refused.value)


def test_a_text_longer_than_the_context_is_refused(tiny, monkeypatch):
    monkeypatch.setattr(type(tiny), "context_length", 8)
    with pytest.raises(UsageError, match="context"):
        billy.extract(tiny, pairs={"a": PAIRS})


def test_activations_are_kept_on_request_and_give_the_same_vector(tiny, tmp_path, billy_home):
    persona = billy.Persona.of("sailor", ["You are a sailor.", "You live at sea."])
    vector = billy.extract(tiny, [persona], settings=FEW, method="mean-difference", keep=tmp_path).vectors()["sailor"]
    kept = load_activations(tmp_path / "sailor.safetensors")
    assert kept.positive.shape == kept.neutral.shape == kept.positive_plain.shape == (4, 4, 32)
    assert sorted(kept.questions) == sorted(kept.neutral_questions) == [0, 1, 2, 3]
    difference = kept.positive.mean(0, dtype=np.float64) - kept.neutral.mean(0, dtype=np.float64)
    assert np.allclose(vector.directions, difference, atol=1e-6)
    assert (kept.persona_id, kept.model_id, len(kept.answers)) == ("sailor", tiny.id, 4)
    assert (tmp_path / "sailor.safetensors").stat().st_mode & 0o077 == 0


def test_activations_that_would_take_too_much_are_refused_before_an_answer_is_written(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("billy_mlx.extraction.activations_file.MOST_BYTES", 4 * 4 * 32 * 4 * 3 - 1)
    persona = billy.Persona.of("sailor", ["You are a sailor."])
    with pytest.raises(VectorError, match="ask for 3 answers at most"):
        next(iter(billy.extract(tiny, [persona], settings=FEW, keep=tmp_path)))


def test_the_bound_leaves_room_for_the_extraction_of_a_large_model():
    require_room(240, 32, 4096, plain=True)
    with pytest.raises(VectorError, match="most that is kept"):
        require_room(2400, 32, 4096, plain=True)


def test_damaged_files_of_activations_are_refused_in_words(tiny, tmp_path):
    list(billy.extract(tiny, pairs={"storm": PAIRS}, keep=tmp_path))
    path = tmp_path / "storm.safetensors"
    content = path.read_bytes()
    assert load_activations(path).positive_plain is None
    damaged = tmp_path / "damaged.safetensors"
    for broken in (
        b"",
        content[:-1],
        content[: len(content) // 2],
        content.replace(b"questions", b"questiens"),
        b"\0" * 99,
    ):
        damaged.write_bytes(broken)
        with pytest.raises(VectorError, match="holds no activations"):
            load_activations(damaged)
    with pytest.raises(VectorError, match="no such file"):
        load_activations(tmp_path / "nothing")

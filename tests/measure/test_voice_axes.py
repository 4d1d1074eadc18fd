"""Lines from plain sentences to a persona's, and what is a text's own of it."""

import numpy as np
import pytest

from billy_mlx.errors import UsageError
from billy_mlx.measure.sentence_encoder import SentenceEncoder
from billy_mlx.measure.vocabulary import shares_of_words
from billy_mlx.measure.voice_axes import positions, specific, voice_axes
from billy_mlx.steps import finish

RNG = np.random.default_rng(0)
PLAIN = RNG.normal(size=(24, 16)).astype(np.float32)
OWN = {
    name: (RNG.normal(size=(8, 16)) + RNG.normal(size=16)).astype(np.float32) for name in ("noir", "gothic", "comic")
}
AXES = voice_axes(OWN, PLAIN)


def test_plain_sentences_are_at_0_and_a_personas_own_at_1():
    assert AXES.ids == ("noir", "gothic", "comic")
    assert positions(PLAIN, AXES).mean(axis=0) == pytest.approx([0, 0, 0], abs=1e-6)
    for column, rows in enumerate(OWN.values()):
        assert positions(rows, AXES)[:, column].mean() == pytest.approx(1, abs=1e-6)


def test_positions_by_hand():
    axes = voice_axes({"a": np.array([[3.0, 1.0]]), "b": np.array([[1.0, 4.0], [1.0, 6.0]])}, np.array([[1.0, 1.0]]))
    texts = np.array([[1.0, 1.0], [2.0, 9.0], [5.0, 3.0], [-1.0, -3.0]])
    assert positions(texts, axes).tolist() == [[0, 0], [0.5, 2], [2, 0.5], [-1, -1]]


def test_what_lies_across_a_line_does_not_count():
    across = np.linalg.svd(AXES.axes)[2][-1]  # at a right angle to all three
    moved = positions(PLAIN + 5 * across, AXES)
    assert moved == pytest.approx(positions(PLAIN, AXES), abs=1e-5)


def test_sentences_that_are_plain_have_no_line():
    with pytest.raises(UsageError, match=r"sentences of noir .* plain ones"):
        voice_axes({"noir": PLAIN}, PLAIN)


def test_no_personas_and_no_texts_have_no_positions():
    assert positions(PLAIN, voice_axes({}, PLAIN)).shape == (24, 0)
    assert positions(PLAIN[:0], AXES).shape == (0, 3)


def test_what_is_specific_is_beyond_the_mean_of_the_others():
    scores = np.array([[1.0, 0.2, 0.4], [0.5, 0.5, 0.5], [0.0, 1.0, 0.5]])
    assert specific(scores, ("noir", "gothic", "comic"), "noir") == pytest.approx([0.7, 0, -0.75])
    assert specific(scores, ("noir", "gothic", "comic"), "comic") == pytest.approx([-0.2, 0, 0])


def test_what_moves_a_text_along_every_line_is_not_specific():
    scores = RNG.normal(size=(5, 3))
    found = [specific(moved, AXES.ids, "gothic") for moved in (scores, scores + 3)]
    assert found[0] == pytest.approx(found[1])


@pytest.mark.parametrize(("ids", "own"), [(("noir", "gothic"), "comic"), (("noir",), "noir"), ((), "noir")])
def test_nothing_is_specific_without_others(ids, own):
    with pytest.raises(UsageError, match=f"{own} cannot be held against others"):
        specific(np.zeros((2, len(ids))), ids, own)


def test_shares_of_words_have_a_column_for_every_vocabulary():
    stems = {"noir": ("rain", "gun"), "comic": ("walrus",), "none": ()}
    found = shares_of_words(["Rain on the gun.", "Rainy walruses!", ""], stems)
    assert found.tolist() == [[50, 0, 0], [50, 50, 0], [0, 0, 0]]
    assert shares_of_words([], stems).shape == (0, 3)


@pytest.mark.slow
def test_a_text_is_nearest_to_the_persona_it_sounds_like():
    encoder = SentenceEncoder()
    voices = {
        "noir": [
            "She lied with smoke in her voice and a gun in her purse.",
            "The alley smelled of rain and old murder.",
        ],
        "hard-science": ["The probe lost 4 kelvin a minute.", "Thrust fell by nine per cent at 0.3 bar."],
    }
    plain = ["The shop closes at five.", "He bought bread and went home.", "They talked about the holidays."]
    axes = voice_axes(
        {name: finish(encoder.encode(own)) for name, own in voices.items()}, finish(encoder.encode(plain))
    )
    texts = [
        "The detective lit a cigarette over the body.",
        "At 290 kelvin the reactor's pressure rose by two per cent.",
    ]
    found = positions(finish(encoder.encode(texts)), axes)
    assert specific(found, axes.ids, "noir")[0] > 0.1
    assert specific(found, axes.ids, "hard-science")[1] > 0.1

"""Whose the words of a text are."""

from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.manuscript.passage import Passage, Voice
from billy_mlx.manuscript.prose import UNKNOWN, WRITER, Author, Authors, Prose
from billy_mlx.manuscript.provenance import shares, voice_of, words_by_span
from billy_mlx.words import count_words


def passage(*blends):
    voices = tuple(Voice(2 * index, blend) for index, blend in enumerate(blends))
    return Passage("", (1,), voices, "continue", "m", {}, {}, (), 0, {}, 1)


def test_a_passage_is_named_by_its_voices():
    assert voice_of(passage("noir:1@1/layered", "noir:1@1/layered", None)) == "noir:1@1/layered → unsteered"


def test_each_has_a_share():
    prose = Prose("one two three four", Authors.of([(8, WRITER), (6, Author(3)), (4, UNKNOWN)]))
    assert [(share.who, share.words) for share in shares(prose, {Author(3): passage("noir:1@1/paper")})] == [
        ("you", 2),
        ("noir:1@1/paper", 1),
        ("unknown", 1),
    ]


RUNS = st.lists(st.tuples(st.integers(1, 5), st.sampled_from([WRITER, UNKNOWN, Author(1)])), max_size=8)


@given(st.text(st.sampled_from("ab- 灯.'"), max_size=40), RUNS)
def test_every_word_is_somebodys(text, runs):
    kept = Authors.of([*runs, (len(text), WRITER)])[: len(text)]
    prose = Prose(text, kept)
    assert sum(words_by_span(prose)) == count_words(text)

"""Words as writers count them."""

import pytest

from billy_mlx.words import count_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("It was 1984.", 3),
        ("don't stop—now", 3),
        ("rock-and-roll", 1),
        ("* * *", 0),
        ("雨が降った", 5),
        ("naïve café", 2),
        ("3.5 km", 2),
    ],
)
def test_words_are_counted_as_writers_do(text, words):
    assert count_words(text) == words

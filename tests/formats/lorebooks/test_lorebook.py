"""A lorebook in its own form."""

import json

import pytest
from helpers.lorebook_samples import LOREBOOKS
from hypothesis import given

from billy_mlx.errors import DocumentError
from billy_mlx.formats.lorebooks.lorebook import Entry, Lorebook


@given(LOREBOOKS)
def test_a_lorebook_comes_back_as_it_was_written(book):
    assert Lorebook.of_json(json.loads(json.dumps(book.as_json()))) == book


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"text": 1}, "entry 1 .Mira.*text"),
        ({"ordre": 1}, "entry 1 .Mira.*ordre"),
        ({"scan_chars": 0}, "scan_chars must be 1 to"),
        ({"keys": [" "]}, "keys must have"),
        ({"combine": "xor"}, "combine"),
        ({"order": 1e999}, "order"),
        ({"text": "\ud800"}, "text that a file can hold"),
    ],
)
def test_what_is_wrong_is_named(wrong, said):
    data = json.loads(json.dumps(Lorebook((Entry("Mira", "tall"),)).as_json()))
    data["entries"][0] |= wrong
    with pytest.raises(DocumentError, match=said):
        Lorebook.of_json(data)


@pytest.mark.parametrize("wrong", [None, [], {}, {"version": 2}, {"entries": None}, {"scan_chars": -1}, {"more": 1}])
def test_another_kind_of_file_is_refused(wrong):
    data = {**Lorebook().as_json(), **wrong} if wrong else wrong
    with pytest.raises(DocumentError):
        Lorebook.of_json(data)

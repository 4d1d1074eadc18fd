"""The guide comes back as it was written, or says what is wrong."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.errors import DocumentError
from billy_mlx.formats.lorebooks.lorebook import Entry, Lorebook
from billy_mlx.manuscript.context.guide import Guide, Shares

SHARE = st.floats(0, 1)
GUIDES = st.builds(Guide, st.text(), st.text(), st.integers(1, 1_000), shares=st.builds(Shares, *[SHARE] * 4))


@given(GUIDES)
def test_a_guide_comes_back_as_it_was_written(guide):
    assert Guide.of_json(guide.as_json()) == guide


def test_its_lorebook_comes_back_too_and_what_is_missing_is_new():
    guide = Guide("Mira is tall.", lorebook=Lorebook((Entry("Mira", "tall", ("Mira",)),)))
    assert Guide.of_json(json.loads(json.dumps(guide.as_json()))) == guide
    assert Guide.of_json({}) == Guide()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ([], "the guide"),
        ({"memory": 1}, "memory"),
        ({"note_depth": 0}, "note_depth"),
        ({"shares": {"lore": 2}}, "lore must be 0 to 1"),
        ({"shares": {"lore": float("nan")}}, "lore must be 0 to 1"),
        ({"lorebook": {}}, "not a lorebook"),
    ],
)
def test_what_is_wrong_is_named(wrong, said):
    with pytest.raises(DocumentError, match=said):
        Guide.of_json(wrong)

"""The search for a persona: who is called so comes before who is only described so."""

import pytest
from hosting import shown, typed

from billy_mlx.tui.cast import OWN, WRITING, Member
from billy_mlx.tui.widgets.persona_search import PersonaSearch

CAST = (
    Member("noir", "Noir", "The tired voice of a detective.", WRITING, None, None),
    Member("clerk", "Tired Clerk", "Counts the days.", OWN, None, None),
)


@pytest.mark.parametrize(("words", "found"), [("tired", "clerk"), ("detective", "noir"), ("tired voice", "noir")])
def test_a_name_is_found_before_a_description(words, found):
    assert shown(PersonaSearch(CAST), *typed(words), "enter").given == [found]

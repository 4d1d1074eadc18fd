import pytest
from helpers.made_changes import made
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.find import Match, Query, find, find_all, replacements

TEXT = "The cat saw the Cat. It didn’t see the catfish, “the” fish."


def words(text, query):
    return [text[match.start : match.end] for match in find(text, query)]


def replaced(text, query, replacement, only=None):
    return made(text, replacements(text, query, replacement, only))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query("cat"), ["cat", "Cat", "cat"]),
        (Query("cat", match_case=True), ["cat", "cat"]),
        (Query("cat", whole_words=True), ["cat", "Cat"]),
        (Query("c.t"), []),
        (Query("c.t", regex=True), ["cat", "Cat", "cat"]),
        (Query("cat|see", regex=True, whole_words=True), ["cat", "Cat", "see"]),
        (Query("didn't"), ["didn’t"]),
        (Query("didn't", match_case=True), []),
        (Query("didn't", regex=True), []),
        (Query('"the"'), ["“the”"]),
        (Query.smart("cat"), ["cat", "Cat", "cat"]),
        (Query.smart("Cat"), ["Cat"]),
        (Query(""), []),
        (Query("", regex=True), []),
    ],
)
def test_a_query_finds_what_it_says(query, expected):
    assert words(TEXT, query) == expected


def test_caret_and_dollar_are_those_of_a_line():
    assert words("one\ntwo", Query(r"^\w|\w$", regex=True)) == ["o", "e", "t", "o"]


@given(st.text("ab\n ", max_size=30), st.sampled_from(["", "x*", "^", "$", "a*", r"\b", "(?=a)", "a|"]))
def test_matches_of_nothing_come_once_each(text, pattern):
    starts = [match.start for match in find(text, Query(pattern, regex=True))]
    assert len(starts) <= 2 * (len(text) + 1)
    assert starts == sorted(starts)


@given(st.text("aAb'’\n.", max_size=30), st.text("aAb'.", min_size=1, max_size=3), st.text("xy", max_size=3))
def test_plain_text_is_replaced_as_python_does_it(text, words, replacement):
    assert replaced(text, Query(words, match_case=True), replacement) == text.replace(words, replacement)


def test_groups_go_into_the_replacement_of_a_pattern():
    query = Query(r"(\w+), (?<first>\w+)", regex=True)
    assert replaced("Doe, Jane", query, r"\g<first> \1") == "Jane Doe"


def test_a_backslash_in_plain_text_is_a_backslash():
    assert replaced("a-b", Query("-"), r"\1") == r"a\1b"


@pytest.mark.parametrize(
    ("text", "words", "replacement", "expected"),
    [
        ("out Out OUT", "out", "away", "away Away AWAY"),
        ("“Out.”", "out", "away", "“Away.”"),
        ("Old Harbour, OLD HARBOUR, Old harbour", "old harbour", "new port", "New Port, NEW PORT, New port"),
        ("the cat", "cat", "Mrs Mew", "the Mrs Mew"),
        ("I know", "i", "we", "We know"),
        ("It’s late", "it's", "’twas", "’Twas late"),
        ("STRASSE Straße", "strasse|straße", "weg", "WEG Weg"),
        ("ÉTÉ Été", "été", "œuvre", "ŒUVRE Œuvre"),
        ("12 字", "12 字", "x", "x"),
    ],
)
def test_what_is_put_in_can_keep_the_capitals_of_what_was_there(text, words, replacement, expected):
    query = Query(words, regex="|" in words)
    assert made(text, replacements(text, query, replacement, keep_capitals=True)) == expected


def test_groups_are_filled_in_before_capitals_are_kept():
    query = Query(r"(cat)s", regex=True)
    assert made("CATS", replacements("CATS", query, r"big \1", keep_capitals=True)) == "BIG CAT"


def test_one_match_alone_can_be_replaced():
    _, second, _ = find_all(TEXT, Query("cat"))
    assert replaced(TEXT, Query("cat"), "dog", second) == TEXT.replace("Cat", "dog")


def test_a_match_that_is_none_replaces_nothing():
    assert replacements(TEXT, Query("cat"), "dog", Match(0, 3)) == ()


@pytest.mark.parametrize(
    "pattern", ["(", "[a", "\\", "a{99999999999}", "(?P<a", "*", "x" * 2000, "((a{99}){99}){99}", "(" * 900 + ")" * 900]
)
def test_a_broken_pattern_is_said_in_a_sentence(pattern):
    for whole_words in (False, True):
        with pytest.raises(ManuscriptError, match="pattern") as caught:
            find_all(TEXT, Query(pattern, regex=True, whole_words=whole_words))
        assert len(str(caught.value)) < 250


def test_a_pattern_cannot_break_out_of_whole_words():
    with pytest.raises(ManuscriptError, match="not a pattern"):
        find_all(TEXT, Query("a)(b", regex=True, whole_words=True))


@pytest.mark.slow
def test_a_pattern_that_takes_too_long_is_given_up():
    with pytest.raises(ManuscriptError, match="took more than"):
        find_all("x" * 5000, Query("(x+x+)+y", regex=True))


@pytest.mark.parametrize("replacement", [r"\2", r"\g<name>", r"\q", "\\", r"\g<"])
def test_a_replacement_that_cannot_be_put_in_is_said_in_a_sentence(replacement):
    with pytest.raises(ManuscriptError, match="cannot be put in"):
        replacements("ab", Query("(a)", regex=True), replacement)


def test_a_message_shows_no_control_characters():
    with pytest.raises(ManuscriptError) as caught:
        find_all(TEXT, Query("(\x1b[2J", regex=True))
    assert str(caught.value).isprintable()

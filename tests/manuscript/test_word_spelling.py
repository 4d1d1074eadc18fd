"""Words are found however they are spelt, and whole ones in each script: keys of a lorebook, and what is looked for."""

from unicodedata import normalize

import pytest
from helpers.made_changes import made
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.formats.lorebooks.lorebook import Entry, Lorebook
from billy_mlx.manuscript.context.triggers import scanned
from billy_mlx.manuscript.find import Query, find_all, replacements
from billy_mlx.manuscript.word_patterns import folded


def fires(word, text, **fields):
    return bool(scanned(Lorebook((Entry("one", "told", (word,), **fields),)), text).triggers)


def finds(word, text, **fields):
    return [text[match.start : match.end] for match in find_all(text, Query(word, **fields))]


FOUND = [
    ("New York", "in New\nYork"),
    ("New York", "in New\r\n  York"),
    ("New York", "in New\u00a0York, and"),
    ("New York", "in new\u202fyork"),
    ("Anna", "_Anna_"),
    ("Anna", "**Anna**’s"),
    ("café", "the cafe\u0301"),
    ("cafe\u0301", "the café"),
    ("Việt", "Viê\u0323t Nam"),
    ("민수", "민수가 문을 열었다."),
    ("민수", "민수에게서는 아무 말도 없었다."),
    ("민수", "범인은 민수였습니다."),
    ("민수", "민수님이 오셨다."),
    ("민수", normalize("NFD", "그리고 민수는 갔다.")),
    ("Anna", "Anna는 웃었다."),
    ("สมชาย", "วันนี้สมชายไปตลาด"),
    ("ສົມສັກ", "ມື້ນີ້ສົມສັກໄປຕະຫຼາດ"),
    ("សុខា", "ថ្ងៃនេះសុខាទៅផ្សារ"),
    ("မောင်", "ဒီနေ့မောင်သွားတယ်"),
    ("東京", "今日は東京駅で"),
    ("アンナ", "昨日アンナが来た"),
    ("Anna", "昨日Annaさんが来た"),
    ("小明", "昨天小明去了市场"),
    ("كتاب", "والكتاب على الطاولة"),
    ("محمد", "ذهبت لمحمد"),
    ("محمد", "قال مُحَمَّدٌ شيئا"),
    ("דוד", "ודוד הלך"),
    ("דוד", "כשדוד הלך הביתה"),
    ("שלום", "אמר שָׁלוֹם"),
    ("राम", "राम घर गया"),
    ("Straße", "eine Straße."),
    ("O'Brien", "Mira O’Brien"),
    ("ОДИН", "один дома"),
    ("ΟΔΟΣ", "η οδος"),
]
NOT_FOUND = [
    ("art", "party"),
    ("art", "artful"),
    ("Anna", "Annabel"),
    ("cafe", "café"),
    ("cafe", "cafe\u0301"),
    ("рыба", "рыбак"),
    ("나", "나무"),
    ("나무", "나무꾼이 왔다"),
    ("수", "민수가"),
    ("دار", "مدار"),
    ("كتاب", "كتابة"),
    ("דוד", "גדוד"),
    ("דוד", "דודה"),
    ("राम", "रामायण"),
    ("か", normalize("NFD", "が")),
    ("New York", "NewYork"),
    ("42", "1427"),
]


@pytest.mark.parametrize(("word", "text"), FOUND)
def test_a_word_is_found_in_a_text_in_its_language(word, text):
    assert fires(word, text)
    assert finds(word, text, whole_words=True)


@pytest.mark.parametrize(("word", "text"), NOT_FOUND)
def test_a_word_is_not_found_in_another_one(word, text):
    assert not fires(word, text)
    assert not finds(word, text, whole_words=True)


def test_words_may_be_parts_where_that_is_wanted():
    assert fires("art", "party", whole_words=False)
    assert finds("art", "party") == ["art"]


def test_capitals_count_where_that_is_wanted():
    assert not fires("anna", "Anna", case_sensitive=True)
    assert fires("Anna", "_Anna_", case_sensitive=True)
    assert finds("New York", "New\nYork new york", match_case=True) == ["New\nYork"]


def test_exactly_what_was_found_is_replaced():
    text = "A cafe\u0301 in New\n  York, the café."
    assert made(text, replacements(text, Query("New York"), "Rome")) == "A cafe\u0301 in Rome, the café."
    assert made(text, replacements(text, Query("café"), "bar")) == "A bar in New\n  York, the bar."


@pytest.mark.parametrize(("word", "found"), [("  ", ["  "]), ("one ", ["one "]), ("\n", ["\n", "\n"])])
def test_white_space_at_the_ends_is_what_it_is(word, found):
    assert finds(word, "one  two\none\nthree") == found


LETTERS = st.text(st.sampled_from("aäeé ện민が\u0301\u0323ัท\n"), min_size=1, max_size=8)


@given(LETTERS, LETTERS, st.sampled_from(["NFC", "NFD"]))
def test_a_word_is_found_however_the_text_is_composed(word, around, form):
    word = word.strip()
    if word and normalize("NFD", word)[0] not in "\u0301\u0323ั":
        assert finds(word, normalize(form, f"{around} {word} {around}"))


@given(LETTERS, st.text(st.sampled_from("aäeé ện민가\u0301\u0323 \n\u00a0'’שا"), max_size=20), st.booleans())
def test_what_is_found_is_in_the_folded_text(word, text, whole_words):
    for found in finds(word, text, whole_words=whole_words):
        assert folded(word) in folded(found)


def test_a_key_does_not_go_from_one_entry_into_the_next():
    ends, begins = Entry("ends", "It is new", always=True), Entry("begins", "York it is", always=True)
    city = Entry("city", "A town.", ("New York",), cascade=True)
    assert [trigger.entry for trigger in scanned(Lorebook((ends, begins, city)), "x").triggers] == [ends, begins]


def test_the_stretch_to_search_does_not_cut_a_word_in_two():
    assert not fires("art", "a party", scan_chars=4)

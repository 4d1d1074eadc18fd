"""What stands before a text: told from a break between scenes, and no part of what the text says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.formats.documents.front_matter import front_matter, prose_of
from billy_mlx.formats.documents.markdown_in import document_of
from billy_mlx.manuscript.outline import outline
from billy_mlx.tui.word_count import WordCount

SAID = "title: The Lamp\nauthor: 'A. Writer'\nlang: de\ntags:\n  - night\n# said later\nsummary: >\n  Two lines\n"
BEFORE = f"---\n{SAID}---\n"
TEXT = "# One\n\nIt was dark.\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("closing", ["---", "..."])
def test_title_author_and_language_are_read(newline, closing):
    before = BEFORE.removesuffix("---\n") + closing + "\n"
    found = front_matter((before + TEXT).replace("\n", newline))
    assert (found.title, found.author, found.language) == ("The Lamp", "A. Writer", "de")
    assert (before + TEXT).replace("\n", newline)[found.end :] == TEXT.replace("\n", newline)


@pytest.mark.parametrize(
    "text",
    [
        "---\n\nIt was dark.\n\n---\n\nShe ran.\n",
        "---\nIt was dark: very.\nShe ran.\n---\n",
        "---\ntitle: x\n",
        "---\n---\n",
        "----\ntitle: x\n---\n",
        "\n---\ntitle: x\n---\n",
        "He said:\n---\ntitle: x\n---\n",
        "--- title: x\n---\n",
        "---\n" + "a: b\n" * 20_000 + "---\n",
    ],
)
def test_a_break_between_scenes_is_none(text):
    assert front_matter(text) is None
    assert prose_of(text) == text


def test_it_is_no_part_of_the_text():
    text = BEFORE + TEXT
    assert [block.text for block in document_of(text).blocks] == ["One", "It was dark."]
    (heading,) = outline(text)
    assert text[heading.start : heading.end] == "# One"
    assert WordCount().of(text) == WordCount().of(TEXT) == 4


@given(st.text(st.sampled_from("-\n\r: ab'\"#>|[&.\t"), max_size=40).map("---\n".__add__))
def test_places_in_the_text_stay_where_they_are(text):
    prose = prose_of(text)
    assert len(prose) == len(text)
    assert [sign for sign in prose if sign in "\r\n"] == [sign for sign in text if sign in "\r\n"]
    found = front_matter(text)
    assert prose[found.end if found else 0 :] == text[found.end if found else 0 :]

"""The headings of a manuscript, as Markdown has them."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.formats.documents.markdown_in import block_tokens
from billy_mlx.manuscript.outline import outline, section_words

TEXT = "# One *two*\n\ntext\n\nSetext\n======\n\n```\n# no heading\n```\n\n## Three ##\nmore words here\n\n# Four\n"


def test_headings_are_found_with_their_places():
    headings = outline(TEXT)
    assert [(heading.level, heading.title) for heading in headings] == [
        (1, "One two"),
        (1, "Setext"),
        (2, "Three"),
        (1, "Four"),
    ]
    assert [TEXT[heading.start : heading.end] for heading in headings] == [
        "# One *two*",
        "Setext\n======",
        "## Three ##",
        "# Four",
    ]


def test_sections_count_what_is_under_them():
    assert section_words(TEXT, outline(TEXT))[-2:] == (3, 0)


@given(st.lists(st.sampled_from(["# a", "b", "===", "---", "```", "", "> # c", "- d", "    e", "## f #", "~~~", "\t"])))
def test_it_agrees_with_the_whole_parser(lines):
    text = "\n".join(lines)
    tokens, _ = block_tokens(text)
    expected = [
        int(token.tag[1])
        for token, inline in pairwise(tokens)
        if token.type == "heading_open" and token.level == 0 and inline.content.strip()
    ]
    assert [heading.level for heading in outline(text)] == expected

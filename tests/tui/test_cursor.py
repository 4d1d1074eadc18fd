"""What readers take for one character is one to the cursor, to Backspace and to the mouse."""

from itertools import accumulate, pairwise

import pytest
from helpers.editor_host import agrees, drafted, on_a_page, screen
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.events import Key
from textual.keys import _character_to_key

from billy_mlx.tui.widgets.cursor import border_after, border_before, cluster_around, word_after, word_before

FAMILY, GERMANY, FRANCE, SCOTLAND, WAVE = "👩‍👩‍👧‍👦", "🇩🇪", "🇫🇷", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "👋🏽"
CLUSTERS = [FAMILY, GERMANY, SCOTLAND, WAVE, "e\u0301", "กำ", "ที่", "क्षि", "\u1112\u1161\u11ab", "字", "a", " ", "❤️"]

texts = st.lists(st.sampled_from(CLUSTERS), max_size=12)


def borders(clusters):
    return [0, *accumulate(map(len, clusters))]


@given(st.lists(st.sampled_from(CLUSTERS), min_size=1, max_size=400))
def test_every_border_is_found_and_nothing_else(clusters):
    text, found, place = "".join(clusters), [0], 0
    while place < len(text):
        place = border_after(text, place)
        found.append(place)
    assert found == borders(clusters)
    assert [border_before(text, end) for end in found[1:]] == found[:-1]
    for start, end in pairwise(found):
        assert {cluster_around(text, place) for place in range(start + 1, end)} <= {(start, end)}
        assert cluster_around(text, end) == (end, end)


def test_looking_for_a_border_stays_near_the_place():
    text = "\u0301" * 100_000
    assert border_after(text, 50_000) - border_before(text, 50_000) < 1_000


def test_a_word_has_its_accents_and_vowel_signs():
    text = "the cafe\u0301, हिन्दी!"
    assert [word_after(text, place) for place in (3, 4)] == [9, 9]
    assert word_before(text, len(text) - 1) == text.index("ह")
    assert word_before(text, 9) == 4


@pytest.mark.slow
@settings(max_examples=6)
@given(texts)
def test_left_and_right_visit_every_border(tmp_path_factory, clusters):
    async def act(editor, pilot):
        places = borders(clusters)
        editor.select(0, 0)
        for place in places[1:]:
            await pilot.press("right")
            assert editor.cursor == place
        for place in reversed(places[:-1]):
            await pilot.press("shift+left")
            assert editor.selected == (place, places[-1])

    on_a_page(tmp_path_factory.mktemp("page"), "".join(clusters), act)


@pytest.mark.slow
@settings(max_examples=6)
@given(texts.filter(bool), st.data())
def test_backspace_and_delete_take_one_whole_cluster_and_undo_brings_it_back(tmp_path_factory, clusters, data):
    async def act(editor, pilot):
        text, places = "".join(clusters), borders(clusters)
        index = data.draw(st.integers(1, len(clusters)))
        for key, at in (("backspace", index), ("delete", index - 1)):
            editor.select(places[at], places[at])
            await pilot.press(key)
            assert editor.manuscript.text == "".join([*clusters[: index - 1], *clusters[index:]])
            editor.undo()
            assert (editor.manuscript.text, agrees(editor)) == (text, True)

    on_a_page(tmp_path_factory.mktemp("page"), "".join(clusters), act)


@pytest.mark.slow
def test_the_mouse_and_a_search_cut_no_cluster(tmp_path):
    async def act(editor, pilot):
        for row, (line, start) in enumerate(zip(lines, borders([f"{line}\n" for line in lines]), strict=False)):
            for x in range(1, 4):
                await pilot.click(editor, offset=(editor.gutter_width + x, row))
                assert editor.cursor - start in (1, len(line) - 1, len(line))
            editor.select(start + 2, start + 2)
            assert editor.cursor == start + (1 if len(line) > 3 else 2)
            editor.select(start + 1, start + 2)
            assert editor.selected == (start + 1, start + len(line) - 1)

    lines = [f"a{cluster}b" for cluster in CLUSTERS]
    on_a_page(tmp_path, "\n".join(lines), act)


def test_up_and_down_end_outside_of_a_cluster(tmp_path):
    async def act(editor, pilot):
        editor.select(4, 4)
        await pilot.press("up")
        assert editor.cursor in (0, len(FAMILY))

    on_a_page(tmp_path, f"{FAMILY}\nabcdef", act)


@pytest.mark.slow
def test_a_word_is_deleted_with_its_accents(tmp_path):
    async def act(editor, pilot):
        await pilot.press("ctrl+end", "ctrl+w")
        assert editor.manuscript.text == "one "

    on_a_page(tmp_path, "one cafe\u0301", act)


def test_a_family_can_be_typed(tmp_path):
    async def act(editor, pilot):
        for letter in FAMILY:  # as a terminal has it
            editor.post_message(Key(_character_to_key(letter), letter))
            await pilot.pause()
        assert (editor.manuscript.text, editor.cursor) == (FAMILY, len(FAMILY))

    on_a_page(tmp_path, "", act)


def test_the_cursor_is_not_left_in_a_cluster_that_a_deletion_has_joined(tmp_path):
    async def act(editor, pilot):
        editor.select(3, 3)
        await pilot.press("backspace")
        assert (editor.manuscript.text, editor.cursor) == ("👩\u200d👧", 3)

    on_a_page(tmp_path, "👩\u200dx👧", act)


def test_a_cluster_is_drawn_as_one_with_the_cursor_on_it(tmp_path):
    async def act(editor, pilot):
        editor.select(1, 1)
        assert FAMILY in [segment.text.strip() for segment in editor.render_line(0)]

    on_a_page(tmp_path, f"a{FAMILY}b", act)


def test_the_start_of_a_draft_is_a_border_whatever_it_begins_with(tmp_path):
    async def act(editor, pilot):
        editor.select(1, 1)
        drafted(editor, "\u0301x")
        await pilot.press("left", "right")
        assert (editor.cursor, screen(editor)[0].split(maxsplit=1)[1].rstrip()) == (1, "e\u0301x ┊b")
        await pilot.press("right", "backspace", "backspace")
        assert editor.manuscript.text == "b"

    on_a_page(tmp_path, "eb", act)


def test_the_last_line_can_be_deleted(tmp_path):
    async def act(editor, pilot):
        await pilot.press("ctrl+end", "ctrl+shift+k")
        assert editor.manuscript.text == "one\n"

    on_a_page(tmp_path, f"one\n{FAMILY}", act)

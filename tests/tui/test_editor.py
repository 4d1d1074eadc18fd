"""The editor on a real manuscript, by keys, as the writer has it."""

import contextlib
import tempfile
import unicodedata

import pytest
from helpers.editor_host import agrees, drafted, on_a_page, screen
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.events import Paste

from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.passage import Passage, Voice
from billy_mlx.tui.page.colours import PersonaScore
from billy_mlx.tui.screens.legend import legend
from billy_mlx.tui.widgets.authorship_marks import heat
from billy_mlx.tui.widgets.editor import Editor

THERE = "already there, or added by another program"


def whom(editor):
    """Return whom each sign in the margin stands for."""
    return {entry.mark: entry.who for entry in legend(editor.manuscript, editor.mark_of, {})}


def styled(editor, y, text):
    """Return the style of the segment of a line that has `text`."""
    return next(segment.style for segment in editor.render_line(y) if text in segment.text)


def test_what_is_typed_goes_into_the_manuscript(tmp_path):
    async def act(editor, pilot):
        await pilot.press("H", "i", "enter", "backspace", "exclamation_mark")
        await pilot.pause()
        assert editor.manuscript.text == editor.text == "Hi!there"
        assert (editor.cursor, pilot.app.edits) == (3, 5)

    on_a_page(tmp_path, "there", act)


def test_what_is_pasted_is_kept_as_it_is_but_for_its_line_ends(tmp_path):
    async def act(editor, pilot):
        pilot.app.post_message(Paste("a\u2028b\x0cc\rd\r\ne\x1b[31m"))
        await pilot.pause()
        assert editor.manuscript.text == editor.text == "a\u2028b\x0cc\nd\ne\x1b[31mend"
        assert editor.selection.end == (2, 6)

    on_a_page(tmp_path, "end", act)


def test_line_ends_are_those_of_the_manuscript(tmp_path):
    async def act(editor, pilot):
        editor.select(11, 11)
        await pilot.press("enter", "x")
        pilot.app.post_message(Paste("y\nz"))
        await pilot.pause()
        assert editor.manuscript.text == editor.text == "one\r\ntwo\r\nt\r\nxy\r\nzhree\r\n"

    on_a_page(tmp_path, "one\r\ntwo\r\nthree\r\n", act)


def test_a_line_end_of_two_characters_is_deleted_as_one(tmp_path):
    async def act(editor, pilot):
        editor.select(5, 5)
        await pilot.press("backspace")
        assert editor.manuscript.text == editor.text == "onetwo\r\nthree\r\n"

    on_a_page(tmp_path, "one\r\ntwo\r\nthree\r\n", act)


def test_undo_and_redo_are_those_of_the_manuscript(tmp_path):
    async def act(editor, pilot):
        await pilot.press("a")
        editor.select(4, 4)
        editor.manuscript.edit(4, 4, "!")
        editor.sync()
        editor.undo()
        assert (editor.text, editor.cursor) == ("aone", 4)
        editor.undo()
        editor.redo()
        assert (editor.text, editor.cursor, agrees(editor)) == ("aone", 1, True)

    on_a_page(tmp_path, "one", act)


def test_the_writer_hears_when_there_is_nothing_to_take_back(tmp_path):
    async def act(editor, pilot):
        for _ in range(3):
            editor.undo()
        await pilot.pause()
        assert [message.trouble for message in pilot.app.told][-1:] == [False]

    on_a_page(tmp_path, "", act)


def test_a_manuscript_that_can_only_be_read_stays_as_it_is_and_says_why(tmp_path):
    async def act(editor, pilot):
        with contextlib.closing(Manuscript.open(editor.manuscript.path)) as locked:
            editor.show(locked)
            await pilot.press("x", "enter", "delete")
            editor.undo()
            await pilot.pause()
            assert editor.text == locked.text == "one"
            assert (pilot.app.told[0].trouble, pilot.app.edits) == (True, 0)

    on_a_page(tmp_path, "one", act)


def test_cut_and_paste_give_the_text_back(tmp_path):
    async def act(editor, pilot):
        editor.select(4, 8)
        await pilot.press("ctrl+x")
        await pilot.pause()
        assert pilot.app.told[-1].text == "cut 1 word"
        assert (pilot.app.clipboard, editor.text) == ("two ", "one three")
        await pilot.press("end", "ctrl+v")
        assert editor.manuscript.text == editor.text == "one threetwo "

    on_a_page(tmp_path, "one two three", act)


def test_a_copy_is_said_and_so_is_that_nothing_was_selected(tmp_path):
    async def act(editor, pilot):
        cases = [(0, 0, "nothing is selected, so nothing was copied"), (4, 13, "copied 2 words"), (3, 4, "copied")]
        for start, end, said in cases:
            editor.select(start, end)
            await pilot.press("ctrl+c")
            await pilot.pause()
            assert (pilot.app.told[-1].text, pilot.app.clipboard) == (said, editor.selected_text)

    on_a_page(tmp_path, "one two three", act)


def test_a_draft_streams_while_the_writer_types_elsewhere(tmp_path):
    async def act(editor, pilot):
        editor.select(3, 3)
        _, author = drafted(editor, " and")
        editor.select(8, 8)
        await pilot.press("x")
        editor.manuscript.drafts.write(author, " on")
        editor.refresh_draft()
        await pilot.press("y")
        assert (editor.text, editor.manuscript.text) == ("one and on┊ two.xy", "one two.xy")
        editor.select(0, 0)
        await pilot.press("z")
        assert (editor.text, editor.cursor, agrees(editor)) == ("zone and on┊ two.xy", 1, True)

    on_a_page(tmp_path, "one two.", act)


def test_the_line_being_written_stays_where_it_is_while_a_draft_grows_above(tmp_path):
    async def act(editor, pilot):
        _, author = drafted(editor, "draft")
        editor.select(len(editor.manuscript.text) - 30, len(editor.manuscript.text) - 30)
        await pilot.pause()
        before = editor.cursor_screen_offset
        editor.manuscript.drafts.write(author, "\nmore" * 5)
        editor.refresh_draft()
        await pilot.pause()
        assert editor.cursor_screen_offset == before

    on_a_page(tmp_path, "line\n" * 60, act)


def test_the_page_follows_a_draft_until_the_writer_scrolls(tmp_path):
    async def act(editor, pilot):
        _, author = drafted(editor, "draft")
        editor.manuscript.drafts.write(author, "\nmore" * 40)
        editor.refresh_draft()
        assert editor.scroll_offset.y == 41 - editor.size.height
        editor.scroll_to(y=3, animate=False, immediate=True)
        editor.manuscript.drafts.write(author, "\nmore" * 40)
        editor.refresh_draft()
        await pilot.pause()
        assert editor.scroll_offset.y == 3

    on_a_page(tmp_path, "", act)


def test_a_draft_can_be_taken_word_by_word(tmp_path):
    async def act(editor, pilot):
        editor.select(3, 3)
        draft, _ = drafted(editor, " and on")
        editor.manuscript.drafts.accept(draft, 4)
        editor.sync()
        assert (editor.text, editor.manuscript.text, editor.cursor) == ("one and on┊ two", "one and two", 7)
        editor.manuscript.drafts.accept(draft)
        editor.sync()
        assert (editor.text, editor.cursor, agrees(editor)) == ("one and on two", 10, True)
        editor.undo()
        assert (editor.manuscript.text, editor.cursor) == ("one and two", 7)

    on_a_page(tmp_path, "one two", act)


def test_the_cursor_is_behind_a_draft_that_was_taken_whole(tmp_path):
    async def act(editor, pilot):
        draft, _ = drafted(editor, "Once ")
        editor.manuscript.drafts.accept(draft)
        editor.show_draft(None)
        editor.sync()
        assert (editor.text, editor.cursor) == ("Once one", 5)

    on_a_page(tmp_path, "one", act)


def test_a_draft_that_is_put_away_is_gone_from_the_page(tmp_path):
    async def act(editor, pilot):
        draft, _ = drafted(editor, "x")
        editor.manuscript.drafts.reject(draft)
        editor.refresh_draft()
        assert editor.text == "one"
        editor.manuscript.drafts.reopen(draft)
        editor.show_draft(draft)
        editor.show_draft(None)
        assert editor.text == "one"

    on_a_page(tmp_path, "one", act)


def test_what_a_rewrite_would_replace_is_struck_through_with_the_new_text_behind_it(tmp_path):
    async def act(editor, pilot):
        editor.select(4, 4)
        drafted(editor, "TWO", end=7)
        assert editor.text == "one two TWO┊ three"
        assert styled(editor, 0, "wo").strike
        assert styled(editor, 0, "TWO").italic

    on_a_page(tmp_path, "one two three", act)


def test_the_cursor_jumps_over_the_ghost_and_cannot_delete_in_it(tmp_path):
    async def act(editor, pilot):
        editor.select(3, 3)
        drafted(editor, " and on")
        await pilot.press("right")
        assert (editor.selection.end, editor.cursor) == ((0, 11), 3)
        await pilot.press("backspace")
        assert (editor.selection.end, editor.manuscript.text) == ((0, 3), "one two")
        await pilot.press("delete", "delete", "left", "backspace")
        assert (editor.manuscript.text, agrees(editor)) == ("ontwo", True)

    on_a_page(tmp_path, "one two", act)


def test_a_selection_over_the_ghost_is_of_the_manuscript_on_both_sides(tmp_path):
    async def act(editor, pilot):
        editor.select(3, 3)
        drafted(editor, " and on")
        editor.select(1, 5)
        assert (editor.selected, editor.selected_text) == ((1, 5), "ne t")
        await pilot.press("x")
        assert (editor.manuscript.text, agrees(editor)) == ("oxwo", True)

    on_a_page(tmp_path, "one two", act)


def test_tab_is_the_screens_while_a_draft_is_shown(tmp_path):
    async def act(editor, pilot):
        await pilot.press("tab")
        assert editor.text == "\tone"
        drafted(editor, "x")
        await pilot.press("tab")
        assert (editor.manuscript.text, editor.tab_behavior) == ("\tone", "focus")

    on_a_page(tmp_path, "one", act)


@pytest.mark.parametrize("key", ["ctrl+z", "ctrl+y", "ctrl+d", "ctrl+f", "tab", "escape", "f8"])
def test_keys_of_the_screen_are_not_taken_by_the_page(key):
    assert key not in {key for binding in Editor.BINDINGS for key in binding.key.split(",")}


def test_who_wrote_a_line_is_told_by_a_mark(tmp_path):
    async def act(editor, pilot):
        for text, blend in (
            ("By a pirate.\n", "pirate:1@1/layered"),
            ("By a poet.\n", "poet:1@1/layered"),
            ("By both.\n", "pirate:1@1/layered"),
        ):
            draft, _ = drafted(editor, text, blend=blend)
            editor.manuscript.drafts.accept(draft)
            editor.sync()
        await pilot.press("m", "e", "enter")
        drafted(editor, "ghost")
        marks = [line[41:43].strip() for line in screen(editor)[:6]]
        assert marks == ["▎a", "▎b", "▎a", "", "┊", "·"]
        assert whom(editor) == {"": "you", "▎a": "pirate", "▎b": "poet", "·": THERE}

    on_a_page(tmp_path, "\nLong ago.\n", act, size=(160, 50))


@pytest.mark.slow
def test_a_line_that_several_have_written_has_a_sign_of_its_own(tmp_path):
    async def act(editor, pilot):
        for text, blend in ((" the pirate said", "pirate:1@1/layered"), (", or the poet did.", "poet:1@1/layered")):
            await pilot.press("ctrl+end", "o")
            draft, _ = drafted(editor, text, blend=blend)
            editor.manuscript.drafts.accept(draft)
            editor.sync()
        await pilot.press("enter", *"mine")
        assert [line[:3].strip() for line in screen(editor)[:4]] == ["·", "·", "+b", ""]

    on_a_page(tmp_path, "There before, and longer than what follows it, to the very end of the line.\n", act)


def test_a_letter_does_not_change_when_its_passage_ends_with_the_dials_moved(tmp_path):
    async def act(editor, pilot):
        drafts = editor.manuscript.drafts
        draft = drafts.begin("continue", 0)
        editor.show_draft(draft)
        author = drafts.alternative(draft, "pirate:1@1/layered")
        drafts.write(author, "Ahoy!")
        drafts.accept(draft, 5)
        editor.sync()
        before = screen(editor)[0][:3].strip()
        voices = (Voice(0, "pirate:1@1/layered"), Voice(1, "poet:1@1/layered"))
        drafts.finish(author, Passage("Ahoy!", (1, 2), voices, "continue", "m", {}, {}, (), 0, {}, 9))
        editor.sync()
        assert (before, screen(editor)[0][:3].strip()) == ("▎a", "▎a")
        assert whom(editor) == {"▎a": "pirate"}

    on_a_page(tmp_path, "", act)


def test_a_voice_keeps_its_letter_when_the_text_is_opened_again(tmp_path):
    async def write(editor, pilot):
        for text, blend in (
            ("By a pirate.", "pirate:1@1/layered"),
            ("By a poet.", "poet:1@1/layered"),
            ("By nobody.", "ghost:1@1/layered"),
        ):
            draft, _ = drafted(editor, text, blend=blend)
            editor.manuscript.drafts.accept(draft)
            editor.sync()
            screen(editor)
        editor.manuscript.edit(0, len("By a pirate."), "")  # whose letter goes to nobody else
        editor.sync()
        marks.append(whom(editor))
        editor.manuscript.save()

    async def look(editor, pilot):
        marks.append(whom(editor))

    marks = []
    on_a_page(tmp_path, "", write)
    on_a_page(tmp_path, None, look)
    assert marks == [{"": "you", "▎b": "poet", "▎c": "ghost"}] * 2  # the blanks between them are the writer's


def test_text_that_was_there_before_looks_like_the_writer_s_own(tmp_path):
    async def act(editor, pilot):
        await pilot.press("ctrl+end", "enter", "M", "e", ".")
        assert styled(editor, 0, "Long").color == styled(editor, 1, "Me.").color
        assert [line.split()[0] for line in screen(editor)[:2]] == ["·", "Me."]

    on_a_page(tmp_path, "Long ago.", act)


def test_scores_are_told_by_a_mark_and_a_background(tmp_path):
    async def act(editor, pilot):
        editor.colouring = "pirate"
        editor.set_scores([PersonaScore(6, 11, 0.9), PersonaScore(12, 15, 0.1)])
        assert screen(editor)[1].split()[0] == "▇"
        assert styled(editor, 1, "Ahoy!").bgcolor != styled(editor, 1, "No.").bgcolor
        await pilot.press("enter")
        assert screen(editor)[2].split()[0] == "▇"
        editor.select(7, 7)
        await pilot.press("x")
        assert screen(editor)[2].split()[0] == "xAhoy!"

    on_a_page(tmp_path, "Title\nAhoy! No.\n", act)


@given(st.floats())
def test_every_score_has_one_of_five_steps(score):
    assert heat(score) in range(5)


def test_a_hostile_text_is_drawn_without_controls(tmp_path):
    async def act(editor, pilot):
        drafted(editor, "\x1b]52;c;eA\x07\u202e")
        drawn = "".join(screen(editor))
        assert not [char for char in drawn if unicodedata.category(char) in ("Cc", "Zl", "Zp")]
        assert not set(drawn) & set("\u202e\u2066")
        assert "␛[31mred" in drawn

    on_a_page(tmp_path, "\x1b[31mred\x9b \u2066\x7f\u2028\x85\x0b\n" * 3, act)


def test_every_word_of_a_wrapped_paragraph_is_drawn_once(tmp_path):
    words = [f"w{number}" for number in range(300)]

    async def act(editor, pilot):
        editor.colouring = "none"
        await pilot.resize_terminal(50, 40)
        await pilot.pause()
        assert " ".join(screen(editor)).split() == words

    on_a_page(tmp_path, " ".join(words), act, size=(80, 40))


def test_tabs_are_as_wide_on_every_line_as_the_cursor_takes_them_for(tmp_path):
    async def act(editor, pilot):
        editor.select(len(editor.text) - 4, len(editor.text) - 4)
        await pilot.pause()
        x, y = editor.cursor_screen_offset
        assert screen(editor)[y][x : x + 4] == "here"

    on_a_page(tmp_path, "a\tbb\tccc\t" * 12 + "here", act)


def test_a_selection_is_seen_on_empty_lines_too(tmp_path):
    async def act(editor, pilot):
        editor.select(0, 5)
        await pilot.pause()
        plain, selected = (editor.render_line(y)._segments[2].style for y in (3, 1))
        assert selected.bgcolor != plain.bgcolor

    on_a_page(tmp_path, "one\n\ntwo\n", act)


def test_text_is_narrow_and_in_the_middle_of_a_wide_screen(tmp_path):
    async def act(editor, pilot):
        lines = [line for line in screen(editor) if line]
        assert all(line.startswith(" " * 41) and len(line) <= 44 + 72 for line in lines)
        editor.measure = 40
        assert len([line for line in screen(editor) if line]) > len(lines)

    on_a_page(tmp_path, "word " * 100, act, size=(160, 50))


def test_a_click_goes_to_the_character_that_is_seen(tmp_path):
    async def act(editor, pilot):
        await pilot.click(Editor, offset=(editor.gutter_width + 2, 0))
        assert editor.cursor == 2

    on_a_page(tmp_path, "one two", act, size=(160, 50))


def test_escape_is_heard_by_the_screen(tmp_path):
    async def act(editor, pilot):
        pilot.app.bind("escape", "heard")
        pilot.app.action_heard = lambda: setattr(pilot.app, "edits", 9)
        await pilot.press("escape")
        assert (pilot.app.edits, editor.has_focus) == (9, True)

    on_a_page(tmp_path, "one", act)


actions = st.one_of(
    st.tuples(st.just("type"), st.integers(0, 40), st.sampled_from(["a", "\n", " b", "\r\nc"])),
    st.tuples(st.just("cut"), st.integers(0, 40), st.integers(0, 5)),
    st.tuples(st.just("begin"), st.integers(0, 40), st.integers(0, 4)),
    st.tuples(st.sampled_from(["grow", "take", "accept", "reject", "undo", "redo"]), st.just(0), st.just(0)),
)


def perform(editor, action, place, argument):
    """Do one of the things that a writer, a model or the screen may do."""
    manuscript, place = editor.manuscript, min(place, len(editor.manuscript.text))
    drafts = manuscript.drafts
    latest = drafts.open[-1] if drafts.open else None
    if action == "type":
        editor.select(place, place)
        editor.insert(argument, maintain_selection_offset=False)
    elif action == "cut":
        editor.select(place, min(place + argument, len(manuscript.text)))
        editor.action_delete_left()
    elif action == "begin":
        editor.select(place, place)
        drafted(editor, "x y\nz", end=min(place + argument, len(manuscript.text)) if argument else None)
    elif action == "grow" and latest:
        drafts.write(latest.alternatives[0].author, " more\n")
        editor.refresh_draft()
    elif action in ("take", "accept") and latest:
        taking = 2 if action == "take" and not len(latest.original) else None
        with contextlib.suppress(Exception):
            drafts.accept(latest.id, taking)
        editor.sync()
    elif action == "reject" and latest:
        drafts.reject(latest.id)
        editor.refresh_draft()
    elif action in ("undo", "redo"):
        getattr(editor, action)()


@pytest.mark.slow
@given(st.sampled_from(["one two three\nfour\n", "one\r\ntwo\r\n"]), st.lists(actions, max_size=12))
@settings(max_examples=25)
def test_what_is_shown_is_always_the_manuscript_with_the_ghost_in_it(text, todo):
    async def act(editor, pilot):
        for action in todo:
            perform(editor, *action)
            assert agrees(editor)
            assert editor.selection == editor._validate_selection(editor.selection)
            assert editor.wrapped_document.height == sum(len(one) + 1 for one in editor.wrapped_document._wrap_offsets)

    with tempfile.TemporaryDirectory() as folder:
        on_a_page(folder, text, act)


@pytest.mark.slow
def test_what_is_drawn_line_by_line_is_what_is_drawn_anew(tmp_path):
    async def act(editor, pilot):
        draft, _ = drafted(editor, "a ghost that is longer than a line of the page, so that it takes two of them")
        for keys in (["x"], ["enter"], ["up", "y"], ["shift+down"], ["backspace"], ["ctrl+z"], ["end", "z"]):
            await pilot.press(*keys)
            editor.show_draft(draft if "enter" in keys or "z" in keys else None)
            await pilot.pause()
            before = editor.screen._compositor.render_strips()
            editor.repaint()
            await pilot.pause()
            assert editor.screen._compositor.render_strips() == before

    on_a_page(tmp_path, "one\n\n" + "two and three " * 20 + "\nfour\n", act)


def test_a_line_that_scrolling_brought_back_is_drawn_anew_when_it_changes(tmp_path):
    async def act(editor, pilot):
        for y in (1, 0):
            editor.scroll_to(y=y, animate=False, immediate=True)
            await pilot.pause()
        await pilot.press("ctrl+home", "shift+down", "delete")
        await pilot.pause()
        top = editor.screen._compositor.render_strips()[0]
        assert "second" in "".join(segment.text for segment in top)

    on_a_page(tmp_path, "first\nsecond\n" + "more\n" * 40, act)


def test_a_typewriter_keeps_the_line_in_the_middle_at_the_end_of_the_text_too(tmp_path):
    async def act(editor, pilot):
        def row():
            return editor.cursor_screen_offset.y

        await pilot.press("ctrl+end")
        assert row() == 23
        editor.typewriter = True
        rows = [row()]
        for keys in (["enter"], ["enter"], ["x"], ["up"], ["pageup"], ["ctrl+end"], ["backspace"]):
            await pilot.press(*keys)
            rows.append(row())
        assert set(rows) <= {11, 12}
        editor.typewriter = False
        assert editor.max_scroll_y == editor.wrapped_document.height - 24

    on_a_page(tmp_path, "line\n" * 100, act)


def test_a_typewriter_leaves_the_text_under_the_mouse_where_it_is(tmp_path):
    async def act(editor, pilot):
        editor.typewriter = True
        await pilot.press("ctrl+end")
        top = editor.scroll_offset.y
        await pilot.click(editor, offset=(editor.gutter_width, 2))
        assert (editor.scroll_offset.y, editor.selection.end[0]) == (top, top + 2)

    on_a_page(tmp_path, "line\n" * 100, act)

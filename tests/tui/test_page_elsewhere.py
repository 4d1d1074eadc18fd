"""Where one goes from the page, and what comes back: finding, versions, settings, files, other editors."""

import contextlib
import stat

import pytest
from helpers.page_stories import SIZES, by_palette, draft, notified, on_page, pasted, press, says, typed, until
from helpers.scripted_engine import context_of
from textual.drivers.headless_driver import HeadlessDriver

from billy_mlx.engine.messages import Ended, Failed, ListModels, Loading, ModelsListed
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.tui.screens.context import ContextScreen
from billy_mlx.tui.screens.find import FindBar
from billy_mlx.tui.screens.question import ConflictScreen
from billy_mlx.tui.screens.start import StartScreen
from billy_mlx.tui.screens.writing import WritingScreen
from billy_mlx.tui.settings import load_settings
from billy_mlx.write.messages import Sent, Write

NIGHT = "It was a dark night. The lamp"
BOTH = pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x50"])


# Finding, and selecting.


@pytest.mark.slow
@pytest.mark.parametrize("by", ["f7", "the palette", "ctrl+b"])
def test_the_whole_text_is_selected(novel, by):
    async def story(app, pilot, engine, page):
        app.change_setting("keys", {"select-all": "ctrl+b"} if by == "ctrl+b" else {})
        await (by_palette(pilot, "Select all") if by == "the palette" else press(pilot, by))
        return page.editor.selected

    assert on_page(novel, story) == (0, len(NIGHT))


def test_ctrl_a_stays_the_start_of_the_line(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "ctrl+end", "ctrl+a")
        return page.editor.selected

    assert on_page(novel, story) == (0, 0)


def test_a_copy_is_said_below_the_page(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "f7", "ctrl+c")
        return page.status.message

    assert on_page(novel, story) == "copied 7 words"


@pytest.mark.slow
@BOTH
def test_all_places_are_replaced_as_one_step(novel, size):
    novel.write_text("A cat. A cat and a cat.")

    async def story(app, pilot, engine, page):
        await press(pilot, "ctrl+f", *"cat", "tab", *"dog", "ctrl+t", "escape")
        replaced = page.editor.text
        await press(pilot, "ctrl+z")
        return replaced, page.editor.text, page.editor.has_focus

    assert on_page(novel, story, size) == ("A dog. A dog and a dog.", "A cat. A cat and a cat.", True)


@pytest.mark.slow
def test_places_are_replaced_one_by_one(novel):
    novel.write_text("A cat. A cat.")

    async def story(app, pilot, engine, page):
        await press(pilot, "ctrl+f", *"cat", "tab", *"dog", "ctrl+r")
        first = page.editor.text
        await press(pilot, "ctrl+r", "escape")
        return first, page.editor.text

    assert on_page(novel, story) == ("A dog. A cat.", "A dog. A dog.")


@pytest.mark.slow
def test_what_is_replaced_can_keep_its_capitals(novel):
    novel.write_text("Out, out. OUT!")

    async def story(app, pilot, engine, page):
        await press(pilot, "ctrl+f", *"out", "f8", "tab", *"away", "ctrl+t", "escape")
        return page.editor.text

    assert on_page(novel, story) == "Away, away. AWAY!"


@pytest.mark.slow
def test_what_is_found_is_selected_on_the_page(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "ctrl+f", *"dark", "escape")
        return page.editor.selected

    assert on_page(novel, story) == (9, 13)


@pytest.mark.slow
def test_a_draft_stays_while_text_is_replaced(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went out.", end=False)
        await press(pilot, "ctrl+f", *"dark", "tab", *"long", "ctrl+t", "escape", "tab")
        return page.manuscript.text

    assert on_page(novel, story) == "It was a long night. The lamp went out."


# What the model is told.


@pytest.mark.slow
@BOTH
def test_what_the_model_would_be_sent_is_shown(novel, size):
    async def story(app, pilot, engine, page):
        await press(pilot, "ctrl+end", "f4")
        request = engine.last(Write)
        await says(pilot, engine, Sent(request.job, context_of(request)), Ended(request.job))
        shown = type(app.screen)
        await press(pilot, "escape")
        return request.only_context, shown, app.screen is page, page.drafts.current

    assert on_page(novel, story, size) == (True, ContextScreen, True, None)


def test_while_the_model_loads_it_is_said_at_once_that_nothing_can_be_shown_yet(novel):
    async def story(app, pilot, engine, page):
        await says(pilot, engine, Loading("the model is loading"))
        await press(pilot, "f4")
        return notified(app) + page.status.message, [one for one in engine.asked if isinstance(one, Write)]

    told, asked = on_page(novel, story)
    assert told.startswith("the model is loading; look again")
    assert asked == []


@pytest.mark.slow
def test_the_page_no_longer_says_that_it_looks_once_it_was_shown(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "f4")
        request = engine.last(Write)
        await says(pilot, engine, Sent(request.job, context_of(request)), Ended(request.job))
        await press(pilot, "escape")
        return app.screen is page, page.status.message

    assert on_page(novel, story) == (True, "")


@pytest.mark.parametrize("meanwhile", ["A", "right", "f1"])
def test_what_the_model_is_sent_does_not_come_up_over_what_the_writer_does_by_then(novel, meanwhile):
    async def story(app, pilot, engine, page):
        await press(pilot, "f4")
        waiting = page.status.message
        await press(pilot, meanwhile)
        screen, request = app.screen, engine.last(Write)
        await says(pilot, engine, Sent(request.job, context_of(request)), Ended(request.job))
        return waiting, app.screen is screen

    assert on_page(novel, story) == ("finding out what the model is sent ...", True)


def test_models_do_not_come_up_over_what_the_writer_does_by_then(novel):
    async def story(app, pilot, engine, page):
        await by_palette(pilot, "Models")
        await press(pilot, "A")
        await says(pilot, engine, ModelsListed(engine.last(ListModels).job, None, ()))
        return app.screen is page

    assert on_page(novel, story)


def test_that_it_cannot_be_shown_what_the_model_is_sent_is_said(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "f4")
        await says(pilot, engine, Failed(engine.last(Write).job, "there is too little room"))
        return page.status.message

    assert on_page(novel, story) == "there is too little room"


@pytest.mark.slow
def test_a_typewriter_is_one_on_the_page_too(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "ctrl+end", *["enter"] * 30, "x")
        rows = [page.editor.cursor_screen_offset.y]
        for _ in range(3):
            await press(pilot, "enter")
            rows.append(page.editor.cursor_screen_offset.y)
        return rows

    assert set(on_page(novel, story, typewriter=True)) <= {11, 12}


@pytest.mark.slow
@BOTH
def test_memory_is_kept_and_goes_to_the_model(novel, size):
    async def story(app, pilot, engine, page):
        await by_palette(pilot, "Memory and notes")
        await typed(pilot, "Ann is tall")
        await press(pilot, "ctrl+s")
        await press(pilot, "ctrl+g")
        return engine.last(Write).guide.memory

    assert on_page(novel, story, size) == "Ann is tall"
    assert Manuscript.open(novel).guide.memory == "Ann is tall"


# Versions.


@pytest.mark.slow
@BOTH
def test_the_writer_goes_back_to_a_version(novel, size):
    async def story(app, pilot, engine, page):
        await press(pilot, "A", "ctrl+s", "f8")
        await press(pilot, "a", "end", "enter")
        back = page.editor.text
        await press(pilot, "ctrl+z")
        return back, page.editor.text, app.screen is page

    assert on_page(novel, story, size) == (NIGHT, "A" + NIGHT, True)


@pytest.mark.slow
def test_the_writer_goes_on_with_another_branch(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "A", "f8", "a", "end", "b")
        await typed(pilot, "other")
        await press(pilot, "enter")
        begun = page.editor.text, page.status.message
        await press(pilot, "B", "f8", "s", "up", "enter")
        return begun, page.manuscript.versions.branch, page.editor.text

    begun, branch, text = on_page(novel, story)
    assert begun == (NIGHT, "the branch other starts here; F8 takes you back to main")
    assert (branch, text) == ("main", "A" + NIGHT)


# The studio.


@pytest.mark.slow
def test_a_theme_is_taken_at_once(novel):
    async def story(app, pilot, engine, page):
        before = app.theme
        await press(pilot, "f10", "right", "escape")
        return before, app.theme, load_settings()[0].theme

    before, now, kept = on_page(novel, story)
    assert before != now == kept


@BOTH
def test_another_width_of_the_text_holds_at_once(novel, size):
    async def story(app, pilot, engine, page):
        app.change_setting("text_width", 40)
        return page.editor.measure

    assert on_page(novel, story, size) == 40


@pytest.mark.slow
def test_keys_that_were_changed_work_and_the_old_ones_do_not(novel):
    async def story(app, pilot, engine, page):
        app.change_setting("keys", {"continue": "ctrl+b"})
        await press(pilot, "ctrl+g")
        before = [request for request in engine.asked if isinstance(request, Write)]
        await press(pilot, "ctrl+b")
        return before, len([request for request in engine.asked if isinstance(request, Write)])

    assert on_page(novel, story) == ([], 1)


@pytest.mark.slow
@BOTH
def test_a_goal_of_words_is_shown_at_once(novel, size):
    async def story(app, pilot, engine, page):
        await by_palette(pilot, "Word goal")
        await press(pilot, "5", "0", "0", "enter")
        return page.status.words, page.manuscript.goal.words, load_settings()[0].word_goal

    assert on_page(novel, story, size) == ("7 words · +0 of 500", 500, 0)


@pytest.mark.slow
def test_a_text_keeps_its_goal_and_another_has_the_one_of_the_settings(novel):
    async def story(app, pilot, engine, page):
        return page.status.words

    with contextlib.closing(Manuscript.open(novel)) as manuscript:
        manuscript.goal.words = 500
    novel.with_name("other.md").write_text("Once.")
    assert on_page(novel, story, word_goal=100) == "7 words · +0 of 500"
    assert on_page(novel.with_name("other.md"), story, word_goal=100) == "1 word · +0 of 100"


@pytest.mark.slow
def test_a_goal_is_no_further_and_no_nearer_in_another_version(novel):
    async def story(app, pilot, engine, page):
        first = page.manuscript.versions.current
        await typed(pilot, "One two three ")
        page.show()
        before = page.status.words
        page.text_commands.go_to_version(("go", first))
        there = page.status.words
        await typed(pilot, "Four ")
        page.show()
        written = page.status.words
        await press(pilot, *["delete"] * 12)
        page.show()
        return before, there, written, page.status.words

    assert on_page(novel, story, word_goal=500) == (
        "10 words · +3 of 500",
        "7 words · +3 of 500",
        "8 words · +4 of 500",
        "5 words · +1 of 500",
    )


def test_a_goal_is_never_missed_by_less_than_nothing(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "f7", "delete")
        page.show()
        return page.status.words

    assert on_page(novel, story, word_goal=500) == "0 words · +0 of 500"


@BOTH
def test_focus_mode_leaves_nothing_but_the_text_and_comes_back(novel, size):
    async def story(app, pilot, engine, page):
        await press(pilot, "f12")
        alone = page.editor.size == app.size and page.editor.has_focus
        await press(pilot, "f12")
        return alone, page.editor.size == app.size

    assert on_page(novel, story, size) == (True, False)


# Files.


@pytest.mark.slow
@BOTH
def test_the_text_is_exported(novel, size):
    async def story(app, pilot, engine, page):
        await by_palette(pilot, "Export")
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: app.screen is page and notified(app))
        return notified(app)

    assert "novel" in on_page(novel, story, size)
    assert len(list(novel.parent.glob("novel.*"))) == 2


@pytest.mark.slow
def test_another_text_is_opened_and_this_one_is_saved(novel):
    other = novel.with_name("other.md")
    other.write_text("Another.")

    async def story(app, pilot, engine, page):
        await press(pilot, "A")
        await by_palette(pilot, "Open another text")
        assert isinstance(app.screen, StartScreen)
        await press(pilot, "o")
        await press(pilot, "end", "ctrl+u")
        await pasted(pilot, str(other))
        await press(pilot, "enter")
        await pilot.pause()
        await press(pilot, "B")
        return app.screen.manuscript.text, novel.read_text()

    assert on_page(novel, story) == ("Another.B", f"A{NIGHT}")


@pytest.mark.slow
def test_a_text_that_was_put_away_can_be_opened_again(novel):
    async def story(app, pilot, engine, page):
        await by_palette(pilot, "Open another text")
        await press(pilot, "enter")
        await pilot.pause()
        await press(pilot, "B")
        return app.screen.manuscript.read_only, app.screen.editor.text

    assert on_page(novel, story) == (None, f"{NIGHT}B")


# The writer's own editor.


@pytest.fixture
def handed_over(monkeypatch):
    """A terminal that can be handed to another program."""
    monkeypatch.setattr(HeadlessDriver, "can_suspend", True)
    monkeypatch.delenv("VISUAL", raising=False)


def editor_that(tmp_path, monkeypatch, does):
    """Have $EDITOR be a script."""
    script = tmp_path / "an editor"
    script.write_text(f"#!/bin/sh\n{does}\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("EDITOR", f"'{script}'")


@BOTH
def test_another_editor_gets_the_text_and_gives_it_back(novel, tmp_path, monkeypatch, handed_over, size):
    editor_that(tmp_path, monkeypatch, 'printf " went out." >> "$1"')

    async def story(app, pilot, engine, page):
        await press(pilot, "A")
        await by_palette(pilot, "Open in your editor")
        text, told = page.editor.text, page.status.message
        await press(pilot, "ctrl+z")
        return text, told, page.editor.text

    told = "the text is as you left it in an editor; undo takes you back"
    assert on_page(novel, story, size) == (f"A{NIGHT} went out.", told, f"A{NIGHT}")


@pytest.mark.slow
def test_an_editor_that_leaves_no_text_is_no_end(novel, tmp_path, monkeypatch, handed_over):
    editor_that(tmp_path, monkeypatch, """printf '\\377\\376' > "$1\"""")

    async def story(app, pilot, engine, page):
        await by_palette(pilot, "Open in your editor")
        await until(pilot, lambda: isinstance(app.screen, ConflictScreen))
        await press(pilot, "down", "enter")
        return page.editor.text, novel.read_text()

    assert on_page(novel, story) == (NIGHT, NIGHT)


def test_an_editor_that_changes_nothing_changes_nothing(novel, tmp_path, monkeypatch, handed_over):
    editor_that(tmp_path, monkeypatch, "exit 3")

    async def story(app, pilot, engine, page):
        await by_palette(pilot, "Open in your editor")
        return page.editor.text, page.status.message

    assert on_page(novel, story) == (NIGHT, "")


@pytest.mark.parametrize(
    ("command", "said"), [("no-such-editor", "cannot be started"), ("vim 'x", "is not a command"), ("/", "cannot be")]
)
def test_an_editor_that_cannot_be_had_is_told(novel, monkeypatch, handed_over, command, said):
    async def story(app, pilot, engine, page):
        await by_palette(pilot, "Open in your editor")
        return page.status.message, app.screen is page

    told, same = on_page(novel, story, editor=command)
    assert same
    assert said in told


def test_a_terminal_that_cannot_be_handed_over_is_told(novel):
    async def story(app, pilot, engine, page):
        await by_palette(pilot, "Open in your editor")
        return page.status.message

    assert "no other editor can run in this terminal" in on_page(novel, story)


# Out and back.


@pytest.mark.slow
def test_escape_leads_out_of_everything_one_step_at_a_time(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went out.")
        await press(pilot, "f2", "ctrl+f")
        steps = []
        for _ in range(3):
            await press(pilot, "escape")
            steps.append((bool(page.query(FindBar)), page.editor.has_focus, page.drafts.current))
        return steps

    assert on_page(novel, story) == [(False, True, 1), (False, True, None), (False, True, None)]


@pytest.mark.slow
def test_escape_leaves_the_voices_before_it_stops_a_draft(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went", end=False)
        await press(pilot, "f2", "escape")
        left = (page.editor.has_focus, page.panel.display, engine.was_stopped())
        await press(pilot, "escape")
        return left, engine.was_stopped()

    assert on_page(novel, story) == ((True, False, False), True)


@pytest.mark.slow
def test_escape_closes_the_bar_for_finding_from_the_text_too(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "ctrl+f", "f2", "escape")
        before = (bool(page.query(FindBar)), page.editor.has_focus)
        await press(pilot, "escape")
        return before, bool(page.query(FindBar))

    assert on_page(novel, story) == ((True, True), False)


@pytest.mark.slow
def test_escape_leaves_a_question_before_the_voices(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "f2", "a", "escape")
        first = (app.screen is page, page.panel.has_focus_within)
        await press(pilot, "escape")
        return first, page.editor.has_focus

    assert on_page(novel, story) == ((True, True), True)


@pytest.mark.slow
def test_a_draft_put_away_is_brought_back(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went out.")
        await press(pilot, "escape")
        await by_palette(pilot, "Bring the draft back")
        await press(pilot, "tab")
        return page.manuscript.text

    assert on_page(novel, story) == f"{NIGHT} went out."


@pytest.mark.slow
def test_a_draft_taken_and_undone_is_tried_again(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went out.")
        await press(pilot, "tab", "ctrl+z", "ctrl+n")
        engine.write(" burned.")
        await pilot.pause()
        await press(pilot, "tab")
        return page.manuscript.text, type(app.screen)

    assert on_page(novel, story) == (f"{NIGHT} burned.", WritingScreen)


@pytest.mark.slow
def test_a_draft_in_the_text_says_how_to_have_another_try(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went out.")
        await press(pilot, "tab", "ctrl+n")
        return page.status.message + notified(app)

    assert "undo that first" in on_page(novel, story)

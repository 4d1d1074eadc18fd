"""What keeps a manuscript safe at the page: saving, other programs, disks that are full, and what a crash left."""

import errno
import os
import threading
from dataclasses import replace

import pytest
from helpers.disk_faults import faults
from helpers.page_stories import SIZES, by_palette, draft, notified, on_page, press, typed, until

from billy_mlx.manuscript import file_on_disk, textfile
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.tui.screens import writing
from billy_mlx.tui.screens.dialogs import Confirm
from billy_mlx.tui.screens.question import ConflictScreen, RecoverScreen
from billy_mlx.tui.screens.start import StartScreen
from billy_mlx.tui.screens.writing import WritingScreen

NIGHT = "It was a dark night. The lamp"
SOON = 0.02  # seconds


@pytest.fixture
def watchful(monkeypatch):
    """Have the page look at the safety of its text all the time."""
    monkeypatch.setattr(writing, "_WATCH_SECONDS", SOON)


def crashed(path, text):
    """Leave a text that was typed at the start of a file and never saved, as a crash does."""
    manuscript = Manuscript.open(path)
    manuscript.edit(0, 0, text)
    manuscript._lock.release()


async def come_back(pilot, app):
    """Go to another window, and come back."""
    app.app_focus = False
    await pilot.pause()
    app.app_focus = True
    await settled(pilot, app)


async def settled(pilot, app):
    """Wait until what is looked for in the background is done."""
    await pilot.pause()
    await app.workers.wait_for_complete()
    await pilot.pause()
    await pilot.pause()


# Saving.


@pytest.mark.slow
def test_the_text_is_saved_by_itself_and_the_page_says_so(novel, watchful):
    async def story(app, pilot, engine, page):
        await typed(pilot, "Oh ")
        await until(pilot, lambda: page.status.safety == "saved")
        return novel.read_text()

    assert on_page(novel, story, autosave_seconds=SOON) == f"Oh {NIGHT}"


def test_another_pace_of_saving_holds_at_once(novel, watchful):
    async def story(app, pilot, engine, page):
        app.change_setting("autosave_seconds", 1)
        return page.files._saving._interval

    assert on_page(novel, story, autosave_seconds=3600) == 1


def test_saving_says_how_it_went(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "A", "ctrl+s")
        return page.status.message, page.status.safety, novel.read_text()

    assert on_page(novel, story) == ("saved: novel.md", "saved", f"A{NIGHT}")


# A full disk.


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x50"])
def test_a_full_disk_is_said_and_the_text_stays(novel, size):
    async def story(app, pilot, engine, page):
        with faults(novel.parent, fail=lambda number, name: errno.ENOSPC if name == "write" else None):
            await press(pilot, "A", "ctrl+s")
        return page.status.safety, page.status.message, notified(app), page.editor.text

    safety, told, said, text = on_page(novel, story, size)
    assert (safety, text) == ("NOT SAVED", f"A{NIGHT}")
    assert "No space left" in told
    assert size == SIZES[1] or "No space left" in said  # the line has no room for all of it


@pytest.mark.slow
def test_a_disk_that_fills_up_is_told_without_a_key(novel, watchful):
    async def story(app, pilot, engine, page):
        with faults(novel.parent, fail=lambda number, name: errno.ENOSPC if name == "write" else None):
            await press(pilot, "A")
            await until(pilot, lambda: page.status.safety == "NOT SAVED")
        return page.status.message

    assert "No space left" in on_page(novel, story, autosave_seconds=SOON)


@pytest.mark.slow
def test_in_focus_mode_trouble_is_said_above_the_text(novel, watchful):
    async def story(app, pilot, engine, page):
        with faults(novel.parent, fail=lambda number, name: errno.ENOSPC if name == "write" else None):
            await press(pilot, "f12", "A")
            await until(pilot, lambda: page.status.safety == "NOT SAVED" and notified(app))
        return notified(app)

    assert "No space left" in on_page(novel, story, (160, 50), autosave_seconds=SOON)


@pytest.mark.slow
def test_once_there_is_room_again_it_is_saved(novel, watchful):
    async def story(app, pilot, engine, page):
        with faults(novel.parent, fail=lambda number, name: errno.ENOSPC if name == "write" else None):
            await press(pilot, "A", "ctrl+s")
        await until(pilot, lambda: page.status.safety == "saved")
        return novel.read_text()

    assert on_page(novel, story, autosave_seconds=SOON) == f"A{NIGHT}"


def test_a_text_that_is_in_memory_only_stays_open(novel):
    full = []

    async def story(app, pilot, engine, page):
        full.append("the disk")
        await press(pilot, "A")
        await by_palette(pilot, "Open another text")
        return app.screen is page, page.manuscript.text, notified(app)

    with faults(novel.parent, fail=lambda number, name: errno.ENOSPC if full and name == "write" else None):
        stayed, text, said = on_page(novel, story)
    assert (stayed, text) == (True, f"A{NIGHT}")
    assert "stays open" in said


@pytest.fixture
def disk(novel):
    """A disk that is full once something is put on this list; a journal that is open by then cannot be written."""
    full = []
    with faults(novel.parent, fail=lambda number, name: errno.ENOSPC if full and name == "write" else None):
        yield full


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x50"])
@pytest.mark.parametrize("answer", [["enter"], ["escape"], ["ctrl+q", "enter"]], ids=["enter", "escape", "again"])
def test_leaving_a_text_that_is_in_memory_only_is_asked_first(novel, disk, size, answer):
    async def story(app, pilot, engine, page):
        disk.append("full")
        await press(pilot, "A", "ctrl+q")
        asked = type(app.screen)
        await press(pilot, *answer)
        return asked, app.screen is page, engine.closed, page.manuscript.text

    assert on_page(novel, story, size) == (Confirm, True, False, f"A{NIGHT}")


def test_a_text_that_is_in_memory_only_can_be_left_all_the_same(novel, disk):
    async def story(app, pilot, engine, page):
        disk.append("full")
        await press(pilot, "A", "ctrl+q")
        stayed = not engine.closed
        await press(pilot, "right", "enter")
        return stayed, engine.closed

    assert on_page(novel, story) == (True, True)
    assert novel.read_text() == NIGHT


@pytest.mark.slow
def test_a_text_that_is_in_the_journal_is_left_without_a_question_and_offered(novel):
    async def story(app, pilot, engine, page):
        novel.chmod(0o444)
        await press(pilot, "A", "ctrl+q")
        return engine.closed

    async def look(app, pilot, engine, page):
        return type(app.screen)

    assert on_page(novel, story)
    assert on_page(novel, look) is RecoverScreen


def test_a_signal_ends_without_a_question(novel, disk):
    async def story(app, pilot, engine, page):
        disk.append("full")
        await press(pilot, "A")
        assert page.files.is_at_risk()
        app.leave()
        return engine.closed, type(app.screen), page.manuscript.read_only

    assert on_page(novel, story) == (True, WritingScreen, "this text was closed; open it again")


# Other programs.


@pytest.mark.slow
def test_what_another_program_wrote_is_taken_quietly_and_undo_leads_back(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "ctrl+end")
        novel.write_text(f"Once. {NIGHT}")
        await come_back(pilot, app)
        theirs, cursor = page.editor.text, page.editor.cursor
        await press(pilot, "ctrl+z")
        return theirs, cursor == len(theirs), page.editor.text

    assert on_page(novel, story) == (f"Once. {NIGHT}", True, NIGHT)


@pytest.mark.slow
def test_it_is_taken_too_where_no_terminal_tells_of_coming_back(novel):
    async def story(app, pilot, engine, page):
        novel.write_text(f"Once. {NIGHT}")
        await until(pilot, lambda: page.editor.text == f"Once. {NIGHT}")
        return page.status.message

    assert on_page(novel, story, autosave_seconds=SOON).startswith("another program changed")


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x50"])
@pytest.mark.parametrize(
    ("keys", "text", "file"),
    [
        (["down", "enter"], f"A{NIGHT}", f"A{NIGHT}"),
        (["down", "down", "enter"], "Theirs.", "Theirs."),
        (["escape"], f"A{NIGHT}", "Theirs."),
    ],
    ids=["mine", "theirs", "later"],
)
def test_whose_text_it_is_to_be_is_asked_if_both_changed_it(novel, size, keys, text, file):
    async def story(app, pilot, engine, page):
        await press(pilot, "A")
        novel.write_text("Theirs.")
        await come_back(pilot, app)
        assert isinstance(app.screen, ConflictScreen)
        await press(pilot, *keys)
        return page.editor.text, novel.read_text(), app.screen is page

    assert on_page(novel, story, size) == (text, file, True)


@pytest.mark.slow
def test_a_copy_is_saved_beside_it(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "A")
        novel.write_text("Theirs.")
        await come_back(pilot, app)
        await press(pilot, "up", "enter")
        await press(pilot, "enter")
        return page.status.message, page.editor.text, novel.read_text()

    assert on_page(novel, story) == ("a copy is saved: novel (mine).md", f"A{NIGHT}", "Theirs.")
    assert (novel.parent / "novel (mine).md").read_text() == f"A{NIGHT}"


def test_saving_asks_too(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "A")
        novel.write_text("Theirs.")
        await press(pilot, "ctrl+s")
        await settled(pilot, app)
        return type(app.screen), page.manuscript.text, novel.read_text()

    assert on_page(novel, story) == (ConflictScreen, f"A{NIGHT}", "Theirs.")


def test_no_question_comes_between_the_letters_that_are_typed(novel, watchful):
    async def story(app, pilot, engine, page):
        await press(pilot, "m")
        novel.write_text("Theirs.")
        app.apply_settings(replace(app.settings, autosave_seconds=SOON))
        await until(pilot, lambda: page.status.safety == "NOT SAVED")
        told = page.status.message + notified(app)
        await typed(pilot, "tm")
        return told, page.manuscript.text, novel.read_text()

    told, text, file = on_page(novel, story)
    assert "save the text to choose" in told
    assert (text, file) == (f"mtm{NIGHT}", "Theirs.")


@pytest.mark.slow
def test_a_file_that_vanished_is_not_saved_until_the_writer_says_so(novel, watchful):
    async def story(app, pilot, engine, page):
        novel.unlink()
        await until(pilot, lambda: page.status.safety == "NOT SAVED")
        await press(pilot, "ctrl+s")
        await settled(pilot, app)
        assert isinstance(app.screen, ConflictScreen)
        await press(pilot, "down", "enter")
        return page.status.safety, page.editor.text

    assert on_page(novel, story, autosave_seconds=SOON) == ("saved", NIGHT)
    assert novel.read_text() == NIGHT


@pytest.mark.slow
def test_a_file_that_is_no_text_any_more_has_a_way_on(novel):
    async def story(app, pilot, engine, page):
        novel.write_bytes(b"\xff\xfe\x00")
        await come_back(pilot, app)
        assert isinstance(app.screen, ConflictScreen)
        await press(pilot, "down", "enter")
        return page.editor.text, page.status.message

    text, told = on_page(novel, story)
    assert text == novel.read_text() == NIGHT
    assert told == "your text is saved; the other program's is novel (theirs).md now"
    assert novel.with_name("novel (theirs).md").read_bytes() == b"\xff\xfe\x00"


def secretly(novel):
    """Change a file so that it looks the same from outside: of the same size, and of the same time."""
    stamp = novel.stat()
    with novel.open("r+b") as file:
        file.write(NIGHT.replace("dark", "pale").encode())
    os.utime(novel, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))


def test_a_change_of_the_same_size_and_time_is_taken_up_on_coming_back(novel):
    async def story(app, pilot, engine, page):
        secretly(novel)
        await come_back(pilot, app)
        return page.editor.text

    assert on_page(novel, story) == NIGHT.replace("dark", "pale")


@pytest.mark.slow
def test_it_is_taken_up_by_itself_after_a_while(novel):
    async def story(app, pilot, engine, page):
        secretly(novel)
        await until(pilot, lambda: page.editor.text == NIGHT.replace("dark", "pale"))

    on_page(novel, story, autosave_seconds=SOON)


@pytest.mark.slow
@pytest.mark.parametrize("typed_before", [True, False], ids=["changed", "unchanged"])
def test_saving_goes_not_over_it_and_asks(novel, typed_before):
    async def story(app, pilot, engine, page):
        await press(pilot, *(["A"] if typed_before else []))
        secretly(novel)
        await press(pilot, "ctrl+s")
        await settled(pilot, app)
        return type(app.screen), novel.read_text()

    assert on_page(novel, story) == (ConflictScreen, NIGHT.replace("dark", "pale"))


@pytest.mark.slow
def test_both_changes_are_kept_as_one_step(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "A")
        novel.write_text(f"{NIGHT} went out.")
        await come_back(pilot, app)
        await press(pilot, "down", "enter")
        both, file = page.editor.text, novel.read_text()
        await press(pilot, "ctrl+z")
        return both, file, page.editor.text

    assert on_page(novel, story) == (f"A{NIGHT} went out.", f"A{NIGHT} went out.", f"A{NIGHT}")


@pytest.mark.slow
def test_the_file_is_not_read_where_the_keys_are_taken(novel, monkeypatch):
    threads = set()

    def look_at(path):
        threads.add(threading.current_thread())
        return textfile.look_at(path)

    async def story(app, pilot, engine, page):
        await come_back(pilot, app)
        await until(pilot, lambda: threads)

    monkeypatch.setattr(file_on_disk, "look_at", look_at)
    on_page(novel, story, autosave_seconds=SOON)
    assert threading.main_thread() not in threads


# A text that another studio has open.


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x50"])
def test_a_text_open_elsewhere_can_be_read_and_says_why_not_more(novel, size):
    async def story(app, pilot, engine, page):
        said = page.status.message + notified(app)
        await press(pilot, "f5", "A", "ctrl+g", "ctrl+s")
        return said, page.editor.text, page.status.message

    holder = Manuscript.open(novel)
    said, text, told = on_page(novel, story, size)
    holder.close()
    assert "can only be read here" in said
    assert text == NIGHT
    assert told.startswith("this text can only be read here: it is open in")


def last_lines(app):
    """Return what stands below the page."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips[-2:])


@pytest.mark.parametrize("size", [*SIZES, (40, 12)], ids=["80x24", "160x50", "40x12"])
def test_the_line_below_the_page_says_so_whatever_else_it_has(novel, size):
    async def story(app, pilot, engine, page):
        page.show_status(page.manuscript.read_only)
        await pilot.pause()
        said = last_lines(app)
        await press(pilot, "right")
        return said, last_lines(app)

    holder = Manuscript.open(novel)
    said, later = on_page(novel, story, size, word_goal=10000)
    holder.close()
    assert "this text can only be" in said or size[0] == 40
    assert "read only" in said
    assert "read only" in later


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x50"])
def test_a_file_that_is_marked_read_only_is_said_before_anything_else(novel, size):
    async def story(app, pilot, engine, page):
        novel.chmod(0o444)
        await press(pilot, "A", "ctrl+s")
        return last_lines(app)

    assert "NOT SAVED: it is marked as read-only" in on_page(novel, story, size, word_goal=10000)


@pytest.mark.parametrize("key", ["A", "ctrl+g", "ctrl+s", "f3"])
def test_what_cannot_be_done_there_says_why(novel, key):
    async def story(app, pilot, engine, page):
        page.status.message = ""
        await press(pilot, "ctrl+end", key)
        return page.status.message, app.screen is page

    holder = Manuscript.open(novel)
    told, same = on_page(novel, story)
    holder.close()
    assert same
    assert "can only be read here" in told


def test_another_text_can_be_opened_from_one_that_can_only_be_read(novel):
    async def story(app, pilot, engine, page):
        await by_palette(pilot, "Open another text")
        return type(app.screen)

    holder = Manuscript.open(novel)
    assert on_page(novel, story) is StartScreen
    holder.close()


# After a crash.


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x50"])
def test_what_a_crash_left_is_offered_first_and_taken(novel, size):
    async def story(app, pilot, engine, page):
        assert isinstance(app.screen, RecoverScreen)
        await press(pilot, "down", "enter")
        return page.editor.text, app.screen is page

    crashed(novel, "Lost. ")
    assert on_page(novel, story, size) == (f"Lost. {NIGHT}", True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keys", "again"),
    [(["up", "enter"], WritingScreen), (["escape"], RecoverScreen)],
    ids=["declined", "later"],
)
def test_what_a_crash_left_can_be_declined_or_wait(novel, keys, again):
    async def decide(app, pilot, engine, page):
        await press(pilot, *keys)
        text = page.editor.text
        await press(pilot, "ctrl+q")
        return text

    async def look(app, pilot, engine, page):
        return type(app.screen)

    crashed(novel, "Lost. ")
    assert on_page(novel, decide) == NIGHT
    assert on_page(novel, look) is again


@pytest.mark.slow
def test_a_recovered_text_can_be_written_on(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "down", "enter")
        await draft(pilot, engine, " went out.")
        await press(pilot, "tab", "ctrl+s")
        return page.status.safety

    crashed(novel, "Lost. ")
    assert on_page(novel, story) == "saved"
    assert novel.read_text() == f"Lost. {NIGHT} went out."


# Leaving.


def left(novel):
    """Type a letter, leave, and return what is to be said after the screen is gone."""

    async def story(app, pilot, engine, page):
        await press(pilot, "A", "ctrl+q")
        return app.unsaved

    return on_page(novel, story)


def test_leaving_a_text_that_is_saved_says_nothing(novel):
    assert left(novel) is None


def test_leaving_a_text_that_could_not_be_saved_says_why_and_that_it_is_kept(novel):
    novel.chmod(0o444)
    said = left(novel)
    assert said.startswith("NOT SAVED: it is marked as read-only: ")
    assert said.endswith("the text is kept, and is offered when you open it the next time")


def test_leaving_with_another_program_s_text_in_the_file_says_so(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "A")
        novel.write_text("Theirs.")
        await press(pilot, "ctrl+q")
        return app.unsaved

    assert "changed by another program" in on_page(novel, story)
    assert novel.read_text() == "Theirs."


@pytest.mark.slow
def test_leaving_what_is_in_memory_only_says_that_it_is_lost(novel, disk):
    async def story(app, pilot, engine, page):
        disk.append("full")
        await press(pilot, "A", "ctrl+q")
        await press(pilot, "right", "enter")
        return app.unsaved

    assert "is lost" in on_page(novel, story)


@pytest.mark.slow
def test_going_to_another_text_says_so_too(novel):
    async def story(app, pilot, engine, page):
        novel.chmod(0o444)
        await press(pilot, "A")
        await by_palette(pilot, "Open another text")
        return notified(app)

    assert "the text is kept, and is offered" in on_page(novel, story)

"""Drafts on the page: what was asked stays asked, nothing is taken unasked, and nothing that was written is lost."""

from dataclasses import replace

import pytest
from helpers.page_stories import by_palette, draft, notified, on_page, press, says, typed, until
from helpers.screen_host import lines_of
from helpers.scripted_engine import context_of, passage_of

from billy_mlx.engine.messages import Ended, Stop
from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.drafting import Drafts
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.tui.screens.context import ContextScreen
from billy_mlx.write.messages import Sent, VoicesWrote, Write, Written

NIGHT = "It was a dark night. The lamp"


async def asked(pilot, engine, words, *texts):
    """Have the voices go on with an instruction, from the end of the text."""
    await press(pilot, "ctrl+end", "ctrl+o")
    await typed(pilot, words)
    await press(pilot, "enter")
    engine.write(*texts)
    await pilot.pause()
    await pilot.pause()


async def cut_off(pilot, engine, text):
    """Have the voices go on from the cursor until their length is up."""
    await press(pilot, "ctrl+g")
    request = engine.last(Write)
    passage = replace(passage_of(text, request.voices[0].spelled, request.work), ended="length")
    await says(pilot, engine, VoicesWrote(request.job, {0: text}), Written(request.job, 0, passage), Ended(request.job))


def footer(app):
    return lines_of(app)[-1]


# What was asked.


@pytest.mark.slow
def test_another_try_asks_for_the_same_again(novel):
    async def story(app, pilot, engine, page):
        await asked(pilot, engine, "make her leave", " She left.")
        await press(pilot, "ctrl+n")
        return engine.last(Write).instruction

    assert on_page(novel, story) == "make her leave"


@pytest.mark.slow
def test_another_try_asks_for_the_same_again_after_a_restart(novel):
    async def first(app, pilot, engine, page):
        await asked(pilot, engine, "make her leave", " She left.")
        await press(pilot, "escape", "ctrl+q")

    async def second(app, pilot, engine, page):
        await by_palette(pilot, "Bring the draft back")
        await press(pilot, "ctrl+n")
        return engine.last(Write).instruction

    on_page(novel, first)
    assert on_page(novel, second) == "make her leave"


@pytest.mark.slow
def test_a_rewrite_is_tried_again_with_what_was_asked(novel):
    async def story(app, pilot, engine, page):
        page.editor.select(0, 20)
        await press(pilot, "ctrl+o", *"sad", "enter")
        engine.write("It was a sad night.")
        await press(pilot, "ctrl+n")
        return engine.last(Write).instruction, engine.last(Write).selection

    assert on_page(novel, story) == ("sad", (0, 20))


@pytest.mark.slow
def test_the_page_and_what_is_sent_show_what_was_asked(novel):
    async def story(app, pilot, engine, page):
        await asked(pilot, engine, "sad", " She left.")
        await until(pilot, lambda: "“sad”" in lines_of(app)[-2])
        await press(pilot, "f4")
        return engine.last(Write).only_context, engine.last(Write).instruction

    assert on_page(novel, story) == (True, "sad")


@pytest.mark.slow
def test_away_from_the_draft_what_is_sent_is_shown_without_what_was_asked(novel):
    async def story(app, pilot, engine, page):
        await asked(pilot, engine, "sad", " She left.")
        await press(pilot, "ctrl+home", "f4")
        return engine.last(Write).instruction, engine.last(Write).cursor

    assert on_page(novel, story) == ("", 0)


# Where it goes on.


@pytest.mark.slow
def test_it_goes_on_at_the_cursor_and_a_draft_elsewhere_stops_and_stays(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went", end=False)
        first = engine.last(Write).job
        await press(pilot, "ctrl+home", "ctrl+g")
        assert [request.job for request in engine.asked if isinstance(request, Stop)] == [first]
        assert (engine.last(Write).cursor, page.manuscript.text) == (0, NIGHT)
        await says(pilot, engine, VoicesWrote(first, {0: " out"}), Ended(first, stopped=True))
        return [(one.start, one.alternatives[0].text) for one in page.manuscript.drafts.open]

    assert on_page(novel, story) == [(0, ""), (len(NIGHT), " went out")]


@pytest.mark.slow
def test_a_draft_that_waits_is_marked_and_can_be_gone_to(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went out.")
        await press(pilot, "ctrl+home", "ctrl+g")
        engine.write("Once. ")
        await until(pilot, lambda: "┊…" in lines_of(app)[1])
        await by_palette(pilot, "Next draft")
        return page.editor.cursor, page.editor.text

    assert on_page(novel, story) == (len(NIGHT), f"{NIGHT} went out.")


def test_without_another_draft_there_is_none_to_go_to(novel):
    async def story(app, pilot, engine, page):
        await by_palette(pilot, "Next draft")
        return page.status.message + notified(app)

    assert "no other draft" in on_page(novel, story)


@pytest.mark.slow
def test_a_draft_at_the_cursor_is_taken_and_gone_on_from(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went", end=False)
        await press(pilot, "ctrl+g")
        return page.manuscript.text, engine.last(Write).cursor, len(page.manuscript.drafts.open)

    assert on_page(novel, story) == (f"{NIGHT} went", len(NIGHT) + 5, 1)


@pytest.mark.slow
def test_a_draft_out_of_the_selection_stays_when_that_is_rewritten(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went out.")
        page.editor.select(0, 20)
        await press(pilot, "ctrl+r")
        return [one.work for one in page.manuscript.drafts.open]

    assert on_page(novel, story) == ["rewrite", "continue"]


# Seams.


@pytest.mark.slow
def test_a_draft_before_a_word_ends_with_a_space_and_a_mark(novel):
    async def story(app, pilot, engine, page):
        page.editor.select(21, 21)
        await press(pilot, "ctrl+g")
        engine.write("Nobody slept")
        await until(pilot, lambda: "slept" in page.editor.text)
        shown = page.editor.text
        await press(pilot, "tab")
        return shown, page.manuscript.text

    shown, text = on_page(novel, story)
    assert shown == "It was a dark night. Nobody slept ┊The lamp"
    assert text == "It was a dark night. Nobody slept The lamp"


@pytest.mark.slow
def test_a_sentence_that_the_length_cut_is_left_out_and_can_be_brought_back(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "ctrl+end")
        await cut_off(pilot, engine, " went out. Nobody mo")
        await until(pilot, lambda: page.status.doing == "2 words cut")
        shown = page.editor.text
        await by_palette(pilot, "Bring back what was cut")
        await press(pilot, "tab")
        return shown, page.manuscript.text

    shown, text = on_page(novel, story)
    assert shown == f"{NIGHT} went out."
    assert text == f"{NIGHT} went out. Nobody mo"


@pytest.mark.slow
def test_what_was_cut_off_a_draft_in_the_text_comes_back_as_a_draft(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "ctrl+end")
        await cut_off(pilot, engine, " went out. Nobody mo")
        await press(pilot, "tab")
        taken = page.manuscript.text
        await by_palette(pilot, "Bring back what was cut")
        return taken, page.editor.text

    assert on_page(novel, story) == (f"{NIGHT} went out.", f"{NIGHT} went out. Nobody mo")


def test_the_length_is_asked_for_in_words(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "ctrl+g")
        return engine.last(Write).writing.words

    assert on_page(novel, story, words=70) == 70


# A late Escape.


@pytest.mark.slow
def test_the_footer_says_what_escape_does(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went", end=False)
        await until(pilot, lambda: "esc Stop" in footer(app))
        engine.finish(" went")
        await until(pilot, lambda: "esc Put away" in footer(app))
        await press(pilot, "f2")
        await until(pilot, lambda: "esc Back" in footer(app))

    on_page(novel, story)


@pytest.mark.slow
def test_a_draft_put_away_too_late_comes_back_with_undo(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went out.")
        await press(pilot, "escape")
        said, gone = page.status.message + notified(app), page.editor.text
        await press(pilot, "ctrl+z")
        back = page.editor.text
        await press(pilot, "ctrl+y")
        again = page.editor.text
        await press(pilot, "ctrl+z", "tab")
        return said, gone, back, again, page.manuscript.text

    said, gone, back, again, text = on_page(novel, story)
    assert "Undo brings it back" in said
    assert (gone, back, again, text) == (NIGHT, f"{NIGHT} went out.", NIGHT, f"{NIGHT} went out.")


@pytest.mark.slow
def test_another_try_is_offered_where_there_can_be_one(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went out.")
        for key, offered in (("tab", False), ("ctrl+z", True), ("escape", True), ("ctrl+z", True), ("tab", False)):
            await press(pilot, key)
            await until(pilot, lambda offered=offered: ("^n Try again" in footer(app)) == offered)

    on_page(novel, story)


@pytest.mark.slow
def test_no_history_is_needed_for_the_keys_below_the_page(novel, monkeypatch):
    def damaged(*_):
        raise ManuscriptError("the history is damaged")

    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went out.")
        await press(pilot, "tab", "ctrl+s")
        await until(pilot, lambda: novel.read_text(encoding="utf-8") == f"{NIGHT} went out.")
        monkeypatch.setattr(Drafts, "get", damaged)
        page.refresh_bindings()
        await until(pilot, lambda: "^n Try again" in footer(app))

    on_page(novel, story)
    on_page(novel, lambda app, pilot, engine, page: until(pilot, lambda: "^g Continue" in footer(app)))


@pytest.mark.slow
@pytest.mark.parametrize("keys", [("tab",), ("ctrl+t", "ctrl+t"), ("ctrl+t", "tab"), ("shift+tab",) * 4])
def test_a_draft_taken_whole_comes_back_with_undo_and_goes_into_the_text_with_redo(novel, keys):
    whole = f"{NIGHT} went out. It was."

    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went out. It was.")
        await press(pilot, *keys)
        taken = page.manuscript.text, page.drafts.current
        await press(pilot, *["ctrl+z"] * len(keys))
        undone = page.manuscript.text, page.editor.text
        await press(pilot, *["ctrl+y"] * len(keys))
        redone = page.manuscript.text, page.drafts.current
        await press(pilot, *["ctrl+z"] * len(keys), "tab")
        return taken, undone, redone, page.manuscript.text

    assert on_page(novel, story) == ((whole, None), (NIGHT, whole), (whole, None), whole)


@pytest.mark.slow
def test_putting_away_is_undone_in_order_with_edits(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went out.")
        await press(pilot, "escape", "x", "ctrl+z")
        between = (page.manuscript.text, page.drafts.current)
        await press(pilot, "ctrl+z")
        return between, page.editor.text

    assert on_page(novel, story) == ((NIGHT, None), f"{NIGHT} went out.")


@pytest.mark.slow
def test_a_draft_put_away_comes_back_after_a_restart(novel):
    async def first(app, pilot, engine, page):
        await draft(pilot, engine, " went out.")
        await press(pilot, "escape", "ctrl+q")

    async def second(app, pilot, engine, page):
        shown = page.editor.text
        await press(pilot, "ctrl+z")
        return shown, page.editor.text

    on_page(novel, first)
    assert on_page(novel, second) == (NIGHT, f"{NIGHT} went out.")


@pytest.mark.slow
def test_the_next_alternative_of_a_draft_put_away_brings_it_back(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went out.")
        await press(pilot, "escape", "ctrl+l")
        return page.editor.text

    assert on_page(novel, story) == f"{NIGHT} went out."


# While it streams.


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "taken"), [("tab", " went out. No"), ("ctrl+t", " went out."), ("shift+tab", " went")], ids=str
)
def test_what_there_is_is_taken_and_it_goes_on(novel, key, taken):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went out. No", end=False)
        await press(pilot, key)
        text = page.manuscript.text
        await says(pilot, engine, VoicesWrote(engine.last(Write).job, {0: "body moved."}))
        assert page.drafts.running
        assert not any(isinstance(request, Stop) for request in engine.asked)
        await until(pilot, lambda: page.editor.text.endswith("body moved."))
        await press(pilot, "tab", "escape")
        assert engine.was_stopped()
        engine.finish(" went out. Nobody moved.", stopped=True)
        await pilot.pause()
        return text, page.manuscript.text, page.drafts.current

    assert on_page(novel, story) == (NIGHT + taken, f"{NIGHT} went out. Nobody moved.", None)


@pytest.mark.slow
def test_typing_what_is_offered_shrinks_it(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went out.")
        await typed(pilot, " we")
        typing = (page.manuscript.text, page.editor.text)
        await press(pilot, "backspace", "e", "tab")
        return typing, page.manuscript.text

    assert on_page(novel, story) == ((f"{NIGHT} we", f"{NIGHT} went out."), f"{NIGHT} went out.")


@pytest.mark.slow
def test_a_draft_does_not_show_in_a_text_it_was_not_written_for(novel):
    async def story(app, pilot, engine, page):
        await press(pilot, "ctrl+end")
        await typed(pilot, " was")
        await draft(pilot, engine, " out.", end=False)
        await press(pilot, "ctrl+z")
        before = (page.editor.text, page.drafts.current, engine.was_stopped())
        await press(pilot, "ctrl+y")
        return before, page.editor.text

    assert on_page(novel, story) == ((NIGHT, None, True), f"{NIGHT} was out.")


def test_a_draft_of_another_version_does_not_show_when_a_text_is_opened(novel):
    manuscript = Manuscript.open(novel)
    manuscript.edit(len(NIGHT), len(NIGHT), " was")
    author = manuscript.drafts.alternative(manuscript.drafts.begin("continue", len(manuscript.text)))
    manuscript.drafts.write(author, " out.")
    manuscript.versions.undo()
    manuscript.save()
    manuscript.close()

    async def story(app, pilot, engine, page):
        return page.drafts.current, page.editor.text

    assert on_page(novel, story) == (None, NIGHT)


@pytest.mark.slow
def test_which_alternative_it_is_stays_to_be_seen_while_it_is_written(novel):
    async def story(app, pilot, engine, page):
        await draft(pilot, engine, " went out.")
        await press(pilot, "ctrl+n")
        engine.write(" bur", end=False)
        await until(pilot, lambda: "alternative 2 of 2 · writing" in lines_of(app)[-2])

    on_page(novel, story)


@pytest.mark.slow
def test_what_is_sent_says_what_was_asked(novel):
    async def story(app, pilot, engine, page):
        await asked(pilot, engine, "sad", " She left.")
        await press(pilot, "f4")
        request = engine.last(Write)
        context = context_of(request)
        part = replace(context.parts[0], kind="instruction", title="Instruction", text=request.instruction)
        await says(pilot, engine, Sent(request.job, replace(context, parts=(part,))))
        assert isinstance(app.screen, ContextScreen)
        return " ".join(lines_of(app))

    assert "You asked for: sad" in on_page(novel, story)


@pytest.mark.slow
@pytest.mark.parametrize("paragraphs", [3, 19, 40])
def test_the_page_follows_another_alternative_as_it_did_the_first(tmp_path, paragraphs):
    path = tmp_path / "night.md"
    path.write_text("\n\n".join(["It was dark."] * paragraphs))

    async def story(app, pilot, engine, page):
        await draft(pilot, engine, "\n\nfirst" * 20 + " END OF ONE")
        assert "END OF ONE" in "\n".join(lines_of(app))
        await press(pilot, "ctrl+n")
        await pilot.pause()
        engine.write("\n\nsecond" * 9, end=False)
        await pilot.pause()
        engine.write("\n\nsecond" * 9 + " END OF TWO")
        await pilot.pause()
        await pilot.pause()
        assert "END OF TWO" in "\n".join(lines_of(app))

    on_page(path, story)

"""A rewrite on the page: word by word in place, each change taken or skipped; or beside the words it is of."""

import pytest
from helpers.page_stories import by_palette, on_page, press, typed, until
from helpers.screen_host import lines_of
from textual.events import Paste

from billy_mlx.tui.keys import checked_keys
from billy_mlx.tui.screens.side_by_side import SideBySide
from billy_mlx.write.messages import Write

STONES = "The lamp had gone out. Mara stood on the wet stones. Nobody came."
NEW = "The lantern had gone out. Mara waited on the wet stones. Somebody came."
OTHER = "Fog hid every boat, and far below a bell rang twice."
KEYS = ("tab Take all", "^t Take", "⇧tab Skip", "f6 Next", "esc Put away", "f1 Help", "^p Commands")


@pytest.fixture
def stones(tmp_path):
    path = tmp_path / "novel.md"
    path.write_text(STONES, encoding="utf-8")
    return path


async def rewritten(pilot, engine, page, text=NEW):
    """Have the whole text written anew, and the studio show it."""
    page.editor.select(0, len(page.manuscript.text))
    await press(pilot, "ctrl+r")
    engine.write(text)
    await shown(pilot, page)


async def shown(pilot, page):
    await pilot.pause()
    page.show()  # which otherwise waits for its next frame
    await pilot.pause()


def after(path, *keys, text=NEW):
    """Return the text after a rewrite and some keys."""

    async def story(app, pilot, engine, page):
        await rewritten(pilot, engine, page, text)
        await press(pilot, *keys)
        return page.manuscript.text

    return on_page(path, story)


@pytest.mark.slow
def test_old_words_are_struck_and_new_ones_stand_beside_them_word_by_word(stones):
    async def story(app, pilot, engine, page):
        await rewritten(pilot, engine, page)
        kinds = [(part.kind.value, page.editor.text[part.start : part.end]) for part in page.editor._view.parts(0, 60)]
        return page.editor.text, [kind for kind in kinds if kind[0] != "text"]

    text, drafted = on_page(stones, story)
    assert text == "The lamp lantern had gone out. Mara stood waited on the wet stones. Nobody Somebody came."
    assert drafted[:3] == [("struck here", "lamp "), ("ghost here", "lantern "), ("struck", "stood ")]


@pytest.mark.slow
def test_the_third_change_is_taken_and_the_second_refused(stones):
    expected = "The lamp had gone out. Mara stood on the wet stones. Somebody came."
    assert after(stones, "shift+tab", "f6", "ctrl+t", "escape") == expected


@pytest.mark.slow
def test_a_skipped_change_stays_as_the_writer_had_it_and_can_be_come_back_to(stones):
    async def story(app, pilot, engine, page):
        await rewritten(pilot, engine, page)
        await press(pilot, "shift+tab")
        skipped = page.editor.text, page.rewriting.words
        await press(pilot, "ctrl+b")
        again = page.editor.text, page.rewriting.words
        await press(pilot, "ctrl+t")
        return skipped, again, page.manuscript.text

    (text, words), (again, there), taken = on_page(stones, story)
    assert (text[:18], words) == ("The lamp had gone ", "change 2 of 3")
    assert (again[:18], there) == ("The lamp lantern h", "change 1 of 3, skipped")
    assert taken.startswith("The lantern had gone out. Mara stood")


@pytest.mark.slow
@pytest.mark.parametrize("key", ["shift+tab", "f6", "ctrl+t"])
def test_the_line_below_the_page_says_which_change_stands_out(stones, key):
    async def story(app, pilot, engine, page):
        await rewritten(pilot, engine, page)
        await until(pilot, lambda: any("change 1 of 3" in line for line in lines_of(app)))
        await press(pilot, key)
        await until(pilot, lambda: any("change 2 of 3" in line for line in lines_of(app)))

    on_page(stones, story)


@pytest.mark.slow
def test_next_and_previous_go_round(stones):
    async def story(app, pilot, engine, page):
        await rewritten(pilot, engine, page)
        seen = []
        for key in ("ctrl+b", "f6", "f6"):
            await press(pilot, key)
            seen.append(page.rewriting.words)
        return seen, page.manuscript.text

    assert on_page(stones, story) == (["change 3 of 3", "change 1 of 3", "change 2 of 3"], STONES)


@pytest.mark.slow
def test_each_change_taken_is_one_step_and_its_undo_leads_back_to_it(stones):
    async def story(app, pilot, engine, page):
        await rewritten(pilot, engine, page)
        await press(pilot, "ctrl+t", "ctrl+t", "ctrl+t")
        assert (page.manuscript.text, page.drafts.current) == (NEW, None)
        seen = []
        for _ in range(3):
            await press(pilot, "ctrl+z")
            await shown(pilot, page)
            seen.append((page.rewriting.words, page.manuscript.text))
        return seen

    seen = on_page(stones, story)
    assert [words for words, _ in seen] == ["change 3 of 3", "change 2 of 3", "change 1 of 3"]
    assert [text.count("Nobody") + text.count("lamp") + text.count("stood") for _, text in seen] == [1, 2, 3]


@pytest.mark.slow
def test_a_step_made_again_closes_the_rewrite_again(stones):
    async def story(app, pilot, engine, page):
        await rewritten(pilot, engine, page)
        await press(pilot, "tab", "ctrl+z", "ctrl+y")
        await shown(pilot, page)
        return page.manuscript.text, page.drafts.current

    assert on_page(stones, story) == (NEW, None)


@pytest.mark.slow
def test_take_all_leaves_what_was_skipped_and_says_so(stones):
    async def story(app, pilot, engine, page):
        await rewritten(pilot, engine, page)
        await press(pilot, "shift+tab", "tab")
        told = page.status.message
        taken = page.manuscript.text
        await press(pilot, "ctrl+z")
        return told, taken, page.manuscript.text, page.rewriting.words

    told, taken, undone, words = on_page(stones, story)
    assert taken == NEW.replace("lantern", "lamp")
    assert told == "1 skipped change was not made."
    assert (undone, words) == (STONES, "change 2 of 3")


@pytest.mark.slow
def test_when_all_was_skipped_take_all_takes_nothing(stones):
    async def story(app, pilot, engine, page):
        await rewritten(pilot, engine, page)
        await press(pilot, "shift+tab", "shift+tab", "shift+tab", "tab")
        return page.manuscript.text, page.status.message, page.drafts.current is None

    text, told, away = on_page(stones, story)
    assert (text, away) == (STONES, False)
    assert told.startswith("you skipped all the changes that are left")


@pytest.mark.slow
def test_the_footer_has_these_keys_only_while_a_rewrite_is_on_the_page(stones):
    async def story(app, pilot, engine, page):
        await pilot.pause()
        before = lines_of(app)[-1]
        await rewritten(pilot, engine, page)
        during = lines_of(app)[-1]
        await press(pilot, "escape")
        await shown(pilot, page)
        return before, during, lines_of(app)[-1]

    before, during, afterwards = on_page(stones, story)
    assert [title for title in KEYS if title not in during] == []
    assert not any(title in before + afterwards for title in ("Skip", "Take all", "Put away"))


@pytest.mark.slow
def test_words_typed_into_the_passage_meanwhile_stay(stones):
    async def story(app, pilot, engine, page):
        await rewritten(pilot, engine, page)
        page.editor.select(len("The lamp had "), len("The lamp had "))
        await typed(pilot, "long ")
        await press(pilot, "tab")
        return page.manuscript.text

    assert on_page(stones, story) == NEW.replace("had gone", "had long gone")


@pytest.mark.slow
def test_a_selection_is_let_go_of_so_that_typing_does_not_replace_it(stones):
    assert after(stones, "exclamation_mark", "escape") == STONES + "!"


def test_words_never_run_together_while_a_rewrite_is_written(stones):
    async def story(app, pilot, engine, page):
        page.editor.select(0, len(STONES))
        await press(pilot, "ctrl+r")
        engine.write("She stood", end=False)
        await shown(pilot, page)
        return page.editor.text

    assert on_page(stones, story) == f"{STONES} She stood"


@pytest.mark.slow
def test_what_a_stopped_rewrite_has_not_come_to_stays(stones):
    async def story(app, pilot, engine, page):
        page.editor.select(0, len(STONES))
        await press(pilot, "ctrl+r")
        engine.write("The lantern had gone out. Mara", end=False)
        await press(pilot, "escape")
        engine.finish("The lantern had gone out. Mara", stopped=True)
        await shown(pilot, page)
        words = page.rewriting.words
        await press(pilot, "tab")
        return words, page.manuscript.text

    words, text = on_page(stones, story)
    assert (words, text) == ("change 1 of 1, stopped early", STONES.replace("lamp", "lantern"))


def test_a_rewrite_that_says_the_same_is_put_away_with_a_word(stones):
    async def story(app, pilot, engine, page):
        await rewritten(pilot, engine, page, STONES)
        return page.status.message, page.drafts.current

    assert on_page(stones, story) == ("The rewrite is the same as your text.", None)


@pytest.mark.slow
@pytest.mark.parametrize(("width", "side"), [(80, True), (60, False)])
def test_a_rewrite_that_has_few_of_the_words_is_shown_beside_them(stones, width, side):
    async def story(app, pilot, engine, page):
        await rewritten(pilot, engine, page, OTHER)
        assert isinstance(app.screen, SideBySide)
        lines = lines_of(app)
        return [next(y for y, line in enumerate(lines) if words in line) for words in ("Your words", "Rewritten")]

    old, new = on_page(stones, story, (width, 24))
    assert (old == new) == side


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "text", "open"), [("tab", OTHER, False), ("delete", STONES, False), ("escape", STONES, True)]
)
def test_beside_it_is_taken_put_away_or_left_for_later(stones, key, text, open):
    async def story(app, pilot, engine, page):
        await rewritten(pilot, engine, page, OTHER)
        await press(pilot, key)
        await shown(pilot, page)
        return page.manuscript.text, page.drafts.current is not None, app.screen is page

    assert on_page(stones, story) == (text, open, True)


@pytest.mark.slow
def test_another_alternative_is_shown_beside_the_words_by_swiping(stones):
    async def story(app, pilot, engine, page):
        await rewritten(pilot, engine, page, OTHER)
        await press(pilot, "escape", "ctrl+n")
        engine.write(OTHER.replace("bell", "horn"))
        await shown(pilot, page)
        both = "\n".join(lines_of(app))
        await press(pilot, "ctrl+l", "tab")
        return both, page.manuscript.text

    both, text = on_page(stones, story)
    assert all(words in both for words in ("alternative 2 of 2", "horn"))
    assert text == OTHER


@pytest.mark.slow
def test_another_try_from_beside_the_words_is_shown_there_again(stones):
    async def story(app, pilot, engine, page):
        await rewritten(pilot, engine, page, OTHER)
        await press(pilot, "ctrl+n")
        assert app.screen is page
        engine.write(OTHER.replace("bell", "horn"))
        await until(pilot, lambda: isinstance(app.screen, SideBySide))
        await shown(pilot, page)
        return "\n".join(lines_of(app))

    assert all(words in on_page(stones, story) for words in ("alternative 2 of 2", "horn", "^n Try again"))


@pytest.mark.slow
def test_what_is_typed_beside_it_goes_to_the_page(stones):
    async def story(app, pilot, engine, page):
        await rewritten(pilot, engine, page, OTHER)
        await typed(pilot, " Oh")
        await by_palette(pilot, "Side by side")
        app.post_message(Paste(" my"))
        await pilot.pause()
        return page.manuscript.text, app.screen is page

    assert on_page(stones, story) == (STONES + " Oh my", True)


@pytest.mark.slow
def test_who_writes_on_meanwhile_is_not_led_away(stones):
    async def story(app, pilot, engine, page):
        page.editor.select(0, len(STONES))
        await press(pilot, "ctrl+r")
        await shown(pilot, page)
        await typed(pilot, " x")
        engine.write(OTHER)
        await until(pilot, lambda: "few words with yours" in page.status.message)
        return app.screen is page

    assert on_page(stones, story)


@pytest.mark.slow
def test_a_key_that_the_writer_has_given_away_is_a_rewrites_only_while_there_is_one(stones):
    async def story(app, pilot, engine, page):
        await rewritten(pilot, engine, page)
        await press(pilot, "f6")
        words = page.rewriting.words
        await press(pilot, "escape", "f6")
        return words, len([asked for asked in engine.asked if isinstance(asked, Write)])

    assert checked_keys({"continue": "f6", "voices": "f2,ctrl+b"})[1] == ()
    assert on_page(stones, story, keys={"continue": "f6"}) == ("change 2 of 3", 2)


@pytest.mark.parametrize("keys", [{"change-next": "ctrl+z"}, {"change-take": "tab"}])
def test_a_rewrite_takes_no_key_that_is_needed_meanwhile(keys):
    assert "cannot be both" in checked_keys(keys)[1][0]

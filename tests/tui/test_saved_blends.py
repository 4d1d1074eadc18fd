"""Saved blends: what is kept under a name, and what a file that was tampered with is worth."""

import pytest

from billy_mlx.blend.blend import Blend
from billy_mlx.errors import BillyError, BlendError
from billy_mlx.tui.dials import Dials
from billy_mlx.tui.screens.saved_blends import blends_file, forget_blend, save_blend, saved_blends


def dials(text):
    return Dials.parse(text, Blend.parse)


def texts():
    """Return the text forms of what is saved, and what is wrong with the file."""
    blends, wrong = saved_blends()
    return {name: kept.text() for name, kept in blends.items()}, wrong


def write(text):
    blends_file().parent.mkdir(parents=True, exist_ok=True)
    blends_file().write_text(text, encoding="utf-8")


def test_nothing_is_saved_at_first():
    assert texts() == ({}, ())


def test_a_blend_comes_back_as_the_blend_option_takes_it():
    save_blend("dark", dials("noir:0.6+gothic:0.4@0.8/orthogonal"))
    save_blend('Ärger "quoted" \\ = #', dials("comic"))
    blends, wrong = texts()
    assert blends == {'Ärger "quoted" \\ = #': "comic:1@1/layered", "dark": "gothic:0.4+noir:0.6@0.8/orthogonal"}
    assert wrong == ()


def test_a_name_that_is_there_gets_the_new_blend():
    save_blend("dark", dials("noir"))
    save_blend(" dark ", dials("gothic"))
    assert texts()[0] == {"dark": "gothic:1@1/layered"}


def test_a_forgotten_blend_is_gone_and_the_others_stay():
    save_blend("one", dials("noir"))
    save_blend("two", dials("gothic"))
    forget_blend("one")
    forget_blend("never there")
    assert list(saved_blends()[0]) == ["two"]


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "two\nlines", "\x1b[31m"])
def test_a_name_that_cannot_be_shown_is_refused(name):
    with pytest.raises(BlendError, match="a blend's name has 1 to 60 characters"):
        save_blend(name, dials("noir"))


def test_bad_entries_are_passed_over_and_named():
    write('good = "noir"\nbad = "noir:x"\nnumber = 3\n"\\u001b[2J" = "noir"\n')
    blends, wrong = texts()
    assert blends == {"good": "noir:1@1/balanced"}
    assert len(wrong) == 3
    assert "bad is skipped" in wrong[0]
    assert not any("\x1b" in sentence for sentence in wrong)


def test_a_bad_entry_that_is_text_survives_saving_another():
    write('bad = "noir:x"\n')
    save_blend("good", dials("noir"))
    assert '"bad" = "noir:x"' in blends_file().read_text(encoding="utf-8")


def test_a_blend_that_the_version_before_kept_means_what_it_meant_and_says_so_once_the_file_is_written():
    write('mine = "noir@0.3r/L5"\n')
    assert texts() == ({"mine": "noir:1@0.3r/balanced/L5"}, ())
    save_blend("new", dials("comic"))
    assert blends_file().read_text(encoding="utf-8").splitlines()[1:] == [
        '"mine" = "noir:1@0.3r/balanced/L5"',
        '"new" = "comic:1@1/layered"',
    ]


def test_who_is_muted_is_kept_in_the_file():
    save_blend("quiet", dials("gothic:0.4+noir:0.6@0.8/layered muted gothic"))
    assert texts() == ({"quiet": "gothic:0.4+noir:0.6@0.8/layered muted gothic"}, ())


def test_who_is_muted_and_not_in_the_blend_is_named():
    write('odd = "noir/layered muted gothic"\n')
    assert "'gothic' is muted but not in the blend" in saved_blends()[1][0]


def test_a_file_that_is_no_toml_is_named_and_not_overwritten():
    write("what is this")
    assert "is not TOML" in saved_blends()[1][0]
    with pytest.raises(BillyError, match="is not TOML"):
        save_blend("dark", dials("noir"))
    assert blends_file().read_text(encoding="utf-8") == "what is this"


def test_a_file_of_any_size_is_refused_at_once():
    write("a" * 70_000)
    assert "larger than 64 KiB" in saved_blends()[1][0]

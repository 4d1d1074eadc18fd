"""A text without a name: kept as any other, and a file from its first name on."""

import pytest

from billy_mlx import paths
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.state_folder import is_untitled, recent, untitled_path
from billy_mlx.manuscript.textfile import Conflict
from billy_mlx.manuscript.untitled import beginning, first_words


def begun(text="The lamp had gone out."):
    manuscript = Manuscript.open(untitled_path())
    manuscript.edit(0, 0, text)
    return manuscript


def killed(manuscript):
    """End as after a kill: nothing is closed, and the system takes the lock away."""
    manuscript._lock.release()
    return manuscript.path


def folders():
    there = paths.state_folder() / "manuscripts"
    return sorted(there.iterdir()) if there.exists() else []


@pytest.mark.parametrize(
    "end", [killed, lambda manuscript: (manuscript.save(), manuscript.close(), manuscript.path)[-1]]
)
def test_it_comes_back_as_it_was_without_a_question(end):
    path = end(begun())
    (text,) = recent()
    assert (text.path, text.untitled, text.gone, beginning(path)) == (path, True, False, "The lamp had gone out")
    again = Manuscript.open(path)
    assert (again.text, again.offers, again.untitled, str(again.safety)) == (
        "The lamp had gone out.",
        (),
        True,
        "no name yet",
    )
    assert again.versions.undo()
    assert again.text == ""
    again.versions.redo()
    again.close()
    assert Manuscript.open(path).text == "The lamp had gone out."


def test_nothing_is_saved_until_it_has_a_name(tmp_path):
    manuscript = begun()
    safety = manuscript.save()
    assert (safety.at_risk, safety.problems, manuscript.path.exists()) == (False, (), False)
    assert not manuscript.changed_elsewhere()


def test_with_a_name_it_is_a_file_and_its_versions_come_along(tmp_path):
    manuscript = begun()
    manuscript.give_name(tmp_path / "tale.md")
    assert ((tmp_path / "tale.md").read_text(), str(manuscript.safety)) == ("The lamp had gone out.", "saved")
    manuscript.edit(0, 0, "“")
    manuscript.save()
    manuscript.close()
    again = Manuscript.open(tmp_path / "tale.md")
    assert (again.text, again.name, again.untitled, again.notices) == ("“The lamp had gone out.", "tale.md", False, ())
    assert again.versions.undo()
    assert again.versions.undo()
    assert [text.path for text in recent()] == [tmp_path / "tale.md"]


def test_a_text_that_was_named_and_then_killed_is_offered_what_it_had_not_saved(tmp_path):
    manuscript = begun()
    manuscript.give_name(tmp_path / "tale.md")
    manuscript.edit(0, 0, "Oh. ")
    killed(manuscript)
    again = Manuscript.open(tmp_path / "tale.md")
    assert (again.text, [offer.prose.text for offer in again.offers]) == (
        "The lamp had gone out.",
        ["Oh. The lamp had gone out."],
    )


def test_a_named_text_that_is_renamed_is_known_again(tmp_path):
    manuscript = begun()
    manuscript.give_name(tmp_path / "tale.md")
    manuscript.close()
    (tmp_path / "tale.md").rename(tmp_path / "story.md")
    again = Manuscript.open(tmp_path / "story.md")
    assert again.versions.undo()
    assert "was tale.md before" in again.notices[0]


def test_the_versions_of_a_file_that_was_there_once_do_not_take_its_place(tmp_path):
    old = Manuscript.open(tmp_path / "tale.md")
    old.edit(0, 0, "An old tale.")
    old.save()
    old.close()
    (tmp_path / "tale.md").unlink()
    new = begun()
    new.give_name(tmp_path / "tale.md")
    new.close()
    again = Manuscript.open(tmp_path / "tale.md")
    assert again.text == "The lamp had gone out."
    assert again.versions.undo()
    assert again.text == ""


def test_a_name_that_is_taken_or_cannot_be_written_leaves_it_without_one(tmp_path):
    (tmp_path / "tale.md").write_text("Another.")
    manuscript = begun()
    with pytest.raises(Conflict):
        manuscript.give_name(tmp_path / "tale.md")
    assert ((tmp_path / "tale.md").read_text(), manuscript.untitled) == ("Another.", True)
    manuscript.give_name(tmp_path / "story.md")
    assert (tmp_path / "story.md").read_text() == "The lamp had gone out."


@pytest.mark.parametrize("written", ["", "  \n", "abc"])
@pytest.mark.parametrize("kill", [False, True])
def test_an_empty_page_leaves_nothing_behind(written, kill):
    manuscript = Manuscript.open(untitled_path())
    manuscript.edit(0, 0, written)
    if written == "abc":
        manuscript.edit(0, 3, "")
    if kill:
        killed(manuscript)
        assert [beginning(text.path) for text in recent()] == [None]
    else:
        manuscript.close()
    assert (folders(), recent()) == ([], ())


@pytest.mark.parametrize("kill", [False, True])
def test_a_page_that_was_emptied_keeps_what_was_on_it(kill):
    manuscript = begun("The lamp had gone out an hour before Mara reached the harbour.")
    manuscript.edit(0, len(manuscript.text), "")
    killed(manuscript) if kill else manuscript.close()
    (text,) = recent()
    assert beginning(text.path) == ""
    again = Manuscript.open(text.path)
    assert again.versions.undo()
    assert again.text.startswith("The lamp")


def test_a_page_that_is_open_elsewhere_is_let_be():
    manuscript = Manuscript.open(untitled_path())
    assert beginning(manuscript.path) is None
    manuscript.edit(0, 0, "Once upon a time.")
    reader = Manuscript.open(manuscript.path)
    assert (reader.text, reader.read_only is None) == ("Once upon a time.", False)


def test_a_file_of_that_name_elsewhere_has_one(tmp_path):
    assert not is_untitled(tmp_path / "untitled-0" / "Untitled.md")
    assert not Manuscript.open(tmp_path / "Untitled.md").untitled


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", ""),
        ("\n\n  Once. ", "Once"),
        ("# Chapter 1: The Harbour\n\nIt", "Chapter 1 The Harbour"),
        ("“Where were you?” “Out.” Out where? She did not", "Where were you Out. Out"),
        ("Incomprehensibilities notwithstanding, counterrevolutionaries", "Incomprehensibilities notwithstanding"),
        ("x" * 100, "x" * 40),
        ("../../etc", "etc"),
        (".hidden\x1b[2J", "hidden␛[2J"),
    ],
)
def test_a_name_is_made_of_the_first_words(text, name):
    assert first_words(text) == name

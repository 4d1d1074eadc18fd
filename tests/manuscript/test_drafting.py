"""Drafts: taken whole, by the sentence or change by change, exchanged, put away and taken up again."""

import itertools
from contextlib import closing
from dataclasses import replace

import pytest

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.draft import Fate
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.passage import Passage, Voice
from billy_mlx.manuscript.prose import UNKNOWN, WRITER
from billy_mlx.manuscript.records import Kind
from billy_mlx.sentences import sentence_end

NIGHT = "It was a dark night. Nobody came."
END = len(NIGHT)
PASSAGE = Passage("x", (1,), (Voice(0, "noir:1@1"),), "continue", "starter", {}, {}, (1,), 7, {}, 9)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "novel.md"
    path.write_text(NIGHT)
    return path


@pytest.fixture
def manuscript(path):
    ticking = itertools.count(1.0, 10.0)
    manuscript = Manuscript.open(path, clock=lambda: next(ticking))
    yield manuscript
    manuscript.close()


def begin(manuscript, *texts, work="continue", start=END, end=None):
    drafts = manuscript.drafts
    draft = drafts.begin(work, start, end)
    for text in texts:
        drafts.write(drafts.alternative(draft), text)
    return draft


def test_a_draft_stands_beside_the_text_until_it_is_taken(manuscript):
    draft = begin(manuscript, " The fog rose.")
    assert manuscript.text == NIGHT
    manuscript.drafts.accept(draft)
    assert manuscript.text == NIGHT + " The fog rose."
    assert manuscript.versions.undo()
    assert manuscript.text == NIGHT


def test_a_generation_is_one_step_however_it_streamed(manuscript):
    draft = begin(manuscript)
    author = manuscript.drafts.alternative(draft)
    for word in (" The", " fog", " rose."):
        manuscript.drafts.write(author, word)
    manuscript.drafts.accept(draft)
    manuscript.versions.undo()
    assert manuscript.text == NIGHT


def test_a_draft_moves_with_what_is_typed_elsewhere(manuscript):
    draft = begin(manuscript, " fog", start=8)
    manuscript.edit(0, 2, "Once it")
    manuscript.edit(len(manuscript.text), len(manuscript.text), " End.")
    manuscript.drafts.accept(draft)
    assert manuscript.text == "Once it was a fog dark night. Nobody came. End."


def test_a_draft_can_be_taken_sentence_by_sentence(manuscript):
    draft = begin(manuscript, " The fog rose. A bell rang.")
    for expected in (" The fog rose.", " The fog rose. A bell rang."):
        held = manuscript.drafts.get(draft)
        rest = held.alternatives[0].text[manuscript.drafts.taken(held) :]
        manuscript.drafts.accept(draft, sentence_end(rest, 0))
        assert manuscript.text == NIGHT + expected
    manuscript.versions.undo()
    assert manuscript.text == NIGHT + " The fog rose."
    manuscript.drafts.accept(draft)
    assert manuscript.text == NIGHT + " The fog rose. A bell rang."


def test_a_draft_may_be_taken_while_it_is_written(manuscript):
    draft = begin(manuscript, " The fog rose.")
    author = manuscript.drafts.get(draft).alternatives[0].author
    manuscript.drafts.accept(draft, 8)
    manuscript.drafts.write(author, " It stayed.")
    manuscript.drafts.accept(draft)
    manuscript.drafts.write(author, " too late")
    manuscript.drafts.finish(author, PASSAGE)
    assert manuscript.text == NIGHT + " The fog rose. It stayed."
    assert manuscript.passage(author) == PASSAGE


def test_alternatives_can_be_looked_through_before_and_exchanged_after(manuscript):
    draft = begin(manuscript, " One.", " Two.", " Three.")
    manuscript.drafts.swipe(draft)
    manuscript.drafts.accept(draft)
    assert manuscript.text == NIGHT + " Two."
    manuscript.edit(0, 0, "Then: ")
    for by, expected in ((1, " Three."), (1, " One."), (-1, " Three.")):
        manuscript.drafts.swipe(draft, by)
        assert manuscript.text == "Then: " + NIGHT + expected
    manuscript.versions.undo()
    assert manuscript.text == "Then: " + NIGHT + " One."


def test_an_exchange_never_drops_what_the_writer_has_changed(manuscript):
    draft = begin(manuscript, " One.", " Two.")
    manuscript.drafts.accept(draft)
    manuscript.edit(len(NIGHT) + 1, len(NIGHT) + 2, "o")
    with pytest.raises(ManuscriptError, match="you changed this passage"):
        manuscript.drafts.swipe(draft)


def test_a_rejected_draft_can_be_taken_up_again_where_it_was(manuscript):
    draft = begin(manuscript, " fog", start=8)
    manuscript.drafts.reject(draft)
    manuscript.edit(0, 0, ">> ")
    assert manuscript.drafts.open == ()
    manuscript.drafts.reopen(draft)
    manuscript.drafts.accept(draft)
    assert manuscript.text == ">> It was a fog dark night. Nobody came."


def test_what_was_undone_can_be_taken_up_again(manuscript):
    draft = begin(manuscript, " One.", " Two.")
    manuscript.drafts.accept(draft)
    with pytest.raises(ManuscriptError, match="is in the text"):
        manuscript.drafts.reopen(draft)
    manuscript.versions.undo()
    manuscript.drafts.reopen(draft)
    manuscript.drafts.swipe(draft)
    manuscript.drafts.accept(draft)
    assert manuscript.text == NIGHT + " Two."


REWRITE = "It was a bright night. Somebody came."


def test_a_rewrite_is_a_word_diff_taken_change_by_change(manuscript):
    draft = begin(manuscript, REWRITE, work="rewrite", start=0, end=len(NIGHT))
    assert [change.after for change in manuscript.drafts.changes(draft)] == ["bright ", "Somebody "]
    manuscript.drafts.accept_changes(draft, [1])
    assert manuscript.text == "It was a dark night. Somebody came."
    manuscript.drafts.accept_changes(draft, [0])
    assert manuscript.text == REWRITE
    assert manuscript.drafts.get(draft).fate is Fate.ACCEPTED
    manuscript.versions.undo()
    assert manuscript.text == "It was a dark night. Somebody came."


def test_words_that_a_rewrite_keeps_are_still_by_who_wrote_them(manuscript):
    draft = begin(manuscript, REWRITE, work="rewrite", start=0, end=len(NIGHT))
    manuscript.drafts.accept(draft)
    authors = manuscript.prose.authors
    assert (authors.at(0), authors.at(REWRITE.index("bright")) > 0) == (UNKNOWN, True)


def test_a_rewrite_can_be_exchanged_for_another(manuscript):
    draft = begin(manuscript, REWRITE, "It was a dark day. Nobody stayed.", work="rewrite", start=0, end=len(NIGHT))
    manuscript.drafts.accept(draft)
    manuscript.drafts.swipe(draft)
    assert manuscript.text == "It was a dark day. Nobody stayed."
    assert manuscript.prose.authors.at(0) == UNKNOWN


def test_rejecting_the_rest_of_a_rewrite_leaves_what_was_taken(manuscript):
    draft = begin(manuscript, REWRITE, work="rewrite", start=0, end=len(NIGHT))
    manuscript.drafts.accept_changes(draft, [0])
    manuscript.drafts.reject(draft)
    assert manuscript.text == "It was a bright night. Nobody came."
    assert manuscript.drafts.open == ()


def test_drafts_and_their_alternatives_are_there_after_a_restart(manuscript, path):
    draft = begin(manuscript, " One.", " Two.")
    manuscript.drafts.accept(draft)
    manuscript.save()
    manuscript.close()
    again = Manuscript.open(path)
    again.drafts.swipe(draft)
    assert again.text == NIGHT + " Two."
    again.close()


def test_texts_take_on_the_line_ends_of_the_file(path):
    path.write_bytes(b"one\r\ntwo\r\n")
    manuscript = Manuscript.open(path)
    draft = begin(manuscript, "three\nfour\n", start=10)
    manuscript.drafts.accept(draft)
    manuscript.save()
    assert path.read_bytes() == b"one\r\ntwo\r\nthree\r\nfour\r\n"
    manuscript.close()


WRONG = {
    "a place outside": lambda drafts: drafts.begin("continue", 999),
    "no such draft": lambda drafts: drafts.get(999),
    "not open": lambda drafts: drafts.accept(999),
    "empty": lambda drafts: drafts.accept(drafts.begin("continue", 0)),
    "no draft to exchange": lambda drafts: drafts.swipe(999),
    "open already": lambda drafts: drafts.reopen(drafts.begin("continue", 0)),
    "nothing rewritten": lambda drafts: drafts.changes(drafts.begin("rewrite", 0, 3)),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_done_is_said(manuscript, wrong):
    with pytest.raises(ManuscriptError):
        WRONG[wrong](manuscript.drafts)


def test_changes_that_a_rewrite_does_not_have_are_refused(manuscript):
    draft = begin(manuscript, REWRITE, work="rewrite", start=0, end=len(NIGHT))
    for chosen in ([], [7]):
        with pytest.raises(ManuscriptError, match="2 changes of the rewrite can be made"):
            manuscript.drafts.accept_changes(draft, chosen)


def test_what_ever_was_in_the_text_is_known_in_the_order_in_which_it_came(manuscript, path):
    first, second = begin(manuscript, " One. Two."), begin(manuscript, " Three.", " Four.")
    manuscript.drafts.accept(second)
    manuscript.drafts.accept(first, len(" One."))
    manuscript.drafts.swipe(second)
    authors = [manuscript.drafts.get(draft).alternatives[index].author for draft, index in ((1, 0), (2, 0), (2, 1))]
    expected = authors[1], authors[0], authors[2]
    assert manuscript.drafts.used() == expected
    manuscript.edit(0, len(manuscript.text), "")
    manuscript.close()
    with closing(Manuscript.open(path)) as again:
        assert again.drafts.used() == expected


CUT = replace(PASSAGE, ended="length")


def finished(manuscript, text, start=END, passage=CUT, **how):
    """Begin a draft at a place that a model has ended, and return its number."""
    drafts = manuscript.drafts
    draft = drafts.begin("infill", start, **how)
    author = drafts.alternative(draft)
    drafts.write(author, text)
    drafts.finish(author, passage)
    return draft


def shown(manuscript, draft):
    return str(manuscript.drafts.rest(manuscript.drafts.get(draft)))


def test_a_draft_in_the_middle_of_a_line_has_spaces_around_it_in_ghost_and_text_alike(manuscript):
    draft = finished(manuscript, "Clouds came", start=20, passage=PASSAGE)
    manuscript.edit(20, 21, "")
    assert shown(manuscript, draft) == " Clouds came "
    manuscript.drafts.accept(draft)
    assert manuscript.text == "It was a dark night. Clouds came Nobody came."
    manuscript.versions.undo()
    assert manuscript.text == "It was a dark night.Nobody came."


def test_spaces_around_a_draft_are_the_writers_and_the_passage_stays_as_it_was_written(manuscript):
    draft = finished(manuscript, "Fog", start=21, passage=PASSAGE)
    manuscript.drafts.accept(draft)
    author = manuscript.drafts.get(draft).alternatives[0].author
    assert manuscript.text == "It was a dark night. Fog Nobody came."
    assert [manuscript.prose.authors.at(place) for place in (23, 24, 25)] == [author, WRITER, UNKNOWN]
    assert manuscript.passage(author) == PASSAGE


def test_word_by_word_the_rest_stays_before_the_space_that_follows(manuscript):
    draft = finished(manuscript, "Then fog", start=21, passage=PASSAGE)
    manuscript.drafts.accept(draft, 4)
    assert manuscript.text == "It was a dark night. Then Nobody came."
    assert shown(manuscript, draft) == " fog"
    manuscript.drafts.accept(draft)
    assert manuscript.text == "It was a dark night. Then fog Nobody came."


def test_an_exchanged_alternative_has_its_spaces_too(manuscript):
    draft = begin(manuscript, "Fog", " And rain", start=20)
    manuscript.drafts.accept(draft)
    assert manuscript.text == "It was a dark night. Fog Nobody came."
    for expected in (" And rain", " Fog"):
        manuscript.drafts.swipe(draft)
        assert manuscript.text == f"It was a dark night.{expected} Nobody came."


def test_what_the_length_cut_is_not_taken_and_can_be_brought_back(manuscript):
    draft = finished(manuscript, " Fog came. It wo")
    manuscript.drafts.accept(draft)
    assert manuscript.text == NIGHT + " Fog came."
    assert manuscript.drafts.cut(manuscript.drafts.get(draft)) == " It wo"
    manuscript.drafts.uncut(draft)
    manuscript.drafts.accept(draft)
    assert manuscript.text == NIGHT + " Fog came. It wo"


def test_cut_words_are_brought_back_before_anything_is_taken_too(manuscript, path):
    draft = finished(manuscript, " Fog came. It wo")
    manuscript.drafts.uncut(draft)
    manuscript.close()
    with closing(Manuscript.open(path)) as again:
        assert shown(again, draft) == " Fog came. It wo"
        with pytest.raises(ManuscriptError, match="nothing was cut"):
            again.drafts.uncut(draft)


def test_a_draft_keeps_what_was_asked_for(manuscript, path):
    draft = begin(manuscript)
    asked = manuscript.drafts.begin("continue", END, instruction="make her leave")
    manuscript.drafts.write(manuscript.drafts.alternative(asked), " She left.")
    manuscript.drafts.put_away(asked)
    manuscript.close()
    with closing(Manuscript.open(path)) as again:
        assert [again.drafts.get(one).instruction for one in (draft, asked)] == ["", "make her leave"]
        again.versions.undo()
        assert again.drafts.open[-1].instruction == "make her leave"


def test_putting_a_draft_away_is_a_step_among_others(manuscript):
    draft = begin(manuscript, " Fog.")
    manuscript.edit(0, 0, ">")
    manuscript.drafts.put_away(draft)
    manuscript.edit(0, 1, "")
    seen = []
    for step in [manuscript.versions.undo] * 3 + [manuscript.versions.redo] * 3:
        assert step()
        seen.append((manuscript.text[:1], len(manuscript.drafts.open)))
    assert seen == [(">", 0), (">", 1), ("I", 1), (">", 1), (">", 0), ("I", 0)]


def test_what_was_left_of_a_draft_comes_back_as_a_rest(manuscript):
    draft = begin(manuscript, " One. Two.")
    manuscript.drafts.accept(draft, 5)
    manuscript.drafts.put_away(draft)
    assert manuscript.drafts.get(draft).fate is Fate.ACCEPTED
    manuscript.versions.undo()
    assert shown(manuscript, draft) == " Two."
    manuscript.versions.redo()
    assert (manuscript.drafts.open, manuscript.drafts.get(draft).fate) == ((), Fate.ACCEPTED)


def test_a_draft_that_is_back_already_is_no_step(manuscript):
    draft = begin(manuscript, " Fog.")
    manuscript.edit(0, 0, ">")
    manuscript.drafts.put_away(draft)
    manuscript.drafts.reopen(draft)
    manuscript.versions.undo()
    assert (manuscript.text, len(manuscript.drafts.open)) == (NIGHT, 1)


def test_a_draft_put_away_is_no_landmark_among_the_versions(manuscript):
    manuscript.drafts.put_away(begin(manuscript, " Fog."))
    manuscript.edit(0, 0, ">")
    kinds = [version.kind for version in manuscript.versions.tree()]
    assert Kind.PUT_AWAY not in kinds
    assert Kind.PUT_AWAY in [version.kind for version in manuscript.versions.tree(landmarks=False)]


def test_a_draft_belongs_to_the_text_it_was_begun_for(manuscript):
    manuscript.edit(END, END, " They")
    draft = begin(manuscript, " left.", start=END + 5)
    manuscript.edit(0, 0, ">")
    here = []
    for step in ("undo", "undo", "redo"):
        getattr(manuscript.versions, step)()
        here.append([one.id for one in manuscript.drafts.here])
    assert here == [[draft], [], [draft]]
    manuscript.drafts.put_away(draft)
    manuscript.versions.go(1)
    with pytest.raises(ManuscriptError, match="another version"):
        manuscript.drafts.reopen(draft)


def test_a_branch_has_its_own_drafts(manuscript):
    manuscript.edit(END, END, " They")
    begin(manuscript, " left.", start=END + 5)
    manuscript.versions.undo()
    for letter in " We":
        manuscript.edit(len(manuscript.text), len(manuscript.text), letter)
        assert manuscript.drafts.here == ()


def along(manuscript, draft, text, start, end=None):
    found = manuscript.drafts.along(draft, start, start if end is None else end, text)
    if found is not None:
        manuscript.type_along(found, start, start if end is None else end, text)
    return found is not None


def test_what_a_draft_offers_may_be_typed_and_is_the_writers(manuscript):
    draft = finished(manuscript, " Fog", passage=PASSAGE)
    for place, letter in enumerate(" F"):
        assert along(manuscript, draft, letter, END + place)
    assert (manuscript.text, shown(manuscript, draft)) == (NIGHT + " F", "og")
    assert manuscript.prose.authors.at(END + 1) == WRITER
    assert not along(manuscript, draft, "x", END + 2)
    assert along(manuscript, draft, "", END + 1, END + 2)
    assert shown(manuscript, draft) == "Fog"
    manuscript.versions.undo()
    assert along(manuscript, draft, "og", END + 2)
    assert (manuscript.text, manuscript.drafts.open) == (NIGHT + " Fog", ())


def test_a_draft_typed_to_its_end_leaves_a_space_before_the_next_word(manuscript):
    draft = finished(manuscript, "Fog", start=21, passage=PASSAGE)
    assert along(manuscript, draft, "Fog", 21)
    assert manuscript.text == "It was a dark night. Fog Nobody came."


MESSAGES = {
    "open": lambda drafts, draft: drafts.reopen(draft),
    "away": lambda drafts, draft: (drafts.put_away(draft), drafts.swipe(draft)),
    "taken": lambda drafts, draft: (drafts.accept(draft), drafts.reopen(draft)),
    "closed": lambda drafts, draft: (drafts.reject(draft), drafts.accept(draft)),
    "none": lambda drafts, _: drafts.get(999),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_no_message_names_a_draft_by_its_number(manuscript, case):
    draft = begin(manuscript, " One.")
    with pytest.raises(ManuscriptError) as raised:
        MESSAGES[case](manuscript.drafts, draft)
    assert not any(word in str(raised.value) for word in ("draft 1", "reopen", "swipe", "999", "reject"))


def test_after_a_piece_of_one_alternative_a_piece_of_another_can_be_taken(manuscript):
    drafts, draft = manuscript.drafts, begin(manuscript, " Rain fell. It stopped.", " Snow came. It lay.")
    drafts.accept_of(draft, 1, len(" Snow came."))
    drafts.accept_of(draft, 0, len(" Rain fell."))
    drafts.accept_of(draft, 1, len(" It lay."))
    assert manuscript.text == NIGHT + " Snow came. Rain fell. It lay."
    held = drafts.get(draft)
    assert [drafts.taken(held, 0), drafts.taken(held, 1)] == [len(" Rain fell."), len(" Snow came. It lay.")]
    assert held.fate is Fate.OPEN


def test_each_piece_of_an_alternative_is_a_step_that_undo_takes_back(manuscript):
    drafts, draft = manuscript.drafts, begin(manuscript, " Rain fell.", " Snow came.")
    drafts.accept_of(draft, 0, len(" Rain"))
    drafts.accept_of(draft, 1, len(" Snow"))
    manuscript.versions.undo()
    assert manuscript.text == NIGHT + " Rain"
    assert [drafts.taken(drafts.get(draft), one) for one in (0, 1)] == [len(" Rain"), 0]
    drafts.accept_of(draft, 0)
    assert manuscript.text == NIGHT + " Rain fell."
    assert drafts.open == ()


def test_pieces_of_several_alternatives_are_there_at_the_next_opening(path, manuscript):
    drafts, draft = manuscript.drafts, begin(manuscript, " Rain fell.", " Snow came.")
    drafts.accept_of(draft, 0, len(" Rain"))
    drafts.accept_of(draft, 1, len(" Snow"))
    held, text = drafts.get(draft), manuscript.text
    manuscript.close()
    with closing(Manuscript.open(path)) as again:
        (offer,) = again.offers
        again.recover(offer)
        assert again.text == text
        assert again.drafts.get(draft) == held


def test_a_draft_with_a_piece_of_any_alternative_in_the_text_counts_as_accepted_when_it_is_put_away(manuscript):
    drafts, draft = manuscript.drafts, begin(manuscript, " Rain fell.", " Snow came.")
    drafts.accept_of(draft, 0, len(" Rain"))
    drafts.accept_of(draft, 1, len(" Snow"))
    manuscript.versions.undo()
    drafts.reject(draft)
    assert drafts.get(draft).fate is Fate.ACCEPTED

"""The desk puts what models write where it was asked for, whatever the writer does meanwhile."""

from dataclasses import replace
from itertools import count

import pytest

from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.blend.recipe import Prompt
from billy_mlx.engine.messages import Coherence, Ended, Failed, Job
from billy_mlx.errors import BillyError, ManuscriptError
from billy_mlx.manuscript.context.parts import Context
from billy_mlx.manuscript.draft import Fate
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.passage import Passage, Voice
from billy_mlx.write.drafting_session import DraftingSession
from billy_mlx.write.messages import PromptRead, Sent, VoicesWrote, Writing, Written

STORY = "Ada slept.\n\nThe lamp was cold. She woke."
NOIR = Blend.parse("noir")
WRITING = Writing()
CONTEXT = Context(Prompt.of("", prefix=STORY), (), 3, 10, "")


@pytest.fixture
def manuscript(tmp_path):
    path = tmp_path / "novel.md"
    path.write_text(STORY)
    manuscript = Manuscript.open(path)
    yield manuscript
    manuscript.close()


@pytest.fixture
def desk(manuscript):
    numbers = count(1)
    return DraftingSession(manuscript, lambda: Job(next(numbers)))


def passage(text):
    return Passage(text, (1,), (Voice(0, None),), "continue", "m", {}, {}, (1,), 0, {}, 10)


def begun(desk, voices=(ALONE,)):
    """Ask for a continuation at the end: the request and its draft."""
    request = desk.go_on(len(STORY), voices, seed=1, writing=WRITING)
    return request, desk.draft_of(request.job)


def written(desk, text, voices=(ALONE,)):
    """The draft of a continuation whose voices have all written `text`."""
    request, draft = begun(desk, voices)
    desk.take(VoicesWrote(request.job, dict.fromkeys(range(len(voices)), text)))
    for voice in range(len(voices)):
        desk.take(Written(request.job, voice, passage(text)))
    desk.take(Ended(request.job))
    return draft


def test_going_on_asks_for_what_there_is(desk, manuscript):
    request = desk.go_on(len(STORY), (NOIR, ALONE), seed=7, writing=WRITING, instruction="rain")
    assert (request.work, request.text, request.cursor, request.selection) == ("continue", STORY, len(STORY), None)
    assert (request.voices, request.seed, request.instruction) == ((NOIR, ALONE), 7, "rain")
    assert len(manuscript.drafts.open[0].alternatives) == 2


def test_with_text_behind_the_cursor_what_is_missing_is_asked_for(desk):
    assert desk.go_on(10, (ALONE,), seed=1, writing=WRITING).work == "infill"


def test_a_rewrite_leaves_the_white_space_around_it_alone(desk):
    request = desk.rewrite(10, 31, (ALONE,), seed=1, writing=WRITING)
    assert request.selection == (12, 30)
    assert (request.work, request.text[12:30]) == ("rewrite", "The lamp was cold.")


def test_nothing_selected_is_said_and_leaves_no_draft(desk, manuscript):
    with pytest.raises(ManuscriptError, match="nothing is selected"):
        desk.rewrite(10, 12, (ALONE,), seed=1, writing=WRITING)
    assert manuscript.drafts.open == ()


@pytest.mark.parametrize("voices", [(), (ALONE,) * 7])
def test_too_few_or_too_many_voices_leave_no_draft(desk, manuscript, voices):
    with pytest.raises(BillyError, match="choose 1 to 6"):
        desk.go_on(0, voices, seed=1, writing=WRITING)
    assert manuscript.drafts.open == ()


def test_what_voices_write_goes_into_their_own_alternatives(desk, manuscript):
    request, draft = begun(desk, (ALONE, NOIR))
    assert desk.take(VoicesWrote(request.job, {1: " It"})) is True
    assert desk.take(VoicesWrote(request.job, {0: " She", 1: " rained."})) is True
    assert desk.take(Written(request.job, 1, passage(" It rained."))) is True
    first, second = manuscript.drafts.get(draft).alternatives
    assert (first.text, second.text) == (" She", " It rained.")
    assert (first.passage, second.passage.text) == (None, " It rained.")


def test_what_a_model_was_sent_is_remembered(desk):
    request, _ = begun(desk)
    desk.take(Sent(request.job, CONTEXT))
    desk.take(PromptRead(request.job, 1, 3))
    assert desk.context == CONTEXT


def test_a_look_begins_no_draft_and_is_over_when_it_has_ended(desk, manuscript):
    request = desk.look(0, selection=(0, 12), writing=WRITING)
    assert (request.only_context, request.work, request.selection) == (True, "rewrite", (0, 10))
    assert desk.running == manuscript.drafts.open == ()
    assert desk.take(Sent(request.job, CONTEXT))
    assert desk.take(Ended(request.job))
    assert not desk.take(Ended(request.job))


def test_nothing_is_written_for_a_look(desk, manuscript):
    request = desk.look(0, writing=WRITING)
    assert desk.take(VoicesWrote(request.job, {0: "x"}))
    assert desk.take(Written(request.job, 0, passage("x")))
    assert (manuscript.text, manuscript.drafts.open) == (STORY, ())


def test_other_jobs_and_other_events_are_not_taken(desk):
    request, _ = begun(desk)
    assert not desk.take(VoicesWrote(Job(99), {0: "x"}))
    assert not desk.take(Coherence(request.job, 0, 1.0, 1.0))


def test_a_job_runs_until_it_has_ended(desk):
    request, draft = begun(desk)
    assert (desk.running, desk.job_of(draft)) == ((request.job,), request.job)
    desk.take(VoicesWrote(request.job, {0: "x"}))
    desk.take(Ended(request.job))
    assert (desk.running, desk.job_of(draft), desk.draft_of(request.job)) == ((), None, None)


@pytest.mark.parametrize("last", [Ended, lambda job: Failed(job, "no")])
def test_a_draft_that_stayed_empty_is_put_away(desk, manuscript, last):
    request, draft = begun(desk, (ALONE, ALONE))
    desk.take(last(request.job))
    assert manuscript.drafts.open == ()
    assert manuscript.drafts.get(draft).fate is Fate.REJECTED


def test_a_new_try_keeps_what_there_was_and_comes_into_view(desk, manuscript):
    draft = written(desk, " One.")
    request = desk.again(draft, (NOIR,), seed=2, writing=WRITING)
    desk.take(VoicesWrote(request.job, {0: " Two."}))
    held = manuscript.drafts.get(draft)
    assert [one.text for one in held.alternatives] == [" One.", " Two."]
    assert (held.shown, request.cursor, request.work) == (1, len(STORY), "continue")


def test_a_new_try_that_fails_brings_the_old_one_back_into_view(desk, manuscript):
    draft = written(desk, " One.")
    desk.take(Failed(desk.again(draft, (ALONE,), seed=2, writing=WRITING).job, "no"))
    held = manuscript.drafts.get(draft)
    assert (held.fate, held.shown) == (Fate.OPEN, 0)


def test_a_new_try_of_a_draft_that_is_half_in_the_text_is_refused(desk, manuscript):
    draft = written(desk, " One. Two.")
    desk.accept_sentence(draft)
    with pytest.raises(ManuscriptError, match="part of this draft is in the text"):
        desk.again(draft, (ALONE,), seed=2, writing=WRITING)
    assert len(manuscript.drafts.get(draft).alternatives) == 1


def test_a_draft_moves_with_what_the_writer_types_and_so_does_a_new_try(desk, manuscript):
    draft = written(desk, " One.")
    manuscript.edit(0, 0, "Then ")
    request = desk.again(draft, (ALONE,), seed=2, writing=WRITING)
    assert (request.cursor, request.text) == (len(STORY) + 5, "Then " + STORY)


@pytest.mark.parametrize("decide", ["accept", "reject"])
def test_what_comes_after_the_writer_has_decided_changes_nothing(desk, manuscript, decide):
    request, draft = begun(desk)
    desk.take(VoicesWrote(request.job, {0: " One."}))
    getattr(manuscript.drafts, decide)(draft)
    text = manuscript.text
    for event in (VoicesWrote(request.job, {0: " Two."}), Written(request.job, 0, passage("")), Ended(request.job)):
        assert desk.take(event)
    assert (manuscript.text, manuscript.drafts.open) == (text, ())


def test_what_was_accepted_and_undone_stays_undone(desk, manuscript):
    request, draft = begun(desk)
    desk.take(VoicesWrote(request.job, {0: " One."}))
    desk.accept_all(draft)
    manuscript.versions.undo()
    desk.take(VoicesWrote(request.job, {0: " Two."}))
    desk.take(Ended(request.job))
    assert manuscript.text == STORY


def test_sentence_by_sentence_a_draft_comes_into_the_text(desk, manuscript):
    draft = written(desk, ' "No," he said. Mr. Poe left.\n\nIt rained.\n')
    texts = []
    while manuscript.drafts.open:
        desk.accept_sentence(draft)
        texts.append(manuscript.text.removeprefix(STORY))
    assert texts[0] == ' "No," he said.'
    assert texts[1:] == [texts[0] + " Mr. Poe left.", texts[0] + " Mr. Poe left.\n\nIt rained."]
    assert manuscript.drafts.get(draft).fate is Fate.ACCEPTED


def test_word_by_word_a_draft_comes_into_the_text(desk, manuscript):
    draft = written(desk, " It was, then, late.")
    for expected in (" It", " It was,", " It was, then,", " It was, then, late."):
        desk.accept_word(draft)
        assert manuscript.text == STORY + expected
    assert manuscript.drafts.open == ()


def test_what_is_taken_while_a_model_writes_leaves_the_draft_open(desk, manuscript):
    request, draft = begun(desk)
    desk.take(VoicesWrote(request.job, {0: " One."}))
    desk.accept_sentence(draft)
    desk.take(VoicesWrote(request.job, {0: " Two."}))
    desk.accept_sentence(draft)
    assert manuscript.text == STORY + " One. Two."
    assert [one.id for one in manuscript.drafts.open] == [draft]


def test_one_step_of_undo_takes_back_one_sentence(desk, manuscript):
    draft = written(desk, " One. Two.")
    desk.accept_sentence(draft)
    desk.accept_sentence(draft)
    manuscript.versions.undo()
    assert manuscript.text == STORY + " One."


def test_nothing_to_take_is_said(desk):
    _, draft = begun(desk)
    for take in (desk.accept_all, desk.accept_sentence, desk.accept_word):
        with pytest.raises(ManuscriptError, match="nothing in this draft yet"):
            take(draft)


def rewriting(desk, text):
    request = desk.rewrite(12, 30, (ALONE,), seed=1, writing=WRITING)
    draft = desk.draft_of(request.job)
    desk.take(VoicesWrote(request.job, {0: text}))
    return request, draft


def test_half_a_rewrite_is_not_taken_while_the_rest_is_written(desk, manuscript):
    request, draft = rewriting(desk, "The old lamp")
    for take in (desk.accept_all, desk.accept_sentence, desk.accept_word):
        with pytest.raises(ManuscriptError, match="still being written"):
            take(draft)
    desk.take(VoicesWrote(request.job, {0: " was cold."}))
    desk.take(Ended(request.job))
    desk.accept_all(draft)
    assert manuscript.text == STORY.replace("The lamp", "The old lamp")


def test_a_rewrite_is_taken_change_by_change(desk, manuscript):
    request, draft = rewriting(desk, "The old lamp was never cold.")
    desk.take(Ended(request.job))
    desk.accept_sentence(draft)
    assert "The old lamp was cold." in manuscript.text
    desk.accept_sentence(draft)
    assert "The old lamp was never cold." in manuscript.text
    assert manuscript.drafts.open == ()


def test_a_text_that_can_only_be_read_is_refused(manuscript):
    reader = Manuscript.open(manuscript.path)
    with pytest.raises(ManuscriptError, match="only be read"):
        DraftingSession(reader, lambda: Job(1)).go_on(0, (ALONE,), seed=1, writing=WRITING)
    reader.close()


def test_what_comes_after_the_text_was_closed_changes_nothing(desk, manuscript):
    request, _ = begun(desk)
    manuscript.close()
    for event in (VoicesWrote(request.job, {0: " Two."}), Written(request.job, 0, passage("")), Ended(request.job)):
        assert desk.take(event)
    assert desk.running == ()


def test_another_try_asks_for_what_was_asked_first(desk, manuscript):
    request = desk.go_on(len(STORY), (ALONE,), seed=1, writing=WRITING, instruction="rain")
    draft = desk.draft_of(request.job)
    desk.take(VoicesWrote(request.job, {0: " It rained."}))
    assert desk.again(draft, (ALONE,), seed=2, writing=WRITING).instruction == "rain"


def test_what_is_taken_whole_while_a_model_writes_leaves_the_draft_open(desk, manuscript):
    request, draft = begun(desk)
    desk.take(VoicesWrote(request.job, {0: " One."}))
    desk.accept_all(draft)
    desk.take(VoicesWrote(request.job, {0: " Two."}))
    desk.accept_all(draft)
    assert (manuscript.text, len(manuscript.drafts.open)) == (STORY + " One. Two.", 1)
    desk.take(Written(request.job, 0, passage(" One. Two.")))
    desk.take(Ended(request.job))
    assert (manuscript.drafts.open, manuscript.drafts.get(draft).fate) == ((), Fate.ACCEPTED)


def test_closing_a_draft_takes_what_there_is_and_no_more(desk, manuscript):
    request, draft = begun(desk)
    desk.take(VoicesWrote(request.job, {0: " One."}))
    desk.accept_all(draft)
    desk.close(draft)
    desk.take(VoicesWrote(request.job, {0: " Two."}))
    assert (manuscript.text, manuscript.drafts.open) == (STORY + " One.", ())


def test_a_draft_that_its_length_has_cut_is_taken_to_its_last_whole_sentence(desk, manuscript):
    request, draft = begun(desk)
    desk.take(VoicesWrote(request.job, {0: " One. Two"}))
    desk.take(Written(request.job, 0, replace(passage(" One. Two"), ended="length")))
    desk.take(Ended(request.job))
    desk.accept_sentence(draft)
    assert (manuscript.text, manuscript.drafts.open) == (STORY + " One.", ())

"""billy continue, rewrite and chorus: text into a manuscript without a screen."""

import json
import signal
from types import SimpleNamespace

import pytest

from billy_mlx.blend.blend import ALONE
from billy_mlx.cli import writing
from billy_mlx.cli.open_file import cursor_at, line_of, passage_at
from billy_mlx.engine.messages import Ended, Job
from billy_mlx.errors import ManuscriptError, UsageError
from billy_mlx.manuscript.draft import Fate
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.passage import Passage, Voice
from billy_mlx.words import count_words
from billy_mlx.write.drafting_session import DraftingSession
from billy_mlx.write.messages import VoicesWrote, Writing, Written

STORY = "Ada slept.\n\nThe lamp was cold. She woke.\n"
SPACE = " "  # what the tiny model writes begins with a letter, and is put behind a full stop
FEW = ("--seed", "3", "--context", "430")


@pytest.fixture
def novel(tmp_path, model):
    path = tmp_path / "novel.md"
    path.write_text(STORY)
    return path


def drafts_of(path):
    manuscript = Manuscript.open(path)
    drafts = manuscript.drafts.open
    manuscript.close()
    return drafts


def test_going_on_writes_before_the_last_line_end_and_to_stdout(billy, novel):
    done = billy("continue", str(novel), "--blend", "noir", "-m", "6", *FEW)
    text = novel.read_text()
    assert done.code == 0
    assert text == STORY[:-1] + SPACE + done.out.removesuffix("\n") + "\n" != STORY
    assert "--seed 3" in done.err
    assert "in the text from line 3 on" in done.err


def test_what_is_written_is_one_step_and_by_the_model(billy, novel):
    billy("continue", str(novel), "--blend", "noir", "-m", "6", *FEW)
    manuscript = Manuscript.open(novel)
    (passage,) = manuscript.passages.values()
    assert (passage.voices[0].blend, passage.seed, passage.max_tokens) == ("noir:1@1/layered", 3, 6)
    manuscript.versions.undo()
    assert manuscript.text == STORY
    manuscript.close()


def test_the_same_seed_goes_on_in_the_same_way(billy, novel):
    first = billy("continue", str(novel), "-m", "6", *FEW).out
    novel.write_text(STORY)
    assert billy("continue", str(novel), "-m", "6", *FEW).out == first


def test_a_document_says_what_was_written_and_where(billy, novel):
    arguments = ("continue", str(novel), "--at", "1", "--blend", "noir", "-m", "6", "--json", *FEW)
    document = json.loads(billy(*arguments).out)
    (row,) = document["rows"]
    assert (document["work"], document["fate"], document["taken"]) == ("infill", "accepted", 0)
    assert (row["blend"], row["seed"], row["layers"], row["finish_reason"]) == ("noir:1@1/layered", 3, [1, 2], "length")
    assert novel.read_text() == STORY.replace("slept.", "slept." + SPACE + row["text"])


def test_a_draft_stays_open_for_the_studio_and_the_file_as_it_is(billy, novel):
    done = billy("continue", str(novel), "-m", "6", "--draft", *FEW)
    assert novel.read_text() == STORY
    assert f"run: billy write {novel}" in done.err
    (draft,) = drafts_of(novel)
    assert draft.alternatives[0].text == done.out.removesuffix("\n")


def test_a_dry_run_shows_what_is_sent_and_writes_nothing(billy, novel):
    done = billy("continue", str(novel), "--dry-run", "--instruct", "make her leave", *FEW)
    assert done.code == 0
    assert "=== Text before, " in done.out
    assert "make her leave" in done.out
    assert (novel.read_text(), drafts_of(novel)) == (STORY, ())


def test_without_a_number_the_model_is_sent_what_it_holds_and_that_is_said(billy, novel):
    done = billy("continue", str(novel), "--dry-run", "--seed", "3", "-m", "12", "--reading-seconds", "60")
    assert "of at most 500 tokens (the model has no room for more)" in done.err


def test_a_dry_run_has_a_document_too(billy, novel):
    arguments = ("rewrite", str(novel), "--lines", "3", "--dry-run", "--json", *FEW)
    document = json.loads(billy(*arguments).out)
    assert document["prompt"]["prefix"] == "Ada slept.\n\n"
    assert "selection" in [part["kind"] for part in document["parts"]]


def test_a_passage_is_written_anew_in_its_place(billy, novel):
    done = billy("rewrite", str(novel), "--find", "The lamp was cold.", "--blend", "noir", "--apply", *FEW)
    assert done.code == 0
    assert novel.read_text() == STORY.replace("The lamp was cold.", done.out.removesuffix("\n"))


@pytest.mark.parametrize("flags", [(), ("--draft",)])
def test_a_rewrite_is_a_draft_unless_it_is_to_be_applied(billy, novel, flags):
    done = billy("rewrite", str(novel), "--lines", "3", *flags, *FEW)
    (draft,) = drafts_of(novel)
    assert (done.code, novel.read_text(), draft.work) == (0, STORY, "rewrite")
    assert draft.alternatives[0].text == done.out.removesuffix("\n")
    assert f"an open draft for line 3; to see it, run: billy write {novel}" in done.err


def test_a_rewrite_may_be_kept_short_and_half_of_one_is_not_applied(billy, novel):
    arguments = ("rewrite", str(novel), "--lines", "3", "-m", "2", "--apply", "--json", *FEW)
    document = json.loads(billy(*arguments).out)
    (row,) = document["rows"]
    assert (row["generation_tokens"], row["finish_reason"], document["fate"]) == (2, "length", "open")
    assert novel.read_text() == STORY


def test_a_chorus_shows_its_voices_and_leaves_them_open(billy, novel):
    done = billy("chorus", str(novel), "--voice", "noir", "--voice", "gothic", "--compare", "-m", "6", *FEW)
    (draft,) = drafts_of(novel)
    assert "=== noir:1@1/layered ===" in done.out
    assert "=== unsteered ===" in done.out
    assert [one.text in done.out for one in draft.alternatives] == [True] * 3
    assert novel.read_text() == STORY


def test_one_of_a_chorus_goes_into_the_text(billy, novel):
    arguments = ("chorus", str(novel), "--voice", "noir", "--voice", "gothic", "--take", "2", "-m", "6", "--json")
    document = json.loads(billy(*arguments, *FEW).out)
    assert document["taken"] == 1
    assert novel.read_text() == STORY[:-1] + SPACE + document["rows"][1]["text"] + "\n"


@pytest.fixture
def session(novel):
    """A session whose voices say what the test tells them to."""
    manuscript = Manuscript.open(novel)
    desk = DraftingSession(manuscript, lambda: Job(1))
    yield SimpleNamespace(manuscript=manuscript, desk=desk, stopped=False)
    manuscript.close()


def said(session, request, texts):
    draft = session.desk.draft_of(request.job)
    session.desk.take(VoicesWrote(request.job, texts))
    session.desk.take(Ended(request.job))
    return draft


def test_a_voice_that_wrote_nothing_is_not_taken_for_another(session):
    request = session.desk.go_on(0, [ALONE, ALONE], seed=3, writing=Writing())
    draft = said(session, request, {1: "Second."})
    with pytest.raises(ManuscriptError, match="nothing in this draft"):
        writing.take(session, draft, 0)
    writing.take(session, draft, 1)
    assert session.manuscript.text == "Second. " + STORY


def test_a_sentence_that_the_length_cut_is_left_out_and_said(session):
    request = session.desk.go_on(10, [ALONE], seed=3, writing=Writing())
    draft = session.desk.draft_of(request.job)
    session.desk.take(VoicesWrote(request.job, {0: " She dreamt. Of a"}))
    cut = Passage(" She dreamt. Of a", (1,), (Voice(0, None),), "infill", "m", {}, {}, (1,), 0, {}, 9, ended="length")
    session.desk.take(Written(request.job, 0, cut))
    session.desk.take(Ended(request.job))
    writing.take(session, draft)
    assert session.manuscript.text == STORY.replace("slept.", "slept. She dreamt.")
    assert writing._left_out(session, draft) == ["without its last 2 words, which end no sentence"]


def test_the_length_may_be_said_in_words(billy, novel):
    done = billy("continue", str(novel), "--words", "2", "--json", *FEW)
    (row,) = json.loads(done.out)["rows"]
    assert row["finish_reason"] in ("length", "stop")
    assert count_words(row["text"]) <= 2


def test_a_rewrite_that_changes_nothing_says_so(session):
    request = session.desk.rewrite(0, 10, [ALONE], seed=3, writing=Writing())
    draft = said(session, request, {0: "Ada slept."})
    writing.take(session, draft)
    assert writing._whereabouts(session, draft).startswith("which is what is there already")
    assert session.manuscript.text == STORY


def press_ctrl_c(monkeypatch, events):
    """Press Ctrl+C when a session has heard some events."""
    count, go_on = iter(range(1000)), writing._put_out

    def put_out(*arguments):
        go_on(*arguments)
        if next(count) == events:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(writing, "_put_out", put_out)


def test_ctrl_c_keeps_what_is_there(billy, novel, monkeypatch):
    press_ctrl_c(monkeypatch, 6)
    done = billy("continue", str(novel), "-m", "100", *FEW)
    assert done.code == 130
    assert "stopped by you" in done.err
    assert novel.read_text() == STORY[:-1] + done.out.removesuffix("\n") + "\n" != STORY


def test_half_a_rewrite_takes_nothing_away(billy, novel, monkeypatch):
    press_ctrl_c(monkeypatch, 4)
    done = billy("rewrite", str(novel), "--lines", "3", "--apply", *FEW)
    assert (done.code, novel.read_text()) == (130, STORY)
    assert drafts_of(novel)[0].fate is Fate.OPEN


def test_nothing_written_leaves_no_draft_and_is_said(billy, novel, monkeypatch):
    press_ctrl_c(monkeypatch, 0)
    done = billy("continue", str(novel), "-m", "100", *FEW)
    assert (done.code, novel.read_text(), drafts_of(novel)) == (130, STORY, ())
    assert "nothing was written" in done.err


def test_a_text_that_is_open_elsewhere_is_left_alone(billy, novel):
    manuscript = Manuscript.open(novel)
    done = billy("continue", str(novel), "-m", "2", *FEW)
    manuscript.close()
    assert (done.code, novel.read_text()) == (1, STORY)
    assert "can only be read here" in done.err


def test_what_was_never_saved_is_said_and_kept(billy, novel):
    manuscript = Manuscript.open(novel)
    manuscript.edit(0, 0, "Not saved. ")
    manuscript.close()
    done = billy("continue", str(novel), "-m", "2", *FEW)
    manuscript = Manuscript.open(novel)
    assert "text from before that was never saved" in done.err
    assert [offer.prose.text for offer in manuscript.offers] == ["Not saved. " + STORY]
    assert "Not saved." not in manuscript.text
    manuscript.close()


def test_a_file_with_the_words_of_a_deleted_one_is_a_new_text_and_that_is_said(billy, novel):
    novel.write_text(STORY * 3)
    manuscript = Manuscript.open(novel)
    manuscript.edit(0, 0, "Not saved. ")
    manuscript.close()
    copy = novel.with_name("copy.md")
    copy.write_bytes(novel.read_bytes())
    novel.unlink()
    for command in (("continue", str(copy), "-m", "2", *FEW), ("history", str(copy))):
        done = billy(*command)
        assert done.code == 0
        assert f"{novel}, which is gone, had the same words and has 2 unsaved words; to take that over" in done.err
        assert "was never saved" not in done.err


def test_another_programs_change_while_it_writes_is_not_overwritten(billy, novel, monkeypatch):
    go_on = writing._put_out
    monkeypatch.setattr(writing, "_put_out", lambda *each: (novel.write_text("Theirs.\n"), go_on(*each)))
    done = billy("continue", str(novel), "-m", "6", *FEW)
    assert (done.code, novel.read_text()) == (1, "Theirs.\n")
    assert "what was written is kept and not in the file" in done.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["continue", "none.md"], "'none.md' does not exist"),
        (["continue", "FILE", "--at", "nowhere"], "--at 'nowhere' is no place"),
        (["continue", "FILE", "--at", "9"], "there is no line 9: the lines go from 1 to 4"),
        (["continue", "FILE", "--at", "1:99"], "line 1 has no column 99; they go from 1 to 11"),
        (["continue", "FILE", "--blend", "nior"], "did you mean noir"),
        (["continue", "FILE", "--instruct", "\udcff"], "it is not UTF-8 text"),
        (["rewrite", "FILE"], "say what to rewrite"),
        (["rewrite", "FILE", "--lines", "1", "--find", "x"], "(and not both)"),
        (["rewrite", "FILE", "--lines", "5-3"], "write --lines 3-5"),
        (["rewrite", "FILE", "--lines", "x"], "names no lines"),
        (["rewrite", "FILE", "--find", "e"], "stands in the text 4 times"),
        (["rewrite", "FILE", "--find", "zebra"], "does not stand in the text"),
        (["chorus", "FILE", "--voice", "noir"], "a chorus has 2 to 6 voices"),
        (["chorus", "FILE", "--voice", "noir", "--voice", "gothic", "--take", "3"], "not one of the 2 voices"),
    ],
)
def test_wrong_usage_is_said_in_a_sentence_and_changes_nothing(billy, novel, arguments, sentence):
    done = billy(*[str(novel) if word == "FILE" else word for word in arguments])
    assert (done.code, done.out, novel.read_text()) == (2, "", STORY)
    assert sentence in done.err
    assert drafts_of(novel) == ()


def test_a_voice_without_a_vector_is_refused_before_anything_is_begun(billy, novel):
    done = billy("chorus", str(novel), "--voice", "noir", "--voice", "futurist", *FEW)
    assert (done.code, drafts_of(novel)) == (1, ())
    assert "run: billy extract futurist" in done.err


@pytest.mark.parametrize(
    ("text", "place", "offset"),
    [
        ("One.\nTwo.", "end", 9),
        ("One.\nTwo.\n", "end", 9),
        ("One.\r\nTwo.\r\n", "end", 10),
        ("One.\n\n", "end", 6),
        ("", "end", 0),
        ("One.\r\nTwo.", "1", 4),
        ("One.\nTwo.", "2:1", 5),
        ("One.\nTwo.", "2:5", 9),
    ],
)
def test_places_are_lines_and_columns(text, place, offset):
    assert cursor_at(text, place) == offset


def test_passages_are_lines_without_their_end_or_words():
    assert passage_at("One.\r\nTwo.\r\n", "1-2", None) == (0, 10)
    assert passage_at("One.\nTwo.\n", None, "Two") == (5, 8)
    assert line_of("One.\nTwo.", 5) == 2
    with pytest.raises(UsageError, match="say what to rewrite"):
        passage_at("One.", None, None)


@pytest.mark.slow
def test_the_starter_goes_on_rewrites_and_sings_in_a_chorus(billy, starter_home, tmp_path):
    path = tmp_path / "novel.md"
    path.write_text("Ada climbed the stairs of the lighthouse. The lamp was cold, and the door\n")
    calls = [
        ("continue", "--blend", "noir", "-m", "12"),
        ("rewrite", "--find", "The lamp was cold", "--blend", "gothic", "--apply"),
        ("chorus", "--voice", "noir", "--compare", "-m", "12", "--take", "2"),
    ]
    before = path.read_text()
    for name, *flags in calls:
        assert billy(name, str(path), *flags, "--seed", "1").code == 0
        assert path.read_text() != before
        before = path.read_text()

"""A manuscript: what the writer sees, and what is left of it when something goes wrong."""

import errno
import itertools
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from helpers.disk_faults import ERRORS, faults
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript import sync_thread
from billy_mlx.manuscript.context.guide import Guide
from billy_mlx.manuscript.find import Query, replacements
from billy_mlx.manuscript.journal import Journal, read_journal
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.passage import Passage, Voice
from billy_mlx.manuscript.prose import UNKNOWN, WRITER, Prose
from billy_mlx.manuscript.records import Change, Edited, Kind, encode
from billy_mlx.manuscript.textfile import Conflict
from billy_mlx.manuscript.word_diff import Hunk

PASSAGE = Passage("x", (1,), (Voice(0, "noir:1@1"),), "continue", "starter", {}, {}, (1,), 7, {}, 9)
NIGHT = "# One\n\nIt was a dark night.\n"


class Open:
    """Manuscripts on one file, opened as a program would and closed at the end of the test."""

    def __init__(self, path):
        self.path = path
        self.opened = []

    def __call__(self, path=None):
        ticking = itertools.count(1.0, 0.1)
        self.opened.append(Manuscript.open(path or self.path, clock=lambda: next(ticking)))
        return self.opened[-1]

    def after_a_crash(self):
        """Open again what was never closed: the kernel gives up a dead program's lock."""
        self.opened[-1]._lock.release()
        return self()


@pytest.fixture
def start(tmp_path):
    opening = Open(tmp_path / "novel.md")
    opening.path.write_bytes(NIGHT.encode())
    yield opening
    for manuscript in reversed(opening.opened):
        manuscript.close()


def types(manuscript, text, place=0):
    for offset, letter in enumerate(text):
        manuscript.edit(place + offset, place + offset, letter)


def test_the_file_is_byte_for_byte_what_the_writer_sees(start):
    content = b"\xef\xbb\xbf# T\xc3\xaftle\r\n\r\n \ttext  \r\nlast"
    start.path.write_bytes(content)
    manuscript = start()
    assert manuscript.text == "# Tïtle\r\n\r\n \ttext  \r\nlast"
    manuscript.edit(0, 0, "x")
    manuscript.edit(0, 1, "")
    manuscript.save()
    assert start.path.read_bytes() == content


def test_opening_and_closing_leaves_nothing_beside_the_file(start):
    manuscript = start()
    types(manuscript, "new ")
    manuscript.save()
    manuscript.close()
    assert [path.name for path in start.path.parent.iterdir() if path.name != "billy-home"] == ["novel.md"]


def test_who_wrote_what_was_there_before_is_not_known(start):
    manuscript = start()
    types(manuscript, "It rained. ", 7)
    assert [(span.start, span.end, span.author) for span in manuscript.prose.authors.spans()] == [
        (0, 7, UNKNOWN),
        (7, 18, WRITER),
        (18, len(NIGHT) + 11, UNKNOWN),
    ]


def test_a_word_typed_letter_by_letter_is_one_step(start):
    manuscript = start()
    types(manuscript, "rain")
    manuscript.versions.undo()
    assert manuscript.text == NIGHT
    manuscript.versions.redo()
    assert manuscript.text == "rain" + NIGHT


@pytest.mark.parametrize("what", ["checkpoint", "save", "branch", "draft"])
def test_what_was_given_a_meaning_does_not_grow_by_typing_on(start, what):
    manuscript = start()
    types(manuscript, "ra")
    revision = manuscript.versions.current
    {
        "checkpoint": lambda: manuscript.versions.checkpoint("here"),
        "save": manuscript.save,
        "branch": lambda: manuscript.versions.begin_branch("dark"),
        "draft": lambda: manuscript.drafts.begin("continue", 0),
    }[what]()
    types(manuscript, "in", 2)
    assert manuscript.versions.text_at(revision).text == "ra" + NIGHT
    assert manuscript.versions.current != revision


def test_typing_stays_one_step_while_a_model_writes_elsewhere(start):
    manuscript = start()
    author = manuscript.drafts.alternative(manuscript.drafts.begin("continue", len(NIGHT)))
    for place, letter in enumerate("rain"):
        manuscript.edit(place, place, letter)
        manuscript.drafts.write(author, letter)
    manuscript.versions.undo()
    assert manuscript.text == NIGHT


def test_a_save_that_nobody_waits_for_is_no_change_by_another(start):
    manuscript = start()
    types(manuscript, "new ")
    manuscript.save(wait=False)
    assert not manuscript.changed_elsewhere()
    assert str(manuscript.safety) == "saved"


def test_undo_reaches_back_over_restarts(start):
    for word in ("one\n", "two\n", "three\n"):
        manuscript = start()
        manuscript.edit(0, 0, word)
        manuscript.save()
        manuscript.close()
    manuscript = start()
    texts = [manuscript.text]
    while manuscript.versions.undo():
        texts.append(manuscript.text)
    assert texts == ["three\ntwo\none\n" + NIGHT, "two\none\n" + NIGHT, "one\n" + NIGHT, NIGHT]


def test_what_was_never_saved_is_offered_and_not_forced(start):
    types(start(), "lost? ")
    again = start.after_a_crash()
    assert again.text == NIGHT
    (offer,) = again.offers
    again.recover(offer)
    assert (again.text, again.offers) == ("lost? " + NIGHT, ())
    assert again.safety.unsaved


def test_what_was_declined_is_still_in_the_tree(start):
    types(start(), "lost? ")
    again = start.after_a_crash()
    (offer,) = again.offers
    again.decline(offer)
    again.versions.go(offer.revision)
    assert again.text == "lost? " + NIGHT


def test_an_offer_waits_until_it_is_decided_on(start):
    types(start(), "lost? ")
    for _ in range(3):
        again = start.after_a_crash()
    assert [offer.prose.text for offer in again.offers] == ["lost? " + NIGHT]


def test_an_offer_does_not_touch_what_another_program_has_written_since(start):
    types(start(), "lost? ")
    start.path.write_bytes(b"newer")
    again = start.after_a_crash()
    assert again.text == "newer"
    assert [offer.prose.text for offer in again.offers] == ["lost? " + NIGHT]
    again.versions.undo()
    assert again.text == NIGHT


def test_a_draft_survives_a_crash_as_far_as_it_was_written(start):
    manuscript = start()
    author = manuscript.drafts.alternative(manuscript.drafts.begin("continue", len(NIGHT)))
    for word in ("The ", "fog ", "came"):
        manuscript.drafts.write(author, word)
    (draft,) = start.after_a_crash().drafts.open
    assert [one.text for one in draft.alternatives] == ["The fog came"]


def test_the_file_of_another_is_never_overwritten(start):
    manuscript = start()
    types(manuscript, "mine ")
    start.path.write_bytes(b"theirs")
    safety = manuscript.save()
    assert safety.conflict
    assert "NOT SAVED" in str(safety)
    assert "changed by another program" in safety.problems[0]
    assert start.path.read_bytes() == b"theirs"


def test_of_two_texts_either_can_be_kept_and_neither_is_lost(start):
    manuscript = start()
    types(manuscript, "mine ")
    start.path.write_bytes(b"theirs")
    assert manuscript.changed_elsewhere()
    manuscript.elsewhere.take_theirs()
    assert manuscript.text == "theirs"
    assert not manuscript.safety.unsaved
    manuscript.versions.undo()
    assert manuscript.text == "mine " + NIGHT
    start.path.write_bytes(b"theirs again")
    manuscript.elsewhere.keep_mine()
    assert start.path.read_bytes() == b"mine " + NIGHT.encode()
    assert "theirs again" in {manuscript.versions.text_at(version.id).text for version in manuscript.versions.tree()}


def test_a_file_that_went_away_is_not_made_again_unasked(start):
    manuscript = start()
    types(manuscript, "mine ")
    start.path.unlink()
    assert manuscript.changed_elsewhere()
    assert manuscript.save().conflict
    assert not start.path.exists()
    manuscript.elsewhere.keep_mine()
    assert start.path.read_text() == "mine " + NIGHT


def test_a_touched_file_is_no_conflict(start):
    manuscript = start()
    os.utime(start.path, ns=(1, 1))
    assert not manuscript.changed_elsewhere()


def test_passages_are_known_again_after_another_program_has_edited_around_them(start):
    manuscript = start()
    author = manuscript.drafts.alternative(draft := manuscript.drafts.begin("continue", len(NIGHT)))
    manuscript.drafts.write(author, "The fog came up from the harbour and took the street lamps one by one.")
    manuscript.drafts.accept(draft)
    manuscript.save()
    manuscript.close()
    start.path.write_text("A preface by somebody else altogether.\n\n" + start.path.read_text().replace("dark", "wild"))
    prose = start().prose
    (span,) = [span for span in prose.authors.spans() if span.author == author]
    assert prose.text[span.start : span.end].startswith("The fog came up")
    assert prose.authors.at(0) == UNKNOWN


def test_a_second_writer_may_only_read_and_is_told_who_writes(start):
    types(start(), "new ")
    second = start()
    assert f"open in process {os.getpid()}" in second.read_only
    for change in (lambda: second.edit(0, 0, "x"), second.save, lambda: second.drafts.begin("continue", 0)):
        with pytest.raises(ManuscriptError, match="only be read"):
            change()
    with pytest.raises(ManuscriptError, match="only be read"):
        second.versions.checkpoint("x")


def test_a_copy_can_be_saved_anywhere_but_over_another_file(start, tmp_path):
    manuscript = start()
    types(manuscript, "mine ")
    manuscript.save_copy(tmp_path / "copy.md")
    assert (tmp_path / "copy.md").read_text() == manuscript.text
    with pytest.raises(Conflict):
        manuscript.save_copy(start.path)


def test_versions_follow_a_file_that_was_renamed(start):
    manuscript = start()
    types(manuscript, "one ")
    manuscript.save()
    manuscript.close()
    renamed = start.path.rename(start.path.with_name("book.md"))
    again = start(renamed)
    assert "novel.md before" in again.notices[0]
    again.versions.undo()
    assert again.text == NIGHT


def test_a_history_that_is_lost_costs_no_word(start):
    manuscript = start()
    types(manuscript, "saved ")
    manuscript.save()
    types(manuscript, "unsaved ")
    (history,) = start.path.parent.rglob("history.db")
    manuscript._sync_thread.close()
    for path in history.parent.glob("history.db*"):
        path.unlink()
    again = start.after_a_crash()
    assert again.text == "saved " + NIGHT
    assert [offer.prose.text for offer in again.offers] == ["unsaved saved " + NIGHT]
    while again.versions.undo():
        pass
    assert again.text == NIGHT  # the journal still had every step


@pytest.mark.parametrize(
    ("name", "kept", "before"),
    [("history.db", "history.damaged-1.db", "saved " + NIGHT), ("journal", "journal.damaged-1", NIGHT)],
)
def test_what_is_garbage_is_set_aside_and_said_and_the_other_still_knows(start, name, kept, before):
    manuscript = start()
    types(manuscript, "saved ")
    manuscript.save()
    manuscript.close()
    (path,) = start.path.parent.rglob(name)
    path.write_bytes(b"garbage" * 1000)
    again = start()
    assert again.text == "saved " + NIGHT
    assert any(kept in notice for notice in again.notices)
    assert (path.parent / kept).read_bytes() == b"garbage" * 1000
    again.versions.undo()
    assert again.text == before


@pytest.fixture
def damaged(start):
    """A manuscript that was never closed, with a byte of its journal changed after the first three letters."""
    manuscript = start()
    types(manuscript, "lost letters ")
    manuscript._lock.release()
    (journal,) = start.path.parent.rglob("journal")
    content = bytearray(journal.read_bytes())
    content[sum(8 + len(record) for record in read_journal(journal).records[:4]) + 20] ^= 1
    journal.write_bytes(content)
    return journal, bytes(content)


def test_a_journal_damaged_in_its_middle_is_gone_through_up_to_there_and_kept(start, damaged):
    journal, content = damaged
    again = start()
    assert [offer.prose.text for offer in again.offers] == ["los" + NIGHT]
    assert any("journal.damaged-1" in notice for notice in again.notices)
    assert journal.with_name("journal.damaged-1").read_bytes() == content


def test_a_damaged_journal_stands_until_another_can_take_its_place(start, damaged, monkeypatch):
    journal, content = damaged
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "create", lambda *_: (_ for _ in ()).throw(ManuscriptError("the disk is full")))
        assert "the disk is full" in start().notices
    assert journal.read_bytes() == content


def test_a_draft_is_known_although_the_journal_is_lost(start):
    manuscript = start()
    author = manuscript.drafts.alternative(manuscript.drafts.begin("continue", 0))
    manuscript.drafts.write(author, "Fog. ")
    manuscript.drafts.finish(author, PASSAGE)
    manuscript.save()
    manuscript.close()
    (journal,) = start.path.parent.rglob("journal")
    journal.unlink()
    (draft,) = start().drafts.open
    assert [one.text for one in draft.alternatives] == ["Fog. "]


def test_a_record_about_a_draft_without_a_word_is_no_crash(start):
    manuscript = start()
    manuscript.drafts.begin("continue", 0)
    accepting = Edited(99, (Change(0, 0, Prose.by(WRITER, "x")),), Kind.ACCEPTED, 1.0, draft=1, taken=1)
    manuscript._ledger.journal.append(encode(accepting))
    again = start.after_a_crash()
    assert any("journal.damaged-1" in notice for notice in again.notices)


def test_a_state_folder_that_may_not_be_written_still_lets_one_write_and_save(start, monkeypatch, tmp_path):
    monkeypatch.setenv("BILLY_HOME", str(tmp_path / "file"))
    (tmp_path / "file").write_bytes(b"in the way")
    manuscript = start()
    types(manuscript, "new ")
    assert manuscript.safety.at_risk
    assert "nothing can be kept" in manuscript.notices[0]
    assert not manuscript.save().unsaved
    assert start.path.read_text() == "new " + NIGHT
    assert manuscript.versions.undo()


def scripted(path):
    """Open, type, draft, save, type and close: every kind of call to the disk."""
    ticking = itertools.count(1.0, 0.1)
    manuscript = Manuscript.open(path, clock=lambda: next(ticking))
    types(manuscript, "one ")
    author = manuscript.drafts.alternative(draft := manuscript.drafts.begin("continue", 4))
    manuscript.drafts.write(author, "two ")
    manuscript.drafts.accept(draft)
    manuscript.save()
    types(manuscript, "three ")
    return manuscript


def calls_of(start, tmp_path):
    with faults(tmp_path) as watch:
        scripted(start.path).close()
    return len(watch.calls)


@pytest.mark.slow
@pytest.mark.parametrize("failure", ["torn", "short", *ERRORS])
def test_any_call_may_fail_and_no_word_is_lost(start, tmp_path, failure, monkeypatch):
    count = calls_of(start, tmp_path)
    for failing in range(count):
        monkeypatch.setenv("BILLY_HOME", str(tmp_path / f"home-{failing}"))
        start.path.write_bytes(NIGHT.encode())
        with faults(tmp_path, fail=lambda number, name, at=failing: failure if number == at else None):
            try:
                manuscript = scripted(start.path)
            except ManuscriptError:  # it could not even be opened
                continue
            safety = manuscript.save()
            assert safety.unsaved == bool(safety.problems)
        assert manuscript.text == "three one two " + NIGHT
        assert str(manuscript.save()) == "saved"
        assert start.path.read_text() == manuscript.text
        manuscript.close()
        again = Manuscript.open(start.path)
        assert (again.text, again.offers) == ("three one two " + NIGHT, ())
        again.close()


@pytest.mark.slow
def test_while_nothing_can_be_written_the_text_stays_and_the_state_says_so(start, tmp_path):
    full = []
    with faults(tmp_path, fail=lambda number, name: errno.ENOSPC if full and name == "write" else None):
        manuscript = start()
        full.append(True)
        types(manuscript, "all of this ")
        assert manuscript.safety.at_risk
        safety = manuscript.save()
        assert str(safety) == "NOT SAVED"
        assert any("No space left on device" in problem for problem in safety.problems)
        assert manuscript.text == "all of this " + NIGHT
        full.clear()
        assert str(manuscript.save()) == "saved"
    assert start.path.read_text() == "all of this " + NIGHT


def test_what_is_written_down_is_on_the_disk_within_half_a_second(start, monkeypatch):
    synced = threading.Event()
    manuscript = start()
    monkeypatch.setattr(manuscript._ledger.journal, "sync", lambda: synced.set())
    manuscript.edit(0, 0, "x")
    assert sync_thread.SYNC_SECONDS <= 0.25
    assert synced.wait(10)
    monkeypatch.undo()


@pytest.mark.parametrize("signal", ["SIGHUP", "SIGTERM", "SIGKILL"])
@pytest.mark.slow
def test_a_program_that_is_told_to_end_has_written_everything_down(start, signal):
    script = f"""
import os, signal
from pathlib import Path
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.passage import Passage, Voice
manuscript = Manuscript.open(Path({str(start.path)!r}))
manuscript.edit(0, 0, "typed ")
author = manuscript.drafts.alternative(manuscript.drafts.begin("continue", 0))
manuscript.drafts.write(author, "drafted ")
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests may have it ignored, as nohup does
os.kill(os.getpid(), signal.{signal})
"""
    assert subprocess.run([sys.executable, "-c", script]).returncode < 0
    again = start()
    assert [offer.prose.text for offer in again.offers] == ["typed " + NIGHT]
    assert [one.text for one in again.drafts.open[0].alternatives] == ["drafted "]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_said_and_the_text_is_in_the_journal(start):
    manuscript = start()
    types(manuscript, "new ")
    start.path.parent.chmod(0o500)
    try:
        assert "NOT SAVED" in str(manuscript.save())
    finally:
        start.path.parent.chmod(0o700)
    assert manuscript.safety.at_risk is False


def test_replacing_everywhere_is_one_step_and_leaves_the_rest_to_its_authors(start):
    manuscript = start()
    types(manuscript, "night ")
    manuscript.replace(replacements(manuscript.text, Query("night"), "day"))
    assert manuscript.text == "day " + NIGHT.replace("night", "day")
    manuscript.versions.undo()
    assert manuscript.text == "night " + NIGHT


def test_changes_that_overlap_are_refused(start):
    with pytest.raises(ManuscriptError, match="overlap"):
        start().replace([Hunk(0, 5, "x"), Hunk(4, 6, "y")])


def test_what_is_imported_is_by_nobody_known(start):
    manuscript = start()
    manuscript.replace([Hunk(0, len(NIGHT), "From elsewhere.")], Kind.IMPORTED)
    assert manuscript.prose.authors.at(0) == UNKNOWN


def test_what_no_file_can_hold_is_replaced(start):
    manuscript = start()
    manuscript.edit(0, 0, "a\0b\ud800c")
    manuscript.save()
    assert start.path.read_text() == "a�b�c" + NIGHT


@pytest.mark.parametrize("place", [(-1, 0), (0, 10_000), (5, 4)])
def test_places_outside_the_text_are_refused(start, place):
    with pytest.raises(ManuscriptError, match="are not in a text of"):
        start().edit(*place, "x")


def test_the_journal_begins_anew_when_it_has_become_long(start, monkeypatch):
    monkeypatch.setattr("billy_mlx.manuscript.manuscript._LONG_JOURNAL", 20)
    manuscript = start()
    types(manuscript, "many letters " * 10)
    manuscript.save()
    types(manuscript, "unsaved ")
    (journal,) = start.path.parent.rglob("journal")
    assert len(read_journal(journal).records) < 15
    again = start.after_a_crash()
    assert again.text == "many letters " * 10 + NIGHT
    assert [offer.prose.text for offer in again.offers] == ["unsaved " + again.text]


def test_a_closed_manuscript_says_so(start):
    manuscript = start()
    manuscript.close()
    manuscript.close()
    with pytest.raises(ManuscriptError, match="closed"):
        manuscript.edit(0, 0, "x")


def test_a_file_that_is_not_text_is_refused_with_a_way_on(tmp_path):
    (tmp_path / "novel.md").write_bytes(b"one\ntwo \xff")
    with pytest.raises(ManuscriptError, match="line 2; import it"):
        Manuscript.open(tmp_path / "novel.md")


def test_a_new_manuscript_makes_its_file_when_it_is_saved(start, tmp_path):
    new = start(tmp_path / "new.md")
    types(new, "first words")
    assert not (tmp_path / "new.md").exists()
    assert str(new.save()) == "saved"
    assert Path(tmp_path / "new.md").read_text() == "first words"


def test_what_the_model_should_know_is_kept_beside_the_text(start):
    manuscript = start()
    manuscript.guide = Guide(memory="Ada keeps the light.")
    manuscript.close()
    assert start().guide.memory == "Ada keeps the light."


def test_a_damaged_guide_is_set_aside_and_said(start):
    manuscript = start()
    manuscript.guide = Guide(memory="Ada keeps the light.")
    manuscript.close()
    (path,) = start.path.parent.rglob("guide.json")
    path.write_bytes(b"{")
    again = start()
    assert again.guide == Guide()
    assert any("guide.damaged-1.json" in notice for notice in again.notices)


def test_the_passages_in_the_text_are_at_hand_after_a_restart(start):
    manuscript = start()
    author = manuscript.drafts.alternative(draft := manuscript.drafts.begin("continue", 0))
    manuscript.drafts.write(author, "Fog. ")
    manuscript.drafts.finish(author, PASSAGE)
    manuscript.drafts.accept(draft)
    manuscript.save()
    manuscript.close()
    assert start().passages == {author: PASSAGE}


def test_what_cannot_be_applied_is_not_written_down(start):
    """Or nothing behind it would be read after a crash."""
    manuscript = start()
    with pytest.raises(ValueError, match="are not in a text"):
        manuscript._ledger.commit(Edited(99, (Change(5000, 5000, Prose()),), Kind.TYPED, 1.0))
    types(manuscript, "after ")
    assert [offer.prose.text for offer in start.after_a_crash().offers] == ["after " + NIGHT]


VALUES = st.recursive(
    st.none() | st.integers(-5, 50) | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_whole_records_say_there_is_a_text_or_a_sentence(written, data):
    """The checksums hold, but not what they are about: records of a stranger, of another version, or of a bug."""
    path, pieces = written
    records = list(pieces)
    place = data.draw(st.integers(0, len(records) - 1))
    kind, fields = json.loads(records[place].split(b"\n")[0])
    fields[data.draw(st.sampled_from(sorted(fields)))] = data.draw(VALUES)
    records[place] = json.dumps([kind, fields]).encode()
    (journal,) = path.parent.rglob("journal")
    made = Journal.create(journal, records[0])
    for record in records[1:]:
        made.append(record)
    made.close()
    for damaged in journal.parent.glob("*.damaged*"):
        damaged.unlink()
    manuscript = Manuscript.open(path)
    assert manuscript.text == NIGHT
    manuscript.close()


@pytest.fixture
def written(start):
    """A manuscript that was never closed, and the pieces of its journal."""
    manuscript = start()
    types(manuscript, "new ")
    author = manuscript.drafts.alternative(manuscript.drafts.begin("continue", 0))
    manuscript.drafts.write(author, "draft")
    manuscript.versions.undo()
    manuscript._lock.release()
    (journal,) = start.path.parent.rglob("journal")
    return start.path, read_journal(journal).records

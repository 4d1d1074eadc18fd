import copy
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Thread

import pytest
from helpers.history_samples import all_closed, draft, line, passage, typed  # noqa: F401
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from billy_mlx.manuscript.draft import Draft, Fate, Placed
from billy_mlx.manuscript.edit import Edit, apply_all
from billy_mlx.manuscript.history.history import History
from billy_mlx.manuscript.history.snapshots import edited
from billy_mlx.manuscript.prose import UNKNOWN, Author, Prose
from billy_mlx.manuscript.records import Kind, Revision


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "history.db"


@pytest.fixture
def history(path):
    history = History.open(path)
    yield history
    history.close()


def reopened(history, path):
    history.close()
    return History.open(path)


def test_a_new_history_is_empty_and_says_nothing(history):
    assert (history.notice, history.failure, history.head, history.branch) == (None, None, None, "main")
    assert (history.last_revision, history.last_passage, history.last_draft) == (0, 0, 0)
    assert list(history.tree()) == list(history.drafts()) == list(history.branches) == []


def test_what_was_flushed_is_there_after_a_reopening(history, path):
    prose = line(history, 5)
    history.checkpoints["Ärger\n"] = 3
    history.branch = "second"
    history = reopened(history, path)
    assert (history.head, history.prose_at(5), history.branch) == (5, prose, "second")
    assert (dict(history.checkpoints), history.last_revision) == ({"Ärger\n": 3}, 5)


def test_what_is_not_flushed_is_seen_all_the_same(history):
    prose = line(history, 3)
    assert history.prose_at(3) == prose
    assert (history.children(1), history.preferred_child(2)) == ((2,), 3)
    assert [version.id for version in history.tree()] == [3, 2, 1]


def test_the_authors_of_every_character_come_back(history, path):
    revision, prose = typed(1, None, Prose(), "by a model", author=7)
    other, prose = typed(2, 1, prose, "unknown", author=UNKNOWN, start=3)
    for one in (revision, other):
        history.add(one)
    history = reopened(history, path)
    assert history.prose_at(2) == prose
    assert history.last_passage == 7


def test_a_revision_grows_until_the_next_one_flushed_or_not(history, path):
    longer, _ = typed(1, None, Prose(), "Once upon")
    history.add(typed(1, None, Prose(), "On")[0])
    history.replace(typed(1, None, Prose(), "Once")[0])
    history.flush()
    history.replace(longer)
    assert reopened(history, path).revision(1) == longer


def test_a_text_kept_at_a_revision_goes_when_the_revision_grows(history):
    history.add(typed(1, None, Prose(), "On")[0])
    history.keyframe(1, Prose.by(0, "On"))
    history.flush()
    history.replace(typed(1, None, Prose(), "Once")[0])
    assert history.prose_at(1).text == "Once"


def test_a_revision_that_has_children_stays_as_it_is(history):
    prose = line(history, 2)
    history.replace(typed(1, None, Prose(), "x")[0])
    history.add(typed(1, None, Prose(), "x")[0])
    assert history.prose_at(2) == prose


def test_a_journal_may_be_read_again_over_what_is_there(history, path):
    line(history, 3)
    history = reopened(history, path)
    prose = line(history, 4)
    assert (history.prose_at(4), history.preferred_child(3), len([*history.tree()])) == (prose, 4, 4)


def test_a_revision_keeps_its_parent_and_needs_one_that_is_known(history):
    line(history, 2)
    for wrong in (
        lambda: history.add(typed(9, 7, Prose(), "x")[0]),
        lambda: history.replace(typed(9, 2, Prose(), "")[0]),
    ):
        with pytest.raises(KeyError):
            wrong()
    with pytest.raises(ValueError, match="another parent"):
        history.replace(typed(2, None, Prose(), "x")[0])


@pytest.mark.parametrize("made", [float("nan"), float("inf")])
def test_values_that_could_not_be_read_back_are_refused(history, made):
    with pytest.raises(ValueError, match="date"):
        history.add(Revision(1, None, (), Kind.TYPED, made))
    with pytest.raises(ValueError, match="surrogates"):
        history.add(typed(1, None, Prose(), "\ud800")[0])
    with pytest.raises(ValueError, match=r"`int`"):
        history.add(typed(1, None, Prose(), "x", author=2**64)[0])
    assert (history.last_revision, list(history.tree())) == (0, [])


def test_redo_goes_to_the_child_where_the_head_was_last(history, path):
    prose = line(history, 2)
    history.add(typed(3, 1, prose, "other")[0])
    assert history.preferred_child(1) == 3
    history.head = 2
    history.head = 1
    assert history.children(1) == (2, 3)
    assert reopened(history, path).preferred_child(1) == 2


def test_a_new_child_is_preferred_to_one_the_head_was_at(history):
    prose = line(history, 3)
    history.head = 2
    history.flush()
    history.add(typed(4, 1, prose, "new")[0])
    assert (history.preferred_child(1), history.preferred_child(3)) == (4, None)


def test_a_path_leads_up_to_what_two_revisions_share_and_down(history):
    first = line(history, 3)
    history.add(typed(4, 2, history.prose_at(2), "aside", start=2)[0])
    way = history.path(3, 4)
    assert (len(way.undo), len(way.redo)) == (1, 1)
    assert apply_all(way.edits, first) == history.prose_at(4)
    assert history.path(3, 3).edits == history.path(2, 4).undo == ()


def test_a_path_leads_from_one_root_to_another(history):
    first = line(history, 2)
    history.add(Revision(3, None, (), Kind.ELSEWHERE, 1.0))
    history.keyframe(3, Prose.by(UNKNOWN, "word for word"))
    assert apply_all(history.path(2, 3).edits, first) == history.prose_at(3)


def test_a_text_is_due_to_be_kept_every_thousand_revisions(history, path):
    prose = line(history, 1000)
    assert [history.keyframe_due(id) for id in (1, 999, 1000)] == [False, False, True]
    history.keyframe(1000, prose)
    history = reopened(history, path)
    assert not history.keyframe_due(1000)
    line(history, 1000, first=1001, prose=prose)
    assert [history.keyframe_due(id) for id in (1999, 2000)] == [False, True]


@pytest.mark.slow
def test_a_text_kept_while_a_revision_grows_is_due_again_at_once(history):
    prose = line(history, 1000)
    history.keyframe(1000, prose)
    longer, prose = typed(1000, 999, history.prose_at(999), "word and more")
    history.replace(longer)
    assert history.keyframe_due(1000)
    assert history.prose_at(1000) == prose


def test_a_text_is_made_from_the_nearest_one_kept_on_its_own_line(history):
    prose = line(history, 4)
    history.keyframe(3, history.prose_at(3))
    revision, aside = typed(5, 2, history.prose_at(2), "aside")
    history.add(revision)
    history.flush()
    assert (history.prose_at(5), history.prose_at(4)) == (aside, prose)


def test_landmarks_are_what_a_drawing_of_the_tree_needs(history):
    prose = line(history, 9)
    history.add(typed(10, 4, prose, "fork")[0])
    history.add(typed(11, 10, prose, "model", kind=Kind.ACCEPTED, draft=1)[0])
    history.checkpoints["here"] = history.branches["main"] = 6
    history.flush()
    history.add(typed(12, 11, prose, "end")[0])
    found = [(version.id, version.parent) for version in history.tree(landmarks=True)]
    assert found == [(12, 11), (11, 4), (9, 6), (6, 4), (4, 1), (1, None)]
    assert next(version.names for version in history.tree() if version.id == 6) == ("here", "main")


def test_the_tree_is_read_page_by_page(history):
    prose = line(history, 450)
    history.flush()
    line(history, 3, first=451, prose=prose)
    versions = history.tree()
    assert (next(versions).id, next(versions).inserted) == (453, 5)
    assert [version.id for version in versions] == [*range(451, 0, -1)]


def test_names_are_a_mapping(history, path):
    line(history, 2)
    history.set_branch("first", 1)
    history.checkpoints["gone"] = 2
    history.flush()
    del history.checkpoints["gone"]
    history = reopened(history, path)
    assert (dict(history.branches), history.branch, len(history.checkpoints)) == ({"first": 1}, "first", 0)


def test_names_are_not_given_to_what_is_not_there(history):
    line(history, 1)
    for wrong in (lambda: history.checkpoints.__setitem__("x", 2), lambda: history.checkpoints.__delitem__("y")):
        with pytest.raises(KeyError):
            wrong()


def test_drafts_and_their_passages_come_back(history, path):
    rejected = draft(2, 3, fate=Fate.REJECTED)
    for one in (draft(1, 1, 2), rejected):
        history.put_draft(one)
    history = reopened(history, path)
    assert [*history.drafts()] == [draft(1, 1, 2), rejected]
    assert [*history.drafts(Fate.REJECTED)] == [rejected]
    assert (history.last_draft, history.last_passage) == (2, 3)
    assert history.passage(1) == passage("Text 1.")
    assert history.passage(2) is history.alternative(9) is None


def test_a_draft_changes_its_fate_before_and_after_a_flush(history):
    history.put_draft(draft(1, 1))
    history.flush()
    history.put_draft(draft(1, 1, fate=Fate.ACCEPTED, placed=(Placed(4, 3, 7, 0, 4),)))
    assert [*history.drafts(Fate.OPEN)] == []
    assert next(history.drafts(Fate.ACCEPTED)).placed == (Placed(4, 3, 7, 0, 4),)


def test_a_passage_is_kept_before_its_draft_and_after_it(history):
    history.put_passage(1, passage("Text 1."))
    assert (history.passage(1), history.last_passage, history.find_draft(1)) == (passage("Text 1."), 1, None)
    history.put_draft(draft(1, 1))
    history.put_passage(1, passage("It rained."))
    history.flush()
    assert history.find_draft(1).alternatives[0].passage == passage("It rained.")


def test_a_draft_that_does_not_fit_together_is_refused(history):
    with pytest.raises(ValueError, match="shows nothing"):
        history.put_draft(draft(1, 1, shown=1))
    with pytest.raises(ValueError, match="stands where"):
        history.put_draft(draft(1, 0))


def test_reading_goes_on_while_another_thread_flushes(history):
    prose = line(history, 300)
    flushes = Thread(target=lambda: [history.flush() for _ in range(50)])
    flushes.start()
    for id in range(301, 500):
        revision, prose = typed(id, id - 1, prose, "x")
        history.add(revision)
        assert history.children(id - 1) == (id,)
    flushes.join()
    assert history.prose_at(499) == prose
    assert history.failure is None


def test_nothing_waits_for_a_disk_that_takes_its_time(history, monkeypatch):
    prose = line(history, 3)
    begun, done, write = Event(), Event(), history._store.file.write
    monkeypatch.setattr(history._store.file, "write", lambda rows: (begun.set(), done.wait(), write(rows)))
    flush = Thread(target=history.flush)
    flush.start()
    begun.wait()
    history.add(typed(4, 3, prose, "four")[0])
    history.replace(typed(4, 3, prose, "four!")[0])
    assert (history.children(3), history.prose_at(4).text) == ((4,), prose.text + "four!")
    done.set()
    flush.join()
    assert list(history._tree._revisions.pending) == [4]


def test_a_history_is_not_damaged_by_being_used_after_it_was_closed(history, path):
    line(history, 1)
    history.close()
    with pytest.raises(Exception, match="closed"):
        history.revision(1)
    assert History.open(path).notice is None


pieces = st.lists(st.tuples(st.text("aé😀", max_size=4), st.integers(-1, 2)), max_size=4)


@pytest.mark.slow
@given(pieces, st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5), pieces), max_size=8))
def test_many_edits_in_a_row_give_what_each_by_itself_gives(first, changes):
    prose = start = sum((Prose.by(Author(author), text) for text, author in first), Prose())
    edits = []
    for place, removed, inserted in changes:
        place %= len(prose) + 1
        new = sum((Prose.by(Author(author), text) for text, author in inserted), Prose())
        edits.append(Edit.of(prose, place, min(len(prose), place + removed), new))
        prose = edits[-1].apply(prose)
    assert edited(start, edits) == prose


@pytest.mark.parametrize("edit", [Edit(4, Prose(), Prose.by(0, "x")), Edit(1, Prose.by(0, "zz"), Prose())])
def test_an_edit_that_does_not_fit_is_refused(edit):
    with pytest.raises(ValueError, match="edit"):
        edited(Prose.by(0, "abc"), [edit])


@dataclass
class Model:
    """What a history should hold."""

    revisions: dict[int, Revision] = field(default_factory=dict)
    texts: dict[int, Prose] = field(default_factory=dict)
    preferred: dict[int, int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    drafts: dict[int, Draft] = field(default_factory=dict)
    head: int | None = None

    def put(self, revision, text):
        self.revisions[revision.id], self.texts[revision.id] = revision, text
        if revision.parent is not None:
            self.preferred[revision.parent] = revision.id


class Life(RuleBasedStateMachine):
    """A history, and a model of plain dicts to hold it against."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "history.db"
        self.history, self.model, self.flushed = History.open(self.path), Model(), Model()

    def teardown(self):
        self.history.close()
        self.folder.cleanup()

    def pick(self, place):
        return sorted(self.model.revisions)[place % len(self.model.revisions)]

    @rule(place=st.integers(0, 99), gap=st.sampled_from([1, 1, 1, 5]), text=st.text("aé😀", max_size=3))
    def add(self, place, gap, text):
        parent = self.pick(place) if self.model.revisions and place % 20 else None
        before = Prose() if parent is None else self.model.texts[parent]
        id = max(self.model.revisions, default=0) + gap
        revision, after = typed(id, parent, before, text, author=place % 3 - 1, start=place % (len(before) + 1))
        self.history.add(revision)
        self.model.put(revision, after)

    @precondition(lambda self: self.model.revisions)
    @rule(text=st.text("bc", min_size=1, max_size=3))
    def grow(self, text):
        id = max(self.model.revisions)
        revision = self.model.revisions[id]
        edits, after = typed(id, revision.parent, self.model.texts[id], text)
        grown = replace(revision, edits=(*revision.edits, *edits.edits))
        self.history.replace(grown)
        self.model.put(grown, after)

    @precondition(lambda self: self.model.revisions)
    @rule(place=st.integers(0, 99))
    def move(self, place):
        self.history.head = self.model.head = self.pick(place)
        parent = self.model.revisions[self.model.head].parent
        if parent is not None:
            self.model.preferred[parent] = self.model.head

    @precondition(lambda self: self.model.revisions)
    @rule(place=st.integers(0, 99))
    def keep_text(self, place):
        self.history.keyframe(self.pick(place), self.model.texts[self.pick(place)])

    @precondition(lambda self: self.model.revisions)
    @rule(place=st.integers(0, 99), name=st.sampled_from("xyz"))
    def name(self, place, name):
        self.history.checkpoints[name] = self.model.names[name] = self.pick(place)

    @rule(name=st.sampled_from("xyz"))
    def unname(self, name):
        assert self.history.checkpoints.pop(name, None) == self.model.names.pop(name, None)

    @rule(id=st.integers(1, 3), fate=st.sampled_from(Fate), text=st.integers(0, 2))
    def put_draft(self, id, fate, text):
        one = draft(id, *range(id * 10, id * 10 + 1 + text), fate=fate)
        self.history.put_draft(one)
        self.model.drafts[id] = one

    @rule()
    def flush(self):
        self.history.flush()
        self.flushed = copy.deepcopy(self.model)

    @rule(lost=st.booleans())
    def reopen(self, lost):
        if lost:
            self.history._store.close()  # as when the program is killed
            self.model = copy.deepcopy(self.flushed)
        else:
            self.history.close()
            self.flushed = copy.deepcopy(self.model)
        self.history = History.open(self.path)

    @invariant()
    def agrees(self):
        history, model = self.history, self.model
        assert (history.notice, history.failure, history.head) == (None, None, model.head)
        assert dict(history.checkpoints) == model.names
        assert {one.id: one for one in history.drafts()} == model.drafts
        assert [version.id for version in history.tree()] == sorted(model.revisions, reverse=True)
        for id, revision in model.revisions.items():
            assert (history.revision(id), history.prose_at(id)) == (revision, model.texts[id])
            assert history.preferred_child(id) == model.preferred.get(id)
            assert history.children(id) == tuple(n for n, one in model.revisions.items() if one.parent == id)

    @invariant()
    def paths_lead_where_they_should(self):
        ids = sorted(self.model.revisions)[-4:]
        for start, goal in ((start, goal) for start in ids for goal in ids):
            assert apply_all(self.history.path(start, goal).edits, self.model.texts[start]) == self.model.texts[goal]

    @invariant()
    def landmarks_hang_together(self):
        drawn = {version.id: version.parent for version in self.history.tree(landmarks=True)}
        for id, parent in drawn.items():
            step = self.model.revisions[id].parent
            while step is not None and step not in drawn:
                step = self.model.revisions[step].parent
            assert parent == step
        parents = [one.parent for one in self.model.revisions.values()]
        assert drawn.keys() >= {id for id in self.model.revisions if parents.count(id) != 1}


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)

"""Anything a writer, a model, another program and a crash can do, against a model of a few lines."""

import itertools
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from billy_mlx.errors import ManuscriptError
from billy_mlx.manuscript.draft import Rest, space_behind
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.prose import UNKNOWN, WRITER
from billy_mlx.manuscript.word_diff import Hunk, merge
from billy_mlx.stray import decoded, encoded, is_nearly_utf8

pytestmark = pytest.mark.slow
TEXTS = st.text(st.sampled_from("ab \n.é灯"), max_size=12)
# Now and then with bytes that are no text, neither alone nor beside others; with more of them it would be no text.
FILES = st.text(st.sampled_from("ab \n.é灯" + decoded(b"\xff\xfe")), max_size=12).filter(
    lambda text: is_nearly_utf8(encoded(text))
)
PLACES = st.floats(0, 1)


class ManuscriptMachine(RuleBasedStateMachine):
    """The model: the text at every node of a tree, names of nodes, and what is in the file."""

    @initialize(content=st.none() | FILES)
    def open_it(self, content):
        self.folder = Path(tempfile.mkdtemp())
        self.monkeypatch = pytest.MonkeyPatch()
        self.monkeypatch.setenv("BILLY_HOME", str(self.folder / "home"))
        self.path = self.folder / "novel.md"
        if content is not None:
            self.path.write_bytes(encoded(content))
        self.clock = itertools.count(1.0, 10.0)  # a pause after each change: each is a step
        self.text = self.file = content or ""
        self.manuscript = Manuscript.open(self.path, clock=lambda: next(self.clock))
        self.authors = [UNKNOWN] * len(self.text)
        self.texts = {self.manuscript.versions.current: self.text}
        self.written = {self.manuscript.versions.current: self.authors}
        self.names, self.branches = {}, {"main": self.manuscript.versions.current}
        self.ways_back = {}

    def teardown(self):
        if hasattr(self, "manuscript"):
            self.manuscript.close()
            self.monkeypatch.undo()
            shutil.rmtree(self.folder)

    def place(self, share):
        return round(share * len(self.text))

    def note(self, text, authors=None):
        """Note what a step has made; whose what another program has written is, has tests of its own."""
        self.text, self.authors = text, self.told() if authors is None else authors
        self.texts[self.manuscript.versions.current] = text
        self.written[self.manuscript.versions.current] = self.authors

    def told(self):
        return [author for length, author in self.manuscript.prose.authors.runs for _ in range(length)]

    def back_to(self, revision):
        self.text, self.authors = self.texts[revision], self.written[revision]

    def note_taken(self, at, rest, author):
        """Note that a draft has come into the text at a place, with the spaces around it."""
        theirs = [WRITER] * len(rest.before) + [author] * len(rest.text) + [WRITER] * len(rest.behind)
        self.note(self.text[:at] + str(rest) + self.text[at:], self.authors[:at] + theirs + self.authors[at:])

    @rule(where=PLACES, length=st.integers(0, 6), text=TEXTS)
    def edit(self, where, length, text):
        start = self.place(where)
        end = min(len(self.text), start + length)
        self.manuscript.edit(start, end, text)
        authors = self.authors[:start] + [WRITER] * len(text) + self.authors[end:]
        self.note(self.text[:start] + text + self.text[end:], authors)

    @rule(letter=st.sampled_from("ab "), new=st.sampled_from("xy"))
    def replace_everywhere(self, letter, new):
        places = [Hunk(index, index + 1, new) for index, there in enumerate(self.text) if there == letter]
        self.manuscript.replace(places)
        pairs = zip(self.text, self.authors, strict=True)
        self.note(self.text.replace(letter, new), [WRITER if there == letter else author for there, author in pairs])

    @rule(where=PLACES, texts=st.lists(TEXTS.filter(bool), min_size=1, max_size=3))
    def draft(self, where, texts):
        draft = self.manuscript.drafts.begin("continue", self.place(where))
        for text in texts:
            author = self.manuscript.drafts.alternative(draft)
            self.manuscript.drafts.write(author, text)

    @precondition(lambda self: self.manuscript.drafts.open)
    @rule(index=st.integers(0, 5), by=st.integers(0, 3))
    def accept(self, index, by):
        drafts = self.manuscript.drafts
        draft = drafts.open[index % len(drafts.open)]
        if drafts.is_in_text(draft):
            return
        drafts.show(draft.id, by)
        held = drafts.get(draft.id)
        rest = drafts.rest(held)
        drafts.accept(draft.id)
        self.note_taken(held.start, rest, held.alternatives[held.shown].author)

    @precondition(lambda self: self.manuscript.drafts.open)
    @rule(index=st.integers(0, 5), other=st.integers(0, 3), length=st.integers(1, 4))
    def accept_some_of_any(self, index, other, length):
        drafts = self.manuscript.drafts
        held = drafts.open[index % len(drafts.open)]
        other %= len(held.alternatives)
        one, taken, rest = held.alternatives[other], drafts.taken(held, other), drafts.rest(held, other)
        more = rest.text[:length]
        if not more:
            return
        drafts.accept_of(held.id, other, length)
        behind = space_behind(more, self.text[held.end : held.end + 1])
        self.note_taken(held.start, Rest(rest.before, more, behind), one.author)
        assert drafts.taken(drafts.get(held.id), other) == taken + len(more)

    @precondition(lambda self: self.manuscript.drafts.open)
    @rule(index=st.integers(0, 5))
    def reject(self, index):
        drafts = self.manuscript.drafts
        drafts.reject(drafts.open[index % len(drafts.open)].id)

    @precondition(lambda self: self.manuscript.drafts.open)
    @rule(index=st.integers(0, 5), back=st.booleans())
    def put_away(self, index, back):
        drafts = self.manuscript.drafts
        away = drafts.open[index % len(drafts.open)].id
        drafts.put_away(away)
        self.note(self.text, self.authors)
        if back:
            self.undo()
            assert away in {one.id for one in drafts.open}

    @rule()
    def undo(self):
        before = self.manuscript.versions.current
        if self.manuscript.versions.undo():
            now, left = self.manuscript.versions.current, self.ways_back.pop(before, None)
            assert now < before if left is None else now == left
        self.back_to(self.manuscript.versions.current)

    @rule()
    def redo(self):
        before = self.manuscript.versions.current
        if self.manuscript.versions.redo():
            now = self.manuscript.versions.current
            if self.manuscript._ledger.state.ways_back.get(now) == before:  # undo had taken back a way to a version
                self.ways_back[now] = before
            else:
                assert now > before
        self.back_to(self.manuscript.versions.current)

    @rule(data=st.data())
    def go(self, data):
        revision = data.draw(st.sampled_from(sorted(self.texts)))
        before = self.manuscript.versions.current
        self.ways_back |= {revision: before} if revision != before else {}
        self.manuscript.versions.go(revision)
        self.back_to(revision)

    @rule(name=st.sampled_from(["one", "two"]), data=st.data())
    def checkpoint(self, name, data):
        revision = data.draw(st.sampled_from(sorted(self.texts)))
        self.manuscript.versions.checkpoint(name, revision)
        self.names[name] = revision

    @precondition(lambda self: self.names)
    @rule(data=st.data())
    def go_to_checkpoint(self, data):
        name = data.draw(st.sampled_from(sorted(self.names)))
        before = self.manuscript.versions.current
        self.ways_back |= {self.names[name]: before} if self.names[name] != before else {}
        self.manuscript.versions.go(self.manuscript.versions.checkpoints[name])
        self.back_to(self.names[name])

    @rule(name=st.sampled_from(["light", "dark"]), data=st.data())
    def branch(self, name, data):
        if name in self.branches:
            with pytest.raises(ManuscriptError, match="already"):
                self.manuscript.versions.begin_branch(name)
            self.manuscript.versions.switch(name)
            self.back_to(self.branches[name])
        else:
            revision = data.draw(st.sampled_from(sorted(self.texts)))
            self.manuscript.versions.begin_branch(name, revision)
            self.back_to(revision)

    @rule(data=st.data(), new=st.sampled_from(["light", "dim"]))
    def rename_branch(self, data, new):
        name = data.draw(st.sampled_from(sorted(self.branches)))
        if new in self.branches and new != name:
            with pytest.raises(ManuscriptError, match="already"):
                self.manuscript.versions.rename_branch(name, new)
        else:
            self.manuscript.versions.rename_branch(name, new)
            self.branches[new] = self.branches.pop(name)

    @rule()
    def save(self):
        safety = self.manuscript.save()
        assert not safety.unsaved
        assert not safety.problems
        self.file = self.text

    @rule(text=FILES, way=st.sampled_from(["mine", "theirs", "both"]))
    def change_elsewhere(self, text, way):
        merged = merge(self.file, self.text, text)
        way = "mine" if way == "both" and merged.touching else way
        self.path.write_bytes(encoded(text))
        if self.manuscript.changed_elsewhere():
            assert self.manuscript.save().conflict
            assert self.path.read_bytes() == encoded(text)
            theirs = max(self.texts) + 1
            self.texts |= {theirs: text} if text != self.text else {}
            ways = {"mine": "keep_mine", "theirs": "take_theirs", "both": "keep_both"}
            getattr(self.manuscript.elsewhere, ways[way])()
            both = self.text
            for one in reversed(merged.taken):
                both = both[: one.start] + text[one.first : one.last] + both[one.end :]
            now = {"mine": self.text, "theirs": text, "both": both}[way]
            self.note(now, self.authors if now == self.text else None)
            if theirs in self.texts:
                runs = self.manuscript.versions.text_at(theirs).authors.runs
                self.written[theirs] = [author for length, author in runs for _ in range(length)]
            assert all(self.manuscript.versions.text_at(id).text == known for id, known in self.texts.items())
        self.file = decoded(self.path.read_bytes())

    @rule(recover=st.booleans(), elsewhere=st.none() | FILES)
    def close_and_open(self, recover, elsewhere):
        self.manuscript.close()
        if elsewhere is not None:
            self.path.write_bytes(encoded(elsewhere))
            self.file = elsewhere
        last, self.text = (self.text, self.authors), self.file
        self.manuscript = Manuscript.open(self.path, clock=lambda: next(self.clock))
        self.note(self.file)
        for offer in self.manuscript.offers:
            (self.manuscript.recover if recover else self.manuscript.decline)(offer)
            assert offer.prose.text == last[0]
            if recover:
                self.text, self.authors = last
        assert not self.manuscript.offers

    @invariant()
    def it_is_as_the_model_says(self):
        if not hasattr(self, "manuscript"):
            return
        versions = self.manuscript.versions
        self.branches[versions.branch] = versions.current
        assert self.manuscript.text == self.text
        assert dict(versions.branches) == self.branches
        assert dict(versions.checkpoints) == self.names
        assert self.manuscript.safety.unsaved == (self.text != self.file)
        assert not self.manuscript.safety.problems
        assert all(0 <= draft.start == draft.end <= len(self.text) for draft in self.manuscript.drafts.open)
        assert self.told() == self.authors


TestManuscript = ManuscriptMachine.TestCase
TestManuscript.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)

"""A home that the version before left opens, and everything in it means what it did: see former_home/README.md."""

import asyncio
import json
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from billy_mlx import paths
from billy_mlx.bench.arms import plan
from billy_mlx.bench.steered_arms import main_arm
from billy_mlx.bench.store import Store
from billy_mlx.blend.blend import Blend
from billy_mlx.blend.directions import directions
from billy_mlx.cli import run
from billy_mlx.engine.thread import Engine
from billy_mlx.errors import BillyError
from billy_mlx.manuscript.cards import mark_of
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.passage import Voice
from billy_mlx.manuscript.provenance import voice_of
from billy_mlx.steps import finish
from billy_mlx.tui.app import Studio
from billy_mlx.tui.screens.saved_blends import saved_blends
from billy_mlx.tui.settings import load_settings
from billy_mlx.tui.widgets.persona_list import mark, quality
from billy_mlx.vectors.bundle import read_bundle
from billy_mlx.vectors.library import find_all, load_vectors
from billy_mlx.vectors.vector_file import save_vector
from billy_mlx.write.messages import Write
from billy_mlx.write.replay import Replayed, replay
from billy_mlx.write.writing import job_types

FORMER = Path(__file__).parent / "former_home"

ADDED = {
    "noir:0.6+gothic:0.4@2": ([1], "701d1566cde878f5"),
    "gothic@0.7": ([2], "d154b399665c38eb"),
    "noir@60": ([1], "4be9aaa4ef4d5779"),
    "noir+gothic@1/paper": ([2], "7adb852d4facb2c5"),
    "noir/orthogonal": ([1], "7555576cd8cb8513"),
    "noir:0.6+gothic:0.4@30": ([1], "72e6f8a5b0d01f6c"),
    "noir@0.3r/L1,3": ([1, 3], "05a65b4ce9129c05"),
    "gothic:1+noir:1@3": ([1], "bf076f17a87b8dee"),
    "gothic/raw": ([0, 1, 2, 3], "9a173426da437858"),
}
"""Layers and digest of what each blend added to the model then."""


@pytest.fixture
def former(billy_home, tmp_path, tiny, monkeypatch):
    """That home, its manuscript and its run folder, as those of this test; its model is the default one."""
    shutil.copytree(FORMER / "billy", billy_home)
    (folder,) = (paths.state_folder() / "manuscripts").iterdir()
    with sqlite3.connect(folder / "history.db") as history:
        history.executescript((folder / "history.sql").read_text())
    history.close()
    (folder / "history.sql").unlink()
    shutil.copytree(FORMER / "bench", tmp_path / "bench")
    settings = (tmp_path / "bench" / "run.json").read_text()
    (tmp_path / "bench" / "run.json").write_text(settings.replace("/tmp/billy-former/tiny", tiny.id))
    monkeypatch.setenv("BILLY_MODEL", tiny.id)
    novel = shutil.copy(FORMER / "novel.md", tmp_path / "novel.md")
    card = json.loads((folder / "manuscript.json").read_text())
    (folder / "manuscript.json").write_text(json.dumps({**card, "mark": mark_of(novel)}))  # it was moved here
    return SimpleNamespace(
        novel=novel,
        bench=tmp_path / "bench",
        bundle=FORMER / "dark.safetensors",
    )


@pytest.fixture
def billy(former, capfd):
    """Run a command line in that home: its exit code, stdout and stderr."""

    def call(*arguments):
        capfd.readouterr()
        code = run(arguments)
        out, err = capfd.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return call


@pytest.mark.parametrize("text", ADDED)
def test_vectors_load_and_a_stored_blend_adds_to_the_bit_what_it_added(former, tiny, text):
    blend = Blend.stored(text)
    added = directions(blend, load_vectors(tiny, blend.persona_ids))
    assert (sorted(added.by_layer), added.key) == ADDED[text]


def test_the_same_texts_typed_now_add_layer_by_layer(former, tiny):
    blend = Blend.parse("noir:0.6+gothic:0.4@2")
    added = directions(blend, load_vectors(tiny, blend.persona_ids))
    assert sorted(added.by_layer) == [1, 2]


def test_a_vector_stays_one_of_the_version_before_until_it_is_made_anew(former, tiny):
    for path in find_all(tiny.fingerprint).values():
        [vector] = load_vectors(tiny, [path.stem]).values()
        assert vector.is_former
        save_vector(vector, path)
        assert load_vectors(tiny, [path.stem])[path.stem].is_former


def test_vectors_are_marked_and_what_to_run_is_said_once(billy, tiny):
    told = "2 of your voices were prepared by an older version"
    listed = billy("vectors", "list")
    assert listed.out.count("made by the version before") == 2
    assert listed.err.count(told) == 1
    findings = json.loads(billy("doctor", "--json").out)
    [vectors] = [each["text"] for each in findings if each["text"].startswith(told)]
    assert vectors.endswith(f"to prepare them again, run: billy extract gothic noir --model {tiny.id}")
    assert billy("extract", "noir", "--questions", "2", "--rollouts", "1", "-m", "4", "--judge", "none").code == 0
    assert "1 of your voices was prepared by an older version" in billy("vectors", "list").err


def test_the_configuration_keeps_its_meaning_and_the_doctor_says_which_keys_name_no_mode(billy):
    arguments = ("generate", "-p", "Once", "--seed", "3", "--json")
    document = json.loads(billy(*arguments).out)
    assert (document["blend"], document["layers"]) == ("gothic:0.4+noir:0.6@2/balanced", [1])
    assert json.loads(billy(*arguments, "--blend", "noir").out)["blend"] == "noir:1@1/layered"
    told = [each["text"] for each in json.loads(billy("doctor", "--json").out) if each["subject"] == "configuration"]
    assert len(told) == 3
    assert (
        'blend in [generate] is "noir:0.6+gothic:0.4@2", which names no mode and so is balanced, as it was' in told[1]
    )
    assert 'write "gothic:0.4+noir:0.6@2/layered" for the mode that is usual now' in told[1]
    assert 'blend in [studio] is "gothic@0.7"' in told[2]


def test_the_studio_begins_with_the_blend_it_began_with(former):
    assert load_settings()[0].blend == "gothic:1@0.7/balanced"
    assert load_settings()[1] == ()


def test_saved_blends_keep_their_mode(former):
    blends = {"dark": "gothic:0.4+noir:0.6@30/balanced", "grim": "noir:1@1/orthogonal"}
    assert ({name: dials.text() for name, dials in saved_blends()[0].items()}, saved_blends()[1]) == (blends, ())


def passages(former):
    """The text of the manuscript, and how its two passages were written."""
    manuscript = Manuscript.open(Path(former.novel))
    try:
        return manuscript.text, [manuscript.drafts.get(draft).alternatives[0].passage for draft in (1, 2)]
    finally:
        manuscript.close()


def test_the_manuscript_opens_with_its_passages_and_each_is_written_again_token_for_token(former, tiny):
    text, (first, second) = passages(former)
    assert text.startswith("The sea was")
    assert text.endswith(second.text)
    assert [voice.blend for voice in (*first.voices, *second.voices)] == ["noir:1@60", "gothic:1+noir:1@1/paper"]
    assert [voice_of(first), voice_of(second)] == ["noir:1@60/balanced", "gothic:1+noir:1@1/paper"]
    for passage in (first, second):
        assert len(passage.tokens) > 5
        assert finish(replay(tiny, passage)) == Replayed(passage.tokens)


def test_a_passage_read_in_the_mode_of_today_would_be_another_text(former, tiny):
    _, (first, _) = passages(former)
    layered = replace(first, voices=(Voice(0, str(Blend.parse("noir@60"))),))
    assert finish(replay(tiny, layered)).differs_at is not None


def test_a_passage_whose_vector_was_made_anew_since_says_so(billy, former, tiny):
    assert billy("extract", "noir", "--questions", "3", "--rollouts", "1", "-m", "4", "--judge", "none").code == 0
    for passage in passages(former)[1]:
        again = finish(replay(tiny, passage))
        assert again.reason == "the vector of noir was extracted or calibrated anew since it was written"
        assert again.tokens == ()


def test_the_manuscript_goes_on_in_what_is_typed_now_beside_what_it_has(billy, former):
    done = billy("continue", str(former.novel), "--blend", "noir", "--seed", "5", "-m", "4", "--json")
    assert (done.code, json.loads(done.out)["rows"][0]["blend"]) == (0, "noir:1@1/layered")
    assert len(passages(former)[1]) == 2


def test_a_bundle_keeps_the_meaning_of_its_blend(billy, former, tmp_path, monkeypatch):
    bundle = read_bundle(former.bundle)
    assert bundle.blend == "gothic:0.4+noir:0.6@30"
    blend = Blend.stored(bundle.blend)
    assert directions(blend, bundle.vectors).key == ADDED["noir:0.6+gothic:0.4@30"][1]
    monkeypatch.setenv("BILLY_HOME", str(tmp_path / "another"))
    assert f"--blend {blend}\n" in billy("vectors", "import", str(former.bundle)).err
    assert "2 of your voices were prepared by an older version" in billy("vectors", "list").err


def test_a_run_of_the_benchmark_is_about_the_mode_it_was_about(former, tiny):
    store = Store.open(former.bench)
    assert str(store.settings.blend) == "gothic:1+noir:1@3/balanced"
    assert main_arm(store.settings) == "billy-balanced"
    arms = {arm.name: str(arm.blend) for arm in plan(tiny, store.settings).arms}
    assert arms == {"billy-balanced": "gothic:1+noir:1@3/balanced", "dose-0": "gothic:1+noir:1@0/balanced"}
    with pytest.raises(BillyError, match=r"holds a run with other settings .*/balanced', not .*/layered"):
        Store.create_or_resume(
            former.bench, replace(store.settings, blend=Blend.parse("noir+gothic@3")), store.made_with
        )


@pytest.mark.slow
def test_a_run_of_the_benchmark_is_reported_on(billy, former):
    done = billy("bench", "report", str(former.bench), "--judge", "none", "--json")
    assert done.code == 0
    arms = {arm["name"]: arm["blend"] for arm in json.loads(done.out)["arms"]}
    assert arms["billy-balanced"] == "gothic:1+noir:1@3/balanced"


def test_answers_that_extractions_kept_are_counted_as_old_and_can_be_cleared(billy):
    assert json.loads(billy("paths", "--json").out)["old_answers"]["poles"] == 1
    assert "removed: 2 kept answers" in billy("vectors", "clear-answers", "--old").err
    assert list(paths.poles_folder().iterdir()) == []


class Watched:
    """The engine that runs models, with the tiny one; what it is asked to write is only kept."""

    def __init__(self, post, model):
        self.engine, self.written = Engine(post, job_types, load=lambda _: model), []

    def start(self, model=None):
        self.engine.start(model)

    def ask(self, request):
        if isinstance(request, Write):
            self.written.append(request)
        else:
            self.engine.ask(request)

    def close(self, timeout_seconds=0.4):
        self.engine.close(5)


def test_the_studio_opens_it_all_and_says_once_what_is_from_the_version_before(former, tiny):
    engines = []

    def connect(post):
        engines.append(Watched(post, tiny))
        return engines[0]

    async def story():
        app = Studio(Path(former.novel), connect=connect)
        async with app.run_test(size=(120, 40), notifications=True) as pilot:
            while app.model is None:
                await pilot.pause()
            await pilot.press("ctrl+end", "ctrl+g")
            await pilot.pause()
            told = [str(each.message) for each in app._notifications]
            return engines[0].written, told, app.voices["noir"]

    [write], told, noir = asyncio.run(story())
    assert write.voices == (Blend.parse("gothic:1@0.7/balanced"),)
    assert len([each for each in told if "2 of your voices were prepared by an older version" in each]) == 1
    assert mark(noir) in "~!"
    assert "! An older version prepared it, and it works as it did then; “Prepare voice” prepares it again." in quality(
        noir
    )

"""billy extract: vectors stored where they are said to be, and those kept that are ready when it is stopped."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.tiny_models import tiny_folder

from billy_mlx import paths
from billy_mlx.blend.writer import Writer
from billy_mlx.extraction import rollouts
from billy_mlx.vectors import library
from billy_mlx.vectors.vector_file import load_vector

FEW = ("--questions", "2", "--rollouts", "1", "-m", "4")
NOBODY = ("--judge", "none")
TEXT = "The fox went home, and nobody saw it. The owl was up, and the rain came down on the hens. " * 40


def vector_of(done):
    """The vector in the only file that stdout names."""
    return load_vector(Path(done.out.removesuffix("\n")))


@pytest.mark.slow
def test_stdout_names_the_files_and_generate_finds_them(billy, model):
    done = billy("extract", "comic", "noir", *FEW, *NOBODY)
    files = [Path(line) for line in done.out.splitlines()]
    assert [file.stem for file in files] == ["comic", "noir"]
    assert all(file.is_relative_to(paths.vectors_folder()) for file in files)
    assert billy("generate", "-p", "Once", "-m", "2", "--blend", "comic").code == 0


@pytest.mark.slow
def test_the_model_is_its_own_judge_and_what_it_did_is_said(billy, model):
    done = billy("extract", "noir", *FEW)
    vector = vector_of(done)
    assert vector.judgement.judge == str(model)
    assert not vector.judgement.filtered  # random weights give digits no quarter of the mass
    assert f"noir: as a judge {model} gave hardly any scores and filtered nothing; answers kept: 2/2 of 2" in done.err


def test_how_well_the_vector_separates_is_said(billy, model):
    done = billy("extract", "noir", *FEW, *NOBODY)
    quality = vector_of(done).quality
    sure = "{:.2f} to {:.2f}".format(*quality.auc_interval)
    told = f"its words alone are told from neutral ones with AUC {quality.held_out_auc[3]:.2f} (95 %: {sure})"
    assert f"noir: {told}; 0.5 is chance" in done.err


@pytest.mark.slow
def test_nobody_and_another_model_can_be_the_judge(billy, model, tmp_path):
    nobody = billy("extract", "noir", *FEW, *NOBODY)
    assert vector_of(nobody).judgement.judge == "none"
    assert "as a judge" not in nobody.err
    other = str(tiny_folder(tmp_path / "other", seed=1))
    assert vector_of(billy("extract", "noir", *FEW, "--judge", other)).judgement.judge == other


def test_a_judge_that_is_not_there_is_said(billy, model):
    done = billy("extract", "noir", *FEW, "--judge", "nobody/nothing")
    assert (done.code, done.out) == (1, "")
    assert "nobody/nothing is not on this machine; run: billy model get nobody/nothing" in done.err


@pytest.mark.slow
def test_mostly_empty_answers_are_said_once_for_each_pole(billy, model, monkeypatch):
    class HardlyAWord(Writer):
        def takes(self):
            return [take if at == 0 else replace(take, text="") for at, take in enumerate(super().takes())]

    monkeypatch.setattr(rollouts, "Writer", HardlyAWord)
    done = billy("extract", "noir", "comic", "--questions", "3", "--rollouts", "1", "-m", "4", *NOBODY)
    assert done.code == 0
    assert [done.err.count(f"2 of 3 answers for {name} are empty") for name in ("neutral", "Noir", "Comic")] == [1] * 3


def test_a_model_that_says_nothing_is_one_sentence(billy, model, monkeypatch):
    whole = Writer.takes
    monkeypatch.setattr(Writer, "takes", lambda self: [replace(take, text="") for take in whole(self)])
    done = billy("extract", "noir", *FEW, *NOBODY)
    assert (done.code, done.out) == (1, "")
    assert f"{model} gives nothing but empty answers for neutral" in done.err


@pytest.mark.slow
def test_fresh_writes_the_neutral_answers_anew_and_says_how_to_go_on(billy, model, monkeypatch):
    assert billy("extract", "noir", *FEW, *NOBODY).code == 0
    kept = sorted((paths.cache_folder() / "poles").rglob("*.safetensors"))
    assert len(kept) == 2  # neutral answers, and the same behind the cards' prompts
    for file in kept:
        os.utime(file, (0, 0))
    assert billy("extract", "comic", *FEW, *NOBODY).code == 0
    assert [file.stat().st_mtime for file in kept] == [0, 0]
    monkeypatch.setattr(library, "store_vector", interrupted)
    done = billy("extract", "noir", "--fresh", *FEW, *NOBODY)
    assert (done.code, [file.stat().st_mtime > 0 for file in kept]) == (130, [True, True])
    assert "and the answers so far: run it again without --fresh to continue" in done.err


def interrupted(*_):
    raise KeyboardInterrupt


@pytest.mark.slow
def test_fresh_is_for_ones_own_text_as_well(billy, model, tmp_path):
    (tmp_path / "novel.md").write_text(TEXT * 2)
    flags = ("--from-text", str(tmp_path / "novel.md"), "--name", "my-voice", "-m", "8", "--fresh")
    assert billy("extract", *flags).code == 0


HOLDING = "import sys, time; from pathlib import Path; from billy_mlx.lock import acquire\n"
HOLDING += "lock = acquire(Path(sys.argv[1])); print(flush=True); time.sleep(600)"


@pytest.mark.slow
def test_who_is_at_it_is_told_and_does_not_stand_in_the_way_once_it_is_dead(billy, model):
    assert billy("extract", "noir", *FEW, *NOBODY).code == 0
    told = []
    for claim in (paths.cache_folder() / "extractions").glob(
        "*/*"
    ):  # the neutral answers', which are there, and noir's
        with subprocess.Popen([sys.executable, "-c", HOLDING, str(claim)], stdout=subprocess.PIPE) as other:
            other.stdout.readline()
            done = billy("extract", "comic", "noir", *FEW, *NOBODY)
            told += [(done.code, f"another billy (process {other.pid}) is extracting noir from {model} " in done.err)]
            other.kill()
        assert billy("extract", "comic", "noir", *FEW, *NOBODY).code == 0
    assert sorted(told) == [(0, False), (1, True)]


@pytest.mark.slow
def test_paper_takes_the_papers_numbers_and_what_is_typed_wins(billy, model):
    done = billy("extract", "noir", "--paper", "--questions", "1", "-m", "3", *NOBODY)
    origin = vector_of(done).origin
    assert (origin.rollouts, origin.sampling) == (
        "10/10 of 10",
        "3 tokens, temperature 1, top-p 1, min-p 0, seed 0",
    )
    assert "to write as the paper does, with the raw mean of the vectors: --blend noir/paper" in done.err


@pytest.mark.slow
def test_what_is_typed_as_it_is_by_default_wins_over_the_paper_as_well(billy, model):
    done = billy("extract", "noir", "--paper", *FEW[:2], "--rollouts", "5", "-m", "3", *NOBODY)
    assert vector_of(done).origin.rollouts == "10/10 of 10"  # 2 questions, 5 answers each


@pytest.mark.slow
def test_the_papers_answers_may_be_too_long_for_a_model(billy, model):
    assert "1,000 more are asked for" in billy("extract", "noir", "--paper", *NOBODY).err


@pytest.mark.slow
def test_ones_own_text_becomes_a_voice_to_write_with(billy, model, tmp_path):
    for name in ("one.md", "two.md"):
        (tmp_path / name).write_text(TEXT, encoding="utf-8-sig")
    files = (str(tmp_path / "one.md"), str(tmp_path / "two.md"))
    done = billy("extract", "--from-text", *files, "--name", "my-voice", "-m", "8")
    assert vector_of(done).origin.source == "1,600 words of one.md, two.md"
    assert "my-voice: its words alone are told from neutral ones with AUC" in done.err
    assert done.err.endswith("run: billy calibrate my-voice\n")
    assert billy("generate", "-p", "Once", "-m", "2", "--blend", "my-voice").code == 0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "is not a file"), (b"\xff\xfe\x00", "is not UTF-8 text"), (b"Too short.", "a voice needs 24")],
)
def test_a_text_that_cannot_be_used_is_said(billy, model, tmp_path, content, sentence):
    if content is not None:
        (tmp_path / "novel.md").write_bytes(content)
    done = billy("extract", "--from-text", str(tmp_path / "novel.md"), "--name", "my-voice")
    assert (done.code > 0, done.out) == (True, "")
    assert sentence in done.err


def test_another_folder_gets_a_folder_for_the_model(extracted):
    (folder,) = extracted.vectors.iterdir()
    assert sorted(file.name for file in folder.iterdir()) == ["gothic.safetensors", "noir.safetensors"]
    fingerprint = load_vector(folder / "noir.safetensors").fingerprint
    assert folder.name == f"{fingerprint.base}-{fingerprint.weights}"


@pytest.mark.slow
def test_ctrl_c_keeps_the_vectors_that_are_ready(billy, model, monkeypatch):
    store = library.store_vector

    def store_and_stop(vector, root):
        if vector.persona_id == "comic":
            raise KeyboardInterrupt
        return store(vector, root)

    monkeypatch.setattr(library, "store_vector", store_and_stop)
    done = billy("extract", "futurist", "comic", *FEW, *NOBODY)
    assert (done.code, Path(done.out.strip()).exists()) == (130, True)
    assert "1 of 2 vectors are stored" in done.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Name the personas to extract, or --all"),
        (["noir", "--all"], "(and not both)"),
        (["nior"], "did you mean noir"),
        (["noir", "--questions", "25"], "--questions is 25, and there are 24 shared questions"),
        (["noir", "--rollouts", "0"], "0 is not in the range"),
        (["noir", "--name", "my-voice"], "--name is for the voice of your own text"),
        (["--from-text", "novel.md"], "Name the files of your text and the voice"),
        (["--from-text", "--name", "my-voice"], "Name the files of your text and the voice"),
        (["--from-text", "novel.md", "--name", "My Voice"], "--name takes lower-case letters"),
        (["--from-text", "novel.md", "--name", "noir"], "There is a persona called noir"),
        (["--from-text", "novel.md", "--name", "my-voice", "--all"], "--from-text is for your own voice"),
        (["--from-text", "novel.md", "--name", "my-voice", "--paper"], "--from-text is for your own voice"),
        (["--from-text", "novel.md", "--name", "my-voice", "--judge", "self"], "your own text counts as it is"),
        (["noir", "--paper", "--questions", "25"], "--questions is 25, and there are 24 shared questions"),
    ],
)
def test_wrong_usage_is_said_before_a_model_is_loaded(billy, arguments, sentence):
    done = billy("extract", *arguments)
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err


def test_a_folder_that_cannot_be_written_is_said_before_a_model_is_loaded(billy, tmp_path):
    (tmp_path / "file").touch()
    done = billy("extract", "noir", *FEW, "--to", str(tmp_path / "file"))
    assert done.code == 1
    assert f"{tmp_path / 'file'} cannot be written to: " in done.err


def test_asking_whether_a_folder_can_be_written_leaves_nothing_in_it(billy, monkeypatch, tmp_path):
    monkeypatch.setenv("BILLY_MODEL", "nobody/nothing")
    assert "run: billy model get" in billy("extract", "noir", "--to", str(tmp_path / "new")).err
    assert list((tmp_path / "new").iterdir()) == []

"""billy read: paragraphs and their scores."""

import json
import signal
from dataclasses import replace

import pytest

from billy_mlx import paths
from billy_mlx.cli import read as module
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.vectors.vector_file import load_vector, save_vector

STORY = "# One\n\nThe lamp was cold.\r\n\n   \nShe woke.\n"


@pytest.fixture
def novel(tmp_path, model):
    for file in paths.vectors_folder().rglob("*.safetensors"):  # made of too few answers to be measured
        save_vector(replace(load_vector(file), quality=None), file)
    path = tmp_path / "novel.md"
    path.write_bytes(STORY.encode())
    return path


def test_each_paragraph_has_its_line_and_a_score_for_each_persona(billy, novel):
    paragraphs = json.loads(billy("read", str(novel), "--json").out)
    assert [(one["line"], one["text"]) for one in paragraphs] == [
        (1, "# One"),
        (3, "The lamp was cold."),
        (6, "She woke."),
    ]
    assert [list(one["scores"]) for one in paragraphs] == [["gothic", "noir"]] * 3


def test_the_sentences_of_a_paragraph_have_scores_of_their_own(billy, novel):
    novel.write_text("She woke. It rained.\n")
    (paragraph,) = json.loads(billy("read", str(novel), "--personas", "noir", "--json").out)
    first, second = (one["scores"]["noir"] for one in paragraph["sentences"])
    assert [(one["start"], one["end"]) for one in paragraph["sentences"]] == [(0, 9), (10, 20)]
    assert paragraph["scores"]["noir"] == pytest.approx((9 * first + 10 * second) / 19)


def test_a_vector_without_a_neutral_cannot_be_looked_for(billy, novel):
    for folder in paths.vectors_folder().iterdir():
        vector = load_vector(folder / "noir.safetensors")
        save_vector(replace(vector, neutral_mean=None), folder / "noir.safetensors")
    assert "noir is left out: its vector does not say what is neutral" in billy("read", str(novel)).err
    assert billy("read", str(novel), "--personas", "noir").code == 2


def test_the_table_has_a_column_for_each_persona_in_the_same_order(billy, novel):
    found = [one["scores"] for one in json.loads(billy("read", str(novel), "--json").out)]
    average = {persona: sum(one[persona] for one in found) / 3 for persona in ("gothic", "noir")}
    header, *lines, last = billy("read", str(novel)).out.splitlines()
    first, second = sorted(average, key=average.get, reverse=True)
    assert header.split() == ["LINE", "PARAGRAPH", first, second]
    for line, scores in zip(lines, found, strict=True):
        cells = [f"{scores[one]:.2f} ({scores[one] - average[one]:+.2f})" for one in (first, second)]
        assert line.endswith("  ".join(cells))
    assert last.split() == ["all", "the", "average", f"{average[first]:.2f}", f"{average[second]:.2f}"]


def test_only_the_personas_that_rise_most_above_the_average_are_shown(billy, novel):
    found = [one["scores"] for one in json.loads(billy("read", str(novel), "--json").out)]
    average = {persona: sum(one[persona] for one in found) / 3 for persona in ("gothic", "noir")}
    most = max(average, key=lambda persona: max(one[persona] - average[persona] for one in found))
    header = billy("read", str(novel), "--top", "1").out.splitlines()[0]
    assert header.split() == ["LINE", "PARAGRAPH", most]


def test_only_the_personas_asked_for_are_looked_for(billy, novel):
    paragraphs = json.loads(billy("read", str(novel), "--personas", "noir", "--json").out)
    assert [list(one["scores"]) for one in paragraphs] == [["noir"]] * 3


def test_a_paragraph_does_not_depend_on_its_neighbours(billy, novel):
    before = json.loads(billy("read", str(novel), "--json").out)[1]["scores"]
    novel.write_text("The lamp was cold.\n")
    alone = json.loads(billy("read", str(novel), "--json").out)[0]["scores"]
    assert alone == pytest.approx(before, abs=1e-3)


def test_an_empty_text_has_no_paragraphs(billy, novel):
    novel.write_text("\n \n")
    assert json.loads(billy("read", str(novel), "--json").out) == []


def test_a_text_that_is_open_in_the_studio_can_be_read(billy, novel):
    manuscript = Manuscript.open(novel)
    done = billy("read", str(novel))
    manuscript.close()
    assert (done.code, done.err) == (0, "")


def test_ctrl_c_gives_what_was_read_so_far(billy, novel, monkeypatch):
    line_of = module.line_of
    monkeypatch.setattr(module, "line_of", lambda *where: (signal.raise_signal(signal.SIGINT), line_of(*where))[1])
    done = billy("read", str(novel), "--json")
    assert (done.code, len(json.loads(done.out))) == (130, 1)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--personas", "nior"], "did you mean noir"),
        (["--personas", " , "], "there are no personas to look for"),
        (["--personas", "futurist"], "run: billy extract futurist"),
    ],
)
def test_what_cannot_be_looked_for_is_said(billy, novel, arguments, sentence):
    done = billy("read", str(novel), *arguments)
    assert done.code in (1, 2)
    assert sentence in done.err

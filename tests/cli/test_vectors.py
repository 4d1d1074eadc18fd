"""billy vectors: what there is for a model, and how alike."""

import json
from dataclasses import replace

import numpy as np
import pytest

from billy_mlx import paths
from billy_mlx.vectors.measurements import Judgement, Outcome, Quality, Strength
from billy_mlx.vectors.vector_file import load_vector, save_vector

CHANCE = Quality((0.5, 0.69, 0.6, 0.4), (0.0, 0.1, -0.1, 0.0), (0.3, 0.55))
GOOD = Quality((0.5, 0.7, 0.95, 0.75), (0.1, 0.3, 0.8, 0.75), (0.6, 0.9))
STRENGTH = Strength(
    2.25, "perplexity", 1.4, Outcome(1.5, 1.2, 1.0, 0.0, 1.0), (0.75, 2.0), Outcome(1.25, 1.4, 1.0, 0.0, 1.0), 12
)

WEAK = replace(STRENGTH, effect_interval=(-0.2, 0.4))


def store_changed(persona_id, **parts):
    """Put other parts into a persona's file."""
    for file in paths.vectors_folder().rglob(f"{persona_id}.safetensors"):
        save_vector(replace(load_vector(file), **parts), file)


def test_the_vectors_of_a_model_are_listed(billy, model):
    rows = json.loads(billy("vectors", "list", "--json").out)
    assert [(row["persona_id"], row["rollouts"], row["transferred"]) for row in rows] == [
        ("gothic", "2/2 of 2", False),
        ("noir", "2/2 of 2", False),
    ]


def test_the_list_says_how_good_each_is_and_what_it_was_calibrated_to(billy, model):
    store_changed("gothic", quality=GOOD, strength=STRENGTH)
    store_changed("noir", quality=None)
    head, gothic, noir = billy("vectors", "list").out.splitlines()
    assert head.split() == ["ID", "AUC", "FULL", "ANSWERS", "DATE", "FROM"]
    assert gothic.split()[:4] == ["gothic", "0.75", "2.25", "2/2"]
    assert noir.split()[:4] == ["noir", "2/2", "of", "2"]


def test_a_weak_vector_is_marked_in_the_list_and_where_it_is_shown(billy, model):
    store_changed("gothic", quality=GOOD, strength=WEAK)
    store_changed("noir", quality=GOOD)
    weak = "it does not show in what is written with it"
    _, gothic, noir = billy("vectors", "list").out.splitlines()
    assert gothic.endswith(f"yours  weak: {weak}")
    assert noir.endswith("yours")
    assert f"weak           {weak}" in billy("vectors", "show", "gothic").out.splitlines()
    assert json.loads(billy("vectors", "show", "gothic", "--json").out)["weakness"] == weak


def test_what_cannot_be_measured_is_marked_and_not_held_to_be_weak(billy, model):
    store_changed("gothic", quality=CHANCE, strength=WEAK)
    assert billy("vectors", "list").out.splitlines()[1].endswith("yours  cannot be measured")
    told = "it cannot be measured with this model: by its words it is told from neutral answers by chance only"
    assert f"measured       {told}" in billy("vectors", "show", "gothic").out.splitlines()
    assert json.loads(billy("vectors", "show", "gothic", "--json").out)["weakness"] is None


def test_who_writes_with_a_weak_vector_is_told(billy, model):
    store_changed("gothic", quality=GOOD, strength=WEAK)
    store_changed("noir", quality=CHANCE)
    done = billy("generate", "-p", "Once", "-m", "2", "--blend", "gothic+noir")
    assert "gothic is weak for this model: it does not show in what is written with it" in done.err
    assert "noir is weak" not in done.err


def test_the_folder_of_vectors_is_said_once_and_not_in_the_table(billy, model):
    done = billy("vectors", "list")
    assert str(paths.vectors_folder()) not in done.out
    assert done.err == f"billy: yours are kept in {paths.vectors_folder()}\n"


def test_a_damaged_file_is_warned_of_and_the_others_still_listed(billy, model):
    damaged = next(paths.vectors_folder().rglob("noir.safetensors"))
    damaged.write_bytes(damaged.read_bytes()[:-10])
    done = billy("vectors", "list")
    assert "gothic" in done.out
    assert f"left out: {damaged}" in done.err


def test_a_vector_of_other_weights_is_marked_as_transferred(billy, model):
    (folder,) = paths.vectors_folder().iterdir()
    folder.rename(folder.with_name(folder.name.partition("-")[0] + "-" + "0" * 16))
    (file,) = paths.vectors_folder().rglob("noir.safetensors")
    store_changed("noir", fingerprint=replace(load_vector(file).fingerprint, weights="0" * 16), strength=STRENGTH)
    for persona_id in ("noir", "gothic"):
        store_changed(persona_id, quality=GOOD)
    rows = json.loads(billy("vectors", "list", "--json").out)
    assert {row["persona_id"]: row["transferred"] for row in rows} == {"gothic": False, "noir": True}
    assert "transferred" in billy("vectors", "show", "noir").out
    lines = billy("vectors", "list").out.splitlines()[1:]
    assert [line.split("  ")[-1] for line in lines] == ["yours", "other weights"]
    done = billy("generate", "-p", "Once", "-m", "2", "--blend", "noir+gothic")
    assert "doses of noir are approximate: they were measured with other weights of this model" in done.err


def test_a_vector_is_shown_layer_by_layer(billy, model):
    store_changed("noir", quality=GOOD, strength=STRENGTH)
    document = json.loads(billy("vectors", "show", "noir", "--json").out)
    assert len(document["norm"]) == len(document["residual_norm"]) == 4
    lines = billy("vectors", "show", "noir").out.splitlines()
    head = next(number for number, line in enumerate(lines) if line.startswith("LAYER"))
    assert lines[head].split() == ["LAYER", "NORM", "IN", "RESIDUAL", "NORMS", "HELD-OUT", "AUC", "HALVES"]
    rows = lines[head + 1 : head + 5]
    assert [row.split()[0] for row in rows] == ["0", "1", "2", "3"]
    assert ["◂" in row for row in rows] == [False, False, False, True]
    assert [row.split()[-1] for row in rows] == ["0.10", "0.30", "0.80", "0.75"]


def test_small_bars_say_how_long_a_vector_is_and_how_far_from_chance(billy, model):
    store_changed("noir", quality=Quality((0.2, 0.5, 0.75, 1.0), (0.0,) * 4), projection_scale=np.array([0, 1, 2, 4.0]))
    store_changed("noir", residual_norm=np.full(4, 8.0))
    rows = billy("vectors", "show", "noir").out.splitlines()[-7:-3]
    bars = [[len(word) for word in row.split() if set(word) == {"█"}] for row in rows]
    assert bars == [[], [3], [6, 6], [12, 12]]
    assert [row.split("  ")[0].strip() for row in rows] == ["0", "1", "2", "3 ◂"]


def test_what_is_known_of_a_vector_is_said_in_lines(billy, model):
    judgement = Judgement("org/judge", auc=0.8, medians=(80.0, 20.0), filtered=True, judged=120)
    store_changed("noir", judgement=judgement, strength=STRENGTH)
    said = billy("vectors", "show", "noir").out
    assert "answers        2/2 of 2\n" in said
    assert "judge          org/judge tells the poles apart with AUC 0.80 over 120 answers each" in said
    assert "median scores 80 and 20 of 100), so it filtered the answers\n" in said
    limit = "as strange to the model as texts behind its system prompts"
    assert f"dose 1         the vector 2.25 times, layer by layer: {limit}\n" in said
    measured = "effect 1.50 (0.75 to 2.00), perplexity ×1.20; its system prompts 1.25, ×1.40"
    assert f"at dose 1      {measured}\n" in said


@pytest.mark.parametrize(
    ("judgement", "said"),
    [
        (Judgement(), "judge          none, so that all answers count"),
        (Judgement("org/judge"), "org/judge gave hardly any scores and filtered nothing"),
        (Judgement("org/judge", 0.55, (60.0, 55.0), judged=48), "AUC 0.55 over 48 answers each"),
        (Judgement("org/judge", 0.55, (60.0, 55.0), judged=48), "so it filtered nothing"),
    ],
    ids=range(4),
)
def test_a_judge_that_did_nothing_is_said_to_have(billy, model, judgement, said):
    store_changed("noir", judgement=judgement)
    assert said in billy("vectors", "show", "noir").out


def test_what_is_not_known_of_a_vector_is_left_out(billy, model):
    store_changed("noir", judgement=None, quality=None, residual_norm=None, neutral_mean=None)
    done = billy("vectors", "show", "noir")
    assert (done.code, "judge" in done.out, "█" in done.out) == (0, False, False)
    assert "dose 1         not calibrated: the vector once" in done.out
    document = json.loads(billy("vectors", "show", "noir", "--json").out)
    assert [document[name] for name in ("judgement", "quality", "strength", "residual_norm")] == [None] * 4


def test_what_a_vector_resembles_is_said_and_what_is_damaged_left_out(billy, model):
    cosine = json.loads(billy("vectors", "show", "noir", "--json").out)["similar"]["gothic"]
    assert billy("vectors", "show", "noir").out.endswith(f"Most like it at layer 3, in cosines:\ngothic {cosine:.2f}\n")
    damaged = next(paths.vectors_folder().rglob("gothic.safetensors"))
    damaged.write_bytes(damaged.read_bytes()[:-10])
    done = billy("vectors", "show", "noir")
    assert f"left out: {damaged}" in done.err
    assert "Most like it" not in done.out


def test_similarity_is_one_with_itself_and_the_same_both_ways(billy, model):
    document = json.loads(billy("vectors", "similarity", "--json").out)
    (one, across), (back, other) = document["cosines"]
    assert (document["layer"], document["ids"]) == (3, ["gothic", "noir"])
    assert (one, other, across) == (pytest.approx(1, abs=1e-5), pytest.approx(1, abs=1e-5), back)


def test_similarity_of_a_choice_at_a_layer(billy, model):
    out = billy("vectors", "similarity", "noir", "--layer", "1").out
    assert out.startswith("Cosines at layer 1\n")
    assert out.endswith("1 noir  1.00\n")


def test_similarity_is_that_at_the_layer_where_texts_are_read(billy, model):
    assert billy("vectors", "similarity").out.startswith("Cosines at layer 3\n")


@pytest.mark.parametrize(("name", "begins"), [("s.png", b"\x89PNG"), ("deep/s.SVG", b"<?xml"), ("s.pdf", b"%PDF")])
def test_similarity_is_drawn_as_the_ending_says(billy, model, tmp_path, name, begins):
    done = billy("vectors", "similarity", "--plot", str(tmp_path / name))
    assert (done.code, done.err) == (0, f"billy: drawn: {tmp_path / name}\n")
    assert done.out.startswith("Cosines at layer 3\n")
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_a_picture_that_cannot_be_drawn_is_said(billy, model, tmp_path, monkeypatch):
    assert "ends in .png, .svg, .pdf; s.gif does not" in billy("vectors", "similarity", "--plot", "s.gif").err
    (tmp_path / "file").touch()
    assert "was not drawn: " in billy("vectors", "similarity", "--plot", str(tmp_path / "file" / "s.png")).err
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    done = billy("vectors", "similarity", "--plot", "s.png")
    assert (done.code, done.out) == (2, "")
    assert "install it with: pip install 'billy-mlx[plot]'" in done.err


def test_a_layer_that_is_not_there_is_refused(billy, model):
    assert billy("vectors", "similarity", "--layer", "4").code == 2


def test_a_model_without_vectors_is_told_how_to_get_them(billy, extracted):
    for command in (("list",), ("similarity",)):
        assert (
            f"run: billy extract --all --model {extracted.model}"
            in billy("vectors", *command, "--model", str(extracted.model)).err
        )

"""billy vectors import and export: files of other tools, and bundles, from the outside."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.foreign_files import write_control_vector, write_json, write_torch
from helpers.tiny_models import COMMON, CONFIGS, tiny_folder

from billy_mlx import paths
from billy_mlx.blend.blend import Blend
from billy_mlx.blend.directions import directions
from billy_mlx.errors import BlendError
from billy_mlx.formats.vectors.control_vector import read_control_vector
from billy_mlx.model.load import identify
from billy_mlx.vectors.bundle import bundle_bytes, read_bundle
from billy_mlx.vectors.card import get_persona, read_card
from billy_mlx.vectors.library import read_vectors
from billy_mlx.vectors.measurements import Outcome, Strength
from billy_mlx.vectors.vector_file import load_vector, save_vector

LAYERS, WIDTH = COMMON["num_hidden_layers"], COMMON["hidden_size"]
RANDOM = np.random.default_rng(0)
X = {layer: RANDOM.normal(size=WIDTH).astype(np.float32) for layer in (1, 2, 3)}
FEW = ["--questions", "2", "--rollouts", "1", "-m", "4", "--judge", "none"]
TRAIT = {
    "instruction": [{"pos": f"Be salty, way {n}.", "neg": f"Be fresh, way {n}."} for n in range(5)],
    "questions": ["Why?"] * 20,
    "eval_prompt": "Salt shows.\n\n{question}{answer}",
}


def stored(persona_id):
    (path,) = paths.vectors_folder().rglob(f"{persona_id}.safetensors")
    return load_vector(path)


def test_a_control_vector_is_stored_under_the_name_of_its_file(billy, model, tmp_path):
    done = billy("vectors", "import", str(write_control_vector(tmp_path / "Llama 3_Grim.v2.gguf", X)))
    assert done.code == 0
    vector = load_vector(Path(done.out.strip()))
    assert vector.persona_id == "llama-3_grim-v2"
    assert all(np.array_equal(vector.directions[layer], X[layer]) for layer in X)
    assert "run: billy generate -p TEXT --blend llama-3_grim-v2/raw/all\n" in done.err


def test_an_imported_vector_takes_the_models_norms_and_says_so(billy, model, tmp_path):
    done = billy("vectors", "import", str(write_control_vector(tmp_path / "x.gguf", X)))
    assert f"those of {model} are taken from its vector of gothic" in done.err
    assert np.array_equal(stored("x").residual_norm, stored("gothic").residual_norm)


def test_without_norms_the_modes_that_work_are_said(billy, model, tmp_path):
    shutil.rmtree(paths.vectors_folder())
    done = billy("vectors", "import", str(write_control_vector(tmp_path / "x.gguf", X)))
    assert "only the modes raw and paper work" in done.err
    assert f"run: billy extract noir --model {model}" in done.err
    assert stored("x").residual_norm is None
    done = billy("vectors", "import", str(write_torch(tmp_path / "y.pt", np.ones((LAYERS, WIDTH)))))
    assert done.err.endswith("run: billy generate -p TEXT --blend y@2a/paper\n")


def test_what_is_imported_can_be_written_with(billy, model, tmp_path):
    billy("vectors", "import", str(write_control_vector(tmp_path / "x.gguf", X)))
    for blend in ("x/raw/all", "x:0.5+noir/raw", "x@2a/paper", "x+noir/balanced"):
        done = billy("generate", "-p", "Sea.", "--blend", blend, "-m", "4", "--json")
        assert (done.code, json.loads(done.out)["finish_reason"] in ("length", "stop")) == (0, True)
    refused = billy("generate", "-p", "Sea.", "--blend", "x+noir", "-m", "4")
    assert (refused.code, refused.out) == (2, "")
    assert "the vector of x came from another tool's file" in refused.err
    assert "use it as it is, with /raw" in refused.err


@pytest.mark.parametrize("blend", ["x", "x:0.5+noir", "x/layered/all"])
def test_what_another_tool_made_is_not_added_layer_by_layer_and_what_to_do_instead_is_said(
    billy, model, tmp_path, blend
):
    billy("vectors", "import", str(write_control_vector(tmp_path / "x.gguf", X)))
    done = billy("generate", "-p", "Sea.", "--blend", blend, "-m", "4")
    assert (done.code, done.out) == (2, "")
    assert "x came from another tool's file" in done.err
    assert "with /raw" in done.err


def test_a_hint_at_another_model_is_a_warning(billy, model, tmp_path):
    done = billy("vectors", "import", str(write_control_vector(tmp_path / "x.gguf", X, hint="qwen2")))
    assert done.code == 0
    assert f"x.gguf says it is for qwen2, but {model} is llama" in done.err


def test_a_file_for_another_model_is_refused_and_nothing_stored(billy, model, tmp_path):
    files = [write_control_vector(tmp_path / "x.gguf", X), write_torch(tmp_path / "y.pt", np.ones((9, WIDTH)))]
    done = billy("vectors", "import", *map(str, files))
    assert (done.code, done.out) == (1, "")
    assert f"has 9 rows, but {model} has 4 layers" in done.err
    assert not list(paths.vectors_folder().rglob("x.safetensors"))


def test_the_rows_of_a_tensor_tell_the_tool(billy, model, tmp_path):
    rows = RANDOM.normal(size=(LAYERS + 1, WIDTH)).astype(np.float32)
    files = write_torch(tmp_path / "evil.pt", rows), write_torch(tmp_path / "pref.pt", rows[:-1])
    assert billy("vectors", "import", *map(str, files)).code == 0
    assert np.array_equal(stored("evil").directions[:-1], rows[1:-1])
    assert np.array_equal(stored("pref").directions, rows[:-1])


def test_norms_that_are_given_win(billy, model, tmp_path):
    files = write_torch(tmp_path / "pref.pt", np.ones((LAYERS, WIDTH))), write_json(tmp_path / "n.json", [1, 2, 3, 4])
    done = billy("vectors", "import", *map(str, files))
    assert stored("pref").residual_norm.tolist() == [1, 2, 3, 4]
    assert "run: billy generate -p TEXT --blend pref/balanced\n" in done.err
    assert billy("generate", "-p", "Sea.", "--blend", "pref/balanced", "-m", "4").code == 0


def test_another_vector_is_replaced_only_with_force(billy, model, tmp_path):
    path = write_control_vector(tmp_path / "x.gguf", X)
    assert billy("vectors", "import", str(path)).code == 0
    assert "is there already" in billy("vectors", "import", str(path)).err
    write_control_vector(path, {1: 2 * X[1]})
    done = billy("vectors", "import", str(path))
    assert (done.code, "x has another vector" in done.err) == (2, True)
    assert billy("vectors", "import", str(path), "--force").code == 0
    assert np.array_equal(stored("x").directions[1], 2 * X[1])


def test_a_bundled_persona_is_not_stood_in_for_by_chance(billy, model, tmp_path):
    path = write_control_vector(tmp_path / "Lyrical.gguf", X)
    done = billy("vectors", "import", str(path))
    assert (done.code, "lyrical, which is a bundled persona" in done.err) == (2, True)
    assert billy("vectors", "import", str(path), "--id", "lyrical").code == 0


@pytest.mark.parametrize(
    ("names", "flags", "said"),
    [
        (["x.gguf", "y.gguf"], ["--id", "z"], "--id names one of them, and there are 2"),
        (["x.gguf"], ["--id", "../z"], "cannot be an id"),
        (["x.gguf"], ["--name", "Grim"], "there is no trait"),
        (["x.gguf", "X.gguf"], [], "would have the same id"),
        (["---.gguf"], [], "does not give an id; name one with --id"),
    ],
)
def test_what_cannot_be_named_is_refused(billy, model, tmp_path, names, flags, said):
    files = [str(write_control_vector(tmp_path / name, X)) for name in names]
    done = billy("vectors", "import", "--", *files) if not flags else billy("vectors", "import", *files, *flags)
    assert (done.code, said in done.err) == (2, True)


def test_norms_alone_and_a_missing_file_are_refused(billy, model, tmp_path):
    alone = billy("vectors", "import", str(write_json(tmp_path / "norms.json", [1, 2, 3, 4])))
    assert (alone.code, "goes with a vector" in alone.err) == (2, True)
    missing = billy("vectors", "import", str(tmp_path / "none.gguf"))
    assert (missing.code, "there is no such file" in missing.err) == (1, True)


def test_a_trait_becomes_a_card_and_is_never_written_over_one(billy, billy_home, tmp_path):
    path = write_json(tmp_path / "very-salty.json", TRAIT)
    done = billy("vectors", "import", str(path))
    card = read_card(Path(done.out.strip()))
    assert (card.id, card.name, card.rubric) == ("very-salty", "Very Salty", "Salt shows.")
    assert "its questions and its prompts for the opposite are not taken over" in done.err
    again = billy("vectors", "import", str(path), "--force")
    assert (again.code, "exists and is kept" in again.err) == (1, True)


def test_a_trait_and_its_vector_come_together_under_one_id(billy, model, tmp_path):
    files = write_json(tmp_path / "salty.json", TRAIT), write_control_vector(tmp_path / "salty_diff.gguf", X)
    done = billy("vectors", "import", *map(str, files), "--id", "salty", "--name", "Old Salt")
    assert [Path(line).name for line in done.out.splitlines()] == ["salty.toml", "salty.safetensors"]
    assert get_persona("salty").name == "Old Salt"


def added(text):
    """What a blend of stored vectors adds, by layer."""
    blend = Blend.parse(text)
    return directions(blend, {each: stored(each) for each in blend.persona_ids}).by_layer


def same(a, b):
    return sorted(a) == sorted(b) and all(np.array_equal(a[layer], b[layer]) for layer in a)


@pytest.fixture
def at_full():
    """Give the stored vector of noir a full strength that is not 1."""
    (path,) = paths.vectors_folder().rglob("noir.safetensors")
    outcome = Outcome(effect=0.8, perplexity=1.4, distinct=1.0, repetition=0.0, length=1.0)
    strength = Strength(0.9, "effect", 1.5, outcome, (0.5, 1.1), prompted=outcome, prompts=12, made_with="by hand")
    save_vector(replace(load_vector(path), strength=strength), path)
    return strength


def test_a_persona_goes_out_as_what_it_adds_layer_by_layer_at_full_strength(billy, model, tmp_path, at_full):
    done = billy("vectors", "export", "noir", "-o", str(tmp_path / "out.gguf"))
    assert (done.code, done.out) == (0, f"{tmp_path / 'out.gguf'}\n")
    assert "adds what noir:1@1/layered does, at layers 1 to 2, for a strength of 1\n" in done.err
    written, whole = read_control_vector(tmp_path / "out.gguf"), stored("noir").directions.astype(np.float64)
    assert written.model_hint == "llama"
    expected = {1: 0.9 * whole[1], 2: 0.9 * (whole[2] - whole[1])}
    assert same(written.by_layer, {layer: np.float32(each) for layer, each in expected.items()})


@pytest.mark.parametrize(
    "blend", ["noir", "noir:0.6+gothic:0.4@0.7", "noir:1+gothic:-0.3/layered/L1,3/all", "noir+gothic/balanced/L2"]
)
def test_what_went_out_comes_back_as_a_raw_vector_that_adds_the_same_to_the_bit(billy, model, tmp_path, blend, at_full):
    done = billy("vectors", "export", "--blend", blend, "-o", str(tmp_path / "out.gguf"))
    assert done.code == 0
    assert ("llama.cpp adds it at every token" in done.err) == ("/all" not in blend)
    assert billy("vectors", "import", str(tmp_path / "out.gguf")).code == 0
    assert same(added("out@1a/raw"), added(blend))
    with pytest.raises(BlendError, match=r"out came from another tool's file, .*; use it as it is, with /raw"):
        added("out/layered")


def test_what_came_from_another_tool_goes_out_as_it_came(billy, model, tmp_path):
    billy("vectors", "import", str(write_control_vector(tmp_path / "x.gguf", X)))
    done = billy("vectors", "export", "x", "-o", str(tmp_path / "again.gguf"))
    assert "adds what x:1@1a/raw does, at layers 1 to 3" in done.err
    assert same(read_control_vector(tmp_path / "again.gguf").by_layer, X)


def test_what_steers_the_first_layer_is_no_control_vector_and_how_to_leave_it_out_is_said(billy, model, tmp_path):
    for blend, without in (("noir/L0,2", "noir:1@1/layered/L2"), ("noir/raw", "noir:1@1a/raw/L1,2,3")):
        done = billy("vectors", "export", "--blend", blend, "-o", str(tmp_path / "out.gguf"), "--force")
        assert (done.code, f"leave it out, as in {without}" in done.err) == (2, True)
        assert billy("vectors", "export", "--blend", without, "-o", str(tmp_path / "out.gguf"), "--force").code == 0


@pytest.mark.slow
def test_a_model_with_too_few_layers_has_one_steered_and_that_is_said(billy, model, tmp_path, monkeypatch):
    monkeypatch.setitem(CONFIGS, "llama", CONFIGS["llama"] | {"num_hidden_layers": 3})
    small = str(tiny_folder(tmp_path / "small"))
    extracted = billy("extract", "noir", "gothic", "--model", small, *FEW)
    said = "a model of 3 layers is too small to add noir:1@1/layered layer by layer: all of it goes to layer 1\n"
    assert (extracted.code, extracted.err.count(said), extracted.err.count("too small")) == (0, 1, 1)
    for blend, expected in (("noir", True), ("noir/L1,2", False), ("noir/balanced", False)):
        done = billy("generate", "-p", "Sea.", "--blend", blend, "-m", "4", "--model", small)
        assert (done.code, said in done.err) == (0, expected)
    done = billy("vectors", "export", "noir", "--model", small, "-o", str(tmp_path / "out.gguf"))
    assert (done.code, said in done.err) == (0, True)
    assert list(read_control_vector(tmp_path / "out.gguf").by_layer) == [1]


def test_a_vector_goes_out_as_its_own_file(billy, model, tmp_path):
    assert billy("vectors", "export", "noir", "-o", str(tmp_path / "copy.safetensors")).code == 0
    assert np.array_equal(load_vector(tmp_path / "copy.safetensors").directions, stored("noir").directions)
    shutil.rmtree(paths.vectors_folder())
    done = billy("vectors", "import", str(tmp_path / "copy.safetensors"))
    assert done.out == f"{next(paths.vectors_folder().rglob('noir.safetensors'))}\n"
    assert f"made for {model}: to write with it, run: billy generate -p TEXT --blend noir:1@1/layered\n" in done.err


def test_a_bundle_brings_a_blend_to_another_home(billy, model, tmp_path, monkeypatch):
    billy("vectors", "import", str(write_json(tmp_path / "salty.json", TRAIT)))
    billy("vectors", "import", str(write_control_vector(tmp_path / "x.gguf", X)), "--id", "salty")
    blend = Blend.parse("noir:0.6+salty:0.4@0.5/balanced")
    before = directions(blend, read_vectors(blend.persona_ids, *identify()))
    assert billy("vectors", "export", "--blend", str(blend), "-o", str(tmp_path / "b.safetensors")).code == 0
    card = (paths.personas_folder() / "salty.toml").read_text()
    monkeypatch.setenv("BILLY_HOME", str(tmp_path / "another"))
    done = billy("vectors", "import", str(tmp_path / "b.safetensors"))
    assert f"run: billy generate -p TEXT --blend {blend}\n" in done.err
    assert (paths.personas_folder() / "salty.toml").read_text() == card
    assert [path.name for path in paths.personas_folder().iterdir()] == ["salty.toml"]  # noir's is bundled
    after = directions(blend, read_vectors(blend.persona_ids, *identify()))
    assert after.key == before.key != ""
    assert billy("generate", "-p", "Sea.", "--blend", str(blend), "-m", "4").code == 0


def test_a_bundle_keeps_mode_and_strength_exactly(billy, model, tmp_path, monkeypatch, at_full):
    blend = Blend.parse("noir:0.6+gothic:0.4@0.7")
    before = added(str(blend))
    billy("vectors", "export", "--blend", str(blend), "-o", str(tmp_path / "b.safetensors"))
    assert read_bundle(tmp_path / "b.safetensors").blend == "gothic:0.4+noir:0.6@0.7/layered"
    monkeypatch.setenv("BILLY_HOME", str(tmp_path / "another"))
    done = billy("vectors", "import", str(tmp_path / "b.safetensors"))
    assert "run: billy generate -p TEXT --blend gothic:0.4+noir:0.6@0.7/layered\n" in done.err
    assert (stored("noir").strength, stored("gothic").strength) == (at_full, None)
    assert same(added(str(blend)), before)


def test_the_blend_of_an_older_bundle_names_no_mode_and_stays_balanced(billy, model, tmp_path):
    (tmp_path / "b.safetensors").write_bytes(bundle_bytes({"noir": stored("noir")}, {}, "noir:1@0.3r", {}))
    done = billy("vectors", "import", str(tmp_path / "b.safetensors"))
    assert "run: billy generate -p TEXT --blend noir:1@0.3r/balanced\n" in done.err


def test_a_file_of_its_own_says_how_to_write_with_it(billy, model, tmp_path):
    billy("vectors", "import", str(write_control_vector(tmp_path / "x.gguf", X)))
    billy("vectors", "export", "x", "-o", str(tmp_path / "x.safetensors"))
    done = billy("vectors", "import", str(tmp_path / "x.safetensors"))
    assert "run: billy generate -p TEXT --blend x:1@1a/raw\n" in done.err


def bundle(billy, path):
    assert billy("vectors", "export", "--blend", "noir", "-o", str(path), "--force").code == 0
    return path


def test_a_bundle_says_where_it_came_from(billy, model, tmp_path):
    read = read_bundle(bundle(billy, tmp_path / "b.safetensors"))
    assert read.made["model_id"] == str(model)
    assert read.made["versions"].startswith("mlx ")
    assert read.cards == {"noir": get_persona("noir")}


def test_a_bundle_keeps_cards_and_vectors_that_say_something_else(billy, model, tmp_path):
    path = bundle(billy, tmp_path / "b.safetensors")
    shutil.copytree(Path(get_persona("noir").source).parent, paths.personas_folder())
    card = paths.personas_folder() / "noir.toml"
    card.write_text(card.read_text().replace('name = "Noir"', 'name = "Darker"'))
    done = billy("vectors", "import", str(path))
    assert "your card of noir differs from the one in b.safetensors and is kept" in done.err
    assert 'name = "Darker"' in card.read_text()
    (file,) = paths.vectors_folder().rglob("noir.safetensors")
    shutil.copy(file.with_name("gothic.safetensors"), file)
    assert billy("vectors", "import", str(path)).code == 2
    assert billy("vectors", "import", str(path), "--force").code == 0


@pytest.mark.slow
def test_a_bundle_of_another_model_is_refused_for_the_one_that_is_named(billy, model, tmp_path, starter_home):
    path = bundle_of_starter(billy, tmp_path / "b.safetensors")
    assert billy("vectors", "import", str(path)).code == 0
    refused = billy("vectors", "import", str(path), "--model", str(model))
    assert (refused.code, "was extracted from starter" in refused.err) == (1, True)


def bundle_of_starter(billy, path):
    assert billy("vectors", "export", "--blend", "noir", "--model", "starter", "-o", str(path)).code == 0
    return path


@pytest.mark.parametrize(
    ("blend", "said"),
    [("noir+", "its blend cannot be read"), ("noir+gothic", "it has no vector of gothic, which its blend needs")],
)
def test_a_bundle_with_a_blend_that_cannot_be_is_refused(billy, model, tmp_path, blend, said):
    (tmp_path / "b.safetensors").write_bytes(bundle_bytes({"noir": stored("noir")}, {}, blend, {}))
    done = billy("vectors", "import", str(tmp_path / "b.safetensors"))
    assert (done.code, said in done.err, done.out) == (1, True, "")


def test_two_bundles_that_disagree_are_not_both_stored(billy, model, tmp_path):
    vector = stored("noir")
    for name, each in (("a", vector), ("b", vector), ("c", replace(vector, neutral_mean=None))):
        (tmp_path / f"{name}.safetensors").write_bytes(bundle_bytes({"noir": each}, {}, "noir", {}))
    shutil.rmtree(paths.vectors_folder())
    done = billy("vectors", "import", *(str(tmp_path / f"{name}.safetensors") for name in "abc"))
    assert done.code == 2
    assert "is there already" in done.err
    assert "noir has another vector" in done.err
    assert stored("noir").neutral_mean is not None


def test_a_bundle_has_ids_of_its_own(billy, model, tmp_path):
    done = billy("vectors", "import", str(bundle(billy, tmp_path / "b.safetensors")), "--id", "darker")
    assert (done.code, "leave out --id" in done.err) == (2, True)


def test_a_bad_card_of_ones_own_is_left_alone_both_ways(billy, model, tmp_path):
    path = bundle(billy, tmp_path / "b.safetensors")
    paths.personas_folder().mkdir()
    (paths.personas_folder() / "noir.toml").write_text("bad")
    assert "your card of noir differs" in billy("vectors", "import", str(path)).err
    done = billy("vectors", "export", "--blend", "noir", "-o", str(path), "--force")
    assert "left out: " in done.err
    assert read_bundle(path).cards == {}


def test_a_vector_from_another_tool_goes_into_a_bundle_without_a_card(billy, model, tmp_path):
    billy("vectors", "import", str(write_control_vector(tmp_path / "x.gguf", X)))
    done = billy("vectors", "export", "--blend", "x/raw/all", "-o", str(tmp_path / "b.safetensors"))
    assert "x has no card: its vector goes without one" in done.err
    assert list(read_bundle(tmp_path / "b.safetensors").vectors) == ["x"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "x.gguf"], "Name one persona, or a blend"),
        (["noir", "--blend", "noir", "-o", "x.gguf"], "and not both"),
        (["noir", "-o", "x.pt"], "let its name end in .gguf or .safetensors"),
        (["nior", "-o", "x.gguf"], "did you mean noir"),
        (["--blend", "noir@", "-o", "x.gguf"], "is not a dose"),
        (["--blend", "noir/np", "-o", "x.gguf"], "cannot say /np"),
        (["--blend", "noir@0", "-o", "x.gguf"], "would be empty"),
        (["--blend", "noir/L0", "-o", "x.gguf"], "steers layer 0, which no control vector can"),
    ],
)
def test_what_cannot_be_exported_is_refused(billy, model, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    done = billy("vectors", "export", *arguments)
    assert (done.code, said in done.err) == (2, True)
    assert not list(tmp_path.glob("x.*"))


def test_a_file_that_exists_is_replaced_only_with_force(billy, model, tmp_path):
    (tmp_path / "x.gguf").write_text("mine")
    assert "exists; choose another name" in billy("vectors", "export", "noir", "-o", str(tmp_path / "x.gguf")).err
    assert (tmp_path / "x.gguf").read_text() == "mine"
    assert billy("vectors", "export", "noir", "-o", str(tmp_path / "x.gguf"), "--force").code == 0
    assert (tmp_path / "x.gguf").read_bytes().startswith(b"GGUF")


def test_the_commands_are_there_without_mlx():
    code = "import sys, billy_mlx.cli.vectors as v; print(sorted(v.command.commands), 'mlx.core' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "'export', 'import'" in done.stdout
    assert done.stdout.endswith("False\n")

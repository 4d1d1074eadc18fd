"""LoRA and DoRA adapters: as mlx-lm has them, told apart by what they hold, refused where they do not fit."""

import json
import os
from dataclasses import replace

import mlx.core as mx
import mlx_lm
import pytest
from helpers.tiny_adapter import adapter_folder
from helpers.tiny_models import tiny_folder
from helpers.zoo import zoo_folder
from mlx.utils import tree_flatten
from mlx_lm.utils import load_adapters, load_model

from billy_mlx import paths
from billy_mlx.errors import ModelError
from billy_mlx.model import adapter as adapter_module
from billy_mlx.model import backend
from billy_mlx.model.adapter import apart, apply, read_adapter, with_adapter
from billy_mlx.model.load import identify, load

TOKENS = mx.array([[1, 2, 3, 4, 5]])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_folder(tmp_path_factory.mktemp("adapted") / "model")


@pytest.fixture
def adapter(folder, tmp_path):
    return adapter_folder(tmp_path / "adapter", folder)


@pytest.fixture(autouse=True)
def no_model_is_named(monkeypatch):
    monkeypatch.delenv("BILLY_MODEL", raising=False)


def edit(adapter, **changes):
    settings = json.loads((adapter / "adapter_config.json").read_text()) | changes
    (adapter / "adapter_config.json").write_text(json.dumps(settings))


def change(adapter, **changes):
    parameters = json.loads((adapter / "adapter_config.json").read_text())["lora_parameters"]
    edit(adapter, lora_parameters=parameters | changes)


def rewrite(adapter, change):
    file = str(adapter / "adapters.safetensors")
    arrays = {name: mx.array(array) for name, array in mx.load(file).items()}
    mx.eval(arrays)
    mx.save_safetensors(file, change(arrays))


@pytest.mark.slow
@pytest.mark.parametrize("bits", [None, 4])
@pytest.mark.parametrize("kind", ["lora", "dora"])
@pytest.mark.parametrize("keys", [None, ["self_attn.q_proj", "mlp.down_proj"]])
def test_a_model_with_an_adapter_says_what_it_says_in_mlx_lm(tmp_path, bits, kind, keys):
    model = tiny_folder(tmp_path / "model", bits=bits)
    adapter = adapter_folder(tmp_path / "adapter", model, kind, keys=keys)
    theirs, _ = mlx_lm.load(str(model), adapter_path=str(adapter))
    ours = load(model, adapter_path=adapter).model(TOKENS)
    assert mx.allclose(ours, theirs(TOKENS), rtol=1e-4, atol=1e-4)
    assert not mx.allclose(ours, load(model).model(TOKENS), rtol=1e-2, atol=1e-2)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "bits"), [("lora", None), ("lora", 4), ("dora", None)])
def test_embeddings_that_give_the_outputs_too_have_adapters(tmp_path, kind, bits):
    model = tiny_folder(tmp_path / "model", bits=bits)
    adapter = adapter_folder(tmp_path / "adapter", model, kind, keys=["model.embed_tokens"])
    theirs, _ = mlx_lm.load(str(model), adapter_path=str(adapter))
    assert mx.allclose(load(model, adapter_path=adapter).model(TOKENS), theirs(TOKENS), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("name", ["qwen3_moe", "lfm2"])
def test_experts_and_other_layers_have_adapters(tmp_path, name, fused):
    model = zoo_folder(tmp_path / "model", name)
    network, theirs = (load_model(model)[0] for _ in range(2))
    for each in (network, theirs):
        each.set_dtype(mx.float32)
    adapter = _made_for(network, tmp_path / "adapter")
    theirs = load_adapters(theirs, str(adapter))
    theirs.eval()
    fresh = load_model(model)[0]
    fresh.set_dtype(mx.float32)
    apply(read_adapter(adapter), fresh, fused=fused)
    assert mx.allclose(fresh(TOKENS), theirs(TOKENS), rtol=1e-4, atol=1e-4)


def _made_for(network, path):
    from mlx_lm.tuner.utils import linear_to_lora_layers

    parameters = {"rank": 2, "scale": 2.0, "dropout": 0.5}
    network.freeze()
    linear_to_lora_layers(network, 2, dict(parameters))
    arrays = {name: mx.random.normal(array.shape) for name, array in tree_flatten(network.trainable_parameters())}
    path.mkdir()
    mx.save_safetensors(str(path / "adapters.safetensors"), arrays)
    (path / "adapter_config.json").write_text(json.dumps({"num_layers": 2, "lora_parameters": parameters}))
    return path


def test_on_metal_the_layers_stay_as_they_are_stored(folder, adapter, monkeypatch):
    monkeypatch.setattr(backend, "on_cpu", lambda: False)
    network = load(folder, adapter_path=adapter).model
    assert any(name.endswith("lora_a") for name, _ in tree_flatten(network.parameters()))
    assert not any(layer.training for layer in network.modules())
    assert mx.array_equal(network(TOKENS), network(TOKENS))


def test_a_model_with_an_adapter_is_another_one_of_the_same_base(folder, adapter, tmp_path):
    bare, adapted = load(folder), load(folder, adapter_path=adapter)
    assert replace(adapted.fingerprint, weights=bare.fingerprint.weights) == bare.fingerprint != adapted.fingerprint
    assert identify(folder)[1] == bare.fingerprint
    assert identify(adapted.id) == (adapted.id, adapted.fingerprint)
    before = read_adapter(adapter).digest
    assert read_adapter(adapter.rename(tmp_path / "elsewhere")).digest == before


@pytest.mark.parametrize("changed", [{"scale": 3.0}, {"rank": 5}, {"keys": ["mlp.up_proj"]}])
def test_what_an_adapter_does_is_told_apart(adapter, changed):
    before = read_adapter(adapter).digest
    change(adapter, **changed)
    assert read_adapter(adapter).digest != before


def test_so_are_its_numbers_all_of_them(adapter):
    before = read_adapter(adapter).digest
    name = "model.layers.3.mlp.up_proj.lora_a"
    rewrite(adapter, lambda arrays: arrays | {name: mx.where(mx.arange(32)[:, None] == 9, 0, arrays[name])})
    assert read_adapter(adapter).digest != before


def test_its_id_loads_it_again(folder, adapter, monkeypatch):
    monkeypatch.chdir(adapter.parent)
    model = load(folder, adapter_path="adapter")
    assert model.id == f"{folder} --adapter-path {adapter}" == with_adapter(str(folder), adapter)
    assert apart(model.id) == (str(folder), str(adapter))
    assert load(model.id).fingerprint == model.fingerprint


def test_the_configured_adapter_is_that_of_the_configured_model(folder, adapter, tmp_path):
    paths.config_file().parent.mkdir(parents=True)
    paths.config_file().write_text(f'model = "{folder}"\nadapter-path = "{adapter}"\n')
    assert load().id == load(folder).id == identify()[0] == with_adapter(str(folder), adapter)
    other = tiny_folder(tmp_path / "other")
    assert load(other).id == str(other)
    paths.config_file().write_text(f'model = "{with_adapter(str(folder), adapter)}"\nadapter-path = "nonesuch"\n')
    assert load().id == with_adapter(str(folder), adapter)


BROKEN = {
    "no folder": (lambda adapter: adapter.rename(adapter.parent / "gone"), "There is no adapter"),
    "no settings": (lambda adapter: (adapter / "adapter_config.json").unlink(), "has no adapter_config.json"),
    "no weights": (lambda adapter: (adapter / "adapters.safetensors").unlink(), "has no adapters.safetensors"),
    "no JSON": (lambda adapter: (adapter / "adapter_config.json").write_text("{"), "is damaged"),
    "a list": (lambda adapter: (adapter / "adapter_config.json").write_text("[]"), "it holds no settings"),
    "deep": (lambda adapter: (adapter / "adapter_config.json").write_text("[" * 100_000), "nested too deeply"),
    "long": (lambda adapter: os.truncate(adapter / "adapter_config.json", 1 << 21), "has 2,097,152 bytes"),
    "no parameters": (lambda adapter: edit(adapter, lora_parameters=3), "lora_parameters is 3"),
    "no rank": (lambda adapter: edit(adapter, lora_parameters={}), "does not say rank"),
    "alpha": (lambda adapter: edit(adapter, lora_parameters={"rank": 4, "alpha": 2}), "wants scale"),
    "rank": (lambda adapter: change(adapter, rank=1 << 40), "rank is 1099511627776"),
    "scale": (lambda adapter: change(adapter, scale=float("nan")), "scale is nan"),
    "dropout": (lambda adapter: change(adapter, dropout=1), "dropout is 1"),
    "keys": (lambda adapter: change(adapter, keys="q_proj"), "keys is 'q_proj'"),
    "layers": (lambda adapter: edit(adapter, num_layers="all"), "num_layers is 'all'"),
    "kind": (lambda adapter: edit(adapter, fine_tune_type=["x"]), "there are lora and dora"),
    "full": (lambda adapter: edit(adapter, fine_tune_type="full"), "with mlx_lm.fuse"),
    "cut": (lambda adapter: os.truncate(adapter / "adapters.safetensors", 4000), "get the adapter again"),
    "empty": (lambda adapter: rewrite(adapter, lambda _: {}), "holds nothing"),
    "not floats": (lambda adapter: rewrite(adapter, lambda _: {"a": mx.array([1])}), "holds 'a' in I32"),
    "PEFT": (lambda adapter: (adapter / "adapters.safetensors").rename(adapter / "adapter_model.safetensors"), "PEFT"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_adapter_is_refused_before_anything_is_loaded(folder, adapter, name):
    do, said = BROKEN[name]
    do(adapter)
    with pytest.raises(ModelError) as refused:
        identify(with_adapter(str(folder), adapter))
    assert said in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_a_folder_is_wanted_and_a_file_of_it_refused(folder, adapter):
    with pytest.raises(ModelError, match="is no folder; name the folder of the adapter"):
        load(folder, adapter_path=adapter / "adapters.safetensors")
    with pytest.raises(ModelError, match="has no name"):
        load(folder, adapter_path="")


def test_weights_that_are_larger_than_any_are_not_read(adapter, monkeypatch):
    monkeypatch.setattr(adapter_module, "_LARGEST_WEIGHTS", 1000)
    with pytest.raises(ModelError, match="the largest that is read has 1,000"):
        read_adapter(adapter)


def test_numbers_that_are_not_finite_are_refused(folder, adapter):
    rewrite(adapter, lambda arrays: arrays | {UP: mx.where(mx.arange(4) == 3, float("nan"), arrays[UP])})
    with pytest.raises(ModelError, match=f"in '{UP}' that are not finite"):
        load(folder, adapter_path=adapter)


def test_memory_is_asked_for_the_adapter_as_well(folder, adapter, monkeypatch):
    monkeypatch.setattr(adapter_module.Adapter, "elements", 10**12)
    with pytest.raises(ModelError, match=r"needs 4000.* GB of memory"):
        load(folder, adapter_path=adapter)


UP = "model.layers.3.mlp.up_proj.lora_a"
UNFIT = {
    "a tensor too many": (lambda a: rewrite(a, lambda w: w | {"model.layers.9.x": mx.ones(3)}), "'model.layers.9.x'"),
    "a tensor of the model": (
        lambda a: rewrite(a, lambda w: w | {"model.norm.weight": mx.ones(32)}),
        "nothing there takes its 'model.norm.weight'",
    ),
    "a tensor too few": (lambda a: rewrite(a, lambda w: {n: x for n, x in w.items() if n != UP}), f"it lacks '{UP}'"),
    "another width": (lambda a: rewrite(a, lambda w: w | {UP: mx.ones((16, 4))}), f"'{UP}' has 16 × 4 numbers"),
    "another rank": (lambda a: change(a, rank=8), "numbers, and"),
    "more layers": (lambda a: edit(a, num_layers=16), "it changes 16 layers, and there are 4"),
    "fewer layers": (lambda a: edit(a, num_layers=1), "nothing there takes its 'model.layers.2."),
    "other layers": (lambda a: change(a, keys=["mlp.nonesuch"]), "nothing there takes its"),
    "another kind": (lambda a: edit(a, fine_tune_type="dora"), ".m'"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_an_adapter_that_does_not_fit_is_refused_with_a_part_of_it(folder, adapter, name):
    do, said = UNFIT[name]
    do(adapter)
    with pytest.raises(ModelError, match=r"does not fit this model: .*; use it with org/trained-on") as refused:
        load(folder, adapter_path=adapter)
    assert said in str(refused.value)

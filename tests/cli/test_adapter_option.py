"""--adapter-path goes wherever --model goes, and what commands say and keep names the adapter."""

import json
import shlex
import shutil
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from helpers.tiny_adapter import adapter_folder

from billy_mlx import paths
from billy_mlx.cli import commands as billys_commands
from billy_mlx.cli.options import model_flags

FEW = ["--questions", "2", "--rollouts", "1", "-m", "4", "--judge", "none"]
WANTED = ["generate", "-p", "Once", "--blend", "comic"]  # which nobody has prepared


@pytest.fixture
def adapter(extracted, tmp_path):
    return adapter_folder(tmp_path / "my adapter", extracted.model)


def commands(group, *names):
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        if isinstance(command, click.Group):
            yield from commands(command, *names, name)
        else:
            yield (*names, name), command


def test_every_command_that_takes_a_model_takes_an_adapter():
    by_flags = {
        " ".join(names): {flag for each in command.params for flag in each.opts}
        for names, command in commands(billys_commands)
    }
    with_model = {name for name, flags in by_flags.items() if "--model" in flags}
    assert len(with_model) > 12
    assert with_model == {name for name, flags in by_flags.items() if "--adapter-path" in flags}


@pytest.mark.parametrize(
    "command",
    [
        ["generate", "-p", "Once"],
        ["extract", "noir"],
        ["calibrate", "noir"],
        ["vectors", "list"],
        ["demo"],
        ["bench", "run"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("named", [True, False])
def test_an_adapter_that_is_not_there_is_said_by_every_command(billy, model, command, named):
    done = billy(*command, *(["--model", str(model)] if named else []), "--adapter-path", "nonesuch")
    assert (done.code, done.out) == (1, "")
    assert "There is no adapter nonesuch; name the folder that mlx_lm.lora has made" in done.err


@pytest.mark.slow
def test_the_bare_models_vectors_are_transferred_until_the_adapter_has_its_own(billy, model, adapter):
    flags = ["--adapter-path", str(adapter)]
    assert json.loads(billy("vectors", "list", *flags, "--json").out)[0]["transferred"]
    extracted = billy("extract", "noir", *FEW, *flags)
    assert extracted.code == 0, extracted.err
    assert f"run: billy calibrate noir --model {model} --adapter-path '{adapter}'" in extracted.err
    kept = {
        each["persona_id"]: each["transferred"] for each in json.loads(billy("vectors", "list", *flags, "--json").out)
    }
    assert kept == {"gothic": True, "noir": False}
    assert not any(each["transferred"] for each in json.loads(billy("vectors", "list", "--json").out))


@pytest.mark.slow
def test_what_is_to_be_run_names_the_adapter(billy, model, adapter):
    done = billy(*WANTED, "--adapter-path", str(adapter))
    assert done.err.strip().endswith(f"run: billy extract comic --model {model} --adapter-path {adapter}")
    assert shlex.split(model_flags(f"{model} --adapter-path {adapter}")) == [
        "--model",
        str(model),
        "--adapter-path",
        str(adapter),
    ]
    assert model_flags("org/name") == "--model org/name"


@pytest.mark.slow
def test_a_passage_is_written_again_with_the_adapter_and_only_with_it(billy, model, adapter, tmp_path):
    file = tmp_path / "novel.md"
    file.write_text("It was a dark night.\n")
    flags = ["--adapter-path", str(adapter)]
    assert billy("continue", str(file), "--blend", "noir@5", "-m", "6", "--seed", "1", *flags).code == 0
    with_it, without = (json.loads(billy("replay", str(file), *more, "--json").out)[0] for more in (flags, []))
    assert with_it["equal"] is True
    assert (without["possible"], str(adapter) in without["reason"]) == (False, True)


@pytest.mark.slow
def test_a_benchmark_records_its_adapter(billy, model, adapter, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = json.loads((model / "tokenizer_config.json").read_text())
    named = [{"name": "default", "template": settings["chat_template"]}]
    own = Path(shutil.copytree(model, tmp_path / "tiny"))
    (own / "tokenizer_config.json").write_text(json.dumps(settings | {"chat_template": named}))
    flags = ["--model", str(own), "--adapter-path", str(adapter), "--chat-template-name", "default"]
    few = ["--blend", "noir", "--arms", "dose-0", "--items", "1", "--seeds", "1", "-m", "4", "--judge", "none"]
    done = billy("bench", "run", *few, *flags, "--json")
    assert done.code == 0, done.err
    made = json.loads(next(tmp_path.glob("bench-tiny-my-adapter-own/report.json")).read_text())["made_with"]
    assert str(tmp_path) not in json.dumps(made)
    words = shlex.split(made["command"])
    assert words[words.index("--adapter-path") + 1] == "my adapter"
    assert words[words.index("--model") + 1] == "tiny"
    assert words[words.index("--chat-template-name") + 1] == "default"
    assert billy("bench", "report", "bench-tiny-my-adapter-own", "--judge", "none").code == 0


def test_the_studio_gets_the_model_by_its_whole_name(billy, model, monkeypatch):
    given = []
    terminal = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr("billy_mlx.cli.write.sys", SimpleNamespace(stdin=terminal, stdout=terminal))
    monkeypatch.setattr("billy_mlx.cli.write._leave", lambda _: None)
    monkeypatch.setattr("billy_mlx.tui.app.run", lambda _, *, model: given.append(model))
    assert billy("write", "--adapter-path", "mine").code == 0
    assert billy("write", "--model", "org/name", "--adapter-path", "mine").code == 0
    assert given == [f"{model} --adapter-path mine", "org/name --adapter-path mine"]


@pytest.mark.slow
def test_the_configured_adapter_is_used_and_may_be_replaced(billy, extracted, adapter, monkeypatch):
    monkeypatch.delenv("BILLY_MODEL", raising=False)
    paths.config_file().parent.mkdir(parents=True)
    paths.config_file().write_text(f'model = "{extracted.model}"\nadapter-path = "{adapter}"\n')
    assert f"run: billy extract comic --model {extracted.model} --adapter-path {adapter}" in billy(*WANTED).err
    done = billy("generate", "-p", "Once", "--adapter-path", "nonesuch")
    assert "There is no adapter nonesuch" in done.err

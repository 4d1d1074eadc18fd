"""The command line as a whole: exit codes, what is imported, and what is said when the machine refuses."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from billy_mlx import cli, paths
from billy_mlx.cli import doctor, run

LIGHT = (
    ["--help"],
    ["--version"],
    ["paths"],
    ["personas", "list"],
    ["generate", "--help"],
    ["generate", "-p", "x", "-m", "0"],
)
NO_MLX = "import sys; from billy_mlx.cli import run; run(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"


@pytest.mark.parametrize("arguments", LIGHT, ids=" ".join)
def test_commands_that_load_no_model_never_import_mlx(arguments):
    done = subprocess.run([sys.executable, "-c", NO_MLX, *arguments], capture_output=True, text=True, check=True)
    assert not {"mlx", "mlx_lm", "transformers", "numpy", "textual"} & set(done.stderr.split())


def test_help_names_every_command(billy):
    out = billy("--help").out
    assert all(f"  {name} " in out for name in cli._COMMANDS)


def test_an_unknown_command_is_wrong_usage(billy):
    done = billy("genrate")
    assert done.code == 2
    assert done.err.startswith("billy: No such command 'genrate'")


@pytest.mark.parametrize("group", ["personas", "vectors", "model"])
def test_a_group_without_a_command_shows_its_help(billy, group):
    done = billy(group)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"Usage: billy {group}")


def test_paths_are_those_of_the_library(billy):
    assert json.loads(billy("paths", "--json").out)["vectors"] == str(paths.vectors_folder())


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "billy: stopped"),
        (click.Abort(), 130, "billy: stopped"),
        (BrokenPipeError(32, "Broken pipe"), 0, ""),
        (PermissionError(13, "Permission denied", "/x"), 1, "billy: /x cannot be used: Permission denied"),
        (OSError(28, "No space left on device"), 1, "billy: The output cannot be written: No space left on device"),
        (ImportError("libmlx.so", name="mlx.core"), 1, "billy: MLX does not start here: libmlx.so; on Linux"),
        (
            ImportError("libmlx.so", name="core", path="/x/mlx/core.so"),
            1,
            "billy: MLX does not start here: libmlx.so; on",
        ),
        (MemoryError(), 1, "billy: The memory ran out; close other programs"),
        (RuntimeError("[malloc] Unable to allocate 8 bytes."), 1, "billy: The memory ran out; close other programs"),
    ],
)
def test_what_the_machine_refuses_is_said_without_a_traceback(monkeypatch, capsys, error, code, said):
    def fail(_):
        raise error

    monkeypatch.setattr("billy_mlx.cli.doctor.write_table", lambda *_: fail(None))
    assert run(["paths"]) == code
    assert capsys.readouterr().err.strip().startswith(said)


def test_a_bug_is_not_hidden(monkeypatch):
    monkeypatch.setattr("billy_mlx.cli.doctor.write_table", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(["paths"])


def test_a_full_disk_behind_stdout_is_said():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(billy_command("paths"), stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "No space left on device" in done.stderr


def test_a_reader_that_has_had_enough_is_no_failure():
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(billy_command("personas", "list"), stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def closed(streams, *arguments):
    """Run billy with some of its streams closed, as a shell closes them."""
    script = f'exec "$@" {streams}'
    return subprocess.run(["sh", "-c", script, "sh", *billy_command(*arguments)], capture_output=True, text=True)


def test_a_closed_stdout_is_said():
    done = closed(">&-", "paths")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("billy: stdout is closed")


@pytest.mark.slow
def test_without_stderr_what_was_asked_for_is_still_put_out(model):
    done = closed("2>&-", "generate", "-p", "Once", "-m", "12", "--seed", "1")
    assert done.returncode == 0
    assert len(done.stdout) > 1


@pytest.mark.slow
def test_without_stdin_a_prompt_from_there_is_empty(model):
    done = closed("<&-", "generate", "-p", "-", "-m", "2")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_without_any_stream_nothing_crashes():
    assert closed("<&- >&- 2>&-", "paths").returncode == 1


def billy_command(*arguments):
    return [sys.executable, "-c", "from billy_mlx.cli import main; main()", *arguments]


@pytest.mark.parametrize("arguments", [(), ("write",), ("write", "story.md")], ids=str)
def test_the_studio_asks_for_a_terminal_where_there_is_none(billy, arguments):
    done = billy(*arguments)
    assert done.code == 2
    assert done.err.startswith("billy: the studio needs a terminal; without one use: billy continue")


@pytest.mark.slow
def test_the_demo_ends_with_a_command_that_a_shell_takes_as_one(billy, model):
    done = billy("demo", "-p", "It's", "--seed", "1")
    assert "=== gothic:1@2/layered ===" in done.out
    said = "billy: with the stored vectors, whose dose of 1 is calibrated:\n"
    before, _, command = done.err.partition(said)
    assert before.count("\n") == 1
    script = f"billy() {{ printf '%s\\n' \"$@\"; }}; {command}"
    arguments = subprocess.run(["sh", "-c", script], capture_output=True, text=True).stdout.splitlines()
    assert arguments[:3] == ["generate", "-p", "It's"]
    assert [each for each in arguments if "gothic" in each] == [
        "gothic:1@1/layered",
        "childrens:0.5+gothic:0.5@1/layered",
    ]
    assert "childrens is not prepared" in billy(*arguments).err


def test_a_healthy_machine_is_found_healthy(billy, model):
    done = billy("doctor", "--json")
    findings = {finding["subject"]: finding for finding in json.loads(done.out)}
    assert done.code == 0
    assert findings["vectors"]["text"] == f"2 personas for {model}"


def test_vectors_and_cards_that_cannot_be_read_are_named_and_not_counted(billy, model):
    damaged = next(paths.vectors_folder().rglob("noir.safetensors"))
    damaged.write_bytes(b"")
    paths.personas_folder().mkdir(parents=True)
    (paths.personas_folder() / "bad.toml").touch()
    out = billy("doctor").out
    assert f"1 persona for {model}" in out
    warnings = [line.split()[1] for line in out.splitlines() if str(damaged) in line or "bad.toml" in line]
    assert warnings == ["personas", "vectors"]


def test_the_model_is_the_one_that_generate_would_use(billy, model, monkeypatch):
    monkeypatch.delenv("BILLY_MODEL")
    paths.config_file().parent.mkdir(parents=True)
    paths.config_file().write_text('[generate]\nmodel = "nobody/nothing"')
    assert "nobody/nothing is not on this machine" in billy("doctor").out


def test_a_configuration_that_is_not_toml_fails_once(billy):
    paths.config_file().parent.mkdir(parents=True)
    paths.config_file().write_text("[generate")
    assert [line.split()[1] for line in billy("doctor").out.splitlines() if line.startswith("failed")] == [
        "configuration"
    ]


def test_a_missing_model_and_a_broken_configuration_fail(billy, monkeypatch):
    monkeypatch.setenv("BILLY_MODEL", "nobody/nothing")
    paths.config_file().parent.mkdir(parents=True)
    paths.config_file().write_text("x = 1")
    done = billy("doctor")
    assert done.code == 1
    assert [line.split()[1] for line in done.out.splitlines() if line.startswith("failed")] == [
        "configuration",
        "model",
    ]


def test_the_folder_of_kept_answers_is_looked_at(billy, model, monkeypatch):
    kept = paths.cache_folder() / "poles"
    kept.mkdir(parents=True)
    monkeypatch.setattr(doctor.os, "access", lambda folder, _: folder != kept)
    assert f"{kept} cannot be written to" in billy("doctor").out


def test_folders_that_cannot_be_written_are_a_warning(billy, model, monkeypatch):
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    assert "cannot be written to; set BILLY_HOME" in billy("doctor").out


@pytest.mark.parametrize(("name", "opened"), [("tale", "tale.md"), ("there", "there"), ("a.txt", "a.txt")])
def test_the_studio_makes_markdown_of_a_name_alone(billy, tmp_path, monkeypatch, name, opened):
    (tmp_path / "there").touch()
    paths = []
    monkeypatch.setattr("billy_mlx.tui.app.run", lambda path, *, model: paths.append(path) or 1)
    monkeypatch.setattr("billy_mlx.cli.write.os._exit", sys.exit)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    with pytest.raises(SystemExit, match="1"):
        billy("write", str(tmp_path / name))
    assert paths == [tmp_path / opened]


@pytest.mark.parametrize(
    ("name", "kind"), [("x.docx", "a Word document"), ("x.odt", "an OpenDocument text"), ("x.html", "HTML")]
)
@pytest.mark.parametrize("is_there", [False, True])
def test_the_studio_writes_no_documents_of_other_programs(billy, tmp_path, monkeypatch, name, kind, is_there):
    path = tmp_path / name
    if is_there:
        path.write_text("x")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    done = billy("write", str(path))
    command = (
        f"billy import {path} -o {path.with_suffix('.md')}" if is_there else f"billy write {path.with_suffix('.md')}"
    )
    assert done.code == 2
    assert done.err.replace("\n", " ").split() == (
        f"billy: {path} would be {kind}, and texts here are Markdown; run: {command}".split()
    )
    assert path.exists() == is_there

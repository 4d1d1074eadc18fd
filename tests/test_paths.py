import os
from pathlib import Path

import pytest

from billy_mlx import paths
from billy_mlx.cli import run

EVERY_PATH = [
    paths.config_file,
    paths.personas_folder,
    paths.vectors_folder,
    paths.state_folder,
    paths.models_folder,
    paths.cache_folder,
]


@pytest.mark.parametrize("path", EVERY_PATH)
def test_billy_home_holds_everything(path, billy_home):
    assert path().is_relative_to(billy_home)


def test_no_two_paths_are_the_same():
    assert len({path() for path in EVERY_PATH}) == len(EVERY_PATH)


def test_a_tilde_in_billy_home_is_the_users_folder(monkeypatch):
    monkeypatch.setenv("BILLY_HOME", "~/billy")
    assert paths.state_folder() == Path.home() / "billy" / "state"


@pytest.mark.parametrize("home", [None, ""])
@pytest.mark.parametrize("path", EVERY_PATH)
def test_without_billy_home_the_platform_decides(path, home, monkeypatch, billy_home):
    monkeypatch.delenv("BILLY_HOME") if home is None else monkeypatch.setenv("BILLY_HOME", home)
    assert path().is_absolute()
    assert not path().is_relative_to(billy_home)


@pytest.mark.parametrize(
    ("variable", "path"),
    [
        ("XDG_CONFIG_HOME", paths.config_file),
        ("XDG_DATA_HOME", paths.vectors_folder),
        ("XDG_STATE_HOME", paths.state_folder),
        ("XDG_CACHE_HOME", paths.models_folder),
    ],
)
def test_xdg_folders_are_honoured(variable, path, monkeypatch, tmp_path):
    monkeypatch.delenv("BILLY_HOME")
    monkeypatch.setenv(variable, str(tmp_path / variable))
    assert path().is_relative_to(tmp_path / variable / "billy")


def test_asking_for_a_path_makes_no_folder(billy_home):
    assert [os.fspath(path()) for path in EVERY_PATH]
    assert not billy_home.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("import", "~nobody/x.txt", "-o", "-"),
        ("export", "~nobody/x.md", "-o", "-", "--to", "txt"),
        ("model", "import", "~nobody/x.gguf"),
        ("generate", "-p", "x", "--model", "~nobody/x"),
        ("extract", "--from-text", "~nobody/x.txt", "--name", "x"),
        ("vectors", "import", "~nobody/x.gguf"),
        ("bench", "report", "~nobody/x"),
        ("read", "~nobody/x.md"),
        ("continue", "~nobody/x.md"),
    ],
)
def test_a_user_that_there_is_not_is_said_in_a_sentence(arguments, capfd):
    assert run(list(arguments)) in (1, 2)
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("billy: ")
    assert "Traceback" not in err


def test_a_tilde_is_the_home_of_who_types_it(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert paths.expanded("~/x") == Path("/home/ada/x")
    assert paths.expanded("~nobody-of-that-name/x") == Path("~nobody-of-that-name/x")

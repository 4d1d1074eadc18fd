"""What the commands are tested with: a tiny model with vectors of two personas, made by the commands themselves."""

import shutil
from types import SimpleNamespace

import pytest
from helpers.tiny_models import tiny_folder

from billy_mlx import paths
from billy_mlx.cli import run

FEW = ["--questions", "2", "--rollouts", "1", "-m", "4", "--judge", "none"]


@pytest.fixture(scope="session")
def extracted(tmp_path_factory):
    """A model folder, and a folder of vectors for it as `billy extract --to` makes it."""
    model, vectors = tiny_folder(tmp_path_factory.mktemp("models") / "tiny"), tmp_path_factory.mktemp("vectors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BILLY_HOME", str(tmp_path_factory.mktemp("home")))
        assert run(["extract", "noir", "gothic", "--model", str(model), *FEW, "--to", str(vectors)]) == 0
    return SimpleNamespace(model=model, vectors=vectors)


@pytest.fixture
def model(extracted, billy_home, monkeypatch):
    """The folder of the default model of this test, whose home has its vectors."""
    shutil.copytree(extracted.vectors, paths.vectors_folder())
    monkeypatch.setenv("BILLY_MODEL", str(extracted.model))
    return extracted.model


@pytest.fixture
def billy(capfd):
    """Run a command line in this process: its exit code, stdout and stderr."""

    def call(*arguments):
        capfd.readouterr()
        code = run(arguments)
        out, err = capfd.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return call

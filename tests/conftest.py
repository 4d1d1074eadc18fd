"""What holds for every test: its own folders, no network, no clock."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"  # read when huggingface_hub is imported, so before any test module is

import pytest
from hypothesis import settings

import billy_mlx  # noqa: F401  puts a fast BLAS into the process, before any test imports mlx

pytest_plugins = ("helpers.tiny_models",)  # the tiny models, as fixtures

settings.register_profile("billy", deadline=None)  # a busy machine is no failure
settings.load_profile("billy")


@pytest.fixture(autouse=True)
def billy_home(tmp_path, monkeypatch):
    """Keep configuration, vectors, state and cache of a test under its temporary folder."""
    home = tmp_path / "billy-home"
    monkeypatch.setenv("BILLY_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def verdicts(tmp_path_factory):
    """Where it is kept for all tests which model folders have passed their trial: each takes a process of its own."""
    return tmp_path_factory.mktemp("verdicts")


@pytest.fixture(autouse=True)
def verdicts_kept(monkeypatch, verdicts):
    """Try each model folder once in all tests, and not once in each test's home."""
    from billy_mlx.model import trial

    monkeypatch.setattr(trial, "verdicts_folder", lambda: verdicts)


@pytest.fixture(autouse=True)
def few_cards(monkeypatch):
    """Take what personas have in common from two cards, not from all: a second less for every extraction."""
    from billy_mlx.extraction import common

    monkeypatch.setattr(common, "CARDS", common.CARDS[:2])


@pytest.fixture(scope="session")
def starter_made(tmp_path_factory):
    """A home with the starter model in it, made once."""
    home = tmp_path_factory.mktemp("starter-home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BILLY_HOME", str(home))
        from billy_mlx.model.starter import ensure_starter

        ensure_starter()
    return home


@pytest.fixture
def starter_home(starter_made, monkeypatch):
    """Run the test in that home."""
    monkeypatch.setenv("BILLY_HOME", str(starter_made))
    return starter_made

"""Models and vectors to write passages with."""

import pytest
from helpers.random_vectors import persona_vector
from helpers.tiny_models import tiny_folder

from billy_mlx.model.load import load
from billy_mlx.vectors.library import store_vector


@pytest.fixture(scope="session")
def thinker(tmp_path_factory):
    """A loaded model that has <think>, and whose template can leave it out."""
    return load(tiny_folder(tmp_path_factory.mktemp("thinker"), thinking=True))


@pytest.fixture
def vectors(billy_home, tiny, hybrid, thinker):
    """Random vectors of two personas for each of the tiny models."""
    for model in (tiny, hybrid, thinker):
        for seed, persona_id in enumerate(("noir", "gothic")):
            store_vector(persona_vector(persona_id, seed=seed, fingerprint=model.fingerprint))


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """A loaded model without a chat template."""
    return load(tiny_folder(tmp_path_factory.mktemp("base"), template=None))

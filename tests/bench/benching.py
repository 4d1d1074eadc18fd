"""A small benchmark for tests: a tiny model with room for discussions, planted vectors, two items."""

import json

from tiny import tiny_folder
from vectors import persona_vector

from billy_mlx.bench.settings import BenchSettings
from billy_mlx.bench.store import Store
from billy_mlx.bench.tasks import Item
from billy_mlx.model.load import load
from billy_mlx.vectors.library import store_vector

ITEMS = [Item("uses", "uses-01", "List uses for a brick."), Item("writing", "writing-01", "Write about rain.")]
PERSONAS = ("creative-professional", "environmentalist", "futurist")
MADE_WITH = {"fingerprint": "w" * 16}


def roomy(folder, context=4096):
    """Return a loaded tiny model whose context holds `context` tokens."""
    config = json.loads((tiny_folder(folder) / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"max_position_embeddings": context}))
    return load(folder)


def plant(model, persona_ids=PERSONAS, **same):
    """Give the personas random vectors for `model`: different ones, or all the `same`."""
    for seed, persona_id in enumerate(persona_ids):
        store_vector(persona_vector(persona_id, seed=seed, fingerprint=model.fingerprint, **same))


def small(**changes):
    return BenchSettings(**{"model": "tiny", "max_tokens": 6, "discussion_tokens": 4, "rows": 8} | changes)


def new_store(folder, settings=None):
    return Store.create_or_resume(folder, small() if settings is None else settings, MADE_WITH)

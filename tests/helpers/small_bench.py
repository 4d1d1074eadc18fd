"""Small benchmarks for tests: a tiny model with room for discussions, planted vectors, few items, runs of answers."""

import json
from dataclasses import replace

from billy_mlx.bench.arms import plan
from billy_mlx.bench.gather import made_with
from billy_mlx.bench.result import GroupCost
from billy_mlx.bench.settings import BenchSettings
from billy_mlx.bench.store import Answer, Store
from billy_mlx.bench.tasks import Item, load_tasks
from billy_mlx.blend.blend import Blend
from billy_mlx.model.load import load
from billy_mlx.vectors.library import store_vector
from helpers.random_vectors import persona_vector
from helpers.tiny_models import tiny_folder

ITEMS = [Item("uses", "uses-01", "List uses for a brick."), Item("writing", "writing-01", "Write about rain.")]
PERSONAS = ("creative-professional", "environmentalist", "futurist")
BRICKS = [Item("uses", f"uses-{number:02}", f"What is brick {number} for?") for number in range(1, 9)]
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
    """Return settings of a few tokens and one seed; a blend may be given as it is typed."""
    if "blend" in changes:
        changes["blend"] = Blend.parse(changes["blend"])
    return BenchSettings(**{"model": "tiny", "seeds": 1, "max_tokens": 6, "discussion_tokens": 4, "rows": 8} | changes)


def new_store(folder, settings=None):
    return Store.create_or_resume(folder, small() if settings is None else settings, MADE_WITH)


def answer(arm, item, text, seed=0, reason="stop"):
    return Answer(arm, item.task, item.id, seed, text, 1, 10, 8, reason)


def answered(model, folder):
    """Return a run of noir and gothic, alone and blended, as if its answers had been written."""
    plant(model, ("noir", "gothic"))
    settings = BenchSettings.own(model.id, Blend.parse("noir+gothic@0.2r/balanced/L1"))
    settings = replace(settings, arms=("dose-0", "billy-balanced", "personas"), items_per_task=2, max_tokens=8)
    store = Store.create_or_resume(folder, settings, made_with(model, "billy bench run"))
    planned = plan(model, settings)
    for arm in planned.arms:
        told = [
            answer(arm.name, item, f"1. A hat of {arm.name} for the red one, on and on\n2. An oven for {item.id}")
            for item in planned.items
        ]
        count = len(told)
        cost = GroupCost(arm.name, (arm.name,), count, count, 1.0, 10 * count, 8 * count, 18 * count, 0.1, 4)
        store.add(told, cost)
    return store


TASKS = load_tasks()
THREE_USES = [
    *(
        Item("uses", f"uses-0{number}", f"What is {thing} for?")
        for number, thing in enumerate(("a hat", "ink", "rain"))
    ),
    Item("writing", "writing-01", "Write of the rain."),
]
TEXTS = [
    "1. A net for the cat in the attic.\n2. A red hat on the hen.",
    "Here:\n- A nest for a hen.\n- A drum in a band.",
]


def answer_to(arm, item, text, seed=0):
    return Answer(arm, item.task, item.id, seed, text, 1, 1, 1, "stop")

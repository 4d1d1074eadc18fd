import numpy as np
import pytest
from benching import ITEMS, plant, small

from billy_mlx.bench.sweeps import sweep_arms
from billy_mlx.blend.blend import Blend, Mode
from billy_mlx.errors import UsageError
from billy_mlx.vectors.card import bundled_ids


@pytest.fixture(autouse=True)
def vectors(tiny, billy_home):
    plant(tiny, bundled_ids("paper")[:6])


def sweep(tiny, kind, **changes):
    return {arm.name: arm for arm in sweep_arms(tiny, small(**changes), kind)}


def norms(arm):
    added = next(arm.play(ITEMS[0], 0))[0].directions.by_layer
    return {layer: float(np.linalg.norm(direction)) for layer, direction in added.items()}


@pytest.mark.parametrize("mode", ["layered", "balanced"])
def test_layers_are_a_grid_with_doses(tiny, mode):
    arms = sweep(tiny, "layers", blend=f"futurist+environmentalist/{mode}")
    assert {Blend.parse(arm.blend).mode for arm in arms.values()} == {mode}
    assert list(arms)[:4] == ["layer=0,dose=0.25", "layer=0,dose=0.5", "layer=0,dose=1", "layer=0,dose=2"]
    assert len(arms) == 4 * 4
    [(layer, most)], [(_, least)] = norms(arms["layer=3,dose=2"]).items(), norms(arms["layer=3,dose=0.25"]).items()
    assert (layer, most) == (3, pytest.approx(8 * least))


def test_personas_begin_with_the_blends_own_and_go_on_with_those_that_have_vectors(tiny):
    arms = sweep(tiny, "personas", blend="futurist:0.2+analytical-thinker:0.8")
    assert list(arms) == [f"personas={count}" for count in range(1, 7)]
    assert Blend.parse(arms["personas=2"].blend).persona_ids == ("analytical-thinker", "futurist")
    assert Blend.parse(arms["personas=3"].blend).weights == (
        ("analytical-thinker", 1.0),
        ("creative-professional", 1.0),
        ("futurist", 1.0),
    )


@pytest.mark.parametrize(
    ("changes", "mode"),
    [({}, "layered"), ({"blend": "futurist/balanced"}, "balanced"), ({"blend": "futurist/orthogonal"}, "balanced"),
     ({"protocol": "paper"}, "balanced")],
)  # fmt: skip
def test_personas_are_blended_as_the_comparison_is_and_else_balanced(tiny, changes, mode):
    assert {Blend.parse(arm.blend).mode for arm in sweep(tiny, "personas", **changes).values()} == {mode}


def test_personas_are_seven_at_most(tiny):
    plant(tiny, bundled_ids("paper"))
    assert len(sweep(tiny, "personas")) == 7


def test_modes_are_tried_at_their_own_dose_and_at_that_of_balanced(tiny):
    arms = sweep(tiny, "modes")
    assert [name for name in arms if "norm" not in name] == [f"mode={mode}" for mode in Mode]
    [full] = norms(arms["mode=balanced"]).values()
    assert list(norms(arms["mode=paper,norm=balanced"]).values()) == [pytest.approx(full)]
    assert sum(norms(arms["mode=raw,norm=balanced"]).values()) == pytest.approx(full)
    assert Blend.parse(arms["mode=paper"].blend).dose.amount == 2


def test_under_the_papers_protocol_all_modes_steer_at_its_layer(tiny):
    arms = sweep(tiny, "modes", protocol="paper")
    assert [list(norms(arm)) for arm in arms.values()] == [[2]] * 7
    assert norms(arms["mode=raw,norm=balanced"])[2] == pytest.approx(norms(arms["mode=balanced"])[2])


def test_a_cell_that_cannot_be_had_is_left_out(tiny):
    plant(tiny, directions=np.ones((4, 32)))
    assert "mode=orthogonal" not in sweep(tiny, "modes")
    assert "mode=balanced" in sweep(tiny, "modes")


def test_all_cells_of_a_sweep_are_one_group(tiny):
    assert {arm.group for arm in sweep(tiny, "modes").values()} == {"sweep modes"}


def test_an_unknown_sweep_is_refused(tiny):
    with pytest.raises(UsageError, match="there is no sweep 'doses'; there are layers, personas, modes"):
        sweep_arms(tiny, small(), "doses")

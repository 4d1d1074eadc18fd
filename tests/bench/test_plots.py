import re
from xml.etree import ElementTree

import pytest

from billy_mlx.bench.plots import Pair, amounts, bars, curve, forest, groups, heat_map
from billy_mlx.bench.report.numbers import shortly, signed
from billy_mlx.bench.result import Estimate

ROWS = [Pair("dose-0", Estimate(0.1, -0.1, 0.3, 9), Estimate(0.2, 0.1, 0.3, 9)), Pair("multi-role", None)]
TEXT = "{http://www.w3.org/2000/svg}text"
FIGURES = {
    "bars": lambda: bars(ROWS, "rarity", "share"),
    "forest": lambda: forest(ROWS, "rarity", "share"),
    "groups": lambda: groups({"a": {"x": ROWS[0].written}, "b": {"y": ROWS[0].written}}, "carried", "norms"),
    "heat map": lambda: heat_map(
        {("0.5", "9"): ROWS[0].written, ("1", "10"): ROWS[0].matched}, "h", "x", "y", float, shortly
    ),
    "curve": lambda: curve({1: ROWS[0].written, 2: ROWS[0].matched}, "rarity", "personas", "share"),
    "amounts": lambda: amounts({"a": 1.0, "b": 27.0}, "Time", "seconds"),
}


def words(svg) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(TEXT)]


@pytest.mark.parametrize("name", FIGURES)
def test_the_same_numbers_give_the_same_bytes(name):
    assert FIGURES[name]() == FIGURES[name]()


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_goes_into_a_page_as_it_is(name):
    svg = FIGURES[name]()
    assert svg.startswith('<svg role="img" aria-label="')
    assert not re.search(r"<!DOCTYPE|<\?xml|<metadata|<g id=| date|#1c2328|font-family", svg)
    assert "var(--ink)" in svg


def test_text_stays_text():
    assert {"dose-0", "multi-role", "rarity", "share", "as written", "at matched length"} <= set(words(forest(*AS)))


AS = (ROWS, "rarity", "share")


def test_labels_of_files_and_models_are_escaped():
    nasty = "<script> & $x^2$ --> \x1b"
    svg = bars([Pair(nasty, ROWS[0].written)], nasty, "share")
    assert "<script>" not in svg
    assert words(svg).count("<script> & $x^2$ --> ␛") == 2


def test_letters_that_the_font_has_not_are_written_all_the_same():
    assert "日本" in words(bars([Pair("日本", ROWS[0].written)], "rarity", "share"))


def test_a_long_label_is_cut():
    assert max(map(len, words(bars([Pair("x" * 300, ROWS[0].written)], "rarity", "share")))) == 42


def test_fields_of_a_heat_map_are_sorted_by_number():
    cells = {(dose, layer): ROWS[0].written for dose in ("10", "9") for layer in ("20", "5")}
    found = words(heat_map(cells, "h", "x", "y", float, shortly))
    assert found.index("9") < found.index("10")
    assert found.index("5") < found.index("20")


def test_a_field_of_differences_has_its_sign():
    cells = {("1", "5"): Estimate(0.3, 0.1, 0.5, 9), ("1", "6"): Estimate(-0.3, -0.5, -0.1, 4)}
    assert {"+0.3 ▲", "−0.3"} <= set(words(heat_map(cells, "h", "x", "y", float, signed)))


def test_a_mean_outside_its_interval_is_drawn():
    assert "dose-0" in words(forest([Pair("dose-0", Estimate(0.31, 0.1, 0.3, 9))], "rarity", "share"))

"""What is measured about a vector: when text holds, its text form, and what a stranger's file cannot say."""

import json
import math
from contextlib import suppress
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.vectors.measurements import Calibration, Cell, Judgement, Quality
from billy_mlx.vectors.vector_file import (
    calibration_text,
    judgement_text,
    parse_calibration,
    parse_judgement,
    parse_quality,
    quality_text,
)

LAYERS = 4
UNSTEERED = Cell(layer=2, dose=0.0, effect=0.0, perplexity=1.0, distinct=1.0, repetition=0.0, length=1.0)
CELL = replace(UNSTEERED, dose=0.25, effect=1.5, perplexity=1.2, distinct=0.95, repetition=0.02, length=0.9)
CALIBRATION = Calibration(
    gentle=0.125,
    too_much=0.5,
    read_layer=3,
    at_full=CELL,
    effect_low=0.5,
    judged=12.5,
    prompts=16,
    made_with="64 tokens, seed 0",
    cells=(UNSTEERED, CELL),
)
JUDGEMENT = Judgement("org/judge", auc=0.8125, medians=(70.5, 20.25), filtered=True, judged=120)
QUALITY = Quality(held_out_auc=(0.5, 0.75, 1.0, 0.9), split_half_cosine=(-0.1, 0.5, 0.9, 1.0))


def changed(value, **parts):
    """The text form of `value` with other parts in it."""
    return json.dumps(asdict(value) | parts)


@pytest.mark.parametrize(
    ("cell", "fraying"),
    [
        (UNSTEERED, 0),
        (replace(UNSTEERED, perplexity=1.5), 1),
        (replace(UNSTEERED, perplexity=1.5**2), 2),
        (replace(UNSTEERED, distinct=0.85), 1),
        (replace(UNSTEERED, repetition=0.1), 1),
        (replace(UNSTEERED, length=0.5), 1),
        (replace(UNSTEERED, perplexity=1.5, distinct=0.7), 2),
        (replace(UNSTEERED, perplexity=0.9, distinct=1.1, repetition=-0.1, length=1.2), -0.2598),
    ],
)
def test_fraying_is_that_of_the_measure_that_is_worst(cell, fraying):
    assert cell.fraying == pytest.approx(fraying, abs=1e-4)
    assert replace(cell, effect=9.0).fraying == cell.fraying


def test_text_holds_up_to_where_it_frays_by_one():
    assert replace(UNSTEERED, perplexity=1.499).holds
    assert not replace(UNSTEERED, perplexity=1.501).holds
    assert not replace(UNSTEERED, length=0.49).holds


@pytest.mark.parametrize("perplexity", [0.0, -5.0, 1e6])
def test_no_perplexity_of_a_strangers_file_stops_the_fraying_from_being_computed(perplexity):
    assert math.isfinite(replace(UNSTEERED, perplexity=perplexity).fraying)


def test_a_calibration_names_its_layer_and_what_full_is():
    assert (CALIBRATION.layer, CALIBRATION.full) == (2, 0.25)


@pytest.mark.parametrize(
    ("effect_low", "judged", "shows"),
    [(0.1, None, True), (0.1, 5.0, True), (0.1, 0.0, False), (0.1, -5.0, False), (0.0, 5.0, False), (-1, None, False)],
)
def test_a_persona_shows_if_the_effect_is_sure_and_no_judge_disagrees(effect_low, judged, shows):
    assert replace(CALIBRATION, effect_low=effect_low, judged=judged).shows is shows


def test_a_text_form_reads_back_to_the_same():
    assert parse_judgement(judgement_text(JUDGEMENT)) == JUDGEMENT
    assert parse_quality(quality_text(QUALITY), LAYERS) == QUALITY
    assert parse_calibration(calibration_text(CALIBRATION), LAYERS) == CALIBRATION


def test_what_is_not_known_stays_unknown():
    assert parse_judgement(judgement_text(Judgement())) == Judgement()
    unknown = replace(CALIBRATION, too_much=None, judged=None, cells=())
    assert parse_calibration(calibration_text(unknown), LAYERS) == unknown


@given(st.floats(0, 1), st.floats(0, 100))
def test_numbers_keep_four_decimals(share, points):
    read = parse_judgement(judgement_text(replace(JUDGEMENT, auc=share, medians=(points, 0.0))))
    assert (read.auc, read.medians) == (round(share, 4), (round(points, 4), 0.0))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Expecting value"),
        ("5", "it is not a JSON object"),
        ("null", "it is not a JSON object"),
        ("[]", "it is not a JSON object"),
        ("{", "Expecting property name"),
        ("[" * 100_000, "it is nested too deeply"),
        ('{"judge": ' + "[" * 100_000, "it is nested too deeply"),
        ("9" * 5000, "digits"),
        ("{}", "judge is not a text"),
    ],
    ids=range(9),
)
def test_what_is_no_object_of_json_is_no_judgement(text, said):
    with pytest.raises(ValueError, match=said):
        parse_judgement(text)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"judge": None}, "judge is not a text"),
        ({"judge": ["a"]}, "judge is not a text"),
        ({"auc": "0.8"}, "auc is not a number"),
        ({"auc": True}, "auc is not a number"),
        ({"auc": [0.8]}, "auc is not a number"),
        ({"auc": 1.5}, "auc is 1.5, and goes from 0 to 1"),
        ({"auc": math.nan}, "auc is nan, and goes from 0 to 1"),
        ({"auc": math.inf}, "auc is inf"),
        ({"auc": 10**400}, "auc is 10{19}, and goes from 0 to 1"),
        ({"medians": [1]}, "medians is not 2 numbers"),
        ({"medians": [1, 2, 3]}, "medians is not 2 numbers"),
        ({"medians": {"a": 1, "b": 2}}, "medians is not 2 numbers"),
        ({"medians": "12"}, "medians is not a number"),
        ({"medians": [1, 101]}, "medians is 101, and goes from 0 to 100"),
        ({"filtered": 1}, "filtered is neither true nor false"),
        ({"judged": 1.5}, "judged is not a whole number"),
        ({"judged": -1}, "judged is -1"),
        ({"judged": 1e300}, r"judged is 1e\+300, and"),
        ({"judged": None}, "judged is not a number"),
    ],
)
def test_a_judgement_that_cannot_be_is_refused(parts, said):
    with pytest.raises(ValueError, match=said):
        parse_judgement(changed(JUDGEMENT, **parts))


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"held_out_auc": [0.5] * 3}, "held_out_auc is not 4 numbers"),
        ({"held_out_auc": [0.5] * 5}, "held_out_auc is not 4 numbers"),
        ({"held_out_auc": None}, "held_out_auc is not 4 numbers"),
        ({"held_out_auc": [0.5, 0.5, 0.5, "x"]}, "held_out_auc is not a number"),
        ({"held_out_auc": [0.5, 0.5, 0.5, -0.1]}, "goes from 0 to 1"),
        ({"split_half_cosine": [1.1] * 4}, "goes from -1 to 1"),
        ({"split_half_cosine": [math.nan] * 4}, "goes from -1 to 1"),
        ({"split_half_cosine": [[0.5]] * 4}, "split_half_cosine is not a number"),
    ],
)
def test_a_quality_that_cannot_be_is_refused(parts, said):
    with pytest.raises(ValueError, match=said):
        parse_quality(changed(QUALITY, **parts), LAYERS)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"gentle": -0.1}, "gentle is -0.1, and goes from 0 to 1000"),
        ({"gentle": None}, "gentle is not a number"),
        ({"too_much": "much"}, "too_much is not a number"),
        ({"read_layer": 4}, "read_layer is 4, and goes from 0 to 3"),
        ({"at_full": None}, "it is not a JSON object"),
        ({"at_full": asdict(CELL) | {"layer": 4}}, "layer is 4, and goes from 0 to 3"),
        ({"at_full": asdict(CELL) | {"layer": -1}}, "layer is -1"),
        ({"at_full": asdict(CELL) | {"dose": 1001}}, "dose is 1001, and goes from 0 to 1000"),
        ({"at_full": asdict(CELL) | {"effect": math.nan}}, "effect is nan"),
        ({"at_full": asdict(CELL) | {"perplexity": 1e9}}, "perplexity is 1000000000.0, and"),
        ({"effect_low": "low"}, "effect_low is not a number"),
        ({"judged": 101}, "judged is 101"),
        ({"prompts": 0.5}, "prompts is not a whole number"),
        ({"made_with": 5}, "made_with is not a text"),
        ({"cells": {}}, "its sweep is not a list of at most 1000 cells"),
        ({"cells": [asdict(CELL)] * 1001}, "its sweep is not a list of at most 1000 cells"),
        ({"cells": [5]}, "it is not a JSON object"),
        ({"cells": [asdict(CELL) | {"length": None}]}, "length is not a number"),
    ],
)
def test_a_calibration_that_cannot_be_is_refused(parts, said):
    with pytest.raises(ValueError, match=said):
        parse_calibration(changed(CALIBRATION, **parts), LAYERS)


def test_what_nobody_asks_for_is_passed_over():
    assert parse_judgement(changed(JUDGEMENT, another=["thing"])) == JUDGEMENT


def test_no_text_carries_an_escape_or_runs_on():
    evil = "\x1b]52;c;aGk=\x07" + "x" * 1000
    judge = parse_judgement(changed(JUDGEMENT, judge=evil)).judge
    made_with = parse_calibration(changed(CALIBRATION, made_with=evil), LAYERS).made_with
    for text in (judge, made_with):
        assert text.startswith("␛]52")
        assert "\x07" not in text
        assert len(text) == 500


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(asdict(CALIBRATION))), JSON)
def test_whatever_a_part_is_the_worst_that_comes_of_it_is_a_sentence(name, part):
    with suppress(ValueError):
        parse_calibration(changed(CALIBRATION, **{name: part}), LAYERS)


@given(st.sampled_from(sorted(asdict(CELL))), JSON)
def test_whatever_a_cell_holds_the_worst_that_comes_of_it_is_a_sentence(name, part):
    with suppress(ValueError):
        parse_calibration(changed(CALIBRATION, at_full=asdict(CELL) | {name: part}), LAYERS)

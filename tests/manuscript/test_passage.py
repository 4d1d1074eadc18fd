"""A passage goes through JSON and comes back the same; what is no passage is refused with a ValueError."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.manuscript.passage import Passage, Voice

BLENDS = st.none() | st.text(min_size=1, max_size=20)
LAYERS = st.lists(st.integers(0, 99), unique=True, max_size=4).map(sorted).map(tuple)
IDS = st.lists(st.integers(0, 2**32 - 1), max_size=8).map(tuple)
DIGESTS = st.none() | st.text("0123456789abcdef", max_size=16)
MARKS = st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3)
NUMBERS = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def passages(draw):
    prompt = draw(IDS)
    starts = [0, *sorted(draw(st.sets(st.integers(1, 1000), max_size=3)))]
    return Passage(
        text=draw(st.text()),
        tokens=draw(IDS),
        voices=tuple(Voice(start, draw(BLENDS), draw(LAYERS), draw(DIGESTS)) for start in starts),
        work=draw(st.sampled_from(["continue", "rewrite", "infill"])),
        model=draw(st.text(max_size=20)),
        fingerprint=draw(MARKS),
        vectors=draw(MARKS),
        prompt=prompt,
        seed=draw(st.integers(0, 2**32 - 1)),
        sampling=draw(st.dictionaries(st.text(max_size=8), NUMBERS, max_size=3)),
        max_tokens=draw(st.integers(0, 10**6)),
        stop=tuple(draw(st.lists(st.text(min_size=1), max_size=2))),
        reused=draw(st.integers(0, len(prompt))),
        thinking=draw(st.booleans()),
        ended=draw(st.none() | st.sampled_from(["stop", "length", "interrupted"])),
        made_with=draw(MARKS),
    )


PASSAGE = Passage("It rained.", (5, 6), (Voice(0, "noir:1@1", (2,)),), "continue", "m", {}, {}, (1, 2), 7, {}, 9)
JSON = json.loads(json.dumps(PASSAGE.as_json()))


def taken(data):
    """What is made of `data`, or None if it is refused as it should be."""
    try:
        return Passage.of_json(data)
    except ValueError:
        return None


def nested(depth):
    """A list in a list in a list."""
    data = []
    for _ in range(depth):
        data = [data]
    return data


@pytest.mark.slow
@given(passages())
def test_json_brings_a_passage_back(passage):
    assert Passage.of_json(json.loads(json.dumps(passage.as_json()))) == passage


@pytest.mark.parametrize(
    "changes",
    [
        {"tokens": [True]},
        {"tokens": [1.0]},
        {"tokens": ["1"]},
        {"tokens": [-1]},
        {"tokens": [10**400]},
        {"prompt": [2**32]},
        {"seed": True},
        {"seed": -1},
        {"seed": 2**32},
        {"sampling": {"temperature": math.nan}},
        {"sampling": {"temperature": math.inf}},
        {"sampling": {"temperature": "hot"}},
        {"voices": []},
        {"voices": [{"first_token": 1, "blend": None}]},
        {"voices": [{"first_token": 0, "blend": ""}]},
        {"voices": [{"first_token": 0, "blend": 5}]},
        {"voices": [{"first_token": 0, "blend": None, "layers": [-1]}]},
        {"voices": [{"first_token": 0, "blend": None, "layers": [3, 3]}]},
        {"voices": [{"first_token": 0, "blend": None}, {"first_token": 0, "blend": None}]},
        {"work": "sing"},
        {"max_tokens": -1},
        {"reused": 3},
        {"stop": [""]},
        {"text": None},
    ],
)
def test_what_does_not_fit_is_refused(changes):
    assert taken(JSON | changes) is None


@pytest.mark.parametrize("name", ["text", "tokens", "voices", "work", "model", "prompt", "seed", "max_tokens"])
def test_what_is_missing_is_named(name):
    with pytest.raises(ValueError, match=name):
        Passage.of_json({key: value for key, value in JSON.items() if key != name})


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*JSON, "blend"]), inner, max_size=3),
)


@pytest.mark.slow
@given(st.dictionaries(st.sampled_from(list(JSON)), ANYTHING, min_size=1) | ANYTHING)
def test_anything_else_is_a_passage_or_a_value_error(data):
    passage = taken(JSON | data if isinstance(data, dict) else data)
    assert passage is None or isinstance(passage, Passage)


@pytest.mark.parametrize(
    "data", [nested(100_000), JSON | {"tokens": nested(100_000)}, JSON | {"more": nested(100_000)}]
)
def test_nesting_overflows_no_stack(data):
    assert taken(data) in (None, PASSAGE)


def test_what_the_version_before_did_not_know_is_not_known():
    [voice] = Passage.of_json(JSON | {"voices": [{"first_token": 0, "blend": "noir:1@1", "layers": [2]}]}).voices
    assert voice.digest is None


@pytest.mark.parametrize(
    ("blend", "spelled"),
    [
        (None, None),
        ("noir:1@1", "noir:1@1/balanced"),
        ("noir:1@0.2r/L15/all", "noir:1@0.2r/balanced/L15/all"),
        ("noir:1@1/layered", "noir:1@1/layered"),
        ("sung loudly", "sung loudly"),
    ],
)
def test_a_voice_is_spelled_with_its_mode(blend, spelled):
    assert Voice(0, blend).spelled == spelled
    assert replace(PASSAGE, voices=(Voice(0, blend, (2,)),)).spelled.voices == (Voice(0, spelled, (2,)),)


def test_what_a_later_version_adds_is_passed_over():
    assert Passage.of_json(JSON | {"mood": "grim"}) == PASSAGE

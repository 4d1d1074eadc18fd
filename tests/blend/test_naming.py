"""What blends are called: short, in words, and the same name for the same blend."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.blend.naming import MODEL_ALONE, name_of, names_of

TITLES = {
    "noir": "Noir",
    "gothic": "Gothic",
    "lyrical": "Lyrical",
    "comic": "Comic",
    "fairy-tale": "Fairy Tale",
    "minimalist": "Minimalist",
}


@pytest.mark.parametrize(
    ("blend", "name"),
    [
        ("noir", "Noir"),
        ("noir:0.8+lyrical:0.2", "Noir with a little Lyrical"),
        ("lyrical:0.2+noir:0.8", "Noir with a little Lyrical"),
        ("noir:0.6+gothic:0.4", "More Noir than Gothic"),
        ("noir:0.5+gothic:0.5", "Half Gothic, half Noir"),
        ("noir:0.54+gothic:0.46", "Half Noir, half Gothic"),
        ("noir:0.7+comic:-0.3", "Mostly Noir, less Comic"),
        ("noir:1+comic:-0.1", "Noir, a little less Comic"),
        ("noir:0.4+comic:-0.6", "Noir, much less Comic"),
        ("noir:0.4+gothic:0.4+comic:-0.3", "Half Gothic, half Noir, less Comic"),
        ("comic:-1", "Less Comic"),
        ("comic:-1+gothic:-0.5", "Less Comic and Gothic"),
        ("noir:0.4+gothic:0.3+lyrical:0.3", "Noir, Gothic and Lyrical"),
        ("noir:0.6+gothic:0.2+lyrical:0.2", "Mostly Noir, with Gothic and Lyrical"),
        ("noir+gothic+lyrical+comic+fairy-tale", "Comic, Fairy Tale and 3 more"),
        ("noir:1+gothic:0", "Noir"),
        ("my-voice", "my-voice"),
        ("noir@0", MODEL_ALONE),
        ("noir:0", MODEL_ALONE),
        ("noir@0.3", "Noir (a hint)"),
        ("noir:0.6+gothic:0.4@0.7", "More Noir than Gothic (gentle)"),
        ("noir:0.5", "Noir (gentle)"),
        ("noir@1.5", "Noir (strong)"),
        ("noir:1+comic:-0.3@-1", "Comic, much less Noir"),
        ("noir@0.3r/balanced", "Noir"),
        ("noir@2a/paper/L5/all", "Noir"),
    ],
)
def test_a_blend_has_a_name(blend, name):
    assert name_of(Blend.parse(blend), TITLES) == name


def test_the_unsteered_model_is_called_the_model_alone():
    assert name_of(ALONE, TITLES) == "the model alone"


def test_blends_that_would_be_called_the_same_are_numbered():
    blends = [Blend.parse(text) for text in ("noir", "noir/balanced", "gothic", "noir@1.1")]
    assert names_of(blends, TITLES) == ("Noir", "Noir (2)", "Gothic", "Noir (3)")


@given(st.lists(st.tuples(st.sampled_from(sorted(TITLES)), st.floats(-1, 1)), min_size=1, max_size=6))
def test_a_name_is_one_short_line_without_code_whatever_the_weights(weights):
    name = name_of(Blend(tuple(weights)), TITLES)
    assert 0 < len(name) <= 90
    assert not set(name) & set(":@/+\n")

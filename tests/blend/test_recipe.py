"""A recipe: what it refuses, and its way through JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import billy_mlx
from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.blend.recipe import Message, Prompt, Recipe
from billy_mlx.errors import UsageError
from billy_mlx.model.sampling import Sampling

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Co")), min_size=1, max_size=20).map(lambda text: f"x{text}")
PROMPTS = st.one_of(
    st.builds(lambda user, system: Prompt.of(user, system=system), TEXTS, TEXTS),
    st.builds(lambda user, prefix: Prompt.of(user, prefix=prefix), st.just("") | TEXTS, TEXTS),
    st.builds(lambda user: Prompt.of(user, chat=False), TEXTS),
    st.builds(lambda tokens: Prompt(tokens=tuple(tokens)), st.lists(st.integers(0, 2**31), min_size=1)),
    st.builds(
        lambda one, two, three: Prompt((Message("user", one), Message("assistant", two), Message("user", three))),
        TEXTS,
        TEXTS,
        TEXTS,
    ),
)
BIASES = st.dictionaries(st.integers(0, 2**31 - 1), st.floats(-100, 100), max_size=3)
VOICES = st.sampled_from(["none", "noir", "noir:0.7+gothic:-0.3@0.5r/orthogonal/L1,2", "noir@2/paper/all"])
RECIPES = st.builds(
    Recipe,
    PROMPTS,
    VOICES.map(Blend.parse),
    st.builds(
        Sampling, temperature=st.floats(0, 10), top_k=st.integers(0, 100), min_p=st.floats(0, 1), logit_bias=BIASES
    ),
    st.integers(0, 2**32 - 1),
    st.integers(1, 10_000),
    st.lists(TEXTS, max_size=2).map(tuple),
    st.lists(TEXTS, max_size=2).map(tuple),
    st.booleans(),
    st.booleans(),
    st.sampled_from([(), (("mine", "0123456789abcdef"),)]),
)


@given(RECIPES)
def test_a_recipe_comes_back_from_json_and_is_hashable(recipe):
    back = Recipe.of_json(json.loads(json.dumps(recipe.as_json())))
    assert back == recipe
    assert hash(back) == hash(recipe)


def test_what_json_leaves_out_is_as_it_is_by_default():
    short = Recipe.of_json({"prompt": {"messages": [{"role": "user", "content": "Hello."}]}})
    assert short == Recipe.of("Hello.")
    assert short.voice is ALONE or short.voice == ALONE


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "not a list"),
        ({}, "prompt"),
        ({"prompt": {"tokens": [1]}, "dose": 1}, "dose is not a setting of a recipe"),
        ({"prompt": {"tokens": [1]}, "sampling": {"temp": 1}}, "temp is not a setting of a recipe's sampling"),
        ({"prompt": {"tokens": [1], "chats": True}}, "chats is not a setting of a recipe's prompt"),
        ({"prompt": {"tokens": [1]}, "voice": 3}, "text of a blend"),
        ({"prompt": {"tokens": [1]}, "voice": "noir@"}, "cannot be read"),
        ({"prompt": {"tokens": [1]}, "seed": "x"}, "cannot be read"),
        ({"prompt": {"tokens": [1]}, "seed": -1}, "the seed is -1"),
        ({"prompt": {"messages": [{"role": "user", "content": "  "}]}}, "The prompt is empty"),
        ({"prompt": {"messages": [{"role": "tool", "content": "x"}]}}, "cannot be read"),
    ],
)
def test_what_is_no_recipe_is_refused_in_a_sentence(data, said):
    with pytest.raises(UsageError, match=said):
        Recipe.of_json(data)


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        (lambda: Prompt((Message("assistant", "x"),)), "take turns"),
        (lambda: Prompt((Message("user", "x"), Message("user", "y"))), "user speaks first"),
        (lambda: Prompt((Message("user", "x"), Message("assistant", "y"))), "first and last"),
        (lambda: Prompt((Message("user", "x"), Message("system", "y"))), "comes first"),
        (lambda: Prompt((Message("user", "x"),), tokens=(1,)), "leave out one"),
        (lambda: Prompt.of("x", system="y", chat=False), "leave out the others"),
    ],
)
def test_a_conversation_that_cannot_be_is_refused(prompt, said):
    with pytest.raises(UsageError, match=said):
        prompt()


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_an_empty_prompt_is_refused_before_a_model_is_loaded(text):
    with pytest.raises(UsageError, match="The prompt is empty"):
        Recipe.of(text, system="You are the tide.")


def test_the_former_name_still_makes_a_recipe_and_says_what_it_is_called_now():
    with pytest.warns(DeprecationWarning, match=r"Recipe\.of"):
        former = billy_mlx.Request
    recipe = Recipe.of("Hello.", system="Be brief.", seed=3)
    assert former("Hello.", "Be brief.", seed=3) == former(prompt="Hello.", system="Be brief.", seed=3) == recipe


def test_an_answer_that_has_begun_is_past_its_thoughts():
    asked = Recipe.of("Hello.", thinking=True)
    begun = Recipe.of("Hello.", prefix="Well,", thinking=True)
    assert (asked.thinks, begun.thinks) == (True, False)

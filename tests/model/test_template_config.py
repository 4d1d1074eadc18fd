"""Values for a chat template: it finds them as if they had been handed over, and says which ones it never reads."""

import pytest
from helpers.tiny_models import tiny_folder
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.errors import UsageError
from billy_mlx.model.chat import put_through
from billy_mlx.model.load import load
from billy_mlx.model.prompt import chat_prompt
from billy_mlx.model.template_config import configure_template

SAYS = (
    "{% macro said() %}{{ extra | tojson }}{% endmacro %} {{ messages[0].content }}|{{ said() }}|{{ enable_thinking }}"
)
TEXT = st.text(st.characters(codec="utf-8"))
NUMBERS = st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
USER = [{"role": "user", "content": "Hello."}]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return load(tiny_folder(tmp_path_factory.mktemp("says") / "tiny", template=SAYS)).tokenizer


@given(extra=JSON, before=st.sampled_from(["", " ", "\n", "\n\n  ", "  {% if true %}\n  {% endif %}"]))
def test_a_value_is_what_the_template_would_be_handed(tokenizer, extra, before):
    tokenizer.chat_template = before + SAYS
    handed = tokenizer.apply_chat_template(USER, tokenize=False, enable_thinking=True, extra=extra)
    assert configure_template(tokenizer, {"extra": extra, "enable_thinking": True}) == []
    assert put_through(tokenizer, USER, False) == handed


def test_names_that_it_does_not_read_are_returned(tokenizer):
    tokenizer.chat_template = SAYS
    assert configure_template(tokenizer, {"other": 1, "extra": 2, "another": 3}) == ["another", "other"]


def test_the_tokens_sent_are_others(tokenizer):
    tokenizer.chat_template = SAYS
    configure_template(tokenizer, {"extra": "y"})
    before = chat_prompt(tokenizer, "Hello.")
    tokenizer.chat_template = SAYS
    configure_template(tokenizer, {"extra": "x"})
    assert chat_prompt(tokenizer, "Hello.") != before


@pytest.mark.parametrize("name", ["messages", "add_generation_prompt", "a b", "", "x = 1 %}{{", "true"])
def test_a_name_that_cannot_be_set_is_refused(tokenizer, name):
    tokenizer.chat_template = SAYS
    with pytest.raises(UsageError, match="cannot set"):
        configure_template(tokenizer, {name: 1})


def test_a_template_whose_marks_only_transformers_knows_still_gets_its_values(tokenizer):
    tokenizer.chat_template = "{% generation %}{{ messages[0].content }}{{ extra }}{% endgeneration %}"
    assert configure_template(tokenizer, {"extra": "x"}) == []
    assert put_through(tokenizer, USER, False) == "Hello.x"


def test_without_a_template_values_are_refused(tokenizer):
    tokenizer.chat_template = None
    with pytest.raises(UsageError, match="has no chat template that takes values"):
        configure_template(tokenizer, {"extra": 1})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_a_value_that_json_cannot_hold_is_refused(tokenizer, value):
    tokenizer.chat_template = SAYS
    with pytest.raises(UsageError, match="JSON cannot hold"):
        configure_template(tokenizer, {"extra": [value]})

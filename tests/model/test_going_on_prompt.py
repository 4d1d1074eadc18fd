"""A prompt that goes on from a real text: the template's answer has begun with it, to the letter."""

import pytest
from helpers.tiny_models import CHATML, tiny_folder

from billy_mlx.errors import UsageError
from billy_mlx.model.load import load
from billy_mlx.model.prompt import chat_prompt, going_on_prompt, text_prompt
from billy_mlx.model.thinking import Thinking

STORY = "  The keeper said: <|im_end|> is no word,\n\nand went"


@pytest.fixture(scope="module")
def tokenizer(starter_made):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BILLY_HOME", str(starter_made))
        yield load().tokenizer


@pytest.mark.slow
def test_the_answer_has_begun_with_the_text_to_the_letter(tokenizer):
    begun = going_on_prompt(tokenizer, STORY, user="Go on.", system="You write.")
    before = chat_prompt(tokenizer, "Go on.", system="You write.")
    assert begun[: len(before)] == before
    assert tokenizer.decode(begun[len(before) :]) == STORY


@pytest.mark.slow
def test_a_control_token_in_the_text_stays_text(tokenizer):
    (control,) = tokenizer.encode("<|im_end|>", add_special_tokens=False)
    assert control not in going_on_prompt(tokenizer, STORY)[-20:]


@pytest.fixture
def base(starter_home):
    tokenizer = load().tokenizer
    tokenizer.has_chat_template = False
    return tokenizer


def test_without_a_request_the_text_is_all_there_is(tiny):
    assert going_on_prompt(tiny.tokenizer, "The sea") == text_prompt(tiny.tokenizer, "The sea")


@pytest.mark.slow
def test_a_model_without_a_template_reads_one_text(base):
    tokens = going_on_prompt(base, "The sea", user="Go on.", system="Memory.")
    assert base.decode(tokens) == "Memory.\n\nGo on.\n\nThe sea"


def thinking_tokenizer(folder, template=CHATML):
    return load(tiny_folder(folder, thinking=True, template=template)).tokenizer


@pytest.mark.slow
def test_the_text_of_a_thinking_model_stands_after_its_thoughts(tmp_path):
    tokenizer = thinking_tokenizer(tmp_path)
    begun = tokenizer.decode(going_on_prompt(tokenizer, STORY, user="Go on."))
    assert begun.endswith("<think>\n\n</think>\n\n" + STORY)


@pytest.mark.slow
def test_thoughts_that_the_template_begins_are_ended_before_the_text(tmp_path):
    opening = CHATML.replace("assistant\n", "assistant\n<think>\n")
    tokenizer = thinking_tokenizer(tmp_path, opening.replace("{%- if add", "{%- set enable_thinking = 1 -%}{%- if add"))
    prompt = going_on_prompt(tokenizer, STORY, user="Go on.")
    assert tokenizer.decode(prompt).endswith("assistant\n<think>\n</think>\n\n" + STORY)
    assert Thinking.of(tokenizer, prompt, asked=False) is None


def test_nothing_at_all_is_refused(tiny):
    with pytest.raises(UsageError, match="empty"):
        going_on_prompt(tiny.tokenizer, "")

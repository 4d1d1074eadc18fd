"""--chat-template-name chooses among several chat templates, and `model verify` tells what the chosen one does."""

import json

import pytest
from helpers.tiny_models import CHATML, tiny_folder

SHOUTING = "{% for m in messages %}{{ m.content | upper }}{% endfor %}"
NAMED = [{"name": "plain", "template": CHATML}, {"name": "loud", "template": SHOUTING}]


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    folder = tiny_folder(tmp_path_factory.mktemp("several"))
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"chat_template": NAMED}))
    return folder


ASKED = ["-m", "2", "--seed", "1"]


@pytest.fixture
def commands(several, tmp_path):
    (tmp_path / "novel.md").write_text("It was a dark night.\n")
    model = ["--model", str(several)]
    return {
        "generate": ["generate", "-p", "Once", *ASKED, *model],
        "continue": ["continue", str(tmp_path / "novel.md"), *ASKED, *model],
        "verify": ["model", "verify", str(several)],
    }


@pytest.mark.slow
@pytest.mark.parametrize("command", ["generate", "continue", "verify"])
def test_a_template_is_chosen_by_its_name(billy, commands, command):
    done = billy(*commands[command], "--chat-template-name", "plain")
    assert done.code == 0, done.err


@pytest.mark.parametrize("command", ["generate", "continue", "verify"])
def test_a_name_that_there_is_not_is_said_with_those_there_are(billy, commands, command):
    done = billy(*commands[command], "--chat-template-name", "quiet")
    assert (done.code, done.out) == (2, "")
    assert "has chat templates called loud, plain; there is none called 'quiet'" in done.err


def test_without_a_name_and_a_default_the_option_is_told(billy, commands):
    done = billy(*commands["generate"])
    assert done.code == 1
    assert (
        "chat templates called loud, plain, and none is its default; choose one with --chat-template-name" in done.err
    )


def test_verify_tells_what_the_chosen_template_does(billy, commands):
    plain, loud = (billy(*commands["verify"], "--chat-template-name", name).out for name in ("plain", "loud"))
    assert (
        "message      sent as text\nsystem text  sent as a system message\nsecond turn  sent behind the first" in plain
    )
    assert "message      leaves out or changes the message" in loud
    assert "self-test    passed" in loud

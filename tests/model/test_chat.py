"""Chat templates: which one a folder has, and whether what goes in comes out."""

import json
import shutil
import time

import pytest
from helpers.refusals import refusal
from helpers.tiny_models import CHATML, NO_THOUGHT, tiny_folder
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from billy_mlx.model import chat, trial
from billy_mlx.model.chat import behaviour, rendered
from billy_mlx.model.load import read_tokenizer
from billy_mlx.model.starter import ensure_starter


def marked(name):
    """Return a template that says which one it is."""
    return f"[{name}]{{% for m in messages %}}{{{{ m.content }}}}{{% endfor %}}"


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    return tiny_folder(tmp_path_factory.mktemp("bare"), template=None)


@pytest.fixture
def folder(bare, tmp_path):
    return shutil.copytree(bare, tmp_path / "model")


def lay(folder, **places):
    """Put templates into a folder: `config`, `jinja`, `legacy`, and further ones by name."""
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    for place, template in places.items():
        match place:
            case "config":
                (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"chat_template": template}))
            case "jinja":
                (folder / "chat_template.jinja").write_text(template)
            case "legacy":
                (folder / "chat_template.json").write_text(json.dumps({"chat_template": template}))
            case name:
                (folder / "additional_chat_templates").mkdir(exist_ok=True)
                (folder / "additional_chat_templates" / f"{name}.jinja").write_text(template)
    return folder


def opened(folder, name=None):
    return read_tokenizer(folder, {}, name)


def listed(**templates):
    return [{"name": name, "template": text} for name, text in templates.items()]


PLACES = {
    "nowhere": ({}, None),
    "the settings": ({"config": marked("a")}, "a"),
    "a list in the settings": ({"config": listed(rag=marked("r"), default=marked("d"))}, "d"),
    "a file": ({"jinja": marked("a")}, "a"),
    "the file of a processor": ({"legacy": marked("a")}, "a"),
    "a list in the file of a processor": ({"legacy": listed(default=marked("d"), tool_use=marked("t"))}, "d"),
    "a table in the file of a processor": ({"legacy": {"default": marked("d"), "tool_use": marked("t")}}, "d"),
    "a file, not the settings": ({"config": marked("c"), "jinja": marked("j")}, "j"),
    "a file, not that of a processor": ({"jinja": marked("j"), "legacy": marked("l")}, "j"),
    "the settings, not the file of a processor": ({"config": marked("c"), "legacy": marked("l")}, "c"),
    "all three": ({"config": marked("c"), "jinja": marked("j"), "legacy": marked("l")}, "j"),
    "a file beside further ones": ({"jinja": marked("j"), "rag": marked("r")}, "j"),
    "a further one called default": ({"config": marked("c"), "default": marked("d")}, "d"),
    "blank": ({"config": " \n"}, None),
    "blank, but for the file of a processor": ({"config": "", "legacy": marked("l")}, "l"),
    "an empty list": ({"config": []}, None),
    "a blank default": ({"config": listed(default=" ", rag=marked("r"))}, "by name"),
    "named without default": ({"config": listed(rag=marked("r"), tool_use=marked("t"))}, "by name"),
    "further ones without default": ({"rag": marked("r")}, "by name"),
    "further ones, not the settings": ({"config": marked("c"), "rag": marked("r")}, "by name"),
}


@pytest.mark.parametrize(("places", "expected"), PLACES.values(), ids=PLACES)
def test_a_template_is_found_where_it_lies(folder, places, expected):
    tokenizer = opened(lay(folder, **places))
    assert tokenizer.has_chat_template == (expected is not None)
    if expected is None:
        assert tokenizer.chat_template is None
    elif expected == "by name":
        assert "choose one with --chat-template-name" in refusal(lambda: rendered(tokenizer, "hello"))
    else:
        assert rendered(tokenizer, "hello") == f"[{expected}]hello"


@pytest.mark.parametrize("places", [places for places, _ in PLACES.values() if "legacy" not in places])
def test_transformers_finds_the_same(folder, places):
    lay(folder, **places)
    own, theirs = opened(folder).chat_template, AutoTokenizer.from_pretrained(folder).chat_template
    if isinstance(theirs, dict):
        theirs = {name: text for name, text in theirs.items() if text.strip()}
        theirs = theirs.get("default", theirs) or None
    assert own == (None if isinstance(theirs, str) and not theirs.strip() else theirs)


def test_a_template_may_be_chosen_by_its_name(folder):
    lay(folder, config=listed(rag=marked("r"), tool_use=marked("t")))
    assert [rendered(opened(folder, name), "hello") for name in ("rag", "tool_use")] == ["[r]hello", "[t]hello"]
    said = refusal(lambda: opened(folder, "none\n\x1b" * 100))
    assert "has chat templates called rag, tool_use; there is none called 'none" in said


@pytest.mark.parametrize(("places", "has"), [({}, "no chat template"), ({"jinja": "x"}, "one chat template, default")])
def test_a_name_where_there_is_no_choice_is_refused(folder, places, has):
    assert has in refusal(lambda: opened(lay(folder, **places), "rag"))


def test_hundreds_of_names_do_not_make_a_sentence_longer(folder):
    lay(folder, config=listed(**{f"{number}\n" * 50: marked("x") for number in range(300)}))
    assert "and 292 more" in refusal(lambda: rendered(opened(folder), "hello"))


@pytest.mark.parametrize("legacy", [5, ["x"], {"default": 5}, [{"name": ["x"], "template": "x"}], "x" * 1_100_000])
def test_a_template_that_is_none_is_refused_in_a_sentence(folder, legacy):
    lay(folder, legacy=legacy)
    if legacy == ["x"]:
        assert opened(folder).chat_template is None
    else:
        assert "chat template" in refusal(lambda: opened(folder))


@pytest.mark.parametrize("text", ["", "[]", "{}", "5", "[" * 50_000, "\xff"])
def test_a_file_that_holds_no_template_is_refused_by_name(folder, text):
    (folder / "chat_template.json").write_bytes(text.encode("latin-1"))
    assert "chat_template.json holds no chat template" in refusal(lambda: opened(folder))


# What families of templates do, each written anew in its smallest form.

SPOKEN = "{{ '<' + m.role + '>' + m.content }}"
EACH = "{% for m in messages %}" + SPOKEN + "{% endfor %}{{ '<assistant>' }}"
REFUSES_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + EACH
ALTERNATES = (
    """{% for m in messages if m.role != 'system' %}
{% if (m.role == 'user') != loop.first and loop.length == 1 %}{{ raise_exception('must alternate') }}{% endif %}
{% endfor %}"""
    + EACH
)
PARTS = """{% for m in messages %}{{ '<' + m.role + '>' }}
{% for part in m.content %}{% if part.type == 'text' %}{{ part.text }}{% endif %}{% endfor %}{% endfor %}"""
EITHER = "{% for m in messages %}{{ m.content if m.content is string else m.content[0].text }}{% endfor %}"
DROPS_SYSTEM = "{% for m in messages if m.role != 'system' %}" + SPOKEN + "{% endfor %}"
LAST_ONLY = "{% set m = messages[-1] %}" + SPOKEN
FIRST_USER = "{% for m in messages if m.role == 'user' %}{% if loop.first %}" + SPOKEN + "{% endif %}{% endfor %}"
SHOUTS = EACH.replace("m.content", "m.content | upper")
CUTS = EACH.replace("m.content", "m.content[:20]")
SHORT = EACH.replace("m.content", "(m.content if m.content | length < 20 else '')")
SAYS_IT_ITSELF = "{{ 'hello hello' }}"
ESCAPES = EACH.replace("m.content", "m.content | e")
QUOTES = EACH.replace("m.content", "m.content | tojson")
AS_MESSAGE, BEFORE = "sent as a system message", "sent before the message: it "
BEHAVIOURS = {
    "ChatML": (CHATML, "sent as text", AS_MESSAGE, "sent behind the first"),
    "ChatML that thinks": (CHATML + NO_THOUGHT, "sent as text", AS_MESSAGE, "sent behind the first"),
    "no system": (REFUSES_SYSTEM, "sent as text", f"{BEFORE}fails: no system role", "sent behind the first"),
    "turn by turn": (ALTERNATES, "sent as text", AS_MESSAGE, "sent behind the first"),
    "parts": (PARTS, "sent as a list of parts", AS_MESSAGE, "sent behind the first"),
    "either": (EITHER, "sent as text", AS_MESSAGE, "sent behind the first"),
    "drops the system text": (
        DROPS_SYSTEM,
        "sent as text",
        f"{BEFORE}leaves out or changes the system text",
        "sent behind the first",
    ),
    "the last only": (
        LAST_ONLY,
        "sent as text",
        f"{BEFORE}leaves out or changes the system text",
        "leaves out or changes the message",
    ),
    "the first only": (
        FIRST_USER,
        "sent as text",
        f"{BEFORE}leaves out or changes the system text",
        "leaves out or changes an answer",
    ),
    "shouting": (
        SHOUTS,
        "leaves out or changes the message",
        f"{BEFORE}leaves out or changes the system text",
        "leaves",
    ),
    "fixed": (SAYS_IT_ITSELF, "leaves out or changes the message", f"{BEFORE}leaves", "leaves out or changes"),
    "failing": ("{{ 1/0 }}", "fails: division by zero", f"{BEFORE}fails: division by zero", "fails: division by zero"),
}


def with_template(tokenizer, template):
    tokenizer.chat_template = template
    tokenizer.has_chat_template = True
    return tokenizer


@pytest.fixture(scope="module")
def tokenizer(bare):
    return read_tokenizer(bare, {})


@pytest.mark.parametrize(("template", "message", "system", "second"), BEHAVIOURS.values(), ids=BEHAVIOURS)
def test_what_a_template_does_is_told(tokenizer, template, message, system, second):
    told = dict(behaviour(with_template(tokenizer, template)))
    assert list(told) == ["message", "system text", "second turn"]
    assert told["message"] == message
    assert told["system text"].startswith(system)
    assert told["second turn"].startswith(second)


LONG = "Tell of the <keeper> & the light, of the “sea” and of a night in winter."


@pytest.mark.parametrize(
    "template", [CUTS, SHORT, SHOUTS, SAYS_IT_ITSELF, ESCAPES, QUOTES.replace("tojson", "replace('a', '')")]
)
def test_a_template_that_does_not_carry_the_message_is_refused(tokenizer, template):
    said = refusal(lambda: rendered(with_template(tokenizer, template), LONG))
    assert "leaves out or changes the message; use --ignore-chat-template" in said


def test_what_a_template_says_by_itself_is_not_taken_for_the_message(tokenizer):
    with_template(tokenizer, SAYS_IT_ITSELF)
    for said in ("hello", "hell", "hello hello"):
        assert "leaves out" in refusal(lambda said=said: rendered(tokenizer, said))


def test_a_message_that_is_also_the_system_text_has_to_come_twice(tokenizer):
    with_template(tokenizer, LAST_ONLY)
    assert rendered(tokenizer, "Be brief.", system="Be brief.") == "<user>Be brief.\n\nBe brief."


@pytest.mark.parametrize("template", [REFUSES_SYSTEM, DROPS_SYSTEM, LAST_ONLY, FIRST_USER])
def test_a_system_text_that_a_template_does_not_carry_comes_before_the_message(tokenizer, template):
    text = rendered(with_template(tokenizer, template), LONG, system="Be the tide.")
    assert f"<user>Be the tide.\n\n{LONG}" in text


def test_parts_are_sent_to_a_template_that_wants_them(tokenizer):
    text = rendered(with_template(tokenizer, PARTS), LONG, system="Be the tide.")
    assert "".join(text.split()) == "".join(f"<system>Be the tide.<user>{LONG}".split())


def test_a_thinking_model_is_asked_for_what_is_wanted(tokenizer):
    with_template(tokenizer, CHATML + NO_THOUGHT)
    assert rendered(tokenizer, "hello").endswith("<think>\n\n</think>\n\n")
    assert not rendered(tokenizer, "hello", thinking=True).endswith("</think>\n\n")


def test_a_day_is_the_same_on_every_day(tokenizer):
    with_template(tokenizer, "{{ strftime_now('%d %b %Y') }}" + EACH)
    assert rendered(tokenizer, "hello").startswith("26 Jul 2024<user>")


words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60).filter(str.strip)


@settings(max_examples=60)
@given(words, st.none() | words)
def test_whatever_is_said_comes_out_of_a_template_that_carries_it(tokenizer, user, system):
    for template in (CHATML, EITHER, PARTS, REFUSES_SYSTEM):
        text = "".join(rendered(with_template(tokenizer, template), user, system=system).split())
        for said in (user, system or ""):
            assert "".join(said.split()) in text


# Long messages go through a process of their own.


@pytest.fixture
def in_child(monkeypatch):
    """How often that process is asked."""
    asked = []

    def counted(*task, own=trial.rendered):
        asked.append(task)
        return own(*task)

    monkeypatch.setattr(trial, "rendered", counted)
    return asked


def both_ways(tokenizer, monkeypatch, **said):
    """Return what a template makes of a long message in the other process, and in this one."""
    there = rendered(tokenizer, **said)
    monkeypatch.setattr(chat, "_TRIED", 10**9)
    return there, rendered(tokenizer, **said)


@pytest.mark.slow
@pytest.mark.parametrize("template", [CHATML, "{{ bos_token }}" + CHATML + NO_THOUGHT])
def test_a_long_message_comes_out_the_same_in_another_process(tokenizer, template, in_child, monkeypatch):
    long = "Ünder 灯 🌊 <|im_end|> {{ 1 }}\n" * 5_000
    there, here = both_ways(
        with_template(tokenizer, template), monkeypatch, user=long, system="Be the tide.", thinking=True
    )
    assert there == here
    assert long in here
    assert in_child


@pytest.mark.slow
def test_a_long_message_for_the_starter_comes_out_the_same_in_another_process(starter_home, in_child, monkeypatch):
    there, here = both_ways(read_tokenizer(ensure_starter(), {}), monkeypatch, user="The sea. " * 20_000)
    assert there == here
    assert in_child


@pytest.mark.slow
def test_a_template_that_is_slow_with_long_messages_only_is_refused(tokenizer, monkeypatch):
    monkeypatch.setattr(trial, "SECONDS", 1.0)
    slow = (
        EACH + "{% if messages[0].content | length > 150000 %}" + "{% for a in range(9999) %}" * 3 + "{% endfor %}" * 3
    )
    with_template(tokenizer, slow + "{% endif %}")
    assert rendered(tokenizer, "hello") == "<user>hello<assistant>"
    begun = time.monotonic()
    assert "going through a long message takes more than" in refusal(lambda: rendered(tokenizer, "x" * 160_000))
    assert time.monotonic() - begun < 30
    with_template(tokenizer, EACH + "{% if messages[0].content | length > 150000 %}{{ 'x' * 10**10 }}{% endif %}")
    assert "MB of memory" in refusal(lambda: rendered(tokenizer, "x" * 160_000))

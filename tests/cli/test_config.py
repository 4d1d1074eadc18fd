"""The table [generate] of the configuration file: defaults, and what is wrong in it by file and key."""

import json
import re
from pathlib import Path

import pytest

from billy_mlx import paths
from billy_mlx.blend.blend import Blend
from billy_mlx.cli.config import WRITING, generate_defaults
from billy_mlx.cli.doctor import former_settings

WRITE = ("generate", "-p", "Once", "--seed", "3", "--json")


@pytest.fixture
def configure(billy_home):
    def write(text):
        paths.config_file().parent.mkdir(parents=True, exist_ok=True)
        paths.config_file().write_text(text)

    return write


def test_the_file_gives_the_defaults(billy, model, configure):
    configure('[generate]\nmax-tokens = 3\nblend = "noir"\nstop = ["xyzzy"]\n')
    document = json.loads(billy(*WRITE).out)
    assert (document["generation_tokens"], document["blend"]) == (3, "noir:1@1/balanced")


def test_a_flag_wins_over_the_file(billy, model, configure):
    configure('[generate]\nmax-tokens = 3\nblend = "noir"\n')
    rows = json.loads(billy(*WRITE, "-m", "2", "--voice", "gothic").out)["rows"]
    assert [(row["generation_tokens"], row["blend"]) for row in rows] == [(2, "gothic:1@1/layered")]


def test_a_blend_that_is_typed_wins_over_voices_in_the_file(billy, model, configure):
    configure('[generate]\nmax-tokens = 3\nvoice = ["noir", "gothic"]\n')
    assert len(json.loads(billy(*WRITE).out)["rows"]) == 2
    assert json.loads(billy(*WRITE, "--blend", "gothic").out)["blend"] == "gothic:1@1/layered"


FORMER = '[generate]\nmax-tokens = 2\nblend = "noir@0.3r/L1"\n[studio]\nblend = "gothic"\n'


@pytest.mark.parametrize(
    ("arguments", "blend"),
    [
        ((), "noir:1@0.3r/balanced/L1"),
        (("--mode", "layered", "--dose", "1"), "noir:1@1/layered/L1"),
        (("--dose", "0.2r"), "noir:1@0.2r/balanced/L1"),
        (("--blend", "noir"), "noir:1@1/layered"),
        (("--voice", "noir"), "noir:1@1/layered"),
        (("--blend", "noir@0.3r", "--mode", "balanced"), "noir:1@0.3r/balanced"),
        (("--blend", "noir@2a", "--mode", "paper"), "noir:1@2a/paper"),
    ],
)
def test_a_blend_of_the_file_is_balanced_as_it_was_and_a_typed_one_takes_the_default(
    billy, model, configure, arguments, blend
):
    configure(FORMER)
    document = json.loads(billy(*WRITE, *arguments).out)
    assert document.get("rows", [document])[0]["blend"] == blend


def test_which_keys_name_no_mode_is_told_with_what_to_write(configure):
    configure(FORMER)
    generate, studio = former_settings()
    assert generate.startswith(f'{paths.config_file()}: blend in [generate] is "noir@0.3r/L1", which names no mode')
    assert '"noir:1@1/layered/L1" for the mode that is usual now, or "noir@0.3r/L1/balanced" to keep it' in generate
    assert 'blend in [studio] is "gothic"' in studio
    assert Blend.parse("noir@0.3r/L1/balanced") == Blend.stored("noir@0.3r/L1")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            'voice = ["noir/paper", "gothic", "noir"]',
            ['voice in [generate] is "gothic"', 'voice in [generate] is "noir"'],
        ),
        ('blend = "noir"\nmode = "paper"', []),
        ('dose = "0.3r"', ["dose in [generate] is in residual norms"]),
        ('dose = "0.3r"\nmode = "balanced"', []),
        ("dose = 0.5", []),
        ('blend = "noir/layered"', []),
        ('blend = "noir:x"', []),
        ("blend = 3", []),
    ],
)
def test_no_key_is_told_of_that_says_its_mode_or_that_others_refuse(configure, text, told):
    configure(f"[generate]\n{text}\n")
    found = former_settings()
    assert len(found) == len(told)
    assert all(each in sentence for each, sentence in zip(told, found, strict=True))


def test_without_a_file_or_with_a_broken_one_no_key_is_told_of(configure):
    assert former_settings() == ()
    configure("[generate")
    assert former_settings() == ()


def test_a_dose_in_the_file_does_not_keep_the_model_from_writing_as_itself(billy, model, configure):
    configure("[generate]\nmax-tokens = 3\ndose = 0.5\n")
    assert json.loads(billy(*WRITE).out)["blend"] is None
    assert json.loads(billy(*WRITE, "--blend", "noir").out)["dose"] == "0.5"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[generate]\ntempo = 1", "[generate] has no key 'tempo'"),
        ("[generate]\nprompt = 'x'", "[generate] has no key 'prompt'"),
        ("[generate]\nmessages = 'x'", "[generate] has no key 'messages'"),
        ("[generate]\ntemp = 'hot'", "temp in [generate]: 'hot' is not a valid float"),
        ("[generate]\ntemp = 99", "temp in [generate]: 99.0 is not in the range"),
        (
            "[generate]\nmax_tokns = 1",
            "did you mean max-tokens? there are adapter-path, blend, chat-template-config, ",
        ),
        ("[generate]\nblend = ['noir', 'gothic']", "blend in [generate] must be a text"),
        ("[generate]\nlogit-bias = 'x'", "logit-bias in [generate]: it is no JSON object"),
        ("[generate]\nlogit-bias = {x = 1}", "logit-bias in [generate]: it has to give token ids a number each"),
        ("[generate]\nlogit-bias = [1]", "logit-bias in [generate] must be a text"),
        ("[generate]\nseed = [1]", "seed in [generate] must be a text, a number, true or false"),
        ("generate = 1", "generate is not a table"),
        ("modell = 'x'", "'modell' is not known"),
        ("[generate", "is not TOML"),
    ],
)
def test_what_is_wrong_in_the_file_is_said_by_file_and_key(billy, model, configure, text, sentence):
    configure(text)
    done = billy(*WRITE)
    assert done.code in (1, 2)
    assert done.err.startswith(f"billy: {paths.config_file()}")
    assert sentence in done.err


def test_what_the_studio_keeps_there_is_left_to_it(configure):
    configure('[generate]\nmax-tokens = 3\n[studio]\ntext-width = "wide"\n[keys]\nnothing = 1\n')
    assert generate_defaults() == {"max_tokens": 3}


def test_no_short_name_is_among_the_allowed_keys(billy, model, configure):
    configure("[generate]\nm = 1")
    assert {"m", "p", "prompt"}.isdisjoint(billy(*WRITE).err.partition("there are ")[2].strip().split(", "))


def test_values_may_stand_in_their_natural_form(billy, model, configure):
    configure('[generate]\nmax_tokens = 3\nlayers = [1, 2]\nstop = "xyzzy"\nvoice = "noir"\n')
    (row,) = json.loads(billy(*WRITE).out)["rows"]
    assert (row["layers"], row["generation_tokens"]) == ([1, 2], 3)


@pytest.mark.parametrize("written", ['{"5" = 1000}', "{5 = 1000}", "'{\"5\": 1000}'"])
def test_a_bias_may_be_a_table_or_json(billy, model, configure, written):
    flag = json.loads(billy(*WRITE, "-m", "3", "--logit-bias", '{"5": 1000}').out)
    configure(f"[generate]\nmax-tokens = 3\nlogit-bias = {written}\n")
    assert json.loads(billy(*WRITE).out)["text"] == flag["text"]


def test_values_for_the_template_may_be_a_table(billy, model, configure):
    configure('[generate]\nmax-tokens = 2\nchat-template-config = { mood = "dark" }\nextra-eos-token = "="\n')
    assert "does not read mood" in billy(*WRITE).err


OWN = '[generate]\nmax-tokens = 2\ndose = 0.5\nmode = "raw"\nlayers = "1,2"\npositions = "all"\n'


@pytest.mark.parametrize(
    ("arguments", "blend"),
    [
        (("--blend", "noir"), "noir:1@0.5/raw/L1,2/all"),
        (("--blend", "noir@0.3/L3"), "noir:1@0.3/raw/L3/all"),
        (("--blend", "noir@2a/paper"), "noir:1@2a/paper/L1,2/all"),
        (("--blend", "noir@0.3/balanced/L3", "--dose", "0.7"), "noir:1@0.7/balanced/L3/all"),
        (("--blend", "noir/L3", "--layers", "0", "--positions", "response"), "noir:1@0.5/raw/L0"),
    ],
)
def test_a_typed_flag_beats_the_blend_and_the_blend_beats_the_file(billy, model, configure, arguments, blend):
    configure(OWN)
    assert json.loads(billy(*WRITE, *arguments).out)["blend"] == blend


def test_a_typed_system_prompt_beats_what_the_file_says_of_the_template(billy, model, configure):
    configure("[generate]\nmax-tokens = 2\nignore-chat-template = true\n")
    assert billy(*WRITE, "--system-prompt", "x").code == 0


def test_the_file_that_the_documentation_shows_is_accepted(configure):
    page = Path(__file__).parents[2] / "docs" / "commands.md"
    (example,) = re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL)
    configure(example)
    assert generate_defaults()["dose"] == 0.8
    assert former_settings() == ()


def test_help_does_not_need_the_file(billy, configure):
    configure("[generate")
    assert billy("generate", "--help").code == 0


SHARED = "[generate]\nblend = 'noir@0.5/raw/L1'\nseed = 7\ntemp = 0.3\nmax-tokens = 2\njson = true\n"


@pytest.mark.slow
@pytest.mark.parametrize("command", [("continue",), ("rewrite", "--lines", "1")])
def test_commands_that_write_into_a_text_share_the_defaults_but_not_the_length(
    billy, model, configure, tmp_path, command
):
    configure(SHARED)
    text = tmp_path / "novel.md"
    text.write_text("Ada slept all day.\n")
    told = billy(command[0], str(text), *command[1:], "--context", "430", "--json")
    (row,) = json.loads(told.out)["rows"]
    assert (row["blend"], row["seed"]) == ("noir:1@0.5/raw/L1", 7)
    assert row["generation_tokens"] > 2
    (row,) = json.loads(billy(command[0], str(text), *command[1:], "--context", "430", "--json", "--seed", "3").out)[
        "rows"
    ]
    assert row["seed"] == 3


def test_a_chorus_takes_the_voices_of_the_file(billy, model, configure, tmp_path):
    configure("[generate]\nvoice = ['noir@0.5/raw/L1', 'noir@0/raw/L1']\nseed = 7\n")
    text = tmp_path / "novel.md"
    text.write_text("Ada slept all day.\n")
    rows = json.loads(billy("chorus", str(text), "-m", "3", "--context", "430", "--json").out)["rows"]
    assert [(row["blend"], row["seed"]) for row in rows] == [("noir:1@0.5/raw/L1", 7), ("noir:1@0/raw/L1", 7)]


def test_help_is_there_whatever_the_file_says(billy, configure):
    configure("[generate")
    for command in WRITING:
        assert billy(command, "--help").code == 0
        assert "is not TOML" in billy(command, "x.md").err

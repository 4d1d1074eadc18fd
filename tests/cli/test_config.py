"""The table [generate] of the configuration file: defaults, and what is wrong in it by file and key."""

import json

import pytest

from billy_mlx import paths

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
    assert (document["generation_tokens"], document["blend"]) == (3, "noir:1@1")


def test_a_flag_wins_over_the_file(billy, model, configure):
    configure('[generate]\nmax-tokens = 3\nblend = "noir"\n')
    rows = json.loads(billy(*WRITE, "-m", "2", "--voice", "gothic").out)["rows"]
    assert [(row["generation_tokens"], row["blend"]) for row in rows] == [(2, "gothic:1@1")]


def test_a_blend_that_is_typed_wins_over_voices_in_the_file(billy, model, configure):
    configure('[generate]\nmax-tokens = 3\nvoice = ["noir", "gothic"]\n')
    assert len(json.loads(billy(*WRITE).out)["rows"]) == 2
    assert json.loads(billy(*WRITE, "--blend", "gothic").out)["blend"] == "gothic:1@1"


def test_a_dose_in_the_file_does_not_keep_the_model_from_writing_as_itself(billy, model, configure):
    configure("[generate]\nmax-tokens = 3\ndose = 0.5\n")
    assert json.loads(billy(*WRITE).out)["blend"] is None
    assert json.loads(billy(*WRITE, "--blend", "noir").out)["dose"] == "0.5"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[generate]\ntempo = 1", "[generate] has no key 'tempo'"),
        ("[generate]\nprompt = 'x'", "[generate] has no key 'prompt'"),
        ("[generate]\ntemp = 'hot'", "temp in [generate]: 'hot' is not a valid float"),
        ("[generate]\ntemp = 99", "temp in [generate]: 99.0 is not in the range"),
        ("[generate]\nstop = 'x'", "stop in [generate] must be a list"),
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


def test_help_does_not_need_the_file(billy, configure):
    configure("[generate")
    assert billy("generate", "--help").code == 0

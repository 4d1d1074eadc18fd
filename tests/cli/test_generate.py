"""billy generate: text, voices, JSON, and everything that can be said wrong."""

import io
import json
import signal
import sys
from dataclasses import replace

import pytest

from billy_mlx import paths
from billy_mlx.cli import order, printing
from billy_mlx.cli.order import _SAMPLING
from billy_mlx.model.sampling import Sampling
from billy_mlx.vectors.card import get_persona
from billy_mlx.vectors.new_card import write_card
from billy_mlx.vectors.vector_file import load_vector, save_vector

WRITE = ("generate", "-p", "Once", "-m", "6", "--seed", "3")
FIELDS = (
    "text model blend dose mode layers positions seed prompt_tokens generation_tokens prompt_tps generation_tps"
    " peak_memory_gb finish_reason"
)


@pytest.mark.slow
def test_the_same_seed_writes_the_same_text(billy, model):
    first, second = billy(*WRITE, "--blend", "noir"), billy(*WRITE, "--blend", "noir")
    assert first.code == 0
    assert first.out == second.out != "\n"


def test_a_json_document_has_the_fields_of_the_contract(billy, model):
    document = json.loads(billy(*WRITE, "--blend", "noir:0.6+gothic:0.4", "--json").out)
    assert " ".join(document) == FIELDS
    assert document["blend"] == "gothic:0.4+noir:0.6@1/layered"
    assert (document["layers"], document["seed"], document["finish_reason"]) == ([1, 2], 3, "length")


def test_without_a_blend_the_model_writes_as_itself(billy, model):
    document = json.loads(billy(*WRITE, "--json").out)
    assert (document["blend"], document["dose"], document["layers"]) == (None, None, [])


def test_voices_come_in_the_order_asked_for_and_the_control_last(billy, model):
    rows = json.loads(billy(*WRITE, "--voice", "noir", "--voice", "gothic", "--compare", "--json").out)["rows"]
    assert [row["blend"] for row in rows] == ["noir:1@1/layered", "gothic:1@1/layered", None]
    assert {row["seed"] for row in rows} == {3}


def test_a_single_voice_is_a_row_as_well(billy, model):
    assert len(json.loads(billy(*WRITE, "--voice", "noir", "--json").out)["rows"]) == 1


def test_voices_in_a_pipe_stand_under_their_names(billy, model):
    out = billy(*WRITE, "--voice", "noir", "--compare").out
    assert out.startswith("=== noir:1@1/layered ===\n\n")
    assert "\n\n=== unsteered ===\n\n" in out


def test_the_control_writes_what_the_model_writes_alone(billy, model):
    rows = json.loads(billy(*WRITE, "--blend", "noir", "--compare", "--json").out)["rows"]
    assert rows[1]["text"] == json.loads(billy(*WRITE, "--json").out)["text"]


def test_flags_replace_what_the_blend_says(billy, model):
    flags = ("--dose", "0.3r", "--mode", "orthogonal", "--layers", "1,3", "--positions", "all")
    document = json.loads(billy(*WRITE, "--blend", "noir@2/L2", *flags, "--json").out)
    assert document["blend"] == "noir:1@0.3r/orthogonal/L1,3/all"
    assert (document["layers"], document["positions"]) == ([1, 3], "all")


def test_another_mode_brings_its_own_dose(billy, model):
    assert json.loads(billy(*WRITE, "--blend", "noir", "--mode", "paper", "--json").out)["dose"] == "2a"


def test_an_edited_card_is_said_to_be_newer_than_its_vector(billy, model):
    write_card(paths.personas_folder() / "noir.toml", replace(get_persona("noir"), rubric="Another."))
    for command in ((*WRITE, "--blend", "noir+gothic"), ("vectors", "list"), ("vectors", "show", "noir")):
        err = billy(*command).err
        assert err.count("has changed since its vector was extracted; run: billy extract noir\n") == 1
        assert "the card of gothic" not in err


def test_a_vector_without_a_card_is_as_good_as_any(billy, model):
    for folder in paths.vectors_folder().iterdir():
        vector = load_vector(folder / "noir.safetensors")
        save_vector(replace(vector, persona_id="stranger"), folder / "stranger.safetensors")
    assert "has changed" not in billy(*WRITE, "--blend", "stranger").err


def test_a_new_seed_is_taken_and_said(billy, model, monkeypatch):
    monkeypatch.setattr(order.secrets, "randbelow", lambda most: 77)
    assert "--seed 77" in billy("generate", "-p", "Once", "-m", "2").err


def test_the_prompt_is_read_from_stdin(billy, model, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"Once\n")))
    piped = billy("generate", "-p", "-", "-m", "6", "--seed", "3").out
    assert piped == billy(*WRITE).out


def test_a_stop_string_ends_the_text(billy, model):
    text = json.loads(billy(*WRITE, "--json").out)["text"]
    document = json.loads(billy(*WRITE, "--stop", text[2:4], "--json").out)
    assert (document["text"], document["finish_reason"]) == (text[: text.find(text[2:4])], "stop")


def spoken(billy, path, said, *flags):
    path.write_text(said if isinstance(said, str) else json.dumps(said))
    return billy("generate", "--messages", str(path), "-m", "6", "--seed", "3", *flags)


def test_one_message_of_a_file_is_what_the_prompt_would_be(billy, model, tmp_path):
    said = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Once"}]
    done = spoken(billy, tmp_path / "m.json", said)
    assert (done.code, done.out) == (0, billy(*WRITE, "--system-prompt", "Be brief.").out)


def test_a_conversation_in_a_file_is_sent_whole(billy, model, tmp_path):
    talk = [{"role": role, "content": "Once"} for role in ("user", "assistant", "user")]
    long, short = (json.loads(spoken(billy, tmp_path / "m.json", said, "--json").out) for said in (talk, talk[:1]))
    assert long["prompt_tokens"] > short["prompt_tokens"]


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("{", "holds no messages"),
        ("", "holds no messages"),
        ("[]", "holds no messages; write a list such as"),
        ('{"role": "user"}', "holds no messages: Expected `array`"),
        ([{"role": "tool", "content": "x"}], "Invalid enum value 'tool'"),
        ([{"role": "user"}], "missing required field `content`"),
        ([{"role": "user", "content": 5}], "Expected `str`, got `int`"),
        ([{"role": "user", "content": "  "}], "The prompt is empty"),
        ([{"role": "assistant", "content": "x"}], "the user speaks first and last"),
        ('[{"role": "user", "content": "\\ud800"}]', "holds no messages"),
        ("[" * 100_000, "holds no messages"),
        (f'["{"x" * (17 << 20)}"]', "is larger than 16 MiB"),
    ],
)
def test_a_file_without_a_conversation_is_refused_in_a_sentence(billy, model, tmp_path, said, sentence):
    done = spoken(billy, tmp_path / "m.json", said)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert sentence in done.err


def test_a_file_that_is_not_there_and_no_prompt_at_all_are_said(billy, model, tmp_path):
    assert "No such file" in billy("generate", "--messages", str(tmp_path / "none.json")).err
    assert "give -p TEXT, or a conversation with --messages FILE" in billy("generate").err
    both = spoken(billy, tmp_path / "m.json", [{"role": "user", "content": "x"}], "--system-prompt", "y")
    assert "--system-prompt has no place" in both.err


def test_a_value_that_the_template_does_not_read_is_said(billy, model):
    done = billy(*WRITE, "--chat-template-config", '{"mood": "dark"}')
    assert (done.code, done.out) == (0, billy(*WRITE).out)
    assert "does not read mood, which changes nothing" in done.err


def test_an_answer_that_has_begun_is_gone_on_from(billy, model):
    plain, begun = (json.loads(billy(*WRITE, *more, "--json").out) for more in ([], ["--prefill-response", "abc"]))
    assert begun["prompt_tokens"] == plain["prompt_tokens"] + 3


@pytest.mark.parametrize("end", ["=", "28"])
def test_an_extra_end_token_ends_the_text_as_the_models_own(billy, model, end):
    biased = ("--logit-bias", '{"28": 1000}')  # the tiny model's token 28 is "="
    document = json.loads(billy(*WRITE, *biased, "--extra-eos-token", "a", "--extra-eos-token", end, "--json").out)
    assert (document["text"], document["finish_reason"], document["generation_tokens"]) == ("", "stop", 1)


@pytest.mark.parametrize(
    "flags",
    [
        ("--logit-bias", '{"65": 1000}'),
        ("--presence-penalty", "-50", "--presence-context-size", "100"),
        ("--frequency-penalty", "-50", "--frequency-context-size", "100"),
    ],
)
def test_penalties_and_biases_change_the_text(billy, model, flags):
    assert billy(*WRITE, *flags).out != billy(*WRITE).out


def test_ctrl_c_ends_with_the_text_so_far(billy, model, monkeypatch):
    interrupt_at_step(monkeypatch, 4)
    stopped = billy(*WRITE, "-m", "100")
    assert stopped.code == 130
    assert "stopped by you" in stopped.err


def test_ctrl_c_leaves_a_whole_json_document(billy, model, monkeypatch):
    interrupt_at_step(monkeypatch, 4)
    stopped = billy(*WRITE, "-m", "100", "--voice", "noir", "--compare", "--json")
    rows = json.loads(stopped.out)["rows"]
    assert stopped.code == 130
    assert [row["finish_reason"] for row in rows] == ["interrupted"] * 2
    assert all(0 < row["generation_tokens"] < 10 for row in rows)


def interrupt_at_step(monkeypatch, number):
    """Press Ctrl+C at a step of decoding."""
    steps = iter(range(1000))
    go_on = printing.advance

    def advance(*arguments):
        if next(steps) == number:
            signal.raise_signal(signal.SIGINT)
        go_on(*arguments)

    monkeypatch.setattr(printing, "advance", advance)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--blend", "noir", "--voice", "gothic"], "Both --blend and --voice are given"),
        (
            ["--blend", "noir", "--blend", "gothic"],
            "--blend is given 2 times; for several voices name each with --voice",
        ),
        (["--ignore-chat-template", "--system-prompt", "x"], "leave out one of them"),
        (["--compare"], "--compare is given but no voice"),
        (["--dose", "1"], "--dose is given but no voice"),
        (["--blend", "noir:x"], "a blend is written id:weight+id:weight"),
        (["--blend", "noir", "--dose", "lots"], "'lots' is not a dose"),
        (["--blend", "noir", "--layers", "two"], "'two' names no layers"),
        (["--blend", "noir", "--layers", "9"], "there is no layer 9: the model's layers go from 0 to 3"),
        (["--blend", "nior"], "did you mean noir"),
        (["--temp", "99"], "99.0 is not in the range 0<=x<=10"),
        (["--stop", ""], "'--stop': it is empty"),
        (["--system-prompt", "\udcff"], "it is not UTF-8 text"),
        (["--ignore-chat-template", "--prefill-response", "x"], "--prefill-response needs the chat template"),
        (["--messages", "m.json"], "--messages brings all that is said, so that -p has no place"),
        (["--prefill-response", "\udcff"], "it is not UTF-8 text"),
        (["--chat-template-config", "5"], "it is no JSON object, such as"),
        (["--chat-template-config", '{"messages": 1}'], "cannot set 'messages'"),
        (["-m", "600"], "shorten the prompt or ask for fewer"),
        (["-p", "  "], "The prompt is empty"),
        (["--logit-bias", "{"], "'--logit-bias': it is no JSON object, such as {\"42\": -5}"),
        (["--logit-bias", "[42]"], "it is no JSON object"),
        (["--logit-bias", '{"x": 1}'], "it has to give token ids a number each"),
        (["--logit-bias", '{"4": "1"}'], "it has to give token ids a number each"),
        (["--logit-bias", '{"4": NaN}'], "the logit_bias of token 4 is nan"),
        (["--logit-bias", '{"999999": 1}'], "logit_bias names token 999999, but the tokens of"),
        (["--presence-penalty", "101"], "101.0 is not in the range -100<=x<=100"),
        (["--extra-eos-token", "no such"], "'no such' is not one token of"),
        (["--extra-eos-token", "9999999"], "'9999999' is not one token of"),
        (["--extra-eos-token", ""], "'--extra-eos-token': it is empty"),
        (["--nonsense"], "No such option '--nonsense'"),
    ],
)
def test_wrong_usage_is_said_in_a_sentence(billy, model, arguments, sentence):
    done = billy(*WRITE, *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("billy: ")
    assert sentence in done.err


def test_a_persona_without_a_vector_is_refused_with_the_command_that_makes_one(billy, model):
    done = billy(*WRITE, "--blend", "futurist")
    assert done.code == 1
    assert f"run: billy extract futurist --model {model}" in done.err


def test_the_flags_have_the_defaults_of_the_library_but_hold_repetition_down():
    own = Sampling(repetition_penalty=1.1, repetition_context=64)
    assert Sampling(**{name: default for _, name, default, _, _ in _SAMPLING}) == own


def test_every_bound_of_a_flag_is_one_the_library_takes():
    for _, name, _, kind, _ in _SAMPLING:
        for bound in (kind.min, kind.max):
            assert getattr(Sampling(**{name: bound}), name) == bound


def test_a_raw_dose_in_residual_norms_is_said_to_go_to_every_layer(billy, model):
    said = "is added at every layer that the vectors have, one on top of the other"
    assert f"billy: noir:1@0.02r/raw: 0.02r {said}" in billy(*WRITE, "--blend", "noir@0.02r/raw").err
    for blend in ("noir@0.02r/raw/L2", "noir@0.02r/balanced", "noir@1/raw"):
        assert said not in billy(*WRITE, "--blend", blend).err

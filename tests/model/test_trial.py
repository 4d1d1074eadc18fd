"""A model folder is tried out in a process that is watched, once, and is refused in a sentence if it is no good."""

import json
import multiprocessing
import os
import shutil
import signal
import sys
import textwrap
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import mlx.core as mx
import psutil
import pytest
from helpers.refusals import objection, refusal
from helpers.tiny_models import CHATML, pieces_tokenizer, tiny_folder, tiny_tokenizer

from billy_mlx.blend.writer import generate
from billy_mlx.engine.messages import Broken, Loaded, Unloaded
from billy_mlx.engine.thread import Engine
from billy_mlx.errors import BillyError, ModelError
from billy_mlx.model import load, trial, trial_process
from billy_mlx.model.prompt import chat_prompt
from billy_mlx.model.trial import TrialBounds, require_harmless

SLOW = pytest.mark.slow
BOUNDS = TrialBounds(5.0, 400 << 20)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return tiny_folder(tmp_path_factory.mktemp("good"))


@pytest.fixture
def folder(good, tmp_path):
    return shutil.copytree(good, tmp_path / "model")


def edit(folder, name, **changes):
    path = folder / name
    tree = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(tree | changes))


@pytest.fixture
def here(monkeypatch, no_verdicts):
    """Do trials in this process, with shorter texts: the same steps, without the bounds."""

    class Here:
        def __init__(self, task, _):
            self._folder = Path(task["folder"])

        def answer(self):
            return trial_process._tried(self._folder, lambda _: None)

    monkeypatch.setattr(trial, "_Trial", Here)
    monkeypatch.setattr(trial_process, "_LETTERS", 2_000)


def refused(folder):
    return refusal(lambda: load.load(folder))


def passes(folder):
    return "shape" in trial_process._tried(folder, lambda _: None)


def loaded_or_refused(folder):
    """Return the model, or None where it is refused in a sentence."""
    try:
        return load.load(folder)
    except BillyError as error:
        said = str(error)
    assert not objection(said), said
    return None


def test_a_good_folder_passes(folder, here):
    assert passes(folder)


# What can be refused without waiting: the same steps, in this process.

CONFIGS = {
    "no heads": {"num_attention_heads": None},
    "another width": {"hidden_size": 64},
    "another inner width": {"intermediate_size": 0},
    "a negative inner width": {"intermediate_size": -64},
    "a text for a number": {"hidden_size": "32"},
    "a list for a number": {"num_attention_heads": [4]},
    "a truth for a number": {"num_hidden_layers": True},
    "heads that do not divide": {"num_attention_heads": 5},
    "a rotation of nothing": {"rope_scaling": 5},
    "a rotation of no kind": {"rope_scaling": {"type": "x\n" * 1000, "factor": 2}},
    "an unknown kind": {"model_type": "x\n\x1b" * 10_000},
    "a kind that is a path": {"model_type": "../evil"},
    "a kind with a dot": {"model_type": "os.path"},
    "code of its own": {"auto_map": {"AutoConfig": "evil.Evil"}, "model_type": "evil"},
    "quantised by nothing": {"quantization": [4]},
    "quantised by a text": {"quantization": "4"},
    "an endless end": {"eos_token_id": 10**30},
    "a negative end": {"eos_token_id": -1},
    "an end that is a text": {"eos_token_id": "<|im_end|>" * 10_000},
    "an end that is a fraction": {"eos_token_id": [1.5]},
    "an end that is true": {"eos_token_id": True},
    "ends in lists": {"eos_token_id": [[1]]},
    "ends in a table": {"eos_token_id": {"a": 1}},
}


@pytest.mark.parametrize("changes", CONFIGS.values(), ids=CONFIGS)
def test_a_config_that_describes_no_model_is_refused(folder, changes, here):
    edit(folder, "config.json", **changes)
    refused(folder)


@pytest.mark.parametrize("value", [0, -1, 3, 10**30, "4", [4], None, {"a": 1}])
def test_a_group_of_any_size_is_no_traceback(tmp_path, value, here):
    folder = tiny_folder(tmp_path / "model", bits=4)
    edit(folder, "config.json", quantization={"group_size": value, "bits": 4})
    loaded_or_refused(folder)


@pytest.mark.parametrize("name", ["generation_config.json", "hf_quant_config.json"])
@pytest.mark.parametrize("text", ["[]", '"x"', "5", "{", "[" * 50_000, "\ud800".encode("utf-16", "surrogatepass")])
def test_a_further_config_of_any_kind_is_no_traceback(folder, name, text, here):
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    loaded_or_refused(folder)


SETTINGS = {
    "a class that asks for code": {"tokenizer_class": "Evil", "auto_map": {"AutoTokenizer": ["evil.Evil", None]}},
    "lists as tokens": {"eos_token": ["<|im_end|>"], "bos_token": [[]]},
    "numbers as tokens": {"eos_token": 5},
    "tables as tokens": {"eos_token": {"x": 1}},
    "a list as added tokens": {"added_tokens_decoder": [1]},
    "added tokens that are none": {"added_tokens_decoder": {"x": {"content": "y"}}},
    "a number as template": {"chat_template": 5},
    "a truth as template": {"chat_template": True},
    "a template in a table": {"chat_template": {"default": 5}},
    "templates without names": {"chat_template": [{"template": "x"}]},
    "templates that are lists": {"chat_template": [{"name": "default", "template": ["x"]}]},
    "a list of numbers as templates": {"chat_template": [5]},
    "a name that is a list": {"chat_template": [{"name": ["x"], "template": "x"}]},
    "two million letters of template": {"chat_template": "x" * 2_000_000},
    "a template of mlx-lm's that is not there": {"chat_template_type": "../../evil"},
    "a parser of mlx-lm's that is not there": {"tool_parser_type": "x\n" * 1000},
    "files that are a number": {"fast_tokenizer_files": 5},
}


@pytest.mark.parametrize("changes", SETTINGS.values(), ids=SETTINGS)
def test_settings_of_a_tokenizer_that_fit_none_are_refused(folder, changes, here):
    edit(folder, "tokenizer_config.json", **changes)
    refused(folder)


@pytest.mark.parametrize("value", [[[[]]], "x", None, -1, 10**30, {"a": 1}])
def test_a_longest_text_of_any_kind_does_not_matter(folder, value, here):
    edit(folder, "tokenizer_config.json", model_max_length=value)
    model = loaded_or_refused(folder)
    assert model is None or model.tokenizer.encode("the and")


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "null", '{"model": ', "[" * 50_000, '{"model": {"type": "BPE"}}'])
def test_a_tokenizer_that_is_none_is_refused(folder, text, here):
    (folder / "tokenizer.json").write_text(text)
    assert "tokenizer" in refused(folder)


def doubling(kind, letter="e", *, times):
    steps = [{"type": "Replace", "pattern": {"String": letter}, "content": letter * 2}] * times
    return {kind: {"type": "Sequence", f"{kind}s": steps}}


@pytest.mark.parametrize("kind", ["normalizer", "decoder"])
@pytest.mark.parametrize("letter", ["e", "q"])  # one in the text that is tried, and one in the vocabulary alone
def test_a_tokenizer_that_makes_much_of_little_is_refused(tmp_path, kind, letter, here):
    folder = tiny_folder(tmp_path / "model", tokenizer=pieces_tokenizer())
    edit(folder, "tokenizer.json", **doubling(kind, letter, times=8 if (kind, letter) == ("normalizer", "e") else 13))
    assert "token" in refused(folder)


def test_a_prefix_without_end_is_refused(folder, here):
    edit(folder, "tokenizer.json", normalizer={"type": "Prepend", "prepend": "a" * 100_000})
    assert "tokens of" in refused(folder)


TEMPLATES = {
    "division by nothing": "{{ 1/0 }}",
    "another file": "{% include 'x' %}",
    "a library": "{% import 'x' as x %}",
    "an ancestor": "{% extends 'x' %}",
    "no program": "{% for %}",
    "the insides of Python": "{{ ''.__class__.__mro__ }}",
    "the globals of Python": "{{ messages.__init__.__globals__ }}",
    "a range without end": "{% for x in range(10**9) %}x{% endfor %}",
    "a macro that calls itself": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "a block that calls itself": "{% block b %}{{ self.b() }}{% endblock %}",
    "a loop that calls itself": "{% for m in messages recursive %}{{ loop(messages) }}{% endfor %}",
    "half a character": "{{ messages[0].content }}\ud800",
    "nothing": "{# nothing #}",
    "a system text only": "{{ messages[0].content if messages[0].role == 'system' }}",
}


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_a_template_that_fails_is_told_when_it_is_used(folder, template, here):
    edit(folder, "tokenizer_config.json", chat_template=template)
    assert passes(folder)
    tokenizer = load.read_tokenizer(folder, {})
    assert "chat template" in refusal(lambda: chat_prompt(tokenizer, "Who is there?"))


@pytest.mark.parametrize("hidden", ["{{ bloat }}", "{% if enable_thinking %}{{ bloat }}{% endif %}"])
@pytest.mark.parametrize("place", ["default", "rag", "file", "legacy"])
def test_every_template_is_tried_and_whatever_it_is_asked(folder, hidden, place, here):
    bad = hidden.replace("bloat", "'x' * 100000")
    match place:
        case "default":
            edit(folder, "tokenizer_config.json", chat_template=bad)
        case "rag":
            both = [{"name": "default", "template": CHATML}, {"name": "rag", "template": bad}]
            edit(folder, "tokenizer_config.json", chat_template=both)
        case "file":
            (folder / "additional_chat_templates").mkdir()
            (folder / "additional_chat_templates" / "rag.jinja").write_text(bad)
        case "legacy":
            edit(folder, "tokenizer_config.json", chat_template=None)
            edit(folder, "chat_template.json", chat_template=bad)
    assert "its chat template fails: it makes 100,000 letters" in refused(folder)


def test_a_model_of_a_handful_of_tokens_is_refused(folder, here):
    edit(folder, "config.json", vocab_size=8)
    weights = mx.load(str(folder / "model.safetensors"))
    mx.save_safetensors(
        str(folder / "model.safetensors"),
        {k: w[:8] if "embed" in k or "lm_head" in k else w for k, w in weights.items()},
    )
    assert "it has 8 tokens" in refused(folder)


@pytest.mark.slow
def test_tokens_that_the_model_has_no_place_for_are_refused_where_they_are_sent(tmp_path, here):
    tokenizer = tiny_tokenizer()
    folder = tiny_folder(tmp_path / "model", tokenizer=tokenizer)
    tokenizer.add_tokens(["keeper", "of"])
    tokenizer.save(str(folder / "tokenizer.json"))
    model = load.load(folder)
    assert generate(model, "the light").tokens
    said = refusal(lambda: generate(model, "the keeper of the light"))
    assert "has embeddings for 268 tokens and is given token number 269" in said


@pytest.mark.parametrize("dtype", ["F64", "C64", "F4", "", "x" * 10_000])
def test_a_type_of_numbers_that_mlx_has_not_is_refused(folder, dtype, here):
    content = (folder / "model.safetensors").read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    next(entry for name, entry in header.items() if name != "__metadata__")["dtype"] = dtype
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])
    refused(folder)


# The verdict: kept and used again.


SHAPE = {"layers": 4, "width": 32, "outputs": 268, "dtype": "float32"}


@pytest.fixture
def answers(monkeypatch, no_verdicts):
    """What trials answer, one after another, and how many there were."""
    said = SimpleNamespace(given=[], count=0)

    class Told:
        def __init__(self, *_):
            pass

        def answer(self):
            said.count += 1
            answer = said.given.pop(0) if said.given else {"shape": SHAPE}
            if isinstance(answer, Exception):
                raise answer
            return answer

    monkeypatch.setattr(trial, "_Trial", Told)
    return said


@pytest.mark.parametrize("answer", [{"shape": SHAPE}, {"refused": "it sings"}], ids=["good", "bad"])
def test_a_folder_is_tried_once(folder, answers, answer):
    answers.given = [answer]
    outcomes = [outcome(folder) for _ in range(3)]
    assert answers.count == 1
    assert len(set(outcomes)) == 1
    assert ("it sings" in outcomes[0]) == ("refused" in answer)


def outcome(folder):
    try:
        require_harmless(folder)
    except ModelError as error:
        return str(error)
    return "passed"


def test_the_same_files_elsewhere_are_not_tried_again_and_are_called_by_their_own_place(folder, answers, tmp_path):
    answers.given = [{"refused": "it sings"}]
    outcome(folder)
    other = shutil.copytree(folder, tmp_path / "elsewhere")
    assert outcome(other) == outcome(folder).replace(str(folder), str(other))
    assert answers.count == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "config.json").write_text((folder / "config.json").read_text() + " "),
        lambda folder: (folder / "chat_template.jinja").write_text(CHATML),
        lambda folder: (folder / "tokenizer_config.json").unlink(),
        lambda folder: (folder / "tokenizer_config.json").rename(folder / "other.json"),
        lambda folder: mx.save_safetensors(str(folder / "model.safetensors"), {"w": mx.zeros(3)}),
        lambda folder: mx.save_safetensors(
            str(folder / "model.safetensors"), mx.load(str(folder / "model.safetensors")), {"a": "b"}
        ),
    ],
    ids=["a config", "a template", "settings gone", "settings renamed", "a tensor", "what is said of the tensors"],
)
def test_a_folder_is_tried_anew_when_a_file_changes(folder, answers, change):
    outcome(folder)
    change(folder)
    outcome(folder)
    assert answers.count == 2


def test_a_template_that_moves_to_another_place_is_tried_anew(folder, answers):
    (folder / "additional_chat_templates").mkdir()
    (folder / "additional_chat_templates" / "chat_template.jinja").write_text(CHATML)
    outcome(folder)
    (folder / "additional_chat_templates" / "chat_template.jinja").rename(folder / "chat_template.jinja")
    outcome(folder)
    assert answers.count == 2


def test_the_name_of_a_file_cannot_stand_for_another_file(folder, answers):
    one, other = "1" * 10, "2" * 10
    digest = trial.hashlib.sha256(one.encode()).hexdigest()
    (folder / f"a.json:{digest};b.json").write_text(other)
    first = trial._digest(folder, trial.described_by(folder))
    (folder / f"a.json:{digest};b.json").unlink()
    (folder / "a.json").write_text(one)
    (folder / "b.json").write_text(other)
    assert trial._digest(folder, trial.described_by(folder)) != first


def test_a_folder_is_tried_anew_with_another_version_of_what_reads_it(folder, answers, monkeypatch):
    outcome(folder)
    monkeypatch.setattr(trial, "version", lambda name: f"{name} 99")
    outcome(folder)
    assert answers.count == 2


VERDICTS = [
    "",
    "{",
    "[]",
    "5",
    "null",
    '{"refused": 5}',
    '{"refused": ["x"]}',
    '{"refused": true}',
    "[" * 60_000,
    "\xff",
]


VERDICTS += ["{}", '{"refused": ""}', '{"shape": {}}', '{"shape": {"layers": "4"}}', '{"shape": ' + "[" * 60_000]


@pytest.mark.parametrize("content", VERDICTS)
def test_a_verdict_that_is_damaged_is_ignored(folder, answers, no_verdicts, content):
    outcome(folder)
    (file,) = no_verdicts.iterdir()
    file.write_bytes(content.encode("latin-1"))
    assert outcome(folder) == "passed"
    assert answers.count == 2


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")], ids=range(3))
def test_a_verdict_that_is_no_file_is_ignored(folder, answers, no_verdicts, make):
    outcome(folder)
    (file,) = no_verdicts.iterdir()
    file.unlink()
    make(file)
    assert outcome(folder) == "passed"
    assert answers.count == 2


def test_a_cache_that_cannot_be_written_means_another_trial(folder, answers, no_verdicts):
    no_verdicts.write_text("no folder")
    assert [outcome(folder), outcome(folder)] == ["passed", "passed"]
    assert answers.count == 2


def test_what_depends_on_what_else_the_machine_does_is_not_kept(folder, answers):
    answers.given = [trial._OutOfBounds("it does not end", is_final=False)]
    assert "it does not end" in outcome(folder)
    assert outcome(folder) == "passed"


# The process: small programs stand for it that do what a hostile folder may make it do.


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Give the process something else to do: a program that has `say` and `task`."""

    def give(text):
        head = """
            import json, os, signal, sys, time
            out = os.dup(1)
            task = json.load(sys.stdin)
            def say(**message):
                os.write(out, json.dumps(message).encode() + b"\\n")
        """
        place = tmp_path / "programs"
        place.mkdir(exist_ok=True)
        (place / "stand_in.py").write_text(textwrap.dedent(head) + textwrap.dedent(text))
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(place), os.environ.get("PYTHONPATH", "")]))
        monkeypatch.setattr(trial, "_PROCESS", "stand_in")

    return give


def answer(bounds=BOUNDS):
    return trial._Trial({"folder": "x"}, bounds).answer()


PROGRAMS = {
    "computing": ("say(step='it')\nwhile True: pass", "it takes more than 0 seconds", True),
    "sleeping": ("say(step='it')\ntime.sleep(60)", "it does not end in 1 seconds", False),
    "filling memory": (
        "say(step='it')\nx = [b'x' * (1 << 20) for _ in range(600)]\ntime.sleep(9)",
        "MB of memory",
        True,
    ),
    "telling": (
        "say(step='it')\nfor _ in range(70): os.write(out, b'x' * (1 << 20))\ntime.sleep(9)",
        "gives more",
        True,
    ),
    "exiting": ("say(step='it')\nos._exit(3)", "it ended the program that tried it", True),
    "crashing": ("say(step='it')\nos.kill(os.getpid(), signal.SIGSEGV)", "it ended the program", True),
    "being killed": ("say(step='it')\nos.kill(os.getpid(), signal.SIGKILL)", "it ended the program", False),
    "being stopped": ("say(step='it')\nos.kill(os.getpid(), signal.SIGTERM)", "it ended the program", False),
    "not starting": ("sys.exit(1)", "starting ended the program", False),
}


@pytest.mark.parametrize(("text", "said", "is_final"), PROGRAMS.values(), ids=PROGRAMS)
def test_a_process_is_ended_when_it_takes_too_much(program, text, said, is_final):
    program(text)
    with pytest.raises(trial._OutOfBounds, match=said) as caught:
        answer(TrialBounds(5.0 if text.startswith("say(step='it')\nx =") else 0.2, 100 << 20))
    assert caught.value.is_final == is_final
    assert not children()


def children():
    return [child for child in psutil.Process().children() if "stand_in" in " ".join(child.cmdline())]


@pytest.mark.slow
def test_each_step_has_its_own_time(program):
    program(
        """
        for step in range(4):
            say(step=str(step))
            begun = time.process_time()
            while time.process_time() - begun < 0.3: pass
        say(refused="none of it")
        """
    )
    assert answer(TrialBounds(1.0, 100 << 20)) == {"refused": "none of it"}


def test_a_process_has_no_terminal_no_network_and_nothing_of_where_it_is_begun(program, tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit('a strangers code ran')")
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit('a strangers code ran')")
    monkeypatch.chdir(tmp_path)
    program(
        """
        def has_terminal():
            try:
                os.close(os.open("/dev/tty", os.O_RDWR))
            except OSError:
                return False
            return True
        say(terminals=[os.isatty(n) for n in (0, 1, 2)], terminal=has_terminal(), json=json.__file__,
            offline=os.environ["HF_HUB_OFFLINE"], group=os.getpgid(0) == os.getpid(),
            open=[n for n in range(3, 64) if n != out and os.path.exists(f"/proc/self/fd/{n}")])
        """
    )
    said = answer()
    assert (said["terminals"], said["terminal"], said["offline"]) == ([False] * 3, False, "1")
    assert said["group"]
    assert str(tmp_path) not in said["json"]


@pytest.mark.slow
def test_ctrl_c_leaves_no_process_behind(program):
    program("say(step='it')\ntime.sleep(60)")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has those in the background ignore it
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            answer(TrialBounds(30.0, 100 << 20))
    finally:
        signal.signal(signal.SIGINT, before)
    assert not children()


@pytest.mark.slow
def test_a_process_ends_when_who_watches_it_is_killed(program, tmp_path):
    program(
        f"""
        import threading
        from billy_mlx.model import trial_process
        threading.Thread(target=trial_process._end_with, args=(task["parent"],), daemon=True).start()
        open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()))
        say(step="it")
        time.sleep(60)
        """
    )
    watcher = multiprocessing.get_context("spawn").Process(target=_wait, args=(trial._PROCESS,))
    watcher.start()
    pid = wait_for(lambda: int((tmp_path / "pid").read_text()))
    os.kill(watcher.pid, signal.SIGKILL)
    watcher.join()
    assert wait_for(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def _wait(program):
    trial._PROCESS = program
    answer(TrialBounds(30.0, 1 << 30))


def wait_for(what, seconds=30.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = what()
        except (OSError, ValueError):
            found = None
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("waited in vain")


def test_a_program_that_cannot_be_started_is_said(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert "cannot be tried out: No such file or directory" in refusal(answer)


# One of each kind, in the process that it is for.

HOSTILE_TEMPLATES = {
    "endless text": ('{{ "a" * 10**10 }}', "chat template"),
    "loops in loops": ("{% for a in messages %}" * 10 + "x" + "{% endfor %}" * 10, "chat template"),
    "a number of many digits": ("{{ 9 ** (9 ** 9) }}", "chat template"),
    "text that doubles": (
        "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x }}",
        "chat template",
    ),
    "a gigabyte for a hundred kilobytes": (
        "{% for m in messages %}{{ m.content * (10000 if m.content | length > 99999 else 1) }}{% endfor %}",
        "chat template",
    ),
}


@pytest.fixture
def short_bounds(monkeypatch, no_verdicts):
    monkeypatch.setattr(trial, "SECONDS", 2.0)


@pytest.mark.slow
@pytest.mark.parametrize(("template", "said"), HOSTILE_TEMPLATES.values(), ids=HOSTILE_TEMPLATES)
def test_a_template_that_takes_too_much_is_refused(folder, template, said, short_bounds):
    edit(folder, "tokenizer_config.json", chat_template=template)
    begun = time.monotonic()
    assert said in refusal(lambda: load.load(folder))
    assert time.monotonic() - begun < 60
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial, "_Trial", None)
        assert said in refusal(lambda: load.load(folder))  # and it is not tried again


def backtracking():
    return {
        "type": "Split",
        "pattern": {"Regex": "(?=(a+)+$)(?=(a+)+$)x|(a|aa)+$"},
        "behavior": "Isolated",
        "invert": False,
    }


def many_tokens():
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return [{"id": 300 + n, "content": f"<{n}>", **flags} for n in range(200_000)]


TOKENIZERS = {
    "doubles forty times": lambda: doubling("normalizer", times=40),
    "doubles what no text has": lambda: doubling("decoder", "Ð", times=40),
}


@pytest.mark.slow
@pytest.mark.parametrize("changes", TOKENIZERS.values(), ids=TOKENIZERS)
def test_a_tokenizer_that_takes_too_much_is_refused(folder, changes, short_bounds):
    edit(folder, "tokenizer.json", **changes())
    assert "tokenizer" in refusal(lambda: load.load(folder))


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [lambda: {"added_tokens": many_tokens()}, lambda: {"pre_tokenizer": backtracking()}],
    ids=["200,000 added tokens", "a regular expression that goes back and back"],
)
def test_a_tokenizer_that_takes_long_is_bounded(folder, changes, short_bounds):
    edit(folder, "tokenizer.json", **changes())
    begun = time.monotonic()
    loaded_or_refused(folder)
    assert time.monotonic() - begun < 120


@pytest.mark.slow
def test_layers_of_nothing_by_the_ten_thousand_are_refused(folder, short_bounds):
    count = 80_000
    entry = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    text = json.dumps({str(number): entry for number in range(count)}).encode()
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text)
    edit(folder, "config.json", num_hidden_layers=count)
    assert "building the model" in refusal(lambda: load.load(folder))


@pytest.mark.slow
def test_two_processes_may_try_the_same_folder_at_once(folder, no_verdicts):
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    both = [context.Process(target=_load, args=(folder, no_verdicts, results)) for _ in range(2)]
    for process in both:
        process.start()
    assert [results.get(timeout=120) for _ in both] == ["loaded", "loaded"]
    for process in both:
        process.join()
    assert len(list(no_verdicts.iterdir())) == 1


def _load(folder, verdicts, results):
    trial.verdicts_folder = lambda: verdicts
    load.load(folder)
    results.put("loaded")


# The studio tells a refusal by what it is.


@pytest.mark.parametrize(
    "kind", ["a pipe", pytest.param("a template", marks=SLOW), pytest.param("a program", marks=SLOW)]
)
def test_the_studio_tells_why_a_model_is_refused(folder, kind, short_bounds):
    match kind:
        case "a pipe":
            (folder / "tokenizer.json").unlink()
            os.mkfifo(folder / "tokenizer.json")
        case "a template":
            (folder / "chat_template.jinja").write_bytes(b"\xff")
        case "a program":
            edit(folder, "tokenizer_config.json", chat_template='{{ "a" * 10**10 }}')
    events = posted(folder)
    assert not any(isinstance(event, Broken | Loaded) for event in events)
    assert [event.reason for event in events if isinstance(event, Unloaded)] == [refusal(lambda: load.load(folder))]


def posted(folder):
    events, done = [], threading.Event()

    def post(event):
        events.append(event)
        if isinstance(event, Unloaded | Loaded):
            done.set()

    engine = Engine(post, dict)
    engine.start(str(folder))
    assert done.wait(120)
    engine.close(10)
    return events

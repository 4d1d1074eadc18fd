"""Memory that this process may not take, though the machine has it: said in a sentence, where mlx dies."""

import json
import resource
import subprocess
import sys
from types import SimpleNamespace

import mlx.core as mx
import psutil
import pytest
from helpers.tiny_models import CONFIGS, tiny_folder

from billy_mlx.errors import ModelError, is_of_memory
from billy_mlx.model import load, memory

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or mx.default_device() != mx.cpu, reason="only the CPU of Linux keeps to these limits"
)

BILLY = [sys.executable, "-c", "from billy_mlx.cli import main; main()"]
HUGE = str(2**63 - 4096)  # what a group of the first version without a limit says


@pytest.fixture
def machine(tmp_path):
    """Write files of /proc and /sys/fs/cgroup, and return what is free in the groups of this process."""

    def free(of_process, files):
        (tmp_path / "proc" / "self").mkdir(parents=True)
        (tmp_path / "proc" / "self" / "cgroup").write_text("".join(f"{line}\n" for line in of_process))
        for name, text in files.items():
            file = tmp_path / "cgroup" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{text}\n")
        found = memory.limits(tmp_path / "proc", tmp_path / "cgroup")
        assert {limit.name for limit in found} <= {"the limit of this container or job"}
        return [limit.bytes for limit in found]

    return free


def group(place, most, taken, **stat):
    return {
        f"{place}/memory.max": most,
        f"{place}/memory.current": taken,
        f"{place}/memory.stat": "\n".join(f"{name} {value}" for name, value in stat.items()),
    }


def first_group(place, most, taken, **stat):
    files = zip(("limit_in_bytes", "usage_in_bytes", "stat"), group(place, most, taken, **stat).values(), strict=True)
    return {f"memory/{place}/memory.{name}": text for name, text in files}


TABLE = {
    "none": ([], {}, []),
    "without a limit": (["0::/user"], group("user", "max", 5), []),
    "within a limit": (["0::/user"], group("user", 100, 30), [70]),
    "files are given up": (["0::/user"], group("user", 100, 90, active_file=30, inactive_file=20, anon=40), [60]),
    "the tightest around it": (["0::/a/b"], group("a/b", 100, 10) | group("a", 50, 10), [90, 40]),
    "one's own namespace": (["0::/"], group(".", 100, 10), [90]),
    "seen from outside": (["0::/docker/x"], group(".", 100, 10), [90]),
    "first version": (["5:cpu:/x", "4:cpuset,memory:/x"], first_group("x", 100, 60, total_active_file=10), [50]),
    "first version without": (["4:memory:/x", "0::/"], first_group("x", HUGE, 60), [2**63 - 4096 - 60]),
    "both": (["4:memory:/x", "0::/x"], first_group("x", 100, 60) | {"x/cgroup.procs": ""}, [40]),
    "files that make no sense": (["0::/user"], group("user", "", "?"), []),
}


@pytest.mark.parametrize(("of_process", "files", "free"), TABLE.values(), ids=TABLE)
def test_the_limits_of_containers_and_jobs_are_read(machine, of_process, files, free):
    assert machine(of_process, files) == free


def test_without_limits_all_that_is_free_is_available(monkeypatch):
    monkeypatch.setattr(memory, "limits", list)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=7))
    assert (memory.available_bytes(), memory.what_limits(7)) == (7, None)


@pytest.mark.parametrize(("left", "available"), [(5, 5), (900, 7), (-3, 0)])
def test_no_more_is_available_than_a_limit_leaves(monkeypatch, left, available):
    monkeypatch.setattr(memory, "limits", lambda: [memory.Limit(left, "that limit")])
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=7))
    assert memory.available_bytes() == available


def test_a_limit_is_named_with_what_to_do_about_it(monkeypatch):
    monkeypatch.setattr(memory, "limits", lambda: [memory.Limit(10**9, "that limit")])
    said = r"^This needs 1\.1 GB of memory and 1\.0 GB are free within that limit; wait, or raise the limit$"
    with pytest.raises(ModelError, match=said):
        memory.require(10**9 + 1, "This", "wait")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (RuntimeError("[malloc] Unable to allocate 8 bytes."), True),
        (RuntimeError("[metal] Insufficient Memory"), True),
        (RuntimeError("bad header"), False),
        (ValueError("memory"), False),
    ],
)
def test_an_error_of_memory_is_told_from_others_whatever_is_raised_from_it(error, expected):
    said = ModelError("it cannot be read")
    said.__cause__ = error
    assert is_of_memory(error) is is_of_memory(said) is expected


@pytest.mark.parametrize("part", ["load_model", "dequantize", "load_tokenizer"])
@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("[malloc] Unable to allocate 8 bytes.")], ids=type)
def test_memory_that_runs_out_while_a_model_is_loaded_is_said_in_words(tmp_path, monkeypatch, part, error):
    def fail(*_, **__):
        raise error

    folder = tiny_folder(tmp_path)
    monkeypatch.setattr(load, part, fail)
    with pytest.raises(ModelError, match=r"^Loading .* ran out of memory; close other programs or choose a smaller"):
        load.load(folder)


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A model of 400 MB."""
    with pytest.MonkeyPatch.context() as patch:
        large = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 6, "num_attention_heads": 8}
        patch.setitem(CONFIGS, "llama", CONFIGS["llama"] | large)
        return tiny_folder(tmp_path_factory.mktemp("wide"), dtype=mx.bfloat16)


def limited(kind, megabytes, *arguments):
    def limit():
        resource.setrlimit(kind, (megabytes * 10**6, resource.RLIM_INFINITY))

    return subprocess.run([*BILLY, *arguments], preexec_fn=limit, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("megabytes", [600, 1000, 1400, 1800, 2200])
@pytest.mark.parametrize("kind", [resource.RLIMIT_AS, resource.RLIMIT_DATA], ids=["address space", "data"])
def test_a_limit_on_a_process_lets_it_write_or_is_said_in_a_sentence(wide, kind, megabytes):
    done = limited(kind, megabytes, "generate", "-p", "hi", "-m", "3", "--model", str(wide))
    refused = "billy: Loading" in done.stderr and "within the limit of this shell (ulimit -" in done.stderr
    assert (done.returncode, refused) in [(0, False), (1, True)], done.stderr
    assert "Traceback" not in done.stderr
    assert refused or megabytes >= 1000
    assert not refused or megabytes < 2200


@pytest.mark.slow
def test_the_doctor_says_so_too(wide, monkeypatch):
    monkeypatch.setenv("BILLY_MODEL", str(wide))
    done = limited(resource.RLIMIT_AS, 1200, "doctor", "--json")
    found = {finding["subject"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 1
    assert found["memory"]["text"].endswith("within the limit of this shell (ulimit -v); raise the limit")
    assert (found["model"]["state"], found["model"]["text"][:8]) == ("failed", "Loading ")

"""Nothing that lies in TMPDIR runs in the writer's process, and none of it is needed."""

import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import mlx.core as mx
import pytest
from helpers.tiny_models import tiny_folder

from billy_mlx.model import backend

on_the_linux_cpu = pytest.mark.skipif(
    sys.platform != "linux" or mx.default_device() != mx.cpu, reason="only the CPU of Linux loads kernels from TMPDIR"
)
needs_gcc = pytest.mark.skipif(shutil.which("g++") is None, reason="mlx compiles its kernels with g++")

KERNELS = "import billy_mlx, mlx.core; mlx.core.enable_compile()"  # as mlx comes
COMPUTES = "import mlx.core as mx; print(mx.compile(lambda x: mx.exp(x) * x)(mx.ones(3)).tolist())"
WRITES = """
import billy_mlx, sys
request = billy_mlx.Request("the and", seed=1, max_tokens=3)
print(len(billy_mlx.generate(billy_mlx.load(sys.argv[1]), request).text))
"""
USES = [
    pytest.param(WRITES, id="a model of ours"),
    pytest.param(f"import billy_mlx\n{COMPUTES}", id="mlx after the package"),
    pytest.param(f"import mlx.core, billy_mlx\n{COMPUTES}", id="mlx before the package"),
    pytest.param(f"from billy_mlx.model.layers import steer\n{COMPUTES}", id="steering of another's model"),
    pytest.param(f"from billy_mlx.engine.thread import Engine\n{COMPUTES}", id="the engine"),
    pytest.param(f"import billy_mlx.cli\n{COMPUTES}", id="the commands"),
]


@pytest.fixture
def folder(tmp_path):
    return tiny_folder(tmp_path / "model")


@pytest.fixture
def temporary(tmp_path):
    place = tmp_path / "temporary"
    place.mkdir()
    return place


def python(code, folder, temporary, **environment):
    """Run `code` with a model folder, in a process of its own that has a TMPDIR of its own."""
    own = {**os.environ, "PYTHONWARNINGS": "ignore", "TMPDIR": str(temporary), **environment}
    return subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, env=own, check=False)


@pytest.fixture
def plant(tmp_path, temporary):
    """Put a library that leaves a mark where mlx has one of its own."""
    mark, source, library = (tmp_path / name for name in ("mark", "evil.c", "evil.so"))
    source.write_text(
        f'#include <stdio.h>\n__attribute__((constructor)) void run() {{ fclose(fopen("{mark}", "w")); }}'
    )
    subprocess.run(["gcc", "-shared", "-fPIC", str(source), "-o", str(library)], check=True)

    def do():
        kernels = list(temporary.glob("mlx/*/cpu/*.so"))
        assert kernels
        for kernel in kernels:
            shutil.copy(library, kernel)
        return mark

    return do


@on_the_linux_cpu
@needs_gcc
@pytest.mark.slow
@pytest.mark.parametrize("code", USES)
def test_a_library_planted_where_mlx_looks_is_not_loaded(code, folder, temporary, plant):
    with_kernels = f"{KERNELS}\n{code}"
    assert python(with_kernels, folder, temporary).returncode == 0
    mark = plant()
    assert python(with_kernels, folder, temporary).returncode != 0
    assert mark.exists()  # it would be
    mark.unlink()
    done = python(code, folder, temporary)
    assert (done.returncode, done.stderr) == (0, "")
    assert not mark.exists()


@on_the_linux_cpu
@pytest.mark.slow
@pytest.mark.parametrize("code", USES)
def test_a_temporary_folder_is_neither_needed_nor_used(code, folder, temporary):
    assert python(code, folder, temporary / "none").returncode == 0
    assert python(code, folder, temporary).returncode == 0
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_the_environment_is_what_it_was_when_a_model_is_loaded(folder, temporary):
    same = "import os, subprocess\ndef now(): return {**os.environ}, subprocess.check_output(['env'])\nbefore = now()"
    done = python(f"{same}\n{WRITES}\nassert now() == before", folder, temporary)
    assert (done.returncode, done.stderr) == (0, "")


@on_the_linux_cpu
@needs_gcc
@pytest.mark.slow
def test_what_is_written_is_the_same_to_the_bit_without_kernels(folder, temporary):
    logits = f"{WRITES}\nimport mlx.core as mx\nmodel = billy_mlx.load(sys.argv[1]).model"
    logits += "\nprint(model(mx.arange(90)[None]).tolist())"
    own = python(logits, folder, temporary)
    assert list(temporary.iterdir()) == []
    theirs = python(f"{KERNELS}\n{logits}", folder, temporary)
    assert list(temporary.iterdir()) != []
    assert own.stdout == theirs.stdout != ""


def test_a_gpu_compiles_its_kernels_as_ever():
    backend._without_kernels(SimpleNamespace(cpu="cpu", default_device=lambda: "gpu"))  # no disable_compile

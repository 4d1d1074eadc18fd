import subprocess
import sys
from pathlib import Path

import pytest

from billy_mlx.model import backend


def run(code, **environment):
    """Return what `code` prints in a fresh interpreter: a BLAS is chosen once in a process."""
    return finished(code, **environment).stdout.strip()


def finished(code, **environment):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"PATH": "", **environment})
    assert done.returncode == 0, done.stderr
    return done


REPORT = "from billy_mlx.model import backend; print(backend.blas_name())"
needs_openblas = pytest.mark.skipif(not run(REPORT).startswith("OpenBLAS"), reason="no OpenBLAS for this processor")
needs_ours = pytest.mark.skipif(
    sys.platform != "linux" or not any(isinstance(each, Path) for each in backend._candidates()),
    reason="the extra cpu is not installed, or is for another processor",
)


def test_importing_the_package_imports_no_mlx():
    assert run("import billy_mlx, sys; print({'mlx', 'mlx_lm', 'transformers'} & set(sys.modules))") == "set()"


@needs_openblas
def test_mlx_gets_openblas_with_one_thread():
    assert "1 thread in use" in run(f"import billy_mlx, mlx.core; {REPORT}")


@needs_openblas
def test_a_number_of_threads_in_the_environment_is_kept():
    assert "2 threads in use" in run(f"import billy_mlx; {REPORT}", OPENBLAS_NUM_THREADS="2")


@needs_openblas
def test_the_symbols_mlx_is_linked_against_are_those_of_openblas():
    code = "import billy_mlx, ctypes; print(ctypes.CDLL(None).cblas_sgemm is not None)"
    assert run(code) == "True"


@pytest.mark.skipif(sys.platform != "linux", reason="a Mac has Accelerate")
def test_too_late_after_mlx_and_says_so():
    assert "import billy_mlx before mlx" in run(f"import mlx.core, billy_mlx; {REPORT}")


@pytest.mark.slow
@needs_ours
def test_whoever_imports_the_package_after_mlx_is_warned_once():
    code = "import mlx.core\nimport billy_mlx\nimport billy_mlx, billy_mlx.model.backend, mlx_lm"
    (warning,) = [line for line in finished(code, PYTHONWARNINGS="always").stderr.splitlines() if "billy_mlx" in line]
    assert warning.startswith("<string>:2: RuntimeWarning: mlx was imported before billy_mlx")
    assert "30 times" in warning
    assert warning.endswith("import billy_mlx first")


LOADS_A_BLAS = f"import runpy; runpy.run_path({backend.__file__!r})['prepare']()"


@needs_ours
@pytest.mark.parametrize(
    "code",
    [
        "import billy_mlx, mlx.core, billy_mlx.blend.writer",
        f"{LOADS_A_BLAS}; import mlx.core, billy_mlx",
        "import mlx.core, sys; sys.path = [each for each in sys.path if 'packages' not in each]; import billy_mlx",
        "import mlx.core as mx; mx.default_device = lambda: mx.gpu; import billy_mlx",
        "import mlx.core, sys; sys.platform = 'darwin'; import billy_mlx",
    ],
    ids=["in the right order", "another has loaded a fast BLAS", "without the extra", "with a GPU", "on a Mac"],
)
def test_nobody_is_warned_whom_another_order_would_not_help(code):
    assert finished(code, PYTHONWARNINGS="error::RuntimeWarning").stderr == ""


@needs_openblas
def test_matrix_products_are_right():
    whole = "a = mx.arange(4096.0).reshape(64, 64) % 7"  # so that every order of adding is exact
    code = f"import billy_mlx, mlx.core as mx; {whole}; print(bool((a @ a == (a[:, :, None] * a).sum(1)).all()))"
    assert run(code) == "True"


def test_a_library_that_cannot_be_opened_is_passed_over(tmp_path):
    broken = tmp_path / "libopenblas.so"
    broken.write_bytes(b"no library")
    assert backend._open(broken) is None


def test_a_build_for_one_processor_needs_its_flags():
    assert not backend._processor_has({"a-flag-no-processor-has"})
    assert not backend._processor_has(None)


def test_the_device_has_a_name():
    assert backend.device_name().startswith(("CPU (", "GPU ("))
    assert isinstance(backend.on_cpu(), bool)

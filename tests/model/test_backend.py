import subprocess
import sys

import pytest

from billy_mlx.model import backend


def run(code, **environment):
    """Run `code` in a fresh interpreter: a BLAS is chosen once in a process."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"PATH": "", **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


REPORT = "from billy_mlx.model import backend; print(backend.blas_name())"
needs_openblas = pytest.mark.skipif(not run(REPORT).startswith("OpenBLAS"), reason="no OpenBLAS for this processor")


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

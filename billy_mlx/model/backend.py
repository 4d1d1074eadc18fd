"""The device and its BLAS, before mlx is imported.

The Linux CPU wheel of mlx is linked against the reference BLAS, 4 GFLOP/s in float32 on one core. A BLAS that is loaded
with its symbols global before mlx is takes its place: about 200 GFLOP/s on the same core.

On the CPU, mlx.compile has g++ make a library of every fused kernel in TMPDIR/mlx, and loads what lies there by that
name, whoever put it there; it asks for TMPDIR anew at each. Fused or not, the numbers are the same to the bit and take
as long, so no kernel is made or loaded here.
"""

import ctypes
import os
import platform
import sys
import warnings
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

# cmeel-openblas 0.3.31 is built for one processor (SKYLAKEX, NEOVERSEN2) and dies of an illegal instruction on others.
_CMEEL_NEEDS = {
    "x86_64": {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"},
    "aarch64": {"sve2", "svebf16", "svei8mm"},
}

_TOO_LATE = (
    "mlx was imported before billy_mlx, so it multiplies matrices about 30 times more slowly in this process; "
    "start it again and import billy_mlx first"
)


def prepare() -> None:
    """Load OpenBLAS ahead of mlx on Linux, and keep mlx from compiling kernels for its CPU; never fails.

    OpenBLAS gets one thread unless the environment names a number: with one per core, any other busy process makes all
    of them wait, 10-20 times slower. After `import mlx.core` it is too late for it: where that costs something, a
    RuntimeWarning says so to whoever imports this package.
    """
    if sys.platform != "linux":
        return
    if "mlx.core" in sys.modules:
        import mlx.core as mx  # complete, if another thread is at it

        _without_kernels(mx)
        if _came_too_late():
            warnings.warn(_TOO_LATE, RuntimeWarning, stacklevel=3)  # past the package's own __init__
        return
    sys.meta_path.insert(0, _MlxFinder)
    for path in _candidates():
        library = _open(path)
        if library is None:
            continue
        if not {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"} & os.environ.keys():
            library.openblas_set_num_threads(1)
        return


def blas_name() -> str:
    """The BLAS that multiplies float32 matrices here, in words."""
    if sys.platform == "darwin":
        return "Accelerate"
    library = _loaded()
    if library is None:
        return "reference BLAS (slow: install billy-mlx[cpu], and import billy_mlx before mlx)"
    library.openblas_get_config.restype = ctypes.c_char_p
    threads = library.openblas_get_num_threads()
    return f"{library.openblas_get_config().decode()}, {threads} thread{'s' * (threads != 1)} in use"


def device_name() -> str:
    """The device mlx computes on, in words. Imports mlx."""
    import mlx.core as mx

    device = mx.default_device()
    name = mx.device_info(device).get("device_name", platform.processor() or platform.machine())
    return f"{'GPU' if device == mx.gpu else 'CPU'} ({name})"


def on_cpu() -> bool:
    """Whether mlx computes on the CPU, where only float32 is fast. Imports mlx."""
    import mlx.core as mx

    return bool(mx.default_device() == mx.cpu)


class _MlxFinder:
    """Finds mlx.core where it is, and has it compile no kernels from its import on, whoever imports it."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return where mlx.core is; of all else, nothing."""
        found = PathFinder.find_spec(name, path, target) if name == "mlx.core" else None
        loader = None if found is None else found.loader
        if loader is not None:
            execute = loader.exec_module

            def execute_first(module: ModuleType) -> None:
                execute(module)
                _without_kernels(module)

            loader.exec_module = execute_first  # type: ignore[method-assign]
        return found


def _without_kernels(mx: ModuleType) -> None:
    if mx.default_device() == mx.cpu:
        mx.disable_compile()


def _came_too_late() -> bool:
    """Whether the mlx that is imported multiplies with its reference BLAS, and an OpenBLAS of ours lies unused.

    What mlx is bound to is the first with its symbols global, whoever loaded it: LD_PRELOAD, or the program.
    """
    ours = any(isinstance(each, Path) for each in _candidates())
    return ours and not hasattr(ctypes.CDLL(None), "cblas_sgemm") and on_cpu()


def _candidates() -> Iterator[Path | str]:
    """The OpenBLAS libraries that this processor can run, the fastest first."""
    folders = [Path(entry) for entry in sys.path if entry]
    if _processor_has(_CMEEL_NEEDS.get(platform.machine())):
        yield from (path for folder in folders if (path := folder / "cmeel.prefix/lib/libopenblas.so").exists())
    for folder in folders:
        yield from sorted((folder / "ngsolve_openblas").glob("libopenblas*.so"))
    yield "libopenblas.so.0"


def _processor_has(flags: set[str] | None) -> bool:
    """Whether the first processor in /proc/cpuinfo has all `flags`; without a list of flags, no."""
    try:
        with Path("/proc/cpuinfo").open(encoding="ascii", errors="replace") as lines:
            own = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    except OSError:
        return False
    return flags is not None and flags <= set(own.split())


def _open(path: Path | str) -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        if "libgfortran" not in str(error):
            return None
    try:
        _lend_gfortran()
        return ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
    except OSError:
        return None


def _lend_gfortran() -> None:
    """Load mlx-cpu's own libgfortran under the name that OpenBLAS asks the system for.

    The wheels of OpenBLAS need libgfortran.so.5 and do not bring it; mlx-cpu brings one with a hash in its name, which
    a copy in memory does without.
    """
    folders = [Path(entry) / "mlx_cpu.libs" for entry in sys.path if entry]
    for path in (path for folder in folders for path in folder.glob("libquadmath*")):
        ctypes.CDLL(str(path))
    for path in (path for folder in folders for path in folder.glob("libgfortran*")):
        own = path.name.encode()
        renamed = path.read_bytes().replace(own, b"libgfortran.so.5".ljust(len(own), b"\0"))
        with os.fdopen(os.memfd_create("libgfortran.so.5"), "wb") as memory:
            memory.write(renamed)
            memory.flush()
            ctypes.CDLL(f"/proc/{os.getpid()}/fd/{memory.fileno()}")
        return


def _loaded() -> ctypes.CDLL | None:
    """The OpenBLAS that this process has loaded, if any; loads none."""
    for path in _candidates():
        try:
            return ctypes.CDLL(str(path), mode=os.RTLD_NOLOAD)
        except OSError:
            continue
    return None

"""What the tests of many architectures share."""

import mlx.core as mx
import pytest


@pytest.fixture(scope="module")
def plain_kernels():
    """Without fused kernels, which the CPU compiles for half a minute; with experts in bfloat16, which it lacks."""
    own = mx.gather_mm
    mx.disable_compile()
    mx.gather_mm = lambda a, b, **which: own(a.astype(mx.float32), b.astype(mx.float32), **which).astype(a.dtype)
    yield
    mx.gather_mm = own
    mx.enable_compile()

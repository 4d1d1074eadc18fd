"""What the tests of many architectures share."""

import mlx.core as mx
import pytest

from billy_mlx.model import trial


@pytest.fixture(scope="module")
def bfloat16_experts():
    """With experts in bfloat16, which the CPU lacks."""
    own = mx.gather_mm
    mx.gather_mm = lambda a, b, **which: own(a.astype(mx.float32), b.astype(mx.float32), **which).astype(a.dtype)
    yield
    mx.gather_mm = own


@pytest.fixture
def no_verdicts(monkeypatch, tmp_path):
    """Keep what comes of a trial for this test alone."""
    monkeypatch.setattr(trial, "verdicts_folder", lambda: tmp_path / "verdicts")
    return tmp_path / "verdicts"

"""The gauge of a running draft, on a tiny model."""

import math

import pytest

from billy_mlx.engine.coherence import Gauge, coherence
from billy_mlx.engine.messages import Job


def test_a_gauge_that_is_not_prepared_says_nothing(tiny):
    gauge = Gauge(tiny)
    assert not gauge.due(48)
    assert coherence(gauge, Job(1), 0, [5, 6], [7, 8]) is None


def test_a_draft_is_measured_against_the_models_own_text(tiny):
    gauge = Gauge(tiny)
    list(gauge.prepare())
    found = coherence(gauge, Job(1), 0, [5, 6], [7, 8] * 40)
    assert found.ratio == pytest.approx(found.perplexity / gauge.own)
    assert math.isfinite(found.ratio)
    assert [count for count in range(100) if gauge.due(count)] == [48, 72, 96]

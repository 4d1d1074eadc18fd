"""How much a model is sent: by what it holds, by memory, by reading time, or as somebody says."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from billy_mlx.blend.blend import ALONE
from billy_mlx.engine.messages import Job
from billy_mlx.manuscript.context.guide import Guide
from billy_mlx.model.model import measured_speed, seconds_to_read
from billy_mlx.write import budget
from billy_mlx.write.budget import LEAST, budget_for
from billy_mlx.write.messages import Write, Writing
from billy_mlx.write.recipes import context_for


@pytest.fixture
def roomy(monkeypatch):
    """A machine with more memory than any text takes."""
    machine = SimpleNamespace(free=1 << 50)
    monkeypatch.setattr(budget, "available_bytes", lambda: machine.free)
    monkeypatch.setattr(budget, "cache_bytes", lambda model, tokens: 0)
    monkeypatch.setattr(budget, "rows_bytes", lambda model, rows, tokens: rows * tokens * 1000)
    return machine


def found(speed, *, holds=32_768, asked=0, rows=1, seconds=30.0):
    model = SimpleNamespace(model=None, context_length=holds, width=4096, reading_speed=speed)
    return budget_for(model, asked=asked, answer=200, rows=rows, reading_seconds=seconds)


def test_a_quick_machine_sends_all_that_the_model_holds(roomy):
    assert found(1e6).tokens == 32_568
    assert "no room for more" in found(1e6).why


def test_reading_time_limits_it_and_is_named(roomy):
    limited = found(400.0)
    assert limited.tokens == 8192
    assert limited.why == "limited by reading time, 30 s; raise it in the settings to send more"
    assert found(400.0, seconds=60).tokens > limited.tokens


def test_a_little_more_or_less_speed_changes_nothing(roomy):
    assert {found(speed).tokens for speed in (390, 400, 410)} == {8192}


def test_a_slow_machine_sends_no_less_than_it_did(roomy):
    least = found(10.0)
    assert least.tokens == LEAST == 2048
    assert "takes about 218 s on this machine" in least.why


def test_memory_limits_it_by_the_voices_that_write_at_once(roomy):
    roomy.free = 20_000_000
    assert found(1e6).tokens == 8192
    assert found(1e6).why == "limited by the memory of this machine"
    assert found(1e6, rows=3).tokens == 3072


def test_what_would_not_be_kept_for_the_next_request_is_not_sent(roomy, monkeypatch):
    monkeypatch.setattr(budget, "cache_bytes", lambda model, tokens: tokens << 20)
    assert found(1e6).tokens == 2048


def test_a_number_is_that_number_as_far_as_the_model_holds_it(roomy):
    assert found(1e6, asked=500) == budget.Budget(500, "as set in the settings")
    assert found(1e6, asked=50_000).tokens == 32_568


def test_a_long_text_takes_longer_than_in_proportion():
    model = SimpleNamespace(width=100, reading_speed=10.0)
    assert seconds_to_read(model, 10) == pytest.approx(1, rel=0.02)
    assert seconds_to_read(model, 800) == pytest.approx(160)


def test_the_speed_of_a_model_is_measured(tiny):
    assert measured_speed(tiny) > 0


def test_what_is_sent_says_why_it_is_no_more(tiny):
    request = Write(Job(1), "continue", "It rained. " * 9000, 99_000, Guide(), (ALONE,), seed=0)
    context = context_for(tiny, request)
    assert context.budget == tiny.context_length - 200
    assert context.why == "the model has no room for more"
    few = replace(request, writing=Writing(budget=300))
    assert (context_for(tiny, few).budget, context_for(tiny, few).why) == (300, "as set in the settings")

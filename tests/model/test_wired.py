"""The wired limit, with a Metal that only notes what it is told."""

import mlx.core as mx
import pytest

from billy_mlx.model import memory
from billy_mlx.model.memory import Wiring


@pytest.fixture
def limits(monkeypatch):
    """Every limit that was set, the recommended one as "most"; the limit before was 5."""
    told = []
    monkeypatch.setattr(memory, "maybe_set_recommended_wired_limit", lambda: told.append("most") or 5)
    monkeypatch.setattr(mx, "set_wired_limit", told.append)
    return told


def test_the_limit_is_given_back_after_an_error(limits):
    with pytest.raises(KeyboardInterrupt), Wiring()():
        raise KeyboardInterrupt
    assert limits == ["most", 5]


def test_generations_that_overlap_give_it_back_together(limits):
    wired = Wiring()
    first, second = wired(), wired()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert limits == ["most"]
    second.__exit__(None, None, None)
    assert limits == ["most", 5]


def test_without_metal_nothing_is_set(monkeypatch):
    told = []
    monkeypatch.setattr(mx, "set_wired_limit", told.append)
    monkeypatch.setattr(memory, "maybe_set_recommended_wired_limit", lambda: None)
    with Wiring()():
        pass
    assert told == []

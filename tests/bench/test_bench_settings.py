import pytest
from helpers.small_bench import small

from billy_mlx.bench.settings import BenchSettings
from billy_mlx.errors import UsageError

FOUR = "creative-professional:0.25+environmentalist:0.25+futurist:0.5"


def test_the_default_blend_has_the_futurist_twice():
    assert str(BenchSettings.own("tiny").blend) == f"{FOUR}@1/layered"


@pytest.mark.parametrize("blend", ["noir:-1", "noir:0", "none"])
def test_a_blend_of_nothing_positive_is_refused(blend):
    with pytest.raises(UsageError, match="no weight above 0"):
        small(blend=blend)


def test_a_number_out_of_range_is_refused():
    with pytest.raises(UsageError, match="seeds is 0; it goes from 1"):
        small(seeds=0)


def test_only_the_batch_size_does_not_decide_the_answers():
    assert small(rows=3).decides_the_same(small(rows=4))
    assert not small(seed=1).decides_the_same(small(seed=2))


def test_the_papers_protocol_has_its_sampling_and_judges_whole_lists():
    settings = BenchSettings.paper("tiny")
    assert (settings.sampling.top_p, settings.sampling.repetition_penalty, settings.whole_lists) == (0.8, 1.2, True)

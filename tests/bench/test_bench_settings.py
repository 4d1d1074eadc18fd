import pytest
from benching import plant, small

from billy_mlx.bench.deviations import deviations_of
from billy_mlx.bench.settings import DEFAULT_BLEND, BenchSettings
from billy_mlx.errors import UsageError, VectorError


def test_the_default_blend_has_the_futurist_twice():
    assert BenchSettings.own("tiny").blend == f"{DEFAULT_BLEND}@1/layered"


def test_a_blend_of_nothing_positive_is_refused():
    with pytest.raises(UsageError, match="no weight above 0"):
        small(blend="noir:-1")


def test_a_number_out_of_range_is_refused():
    with pytest.raises(UsageError, match="seeds is 0; it goes from 1"):
        small(seeds=0)


def test_only_the_batch_size_does_not_decide_the_answers():
    assert small(rows=3).decides_the_same(small(rows=4))
    assert not small(seed=1).decides_the_same(small(seed=2))


def test_the_papers_protocol_has_its_sampling_and_judges_whole_lists():
    settings = BenchSettings.paper("tiny")
    assert (settings.sampling.top_p, settings.sampling.repetition_penalty, settings.whole_lists) == (0.8, 1.2, True)


def test_deviations_name_model_blend_layer_and_sampling(tiny):
    plant(tiny, ["noir"])
    told = " ".join(deviations_of(small(blend="noir"), tiny))
    for part in (
        tiny.id,
        "noir:1@1/layered",
        "layer 2 of 4",
        "In layered mode it is layers 1, 2; in balanced",
        "min-p 0.05",
        "3/4 answers with",
        "up to 6 tokens",
    ):
        assert part in told


def test_the_papers_own_sampling_is_no_deviation(tiny):
    plant(tiny)
    told = " ".join(deviations_of(BenchSettings.paper("tiny"), tiny))
    assert "top-p" not in told.replace("top-p 1", "")
    assert "whole lists, as the paper does" in told


def test_deviations_need_the_vectors(tiny):
    with pytest.raises(VectorError, match="run: billy extract noir"):
        deviations_of(small(blend="noir"), tiny)

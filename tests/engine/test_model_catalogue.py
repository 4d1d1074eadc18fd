"""Models that are offered for a first choice."""

import pytest

from billy_mlx.engine.messages import Job, ListModels
from billy_mlx.engine.model_catalogue import MOST_OFFERS, download_bytes, known_models, listing_models, offers
from billy_mlx.errors import TomlError


@pytest.mark.parametrize("gigabytes", [1, 8, 16, 64, 512])
def test_at_most_three_are_offered_and_all_fit(gigabytes):
    found = offers(gigabytes * 1e9)
    assert len(found) <= MOST_OFFERS
    assert all(offer.memory_gb < gigabytes for offer in found)


def test_the_best_comes_first():
    sizes = [offer.memory_gb for offer in offers(64e9)]
    assert sizes == sorted(sizes, reverse=True)


def test_where_little_fits_little_is_offered():
    assert [offer.name for offer in offers(1.5e9)] == ["Qwen 2.5, 0.5B"]


def test_sizes_and_licence_are_told():
    for offer in offers(512e9):
        assert 0 < offer.download_gb < offer.memory_gb
        assert offer.licence
        assert download_bytes(offer.repo) == pytest.approx(offer.download_gb * 1e9)


def test_this_machine_is_looked_at():
    [surveyed] = listing_models(None, ListModels(Job(3)))
    assert surveyed.memory_gb > 0
    assert not any(offer.here for offer in surveyed.offers)


def test_the_largest_comes_first_and_each_licence_is_its_own():
    known = known_models()
    assert [each.parameters for each in known] == sorted((each.parameters for each in known), reverse=True)
    assert {each.licence for each in known if "Llama" in each.name} == {"llama3.2"}
    assert {each.licence for each in known if "Llama" not in each.name} == {"apache-2.0"}


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        ('"org/x" = 1', "is no table"),
        ('["org/x"]\nname = "X"', "parameters is missing"),
        ('["org/x"]\nname = "X"\nparameters = 0.5\nlicence = "mit"\nwhy = "Y"', "parameters must be a whole number"),
    ],
)
def test_an_entry_that_breaks_a_rule_is_named(tmp_path, entry, rule):
    file = tmp_path / "models.toml"
    file.write_text(entry)
    with pytest.raises(TomlError, match=rule):
        known_models(file)

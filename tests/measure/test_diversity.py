"""Clusters of ideas, how rare they are and how different, at the extremes and by hand."""

import math

import numpy as np
import pytest

from billy_mlx.measure.diversity import clusters, mean_distance, rarity, same_idea_threshold, vendi_score


def at(*degrees):
    """Return unit vectors at these angles: the cosine distance of two is 1 less the cosine of what lies between."""
    angles = np.radians(np.array(degrees, np.float32))
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def by_definition(rows, threshold):
    """Join the two groups with the least mean distance between members, worked out anew each time."""
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    far = 1 - unit.astype(float) @ unit.astype(float).T
    groups = [[row] for row in range(len(rows))]
    while len(groups) > 1:
        pairs = [(far[np.ix_(a, b)].mean(), i, j) for j, b in enumerate(groups) for i, a in enumerate(groups[:j])]
        least, i, j = min(pairs)
        if least > threshold:
            break
        groups[i] += groups.pop(j)
    return sorted(sorted(group) for group in groups)


def members(labels):
    return sorted([row for row, label in enumerate(labels) if label == cluster] for cluster in set(labels))


def test_near_rows_are_one_cluster_and_numbers_come_in_order():
    assert clusters(at(90, 0, 91, 1, 180), threshold=0.05) == [0, 1, 0, 1, 2]


def test_copies_are_one_idea_even_at_threshold_0():
    assert clusters(at(10, 50, 10, 50, 10), threshold=0.0) == [0, 1, 0, 1, 0]


def test_linkage_is_by_the_average_and_not_by_the_nearest():
    # 0 and 20 join first, at 0.06; 50 is at 0.134 from the nearer of them, but at 0.246 on the average.
    assert clusters(at(0, 20, 50), threshold=0.2) == [0, 0, 1]
    assert clusters(at(0, 20, 50), threshold=0.25) == [0, 0, 0]


@pytest.mark.parametrize("threshold", [0.3, 0.6, 0.9, 1.1])
def test_clusters_are_those_of_the_definition(threshold):
    rows = np.random.default_rng(5).normal(size=(40, 4)).astype(np.float32)
    assert members(clusters(rows, threshold)) == by_definition(rows, threshold)


def test_a_row_without_a_text_is_alone():
    assert clusters(np.array([[0, 0], [1, 0], [1, 0], [0, 0]], np.float32), threshold=0.5) == [0, 1, 1, 2]


def test_nothing_and_a_single_idea_are_clustered():
    assert clusters(at(), 0.5) == []
    assert clusters(at(7), 0.5) == [0]


def test_everything_joins_when_the_threshold_is_large():
    assert set(clusters(np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32), np.inf)) == {0}


def test_the_threshold_is_what_one_pair_in_a_hundred_for_different_items_falls_below():
    rows = np.random.default_rng(2).normal(size=(60, 8)).astype(np.float32)
    items = [f"uses-{row % 3}" for row in range(60)]
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    far = np.array([1 - unit[i] @ unit[j] for i in range(60) for j in range(i) if items[i] != items[j]])
    assert (far < same_idea_threshold(rows, items)).mean() == pytest.approx(0.01, abs=1 / len(far))


def test_copies_for_one_item_do_not_lower_the_threshold():
    assert same_idea_threshold(at(0, 0, 0, 90, 90, 90), list("aaabbb")) == pytest.approx(1)


def test_without_two_items_the_threshold_is_0():
    assert same_idea_threshold(at(0, 90), ["a", "a"]) == 0
    assert same_idea_threshold(at(), []) == 0


def test_of_many_rows_a_sample_finds_nearly_the_same_threshold():
    rows = np.random.default_rng(3).normal(size=(5000, 8)).astype(np.float32)
    items = list(range(5000))
    assert same_idea_threshold(rows, items) == same_idea_threshold(rows, items)
    assert same_idea_threshold(rows, items) == pytest.approx(same_idea_threshold(rows[:1900], items[:1900]), abs=0.02)


def test_an_idea_is_as_rare_as_few_other_groups_have_it():
    labels, groups = [0, 0, 0, 1, 1, 2], ["a", "b", "c", "a", "b", "a"]
    assert rarity(labels, groups) == [0, 0, 0, 0.5, 0.5, 1]


def test_an_idea_is_no_less_rare_for_being_had_twice_by_its_own_group():
    assert rarity([0, 0, 1, 0], ["a", "a", "b", "a"]) == [1, 1, 1, 1]


def test_without_other_groups_everything_is_rare():
    assert rarity([0, 0], ["a", "a"]) == [1, 1]
    assert rarity([], []) == []


SAME = np.tile(np.array([[3, 4]], np.float32), (5, 1))
UNRELATED = 2 * np.eye(4, dtype=np.float32)
OPPOSED = np.array([[1, 0], [-1, 0]], np.float32)


def test_identical_rows_have_no_distance_and_count_as_one():
    assert mean_distance(SAME) == pytest.approx(0, abs=1e-12)
    assert vendi_score(SAME) == pytest.approx(1)


def test_orthonormal_rows_are_at_distance_1_and_count_as_many():
    assert mean_distance(UNRELATED) == pytest.approx(1)
    assert vendi_score(UNRELATED) == pytest.approx(4)


def test_opposed_rows_are_at_distance_2_and_count_as_one_axis():
    assert mean_distance(OPPOSED) == pytest.approx(2)
    assert vendi_score(OPPOSED) == pytest.approx(1)


def test_a_mean_distance_is_that_of_all_pairs():
    rows = np.random.default_rng(1).normal(size=(7, 5)).astype(np.float32)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    pairs = [1 - float(unit[i] @ unit[j]) for i in range(7) for j in range(i)]
    assert mean_distance(rows) == pytest.approx(sum(pairs) / 21, abs=1e-6)


def test_two_rows_at_60_degrees_have_the_entropy_of_three_quarters():
    rows = np.array([[1, 0], [0.5, math.sqrt(0.75)]], np.float32)  # eigenvalues of K/2: (1 ± cos 60°) / 2
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert vendi_score(rows) == pytest.approx(math.exp(entropy), rel=1e-6)


def test_a_group_of_copies_counts_by_its_share():
    rows = np.eye(2, dtype=np.float32)[[0, 0, 0, 1]]
    assert vendi_score(rows) == pytest.approx(math.exp(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25))))


def test_rows_of_zeros_do_not_count():
    rows = np.concatenate([UNRELATED, np.zeros((3, 4), np.float32)])
    assert (mean_distance(rows), vendi_score(rows)) == pytest.approx((1, 4))


def test_too_few_rows_have_no_diversity():
    assert mean_distance(SAME[:1]) is None
    assert mean_distance(SAME[:0]) is None
    assert vendi_score(SAME[:0]) is None
    assert vendi_score(SAME[:1]) == pytest.approx(1)

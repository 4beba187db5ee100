"""Clusters of a map are the leaves of HDBSCAN*, at the scales where their number lasts longest."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist
from sklearn.cluster import HDBSCAN
from sklearn.metrics import adjusted_rand_score

from embviz.clusters.levels import by_size, find_levels
from embviz.clusters.spanning import span_map


def blobs(centers: np.ndarray, each: int, seed: int = 0, spread: float = 0.5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = rng.normal(scale=spread, size=(len(centers) * each, centers.shape[1]))
    return (np.repeat(centers, each, 0) + noise).astype(np.float32)


def circle(n: int, radius: float) -> np.ndarray:
    turns = 2 * np.pi * np.arange(n) / n
    return radius * np.stack([np.cos(turns), np.sin(turns)], axis=1)


def reachability(places: np.ndarray) -> np.ndarray:
    """All mutual reachability distances, from the definition."""
    apart = cdist(places.astype(np.float64), places.astype(np.float64))
    core = np.sort(apart, axis=1)[:, min(10, len(places) - 1)]
    return np.maximum(apart, np.maximum(core[:, None], core[None, :]))


@pytest.mark.parametrize(
    "places",
    [
        np.random.default_rng(1).normal(size=(300, 2)),
        np.random.default_rng(2).normal(size=(200, 3)),
        np.random.default_rng(3).integers(0, 12, size=(300, 2)).astype(float),
        np.repeat(np.random.default_rng(4).normal(size=(40, 2)), 5, axis=0),
        np.c_[np.random.default_rng(5).normal(size=60), np.zeros(60)],
        np.c_[np.random.default_rng(6).normal(size=(80, 2)), np.full(80, 3.0)],
        np.random.default_rng(7).normal(size=(3, 2)),
        np.zeros((25, 2)),
    ],
    ids=["2D", "3D", "grid", "duplicates", "line", "plane in 3D", "three", "one place"],
)
def test_the_tree_is_as_short_as_that_of_all_distances(places: np.ndarray) -> None:
    tree = span_map(places)
    whole = minimum_spanning_tree(np.maximum(reachability(places), 1e-6)).data
    np.testing.assert_allclose(np.sort(tree.lengths), np.sort(whole), rtol=1e-9, atol=2e-6)
    assert sorted({*tree.first.tolist(), *tree.second.tolist()}) == list(range(len(places)))


def test_ten_blobs_are_ten_clusters_and_those_that_hdbscan_finds() -> None:
    places = blobs(circle(10, 12.0), 60)
    (codes, *_) = find_levels(places)
    assert codes.max() == 9
    assert adjusted_rand_score(np.repeat(np.arange(10), 60), codes) == 1
    own = HDBSCAN(min_cluster_size=40, min_samples=11, cluster_selection_method="leaf", copy=True)
    assert adjusted_rand_score(own.fit_predict(places.astype(np.float64)), codes) == 1


def test_levels_go_from_large_to_small_and_lie_within_each_other() -> None:
    centers = (circle(6, 100.0)[:, None] + circle(5, 8.0)[None]).reshape(-1, 2)
    large, small = find_levels(blobs(centers, 40))
    assert (large.max() + 1, small.max() + 1) == (6, 30)
    for code in range(30):
        assert len(np.unique(large[small == code])) == 1


def test_two_clear_clusters_are_not_taken_for_more() -> None:
    places = blobs(np.array([[0.0, 0.0], [30.0, 0.0]]), 600, spread=1)
    (codes, *_) = find_levels(places)
    assert codes.max() == 1
    assert (np.bincount(codes) == 600).all()


def test_clusters_are_in_the_order_of_their_sizes_and_the_rest_belongs_to_none() -> None:
    assert by_size(np.array([2, 2, -1, 0, 1, 1])).tolist() == [0, 0, -1, 2, 1, 1]
    for codes in find_levels(blobs(circle(9, 9.0), 50, seed=3)):
        assert (np.diff(np.bincount(codes[codes >= 0])) <= 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_noise_has_no_clusters(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert find_levels(rng.normal(size=(3000, 2))) == []
    assert find_levels(rng.uniform(size=(3000, 2))) == []


@pytest.mark.parametrize(
    "places",
    [np.zeros((3000, 2)), np.random.default_rng(0).normal(size=(3, 2)), np.zeros((0, 2)),
     np.stack(np.meshgrid(range(40), range(40)), -1).reshape(-1, 2)],
    ids=["one place", "three points", "none", "a grid"],
)  # fmt: skip
def test_where_nothing_is_denser_there_are_no_clusters(places: np.ndarray) -> None:
    assert find_levels(np.asarray(places, np.float32)) == []


def test_many_points_at_one_place_are_one_of_the_clusters() -> None:
    places = blobs(circle(6, 20.0), 100)
    codes = find_levels(np.concatenate([places, np.full((2000, 2), 50, np.float32)]))[0]
    assert codes[600:].tolist() == [0] * 2000
    assert codes.max() == 6


def test_scale_and_order_of_the_points_do_not_matter() -> None:
    places = blobs(circle(7, 9.0), 50, seed=5)
    codes = find_levels(places)[0]
    assert adjusted_rand_score(find_levels(places * 2.0**100)[0], codes) == 1
    shuffled = np.random.default_rng(0).permutation(len(places))
    assert adjusted_rand_score(find_levels(places[shuffled])[0], codes[shuffled]) == 1
    assert find_levels(places)[0].tobytes() == codes.tobytes()

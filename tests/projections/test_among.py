"""Where points that took no part in a map are placed among those that did."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.spatial import ConvexHull, Delaunay

from embviz.projections.among import affinities, place_among, spacings


def example(seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    places = (20 * rng.normal(size=(200, 2))).astype(np.float32)
    found = np.stack([rng.choice(200, 10, replace=False) for _ in range(300)])
    return places, found, np.sort(rng.uniform(0.5, 1.5, (300, 10)), axis=1)


def test_the_spacing_of_a_point_is_the_distance_to_the_nearest_at_another_place() -> None:
    places = np.array([[0, 0], [0, 0], [3, 4], [3, 5]], np.float32)
    np.testing.assert_allclose(spacings(places), [5, 5, 1, 1])
    np.testing.assert_array_equal(spacings(np.ones((3, 2), np.float32)), 0)


def test_near_neighbors_count_more_and_the_unit_of_distances_does_not() -> None:
    _, _, lengths = example()
    weights = affinities(lengths)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert (np.diff(weights, axis=1) <= 0).all()
    np.testing.assert_allclose(affinities(lengths * 1e-200), weights)
    np.testing.assert_allclose(affinities(np.full((1, 4), 2.0)), 0.25)
    np.testing.assert_allclose(affinities(np.zeros((1, 4))), 0.25)


def cost(y: NDArray[np.float64], near: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    return float(weights @ np.sqrt(np.square(near[1:] - y).sum(axis=1) + near[0, 0] ** 2))


def test_the_place_is_the_weighted_geometric_median_that_a_minimizer_finds() -> None:
    places, _, lengths = example()
    rng = np.random.default_rng(7)
    centers = 20 * rng.normal(size=(300, 2))
    found = np.linalg.norm(centers[:, None] - places, axis=2).argsort(axis=1)[:, :10]
    found[:, 7] = rng.integers(0, 200, 300)  # One of them lies elsewhere.
    apart = spacings(places)
    made = place_among(places, apart, found, lengths).astype(np.float64)
    for i in range(20):
        least = 0.1 * apart[found[i, 0]]
        near = np.vstack([[least, 0], places[found[i]]]).astype(np.float64)
        weights = affinities(lengths[i : i + 1])[0]
        best = min(
            minimize(cost, start, (near, weights), method="Nelder-Mead").fun for start in near[1:4]
        )
        here = cost(made[i], near, weights)
        assert best * (1 - 1e-5) <= here <= best * 1.01
        assert here <= cost(near[1], near, weights)


def test_a_point_at_no_distance_has_the_very_place_of_its_nearest() -> None:
    places, found, lengths = example()
    lengths[::2, 0] = 0
    made = place_among(places, spacings(places), found, lengths)
    np.testing.assert_array_equal(made[::2], places[found[::2, 0]])
    assert (made[1::2] != places[found[1::2, 0]]).any(axis=1).all()


def test_places_are_within_the_hull_of_the_neighbors() -> None:
    places, found, lengths = example(1)
    made = place_among(places, spacings(places), found, lengths)
    for place, near in zip(made, places[found], strict=True):
        hull = near.astype(np.float64)[ConvexHull(near).vertices]
        wider = hull.mean(axis=0) + (hull - hull.mean(axis=0)) * (1 + 1e-5)
        assert Delaunay(wider).find_simplex(place) >= 0


def test_one_far_neighbor_moves_a_place_no_farther_than_one_near_by() -> None:
    places = np.array([[0, 0], [1, 0], [0, 1], [5, 5]], np.float32)
    found, lengths = np.array([[0, 1, 2, 3]]), np.array([[1.0, 1.01, 1.02, 1.05]])
    near = place_among(places, spacings(places), found, lengths)
    places[3] = 1e6
    far = place_among(places, spacings(places), found, lengths)
    assert np.linalg.norm(far - near) < 0.2


@pytest.mark.parametrize("angle", [0.3, 2.0])
def test_places_turn_with_the_map(angle: float) -> None:
    places, found, lengths = example(2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned = (places @ turn).astype(np.float32)
    made = place_among(places, spacings(places), found, lengths)
    np.testing.assert_allclose(
        place_among(turned, spacings(turned), found, lengths), made @ turn, atol=2e-4
    )


def test_how_many_are_placed_together_changes_no_bit() -> None:
    places, found, lengths = example(3)
    apart = spacings(places)
    whole = place_among(places, apart, found, lengths)
    parts = [
        place_among(places, apart, found[i : i + 7], lengths[i : i + 7]) for i in range(0, 300, 7)
    ]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_points_of_a_map_at_one_place_stay_there() -> None:
    places = np.full((5, 3), 2.5, np.float32)
    made = place_among(places, spacings(places), np.arange(5)[None], np.arange(1.0, 6.0)[None])
    np.testing.assert_array_equal(made, [[2.5, 2.5, 2.5]])

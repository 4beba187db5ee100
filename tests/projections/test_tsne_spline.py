"""The repulsion by splines on a grid against sums over all pairs in float64."""

from __future__ import annotations

import numpy as np
import pytest

from embviz.projections.tsne_exact import sum_repulsion
from embviz.projections.tsne_spline import (
    SplineRepulsion,
    lay_grid,
    spline_slopes,
    spline_weights,
)

# Clusters within clusters, as densely as maps are: about one point in a unit of space at scale 1.
RNG = np.random.default_rng(0)
CENTERS = RNG.normal(0, 3, (12, 3))
CLOUD = CENTERS[RNG.integers(0, 12, 3000)] + RNG.normal(0, 1, (3000, 3)) * RNG.uniform(
    0.3, 1.5, (3000, 1)
)


def error_of(found, exact):
    return np.linalg.norm(found - exact) / np.linalg.norm(exact)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize(
    ("scale", "bound"),
    [(1e-9, 1e-6), (1e-4, 1e-4), (0.01, 1e-4), (0.1, 1e-3), (0.5, 0.01), (1, 0.02), (3, 0.05)],
)
def test_the_grid_gives_forces_and_total_of_all_pairs(scale, bound, dims):
    points = np.ascontiguousarray(CLOUD[:, :dims]) * scale
    forces, total = SplineRepulsion()(points)
    exact, exact_total = sum_repulsion(points)
    assert error_of(forces, exact) < bound
    assert total == pytest.approx(exact_total, rel=1e-3)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("scale", [0.3, 1, 2])
def test_on_a_finer_grid_the_forces_are_those_of_all_pairs_to_a_thousandth(scale, dims):
    points = np.ascontiguousarray(CLOUD[:, :dims]) * scale
    forces, total = SplineRepulsion(spacing=0.2)(points)
    exact, exact_total = sum_repulsion(points)
    assert error_of(forces, exact) < 1e-3
    assert total == pytest.approx(exact_total, rel=1e-4)


def test_where_the_map_lies_does_not_matter():
    here, there = (SplineRepulsion()(CLOUD + shift) for shift in (0, np.array([500, -3, 70])))
    assert error_of(there[0], here[0]) < 1e-4
    assert there[1] == pytest.approx(here[1], rel=1e-5)


def test_a_map_may_be_flat_or_a_line():
    for kept in ([1, 1, 0], [0, 0, 1], [0, 0, 0]):
        points = CLOUD * kept
        forces, total = SplineRepulsion()(points)
        exact, exact_total = sum_repulsion(points)
        assert np.linalg.norm(forces - exact) <= 0.02 * np.linalg.norm(exact)
        assert total == pytest.approx(exact_total, rel=5e-3)


def test_a_point_does_not_repel_itself():
    # So far from others that nothing else is left.
    places = np.array([[0.0, 0, 0], [40.3, 41.7, 38.9]])
    for shift in np.linspace(0, 1, 7):
        forces, total = SplineRepulsion()(
            places + np.array([[0, 0, 0], [shift, shift / 2, -shift]])
        )
        assert np.abs(forces).max() < 0.01
        assert total < 0.15


def test_repulsion_adds_up_to_nothing():
    forces, _ = SplineRepulsion()(CLOUD)
    np.testing.assert_allclose(forces.sum(axis=0) / np.abs(forces).sum(), 0, atol=1e-12)


@pytest.mark.parametrize("n_points", [3000, 40_000])
def test_the_bytes_are_the_same_for_any_number_of_threads_and_again(n_points):
    points = np.resize(CLOUD, (n_points, 3)) * 3
    points += np.random.default_rng(1).normal(0, 1, points.shape)
    found = [SplineRepulsion(n) for n in (1, 2, 3)]
    found = [repulsion(points) for repulsion in (*found, found[1])]
    assert len({forces.tobytes() for forces, _ in found}) == 1
    assert len({total for _, total in found}) == 1


def test_a_kept_spectrum_gives_the_bytes_of_a_new_one():
    kept = SplineRepulsion()
    kept(CLOUD * 0.7)
    kept(CLOUD)
    assert kept(CLOUD * 0.7)[0].tobytes() == SplineRepulsion()(CLOUD * 0.7)[0].tobytes()


def test_weights_are_those_of_the_cubic_b_spline():
    from scipy.interpolate import BSpline

    t = np.linspace(0, 1, 11, endpoint=False).astype(np.float32)
    spline = BSpline.basis_element(np.arange(5))
    at = t + np.arange(3, -1, -1)[:, None]
    np.testing.assert_allclose(spline_weights(t), spline(at), atol=2e-7)
    np.testing.assert_allclose(spline_slopes(t), spline.derivative()(at), atol=3e-7)


def test_all_nodes_of_all_points_are_on_the_grid():
    grid = lay_grid(CLOUD * 7)
    places = (CLOUD * 7 - grid.low) / grid.spacing
    assert (places >= 0).all()
    assert (places.astype(int) + 4 <= grid.shape).all()
    sides = zip(grid.sizes, grid.shape, strict=True)
    assert all(size >= 2 * n and size % 2 == 0 for size, n in sides)

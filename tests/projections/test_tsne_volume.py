"""The repulsion in three dimensions, on a coarse grid and between near points, by all pairs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import random as random_sparse

from embviz.projections import tsne_gradient, tsne_near_pairs, tsne_volume
from embviz.projections.tsne_exact import sum_repulsion
from embviz.projections.tsne_gradient import Gradient, choose_method
from embviz.projections.tsne_near_pairs import Cells, sum_near
from embviz.projections.tsne_spline import Pool
from embviz.projections.tsne_volume import FINE, USUAL, VolumeRepulsion, plan_sums

# Clusters of many densities, as in a map of 3,000 points that has spread.
RNG = np.random.default_rng(0)
CENTERS = RNG.normal(0, 13, (40, 3))
SIZES = RNG.uniform(0.5, 4, (40, 1))
GROUPS = RNG.integers(0, 40, 3000)
CLOUD = CENTERS[GROUPS] + RNG.normal(size=(3000, 3)) * SIZES[GROUPS]


def error_of(found, exact):
    return np.linalg.norm(found - exact) / np.linalg.norm(exact)


def near_pairs(points, reach, rate):
    """By its definition, in float64."""
    apart = points[:, None] - points[None]
    u = 1 + (apart**2).sum(axis=-1)
    kernel = np.exp(-rate * u) / u * (u <= 1 + reach**2)
    np.fill_diagonal(kernel, 0)
    return ((kernel * (1 / u + rate))[..., None] * apart).sum(axis=1), kernel.sum()


@pytest.mark.parametrize("pairs", [200, 1 << 17])
@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("reach", [0.4, 2.5, 200])
def test_near_pairs_are_those_within_reach(reach, dims, pairs, monkeypatch):
    monkeypatch.setattr(tsne_near_pairs, "PAIRS", pairs)
    points = np.ascontiguousarray(CLOUD[:600, :dims])
    points[:7] = points[0]
    cells = Cells.of(points, reach)
    forces, total = sum_near(points, cells, reach, 0.5, Pool(1))
    exact, exact_total = near_pairs(points, reach, 0.5)
    assert error_of(forces, exact) < 1e-4
    assert total == pytest.approx(exact_total, rel=1e-4)
    apart = np.linalg.norm(points[:, None] - points, axis=-1)
    within = np.count_nonzero(np.triu(apart <= reach, 1))
    assert within <= cells.count_pairs() <= len(points) * (len(points) + 1)


def test_near_points_may_be_few_or_at_one_place():
    for points in (np.zeros((1, 3)), np.zeros((5, 3)), np.array([[0.0, 0, 0], [0, 0, 9]])):
        forces, total = sum_near(points, Cells.of(points, 1.0), 1.0, 0.5, Pool(1))
        exact, exact_total = near_pairs(points, 1.0, 0.5)
        np.testing.assert_allclose(forces, exact, atol=1e-6)
        assert total == pytest.approx(exact_total, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("scale", [1e-3, 0.03, 0.2, 0.6, 1, 1.5, 2.5])
def test_at_every_extent_forces_and_total_are_those_of_all_pairs(scale):
    points = CLOUD * scale
    plan = plan_sums(points)
    assert (plan.way == USUAL[1]) == (scale >= 0.6)
    forces, total = VolumeRepulsion()(points, plan)
    exact, exact_total = sum_repulsion(points)
    assert error_of(forces, exact) < (0.025 if scale < 0.6 else 0.015)
    assert total == pytest.approx(exact_total, rel=1e-3)
    fine_forces, fine_total = VolumeRepulsion()(points, plan_sums(points, FINE))
    assert error_of(fine_forces, exact) < 0.01
    assert fine_total == pytest.approx(exact_total, rel=2e-4)


def test_forces_are_about_as_true_as_along_a_tree():
    points = CLOUD[np.random.default_rng(1).integers(0, 3000, 6000)]
    points += np.random.default_rng(2).normal(0, 1, points.shape)
    exact, _ = sum_repulsion(points)
    tree, _ = tsne_gradient.sum_by_tree(points, 1)
    assert error_of(VolumeRepulsion()(points)[0], exact) < 1.5 * error_of(tree, exact)


@pytest.mark.parametrize("scale", [0.3, 2])
def test_the_bytes_are_the_same_for_any_number_of_threads_and_again(scale, monkeypatch):
    monkeypatch.setattr(tsne_near_pairs, "PAIRS", 5000)
    repulsions = [VolumeRepulsion(n) for n in (1, 2, 5)]
    found = [repulsion(CLOUD * scale) for repulsion in (*repulsions, repulsions[1])]
    assert len({forces.tobytes() for forces, _ in found}) == 1
    assert len({total for _, total in found}) == 1


def test_a_map_that_no_grid_fits_goes_along_the_tree(monkeypatch):
    monkeypatch.setattr(tsne_gradient, "VOLUME_POINTS", 2000)
    monkeypatch.setattr(tsne_gradient, "EXACT_TOTAL_POINTS", 1000)
    affinities = random_sparse(3000, 3000, 0.001, format="csr", rng=np.random.default_rng(1))
    affinities /= affinities.sum()
    for scale, method in ((0.5, "fourier"), (1e4, "barnes-hut")):
        gradient = Gradient(affinities)
        found, divergence = gradient(CLOUD * scale)
        assert np.isfinite(found).all()
        assert gradient.params()["gradient"] == method
        assert ("theta" in gradient.params()) == (method == "barnes-hut")
        assert gradient.divergence(CLOUD * scale) == pytest.approx(divergence, rel=0.01)
    assert all(plan_sums(CLOUD * scale) is None for scale in (1e4, 1e30, 1e150))
    with pytest.raises(ValueError, match="extended"):
        VolumeRepulsion()(CLOUD * 1e4)


@pytest.mark.parametrize("side", [60, 90, 110, 400])
def test_the_divergence_is_that_of_all_pairs_whatever_fits(side, monkeypatch):
    monkeypatch.setattr(tsne_gradient, "VOLUME_POINTS", 2000)
    monkeypatch.setattr(tsne_volume, "MOST_ENTRIES", 200**3)  # Fine up to 95 units, usual to 120.
    affinities = random_sparse(3000, 3000, 0.001, format="csr", rng=np.random.default_rng(1))
    affinities /= affinities.sum()
    points = CLOUD * (side / np.ptp(CLOUD, axis=0).max())
    exact = Gradient(affinities).divergence(points)
    monkeypatch.setattr(tsne_gradient, "EXACT_TOTAL_POINTS", 1000)
    assert Gradient(affinities).divergence(points) == pytest.approx(exact, abs=2e-3)


def test_more_than_20_000_points_are_on_a_grid():
    many = np.resize(CLOUD, (20_001, 3))
    assert [choose_method(points) for points in (many[:-1], many)] == ["barnes-hut", "fourier"]


def test_a_grid_and_pairs_need_little_memory():
    import tracemalloc

    points = np.resize(CLOUD, (30_000, 3)) * 1.5
    points += np.random.default_rng(0).normal(0, 1, points.shape)
    tracemalloc.start()
    VolumeRepulsion(2)(points)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * tsne_volume.plan_sums(points).n_entries + 2000 * len(points)

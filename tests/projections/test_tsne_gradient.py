"""The gradient by each of its methods against sums over all pairs, and against openTSNE's own."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy.sparse import random as random_sparse

from embviz.projections import tsne_gradient
from embviz.projections.tsne_exact import sum_affinity, sum_repulsion
from embviz.projections.tsne_fourier import FourierRepulsion
from embviz.projections.tsne_gradient import Gradient, choose_method, sum_by_tree, take_once

SHAPE = np.random.default_rng(0).normal(size=(1500, 2))
SHAPE[:300] *= 0.1


def all_pairs(points):
    apart = points[:, None] - points[None]
    near = 1 / (1 + (apart**2).sum(axis=-1))
    return (apart * (near**2)[..., None]).sum(axis=1), near.sum() - len(points)


def error_of(found, exact):
    return np.linalg.norm(found - exact) / np.linalg.norm(exact)


@pytest.mark.parametrize("scale", [1e-4, 0.1, 1, 5, 20])
def test_repulsion_on_a_fine_grid_is_that_of_all_pairs(scale):
    points = SHAPE * scale
    forces, total = FourierRepulsion(spacing=0.125)(points)
    exact, exact_total = all_pairs(points)
    assert error_of(forces, exact) < 1.5e-3
    assert total == pytest.approx(exact_total, rel=2e-4)


@pytest.mark.parametrize("scale", [1, 10, 20])
def test_the_grid_in_use_is_about_as_accurate_as_that_of_opentsne(scale):
    from openTSNE import _tsne

    points = SHAPE * scale
    exact, exact_total = all_pairs(points)
    theirs = np.zeros_like(points)
    _tsne.estimate_negative_gradient_fft_2d(points, theirs, 3, 50, 1, 1)
    forces, total = FourierRepulsion()(points)
    assert error_of(forces, exact) < 1.6 * error_of(theirs, -exact / exact_total)
    assert total == pytest.approx(exact_total, rel=3e-3)


def test_repulsion_adds_up_to_nothing():
    forces, _ = FourierRepulsion()(SHAPE * 15 + 40)
    np.testing.assert_allclose(forces.sum(axis=0) / np.abs(forces).sum(), 0, atol=1e-5)


def test_points_at_one_place_do_not_repel():
    forces, total = FourierRepulsion()(np.full((50, 2), 3.0))
    np.testing.assert_allclose(forces, 0, atol=1e-5)
    assert total == pytest.approx(50 * 49, rel=1e-4)


@pytest.mark.parametrize("method", ["exact", "fourier", "barnes-hut"])
@pytest.mark.parametrize("exaggeration", [1, 12])
def test_gradient_and_divergence_are_those_of_opentsne_without_approximation(
    exaggeration, method, monkeypatch
):
    from openTSNE.tsne import kl_divergence_bh

    affinities = random_sparse(1500, 1500, 0.02, format="csr", rng=np.random.default_rng(1))
    affinities = (affinities + affinities.T).tocsr()
    affinities /= affinities.sum()
    points = SHAPE * 3
    monkeypatch.setattr(tsne_gradient, "choose_method", lambda *_: method)
    exact_kl, exact = kl_divergence_bh(
        points, affinities * exaggeration, 1, {"theta": 0}, should_eval_error=True
    )
    gradient, kl = Gradient(affinities)(points, exaggeration)
    assert error_of(gradient, exact) < (1e-6 if method == "exact" else 0.04)
    exact_kl = exact_kl / exaggeration - np.log(exaggeration)
    assert kl == pytest.approx(exact_kl, abs=1e-6 if method == "exact" else 0.02)
    assert Gradient(affinities).divergence(points) == pytest.approx(exact_kl, abs=1e-6)


def test_the_same_points_give_the_same_bytes_with_any_number_of_threads():
    one, two = (FourierRepulsion(n)(SHAPE * 10) for n in (1, 2))
    assert one[0].tobytes() == two[0].tobytes()
    assert one[1] == two[1]


@pytest.mark.parametrize("n", [1, 2, 3, 37, 700])
@pytest.mark.parametrize("n_components", [2, 3])
@pytest.mark.parametrize("scale", [1e-150, 1e-4, 1, 1e6])
def test_the_exact_repulsion_is_that_of_all_pairs(n, n_components, scale):
    points = np.random.default_rng(n).normal(size=(n, n_components)) * scale
    points[n // 2 :] += 1e3 * scale
    forces, total = sum_repulsion(points)
    exact, exact_total = all_pairs(points)
    np.testing.assert_allclose(forces, exact, rtol=1e-9, atol=1e-10 * np.abs(exact).max())
    assert total == pytest.approx(exact_total, rel=1e-12, abs=1e-9)
    assert sum_affinity(points) == pytest.approx(exact_total, rel=1e-12, abs=1e-9)


@pytest.mark.parametrize("n_components", [2, 3])
@pytest.mark.parametrize("scale", [1e-9, 1e-4, 0.02, 0.1, 1, 30])
def test_the_tree_counts_the_pairs_of_points_at_one_place(n_components, scale):
    places = np.random.default_rng(0).normal(size=(20, n_components)) * scale
    points = np.repeat(places, 60, axis=0)
    forces, total = sum_by_tree(points, 1)
    exact, exact_total = all_pairs(points)
    assert total == pytest.approx(exact_total, rel=0.01)
    # Of 59 others at one place, each moved by about 1e-4.
    assert np.abs(forces - exact).max() < 0.03 * np.abs(exact).max() + 59 * 5e-4 * (scale > 0.01)


def test_the_tree_is_the_same_in_parts(monkeypatch):
    whole = sum_by_tree(SHAPE, 1)
    monkeypatch.setattr(tsne_gradient, "TREE_CHUNK", 400)
    parts = sum_by_tree(SHAPE, 1)
    np.testing.assert_allclose(parts[0], whole[0], rtol=1e-9)
    assert parts[1] == pytest.approx(whole[1])


@pytest.mark.parametrize("extent", [10, 500, 1e4, 1e6])
@pytest.mark.parametrize("n_components", [2, 3])
def test_a_map_of_any_extent_needs_little_memory(extent, n_components):
    points = np.random.default_rng(0).uniform(0, extent, size=(3200, n_components))
    affinities = random_sparse(3200, 3200, 0.001, format="csr", rng=np.random.default_rng(1))
    affinities /= affinities.sum()
    tracemalloc.start()
    gradient, divergence = Gradient(affinities)(points)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6
    assert np.isfinite(gradient).all()
    assert divergence == pytest.approx(Gradient(affinities).divergence(points), rel=0.05)


def test_the_cheapest_method_is_chosen():
    few, some, many = (np.random.default_rng(0).normal(size=(n, 2)) for n in (50, 2000, 40_000))
    assert [choose_method(p * 10) for p in (few, some, many)] == ["exact", "fourier", "fourier"]
    assert [choose_method(p * 1e5) for p in (few, some, many)] == ["exact", *["barnes-hut"] * 2]
    deep = np.random.default_rng(0).normal(size=(5000, 3))
    assert [choose_method(p) for p in (deep[:1500], deep)] == ["exact", "barnes-hut"]


@pytest.mark.parametrize("on_diagonal", [False, True])
def test_the_divergence_is_that_of_all_pairs_also_where_each_is_looked_at_once(on_diagonal):
    affinities = random_sparse(400, 400, 0.05, format="csr", rng=np.random.default_rng(5))
    affinities = (affinities + affinities.T).tolil()
    affinities.setdiag(0.5 if on_diagonal else 0)
    affinities = affinities.tocsr()
    affinities.eliminate_zeros()
    affinities /= affinities.sum()
    points = SHAPE[:400] * 4
    p = affinities.toarray()
    near = 1 / (1 + np.square(points[:, None] - points).sum(axis=-1))
    q = near / (near.sum() - 400)
    expected = (p[p > 0] * np.log(p[p > 0] / q[p > 0])).sum()
    assert Gradient(affinities).divergence(points) == pytest.approx(expected, abs=1e-9)
    assert Gradient(affinities)(points)[1] == pytest.approx(expected, abs=1e-9)


def test_pairs_are_taken_once_in_parts_as_whole(monkeypatch):
    affinities = random_sparse(300, 300, 0.05, format="csr", rng=np.random.default_rng(6))
    affinities = (affinities + affinities.T).tolil()
    affinities.setdiag(0)
    affinities = affinities.tocsr()
    affinities.eliminate_zeros()
    monkeypatch.setattr(tsne_gradient, "ONCE_ROWS", 70)
    once, times = take_once(affinities, 2)
    np.testing.assert_array_equal(once.toarray(), np.triu(affinities.toarray()))
    assert times == 2

"""How loosely points of a t-SNE map are held: by whole Hessians, differences and what moves."""

from __future__ import annotations

import numpy as np
import pytest
from openTSNE import affinity
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.sparse import random as random_sparse
from sklearn.datasets import load_digits

from embviz.model import EmbeddingTable
from embviz.pictures.plan import Plan, project
from embviz.projections import tsne, tsne_descent, tsne_tears
from embviz.projections.tsne import TSNE
from embviz.projections.tsne_exact import sum_curvature
from embviz.projections.tsne_grid_curvature import sum_curvature_on_grid
from embviz.projections.tsne_tears import choose_sums, measure_tears

DIGITS = load_digits().data[:500].astype(np.float32)


def two_blobs(n, seed=4):
    """Two Gaussians that touch, as in the paper's first example: no gap is real."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, 2)) + np.where(np.arange(n) % 2, 2, -2)[:, None] * [1, 0]
    return vectors.astype(np.float32)


@pytest.fixture
def maps(monkeypatch):
    """Make maps; give their points before rounding, and their affinities."""
    ends = []

    def keep(points, affinities, n_threads):
        ends.append((points.copy(), affinities))
        return measure_tears(points, affinities, n_threads)

    monkeypatch.setattr(tsne, "measure_tears", keep)

    def make(vectors, **options):
        found = TSNE(metric="euclidean", **options).project(EmbeddingTable(vectors))
        return found, *ends[-1]

    return make


def whole_hessian(points, p):
    """The Hessian of the divergence, (n, c, n, c), as the R package neMDBD has it.

    Blocks off the diagonal are written down; one on it is minus the sum of its row's, since a map
    that is moved as a whole stays as good.
    """
    n, c = points.shape
    apart = points[:, None] - points
    q = 1 + (apart**2).sum(axis=-1)
    z = (1 / q).sum() - n
    force = (apart / q[..., None] ** 2).sum(axis=1).ravel()
    outer = np.einsum("ija,ijb->iajb", apart, apart)
    hessian = (
        np.kron(-4 * p / q + 4 / z / q**2, np.eye(c)).reshape(n, c, n, c)
        + (8 * p / q**2 - 16 / z / q**3)[:, None, :, None] * outer
        - 16 / z**2 * np.outer(force, force).reshape(n, c, n, c)
    )
    each = np.arange(n)
    hessian[each, :, each, :] = 0
    hessian[each, :, each, :] = -hessian.sum(axis=2)
    return hessian


def divergence_without_constant(points, p):
    q = 1 + ((points[:, None] - points) ** 2).sum(axis=-1)
    return (p * np.log(q)).sum() + np.log((1 / q).sum() - len(points))


@pytest.mark.parametrize("n_components", [2, 3])
def test_the_scores_of_500_points_are_those_of_a_dense_hessian(maps, n_components):
    found, points, affinities = maps(DIGITS, n_components=n_components)
    hessian = whole_hessian(points, affinities.toarray())
    each = np.arange(500)
    lowest = np.linalg.eigvalsh(hessian[each, :, each, :])[:, 0]
    scores = measure_tears(points, affinities).scores
    settled = np.isfinite(scores)
    assert settled.mean() > 0.98
    np.testing.assert_allclose(scores[settled], 1 / lowest[settled] / 500, rtol=1e-8)
    torn = found.per_point[f"torn (log10), {n_components}D"]
    np.testing.assert_allclose(torn[settled], -np.log10(lowest[settled] * 500), atol=6e-5)


def test_the_dense_hessian_is_that_of_differences_of_the_divergence(maps):
    _, points, affinities = maps(DIGITS[:60], iterations=300)
    p = affinities.toarray()
    hessian = whole_hessian(points, p)
    step = 1e-3
    for i in (0, 17, 42):
        for a, b in ((0, 0), (0, 1), (1, 1)):
            corners = 0.0
            for s, t in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
                moved = points.copy()
                moved[i, a] += s * step
                moved[i, b] += t * step
                corners += s * t * divergence_without_constant(moved, p)
            assert corners / (4 * step**2) == pytest.approx(hessian[i, a, i, b], abs=2e-7)


def test_the_high_scores_of_one_cloud_fall_with_the_perplexity(maps):
    vectors = two_blobs(400)
    high = []
    for perplexity in (15, 50, 100):
        found, points, affinities = maps(vectors, perplexity=perplexity, iterations=1000)
        scores = measure_tears(points, affinities).scores
        high.append(np.quantile(scores, 0.95))
        assert found.stats["unsettled"] == 0
    assert high[0] > 1.1 * high[1] > 1.2 * high[2]


def test_points_of_high_score_are_thrown_farther_by_a_small_change_of_their_vectors(maps):
    torn, firm = [], []
    for seed in (5, 6):
        vectors = two_blobs(300, seed)
        _, points, affinities = maps(vectors, perplexity=15, iterations=1000)
        order = np.argsort(measure_tears(points, affinities).scores)
        rng = np.random.default_rng(seed)
        torn += [moved_by(vectors, points, i, rng) for i in order[-20:]]
        firm += [moved_by(vectors, points, i, rng) for i in order[:20]]
    assert np.mean(torn) > 2 * np.mean(firm)
    assert np.median(torn) > 1.2 * np.median(firm)


def moved_by(vectors, points, i, rng):
    """How far a point's own loss moves it when its vector is changed by a tenth of a gap."""
    changed = vectors.astype(np.float64)
    changed[i] += rng.normal(scale=0.02, size=2)
    known = affinity.PerplexityBasedNN(changed, perplexity=15, method="exact", n_jobs=1)
    p = np.delete(known.P.toarray()[i], i)
    others = np.delete(points, i, axis=0)
    rest = (1 / (1 + ((others[:, None] - others) ** 2).sum(axis=-1))).sum() - len(others)

    def loss(place):
        apart = 1 + ((place - others) ** 2).sum(axis=1)
        return 300 * (2 * (p * np.log(apart)).sum() + np.log(rest + 2 * (1 / apart).sum()))

    return np.linalg.norm(minimize(loss, points[i]).x - points[i])


@pytest.mark.parametrize(("spacing", "most", "of_most"), [(0.125, 0.02, 0.005), (0.25, 0.2, 0.05)])
def test_on_a_grid_the_scores_are_nearly_those_of_all_pairs(monkeypatch, spacing, most, of_most):
    rng = np.random.default_rng(1)
    points = np.concatenate([rng.normal(0, 12, (1500, 2)), rng.normal(30, 3, (500, 2))])
    p = random_sparse(2000, 2000, 0.02, format="csr", rng=rng)
    p = (p + p.T).multiply(1 / (2 * p.sum())).tocsr()
    exact = sum_curvature(points)
    grid = sum_curvature_on_grid(points, spacing)
    assert grid[2] == pytest.approx(exact[2], rel=1e-3)
    for found, true in zip(grid[:2], exact[:2], strict=True):
        error = np.abs(found - true).max(axis=1) / np.abs(true).max(axis=1).mean()
        assert error.max() < most
        assert np.quantile(error, 0.9) < of_most
    monkeypatch.setattr(tsne_tears, "EXACT_POINTS", {2: 0})
    monkeypatch.setattr(tsne_tears, "SPACINGS", (spacing,))
    assert choose_sums(points) == f"grid {spacing:g}"


def test_the_grid_gives_the_same_bytes_with_any_number_of_threads():
    points = np.random.default_rng(2).normal(0, 5, (1000, 2))
    one, two = (sum_curvature_on_grid(points, 0.25, n) for n in (1, 2))
    assert all(a.tobytes() == b.tobytes() for a, b in zip(one[:2], two[:2], strict=True))
    assert one[2] == two[2]


def test_parts_of_the_affinities_make_the_whole(maps, monkeypatch):
    _, points, affinities = maps(DIGITS[:200], iterations=200)
    whole = measure_tears(points, affinities).scores
    monkeypatch.setattr(tsne_tears, "CHUNK", 50)
    np.testing.assert_array_equal(measure_tears(points, affinities).scores, whole)


def test_a_point_without_affinities_has_not_settled():
    points = np.array([[0.0, 0], [1, 0], [0, 1], [5, 5]])
    p = csr_matrix(([1 / 6] * 6, ([0, 0, 1, 1, 2, 2], [1, 2, 0, 2, 0, 1])), (4, 4))
    assert np.isnan(measure_tears(points, p).scores[3])


def test_points_of_a_map_that_was_stopped_early_have_not_settled():
    found = TSNE(metric="euclidean", iterations=1).project(EmbeddingTable(DIGITS))
    assert found.stats["unsettled"] > 0.9
    assert not found.per_point


@pytest.mark.parametrize("n_components", [2, 3])
@pytest.mark.parametrize("n", [4, 7])
def test_a_few_points_have_a_score_too(n, n_components):
    found = TSNE(n_components, metric="euclidean").project(EmbeddingTable(DIGITS[:n]))
    (torn,) = found.per_point.values()
    assert torn.shape == (n,)
    assert torn.dtype == np.float32


def test_equal_points_have_a_score(maps):
    rows = np.repeat(DIGITS[:30], 10, axis=0)
    found, _, _ = maps(rows)
    assert found.stats["unsettled"] < 0.2


def test_the_map_ends_without_exaggeration():
    for plan in (tsne_descent.plan_phases, tsne_descent.plan_settling):
        for n_points in (100, 5000):
            assert plan(n_points)[-1].exaggeration == 1
            assert plan(n_points)[-1].iterations >= 150


def test_many_points_are_summed_on_the_finest_grid_that_fits_or_not_at_all():
    points = np.random.default_rng(0).uniform(size=(20_001, 2))
    assert choose_sums(points[:-1] * 1000) == "exact"
    assert choose_sums(points * 200) == "grid 0.125"
    assert choose_sums(points * 400) == "grid 0.25"
    assert choose_sums(points * 1000) is None
    assert choose_sums(np.zeros((30_000, 3))) == "exact"
    assert choose_sums(np.zeros((30_001, 3))) is None


def test_a_map_too_large_for_it_has_no_scores(monkeypatch):
    monkeypatch.setattr(tsne_tears, "EXACT_POINTS", {3: 10})
    found = TSNE(3, metric="euclidean", iterations=20).project(EmbeddingTable(DIGITS[:50]))
    assert not found.per_point
    assert set(found.stats) == {"kl_divergence"}


def test_it_stands_beside_the_neighbors_kept():
    placed = project(EmbeddingTable(DIGITS[:100]), Plan(methods=("tsne",), dims=(2,)))
    names = list(placed[-1].per_point)
    assert names[0] == "neighbors kept, 2D"
    assert names[-1] == "torn (log10), 2D"
    assert {"quality", "unsettled"} <= set(placed[-1].stats)

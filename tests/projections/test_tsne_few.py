"""t-SNE of a few points, of equal points, and of maps that shrink or grow without end."""

from __future__ import annotations

import numpy as np
import openTSNE
import pytest
from openTSNE import affinity
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness

from embviz.model import EmbeddingTable
from embviz.projections.tsne import TSNE
from embviz.projections.tsne_descent import FAST_POINTS, plan_phases

DIGITS = load_digits().data.astype(np.float32)


def digits(n, seed):
    return DIGITS[np.sort(np.random.default_rng(seed).choice(len(DIGITS), n, replace=False))]


def clusters(n, seed):
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(10, 50))
    return (centers[rng.integers(10, size=n)] + rng.normal(size=(n, 50))).astype(np.float32)


def divergence(vectors, coordinates, perplexity=30):
    """Return the KL divergence from the exact affinities of vectors, every pair in float64."""
    perplexity = min(perplexity, (len(vectors) - 1) / 3)
    known = affinity.PerplexityBasedNN(vectors, perplexity=perplexity, method="exact", n_jobs=1)
    p = np.asarray(known.P.todense())
    points = np.asarray(coordinates, np.float64)
    near = 1 / (1 + ((points[:, None] - points[None]) ** 2).sum(axis=-1))
    np.fill_diagonal(near, 0)
    used = p > 0
    return float((p[used] * np.log(p[used] / (near[used] / near.sum()))).sum())


@pytest.mark.parametrize("make", [digits, clusters])
@pytest.mark.parametrize("n", [4, 5, 12, 20, 50, 100])
def test_few_points_lie_as_well_as_by_the_defaults_of_opentsne(make, n):
    ours, theirs, kept = [], [], []
    for seed in range(4):
        vectors = make(n, seed)
        found = TSNE(metric="euclidean", seed=seed).project(EmbeddingTable(vectors))
        rival = openTSNE.TSNE(random_state=seed).fit(vectors.astype(float))
        ours.append(divergence(vectors, found.coordinates))
        theirs.append(divergence(vectors, rival))
        assert found.stats["kl_divergence"] == pytest.approx(ours[-1], abs=1e-3)
        assert np.ptp(found.coordinates) > 1
        k = min(10, (n - 1) // 2)
        kept.append(
            [trustworthiness(vectors, c, n_neighbors=k) for c in (found.coordinates, rival)]
        )
    assert np.mean(ours) <= 1.01 * np.mean(theirs)
    of_ours, of_theirs = np.mean(kept, axis=0)
    assert of_ours >= of_theirs - 0.01


@pytest.mark.parametrize("iterations", [400, 1500, 3000])
def test_more_iterations_do_not_bring_points_to_one_place(iterations):
    vectors = digits(12, 0)
    asked = TSNE(metric="euclidean", iterations=iterations).project(EmbeddingTable(vectors))
    usual = TSNE(metric="euclidean").project(EmbeddingTable(vectors))
    kl = divergence(vectors, asked.coordinates)
    assert asked.stats["kl_divergence"] == pytest.approx(kl, abs=1e-3)
    assert kl <= 1.05 * usual.stats["kl_divergence"]
    assert np.ptp(asked.coordinates) > 1


def test_cosine_is_the_distance_between_rows_of_unit_length():
    vectors = digits(200, 0)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    found = TSNE(metric="cosine").project(EmbeddingTable(vectors))
    kl = divergence(unit, found.coordinates)
    assert found.stats["kl_divergence"] == pytest.approx(kl, abs=1e-3)


@pytest.mark.parametrize("n_components", [2, 3])
@pytest.mark.parametrize("n", [4, 5, 30])
@pytest.mark.parametrize("make", [
    lambda n: np.ones((n, 3)),
    lambda n: np.repeat(DIGITS[:2], n, axis=0),
    lambda n: np.eye(n),
    lambda n: np.r_[np.zeros((n - 1, 4)), np.ones((1, 4))],
])  # fmt: skip
def test_equal_points_and_equal_distances_leave_an_extent(n_components, n, make):
    found = TSNE(n_components, metric="euclidean", iterations=2000).project(EmbeddingTable(make(n)))
    assert np.isfinite(found.coordinates).all()
    assert np.ptp(found.coordinates, axis=0).max() > 1e-5
    assert (np.asarray(found.frames.figures["kl_divergence"]) >= 0).all()


def test_pairs_of_perplexity_one_drift_apart_within_time_and_memory():
    vectors = digits(1200, 0)
    found = TSNE(metric="euclidean", perplexity=1, iterations=600).project(EmbeddingTable(vectors))
    kl = divergence(vectors, found.coordinates, 1)
    assert found.stats["kl_divergence"] == pytest.approx(kl, abs=2e-3)
    assert found.params["gradient"] != "fourier"


def test_five_points_take_three_components():
    found = TSNE(3, metric="euclidean").project(EmbeddingTable(digits(5, 0)))
    flat = TSNE(2, metric="euclidean").project(EmbeddingTable(digits(5, 0)))
    assert np.ptp(found.coordinates, axis=0).min() > 0.1
    assert found.stats["kl_divergence"] <= flat.stats["kl_divergence"] + 1e-3


@pytest.mark.parametrize("n_points", [4, FAST_POINTS - 1, FAST_POINTS])
@pytest.mark.parametrize("total", [1, 2, 3, 20, 299, 300, 750, 100_001])
def test_the_phases_add_up_to_the_iterations(n_points, total):
    phases = plan_phases(n_points, total)
    assert sum(p.iterations for p in phases) == total
    assert all(p.iterations >= 0 for p in phases)
    factors = [p.exaggeration for p in phases]
    assert factors == sorted(factors, reverse=True)
    assert factors[0] == 12
    assert factors[-1] == 1


def test_few_points_take_more_iterations():
    totals = [sum(p.iterations for p in plan_phases(n)) for n in (4, 1_000_000)]
    assert totals == [750, 300]

"""Affinities are openTSNE's: each row has the perplexity, and pairs have both rows' mean."""

import numpy as np
import pytest
from openTSNE import affinity, nearest_neighbors

import embviz
from embviz.neighbors.graph import build_graph
from embviz.neighbors.known import bandwidth_distances
from embviz.projections import tsne_fourier
from embviz.projections.tsne_affinities import find_conditional, find_joint

RNG = np.random.default_rng(7)
CLUSTERS = RNG.normal(0, 1, (40, 6))[RNG.integers(0, 40, 600)] + RNG.normal(0, 0.2, (600, 6))


@pytest.fixture(scope="module")
def graph():
    return build_graph(embviz.EmbeddingTable(CLUSTERS.astype(np.float32)), 36, "euclidean")


def perplexities(rows):
    return np.exp(-(rows * np.log(np.where(rows > 0, rows, 1))).sum(axis=1))


@pytest.mark.parametrize("perplexity", [1, 5, 12, 30])
def test_joint_probabilities_are_those_of_opentsne(graph, perplexity):
    distances = bandwidth_distances(graph)
    known = nearest_neighbors.PrecomputedNeighbors(
        graph.indices,
        # Or all of a row underflow there at perplexity 1.
        np.sqrt(np.square(distances) - np.square(distances).min(axis=1, keepdims=True)),
    )
    expected = affinity.PerplexityBasedNN(perplexity=perplexity, knn_index=known, n_jobs=1).P
    found = find_joint(graph, perplexity)
    np.testing.assert_allclose(found.toarray(), expected.toarray(), rtol=1e-5, atol=1e-11)
    assert found.sum() == pytest.approx(1, abs=1e-12)
    assert (found != found.T).nnz == 0
    assert found.has_canonical_format


def test_joint_probabilities_have_the_same_bytes_by_any_parts_and_threads(graph, monkeypatch):
    whole = find_joint(graph, 12)
    monkeypatch.setattr(tsne_fourier, "PART", 64)
    for n_threads in (1, 3):
        parts = find_joint(graph, 12, n_threads)
        for name in ("data", "indices", "indptr"):
            assert getattr(parts, name).tobytes() == getattr(whole, name).tobytes()


@pytest.mark.parametrize("perplexity", [1, 2, 30, 89.5])
def test_every_row_has_the_perplexity_whatever_its_distances(perplexity):
    rng = np.random.default_rng(3)
    for squares in (
        rng.random((2000, 90)),
        10 ** rng.uniform(-15, 12, (2000, 90)),
        rng.random((500, 90)) * 1e-200,
        np.sort(rng.exponential(size=(2000, 90)) ** 6, axis=1),
    ):
        rows = find_conditional(squares.copy(), perplexity)
        np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-12)
        np.testing.assert_allclose(perplexities(rows), perplexity, rtol=1e-7)
        # The nearer, the likelier.
        falling = np.take_along_axis(rows, np.argsort(squares, axis=1), axis=1)
        assert (np.diff(falling, axis=1) <= 0).all()


def test_neighbors_as_near_as_each_other_share_evenly():
    rows = find_conditional(np.array([[0.0] * 6, [0.0] * 4 + [1, 2], [3.0] * 6]), 2)
    np.testing.assert_array_equal(rows, [[1 / 6] * 6, [1 / 4] * 4 + [0, 0], [1 / 6] * 6])

"""A map of many points is laid out along near neighbors first, and along all at its end."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

import embviz
from embviz.devices.numpy_arrays import NumPyArrays
from embviz.neighbors.graph import build_graph
from embviz.neighbors.known import bandwidth_distances
from embviz.projections.tsne_affinities import find_joint
from embviz.projections.tsne_descent import NEAR_POINTS, plan_coarse, plan_phases
from embviz.projections.tsne_device_affinities import WIDTH, find_affinities
from embviz.projections.tsne_gradient import Gradient
from embviz.projections.tsne_near import count_near, keep_near


@pytest.fixture(scope="module")
def graph():
    rng = np.random.default_rng(3)
    points = rng.normal(0, 1, (40, 6))[rng.integers(0, 40, 500)] + rng.normal(0, 0.2, (500, 6))
    return build_graph(embviz.EmbeddingTable(points.astype(np.float32)), 30, "euclidean")


def kept_by_loops(affinities, indices, n_near):
    """The same, pair by pair."""
    dense = affinities.toarray()
    found = np.zeros_like(dense)
    for i, row in enumerate(indices[:, :n_near].tolist()):
        for j in row:
            found[i, j], found[j, i] = dense[i, j], dense[j, i]
    return found / found.sum()


def test_pairs_are_kept_of_which_one_is_near_the_other(graph):
    joint = find_joint(graph, 10)
    found = keep_near(joint, graph.indices, 5)
    expected = kept_by_loops(joint, graph.indices, 5)
    np.testing.assert_allclose(found.toarray(), expected, rtol=1e-12, atol=0)
    assert found.nnz == np.count_nonzero(expected) < joint.nnz / 2
    assert found.sum() == pytest.approx(1, abs=1e-12)


def test_what_is_near_does_not_depend_on_how_many_rows_are_taken_at_once(graph, monkeypatch):
    joint = find_joint(graph, 10)
    whole = keep_near(joint, graph.indices, 5)
    monkeypatch.setattr("embviz.projections.tsne_near._ROWS", 64)
    parts = keep_near(joint, graph.indices, 5)
    np.testing.assert_array_equal(whole.indptr, parts.indptr)
    np.testing.assert_array_equal(whole.indices, parts.indices)
    np.testing.assert_allclose(whole.data, parts.data, rtol=1e-15)


def test_a_device_keeps_the_same_pairs(graph):
    joint = find_joint(graph, 10)
    every, near = find_affinities(
        NumPyArrays(), graph.indices, bandwidth_distances(graph), 10, n_near=5
    )
    for found, expected in ((every, joint), (near, keep_near(joint, graph.indices, 5))):
        owners = np.broadcast_to(found.owners, (WIDTH, len(found.owners)))
        there = found.weights > 0
        dense = csr_matrix(
            (found.weights[there], (owners[there], found.others[there])), joint.shape
        ).toarray()
        np.testing.assert_allclose(dense, expected.toarray(), rtol=2e-5, atol=1e-12)


def test_near_neighbors_alone_attract_where_they_are_asked_to(graph):
    joint = find_joint(graph, 10)
    near = keep_near(joint, graph.indices, 5)
    points = np.random.default_rng(0).normal(0, 3, (500, 2))
    both = Gradient(joint, near=near)
    gradient, divergence = both(points, 2.0, near=True)
    np.testing.assert_array_equal(gradient, Gradient(near)(points, 2.0)[0])
    # What is told is of all affinities, whatever attracts.
    assert divergence == pytest.approx(Gradient(joint)(points)[1], rel=1e-12)
    np.testing.assert_array_equal(both(points, 2.0)[0], Gradient(joint)(points, 2.0)[0])


def test_all_affinities_attract_in_the_last_tenth_and_wherever_points_are_few():
    for n_points, total in ((NEAR_POINTS, None), (1_000_000, None), (50_000, 77)):
        phases = plan_phases(n_points, total)
        assert all(phase.near for phase in phases[:-1])
        assert not phases[-1].near
        n = 300 if total is None else total
        assert phases[-1].iterations == round(n / 10)
        assert sum(phase.iterations for phase in phases) == n
    assert not any(phase.near for phase in plan_phases(NEAR_POINTS - 1))
    assert count_near(30) == 15
    assert count_near(1) == 1


def test_a_map_of_very_many_points_gets_more_iterations_after_that_of_a_sample():
    for n_points, wanted in ((50_001, 140), (199_999, 140), (200_000, 200)):
        assert sum(phase.iterations for phase in plan_coarse(n_points)) == wanted
    assert sum(phase.iterations for phase in plan_coarse(1_000_000, 70)) == 70


def test_the_page_is_told_how_many_iterations_were_along_near_neighbors():
    rng = np.random.default_rng(0)
    table = embviz.EmbeddingTable(rng.normal(0, 1, (NEAR_POINTS, 5)).astype(np.float32))
    params = embviz.TSNE(perplexity=5, iterations=20).project(table).params
    assert params["near_iterations"] == 18
    assert params["near_neighbors"] == 2
    assert params["annealing_iterations"] == 5

"""t-SNE of very many points: a map of a sample first, the others beside their neighbors in it."""

from __future__ import annotations

import numpy as np
import pytest
from openTSNE import affinity, kl_divergence, nearest_neighbors
from sklearn.datasets import load_digits

from embviz.model import EmbeddingTable, Neighbors
from embviz.neighbors import build_graph
from embviz.projections import tsne, tsne_coarse
from embviz.projections.tsne import TSNE
from embviz.projections.tsne_coarse import begin, draw_rows, order_along_curve, place_beside

DIGITS = load_digits().data.astype(np.float32)
TABLE = EmbeddingTable(DIGITS, source="digits.npy")


@pytest.fixture
def few_are_many(monkeypatch):
    monkeypatch.setattr(tsne, "COARSE_POINTS", 1000)
    monkeypatch.setattr(tsne, "draw_rows", lambda n, seed: np.arange(0, n, 9))


@pytest.fixture(scope="module")
def graph():
    return build_graph(TABLE, 90)


@pytest.fixture(scope="module")
def whole(graph):
    return TSNE(neighbors=graph).project(TABLE)


def divergence(graph, coordinates):
    known = nearest_neighbors.PrecomputedNeighbors(
        graph.indices, np.sqrt(2 * graph.distances.astype(np.float64))
    )
    p = affinity.PerplexityBasedNN(perplexity=30, knn_index=known, n_jobs=1).P
    points = np.ascontiguousarray(coordinates, dtype=np.float64)
    return kl_divergence.kl_divergence_exact(np.asarray(p.todense()), points)


def test_a_map_that_begins_with_a_sample_is_as_good_as_one_of_all_points(
    few_are_many, graph, whole
):
    found = TSNE(neighbors=graph).project(TABLE)
    ours = divergence(graph, found.coordinates)
    assert ours <= 1.03 * divergence(graph, whole.coordinates)
    assert found.stats["kl_divergence"] == pytest.approx(ours, abs=1e-4)


def test_the_map_says_how_it_began(few_are_many, graph, whole):
    found = TSNE(neighbors=graph).project(TABLE)
    told = dict(found.params)
    assert (told["initialization"], told["sample_points"]) == ("sample", 200)
    assert told["sample_iterations"] == 750
    assert (told["iterations"], told["early_iterations"]) == (140, 14)
    assert whole.params["initialization"] == "pca"
    assert "sample_points" not in whole.params


@pytest.mark.parametrize("dims", [2, 3])
def test_recorded_iterations_lead_from_the_placed_points_to_the_map(few_are_many, graph, dims):
    found = TSNE(dims, neighbors=graph).project(TABLE)
    frames = found.frames
    assert (frames.steps[0], frames.steps[-1]) == ("0", "140")
    np.testing.assert_array_equal(frames.coordinates[-1], found.coordinates)
    start = frames.coordinates[0]
    assert start.std() == pytest.approx(tsne_coarse.DEVIATION, rel=0.01)
    near = np.linalg.norm(start - start[graph.indices[:, 0]], axis=1)
    apart = np.linalg.norm(start - start[::-1], axis=1)
    assert np.median(near) < 0.3 * np.median(apart)


def test_the_same_seed_gives_the_same_bytes(few_are_many, graph):
    one, other = (TSNE(neighbors=graph, seed=3).project(TABLE) for _ in range(2))
    np.testing.assert_array_equal(one.coordinates, other.coordinates)
    third = TSNE(neighbors=graph, seed=4).project(TABLE)
    assert not np.array_equal(one.coordinates, third.coordinates)


def test_iterations_that_are_asked_for_are_of_all_points_from_the_components(few_are_many, graph):
    found = TSNE(neighbors=graph, iterations=40).project(TABLE)
    assert (found.params["iterations"], found.params["initialization"]) == (40, "pca")


def test_a_start_that_is_given_is_where_the_map_begins(few_are_many, graph):
    start = np.random.default_rng(0).normal(size=(len(DIGITS), 2))
    given = TSNE(neighbors=graph, initialization=start)
    assert not given.begins_coarse(len(DIGITS))
    assert not TSNE(neighbors=graph).begins_coarse(1000)
    assert TSNE(neighbors=graph).begins_coarse(1001)


def test_a_perplexity_that_the_sample_has_no_neighbors_for_is_still_that_of_the_map(few_are_many):
    found = TSNE(perplexity=120).project(TABLE)
    assert (found.params["perplexity"], found.params["n_neighbors"]) == (120.0, 360)
    assert np.isfinite(found.coordinates).all()


def test_points_lie_in_the_middle_of_their_neighbors_that_have_places():
    rng = np.random.default_rng(0)
    indices = np.argsort(rng.random((50, 50)), axis=1)[:, :7].astype(np.int32)
    rows = np.arange(0, 50, 4)
    placed = rng.normal(size=(len(rows), 3))
    found = place_beside(indices, rows, placed)
    np.testing.assert_array_equal(found[rows], placed)
    of_row = dict(zip(rows.tolist(), placed, strict=True))
    for i in set(range(50)) - set(rows.tolist()):
        near = [of_row[j] for j in indices[i].tolist() if j in of_row]
        if near:
            np.testing.assert_allclose(found[i], np.mean(near, axis=0))


def test_points_without_a_neighbor_in_the_sample_follow_their_neighbors():
    chain = np.array([[1], [0], [1], [2], [5], [4]], dtype=np.int32)
    found = place_beside(chain, np.array([0]), np.array([[2.0, 3.0]]))
    np.testing.assert_array_equal(found, np.tile([2.0, 3.0], (6, 1)))


def test_the_order_along_a_curve_keeps_every_neighbor():
    rng = np.random.default_rng(0)
    start = rng.normal(size=(300, 2))
    indices = rng.integers(0, 300, (300, 5)).astype(np.int32)
    graph = Neighbors(indices, rng.random((300, 5)).astype(np.float32), "euclidean")
    ordered = order_along_curve(start, graph)
    np.testing.assert_array_equal(ordered.undo(ordered.start), start)
    np.testing.assert_array_equal(ordered.undo(ordered.order[ordered.neighbors.indices]), indices)
    np.testing.assert_array_equal(ordered.undo(ordered.neighbors.distances), graph.distances)
    steps = np.linalg.norm(np.diff(ordered.start, axis=0), axis=1)
    assert np.median(steps) < 0.3 * np.median(np.linalg.norm(np.diff(start, axis=0), axis=1))


def test_points_that_lie_in_one_place_begin_there_apart_by_little():
    start = begin(np.ones((100, 2)), seed=0)
    assert 0 < start.std() < 0.01
    same = Neighbors(np.zeros((100, 1), np.int32), np.zeros((100, 1), np.float32), "euclidean")
    ordered = order_along_curve(np.zeros((100, 2)), same)
    np.testing.assert_array_equal(ordered.order, np.arange(100))


def test_the_sample_is_a_twentieth_drawn_by_the_seed():
    rows = draw_rows(10_000, 5)
    assert len(rows) == 500
    assert (np.diff(rows) > 0).all()
    assert rows[-1] < 10_000
    assert not np.array_equal(rows, draw_rows(10_000, 6))


def test_nothing_is_said_of_the_sample_alone(few_are_many, caplog):
    vectors = DIGITS.copy()
    vectors[:90] = 0
    found = TSNE(iterations=None).project(EmbeddingTable(vectors))
    assert found.params["initialization"] == "sample"
    assert [r.message for r in caplog.records if "zero vectors" in r.message] == [
        "90 zero vectors have no direction: at cosine distance 1 from all others"
    ]

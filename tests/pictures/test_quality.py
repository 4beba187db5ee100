"""How faithful a picture is, against scikit-learn, SciPy and plain NumPy."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist, pdist
from scipy.stats import spearmanr
from sklearn.manifold import trustworthiness

from embviz import PCA, TSNE, EmbeddingTable, Neighbors, Projection, measure_quality
from embviz.neighbors import build_graph
from embviz.pictures.quality import _nearest_placed, with_quality


def table_of(n: int, n_dims: int, seed: int = 0) -> EmbeddingTable:
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(6, n_dims)) * 3
    data = centers[rng.integers(0, 6, n)] + rng.normal(size=(n, n_dims))
    return EmbeddingTable(data.astype(np.float32))


def share_kept(original: np.ndarray, placed: np.ndarray, k: int) -> np.ndarray:
    """The share of the k nearest that are the same, by all distances in float64."""
    nearest = []
    for points in (original, placed):
        apart = cdist(points, points)
        np.fill_diagonal(apart, np.inf)
        nearest.append(np.argsort(apart, axis=1)[:, :k])
    return np.array([len(set(a) & set(b)) / k for a, b in zip(*nearest, strict=True)])


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_the_figures_are_those_of_their_definitions(metric: str) -> None:
    table = table_of(700, 20)
    found = measure_quality(table, PCA().project(table), build_graph(table, 15, metric))
    space = table.vectors.astype(float)
    if metric == "cosine":
        space = space / np.linalg.norm(space, axis=1, keepdims=True)
    assert [q.dims for q in found] == [2, 3]
    for q in found:
        placed = PCA().project(table).coordinates[:, : q.dims].astype(float)
        want = share_kept(space, placed, 10)
        np.testing.assert_allclose(q.kept, want, atol=1e-6)
        assert q.neighbors_kept == pytest.approx(want.mean(), abs=1e-6)
        assert q.sample == 700
        assert q.trustworthiness == pytest.approx(
            trustworthiness(space, placed, n_neighbors=10), abs=2e-4
        )
        assert q.rank_correlation == pytest.approx(
            spearmanr(pdist(space), pdist(placed)).statistic, abs=0.03
        )


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_a_picture_that_is_the_space_itself_keeps_everything(metric: str) -> None:
    table = table_of(300, 3)
    space = table.vectors.astype(float)
    moved = (
        3 * space + 5 if metric == "euclidean" else space / np.linalg.norm(space, axis=1)[:, None]
    )
    same = Projection("tsne", moved.astype(np.float32))
    (q,) = measure_quality(table, same, build_graph(table, 10, metric))
    assert q.neighbors_kept > 0.999
    assert q.trustworthiness > 0.9999
    assert q.rank_correlation > 0.9999


def test_of_many_points_a_sample_is_ranked_among_all() -> None:
    table = table_of(3000, 10)
    projection = PCA().project(table)
    found = measure_quality(table, projection, build_graph(table, 10))[0]
    space = table.vectors / np.linalg.norm(table.vectors, axis=1, keepdims=True)
    assert found.sample == 1000
    assert found.trustworthiness == pytest.approx(
        trustworthiness(space, projection.coordinates[:, :2], n_neighbors=10), abs=0.01
    )
    again = measure_quality(table, projection, build_graph(table, 10))[0]
    assert again.trustworthiness == found.trustworthiness
    assert again.kept.tobytes() == found.kept.tobytes()


def test_tsne_keeps_more_neighbors_than_the_two_first_components() -> None:
    table = table_of(400, 30)
    graph = build_graph(table, 90)
    by = {
        name: measure_quality(table, projector.project(table), graph)[0].neighbors_kept
        for name, projector in (("pca", PCA()), ("tsne", TSNE(iterations=300)))
    }
    assert by["tsne"] > by["pca"] + 0.1


def test_points_at_one_place_are_kept_whichever_is_named() -> None:
    table = EmbeddingTable(np.repeat(np.eye(4, dtype=np.float32), 30, axis=0))
    placed = np.repeat(np.array([[0, 0], [0, 9], [9, 0], [9, 9]], np.float32), 30, axis=0)
    graph = build_graph(table, 29, "euclidean")
    (q,) = measure_quality(table, Projection("umap", placed), graph)
    assert q.neighbors_kept == 1
    assert q.trustworthiness == 1


def test_the_nearest_in_a_picture_are_those_of_all_distances_wherever_points_coincide() -> None:
    rng = np.random.default_rng(0)
    for places in (1, 2, 7, 40):
        placed = rng.normal(size=(places, 2)).astype(np.float32)[rng.integers(0, places, 120)]
        near = _nearest_placed(placed, 9)
        apart = cdist(placed, placed)
        np.fill_diagonal(apart, np.inf)
        assert all(len(set(row)) == 9 for row in near.tolist())
        assert not (near == np.arange(120)[:, None]).any()
        found = np.take_along_axis(apart, near, axis=1)
        np.testing.assert_allclose(found, np.sort(apart, axis=1)[:, :9], atol=1e-12)


def test_many_points_at_one_place_take_no_longer_than_others() -> None:
    placed = np.zeros((150_000, 2), np.float32)
    placed[:100] = np.random.default_rng(0).normal(size=(100, 2))
    begun = time.process_time()
    near = _nearest_placed(placed, 10)
    assert time.process_time() - begun < 10  # Every point with every other takes a minute.
    assert not placed[near[200]].any()


def test_a_picture_of_other_points_is_refused() -> None:
    table = table_of(50, 4)
    graph = build_graph(table, 5)
    with pytest.raises(Exception, match="of 49 points where the table has 50"):
        measure_quality(table, PCA().project(table.take(list(range(49)))), graph)
    some = Neighbors(graph.indices[:7], graph.distances[:7], "cosine")
    with pytest.raises(Exception, match="of 7 points where the table has 50"):
        measure_quality(table, PCA().project(table), some)


@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(3, 40), scale=st.floats(1e-3, 1e3), seed=st.integers(0, 99), same=st.booleans()
)
def test_the_figures_are_within_their_ranges(n: int, scale: float, seed: int, same: bool) -> None:
    rng = np.random.default_rng(seed)
    table = EmbeddingTable(rng.normal(size=(n, 5)).astype(np.float32))
    placed = np.zeros((n, 2)) if same else rng.normal(size=(n, 2)) * scale
    graph = build_graph(table, min(n - 1, 12), "euclidean")
    (q,) = measure_quality(table, Projection("tsne", placed.astype(np.float32)), graph)
    assert 0 <= q.neighbors_kept <= 1
    assert -1e-9 <= q.trustworthiness <= 1
    assert -1 <= q.rank_correlation <= 1
    assert q.kept.shape == (n,)
    assert q.k == min(10, graph.indices.shape[1], (n - 1) // 2)


def test_what_was_measured_travels_with_the_projection() -> None:
    table = table_of(100, 8)
    plain = PCA().project(table)
    projection = with_quality(plain, measure_quality(table, plain, build_graph(table, 20)))
    assert set(projection.stats) == {*plain.stats, "quality"}
    assert projection.stats["quality"]["2"]["k"] == 10
    assert list(projection.per_point) == ["neighbors kept, 2D", "neighbors kept, 3D"]

"""What is computed on a device: neighbors, affinities, repulsion, maps, ranks."""

from __future__ import annotations

import numpy as np
import pytest
from openTSNE import affinity, nearest_neighbors
from sklearn.datasets import load_digits

from embviz.devices.numpy_arrays import NumPyArrays
from embviz.errors import ParameterError
from embviz.model import EmbeddingTable
from embviz.neighbors import build_graph, on_device
from embviz.neighbors.all_rows import find_all_neighbors
from embviz.pictures.quality import measure_qualities
from embviz.projections import PCA, TSNE, tsne_device, tsne_device_affinities, tsne_tears
from embviz.projections.tsne_device_affinities import find_affinities
from embviz.projections.tsne_device_repulsion import GridRepulsion, sum_repulsion
from embviz.projections.tsne_exact import sum_repulsion as sum_on_processor
from embviz.projections.tsne_tears import measure_tears
from embviz.space import open_space

RNG = np.random.default_rng(0)
DIGITS = load_digits().data.astype(np.float32)
TABLE = EmbeddingTable(DIGITS[:700])
FEW = EmbeddingTable(DIGITS[:300])


def opened(table, arrays):
    return open_space(table).with_arrays(arrays)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_the_graph_is_that_of_the_processor(arrays, metric, monkeypatch):
    monkeypatch.setattr(on_device, "QUERIES", 150)
    monkeypatch.setattr(on_device, "COLUMN_NUMBERS", 300 * 72)
    there = build_graph(TABLE, 20, metric, space=opened(TABLE, arrays))
    here = build_graph(TABLE, 20, metric)
    assert there.recall == here.recall == 1
    assert np.allclose(there.distances, here.distances, rtol=1e-6)
    assert (there.indices == here.indices).mean() > 0.999  # Those as near have any order.


def test_the_least_of_many_columns_are_found_by_the_least_of_groups(arrays):
    values = RNG.normal(size=(9, 3011)).astype(np.float32)
    least, places = on_device.smallest_of_many(arrays, arrays.put(values), 10)
    assert np.array_equal(arrays.get(least), np.sort(values, axis=1)[:, :10])
    assert np.array_equal(arrays.get(places), np.argsort(values, axis=1)[:, :10])


def test_duplicates_are_neighbors_at_0_and_zero_vectors_have_no_direction(arrays):
    vectors = RNG.normal(size=(90, 6)).astype(np.float32)
    vectors[40:60] = vectors[3]
    vectors[80:] = 0
    table = EmbeddingTable(vectors)
    there, here = (build_graph(table, 8, "cosine", space=opened(table, a)) for a in (arrays, None))
    assert np.allclose(there.distances, here.distances, rtol=1e-6)
    assert not there.distances[40:60].any()
    assert np.isin(there.indices[40:60], [3, *range(40, 60)]).all()
    assert np.array_equal(there.indices[80:], here.indices[80:])


def test_exact_neighbors_are_those_of_the_processor_row_for_row(arrays):
    there = find_all_neighbors(TABLE, 9, space=opened(TABLE, arrays))
    here = find_all_neighbors(TABLE, 9)
    assert np.array_equal(there.indices, here.indices)
    assert np.array_equal(there.distances, here.distances)


@pytest.mark.parametrize("n", [4, 5, 30])
def test_few_points_have_a_map(arrays, n):
    table = EmbeddingTable(DIGITS[:n])
    found = TSNE(iterations=20).project(table, opened(table, arrays))
    assert np.isfinite(found.coordinates).all()


def test_affinities_are_those_of_opentsne(arrays, monkeypatch):
    monkeypatch.setattr(tsne_device_affinities, "ROWS", 200)
    graph = build_graph(TABLE, 60, "euclidean")
    distances = graph.distances.astype(np.float64) / graph.distances.mean()
    squares = np.square(distances)
    squares -= squares.min(axis=1, keepdims=True)
    known = nearest_neighbors.PrecomputedNeighbors(graph.indices, np.sqrt(squares))
    wanted = affinity.PerplexityBasedNN(perplexity=20, knn_index=known).P.toarray()
    found = find_affinities(arrays, graph.indices, distances, 20, 10)[0]
    others, weights, owners = (arrays.get(x) for x in (found.others, found.weights, found.owners))
    dense = np.zeros_like(wanted)
    np.add.at(dense, (np.broadcast_to(owners, others.shape), others), weights)
    assert np.abs(dense - wanted).max() < 1e-6 * wanted.max()
    assert dense.sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("n_components", [2, 3])
@pytest.mark.parametrize(("scale", "off"), [(1e-4, 1e-5), (2, 6e-3)])
def test_repulsion_on_a_grid_is_that_of_all_pairs(arrays, n_components, scale, off):
    points = RNG.normal(size=(1200, n_components)) * scale
    wanted, total = sum_on_processor(points)
    held = arrays.put(np.ascontiguousarray(points.T))
    forces, found = sum_repulsion(arrays, held)
    assert np.allclose(arrays.get(forces).T, wanted, rtol=1e-9, atol=1e-12)
    assert found == pytest.approx(total, rel=1e-12)
    repulsion = GridRepulsion(arrays)
    forces, found = repulsion(held)
    assert np.linalg.norm(arrays.get(forces).T - wanted) < off * np.linalg.norm(wanted)
    assert found == pytest.approx(total, rel=off)
    assert repulsion.sum_affinity(held, 0.25) == pytest.approx(total, rel=off)


@pytest.mark.parametrize("n_components", [2, 3])
def test_a_map_is_as_good_as_that_of_the_processor(arrays, n_components):
    make = TSNE(n_components, metric="euclidean", iterations=60, perplexity=15)
    here, there = make.project(FEW), make.project(FEW, opened(FEW, arrays))
    assert there.stats["kl_divergence"] <= 1.01 * here.stats["kl_divergence"]
    assert len(there.frames.steps) == len(here.frames.steps)
    assert there.frames.figures["kl_divergence"][0] == here.frames.figures["kl_divergence"][0]
    assert there.params["device"] == arrays.title
    assert set(there.per_point) == set(here.per_point)


def test_a_map_on_the_grid_is_as_good_as_that_of_all_pairs(arrays, monkeypatch):
    make = TSNE(metric="euclidean", iterations=60, perplexity=15)
    exact = make.project(FEW, opened(FEW, arrays))
    monkeypatch.setattr(tsne_device, "EXACT_POINTS", 10)
    monkeypatch.setattr(tsne_device, "EXACT_TOTAL_POINTS", 10)
    grid = make.project(FEW, opened(FEW, arrays))
    assert (exact.params["gradient"], grid.params["gradient"]) == ("exact", "fourier")
    assert grid.stats["kl_divergence"] == pytest.approx(exact.stats["kl_divergence"], rel=0.01)


def test_the_same_device_gives_the_same_bytes(arrays, monkeypatch):
    monkeypatch.setattr(tsne_device, "EXACT_POINTS", 10)
    first, again = (TSNE(iterations=30).project(FEW, opened(FEW, arrays)) for _ in range(2))
    assert first.coordinates.tobytes() == again.coordinates.tobytes()


def test_torn_places_are_those_that_the_processor_finds(arrays, monkeypatch):
    graph = build_graph(FEW, 60, "euclidean")
    distances = graph.distances.astype(np.float64) / graph.distances.mean()
    known = nearest_neighbors.PrecomputedNeighbors(graph.indices, distances)
    p = affinity.PerplexityBasedNN(perplexity=20, knn_index=known).P
    points = TSNE(metric="euclidean").project(FEW).coordinates.astype(np.float64)
    gradient = tsne_device.DeviceGradient(
        find_affinities(arrays, graph.indices, distances, 20, 10)[0]
    )
    descent = tsne_device.DeviceDescent(points.copy(), gradient, 1)
    for module in (tsne_device, tsne_tears):
        monkeypatch.setattr(module, "choose_sums", lambda points: "grid 0.25")
    here, there = measure_tears(points, p), tsne_device._measure_tears(descent)
    both = np.isfinite(here.scores) & np.isfinite(there.scores)
    assert both.mean() > 0.9
    assert np.median(np.abs(there.scores[both] / here.scores[both] - 1)) < 1e-3


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("sampled", [False, True])
def test_the_quality_of_a_picture_is_what_the_processor_measures(
    arrays, metric, sampled, monkeypatch
):
    if sampled:
        monkeypatch.setattr("embviz.pictures.quality.count_sample", lambda *_, alone: 150)
    vectors = DIGITS[:500].copy()
    vectors[490:] = 0
    table = EmbeddingTable(vectors)
    pictures = [PCA().project(table)]
    here, there = (
        measure_qualities(opened(table, a), pictures, build_graph(table, 60, metric), 3)[0]
        for a in (None, arrays)
    )
    for a, b in zip(here, there, strict=True):
        assert dict(a.figures) == pytest.approx(dict(b.figures), abs=1e-6)
        assert np.allclose(a.kept, b.kept, equal_nan=True)
        assert np.allclose(a.trusted, b.trusted, atol=1e-3, equal_nan=True)
        assert np.allclose(a.continued, b.continued, atol=1e-3, equal_nan=True)


class Small(NumPyArrays):
    """A card that has memory for products and arrays of so many numbers."""

    title = "a small card"

    def __init__(self, most):
        self.most, self.products_done = most, 0

    def products(self, a, b):
        if a.shape[0] * b.shape[1] > self.most:
            raise MemoryError
        self.products_done += 1
        return super().products(a, b)


def test_a_card_with_little_memory_gives_the_same_in_smaller_blocks():
    small = Small(20 * 700)
    there = build_graph(TABLE, 20, "euclidean", space=opened(TABLE, small))
    assert small.products_done > 30
    large = build_graph(TABLE, 20, "euclidean", space=opened(TABLE, NumPyArrays()))
    assert np.array_equal(there.indices, large.indices)


def test_a_card_with_too_little_memory_is_refused_with_the_way_out():
    with pytest.raises(ParameterError) as refused:
        build_graph(TABLE, 20, "euclidean", space=opened(TABLE, Small(100)))
    assert str(refused.value) == (
        "a small card: has not enough free memory for the neighbors of 700 points; "
        "give --device cpu"
    )

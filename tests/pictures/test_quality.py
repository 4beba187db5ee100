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
from embviz.model import Metric
from embviz.neighbors import build_graph
from embviz.pictures.correlation import correlate_ranks
from embviz.pictures.near_places import nearest_placed
from embviz.pictures.original_ranks import list_original, open_original
from embviz.pictures.quality import count_sample, with_quality
from embviz.space import open_space


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


def space_of(table: EmbeddingTable, metric: str) -> np.ndarray:
    vectors = table.vectors.astype(float)
    if metric == "euclidean":
        return vectors
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("columns", [15, 90, 0])
def test_the_figures_are_those_of_their_definitions(metric: str, columns: int) -> None:
    table = table_of(700, 20)
    graph = build_graph(table, columns, metric) if columns else metric
    found = measure_quality(table, PCA().project(table), graph)
    space = space_of(table, metric)
    assert [q.dims for q in found] == [2, 3]
    for q in found:
        placed = PCA().project(table).coordinates[:, : q.dims].astype(float)
        np.testing.assert_allclose(q.kept, share_kept(space, placed, 10), atol=1e-6)
        assert q.sample == 700
        for k, name in ((10, ""), (50, "50")):
            # Continuity is trustworthiness with the spaces swapped.
            want = {
                "neighbors_kept": share_kept(space, placed, k).mean(),
                "trustworthiness": trustworthiness(space, placed, n_neighbors=k),
                "continuity": trustworthiness(placed, space, n_neighbors=k),
            }
            for figure, value in want.items():
                assert q.figures[figure + name] == pytest.approx(value, abs=1e-5), figure + name
        assert q.rank_correlation == pytest.approx(
            spearmanr(pdist(space), pdist(placed)).statistic, abs=0.03
        )
        assert not any(name.endswith("_se") for name in q.figures if name[0] != "r")


def test_the_figures_of_each_point_are_those_of_zadu() -> None:
    zadu = pytest.importorskip("zadu.measures.trustworthiness_continuity")
    table = table_of(500, 12)
    for q in measure_quality(table, PCA().project(table), "euclidean"):
        placed = PCA().project(table).coordinates[:, : q.dims].astype(float)
        for k in (10, 50):
            overall, local = zadu.measure(
                space_of(table, "euclidean"), placed, k=k, return_local=True
            )
            end = "" if k == 10 else "50"
            assert q.figures[f"trustworthiness{end}"] == pytest.approx(
                overall["trustworthiness"], abs=1e-5
            )
            assert q.figures[f"continuity{end}"] == pytest.approx(overall["continuity"], abs=1e-5)
            if k == 10:
                np.testing.assert_allclose(q.trusted, local["local_trustworthiness"], atol=1e-4)
                np.testing.assert_allclose(q.continued, local["local_continuity"], atol=1e-4)


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
    assert q.continuity > 0.9999
    assert q.rank_correlation > 0.9999


def test_of_many_points_a_sample_is_ranked_among_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embviz.pictures.quality._COST", 5e8)
    monkeypatch.setattr("embviz.pictures.quality._COST_ALONE", 5e8)
    table = table_of(2000, 10)
    projection = PCA().project(table)
    found = measure_quality(table, projection, build_graph(table, 10))[0]
    again = measure_quality(table, projection, build_graph(table, 10))[0]
    assert found.sample == 352
    assert found.figures == again.figures
    for name in ("kept", "trusted", "continued"):
        values = getattr(found, name)
        assert np.isfinite(values).all()
        assert values.tobytes() == getattr(again, name).tobytes()
    assert "neighbors_kept_se" not in found.figures
    assert {name for name in found.figures if name.endswith("_se")} == {
        *("trustworthiness_se", "continuity_se", "rank_correlation_se"),
        *("neighbors_kept50_se", "trustworthiness50_se", "continuity50_se"),
    }
    space, placed = space_of(table, "cosine"), projection.coordinates[:, :2]
    for name, value in (
        ("trustworthiness", trustworthiness(space, placed, n_neighbors=10)),
        ("continuity", trustworthiness(placed, space, n_neighbors=10)),
    ):
        assert abs(found.figures[name] - value) < 5 * found.figures[f"{name}_se"]


def test_without_neighbors_of_all_points_every_figure_is_of_a_sample() -> None:
    table = table_of(2500, 10)
    (found, _) = measure_quality(table, PCA().project(table), "euclidean")
    assert found.sample == count_sample(2500, 10, alone=True) < 2500
    for values in (found.kept, found.trusted, found.continued):
        assert np.isfinite(values).sum() == found.sample
    figures = {name for name in found.figures if not name.endswith("_se")}
    assert {f"{name}_se" for name in figures} == set(found.figures) - figures
    assert len(figures) == 7


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_neighbors_of_some_rows_are_the_same_beside_a_graph_and_without(metric: Metric) -> None:
    rng = np.random.default_rng(3)
    vectors = rng.standard_normal((900, 12)).astype(np.float32)
    vectors[::9] = vectors[4]  # Rounding leaves them unsure.
    vectors[100:140] = vectors[5] + rng.standard_normal((40, 12)).astype(np.float32) * 1e-6
    vectors[::50] = 0
    table = EmbeddingTable(vectors)
    exact = open_original(open_space(table), metric)
    rows = np.arange(0, 900, 3)
    few = build_graph(table, 3, metric)  # Too few to be taken from it.
    found = list_original(exact, rows, 20, few)
    assert found.tolist() == list_original(exact, rows, 20).tolist()


def test_the_error_of_the_rank_correlation_is_that_of_repeated_samples() -> None:
    rng = np.random.default_rng(1)
    for bend in (lambda x: x, np.square, np.round):
        found = []
        for _ in range(150):
            a = rng.normal(size=400)
            b = bend(a + rng.normal(size=400) / 2)
            value, error = correlate_ranks(a, b)
            assert value == pytest.approx(spearmanr(a, b).statistic, abs=1e-9)
            found.append((value, error))
        values, errors = np.array(found).T
        assert 0.85 < values.std() / errors.mean() < 1.15
    assert correlate_ranks(np.zeros(9), np.arange(9)) == (0, 0)


def test_so_many_points_are_ranked_as_time_allows() -> None:
    for n, d, alone in ((2_200, 100, True), (7_000, 100, False), (5_000, 784, False)):
        assert count_sample(n, d, alone) == n
    for alone in (False, True):
        assert count_sample(3, 5_000, alone) == 3
        assert count_sample(10_000, 784, alone) == 269
        assert count_sample(341_479, 100, alone) == 200


@pytest.mark.parametrize("size", [50, 200, 380])
@pytest.mark.parametrize("columns", [0, 12])
def test_the_standard_error_is_that_of_repeated_samples(
    size: int, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = table_of(400, 8)
    projection = PCA(2).project(table)
    near = build_graph(table, columns, "euclidean") if columns else "euclidean"
    (full,) = measure_quality(table, projection, near)
    assert full.sample == 400
    # Of many points the others are ranked among a part of them.
    monkeypatch.setattr("embviz.pictures.estimates.MOST", 60)
    monkeypatch.setattr("embviz.pictures.quality.count_sample", lambda *_, alone: size)
    drawn = [measure_quality(table, projection, near, seed=i)[0] for i in range(40)]
    for name in ("neighbors_kept", "trustworthiness", "continuity"):
        for figure in (name, f"{name}50"):
            off = np.array([q.figures[figure] - full.figures[figure] for q in drawn])
            if columns and figure == "neighbors_kept":
                np.testing.assert_allclose(off, 0, atol=1e-6)
                continue
            told = np.array([q.figures[f"{figure}_se"] for q in drawn])
            # A root mean square of 40 is off by 11 %; without the factor for a finite population
            # it would be by 41 % at half of the points, and by 4.5 times at 380.
            assert 0.72 < np.sqrt(np.mean(off**2)) / np.sqrt(np.mean(told**2)) < 1.33, figure
            assert abs(off.mean()) < 4 * told.mean() / np.sqrt(len(drawn)), figure


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_points_that_are_not_in_the_sample_are_estimated_where_neighbors_are_known(
    metric: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = table_of(2000, 15)
    graph, projection = build_graph(table, 12, metric), PCA().project(table)
    full = measure_quality(table, projection, graph)
    monkeypatch.setattr("embviz.pictures.quality.count_sample", lambda *_, alone: 100)
    for want, found in zip(full, measure_quality(table, projection, graph), strict=True):
        np.testing.assert_array_equal(found.kept, want.kept)
        for name in ("trusted", "continued"):
            off = getattr(found, name) - getattr(want, name)
            assert np.sqrt(np.mean(off**2)) < 0.012
            assert np.abs(off).max() < 0.08
            assert (off == 0).sum() >= 100
        # What the estimates are off by is all that the sample must tell.
        assert found.figures["trustworthiness_se"] < 0.002
        assert abs(found.trustworthiness - want.trustworthiness) < 0.006


def test_copies_of_a_vector_are_no_missing_neighbors_of_each_other_wherever_they_are_placed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    table = EmbeddingTable(np.repeat(rng.normal(size=(20, 5)), 60, axis=0).astype(np.float32))
    spots = np.repeat(rng.normal(size=(20, 2)) * 100, 60, axis=0) + rng.normal(size=(1200, 2))
    placed = Projection("tsne", spots.astype(np.float32))
    graph = build_graph(table, 30, "euclidean")
    for near in (graph, "euclidean"):
        (q,) = measure_quality(table, placed, near)
        assert {q.figures[n] for n in ("continuity", "continuity50", "trustworthiness")} == {1}
        assert q.neighbors_kept == 1
    monkeypatch.setattr("embviz.pictures.quality.count_sample", lambda *_, alone: 100)
    (q,) = measure_quality(table, placed, graph)
    assert (np.nanmin(q.continued), np.nanmin(q.trusted)) == (1, 1)


def test_a_picture_in_one_place_tears_nothing_and_shows_false_neighbors() -> None:
    table = table_of(300, 5)
    (q,) = measure_quality(table, Projection("tsne", np.zeros((300, 2), np.float32)), "euclidean")
    assert q.continuity == 1
    assert q.trustworthiness == pytest.approx(0.5, abs=0.08)


def test_zero_vectors_are_at_distance_1_from_all_others_under_cosine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vectors = table_of(300, 5).vectors.copy()
    vectors[:40] = 0
    table = EmbeddingTable(vectors)
    projection = PCA(2).project(table)
    units = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    apart = 1 - units.astype(float) @ units.T
    np.fill_diagonal(apart, 0)
    graph = build_graph(table, 12)
    rows = np.arange(40, 300)
    for near in (graph, "cosine"):
        (q,) = measure_quality(table, projection, near)
        placed = projection.coordinates.astype(float)
        found = np.argsort(cdist(placed, placed) + np.eye(300) * 1e9, axis=1)[rows, :10]
        own = np.take_along_axis(apart[rows], found, axis=1)
        # Of some distances that are equal, as all those from a zero vector, none is nearer.
        nearer = (apart[rows][:, None, :] < own[:, :, None] * (1 - 1e-6)).sum(axis=2)
        false = np.maximum(nearer - 10, 0).sum(axis=1)  # The point itself is among the nearer.
        want = 1 - false / (10 * (600 - 30 - 1) / 2)
        np.testing.assert_allclose(q.trusted[rows], want, atol=2e-3)
        assert (q.trusted[:40] == 1).all()
    monkeypatch.setattr("embviz.pictures.quality.count_sample", lambda *_, alone: 30)
    (q,) = measure_quality(table, projection, graph)
    assert 0 < np.isnan(q.trusted).sum() < 300
    assert "trustworthiness_se" in q.figures


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
    assert q.continuity == 1


def test_the_nearest_in_a_picture_are_those_of_all_distances_wherever_points_coincide() -> None:
    rng = np.random.default_rng(0)
    for places in (1, 2, 7, 40):
        placed = rng.normal(size=(places, 2)).astype(np.float32)[rng.integers(0, places, 120)]
        near = nearest_placed(placed, 9)
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
    near = nearest_placed(placed, 10)
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
    assert -1e-9 <= q.continuity <= 1
    for values in (q.kept, q.trusted, q.continued):
        assert values.min() >= -1e-6
        assert values.max() <= 1
    assert -1 <= q.rank_correlation <= 1
    assert q.kept.shape == (n,)
    assert q.k == min(10, graph.indices.shape[1], (n - 1) // 2)


def test_what_was_measured_travels_with_the_projection() -> None:
    table = table_of(100, 8)
    plain = PCA().project(table)
    projection = with_quality(plain, measure_quality(table, plain, build_graph(table, 20)))
    assert set(projection.stats) == {*plain.stats, "quality"}
    assert projection.stats["quality"]["2"]["k"] == 10
    names = ("neighbors kept", "trustworthiness", "continuity")
    assert list(projection.per_point) == [f"{name}, {d}D" for d in (2, 3) for name in names]

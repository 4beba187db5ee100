"""What changed between two tables, against NumPy in float64, SciPy and counts by hand."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import procrustes
from scipy.spatial.distance import cdist

import embviz
from embviz.comparison.compare import short_names
from embviz.comparison.figures import calibrate
from embviz.errors import LoadError, ParameterError
from embviz.model import EmbeddingTable, Metric

METRICS: tuple[Metric, ...] = ("cosine", "euclidean")


def two_sides(
    n: int = 300, noise: float = 0.5, width: int = 12
) -> tuple[NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(3)
    a = rng.standard_normal((n, 8))
    return a, np.concatenate(
        [a + noise * rng.standard_normal(a.shape), rng.standard_normal((n, width - 8))], 1
    )


def oracle(a: Any, b: Any, metric: Metric, k: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """The overlap of the k nearest, and the ranks in B of A's 10 nearest, from all distances."""
    apart = [cdist(x, x, metric) for x in (a, b)]
    for distances in apart:
        np.fill_diagonal(distances, np.inf)
    near = [np.argsort(distances, axis=1, kind="stable") for distances in apart]
    common = [len({*x[:k]} & {*y[:k]}) / k for x, y in zip(*near, strict=True)]
    places = [[y.tolist().index(j) + 1 for j in x[:10]] for x, y in zip(*near, strict=True)]
    return np.array(common), np.array(places)


@pytest.mark.parametrize("metric", METRICS)
def test_neighbors_in_common_and_ranks_are_those_of_all_distances(metric: Metric) -> None:
    a, b = two_sides()
    found = embviz.compare(a, b, metric=metric)
    common, ranks = oracle(a, b, metric, 10)
    np.testing.assert_array_equal(found.overlap10, common)
    np.testing.assert_array_equal(found.overlap50, oracle(a, b, metric, 50)[0])
    np.testing.assert_array_equal(found.ranks_in_b, ranks)
    np.testing.assert_array_equal(found.ranks_in_a, oracle(b, a, metric, 10)[1])
    figures = found.figures
    assert figures["overlap10"] == pytest.approx(common.mean())
    assert figures["overlap10_calibrated"] == pytest.approx(
        (common.mean() - 10 / 299) / (1 - 10 / 299)
    )
    assert figures["rank_median"] == np.median(ranks)
    assert [figures["rank_q1"], figures["rank_q3"]] == np.percentile(ranks, [25, 75]).tolist()
    moved = np.abs(np.hstack([ranks, oracle(b, a, metric, 10)[1]]) - [*range(1, 11), *range(1, 11)])
    np.testing.assert_allclose(found.displacement, moved.mean(axis=1))


@pytest.mark.parametrize("metric", METRICS)
def test_a_sample_is_compared_with_all_points(metric: Metric) -> None:
    a, b = two_sides()
    found = embviz.compare(a, b, metric=metric, sample=40)
    common, ranks = oracle(a, b, metric, 10)
    assert len(found.compared) == 40
    np.testing.assert_array_equal(found.overlap10, common[found.compared])
    np.testing.assert_array_equal(found.ranks_in_b, ranks[found.compared])


def test_neighbors_that_left_and_came_are_the_differences_of_both_lists() -> None:
    a, b = two_sides()
    found = embviz.compare(a, b)
    for row in range(0, 300, 7):
        here, there = (
            set(n.indices[row, :10].tolist()) for n in (found.neighbors_a, found.neighbors_b)
        )
        assert set(found.neighbors_a.indices[row, :10][found.left[row]].tolist()) == here - there
        assert set(found.neighbors_b.indices[row, :10][found.came[row]].tolist()) == there - here


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("metric", METRICS)
def test_a_copy_that_is_turned_scaled_and_shifted_has_all_neighbors_in_common(
    metric: Metric, dtype: Any
) -> None:
    from sklearn.datasets import load_digits

    digits = load_digits().data  # Whole numbers: many distances are equal.
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((64, 64)))[0]
    shift = 0 if metric == "cosine" else 9
    found = embviz.compare(
        digits.astype(dtype), (3 * digits @ turn + shift).astype(dtype), metric=metric
    )
    assert (found.overlap10 == 1).all()
    assert found.overlap50 is not None
    assert (found.overlap50 == 1).all()
    assert not found.left.any()
    assert not found.came.any()
    assert cast(float, found.figures["procrustes_residual"]) < 1e-9
    assert found.displacement.max() < 1


@pytest.mark.parametrize("metric", METRICS)
def test_equal_inputs_have_all_in_common_and_nothing_moves(metric: Metric) -> None:
    rng = np.random.default_rng(1)
    vectors = rng.integers(0, 3, (200, 3)).astype(np.float32)  # Full of equal and of zero rows.
    found = embviz.compare(vectors, vectors, metric=metric)
    assert (found.overlap10 == 1).all()
    assert not found.displacement.any()
    assert found.figures["overlap50_calibrated"] == 1


def test_a_permuted_copy_has_what_chance_gives() -> None:
    rng = np.random.default_rng(2)
    vectors = rng.standard_normal((2000, 10))
    found = embviz.compare(vectors, vectors[rng.permutation(2000)])
    chance = 10 / 1999
    assert found.figures["overlap10"] == pytest.approx(chance, abs=0.002)
    assert found.figures["overlap10_calibrated"] == pytest.approx(0, abs=0.002)
    assert found.figures["overlap10_random"] == pytest.approx(chance, abs=0.003)
    assert found.figures["rank_median"] == pytest.approx(1000, abs=60)
    assert cast(float, found.figures["procrustes_residual"]) > 0.95


def test_points_in_few_places_have_no_more_in_common_than_chance() -> None:
    rng = np.random.default_rng(5)
    places = rng.integers(0, 2, (400, 3)) + 1.0  # 50 points a place, all equally near.
    found = embviz.compare(places, rng.standard_normal((400, 6)), metric="euclidean")
    assert found.figures["overlap10_calibrated"] == pytest.approx(0, abs=0.01)


def test_points_that_changed_places_are_those_that_changed() -> None:
    rng = np.random.default_rng(4)
    clusters = np.repeat(20 * rng.standard_normal((20, 6)), 50, axis=0)
    a = clusters + rng.standard_normal((1000, 6))
    b = a.copy()
    swapped = np.r_[0:25, 500:525]  # Half of one cluster and half of another.
    b[0:25], b[500:525] = a[500:525], a[0:25]
    found = embviz.compare(a, b, metric="euclidean")
    stayed = np.setdiff1d(np.arange(1000), np.r_[0:50, 500:550])
    assert (found.overlap10[stayed] == 1).all()
    worst = np.argsort(found.overlap10, kind="stable")[:50]
    assert set(worst.tolist()) <= {*range(50), *range(500, 550)}
    assert found.overlap10[swapped].mean() < 0.75


def test_how_much_is_a_rotation_is_what_scipy_says() -> None:
    a, b = two_sides(width=8)
    expected = procrustes(a, b)[2]
    assert embviz.compare(a, b).figures["procrustes_residual"] == pytest.approx(expected)
    huge = embviz.compare(a * 1e200, b * 1e-200)
    assert huge.figures["procrustes_residual"] == pytest.approx(expected)
    assert embviz.compare(*two_sides(width=9)).figures["procrustes_residual"] is None


def test_each_group_has_its_own_figures() -> None:
    a, b = two_sides()
    kinds = ["odd" if i % 3 else "third" for i in range(300)]
    found = embviz.compare(EmbeddingTable(a, {"kind": kinds}), b)
    third = np.arange(0, 300, 3)
    figures = found.by_group["kind"]["third"]
    assert figures["n"] == 100
    assert figures["overlap10"] == pytest.approx(found.overlap10[third].mean())
    assert figures["rank_median"] == np.median(found.ranks_in_b[third])
    assert list(found.by_group["kind"]) == ["odd", "third"]
    with pytest.raises(ParameterError, match="--group-by"):
        embviz.compare(a, b, group_by="no such column")


def test_an_overlap_that_cannot_say_anything_is_none() -> None:
    a, b = two_sides(n=45)
    assert embviz.compare(a, b).figures["overlap50"] is None
    assert calibrate(1.0, 50, 51) is None
    with pytest.raises(LoadError, match="11 points in common, 12 are needed"):
        embviz.compare(a[:11], b[:11])


def test_a_vector_that_is_not_finite_is_named() -> None:
    a, b = two_sides()
    b[7, 0] = np.nan
    with pytest.raises(LoadError, match="1 of 300 rows hold NaN or infinity, the first is row 7"):
        embviz.compare(a, b)


def test_points_of_one_side_only_are_told_by_their_labels() -> None:
    a, b = two_sides()
    names = [f"p{i}" for i in range(300)]
    left = EmbeddingTable(a, {"name": names}, source="a.npy")
    right = EmbeddingTable(b, {"name": [*names[1:], "new"]}, source="b.npy")
    found = embviz.compare(left, right)
    assert (found.only_a, found.only_b) == (("p0",), ("new",))
    assert found.n_matched == 299
    assert found.names == ("a.npy", "b.npy")
    assert found.matched_by == "label"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a.npy", "b.npy", ("a.npy", "b.npy")),
        ("/home/me/a.npy", "/home/me/b.npy", ("a.npy", "b.npy")),
        ("/home/me/run1/model", "/home/me/run2/model", ("run1/model", "run2/model")),
        ("/home/me/model", "model", ("me/model", "model")),
        ("/home/me/a.npy", "/home/me/a.npy", ("a.npy", "a.npy")),
        ("C:\\runs\\a.npy", "old/b.npy", ("a.npy", "old/b.npy")),
        ("", "/x/b.npy", ("", "b.npy")),
    ],
)
def test_sides_are_named_without_a_place_on_this_machine(
    one: str, other: str, expected: tuple[str, str]
) -> None:
    assert short_names(one, other) == expected

"""The nearest of chosen points, of rows that are none of them, against scikit-learn and float64."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from embviz.model import EmbeddingTable, Metric
from embviz.neighbors import landmarks
from embviz.neighbors.landmarks import Landmarks, open_landmarks
from embviz.neighbors.views import view_of
from embviz.space import Normalize, open_space


def opened(
    points: NDArray[np.float32], metric: Metric, normalize: Normalize = "none", n_asked: int = 1000
) -> Landmarks:
    view = view_of(open_space(EmbeddingTable(points), normalize), metric)
    return open_landmarks(view, points, 5, n_asked, seed=0)


def seen(
    rows: NDArray[np.float32], points: NDArray[np.float32], normalize: str
) -> NDArray[np.float64]:
    wide, mean = rows.astype(np.float64), points.astype(np.float64).mean(axis=0)
    if normalize == "none":
        return wide
    wide = wide - mean
    return wide / np.linalg.norm(wide, axis=1, keepdims=True) if normalize == "sphere" else wide


@pytest.mark.parametrize("normalize", get_args(Normalize))
@pytest.mark.parametrize("metric", get_args(Metric))
def test_the_nearest_points_are_those_that_scikit_learn_finds(
    metric: Metric, normalize: Normalize
) -> None:
    rng = np.random.default_rng(0)
    points = (rng.normal(size=(300, 12)) + 3).astype(np.float32)
    rows = (rng.normal(size=(200, 12)) + 3).astype(np.float32)
    found, lengths = opened(points, metric, normalize).nearest(rows, 5)
    oracle = NearestNeighbors(n_neighbors=5, metric=metric, algorithm="brute")
    oracle.fit(seen(points, points, normalize))
    distances, expected = oracle.kneighbors(seen(rows, points, normalize))
    np.testing.assert_array_equal(found, expected)
    told = opened(points, metric, normalize).view.tell(lengths)
    np.testing.assert_allclose(told, distances, rtol=1e-4)


def test_a_row_that_is_a_point_has_it_at_no_distance_and_the_first_of_equal_ones() -> None:
    rng = np.random.default_rng(1)
    points = rng.normal(size=(50, 6)).astype(np.float32)
    points[30] = points[7]
    found, lengths = opened(points, "euclidean").nearest(points, 3)
    assert lengths[:, 0].max() == 0
    expected = np.arange(50)
    expected[30] = 7
    np.testing.assert_array_equal(found[:, 0], expected)


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1e12, 1e30])
def test_the_unit_of_the_vectors_changes_no_neighbor(scale: float) -> None:
    rng = np.random.default_rng(2)
    points, rows = rng.normal(size=(60, 4)), rng.normal(size=(20, 4))
    plain = opened(points.astype(np.float32), "euclidean").nearest(rows.astype(np.float32), 4)
    wide, asked = (points * scale).astype(np.float32), (rows * scale).astype(np.float32)
    scaled = opened(wide, "euclidean").nearest(asked, 4)
    np.testing.assert_array_equal(scaled[0], plain[0])


def test_points_far_from_zero_keep_the_digits_of_their_differences() -> None:
    rng = np.random.default_rng(3)
    points = rng.normal(size=(400, 5)) + 1e6
    rows = rng.normal(size=(50, 5)) + 1e6
    found, _ = open_landmarks(
        view_of(open_space(EmbeddingTable(points)), "euclidean"), points, 5, 50, 0
    ).nearest(rows, 5)
    expected = np.linalg.norm(rows[:, None] - points, axis=2).argsort(axis=1)[:, :5]
    np.testing.assert_array_equal(found, expected)


def test_a_zero_row_is_as_far_from_all_points_under_cosine() -> None:
    points = np.random.default_rng(4).normal(size=(30, 3)).astype(np.float32)
    marks = opened(points, "cosine")
    found, lengths = marks.nearest(np.zeros((2, 3), np.float32), 3)
    np.testing.assert_array_equal(found, [[0, 1, 2]] * 2)
    np.testing.assert_allclose(marks.view.tell(lengths), 1)


def test_a_zero_point_is_near_to_zero_rows_only_under_cosine() -> None:
    points = np.random.default_rng(4).normal(size=(30, 3)).astype(np.float32)
    points[11] = 0
    rows = np.vstack([np.zeros(3), -points.mean(axis=0)]).astype(np.float32)
    found, lengths = opened(points, "cosine").nearest(rows, 29)
    assert (found[0, 0], lengths[0, 0]) == (11, 0)
    assert 11 not in found[1]


def test_many_points_at_one_distance_do_not_change_what_is_near() -> None:
    points = np.vstack([np.eye(40), -np.eye(40), np.full((1, 40), 0.01)]).astype(np.float32)
    rows = np.vstack([np.zeros(40), 0.9 * np.eye(40)[3]]).astype(np.float32)
    found, lengths = opened(points, "euclidean").nearest(rows, 4)
    assert found[:, 0].tolist() == [80, 3]
    expected = np.sort(np.linalg.norm(rows[:, None].astype(np.float64) - points, axis=2))[:, :4]
    np.testing.assert_allclose(lengths, expected, rtol=1e-6)


@pytest.mark.parametrize("n_dims", [16, 130])
def test_codes_find_as_many_of_the_true_neighbors_as_is_told(
    monkeypatch: pytest.MonkeyPatch, n_dims: int
) -> None:
    monkeypatch.setattr(landmarks, "_FLAT_ROW", 0)
    monkeypatch.setattr(landmarks, "_FLAT_ALL", 0)
    rng = np.random.default_rng(5)
    centers = 4 * rng.normal(size=(60, n_dims))
    every = centers[rng.integers(0, 60, 7000)] + rng.normal(size=(7000, n_dims))
    points, rows = every[:5000].astype(np.float32), every[5000:].astype(np.float32)
    marks = opened(points, "euclidean")
    assert marks.coded is not None
    found, lengths = marks.nearest(rows, 5)
    true = NearestNeighbors(n_neighbors=5, algorithm="brute").fit(points).kneighbors(rows)[1]
    recall = np.mean([len(set(a) & set(b)) / 5 for a, b in zip(found, true, strict=True)])
    assert marks.recall >= landmarks.WANTED_RECALL
    assert recall == pytest.approx(marks.recall, abs=0.04)
    own = np.linalg.norm(rows[:, None].astype(np.float64) - points[found], axis=2)
    np.testing.assert_allclose(lengths, own, rtol=1e-4)

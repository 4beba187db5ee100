"""All pairs, each multiplied once, against all distances of NumPy in float64."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from embviz.neighbors import nearest_pairs, pairs
from embviz.neighbors.nearest_pairs import Nearest, sample_thresholds
from embviz.neighbors.pairs import Tile, augment_points, visit_pairs

RNG = np.random.default_rng(5)


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "HIGH", 24)
    monkeypatch.setattr(pairs, "WIDE", 70)
    monkeypatch.setattr(nearest_pairs, "_SAMPLED", 60)


def some_points(n: int = 301) -> NDArray[np.float32]:
    return RNG.standard_normal((n, 9)).astype(np.float32)


def squares_of(points: NDArray[np.float32]) -> NDArray[Any]:
    out = cdist(points.astype(float), points.astype(float), "sqeuclidean")
    np.fill_diagonal(out, np.inf)
    return out


def augmented(points: NDArray[np.float32]) -> NDArray[np.float32]:
    return augment_points(points, np.arange(len(points)))


@pytest.mark.parametrize("n_asked", [301, 100, 24, 1])
def test_each_pair_of_the_points_asked_for_is_seen_once_in_each_direction(n_asked: int) -> None:
    points = some_points()
    seen, squares = np.zeros((301, 301), int), np.zeros((301, 301))
    lock = threading.Lock()

    class Look:
        def visit(self, tile: Tile) -> None:
            with lock:
                seen[tile.rows, tile.columns] += 1
                squares[tile.rows, tile.columns] = tile.squares
                if not tile.both_ways:
                    seen[tile.columns, tile.rows] += 1
                    squares[tile.columns, tile.rows] = tile.squares.T

    done: list[int] = []
    visit_pairs(augmented(points), n_asked, [Look()], done.append)
    assert (seen[:n_asked] == 1).all()
    np.testing.assert_allclose(squares[:n_asked], squares_of(points)[:n_asked], rtol=1e-4)
    assert max(done) == n_asked


def test_an_error_of_a_visitor_ends_the_pass() -> None:
    class Refuse:
        def visit(self, tile: Tile) -> None:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        visit_pairs(augmented(some_points()), 301, [Refuse()])


@pytest.mark.parametrize("n_asked", [301, 100])
@pytest.mark.parametrize("height", [np.inf, 12.0])
def test_the_nearest_others_are_found_under_any_threshold(n_asked: int, height: float) -> None:
    points = some_points()
    nearest = Nearest(np.full(n_asked, height, np.float32), 9)
    visit_pairs(augmented(points), n_asked, [nearest])
    others, last, missed = nearest.found()
    squares = squares_of(points)[:n_asked]
    np.testing.assert_array_equal(missed, (squares < height).sum(axis=1) < 9)
    order = np.argsort(squares, axis=1)[:, :9]
    np.testing.assert_array_equal(np.sort(others[~missed]), np.sort(order[~missed]))
    np.testing.assert_allclose(last[~missed], np.sort(squares)[~missed, 8], rtol=1e-4)


def test_others_below_limits_are_counted_though_they_are_thrown_away() -> None:
    points = some_points()
    squares = squares_of(points)
    limits = np.sort(squares)[:, [5, 40, 2]].astype(np.float32) * np.float32(1.0001)
    limits[::3, 1] = -np.inf
    nearest = Nearest(np.full(301, 40, np.float32), 9)
    doubted = np.zeros((3, 301, 301), int)
    nearest.count(
        limits * np.float32(0.99),
        limits,
        lambda point, limit, other: np.add.at(doubted, (limit, point, other), 1),
    )
    visit_pairs(augmented(points), 301, [nearest])
    for column in range(3):
        low = squares < limits[:, [column]] * np.float32(0.99)
        np.testing.assert_array_equal(nearest.nearer[:, column], low.sum(axis=1))
        np.testing.assert_array_equal(doubted[column], (squares < limits[:, [column]]) & ~low)


def test_a_sample_leaves_few_points_with_too_low_a_threshold() -> None:
    points = some_points(2000)
    below = (squares_of(points) < sample_thresholds(points, 100)[:, None]).sum(axis=1)
    assert (below < 100).mean() < 0.02
    assert below.mean() < 700

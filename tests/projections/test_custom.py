"""Axes between the centroids of queries, against their arithmetic in float64."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable
from embviz.projections.custom import Axes, find_centroid
from embviz.projections.pca import PCA

RNG = np.random.default_rng(0)
WORDS = (
    "best",
    "asbestos",
    "worst",
    "Best",
    "good",
    "bad",
    "goodness",
    *(f"w{i}" for i in range(93)),
)
VECTORS = RNG.normal(2, 1, size=(100, 8)).astype(np.float32)
TABLE = EmbeddingTable(VECTORS, {"word": WORDS, "kind": tuple("ab" * 50)}, source="words.npy")


def unit(v):
    return v / np.linalg.norm(v)


def test_a_coordinate_is_the_raw_vector_along_the_direction_between_centroids():
    found = Axes((("=worst", "good"), ("kind:=a", "kind:=b"))).project(TABLE)
    x = VECTORS.astype(np.float64)
    first = unit(x[[4, 6]].mean(axis=0) - x[2])
    second = unit(x[1::2].mean(axis=0) - x[::2].mean(axis=0))
    np.testing.assert_allclose(found.coordinates, x @ np.stack([first, second]).T, rtol=1e-5)
    np.testing.assert_allclose(found.directions, [first, second], atol=1e-6)
    assert found.axes == ("worst → good", "kind:=a → kind:=b")
    assert found.params["axes"] == [
        {"from": "=worst", "to": "good", "n_from": 1, "n_to": 2},
        {"from": "kind:=a", "to": "kind:=b", "n_from": 50, "n_to": 50},
    ]


def test_axes_that_are_not_given_are_components_of_what_is_left():
    found = Axes((("=worst", "=best"),), n_components=3).project(TABLE)
    x = VECTORS.astype(np.float64)
    axis = unit(x[0] - x[2])
    centered = x - x.mean(axis=0)
    rest = centered - np.outer(centered @ axis, axis)
    _, singular, directions = np.linalg.svd(rest, full_matrices=False)
    expected = rest @ directions[:2].T
    expected *= np.sign((expected * found.coordinates[:, 1:]).sum(axis=0))
    np.testing.assert_allclose(found.coordinates[:, 1:], expected, atol=1e-5)
    filled = found.params["axes"][1:]
    shares = singular[:2] ** 2 / (centered**2).sum()
    np.testing.assert_allclose([f["share"] for f in filled], shares, rtol=1e-7)
    offsets = np.array([0] + [f["offset"] for f in filled])
    np.testing.assert_allclose(found.coordinates, VECTORS @ found.directions.T - offsets, atol=1e-5)
    np.testing.assert_allclose(found.directions @ found.directions.T, np.eye(3), atol=1e-6)


def test_axes_are_defined_on_the_whole_table_and_filled_from_the_part():
    part = TABLE.take(range(10, 60))
    found = Axes((("=worst", "=best"),), whole=TABLE).project(part)
    everything = Axes((("=worst", "=best"),)).project(TABLE)
    np.testing.assert_array_equal(found.coordinates[:, 0], everything.coordinates[10:60, 0])
    assert np.abs(found.coordinates[:, 1].mean()) < 1e-5
    with pytest.raises(ParameterError, match="matches none of 50 points"):
        Axes((("=worst", "=best"),)).project(part)


@given(st.floats(-50, 50), st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_moving_all_points_along_an_axis_moves_their_coordinates(step, seed):
    x = np.random.default_rng(seed).normal(size=(12, 4))
    table = EmbeddingTable(x, {"word": tuple("abcdefghijkl")})
    axis = unit(x[1] - x[0])
    moved = EmbeddingTable(x + step * axis, table.metadata)
    before, after = (Axes((("=a", "=b"),)).project(t).coordinates for t in (table, moved))
    np.testing.assert_allclose(after[:, 0], before[:, 0] + step, atol=1e-4)
    np.testing.assert_allclose(np.abs(after[:, 1]), np.abs(before[:, 1]), atol=1e-4)


def test_the_opposite_axis_has_the_opposite_coordinates():
    there = Axes((("=worst", "=best"),)).project(TABLE).coordinates[:, 0]
    back = Axes((("=best", "=worst"),)).project(TABLE).coordinates[:, 0]
    np.testing.assert_array_equal(there, -back)


def test_what_a_query_matched_is_said(caplog):
    with caplog.at_level(logging.INFO, "embviz"):
        Axes((("=worst", "best"),)).project(TABLE)
    assert caplog.messages == [
        "axis 1: '=worst' matches 1 point (worst)",
        "axis 1: 'best' matches 3 points (best, asbestos, …); '=best' for the whole word",
    ]


def test_a_query_without_a_match_is_refused_by_name():
    with pytest.raises(ParameterError, match="query '=besst': it matches none of 100 points") as e:
        Axes((("=worst", "=besst"),)).project(TABLE)
    assert "close to it: best" in str(e.value)


@pytest.mark.parametrize("pair", [("=best", "=best"), ("kind:=a", "kind:a")])
def test_an_axis_between_equal_centroids_is_refused(pair):
    with pytest.raises(ParameterError, match="has no direction"):
        Axes((pair,)).project(TABLE)


@pytest.mark.parametrize("axes", [(), (("a", "b"),) * 4])
def test_other_than_one_to_three_axes_are_refused(axes):
    with pytest.raises(ParameterError, match="1 to 3"):
        Axes(axes).project(TABLE)


def test_the_same_axis_twice_is_drawn_twice():
    found = Axes((("=worst", "=best"),) * 2, n_components=3).project(TABLE)
    np.testing.assert_array_equal(found.coordinates[:, 0], found.coordinates[:, 1])
    assert np.isfinite(found.coordinates).all()


def test_one_dimension_and_one_point_are_drawn_on_the_axis_alone():
    line = EmbeddingTable(np.array([[1.0], [4.0], [9.0]]), {"word": ("a", "b", "c")})
    assert Axes((("=a", "=b"),)).project(line).coordinates.tolist() == [[1], [4], [9]]
    alone = Axes((("=worst", "=best"),), whole=TABLE).project(TABLE.take([4]))
    assert alone.coordinates.shape == (1, 1)


@pytest.mark.parametrize("scale", [1e30, 1e-30])
def test_extreme_values_keep_their_coordinates(scale):
    table = EmbeddingTable((VECTORS * scale).astype(np.float32), TABLE.metadata)
    found = Axes((("=worst", "=best"),)).project(table).coordinates
    plain = Axes((("=worst", "=best"),)).project(TABLE).coordinates
    np.testing.assert_allclose(found.astype(np.float64) / scale, plain, atol=1e-4)


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_coordinates_beyond_float32_are_shown_in_a_recorded_unit(size):
    table = EmbeddingTable(VECTORS.astype(np.float64) * size, TABLE.metadata)
    found = Axes((("=worst", "=best"),)).project(table)
    unit = found.params["unit"]
    assert unit != 1
    plain = Axes((("=worst", "=best"),)).project(TABLE)
    assert "unit" not in plain.params
    np.testing.assert_allclose(found.coordinates * (unit / size), plain.coordinates, atol=1e-5)
    offsets = [entry["offset"] for entry in (found.params["axes"][1], plain.params["axes"][1])]
    assert offsets[0] * (unit / size) == pytest.approx(offsets[1], abs=1e-5)


@pytest.mark.parametrize("size", [1e4, 1e7, 1e12])
def test_what_is_filled_is_found_beside_an_axis_of_nearly_all_variance(size):
    x = RNG.normal(size=(400, 5)) * [1, 3, 2, 1, 1]
    x[:, 0] *= size
    x[:2] = [[-size, 0, 0, 0, 0], [size, 0, 0, 0, 0]]
    table = EmbeddingTable(x, {"word": tuple(f"w{i:03}" for i in range(400))})
    found = Axes((("=w000", "=w001"),), 3).project(table)
    rest = x[:, 1:] - x[:, 1:].mean(axis=0)
    values, vectors = np.linalg.eigh(rest.T @ rest)
    for i, axis in enumerate(found.params["axes"][1:], 1):
        along = found.directions[i, 1:].astype(np.float64)
        assert abs(along @ vectors[:, -i]) == pytest.approx(1, abs=1e-6)
        whole = ((x - x.mean(axis=0)) ** 2).sum()
        assert axis["share"] == pytest.approx(values[-i] / whole, rel=1e-5)


def test_a_centroid_is_the_mean_in_float64():
    vectors = np.full((1000, 2), 60000, np.float16)
    centroid = find_centroid(EmbeddingTable(vectors), np.arange(1000))
    np.testing.assert_allclose(centroid, 60000, rtol=1e-13)


def test_filling_without_axes_taken_out_would_be_pca():
    # The first component of what an axis leaves is that of all where the axis is orthogonal to it.
    x = RNG.normal(size=(50, 3)) * [5, 1, 0.1]
    x[0], x[1] = [0, 0, 0], [0, 0, 1]
    table = EmbeddingTable(x, {"word": tuple(f"w{i:02}" for i in range(50))})
    found = Axes((("=w00", "=w01"),)).project(table)
    plane = PCA(1).project(EmbeddingTable(x[:, :2])).coordinates
    np.testing.assert_allclose(found.coordinates[:, 1:], plane, atol=1e-5)

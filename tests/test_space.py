"""Centering, spherizing and the safe range."""

from __future__ import annotations

import numpy as np
import pytest

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable
from embviz.space import open_space, unit_rows, working_type

X = np.random.default_rng(0).normal(2, 1, size=(70, 5))


def rows_of(vectors, normalize, block_bytes=200):
    space = open_space(EmbeddingTable(vectors), normalize)
    return space, np.concatenate([block for _, block in space.blocks(block_bytes)])


def test_center_subtracts_the_mean():
    _, rows = rows_of(X, "center")
    np.testing.assert_allclose(rows, X - X.mean(axis=0), atol=1e-14)


def test_sphere_gives_rows_of_length_one_and_keeps_zero_rows():
    vectors = np.concatenate([X, X.mean(axis=0)[None]])
    vectors[-1] = vectors[:-1].mean(axis=0)
    _, rows = rows_of(np.array([[1.0, 0], [3, 0], [2, 0]]), "sphere")
    np.testing.assert_allclose(rows, [[-1, 0], [1, 0], [0, 0]])
    _, rows = rows_of(X, "sphere")
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1)


@pytest.mark.parametrize("normalize", ["none", "center", "sphere"])
def test_columns_are_the_columns_of_the_rows(normalize):
    space, rows = rows_of(X.astype(np.float32), normalize)
    columns = space.columns(slice(1, 4), space.row_norms())
    np.testing.assert_allclose(columns, rows[:, 1:4], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("scale", [1e200, 1e-200, 2.0**60])
def test_extreme_values_are_divided_by_a_power_of_two(scale):
    space, rows = rows_of(X * scale, "none")
    assert np.log2(space.unit) == round(np.log2(space.unit))
    assert 0.25 <= np.abs(rows).max() <= 1
    np.testing.assert_allclose(rows * space.unit, X * scale)


def test_ordinary_values_are_left_alone():
    space, rows = rows_of(X, "none")
    assert space.unit == 1.0
    np.testing.assert_array_equal(rows, X)


def test_rows_of_any_magnitude_get_length_one():
    rows = np.array([[3e-40, 4e-40], [3e38, 1e38], [0, 0], [3, 4]], np.float32)
    units = unit_rows(rows)
    np.testing.assert_allclose(units[3], [0.6, 0.8], rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(units, axis=1), [1, 1, 0, 1], rtol=1e-5)


def test_whole_numbers_that_float32_rounds_are_read_as_float64():
    assert working_type(np.dtype(np.int16)) is np.float32
    assert working_type(np.dtype(np.int32)) is np.float64
    assert working_type(np.dtype(np.float16)) is np.float32


def test_an_unknown_normalization_is_refused():
    with pytest.raises(ParameterError, match="none, center, sphere"):
        open_space(EmbeddingTable(X), "whiten")

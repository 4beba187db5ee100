"""Coordinates that are shown as they are."""

from __future__ import annotations

import numpy as np
import pytest

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable
from embviz.projections.identity import Identity


@pytest.mark.parametrize("n_dims", [2, 3])
def test_vectors_of_two_or_three_dimensions_are_the_coordinates(n_dims):
    vectors = np.random.default_rng(0).normal(size=(30, n_dims))
    found = Identity().project(EmbeddingTable(vectors))
    np.testing.assert_array_equal(found.coordinates, vectors.astype(np.float32))
    assert found.name == "none"
    assert found.axes == ("x", "y", "z")[:n_dims]


@pytest.mark.parametrize("n_dims", [1, 4, 100])
def test_other_widths_are_refused_with_the_number(n_dims):
    with pytest.raises(ParameterError, match=f"{n_dims} dimensions where 2 or 3"):
        Identity().project(EmbeddingTable(np.ones((3, n_dims))))


@pytest.mark.parametrize("size", [2.0**700, 2.0**-1060, 2.0**70])
def test_values_beyond_float32_are_shown_in_a_recorded_unit(size):
    vectors = np.array([[3.0, -1], [2, 5], [0, 4]])
    found = Identity().project(EmbeddingTable(vectors * size))
    unit = found.params.get("unit", 1.0)
    np.testing.assert_array_equal(found.coordinates.astype(np.float64) * unit, vectors * size)

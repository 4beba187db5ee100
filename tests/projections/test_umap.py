"""UMAP on our neighbor graph."""

from __future__ import annotations

import builtins
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable
from embviz.neighbors import build_graph
from embviz.projections.umap import UMAP

DIGITS = load_digits().data[:600].astype(np.float32)
TABLE = EmbeddingTable(DIGITS)


@pytest.fixture(scope="module")
def flat():
    if find_spec("umap") is None:  # Imported, it would load TensorFlow too.
        pytest.skip("umap-learn is not installed")
    return UMAP(metric="euclidean").project(TABLE)


def test_neighbors_in_the_map_are_neighbors_in_the_vectors(flat):
    assert flat.coordinates.shape == (600, 2)
    assert trustworthiness(DIGITS, flat.coordinates, n_neighbors=10) > 0.93


def test_the_same_seed_gives_the_same_bytes_on_a_graph_that_is_known_too(flat):
    graph = build_graph(TABLE, 30, "euclidean")
    again = UMAP(metric="euclidean", neighbors=graph).project(TABLE)
    assert again.coordinates.tobytes() == flat.coordinates.tobytes()
    other = UMAP(metric="euclidean", seed=1).project(TABLE)
    assert other.coordinates.tobytes() != flat.coordinates.tobytes()


def test_the_parameters_in_force_are_recorded(flat):
    assert flat.params["n_neighbors"] == 15
    assert flat.params["n_neighbors_chosen"] is True
    assert flat.params["min_dist"] == 0.1
    assert flat.params["epochs"] == 500


def test_three_dimensions_a_few_points_and_duplicates_give_finite_coordinates(flat):
    for vectors in (DIGITS[:5], DIGITS[:30], np.ones((20, 3)), np.zeros((4, 2))):
        found = UMAP(3).project(EmbeddingTable(vectors))
        assert found.coordinates.shape == (len(vectors), 3)
        assert np.isfinite(found.coordinates).all()


def test_more_neighbors_than_points_are_refused():
    with pytest.raises(ParameterError, match=r"600 is not in 2 \.\. 599"):
        UMAP(n_neighbors=600).project(TABLE)


@pytest.mark.parametrize("n", [1, 3])
def test_fewer_than_four_points_are_refused(n):
    with pytest.raises(ParameterError, match="too few for UMAP"):
        UMAP().project(EmbeddingTable(DIGITS[:n]))


def test_a_missing_umap_says_how_to_install_it(monkeypatch):
    load = builtins.__import__

    def without(name, *rest, **options):
        if name == "umap":
            raise ImportError("No module named 'umap'", name="umap")
        return load(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ParameterError, match=r"pip install 'embviz\[umap\]'"):
        UMAP().project(TABLE)
    assert sys.modules.get("tensorflow", 1) is not None

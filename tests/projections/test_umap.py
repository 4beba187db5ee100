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


def test_its_end_is_told_with_dimensions_epochs_and_neighbors(flat, caplog):
    with caplog.at_level("INFO", "embviz"):
        UMAP(3, metric="euclidean", n_neighbors=7).project(TABLE.take(np.arange(60)))
    told = [r.getMessage() for r in caplog.records if r.name == "embviz"]
    assert told == ["UMAP in 3D: 500 epochs, 7 neighbors"]


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


@pytest.fixture(scope="module")
def uneven():
    """300 points around three centers, whose spreads are 1, 3 and 9."""
    if find_spec("umap") is None:
        pytest.skip("umap-learn is not installed")
    rng = np.random.default_rng(1)
    spread = np.repeat([1, 3, 9], 100)[:, None]
    return EmbeddingTable(rng.normal(size=(300, 5)) * spread + 40 * np.sign(spread - 2) * spread)


@pytest.fixture(scope="module")
def dense(uneven):
    return UMAP(metric="euclidean", density=True).project(uneven)


def log_radii(vectors: np.ndarray, k: int) -> np.ndarray:
    """Return half the logarithm of the mean squared distance to k neighbors, by all distances."""
    squares = np.square(vectors[:, None].astype(float) - vectors[None]).sum(axis=2)
    return np.log(np.sort(squares, axis=1)[:, 1 : k + 1].mean(axis=1)) / 2


def test_density_keeps_the_local_radii_of_points_and_says_how_well(uneven, dense):
    true = log_radii(uneven.vectors, 14)
    found = np.corrcoef(true, log_radii(dense.coordinates, 14))[0, 1]
    plain = UMAP(metric="euclidean").project(uneven)
    assert found > 0.9
    assert found > np.corrcoef(true, log_radii(plain.coordinates, 14))[0, 1] + 0.2
    assert dense.stats == {"density_correlation": pytest.approx(found, abs=2e-3)}
    assert (dense.name, dense.title, dense.params["epochs"]) == ("densmap", "densMAP", 700)
    assert (plain.name, plain.stats) == ("umap", {})


def test_density_of_the_same_seed_is_the_same_and_stays_where_a_map_goes_on(uneven, dense):
    again = UMAP(metric="euclidean", density=True).project(uneven)
    assert again.coordinates.tobytes() == dense.coordinates.tobytes()
    later = UMAP(metric="euclidean", density=True).started_at(dense.coordinates).project(uneven)
    assert later.params["epochs"] == 200
    assert later.stats["density_correlation"] > 0.9


def test_density_that_is_the_same_everywhere_is_refused():
    if find_spec("umap") is None:
        pytest.skip("umap-learn is not installed")
    for vectors in (np.ones((20, 3)), np.eye(9)):
        with pytest.raises(ParameterError, match=r"density: is the same everywhere in x; leave it"):
            UMAP(density=True).project(EmbeddingTable(vectors, source="x"))

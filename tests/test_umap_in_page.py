"""The page's UMAP in Node.js against umap-learn on the same digits."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness

from embviz import PCA, UMAP, EmbeddingTable
from tests.test_javascript import find_node

ROOT = Path(__file__).parent.parent
DIGITS: NDArray[np.float32] = load_digits().data[:900].astype(np.float32)
TABLE = EmbeddingTable(DIGITS, name="digits")
MIN_DISTANCES = [0, 0.01, 0.1, 0.25, 0.5, 0.8, 0.99, 1]


@cache
def run_in_node(dims: int, neighbors: int = 15, epochs: int = 500, count: int = 900) -> Any:
    """Return what tests/js/numbers/run_umap.js makes of the first digits."""
    table = EmbeddingTable(DIGITS[:count], name="digits")
    given = {
        "rows": DIGITS[:count].tolist(),
        "components": PCA(dims).project(table).coordinates.tolist(),
        "options": {"dims": dims, "neighbors": neighbors, "epochs": epochs},
        "min_distances": MIN_DISTANCES,
    }
    done = subprocess.run(
        [find_node(), str(ROOT / "tests/js/numbers/run_umap.js")],
        cwd=ROOT,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def umap_learn() -> Any:
    if find_spec("umap") is None:
        pytest.skip("umap-learn is not installed")
    from embviz.projections.umap import _import_umap

    _import_umap()
    import umap.umap_

    return umap.umap_


@pytest.mark.parametrize("neighbors", [2, 15, 40])
def test_bandwidths_and_graph_are_those_of_umap_learn(umap_learn: Any, neighbors: int) -> None:
    found = run_in_node(2, neighbors, 1, 400)
    width = neighbors - 1
    own = np.arange(400)[:, None]
    indices = np.hstack([own, np.array(found["indices"]).reshape(400, width)])
    distances = np.array(found["distances"], dtype=np.float32).reshape(400, width)
    distances = np.hstack([np.zeros((400, 1), np.float32), distances])
    sigmas, rhos = umap_learn.smooth_knn_dist(distances, float(neighbors))
    np.testing.assert_allclose(found["rhos"], rhos, rtol=1e-6)
    np.testing.assert_allclose(found["sigmas"], sigmas, rtol=1e-3)
    want, _, _ = umap_learn.fuzzy_simplicial_set(
        DIGITS[:400], neighbors, 0, "euclidean", knn_indices=indices, knn_dists=distances
    )
    made = coo_matrix((found["weights"], (found["heads"], found["tails"])), shape=(400, 400))
    # umap-learn keeps places whose weight is 0 in float32.
    np.testing.assert_allclose(made.toarray(), want.toarray(), atol=2e-4)


def test_the_curve_is_that_of_umap_learn(umap_learn: Any) -> None:
    for distance, found in zip(MIN_DISTANCES, run_in_node(2, 5, 1, 400)["curves"], strict=True):
        a, b = umap_learn.find_ab_params(1.0, distance)
        assert found["a"] == pytest.approx(a, rel=1e-5)
        assert found["b"] == pytest.approx(b, rel=1e-5)


@pytest.mark.parametrize("dims", [2, 3])
def test_a_map_is_as_trustworthy_as_that_of_the_command_line(umap_learn: Any, dims: int) -> None:
    found = np.array(run_in_node(dims)["points"]).reshape(-1, dims)
    want = UMAP(n_components=dims, metric="euclidean").project(TABLE).coordinates
    for k in (5, 15):
        theirs = trustworthiness(DIGITS, want, n_neighbors=k)
        assert trustworthiness(DIGITS, found, n_neighbors=k) > theirs - 0.005
    assert np.ptp(found, axis=0).max() == pytest.approx(np.ptp(want, axis=0).max(), rel=0.4)

"""PaCMAP and LocalMAP on our neighbor graph."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import faiss
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable
from embviz.neighbors import build_graph
from embviz.pictures.plan import Plan, project
from embviz.projections import LocalMAP, PaCMAP, pacmap

DIGITS = load_digits().data[:400].astype(np.float32)
TABLE = EmbeddingTable(DIGITS)
needs_pacmap = pytest.mark.skipif(find_spec("pacmap") is None, reason="pacmap is not installed")
BOTH = pytest.mark.parametrize("kind", [PaCMAP, LocalMAP])


def printed(capfd):
    """What was printed but for the line that tells of the map."""
    said = capfd.readouterr()
    lines = (said.out + said.err).splitlines()
    return [line for line in lines if not re.fullmatch(r"\w+ in [23]D: 450 iterations, .*", line)]


@contextmanager
def one_thread() -> Iterator[None]:
    """Have numba take one thread, and give faiss back its own, which pacmap takes."""
    import numba

    threads, of_faiss = numba.get_num_threads(), faiss.omp_get_max_threads()
    numba.set_num_threads(1)
    try:
        yield
    finally:
        numba.set_num_threads(threads)
        faiss.omp_set_num_threads(of_faiss)


@needs_pacmap
@BOTH
@pytest.mark.parametrize("dims", [2, 3])
def test_the_map_is_that_of_the_package_byte_for_byte(kind, dims):
    import pacmap as package

    with one_thread():
        model = getattr(package, kind.__name__)(n_components=dims, random_state=3)
        want = model.fit_transform(DIGITS)
    found = kind(dims, metric="euclidean", seed=3).project(TABLE)
    pairs = pacmap.choose_pairs(build_graph(TABLE, 60, "euclidean"), 10)
    np.testing.assert_array_equal(pairs, model.pair_neighbors)
    assert found.coordinates.tobytes() == want.tobytes()
    assert (found.name, found.title) == (kind.__name__.lower(), kind.__name__)
    assert found.frames is not None
    assert found.frames.steps[-1] == "450"
    np.testing.assert_array_equal(found.frames.coordinates[-1], found.coordinates)


@needs_pacmap
@BOTH
def test_neighbors_in_the_map_are_neighbors_by_cosine_too(kind):
    wide = DIGITS @ np.random.default_rng(0).normal(size=(64, 130)).astype(np.float32)
    rows = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    found = kind().project(EmbeddingTable(wide * np.arange(1, 401)[:, None]))
    assert trustworthiness(rows, found.coordinates, n_neighbors=10) > 0.95


@needs_pacmap
def test_the_bytes_do_not_depend_on_the_number_of_threads():
    code = (
        "import numpy as np, hashlib, sys\n"
        "from embviz import EmbeddingTable, LocalMAP\n"
        "v = np.random.default_rng(0).normal(size=(300, 120)).astype(np.float32)\n"
        "p = LocalMAP(seed=4000000000).project(EmbeddingTable(v))\n"
        "print(hashlib.sha256(p.coordinates.tobytes()).hexdigest())\n"
    )
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
    said = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env={**os.environ, **dict.fromkeys(names, count)},
        ).stdout
        for count in ("1", "2")
    ]  # fmt: skip
    assert said[0] == said[1]


@needs_pacmap
@BOTH
def test_a_few_points_duplicates_and_few_dimensions_give_finite_coordinates(kind, capfd):
    for vectors in (DIGITS[:4], DIGITS[:7], DIGITS[:20], np.ones((20, 3)), DIGITS[:50, 5:7]):
        for table in (EmbeddingTable(vectors), EmbeddingTable(np.repeat(vectors, 2, axis=0))):
            found = kind(3, metric="euclidean").project(table)
            assert found.coordinates.shape == (table.n_points, 3)
            assert np.isfinite(found.coordinates).all()
            assert (found.coordinates.std(axis=0) > 0).all()
    assert printed(capfd) == []


@needs_pacmap
def test_the_neighbors_in_force_are_recorded_and_what_does_not_fit_is_refused():
    found = PaCMAP().project(EmbeddingTable(DIGITS[:20])).params
    assert (found["n_neighbors"], found["n_neighbors_chosen"]) == (5, True)
    assert (found["mid_near_pairs"], found["further_pairs"]) == (2, 10)
    assert PaCMAP(n_neighbors=5).project(EmbeddingTable(DIGITS[:20])).params["n_neighbors"] == 5
    with pytest.raises(ParameterError, match=r"n_neighbors: 6 is not in 1 \.\. 5 with 20 points"):
        PaCMAP(n_neighbors=6).project(EmbeddingTable(DIGITS[:20]))
    with pytest.raises(ParameterError, match="3 points are too few for LocalMAP, which needs 4"):
        LocalMAP().project(EmbeddingTable(DIGITS[:3]))
    with pytest.raises(ParameterError, match=r"initialization: shape \(5, 2\) with finite"):
        PaCMAP(initialization=np.zeros((5, 2))).project(TABLE)


@needs_pacmap
def test_a_plan_takes_both_with_neighbors_and_measures_them():
    plan = Plan(methods=["pacmap"], neighbors=(5, 12), dims=[2], metric="euclidean")
    found = project(TABLE, plan)[1:]
    assert [p.title for p in found] == ["PaCMAP, neighbors 5", "PaCMAP, neighbors 12"]
    assert all(p.stats["quality"]["2"]["trustworthiness"] > 0.9 for p in found)
    assert found[1].params["laid_on"] == "neighbors 5"
    assert found[1].frames is not None
    np.testing.assert_allclose(
        found[1].frames.coordinates[-1], found[1].coordinates, rtol=1e-4, atol=1e-4
    )


@needs_pacmap
def test_iterations_are_progress_and_nothing_is_printed(capfd, caplog):
    with caplog.at_level(logging.INFO, "embviz.progress"):
        PaCMAP().project(TABLE)
    said = [record.getMessage() for record in caplog.records]
    assert any(line.startswith("PaCMAP: iteration") and "450" in line for line in said)
    assert printed(capfd) == []


@pytest.mark.parametrize("name", ["pacmap", "localmap"])
def test_a_missing_package_says_how_to_install_it_before_neighbors_are_looked_for(
    monkeypatch: Any, name
):
    monkeypatch.setattr(pacmap, "find_spec", lambda name: None)
    with pytest.raises(ParameterError, match=r"pacmap is not installed; pip install 'embviz\[pac"):
        project(TABLE, methods=[name])

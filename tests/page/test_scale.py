"""Vectors of any magnitude in the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz import PCA, EmbeddingTable, write_report


@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("power", [-1060, -500, 990])
def test_the_page_answers_for_vectors_of_any_magnitude_as_at_scale_1(
    open_page: Callable[..., Any], tmp_path: Path, power: int, precision: str
) -> None:
    rows = np.random.default_rng(3).integers(-60, 61, size=(60, 6)).astype(np.float64)
    rows[:, 0] += 200 * (np.arange(60) % 3)
    found = []
    for scale in (1.0, 2.0**power):
        table = EmbeddingTable(rows * scale, {"word": tuple(f"w{i}" for i in range(60))}, "emb")
        path = tmp_path / "out.html"
        write_report(path, table, [PCA().project(table)], vectors=precision)
        page = open_page(path, plotly=False)
        near = page.call("e.neighbors(7, 12, 'euclidean')")
        page.call("e.isolate([1, 2, 3, 5, 8, 13, 21, 34, 55])")
        shares = page.call("e.project('pca')")["stats"]["variance_shares"]
        found.append((near["indices"], np.array(near["distances"]) / scale, shares))
        assert not page.complaints
    (indices, distances, shares), (others, far, parts) = found
    assert others == indices
    np.testing.assert_allclose(far, distances, rtol=1e-6)
    np.testing.assert_allclose(parts, shares, atol=1e-6)

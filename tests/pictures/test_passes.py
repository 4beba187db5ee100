"""How often the vectors are read, counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz import EmbeddingTable, choose_points, project, write_report


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Count the rows that are read one after the other, and those that are picked out."""
    counts = {"passed": 0, "picked": 0}
    take_block = EmbeddingTable.take_block

    def counted(self: EmbeddingTable, rows: Any, *kind: Any) -> Any:
        block = take_block(self, rows, *kind)
        counts["passed" if isinstance(rows, slice) else "picked"] += len(block)
        return block

    monkeypatch.setattr(EmbeddingTable, "take_block", counted)
    return counts


@pytest.mark.parametrize("normalize", ["none", "center"])
def test_a_report_passes_over_the_vectors_eight_times_at_most(
    normalize: Any, read: dict[str, int], tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(9, 40)) * 3
    vectors = (centers[rng.integers(0, 9, 6000)] + rng.normal(size=(6000, 40))).astype(np.float32)
    part = choose_points(EmbeddingTable(vectors, {"word": tuple(f"w{i}" for i in range(6000))}))
    projections = project(
        part, methods=["tsne"], axes=[("=w1", "=w2")], normalize=normalize, iterations=2
    )
    write_report(tmp_path / "out.html", part, projections)
    assert [p.name for p in projections] == ["pca", "tsne", "custom"]
    assert all("quality" in p.stats for p in projections)
    assert read["passed"] <= 8 * len(vectors)
    # The quality is measured of all of so few, for each number of neighbors and each fault.
    assert read["picked"] <= 5.1 * len(vectors)

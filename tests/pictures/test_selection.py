"""Which points are taken, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest

from embviz import EmbeddingTable, choose_points


@pytest.mark.parametrize(("value", "told"), [(3.0, True), (0.0, True), (None, False)])
def test_rows_that_are_all_the_same_are_told(
    value: float | None, told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    vectors = np.full((500, 4), 0 if value is None else value, np.float32)
    vectors[7] += value is None
    with caplog.at_level("INFO", "embviz"):
        part = choose_points(EmbeddingTable(vectors, source="x.npy"))
    assert ("500 of 500 rows are the same" in part.notes) is told
    assert ("x.npy: 500 of 500 rows are the same" in caplog.text) is told

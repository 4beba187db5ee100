"""Principal components of all rows of shards: right, and the same bytes however they are found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from embviz import LoadError, ParameterError
from embviz.projections.pca import Components
from embviz.shards import memory
from embviz.shards.blocks import open_shards
from embviz.shards.components import LEAF_ROWS, find_components
from embviz.shards.running import open_workers
from tests.shards.conftest import Cut

RNG = np.random.default_rng(8)
N = 5 * LEAF_ROWS + 77
SCALES = np.linspace(3, 0.1, 12)
ROWS = (RNG.normal(size=(N, 12)) * SCALES + RNG.normal(size=12)).astype(np.float32)


def components(source: str, scheduler: Any = None, block_rows: int | None = None) -> Components:
    with open_workers(scheduler) as workers:
        return find_components(open_shards(source), 6, workers, block_rows)


def as_bytes(found: Components) -> bytes:
    parts = (found.directions, found.variances, np.float64(found.total), found.mean)
    return b"".join(np.ascontiguousarray(part).tobytes() for part in parts)


def exact(rows: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return variances and directions by NumPy's singular values in float64."""
    centered = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
    _, values, directions = np.linalg.svd(centered, full_matrices=False)
    return values**2 / (len(rows) - 1), directions


def test_neither_files_nor_blocks_nor_workers_change_a_bit(cut: Cut) -> None:
    whole = cut(ROWS, [N])
    expected = as_bytes(components(whole))
    for block_rows in (1, LEAF_ROWS, 3 * LEAF_ROWS, 10**6):
        assert as_bytes(components(whole, block_rows=block_rows)) == expected
    for lengths in ([1000] * 20 + [N - 20_000], [N - 1, 1], [1, N - 1]):
        assert as_bytes(components(cut(ROWS, lengths))) == expected
    for scheduler in ("processes:1", "processes:2", "processes:3"):
        found = components(cut(ROWS, [9999, N - 9999]), scheduler, LEAF_ROWS)
        assert as_bytes(found) == expected


def test_the_order_of_a_files_memory_changes_no_bit(cut: Cut) -> None:
    expected = as_bytes(components(cut(ROWS, [N])))
    assert as_bytes(components(cut(np.asfortranarray(ROWS), [N]))) == expected


@pytest.mark.parametrize("away", [0, 1e4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int16])
def test_components_are_those_of_float64_also_far_from_zero(
    cut: Cut, away: float, dtype: Any
) -> None:
    if dtype is np.float16 and away:
        away = 100
    scale = 100 if dtype is np.int16 else 1
    rows = (ROWS * scale + away).astype(dtype)
    found = components(cut(rows, [10_000, N - 10_000]))
    variances, directions = exact(rows)
    np.testing.assert_allclose(found.variances, variances[:6], rtol=1e-9)
    np.testing.assert_allclose(found.total, variances.sum(), rtol=1e-9)
    np.testing.assert_allclose(np.abs(found.directions @ directions[:6].T), np.eye(6), atol=1e-6)


def test_variances_keep_their_digits_a_million_deviations_from_zero(cut: Cut) -> None:
    rows = ROWS.astype(np.float64) + 1e7
    variances, _ = exact(rows - 1e7)  # The difference is exact; its singular values are right.
    found = components(cut(rows, [N]))
    np.testing.assert_allclose(found.variances, variances[:6], rtol=1e-8)


def test_components_are_those_of_scikit_learn(cut: Cut) -> None:
    from sklearn.decomposition import PCA

    found = components(cut(ROWS, [N]))
    oracle = PCA(6, svd_solver="full").fit(ROWS.astype(np.float64))
    np.testing.assert_allclose(found.shares, oracle.explained_variance_ratio_, rtol=1e-9)
    np.testing.assert_allclose(found.mean, oracle.mean_, atol=1e-12)
    cosines = np.abs((found.directions * oracle.components_).sum(axis=1))
    np.testing.assert_allclose(cosines, 1, atol=1e-10)


def test_equal_rows_have_no_variance_and_two_rows_one_component(cut: Cut) -> None:
    found = components(cut(np.full((9000, 3), 0.1, np.float32), [9000]))
    assert found.total == 0
    assert not found.directions.any()
    found = components(cut(ROWS[:2], [1, 1]))
    assert found.shares[0] == pytest.approx(1)
    assert np.count_nonzero(found.variances) == 1


def test_one_row_is_refused(cut: Cut) -> None:
    with pytest.raises(ParameterError, match="1 row cannot be projected"):
        components(cut(ROWS[:1], [1]))


def test_the_first_value_that_is_no_number_is_named_with_its_file_and_row(cut: Cut) -> None:
    rows = ROWS.copy()
    rows[[6001, 15_000], 3] = np.nan, np.inf
    with pytest.raises(LoadError, match=r"part-6.npy, row 1: holds NaN"):
        components(cut(rows, [1000] * 20 + [N - 20_000]), "processes:2", LEAF_ROWS)


@pytest.mark.parametrize(("factor", "way"), [(1e200, "divide"), (1e-200, "multiply")])
def test_values_whose_squares_are_no_float64_are_refused(cut: Cut, factor: float, way: str) -> None:
    with pytest.raises(ParameterError, match=f"{way} the vectors by a constant first"):
        components(cut(ROWS[:9000].astype(np.float64) * factor, [9000]))


def test_a_covariance_that_does_not_fit_into_memory_is_refused_before_rows_are_read(
    cut: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = cut(np.full((3, 2000), np.nan), [3])
    monkeypatch.setattr(memory, "available_memory", lambda: 10**8)
    with pytest.raises(ParameterError, match=r"covariance of 2,000 dimensions takes 0.2 GB"):
        components(source)

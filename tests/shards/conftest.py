"""Shards of random rows, and a Dask cluster of two workers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

Cut = Callable[[NDArray[Any], Sequence[int]], str]


@pytest.fixture
def cut(tmp_path_factory: pytest.TempPathFactory) -> Cut:
    """Write rows as files of some lengths and return their pattern."""

    def write(rows: NDArray[Any], lengths: Sequence[int]) -> str:
        assert sum(lengths) == len(rows)
        folder = tmp_path_factory.mktemp("shards")
        start = 0
        for i, length in enumerate(lengths):
            np.save(folder / f"part-{i}.npy", rows[start : start + length])
            start += length
        return str(folder / "*.npy")

    return write


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own that is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    """A Dask cluster of two worker processes, whose scheduler is in this process."""
    if "CI" not in os.environ:
        pytest.importorskip("distributed")
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=":0",
        silence_logs=60,
        memory_limit=None,
    ) as found:
        yield found

"""Principal components of all rows of files, exactly: moments of leaves, merged in a fixed tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import ParameterError
from embviz.moments import Moments
from embviz.projections.components import components_of
from embviz.projections.pca import Components
from embviz.shards.memory import check_memory
from embviz.shards.running import Node, Workers, fold_leaves, map_blocks, reduce_nodes
from embviz.shards.values import Block, ShardedRows

LEAF_ROWS = 4096
"""Rows whose moments are taken at once. Part of the result: other leaves give other last bits."""
BLOCK_BYTES = 32 << 20
_TO_RESULT = 100  # Times the bytes of a block's matrix are read for it, so that few travel.
SMALLEST, LARGEST = 1e-120, 1e150  # Magnitudes whose squares, and sums of them, are float64.


@dataclass(frozen=True, eq=False)
class _Summary:
    """Of some rows: their moments, and the largest magnitude."""

    moments: Moments
    peak: float

    def merge(self, other: _Summary) -> _Summary:
        return _Summary(self.moments.merge(other.moments), max(self.peak, other.peak))


def rows_a_block(sharded: ShardedRows, n_workers: int) -> int:
    """Return how many rows a block has: whole leaves, some blocks for each worker."""
    matrix_bytes = 8 * sharded.n_dims**2
    by_bytes = max(BLOCK_BYTES, _TO_RESULT * matrix_bytes) // (sharded.n_bytes // sharded.n_rows)
    by_workers = sharded.n_rows // (4 * n_workers)
    leaves = max(1, min(by_bytes, by_workers) // LEAF_ROWS)
    return LEAF_ROWS << (leaves.bit_length() - 1)


def find_components(
    sharded: ShardedRows, n_components: int, workers: Workers, block_rows: int | None = None
) -> Components:
    """Find the leading principal components of all rows, in one pass.

    The moments of leaves of 4,096 rows, counted over all files, are taken in float64 about the mean
    of each, with one thread a product, and merged (Chan, Golub and LeVeque 1983) in a binary tree
    over the leaves' numbers: neither files nor blocks nor workers change a bit.

    Args:
        sharded: The rows.
        n_components: Components wanted.
        workers: What does it.
        block_rows: Rows that a worker reads at once; whole leaves are taken. None chooses.

    Raises:
        LoadError: If a row holds NaN or infinity, a file is damaged, or workers are gone.
        ParameterError: If there is one row only, there is too little memory, or the values are so
            large or small that their squares are not.
    """
    what = sharded.files[0].shown
    if sharded.n_rows < 2:
        raise ParameterError(what, "1 row cannot be projected", "2 rows are the least")
    check_memory(
        6 * sharded.n_dims**2 * 8,
        f"the covariance of {sharded.n_dims:,} dimensions",
        "make the vectors narrower first",
    )
    asked = block_rows or rows_a_block(sharded, workers.n_workers)
    blocks = sharded.blocks(max(1, -(-asked // LEAF_ROWS)) * LEAF_ROWS)
    found = map_blocks(workers, summarize, blocks, "means and products of all rows")
    summary = reduce_nodes(found, _Summary.merge)
    _check_range(what, summary.peak)
    return components_of(summary.moments, n_components)


def summarize(block: Block) -> tuple[Node[_Summary], ...]:
    """Return the summaries of a block's leaves, merged as far as they go; runs in a worker."""
    leaves = (_summary(rows) for _, rows in block.leaves(LEAF_ROWS, np.float64))
    return fold_leaves(block.first // LEAF_ROWS, leaves, _Summary.merge)


def _summary(rows: NDArray[np.floating[Any]]) -> _Summary:
    peak = max(float(rows.max()), -float(rows.min()))
    if peak > LARGEST:  # What is told of them needs no moments.
        return _Summary(Moments.nothing(rows.shape[1]), peak)
    return _Summary(Moments.of(rows), peak)


def _check_range(what: str, peak: float) -> None:
    """Refuse values whose squares float64 cannot hold.

    Raises:
        ParameterError: With the largest.
    """
    if peak > LARGEST or 0 < peak < SMALLEST:
        turn = "divide" if peak > LARGEST else "multiply"
        raise ParameterError(
            what,
            f"the largest value is {peak:.3g}, whose square float64 does not hold",
            f"{turn} the vectors by a constant first",
        )

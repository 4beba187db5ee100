"""Rows in blocks, as a search reads them: one after the other, or in turns by several threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embviz.kernels import count_cores
from embviz.model import EmbeddingTable
from embviz.rows import BLOCK_BYTES, read_rows, release_pages
from embviz.space import Floats, working_type

# A few queries look at every row twice: the block is in the cache the second time.
FEW_QUERIES = 16
CACHED_BYTES = 4 << 20
# More threads than these wait for the memory.
MOST_THREADS = 4


@dataclass(frozen=True, eq=False)
class RowBlock:
    """Some rows to be searched.

    Attributes:
        rows: Of a float type, (n, n_dims).
        start: The number of the first, where they follow each other.
        numbers: int64 (n,), their numbers where they do not.
        squares: (n,) of the rows' type, their squared norms as that type has them, where known;
            infinite where they are beyond its range.
    """

    rows: Floats
    start: int = 0
    numbers: NDArray[np.int64] | None = None
    squares: Floats | None = None

    def numbered(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the numbers of the rows at some places of the block."""
        return places + self.start if self.numbers is None else self.numbers[places]

    def places(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the places in the block of the rows with some numbers, which are sorted."""
        if self.numbers is None:
            first, last = np.searchsorted(numbers, [self.start, self.start + len(self.rows)])
            return numbers[first:last] - self.start
        if not len(numbers):
            return numbers
        near = np.minimum(np.searchsorted(numbers, self.numbers), len(numbers) - 1)
        return np.flatnonzero(numbers[near] == self.numbers)


Shares = list[Iterator[RowBlock]]
"""The blocks of one pass over all rows, shared among threads: each block comes once."""

Pass = Callable[[], Shares]


class Turns:
    """Parts of a range of rows, taken by one thread or another, each once."""

    def __init__(self, n_rows: int, step: int) -> None:
        self._n_rows, self._step = n_rows, step
        self._starts = iter(range(0, n_rows, step))
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[slice]:
        while True:
            with self._lock:
                start = next(self._starts, None)
            if start is None:
                return
            yield slice(start, min(start + self._step, self._n_rows))

    @property
    def n_threads(self) -> int:
        """How many threads are of use: one a core and a part."""
        return max(1, min(count_cores(), MOST_THREADS, -(-self._n_rows // self._step)))


def table_blocks(table: EmbeddingTable, n_queries: int) -> Shares:
    """Begin a pass over all rows of a table.

    The iterators raise as `EmbeddingTable.blocks` does.

    Args:
        table: The vectors.
        n_queries: How many will be compared with each block; many keep the cores busy themselves.
    """
    few = n_queries <= FEW_QUERIES
    row_bytes = table.n_dims * max(4, table.vectors.dtype.itemsize)
    step = max(1, (CACHED_BYTES if few else BLOCK_BYTES) // row_bytes)
    turns = Turns(table.n_points, step)
    return [_read(table, turns) for _ in range(turns.n_threads if few else 1)]


def _read(table: EmbeddingTable, turns: Turns) -> Iterator[RowBlock]:
    working = working_type(table.vectors.dtype)
    for part in turns:
        raw = read_rows(table.vectors, part)
        with np.errstate(over="ignore", invalid="ignore"):
            rows = np.ascontiguousarray(raw, dtype=working)
            squares = np.einsum("ij,ij->i", rows, rows)
        if not np.isfinite(squares.max()):
            table.take_block(part, working)  # Refuses what is not finite by itself.
        yield RowBlock(rows, part.start, squares=squares)
        release_pages(table.vectors, part)


def table_rows(table: EmbeddingTable, rows: NDArray[np.int64]) -> Shares:
    """Begin a pass over some rows of a table, sorted; raises as `EmbeddingTable.blocks` does."""

    def read() -> Iterator[RowBlock]:
        working = working_type(table.vectors.dtype)
        step = max(1, BLOCK_BYTES // (table.n_dims * 8))
        for start in range(0, len(rows), step):
            chosen = rows[start : start + step]
            yield RowBlock(table.take_block(chosen, working), numbers=chosen)

    return [read()]

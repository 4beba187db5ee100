"""The rows between which distances are measured, in float64."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from embviz.kernels import count_cores
from embviz.model import Metric
from embviz.neighbors.bounds import measure_lengths
from embviz.neighbors.row_blocks import RowBlock, Shares
from embviz.neighbors.scan import (
    Request,
    measuring_exponent,
    precise_units,
    round_mantissa,
    scan,
)
from embviz.rows import BLOCK_BYTES
from embviz.space import Floats, Kind, Space, divide

Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]

FEW_NUMBERS = 1 << 24  # Of float64, 134 MB.
MEASURED_NUMBERS = 1 << 21  # In a batch of differences, a thread.
SCANNED_TOGETHER = 4096
SCANNED_NUMBERS = 1 << 25  # Of float64, in the queries of one pass.


@dataclass(frozen=True, eq=False)
class ExactRows:
    """Rows of length 1 for cosine, else in a unit in which their differences are finite.

    Attributes:
        space: The vectors.
        metric: Cosine distances are half the squared distances of rows of length 1.
        held: All rows, where they are few enough.
        zero: int64 (n,), the rows without a direction, where it is directions that are compared.
    """

    space: Space
    metric: Metric
    held: Numbers | None = None
    zero: Rows = field(default_factory=lambda: np.empty(0, np.int64))

    @property
    def exponent(self) -> int:
        """Euclidean distances times 2 to this are in the vectors' unit."""
        if self.metric == "cosine":
            return 0
        if self.space.normalize != "none":
            return self.space.rows_exponent
        return measuring_exponent(self.space.exponent)

    @property
    def to_unit(self) -> int:
        """Rows over 2 to this are near 1, as products want them."""
        plain = self.metric == "euclidean" and self.space.normalize == "none"
        return self.space.exponent - self.exponent if plain else 0

    def raw(self, rows: slice | Rows, kind: Kind = np.float64) -> Floats:
        """Return some rows as they are normalized, not yet of length 1 or in another unit."""
        if self.space.normalize == "none":
            return self.space.table.take_block(rows, kind)
        return self.space.take(rows, np.float64)

    def take(self, rows: slice | Rows) -> Numbers:
        """Return some rows, float64 (n, n_dims)."""
        if self.held is not None:
            return np.asarray(self.held[rows])
        raw = self.raw(rows).astype(np.float64, copy=False)
        if self.metric == "cosine":
            return precise_units(raw)
        plain = self.space.normalize == "none"
        return np.asarray(divide(raw, self.exponent if plain else 0), dtype=np.float64)

    def take_near_one(self, rows: slice | Rows) -> Numbers:
        """Return some rows over 2 to `to_unit`."""
        return divide(self.take(rows), self.to_unit).astype(np.float64, copy=False)

    def parts(self) -> Iterator[slice]:
        """Yield parts that are together all rows."""
        n_points, n_dims = self.space.shape
        step = max(1, BLOCK_BYTES // (8 * n_dims))
        for first in range(0, n_points, step):
            yield slice(first, min(first + step, n_points))

    def measure(self, rows: Rows, candidates: Rows) -> Numbers:
        """Return the distance of each row (n,) from each of its candidates (n, m), float64."""
        n_dims = self.space.shape[1]
        together = np.concatenate([rows, candidates.ravel()])
        once, places = np.unique(together, return_inverse=True)
        read, places = self.take(once), places.ravel()
        apart = read[places[len(rows) :]].reshape(*candidates.shape, n_dims)
        apart -= read[places[: len(rows)], None]
        apart = apart.reshape(-1, n_dims)
        if self.metric == "cosine":
            distances = np.einsum("ij,ij->i", apart, apart).reshape(candidates.shape) / 2
            if len(self.zero):
                none = np.isin(candidates, self.zero) | np.isin(rows, self.zero)[:, None]
                distances[none] = 1
        else:
            distances = measure_lengths(apart).reshape(candidates.shape)
        return round_mantissa(distances)

    def measure_many(self, rows: Rows, candidates: Rows) -> Numbers:
        """Do as `measure` does, batch by batch, on all cores."""
        out = np.empty(candidates.shape)
        step = max(1, MEASURED_NUMBERS // (candidates.shape[1] * self.space.shape[1]))

        def measure(first: int) -> None:
            part = slice(first, first + step)
            out[part] = self.measure(rows[part], candidates[part])

        with ThreadPoolExecutor(count_cores()) as pool:
            list(pool.map(measure, range(0, len(rows), step)))
        return out

    def order(self, rows: Rows, candidates: Rows, k: int) -> tuple[Rows, Numbers]:
        """Return the k nearest of each row's candidates: (indices, distances), both (n, k).

        Args:
            rows: int64 (n,).
            candidates: int64 (n, at least k), each once for a row; the row itself is left out.
            k: How many are wanted.
        """
        distances = self.measure(rows, candidates)
        distances[candidates == rows[:, None]] = np.inf
        order = np.lexsort((candidates, distances), axis=-1)[:, :k]
        rows = np.asarray(np.take_along_axis(candidates, order, 1), dtype=np.int64)
        return rows, np.take_along_axis(distances, order, 1)

    def order_many(self, rows: Rows, candidates: Rows, k: int) -> tuple[Rows, Numbers]:
        """Do as `order` does, batch by batch, on all cores."""
        indices, distances = np.empty((len(rows), k), np.int64), np.empty((len(rows), k))
        step = max(1, MEASURED_NUMBERS // (candidates.shape[1] * self.space.shape[1]))

        def order(first: int) -> None:
            part = slice(first, first + step)
            indices[part], distances[part] = self.order(rows[part], candidates[part], k)

        with ThreadPoolExecutor(count_cores()) as pool:
            list(pool.map(order, range(0, len(rows), step)))
        return indices, distances

    def search(
        self, rows: Rows, k: int, kind: Kind = np.float64, excluded: Rows | None = None
    ) -> tuple[Rows, Numbers]:
        """Return the k nearest other rows of some rows, none zero under cosine, of all rows.

        Args:
            rows: int64 (n,).
            k: How many are wanted.
            kind: The float type of the products that choose what is measured.
            excluded: Rows that are never listed, sorted.

        Returns:
            (indices, distances) as `order` does, both (n, k).
        """
        indices, distances = np.empty((len(rows), k), np.int64), np.empty((len(rows), k))
        step = max(1, min(SCANNED_TOGETHER, SCANNED_NUMBERS // self.space.shape[1]))
        for first in range(0, len(rows), step):
            part = slice(first, first + step)
            indices[part], distances[part] = self._search(rows[part], k, kind, excluded)
        return indices, distances

    def _search(
        self, rows: Rows, k: int, kind: Kind, excluded: Rows | None
    ) -> tuple[Rows, Numbers]:
        shares: Shares = [(RowBlock(self.raw(part, kind), part.start) for part in self.parts())]
        # Many equal rows are one question; each is then left out of its own answer.
        queries, which = np.unique(
            self.raw(rows).astype(np.float64, copy=False), axis=0, return_inverse=True
        )
        plain = self.metric == "euclidean" and self.space.normalize == "none"
        exponent = self.space.exponent if plain else 0
        found = scan(shares, Request(queries, k + 1, self.metric, excluded=excluded), exponent)
        if found is None:
            raise AssertionError("rows near 1 are in range")
        which = which.ravel()
        out = found.rows[which] == rows[:, None]
        out[~out.any(axis=1), -1] = True
        kept = ~out
        return (
            found.rows[which][kept].reshape(-1, k),
            found.distances[which][kept].reshape(-1, k),
        )


def open_few_rows(space: Space, metric: Metric) -> ExactRows:
    """Return the rows of a space, held in memory, and by the space, where they are few."""
    n_points, n_dims = space.shape
    if n_points * n_dims > FEW_NUMBERS:
        return open_rows(space, metric)
    held: ExactRows = space.keep(("rows", metric), lambda: open_rows(space, metric, held=True))
    return held


def open_rows(space: Space, metric: Metric, held: bool = False) -> ExactRows:
    """Return the rows of a space; all are held in memory where they are to be."""
    rows = ExactRows(space, metric)
    if not held:
        return rows
    out = np.empty(space.shape)
    for part in rows.parts():
        out[part] = rows.take(part)
    return ExactRows(space, metric, out)

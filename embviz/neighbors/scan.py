"""One pass over rows for the nearest, or the farthest, of some vectors, exactly."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.model import Metric, Neighbors
from embviz.neighbors.row_blocks import Pass, RowBlock, Shares
from embviz.space import Floats, unit_rows

log = logging.getLogger("embviz")

# Entries of a matrix of approximate distances, and numbers in a batch of exact ones.
BATCH = 1 << 23
LARGEST_DISTANCE = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class Request:
    """Query vectors float64 (n, n_dims) and the rows that are not to be listed for them.

    `own` is a row a query, `excluded` are rows of all queries, sorted. `farthest` looks for the
    farthest rows in place of the nearest.
    """

    queries: NDArray[np.float64]
    k: int
    metric: Metric
    own: NDArray[np.int64] | None = None
    excluded: NDArray[np.int64] | None = None
    farthest: bool = False


@dataclass(eq=False)
class Best:
    """The best points so far: distances float64 and rows int64, both (n, k), in order.

    Where the farthest are looked for, the distances are below zero.
    """

    distances: NDArray[np.float64]
    rows: NDArray[np.int64]

    def merge(
        self, query: NDArray[np.int64], row: NDArray[np.int64], distance: NDArray[np.float64]
    ) -> None:
        """Take in pairs of a query and a row."""
        k = self.rows.shape[1]
        touched = np.flatnonzero(np.bincount(query, minlength=len(self.rows)))
        held = np.repeat(touched, k)
        query = np.concatenate([held, query])
        row = np.concatenate([self.rows[touched].ravel(), row])
        distance = np.concatenate([self.distances[touched].ravel(), distance])
        order = np.lexsort((row, distance, query))
        first = np.searchsorted(query[order], touched)
        kept = order[first[:, None] + np.arange(k)]
        self.distances[touched], self.rows[touched] = distance[kept], row[kept]

    def neighbors(self, metric: Metric, scale: float, recall: float = 1.0) -> Neighbors:
        """Return them as they are handed out, euclidean distances divided by `scale`."""
        distances = np.abs(self.distances) / scale
        if len(distances) and distances.max() > LARGEST_DISTANCE:
            log.warning(
                "distances beyond %.3g do not fit float32 and are shown as that", LARGEST_DISTANCE
            )
            distances = np.minimum(distances, LARGEST_DISTANCE)
        return Neighbors(self.rows.astype(np.int32), distances.astype(np.float32), metric, recall)


def search_exactly(blocks: Pass, request: Request) -> Neighbors:
    """Return the best of all rows; in a smaller unit where squares leave the range of floats.

    Args:
        blocks: Begins a pass over the rows; a second one is made in a smaller unit.
        request: What is looked for.
    """
    found = scan(blocks(), request, 1.0)
    scale = 1.0
    if found is None:
        every = chain.from_iterable(blocks())
        peak = max(float(np.abs(block.rows).max()) for block in every)
        peak = max(peak, float(np.abs(request.queries).max()))
        scale = 2.0 ** -max(-1000, int(np.frexp(peak)[1]))
        found = scan(blocks(), request, scale)
    if found is None:
        raise AssertionError("scaled vectors are in range")
    return found.neighbors(request.metric, scale)


def scan(shares: Shares, request: Request, scale: float) -> Best | None:
    """Return the best of all rows; None if their squares are out of range.

    Args:
        shares: The rows; a thread for each iterator.
        request: What is looked for.
        scale: A power of two; euclidean distances are returned times this.
    """
    cosine = request.metric == "cosine"
    exact = precise_units(request.queries) if cosine else request.queries * scale
    if len(shares) == 1:
        return _scan_share(shares[0], request, exact, scale)
    from concurrent.futures import ThreadPoolExecutor

    stopped = threading.Event()
    with ThreadPoolExecutor(len(shares)) as pool:
        parts = [
            pool.submit(_scan_share, _until(stopped, share), request, exact, scale)
            for share in shares
        ]
        try:
            found = [part.result() for part in parts]
        except BaseException:
            stopped.set()
            raise
    best = found[0]
    for other in found[1:]:
        if best is None or other is None:
            return None
        query = np.repeat(np.arange(len(other.rows)), request.k)
        best.merge(query, other.rows.ravel(), other.distances.ravel())
    return best


def _until(stopped: threading.Event, blocks: Iterable[RowBlock]) -> Iterator[RowBlock]:
    for block in blocks:
        if stopped.is_set():
            return
        yield block


def _scan_share(
    blocks: Iterable[RowBlock], request: Request, exact: NDArray[np.float64], scale: float
) -> Best | None:
    n_queries = len(exact)
    best = Best(
        np.full((n_queries, request.k), np.inf),
        np.full((n_queries, request.k), np.iinfo(np.int64).max),
    )
    cosine = request.metric == "cosine"
    for block in blocks:
        part = _directions(block) if cosine else _positions(block, exact, scale)
        if part is None:
            return None
        step = max(1, BATCH // len(block.rows))
        for first in range(0, n_queries, step):
            chosen = np.arange(first, min(first + step, n_queries))
            _search_block(part, request, best, chosen, exact[chosen])
    return best


@dataclass(frozen=True, eq=False)
class _Part:
    """A block of rows: as measured exactly, as multiplied, what the products are multiplied by.

    `sizes` are the squared norms of the multiplied rows after that.
    """

    block: RowBlock
    raw: Floats
    rows: Floats
    factors: Floats
    sizes: Floats


def _positions(block: RowBlock, exact: NDArray[np.float64], scale: float) -> _Part | None:
    """Return a block for euclidean distances; None if its squares are out of range."""
    rows, squares = block.rows, block.squares
    if scale != 1:  # In float64, since what is small may lie beside what is large.
        rows, squares = rows.astype(np.float64) * scale, None
    with np.errstate(over="ignore"):
        sizes = np.einsum("ij,ij->i", rows, rows) if squares is None else squares
        reach = float(sizes.max()) + float((exact**2).sum(axis=1).max(initial=0))
    if not reach < float(np.finfo(rows.dtype).max) / 64:
        return None
    return _Part(block, rows, rows, np.ones(1, rows.dtype), sizes)


def _directions(block: RowBlock) -> _Part:
    """Return a block for cosine distances, which are half the squared distances of unit rows."""
    limits, one = np.finfo(block.rows.dtype), np.ones(1, block.rows.dtype)
    squares = block.squares
    if squares is None:
        with np.errstate(over="ignore", under="ignore"):
            squares = np.einsum("ij,ij->i", block.rows, block.rows)
    if float(squares.min()) > limits.tiny / limits.eps and float(squares.max()) < limits.max / 64:
        factors = 1 / np.sqrt(squares)
        return _Part(block, block.rows, block.rows, factors, np.ones_like(factors))
    rows = unit_rows(block.rows)
    return _Part(block, block.rows, rows, one, np.ones(len(rows), block.rows.dtype))


def _search_block(
    part: _Part,
    request: Request,
    best: Best,
    chosen: NDArray[np.int64],
    exact: NDArray[np.float64],
) -> None:
    """Take in the rows of a block that can be among the best of the chosen queries.

    Products of the working type bound every squared distance from below, from above where the
    farthest are looked for; the rows within reach are measured in float64 from their differences,
    so that rounding changes neither the order nor a zero.
    """
    queries = exact.astype(part.rows.dtype)
    squares = np.einsum("ij,ij->i", queries, queries)
    rounding = 2 * float(np.finfo(part.rows.dtype).eps) * (part.rows.shape[1] + 16)
    sign = -1 if request.farthest else 1
    keep = part.rows.dtype.type(1 - sign * min(rounding, 1.0))
    lower = queries @ part.rows.T
    lower *= -2 * part.factors
    lower += part.sizes * keep
    lower += (squares * keep)[:, None]
    if request.farthest:
        np.negative(lower, out=lower)
    _leave_out(lower, part.block, request, chosen)
    limit = best.distances[chosen, -1]
    limit = _widened(limit * 2 if request.metric == "cosine" else limit * np.abs(limit))
    if lower.shape[1] > request.k and not np.isfinite(limit).all():
        nearest = np.argpartition(lower, request.k - 1, axis=1)[:, : request.k]
        upper = np.take_along_axis(lower, nearest, axis=1).astype(np.float64)
        upper += 2 * rounding * (part.sizes[nearest] + squares[:, None])
        limit = np.minimum(limit, _widened(upper.max(axis=1)))
    limit = np.minimum(limit, np.finfo(np.float64).max)  # What is left out is at infinity.
    query, row = np.nonzero(lower <= limit[:, None])
    _measure(part, request, best, chosen, (query, row, exact))


def _widened(limit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return limits within which everything that rounds to them lies."""
    return np.asarray(limit + np.abs(limit) * 1e-6 + 1e-37, dtype=np.float64)


def _measure(
    part: _Part,
    request: Request,
    best: Best,
    chosen: NDArray[np.int64],
    pairs: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
) -> None:
    """Measure pairs of a query and a row in float64 and take them in."""
    query, row, exact = pairs
    step = max(1, BATCH // part.rows.shape[1])
    for first in range(0, len(query), step):
        q, r = query[first : first + step], row[first : first + step]
        theirs = part.raw[r].astype(np.float64)
        if request.metric == "cosine":
            apart = precise_units(theirs) - exact[q]
            distance = np.einsum("ij,ij->i", apart, apart) / 2
            distance[~theirs.any(axis=1)] = 1
        else:
            distance = measure_lengths(theirs - exact[q])
        rounded = round_mantissa(distance)
        best.merge(chosen[q], part.block.numbered(r), -rounded if request.farthest else rounded)


def _leave_out(
    rough: NDArray[Any], block: RowBlock, request: Request, chosen: NDArray[np.int64]
) -> None:
    """Put the rows that are not to be listed out of reach."""
    if request.own is not None:
        own = request.own[chosen]
        if block.numbers is None:
            places = own - block.start
            inside = np.flatnonzero((places >= 0) & (places < rough.shape[1]))
            rough[inside, places[inside]] = np.inf
        else:
            for query, number in enumerate(own):
                rough[query, block.numbers == number] = np.inf
    if request.excluded is not None:
        rough[:, block.places(request.excluded)] = np.inf


def precise_units(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return float64 rows of length 1, exactly equal for multiples by 2; zero rows stay."""
    peaks = np.abs(rows).max(axis=1, keepdims=True, initial=0)
    units = unit_rows(rows * 2.0 ** -np.clip(np.frexp(peaks)[1], -1000, 1000))
    return np.asarray(units, dtype=np.float64)


def measure_lengths(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the norms of rows, also where their squares leave the range of float64."""
    squares = np.einsum("ij,ij->i", differences, differences)
    odd = np.flatnonzero(squares < 1e-280)
    lengths = np.sqrt(squares)
    if len(odd):
        peaks = np.abs(differences[odd]).max(axis=1)
        scaled = differences[odd] / np.where(peaks > 0, peaks, 1)[:, None]
        lengths[odd] = peaks * np.sqrt(np.einsum("ij,ij->i", scaled, scaled))
    return np.asarray(lengths, dtype=np.float64)


def round_mantissa(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to the 24 bits of float32, so that distances shown as equal are ties."""
    mantissa, exponent = np.frexp(values)
    rounded = mantissa.astype(np.float32).astype(np.float64)
    return np.asarray(np.ldexp(rounded, exponent), dtype=np.float64)

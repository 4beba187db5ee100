"""One pass over rows for the nearest, or the farthest, of some vectors, exactly."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import ParameterError
from embviz.model import Metric, Neighbors
from embviz.neighbors.bounds import ROUNDED, UNDERFLOW, measure_lengths, product_rounding
from embviz.neighbors.row_blocks import Pass, RowBlock, Shares
from embviz.space import Floats, divide, safe_exponent, unit_rows

# Entries of a matrix of approximate distances, and numbers in a batch of exact ones.
BATCH = 1 << 23
# Where a query is smaller the rows may be too, whose products would all be rounded to zero.
SMALL_QUERY = 1e-15


@dataclass(frozen=True, eq=False)
class Request:
    """Query vectors float64 (n, n_dims) and the rows that are not to be listed for them.

    `own` is a row a query, `excluded` are rows of all queries, sorted. `farthest` looks for the
    farthest rows in place of the nearest. `within` are distances float64 (n,), as `Best` holds
    them, beyond which nothing is looked for; places that stay empty have the largest row number.
    """

    queries: NDArray[np.float64]
    k: int
    metric: Metric
    own: NDArray[np.int64] | None = None
    excluded: NDArray[np.int64] | None = None
    farthest: bool = False
    within: NDArray[np.float64] | None = None


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

    def neighbors(self, metric: Metric, exponent: int, recall: float = 1.0) -> Neighbors:
        """Return them as they are handed out, euclidean distances times 2^exponent.

        Raises:
            ParameterError: If a distance is beyond float64.
        """
        distances = in_the_vectors_unit(np.abs(self.distances), exponent)
        return Neighbors(self.rows.astype(np.int32), distances, metric, recall)


def in_the_vectors_unit(distances: NDArray[np.float64], exponent: int) -> Floats:
    """Return distances times 2^exponent: as float32, or as float64 where that cannot hold them.

    Raises:
        ParameterError: If one is beyond float64.
    """
    with np.errstate(over="ignore"):
        out = np.ldexp(distances, exponent)
    if not np.isfinite(out).all():
        raise ParameterError(
            "vectors",
            "distances are beyond the range of numbers",
            "divide them by a constant first",
        )
    limits = np.finfo(np.float32)
    fit = out.max(initial=0) <= limits.max and (out[out > 0]).min(initial=1) >= limits.tiny
    return out.astype(np.float32) if fit else out


def search_exactly(blocks: Pass, request: Request) -> Neighbors:
    """Return the best of all rows; in another unit where squares leave the range of floats.

    Args:
        blocks: Begins a pass over the rows; more are made in another unit.
        request: What is looked for.

    Raises:
        ParameterError: If a distance is beyond float64.
    """
    found, exponent = None, 0
    peak = float(np.abs(request.queries).max(initial=0))
    if request.metric == "cosine" or peak == 0 or peak > SMALL_QUERY:
        found = scan(blocks(), request, 0)
    if found is None:
        for block in chain.from_iterable(blocks()):
            peak = max(peak, float(block.rows.max()), -float(block.rows.min()))
        exponent = safe_exponent(peak)
        found = scan(blocks(), request, exponent)
    if found is None:
        raise AssertionError("scaled vectors are in range")
    return found.neighbors(request.metric, measuring_exponent(exponent))


def measuring_exponent(exponent: int) -> int:
    """Return k such that rows over 2^k have finite differences, and lengths with all digits.

    That is all they need, since `measure_lengths` has no other bounds: rows far smaller than the
    largest keep their digits.

    Args:
        exponent: Of the safe unit of the rows.
    """
    return 16 if exponent > 1000 else -200 if exponent < -800 else 0


@dataclass(frozen=True, eq=False)
class _Asked:
    """Queries as rows are measured from, and as they are multiplied; distances times 2^-apart.

    Attributes:
        exact: float64 (n_queries, n_dims), over 2^measured.
        near: float64 (n_queries, n_dims), near 1.
        exponent: Of the unit of `near`.
        measured: Of the unit of `exact`.
    """

    exact: NDArray[np.float64]
    near: NDArray[np.float64]
    exponent: int
    measured: int


def scan(shares: Shares, request: Request, exponent: int) -> Best | None:
    """Return the best of all rows; None if their squares are out of range.

    Args:
        shares: The rows; a thread for each iterator.
        request: What is looked for.
        exponent: Of the unit in which products are taken, for euclidean distances, which are
            returned over 2 to its `measuring_exponent`.
    """
    if request.metric == "cosine":
        units = precise_units(request.queries)
        asked = _Asked(units, units, 0, 0)
    else:
        measured, wide = measuring_exponent(exponent), request.queries
        exact, near = (np.asarray(divide(wide, k), np.float64) for k in (measured, exponent))
        asked = _Asked(exact, near, exponent, measured)
    if len(shares) == 1:
        return _scan_share(shares[0], request, asked)
    from concurrent.futures import ThreadPoolExecutor

    stopped = threading.Event()
    with ThreadPoolExecutor(len(shares)) as pool:
        parts = [
            pool.submit(_scan_share, _until(stopped, share), request, asked) for share in shares
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


def _scan_share(blocks: Iterable[RowBlock], request: Request, asked: _Asked) -> Best | None:
    n_queries = len(asked.exact)
    best = Best(
        np.full((n_queries, request.k), np.inf),
        np.full((n_queries, request.k), np.iinfo(np.int64).max),
    )
    if request.within is not None:
        best.distances[:] = request.within[:, None]
    cosine = request.metric == "cosine"
    for block in blocks:
        part = _directions(block) if cosine else _positions(block, asked)
        if part is None:
            return None
        step = max(1, BATCH // len(block.rows))
        for first in range(0, n_queries, step):
            chosen = np.arange(first, min(first + step, n_queries))
            _search_block(part, request, best, chosen, asked)
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


def _positions(block: RowBlock, asked: _Asked) -> _Part | None:
    """Return a block for euclidean distances; None if its squares are out of range."""
    rows, squares = block.rows, block.squares
    if asked.exponent:  # In float64, since what is small may lie beside what is large.
        rows, squares = divide(rows.astype(np.float64), asked.exponent), None
    with np.errstate(over="ignore"):
        sizes = np.einsum("ij,ij->i", rows, rows) if squares is None else squares
        reach = float(sizes.max()) + float((asked.near**2).sum(axis=1).max(initial=0))
    if not reach < float(np.finfo(rows.dtype).max) / 64:
        return None
    return _Part(block, block.rows, rows, np.ones(1, rows.dtype), sizes)


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
    asked: _Asked,
) -> None:
    """Take in the rows of a block that can be among the best of the chosen queries.

    Products of the working type bound every squared distance from below, from above where the
    farthest are looked for; the rows within reach are measured in float64 from their differences,
    so that rounding changes neither the order nor a zero.
    """
    queries = asked.near[chosen].astype(part.rows.dtype)
    squares = np.einsum("ij,ij->i", queries, queries)
    rounding = 2 * product_rounding(part.rows.dtype, part.rows.shape[1])
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
    if request.metric == "cosine":
        limit = _widened(limit * 2)
    else:
        with np.errstate(over="ignore"):
            near = np.ldexp(limit, asked.measured - asked.exponent)
            limit = _widened(near * np.abs(near))
    if lower.shape[1] > request.k and not np.isfinite(limit).all():
        nearest = np.argpartition(lower, request.k - 1, axis=1)[:, : request.k]
        upper = np.take_along_axis(lower, nearest, axis=1).astype(np.float64)
        upper += 2 * rounding * (part.sizes[nearest] + squares[:, None])
        limit = np.minimum(limit, _widened(upper.max(axis=1)))
    limit = np.minimum(limit, np.finfo(np.float64).max)  # What is left out is at infinity.
    query, row = np.nonzero(lower <= limit[:, None])
    _measure(part, request, best, chosen, (query, row, asked))


def _widened(limit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return limits within which everything that rounds to them lies."""
    spare = np.abs(limit) * (ROUNDED - 1) + UNDERFLOW[np.dtype(np.float32)] / 10
    return np.asarray(limit + spare, dtype=np.float64)


def _measure(
    part: _Part,
    request: Request,
    best: Best,
    chosen: NDArray[np.int64],
    pairs: tuple[NDArray[np.int64], NDArray[np.int64], _Asked],
) -> None:
    """Measure pairs of a query and a row in float64 and take them in."""
    query, row, asked = pairs
    exact = asked.exact[chosen]
    step = max(1, BATCH // part.rows.shape[1])
    for first in range(0, len(query), step):
        q, r = query[first : first + step], row[first : first + step]
        theirs = part.raw[r].astype(np.float64)
        if request.metric == "cosine":
            apart = precise_units(theirs) - exact[q]
            distance = np.einsum("ij,ij->i", apart, apart) / 2
            distance[~theirs.any(axis=1)] = 1
        else:
            distance = measure_lengths(divide(theirs, asked.measured) - exact[q])
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
    units = unit_rows(np.ldexp(rows, -np.frexp(peaks)[1]))
    return np.asarray(units, dtype=np.float64)


def round_mantissa(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to the 24 bits of float32, so that distances shown as equal are ties."""
    mantissa, exponent = np.frexp(values)
    rounded = mantissa.astype(np.float32).astype(np.float64)
    return np.asarray(np.ldexp(rounded, exponent), dtype=np.float64)

"""The nearest other points of some rows, exactly, in one pass over the vectors."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable, Metric, Neighbors
from embviz.neighbors.normalize import Floats, unit_rows, working_type

log = logging.getLogger("embviz")

# Entries of a matrix of approximate distances, and numbers in a batch of exact ones.
BATCH = 1 << 23
LARGEST_DISTANCE = float(np.finfo(np.float32).max)


def find_neighbors(
    table: EmbeddingTable, rows: ArrayLike, k: int, metric: Metric = "cosine"
) -> Neighbors:
    """Find the nearest other points of some rows in the original space, exactly.

    Args:
        table: The vectors.
        rows: Row numbers, shape (n_rows,), in 0 .. n_points - 1.
        k: Neighbors a row, without the row itself; below n_points.
        metric: `cosine` or `euclidean`.

    Returns:
        indices int32 and distances float32, both (n_rows, k), nearest first, ties by row number.
        Cosine distance is 1 - cos, in 0 .. 2, and 1 to a zero vector; euclidean is in the vectors'
        unit.

    Raises:
        ParameterError: If k or a row is out of range, or a queried vector is zero under cosine.
        LoadError: If a row holds NaN or infinity.
    """
    chosen = np.atleast_1d(np.asarray(rows))
    if chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iu"):
        raise ParameterError("rows", "a list of whole numbers is needed")
    chosen = chosen.astype(np.int64)
    outside = chosen[(chosen < 0) | (chosen >= table.n_points)]
    if len(outside):
        raise ParameterError("rows", f"row {outside[0]} is not in 0 .. {table.n_points - 1}")
    check_k(table, k, table.n_points - 1)
    check_metric(metric)
    queries = table.take_block(chosen, np.float64).astype(np.float64, copy=False)
    zero = np.flatnonzero(~queries.any(axis=1)) if metric == "cosine" else chosen[:0]
    if len(zero):
        row = int(chosen[zero[0]])
        name = f" ({table.label(row)})" if table.metadata else ""
        raise ParameterError(
            f"row {table.row_number(row)}{name}",
            "a zero vector has no direction, so no cosine distance",
            "use the euclidean metric",
        )
    return search_exactly(lambda: table_blocks(table), Request(queries, k, metric, own=chosen))


def find_neighbors_of_vectors(
    table: EmbeddingTable,
    queries: ArrayLike,
    k: int,
    metric: Metric = "cosine",
    exclude: Sequence[int] = (),
) -> Neighbors:
    """Find the points nearest to vectors that need not be points, such as king - man + woman.

    Args:
        table: The vectors.
        queries: float (n_queries, n_dims).
        k: Neighbors a query; at most n_points without the excluded rows.
        metric: `cosine` or `euclidean`.
        exclude: Rows that are never listed.

    Raises:
        ParameterError: If k is out of range, the width is wrong, or a query is not finite, or zero
            under cosine.
    """
    wanted = np.atleast_2d(np.asarray(queries, dtype=np.float64))
    if wanted.ndim != 2 or wanted.shape[1] != table.n_dims:
        raise ParameterError(
            "queries", f"{wanted.shape[-1]} dimensions where the points have {table.n_dims}"
        )
    if not np.isfinite(wanted).all():
        raise ParameterError("queries", "a query vector holds NaN or infinity")
    excluded = np.array(sorted(set(exclude)), dtype=np.int64)
    check_k(table, k, table.n_points - len(excluded))
    check_metric(metric)
    if metric == "cosine" and not wanted.any(axis=1).all():
        raise ParameterError("query", "a zero vector has no direction, so no cosine distance")
    return search_exactly(
        lambda: table_blocks(table), Request(wanted, k, metric, excluded=excluded)
    )


def check_k(table: EmbeddingTable, k: int, largest: int) -> None:
    """Refuse a number of neighbors that the table cannot give."""
    if not 1 <= k <= largest:
        raise ParameterError(f"k = {k}", f"must be 1 .. {largest} with {table.n_points:,} points")


def check_metric(metric: str) -> None:
    """Refuse a metric that is not one of the two."""
    if metric not in get_args(Metric):
        raise ParameterError("metric", f"'{metric}' is not one of {', '.join(get_args(Metric))}")


@dataclass(frozen=True, eq=False)
class Request:
    """Query vectors float64 (n, n_dims) and the rows that are not to be listed for them.

    `own` is a row a query, `excluded` are rows of all queries, sorted.
    """

    queries: NDArray[np.float64]
    k: int
    metric: Metric
    own: NDArray[np.int64] | None = None
    excluded: NDArray[np.int64] | None = None


@dataclass(frozen=True, eq=False)
class RowBlock:
    """Some rows to be searched.

    Attributes:
        rows: Of a float type, (n, n_dims).
        start: The number of the first, where they follow each other.
        numbers: int64 (n,), their numbers where they do not.
        norms: float32 (n,), their norms where they are known.
    """

    rows: Floats
    start: int = 0
    numbers: NDArray[np.int64] | None = None
    norms: NDArray[np.float32] | None = None

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


@dataclass(eq=False)
class Best:
    """The nearest points so far: distances float64 and rows int64, both (n, k), in order."""

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
        distances = self.distances / scale
        if len(distances) and distances.max() > LARGEST_DISTANCE:
            log.warning(
                "distances beyond %.3g do not fit float32 and are shown as that", LARGEST_DISTANCE
            )
            distances = np.minimum(distances, LARGEST_DISTANCE)
        return Neighbors(self.rows.astype(np.int32), distances.astype(np.float32), metric, recall)


def search_exactly(blocks: Callable[[], Iterable[RowBlock]], request: Request) -> Neighbors:
    """Return the nearest of all rows; in a smaller unit where squares leave the range of floats."""
    found = scan(blocks(), request, 1.0)
    scale = 1.0
    if found is None:
        peak = max(float(np.abs(block.rows).max()) for block in blocks())
        peak = max(peak, float(np.abs(request.queries).max()))
        scale = 2.0 ** -max(-1000, int(np.frexp(peak)[1]))
        found = scan(blocks(), request, scale)
    if found is None:
        raise AssertionError("scaled vectors are in range")
    return found.neighbors(request.metric, scale)


def table_blocks(table: EmbeddingTable) -> Iterator[RowBlock]:
    """Yield all rows of a table."""
    for start, block in table.blocks(working_type(table.vectors.dtype)):
        yield RowBlock(block, start)


def scan(blocks: Iterable[RowBlock], request: Request, scale: float) -> Best | None:
    """Return the nearest of all rows; None if their squares are out of range.

    Args:
        blocks: The rows.
        request: What is looked for.
        scale: A power of two; euclidean distances are returned times this.
    """
    n_queries = len(request.queries)
    best = Best(
        np.full((n_queries, request.k), np.inf),
        np.full((n_queries, request.k), np.iinfo(np.int64).max),
    )
    cosine = request.metric == "cosine"
    exact = precise_units(request.queries) if cosine else request.queries * scale
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
    rows = block.rows if scale == 1 else block.rows * block.rows.dtype.type(scale)
    with np.errstate(over="ignore"):
        sizes = np.einsum("ij,ij->i", rows, rows)
        reach = float(sizes.max()) + float((exact**2).sum(axis=1).max(initial=0))
    if not reach < float(np.finfo(rows.dtype).max) / 64:
        return None
    return _Part(block, rows, rows, np.ones(1, rows.dtype), sizes)


def _directions(block: RowBlock) -> _Part:
    """Return a block for cosine distances, which are half the squared distances of unit rows."""
    limits, one = np.finfo(block.rows.dtype), np.ones(1, block.rows.dtype)
    if block.norms is None:
        with np.errstate(over="ignore", under="ignore"):
            squares = np.einsum("ij,ij->i", block.rows, block.rows)
    else:
        squares = np.square(block.norms, dtype=block.rows.dtype)
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
    """Take in the rows of a block that can be among the nearest of the chosen queries.

    Products of the working type bound every squared distance from below; the rows within reach
    are measured in float64 from their differences, so that rounding changes neither the order
    nor a zero.
    """
    queries = exact.astype(part.rows.dtype)
    squares = np.einsum("ij,ij->i", queries, queries)
    rounding = 2 * float(np.finfo(part.rows.dtype).eps) * (part.rows.shape[1] + 16)
    keep = part.rows.dtype.type(1 - min(rounding, 1.0))
    lower = queries @ part.rows.T
    lower *= -2 * part.factors
    lower += part.sizes * keep
    lower += (squares * keep)[:, None]
    _leave_out(lower, part.block, request, chosen)
    limit = best.distances[chosen, -1]
    limit = limit * 2 if request.metric == "cosine" else limit**2
    limit = limit * (1 + 1e-6) + 1e-37
    if lower.shape[1] > request.k and not np.isfinite(limit).all():
        nearest = np.argpartition(lower, request.k - 1, axis=1)[:, : request.k]
        upper = np.take_along_axis(lower, nearest, axis=1).astype(np.float64)
        upper += 2 * rounding * (part.sizes[nearest] + squares[:, None])
        limit = np.minimum(limit, upper.max(axis=1) * (1 + 1e-6) + 1e-37)
    limit = np.minimum(limit, np.finfo(np.float64).max)  # What is left out is at infinity.
    query, row = np.nonzero(lower <= limit[:, None])
    _measure(part, request, best, chosen, (query, row, exact))


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
            distance = _lengths(theirs - exact[q])
        best.merge(chosen[q], part.block.numbered(r), _round_mantissa(distance))


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


def _lengths(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the norms of rows, also where their squares leave the range of float64."""
    squares = np.einsum("ij,ij->i", differences, differences)
    odd = np.flatnonzero(squares < 1e-280)
    lengths = np.sqrt(squares)
    if len(odd):
        peaks = np.abs(differences[odd]).max(axis=1)
        scaled = differences[odd] / np.where(peaks > 0, peaks, 1)[:, None]
        lengths[odd] = peaks * np.sqrt(np.einsum("ij,ij->i", scaled, scaled))
    return np.asarray(lengths, dtype=np.float64)


def _round_mantissa(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to the 24 bits of float32, so that distances shown as equal are ties."""
    mantissa, exponent = np.frexp(values)
    rounded = mantissa.astype(np.float32).astype(np.float64)
    return np.asarray(np.ldexp(rounded, exponent), dtype=np.float64)

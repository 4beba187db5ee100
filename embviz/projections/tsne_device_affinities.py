"""The affinities of t-SNE on a device, and their attraction.

The affinities of a point stand in columns of `WIDTH`, the last filled up with zeros: so sums over
them are sums of full columns in float32, and of few columns a point in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embviz.devices import Array, Arrays, Kind, in_blocks

WIDTH = 32
BISECTIONS = 100  # More than a float64 has bits, with those that find the range.
ROWS = 1 << 18  # At once where bandwidths are sought, and where affinities are made symmetric.
COLUMNS = 1 << 20  # Of affinities at once: 33 million.

Terms = Callable[[Array, list[Array], Array], Iterator[Array]]
"""What is summed over others, of affinities, the components of differences and 1 + |d|^2."""


@dataclass(frozen=True, eq=False)
class Affinities:
    """Joint probabilities of sum 1 of pairs of points.

    Attributes:
        arrays: Of the device.
        others: int32 (WIDTH, n_columns), one of the points of each.
        weights: float32 (WIDTH, n_columns), 0 where there is none.
        owners: int32 (n_columns,), the other point.
        starts: int64 (n_points + 1,), the first column of each point.
    """

    arrays: Arrays
    others: Array
    weights: Array
    owners: Array
    starts: Array

    def attract(self, points: Array) -> Array:
        """Return the sums of p w d over all others, where w = 1 / (1 + |d|^2).

        Args:
            points: float64 (n_components, n_points).

        Returns:
            float64 as `points`.
        """
        return self._sum_columns(points, len(points), _pull)

    def curve(self, points: Array) -> Array:
        """Return the same, and the sums of p (w I - 2 w^2 d d^T), its upper triangle by rows."""
        n_components = len(points)
        n_sums = n_components + n_components * (n_components + 1) // 2
        return self._sum_columns(points, n_sums, _pull_and_curvature)

    def divergence(self, points: Array, total: float) -> float:
        """Return the Kullback-Leibler divergence of a map whose sum of w over all pairs is known.

        Terms are of float32, their sums of float64.
        """
        arrays, sums = self.arrays, [0.0]

        def add(part: slice) -> None:
            weights = self.weights[:, part]
            _, near = self._differences(arrays.cast(points, "float32"), part)
            # log p - log w, with w = 1 / near; 0 log 0 is 0.
            least = arrays.where(weights > 0, weights, 1.0)
            terms = weights * arrays.log(least * near)
            found = arrays.total(terms), arrays.total(weights)
            sums.append(found[0] + found[1] * math.log(total))

        in_blocks(arrays, len(self.owners), COLUMNS, add)
        return math.fsum(sums)

    def _differences(self, points: Array, part: slice) -> tuple[list[Array], Array]:
        """Return the components of d and 1 + |d|^2 in some columns, each (WIDTH, n)."""
        arrays = self.arrays
        apart, near = [], 1.0
        for column in points:
            difference = arrays.take(column, self.owners[part])[None, :] - arrays.take(
                column, self.others[:, part]
            )
            apart.append(difference)
            near = difference * difference + near
        return apart, near

    def _sum_columns(self, points: Array, n_sums: int, terms_of: Terms) -> Array:
        arrays = self.arrays
        columns = arrays.full((n_sums, len(self.owners)), 0, "float64")
        rough = arrays.cast(points, "float32")

        def add(part: slice) -> None:
            apart, near = self._differences(rough, part)
            for i, terms in enumerate(terms_of(self.weights[:, part], apart, near)):
                columns[i, part] = arrays.cast(arrays.sum(terms, 0), "float64")

        in_blocks(arrays, len(self.owners), COLUMNS, add)
        return arrays.segment_sum(columns, self.starts)


def _pull(weights: Array, apart: list[Array], near: Array) -> Iterator[Array]:
    weights = weights / near
    for difference in apart:
        yield weights * difference


def _pull_and_curvature(weights: Array, apart: list[Array], near: Array) -> Iterator[Array]:
    yield from _pull(weights, apart, near)
    weights = weights / near
    for i, first in enumerate(apart):
        for j, second in enumerate(apart[i:]):
            turned = -2 * (weights / near) * first * second
            yield turned if j else turned + weights


def find_affinities(
    arrays: Arrays,
    indices: NDArray[np.int32],
    distances: NDArray[np.float64],
    perplexity: float,
    n_near: int,
) -> tuple[Affinities, Affinities]:
    """Return the affinities of a neighbor graph (van der Maaten and Hinton 2008).

    Those of near neighbors alone come second, as `tsne_near.keep_near` gives them.

    Args:
        arrays: Of the device.
        indices: int32 (n_points, k), each point's neighbors.
        distances: float64 (n_points, k), in a unit in which they are near 1.
        perplexity: Below k.
        n_near: How many neighbors of each point are near ones.
    """
    n_points, k = indices.shape
    neighbors = arrays.put(indices)
    shares = arrays.full((n_points, k), 0, "float32")

    def weigh(part: slice) -> None:
        squares = arrays.put(distances[part])
        squares = squares * squares
        squares = squares - arrays.least(squares, 1)[:, None]
        found = _conditional(arrays, squares, perplexity) / (2 * n_points)
        shares[part] = arrays.cast(found, "float32")

    in_blocks(arrays, n_points, ROWS, weigh)
    blocks: tuple[list[_Columns], list[_Columns]] = ([], [])

    def join(part: slice) -> None:
        found = list(_symmetric(arrays, neighbors, shares, part, n_near))  # All or, short, none.
        for kept, some in zip(blocks, found, strict=True):
            kept.append(some)

    in_blocks(arrays, n_points, ROWS, join)
    every, near = (_joined(arrays, some) for some in blocks)
    near.weights[:] *= 1 / arrays.total(near.weights)
    return every, near


@dataclass(frozen=True, eq=False)
class _Columns:
    """The fields of `Affinities` for some points, and how many columns each of them has."""

    others: Array
    weights: Array
    owners: Array
    counts: NDArray[np.int64]


def _joined(arrays: Arrays, blocks: list[_Columns]) -> Affinities:
    """Return the affinities of all points, whose blocks are let go."""
    starts = np.concatenate([[0], np.cumsum(np.concatenate([b.counts for b in blocks]))])
    parts = [[b.others for b in blocks], [b.weights for b in blocks]]
    owners = arrays.join([b.owners for b in blocks], 0)
    blocks.clear()
    others, weights = (arrays.join(some, 1) for some in parts)
    return Affinities(arrays, others, weights, owners, arrays.put(starts))


def _conditional(arrays: Arrays, squares: Array, perplexity: float) -> Array:
    """Return the probabilities of neighbors whose entropy is the logarithm of the perplexity.

    Args:
        arrays: Of the device.
        squares: float64 (n, k), squared distances less the least of each row.
        perplexity: Below k.
    """
    mean = arrays.sum(squares, 1) / squares.shape[1]
    scale = 1 / arrays.where(mean > 0, mean, 1.0)  # One over twice the variance.
    low, high = 0 * scale, 0 * scale + float("inf")
    for _ in range(BISECTIONS):
        found = arrays.exp(squares * -scale[:, None])
        total = arrays.sum(found, 1)
        entropy = arrays.log(total) + scale * arrays.sum(squares * found, 1) / total
        wide = entropy > math.log(perplexity)
        low, high = arrays.where(wide, scale, low), arrays.where(wide, high, scale)
        scale = arrays.where(high == float("inf"), 2 * scale, (low + high) / 2)
    found = arrays.exp(squares * -scale[:, None])
    return found / arrays.sum(found, 1)[:, None]


def _symmetric(
    arrays: Arrays, neighbors: Array, shares: Array, part: slice, n_near: int
) -> Iterator[_Columns]:
    """Yield the joint probabilities of some points, and those of their near neighbors.

    Args:
        arrays: Of the device.
        neighbors: int32 (n_points, k).
        shares: float32 (n_points, k), the probabilities of a point's neighbors over 2 n_points.
        part: Of which points.
        n_near: How many neighbors of each point are near ones.
    """
    (n_points, k), n_rows = neighbors.shape, part.stop - part.start
    flat, values = neighbors.reshape(-1), shares.reshape(-1)
    there = (flat >= part.start) & (flat < part.stop)
    theirs = arrays.keep(arrays.steps(n_points * k), there)
    rows = arrays.cast(arrays.take(flat, theirs), "int64") - part.start
    own = arrays.steps(n_rows * k)
    keys = arrays.join(
        [
            own // k * n_points + arrays.cast(neighbors[part].reshape(-1), "int64"),
            rows * n_points + theirs // k,
        ],
        0,
    )
    keys, order = arrays.sort(keys)
    both = arrays.join([shares[part].reshape(-1), arrays.take(values, theirs)], 0)
    weights = arrays.take(both, order)
    # A pair that are each other's neighbors comes twice.
    twice = keys[1:] == keys[:-1]
    weights[:-1] += arrays.where(twice, weights[1:], 0.0)
    once = arrays.join([keys[:1] == keys[:1], ~twice], 0)
    near = arrays.take(arrays.join([own % k < n_near, theirs % k < n_near], 0), order)
    near[:-1] |= twice & near[1:]
    for kept in (once, once & near):
        some = arrays.keep(keys, kept)
        ends = arrays.count_below((some // n_points)[None, :], arrays.steps(n_rows + 1)[None, :])
        yield _in_columns(
            arrays, some % n_points, arrays.keep(weights, kept), arrays.get(ends[0]), part.start
        )


def _in_columns(
    arrays: Arrays, others: Array, weights: Array, starts: NDArray[np.int64], first: int
) -> _Columns:
    """Return rows of several lengths in columns of `WIDTH`."""
    lengths = np.diff(starts)
    n_columns = -(-lengths // WIDTH)
    begin = np.concatenate([[0], np.cumsum(n_columns)])
    rows = arrays.repeat(arrays.steps(len(lengths)), arrays.put(lengths))
    place = arrays.steps(len(others)) - arrays.take(arrays.put(starts[:-1]), rows)
    column = arrays.take(arrays.put(begin[:-1]), rows) + place // WIDTH
    flat = place % WIDTH * int(begin[-1]) + column
    filled = []
    kinds: tuple[tuple[Array, Kind], ...] = ((others, "int32"), (weights, "float32"))
    for values, kind in kinds:
        out = arrays.full((WIDTH * int(begin[-1]),), 0, kind)
        out[flat] = arrays.cast(values, kind)
        filled.append(out.reshape(WIDTH, -1))
    owners = arrays.repeat(arrays.steps(len(lengths)) + first, arrays.put(n_columns))
    return _Columns(filled[0], filled[1], arrays.cast(owners, "int32"), n_columns)

"""The affinities of t-SNE: each point's own by its perplexity, then those of pairs.

openTSNE finds the same (its `affinity.PerplexityBasedNN`), by bisection and as two whole matrices
that are added; here Newton's steps find the bandwidths, and parts of rows go to threads.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.model import Neighbors
from embviz.neighbors.known import bandwidth_distances
from embviz.projections.tsne_fourier import cut_in_parts
from embviz.projections.tsne_spline import Pool

ROWS = 1 << 10  # At once where bandwidths are sought: vectors of them stay in a core's cache.
TOLERANCE = 1e-9  # Of the entropy, in nats.
MOST_STEPS = 100
LEAST = 1e-300  # Of a spread that is divided by.
HALVED = 4  # Of so many steps the last halves what is between the bounds, in the logarithm.
FASTEST = 16.0  # A bandwidth grows or shrinks at most so many times in a step.


def find_joint(neighbors: Neighbors, perplexity: float, n_threads: int = 1) -> Any:
    """Return the joint probabilities of pairs of neighbors (van der Maaten and Hinton 2008).

    Args:
        neighbors: k of each point.
        perplexity: The effective number of neighbors, below k.
        n_threads: Threads; the result is the same for any number.

    Returns:
        scipy CSR float64 (n_points, n_points), symmetric, of sum 1, columns in order.
    """
    from scipy.sparse import csc_matrix, csr_matrix, hstack

    distances = bandwidth_distances(neighbors)
    n_points, k = distances.shape
    others = np.empty((n_points, k), np.int32)
    shares = np.empty((n_points, k))

    def weigh(start: int) -> None:
        part = slice(start, start + ROWS)
        order = np.argsort(neighbors.indices[part], axis=1)
        others[part] = np.take_along_axis(neighbors.indices[part], order, axis=1)
        found = find_conditional(np.square(distances[part]), perplexity)
        shares[part] = np.take_along_axis(found, order, axis=1) / (2 * n_points)

    def rows_of(part: slice) -> Any:
        here = shares[part]
        starts = np.arange(0, here.size + 1, k)
        return csr_matrix((here.ravel(), others[part].ravel(), starts), (len(here), n_points))

    def turn(part: slice) -> Any:
        return rows_of(part).tocsc()

    def join(part: slice) -> Any:
        back = hstack([columns[:, part].T for columns in turned], "csr")
        return rows_of(part) + back

    parts = cut_in_parts(n_points)
    with Pool(n_threads) as pool:
        list(pool.map(weigh, range(0, n_points, ROWS)))
        turned: list[csc_matrix] = list(pool.map(turn, parts))
        return _stack(pool.map(join, parts), n_points, 2 * n_points * k)


def find_conditional(squares: NDArray[np.float64], perplexity: float) -> NDArray[np.float64]:
    """Return the probabilities of neighbors whose entropy is the logarithm of the perplexity.

    Newton's steps in the logarithm of one over twice the variance, kept between the bounds found.
    Where more neighbors are nearest than the perplexity has, they share all evenly.

    Args:
        squares: float64 (n, k), squared distances; changed in place.
        perplexity: Below k.
    """
    squares -= squares.min(axis=1, keepdims=True)  # Cancels, but that all of them underflow.
    mean = squares.mean(axis=1)
    squares /= np.where(mean > 0, mean, 1)[:, None]
    scale = np.ones(len(squares))  # One over twice the variance, in that unit.
    low, high = np.zeros_like(scale), np.full_like(scale, np.inf)
    left = np.arange(len(squares))
    for turn in range(MOST_STEPS):
        some = scale[left]
        apart = squares[left] if len(left) < len(squares) else squares
        near = np.exp(apart * -some[:, None])
        total = near.sum(axis=1)
        first = np.einsum("ij,ij->i", apart, near) / total * some
        spread = np.einsum("ij,ij,ij->i", apart, apart, near) / total * some**2 - first**2
        excess = np.log(total) + first - math.log(perplexity)
        wide = excess > 0
        low[left[wide]], high[left[~wide]] = some[wide], some[~wide]
        # Of a wide one without a spread none but the nearest is left.
        going = (np.abs(excess) > TOLERANCE) & ((spread > 0) | ~wide)
        if not going.any():
            break
        left, some = left[going], some[going]
        step = excess[going] / np.maximum(spread[going], LEAST)
        wanted = some * np.exp(np.clip(step, -math.log(FASTEST), math.log(FASTEST)))
        lowest, highest = low[left], high[left]
        # Newton's steps may go to and fro between the bounds for ever.
        halved = (wanted <= lowest) | (wanted >= highest)
        if turn % HALVED == HALVED - 1:
            halved |= (lowest > 0) & np.isfinite(highest)
        wanted[halved] = np.sqrt(lowest[halved] * highest[halved])
        scale[left] = wanted
    squares *= -scale[:, None]
    found = np.exp(squares, out=squares)
    found /= found.sum(axis=1, keepdims=True)
    return found


def _stack(blocks: Any, n_points: int, most: int) -> Any:
    """Return blocks of rows as one CSR matrix of at most so many entries.

    One block is held at a time beside what is filled, of which the system gives no more than that.
    """
    from scipy.sparse import csr_matrix

    data, columns = np.empty(most), np.empty(most, np.int32)
    starts = np.zeros(n_points + 1, np.int64)
    row = end = 0
    for block in blocks:
        n_rows, n = block.shape[0], block.nnz
        data[end : end + n], columns[end : end + n] = block.data, block.indices
        starts[row + 1 : row + n_rows + 1] = block.indptr[1:] + end
        row, end = row + n_rows, end + n
    starts = starts.astype(np.int32) if end <= np.iinfo(np.int32).max else starts
    return csr_matrix((data[:end], columns[:end], starts), (n_points, n_points), copy=False)

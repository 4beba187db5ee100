"""How many of their true neighbors placed rows keep, exactly, for rows drawn from all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from embviz.neighbors.candidates import AS_NEAR
from embviz.neighbors.row_blocks import RowBlock
from embviz.neighbors.scan import Best
from embviz.neighbors.views import View
from embviz.rows import Rows, read_rows
from embviz.shards.folder import Layout
from embviz.shards.hashes import least_hashed
from embviz.shards.placing import Asked, merged
from embviz.shards.running import Workers, map_blocks
from embviz.shards.values import Block, Sample, ShardedRows, ShardFile
from embviz.space import working_type

DRAWN = 1000
K = 10
_LISTED = 3
"""Times k: so many are listed in the original space, where some are as near as the last."""
_SALT = 0x706C6163  # So that the rows are not those of the sample.


@dataclass(frozen=True)
class Kept:
    """The share of the k nearest in a map that are among the k nearest in the original space.

    Attributes:
        k: Of how many neighbors.
        n_rows: Of how many rows, drawn from all.
        share: Their mean, 0 .. 1.
        error: Its standard error; 0 where all rows were looked at.
    """

    k: int
    n_rows: int
    share: float
    error: float


def draw_rows(n_rows: int, seed: int) -> NDArray[np.int64]:
    """Return the numbers of rows drawn from all by a hash, ascending."""
    return np.sort(least_hashed(n_rows, min(DRAWN, n_rows), seed ^ _SALT)[0])


def ask_for(
    rows: ShardedRows, drawn: NDArray[np.int64], view: View, sample: tuple[Sample, Rows]
) -> Asked | None:
    """Return rows as their nearest are looked for; None where there are too few for that.

    Args:
        rows: All rows.
        drawn: The numbers of some.
        view: How they are compared.
        sample: Some of all rows, and their vectors: none of the nearest is farther than among
            these.
    """
    raw = read_rows(rows.rows, drawn)
    directed = ~view.without_direction(raw)
    raw, drawn = raw[directed], drawn[directed]
    k = min(K, (rows.n_rows - 1) // 2)
    if k < 1 or not len(drawn):
        return None
    plain = view.normalize == "none"
    vectors = raw.astype(np.float64) if plain else view.see(raw)
    unbounded = np.full(len(drawn), np.inf)
    listed = min(_LISTED * k, rows.n_rows - 1)
    metric = view.metric if plain else None
    asked = Asked(drawn, vectors, unbounded, listed, metric, view.exponent)
    chosen, theirs = sample
    if len(chosen.rows) <= listed + 1:
        return asked
    given = np.asarray(theirs, working_type(theirs.dtype))
    near = asked.scan(RowBlock(given if plain else view.see(given), numbers=chosen.rows))
    return Asked(drawn, vectors, near.distances[:, -1], listed, metric, view.exponent)


def compare_maps(workers: Workers, layout: Layout, asked: Asked, near: Best) -> dict[str, Kept]:
    """Return how many neighbors rows keep in each map that was written, by its files' prefix.

    Args:
        workers: That look for the nearest in the maps.
        layout: The files of the maps, all written.
        asked: The rows.
        near: Their nearest among all.
    """
    k = min(K, (layout.n_rows - 1) // 2)
    limits = near.distances[:, k - 1 : k] * AS_NEAR
    true = np.where(near.distances <= limits, near.rows, -1)
    found = {}
    for prefix in layout.prefixes:
        listed = _nearest_in_map(workers, layout, prefix, asked.rows, k)
        shares = (listed[:, :, None] == true[:, None, :]).any(axis=2).mean(axis=1)
        n = len(shares)
        left = 1 - n / layout.n_rows
        error = math.sqrt(float(shares.var(ddof=1)) / n * left) if n > 1 and left > 0 else 0.0
        found[prefix] = Kept(k, n, float(shares.mean()), error)
    return found


def _nearest_in_map(
    workers: Workers, layout: Layout, prefix: str, rows: NDArray[np.int64], k: int
) -> NDArray[np.int64]:
    """Return the nearest other rows of some rows in a map, int64 (n, k)."""
    files = [
        ShardFile(str(layout.path(prefix, first)), min(layout.rows_a_file, layout.n_rows - first),
                  shown=layout.name(prefix, first), input_format="npy")
        for first in range(0, layout.n_rows, layout.rows_a_file)
    ]  # fmt: skip
    placed = ShardedRows(tuple(files), 2, np.dtype(np.float32))
    own = read_rows(placed.rows, rows)
    best: Best | None = None
    work = partial(nearest_placed, rows, own, k)
    for near in map_blocks(workers, work, placed.blocks(layout.rows_a_file), "looking at the map"):
        best = near if best is None else merged(best, near)
    if best is None:
        raise AssertionError("there are rows")
    return best.rows


def nearest_placed(rows: NDArray[np.int64], own: NDArray[np.float32], k: int, block: Block) -> Best:
    """Return the nearest placed rows of a block to some rows; in a worker.

    Args:
        rows: int64 (n,), their numbers.
        own: float32 (n, 2), their places.
        k: How many.
        block: Of places.
    """
    from scipy.spatial import KDTree

    places = block.read().astype(np.float64)
    wanted = min(k + 1, len(places))
    # Balanced trees of points at one place are deep and slow.
    tree = KDTree(places, balanced_tree=False, compact_nodes=False)
    distances, found = tree.query(own.astype(np.float64), wanted, workers=1)
    distances = np.asarray(distances).reshape(len(rows), wanted)
    numbers = np.asarray(found).reshape(len(rows), wanted).astype(np.int64) + block.first
    itself = numbers == rows[:, None]
    order = np.lexsort((numbers, np.where(itself, np.inf, distances)), axis=-1)
    distances = np.where(itself, np.inf, distances)
    best = Best(np.full((len(rows), k), np.inf), np.full((len(rows), k), np.iinfo(np.int64).max))
    kept = order[:, :k]
    some = np.take_along_axis(distances, kept, 1)
    n = some.shape[1]
    best.distances[:, :n] = some
    theirs = np.take_along_axis(numbers, kept, 1)
    best.rows[:, :n] = np.where(np.isfinite(some), theirs, np.iinfo(np.int64).max)
    return best

"""A map over all rows: each placed by its neighbors in the sample, counted and written."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import counted
from embviz.kernels import one_openmp_thread
from embviz.model import Metric
from embviz.neighbors.row_blocks import RowBlock
from embviz.neighbors.scan import Best, Request, scan
from embviz.projections.among import NEIGHBORS, place_among
from embviz.shards.folder import Layout
from embviz.shards.grid import Counts
from embviz.shards.running import Workers, map_blocks
from embviz.shards.staging import Staged, open_staged
from embviz.shards.values import Block, Density, ShardedRows
from embviz.space import working_type

log = logging.getLogger("embviz")

DISTANCES = "distances"
_BLOCK_NUMBERS = 1 << 24
_FEWEST, _MOST = 1 << 10, 1 << 16


@dataclass(frozen=True, eq=False)
class Asked:
    """Some rows whose nearest among all are looked for on the way.

    Attributes:
        rows: int64 (n,), their numbers among all.
        vectors: float64 (n, n_dims), raw, or seen where `metric` is None.
        within: float64 (n,), how far their neighbors are at most, as `scan` has it.
        k: How many are listed.
        metric: Of raw rows; None: euclidean between seen ones.
        exponent: Of the unit of raw rows.
    """

    rows: NDArray[np.int64]
    vectors: NDArray[np.float64]
    within: NDArray[np.float64]
    k: int
    metric: Metric | None
    exponent: int

    def scan(self, block: RowBlock) -> Best:
        """Return the nearest of some rows, raw ones or seen ones as `vectors` are."""
        metric: Metric = self.metric or "euclidean"
        exponent = self.exponent if self.metric == "euclidean" else 0
        request = Request(self.vectors, self.k, metric, own=self.rows, within=self.within)
        found = scan([iter([block])], request, exponent)
        if found is None:
            raise AssertionError("rows of a known range are in range")
        return found


@dataclass(frozen=True, eq=False)
class BlockPlaced:
    """What a block comes to, beside the files that were written.

    Attributes:
        counts: Of each target, how many rows lie in which cells.
        near: The nearest of its rows to those that are asked for.
        undirected: How many rows have no direction, as `Placed` has it.
    """

    counts: tuple[Counts, ...]
    near: Best | None
    undirected: int


def rows_a_file(n_dims: int) -> int:
    """Return how many rows are placed together, a power of two whatever the workers."""
    n = 1 << max(0, (_BLOCK_NUMBERS // n_dims).bit_length() - 1)
    return min(_MOST, max(_FEWEST, n))


def place_rows(raw: NDArray[Any], numbers: NDArray[np.int64], staged: Staged) -> Placed:
    """Place rows in every target.

    Args:
        raw: (n, n_dims), finite.
        numbers: int64 (n,), their numbers among all; those of the sample keep their places.
        staged: The sample.
    """
    found, lengths = staged.landmarks.nearest(raw, NEIGHBORS)
    at = np.minimum(np.searchsorted(staged.rows, numbers), len(staged.rows) - 1)
    own = staged.rows[at] == numbers
    found[own, 0], lengths[own, 0] = at[own], 0
    none = staged.landmarks.view.without_direction(raw)
    lost = none & (lengths[:, 0] > 0)
    places = []
    for target, apart, middle in zip(staged.targets, staged.spacings, staged.middles, strict=True):
        if target.directions is not None:
            placed = _project(raw, staged, target.directions, target.offset)
        else:
            placed = place_among(target.places, apart, found, lengths)
            placed[lost] = middle
        placed[own] = target.places[at[own]]
        places.append(placed)
    distances = staged.landmarks.view.in_unit(lengths[:, 0]).astype(np.float32)
    return Placed(tuple(places), distances, int(lost.sum()))


@dataclass(frozen=True, eq=False)
class Placed:
    """Rows as they are placed.

    Attributes:
        places: In every target, float32 (n, 2).
        distances: From the nearest of the sample, float32 (n,), in the view's unit.
        undirected: How many have no direction, and no point of the sample without one.
    """

    places: tuple[NDArray[np.float32], ...]
    distances: NDArray[np.float32]
    undirected: int


def _project(
    raw: NDArray[Any], staged: Staged, directions: NDArray[np.float64], offset: Any
) -> NDArray[np.float32]:
    """Return rows on directions of the normalized vectors."""
    out = np.empty((len(raw), len(directions)), np.float32)
    step = max(1, (1 << 21) // raw.shape[1])
    for first in range(0, len(raw), step):
        part = slice(first, first + step)
        rows = staged.landmarks.view.normalized(raw[part])
        out[part] = rows @ directions.T - offset
    return out


def place_block(layout: Layout, asked: Asked | None, block: Block) -> BlockPlaced:
    """Place the rows of a block, write them, and count them; in a worker."""
    staged = open_staged(str(layout.work))
    raw = block.read_finite(working_type(staged.landmarks.raw.dtype))
    numbers = np.arange(block.first, block.stop)
    with one_openmp_thread():
        placed = place_rows(raw, numbers, staged)
    written = [p for p, target in zip(placed.places, staged.targets, strict=True) if target.written]
    for prefix, places in zip(layout.prefixes, written, strict=True):
        layout.write(prefix, block.first, places)
    layout.write(DISTANCES, block.first, placed.distances)
    near = None
    if asked is not None:
        seen = raw if asked.metric is not None else staged.landmarks.view.see(raw)
        near = asked.scan(RowBlock(seen, block.first))
    counts = (t.grid.count(p) for t, p in zip(staged.targets, placed.places, strict=True))
    return BlockPlaced(tuple(counts), near, placed.undirected)


def place_all(
    workers: Workers, rows: ShardedRows, layout: Layout, asked: Asked | None
) -> tuple[tuple[Density, ...], Best | None]:
    """Place all rows, which are written into a folder as shards.

    Args:
        workers: That do it.
        rows: All rows.
        layout: The files; the sample is staged in its folder for work.
        asked: Rows whose nearest are looked for.

    Returns:
        The density of each target, and the nearest of the rows that were asked for.

    Raises:
        LoadError: If a file cannot be read, or a row holds NaN or infinity.
        OutputError: If a worker cannot write.
    """
    targets = open_staged(str(layout.work)).targets
    totals = [np.zeros((t.grid.height, t.grid.width), np.uint32) for t in targets]
    best: Best | None = None
    undirected = 0
    work = partial(place_block, layout, asked)
    blocks = rows.blocks(layout.rows_a_file)
    for found in map_blocks(workers, work, blocks, "placing all rows"):
        undirected += found.undirected
        for target, total, counts in zip(targets, totals, found.counts, strict=True):
            target.grid.add(total, counts)
        if found.near is not None:
            best = found.near if best is None else merged(best, found.near)
    if undirected:
        log.warning(
            "%s no direction: placed in the middle of the map",
            "1 row has" if undirected == 1 else f"{counted(undirected, 'row')} have",
        )
    densities = (
        Density(t.key, np.array(t.grid.low), np.array(t.grid.high), total, rows.n_rows)
        for t, total in zip(targets, totals, strict=True)
    )
    return tuple(densities), best


def merged(best: Best, other: Best) -> Best:
    """Return the nearest of two sets of rows, those of the first changed in place."""
    query = np.repeat(np.arange(len(other.rows)), other.rows.shape[1])
    there = other.rows.ravel() < np.iinfo(np.int64).max
    best.merge(query[there], other.rows.ravel()[there], other.distances.ravel()[there])
    return best

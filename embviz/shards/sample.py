"""A sample of all rows by a hash of row and seed, in which small groups keep some points."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from embviz.checks import check_seed, check_whole
from embviz.errors import counted
from embviz.projections.pca import Components
from embviz.rows import take_rows
from embviz.shards.components import LEAF_ROWS, rows_a_block
from embviz.shards.hashes import CERTAIN, least_hashed
from embviz.shards.memory import check_memory
from embviz.shards.running import Workers, map_blocks
from embviz.shards.strata import (
    Candidates,
    Cells,
    Classes,
    candidates_of,
    learn_cells,
    sort_block,
)
from embviz.shards.values import Sample, ShardedRows

MOST_CELLS = 256
_CLASSES_AT_ONCE = 1 << 21
PILOT_A_CELL = 64
_LEAST_PILOT = 1024
_OTHER = 1 << 32  # Beyond all seeds: the hashes of pilot rows tell nothing of those of the sample.
ROWS_A_CELL = 64  # Of the sample, at least, on average.
FLOORS = 4
"""All strata together keep at most one in so many points of the sample."""


def draw_sample(
    sharded: ShardedRows,
    n: int,
    seed: int,
    found: Components,
    workers: Workers,
    classes: Classes | None = None,
) -> Sample:
    """Draw a sample that depends on the rows, their order and the seed alone, in one pass.

    The rows of the least hashes are in it. Pilot rows, chosen by another hash, teach k-means cells
    in the space of the leading components, and how far each reaches; what lies beyond is in strata
    of its own, by how far, and so are the classes of a column. Of each stratum some of the least
    hashes are in the sample, as many as leave three quarters of it to the least of all.

    A point's weight is one over the largest of the thresholds under which its hash would have let
    it in: an estimate without bias of how many points it stands for (bottom-k sketches: Duffield,
    Lund and Thorup 2007; Ting 2022), as no stratum depends on these hashes. What they have
    beyond 1 is then scaled until they sum to the number of rows (the ratio estimator: Cochran 1977,
    "Sampling techniques", chapter 6).

    Args:
        sharded: The rows, of which `found` were found, so that they are finite.
        n: How many are wanted; all of them where there are no more.
        seed: Of the hashes.
        found: The leading components of all rows.
        workers: What sorts the rows into strata.
        classes: Of all rows, where they are known.

    Raises:
        LoadError: If a file is damaged meanwhile, or workers are gone.
        ParameterError: If a number is none, or the sample does not fit into memory.
    """
    check_whole("--sample", n, 1)
    check_seed("--seed", seed)
    n_all = sharded.n_rows
    if n >= n_all:
        rows = np.arange(n_all, dtype=np.int64)
        return Sample(rows, np.ones(n_all), n_all)
    check_sample_memory(sharded, n)
    least, hashes = least_hashed(n_all, min(n_all, n + n // FLOORS + 1), seed)
    n_cells = max(1, min(MOST_CELLS, n // ROWS_A_CELL))
    n_pilot = min(n_all, max(_LEAST_PILOT, PILOT_A_CELL * n_cells))
    pilot = np.sort(least_hashed(n_all, n_pilot, seed + _OTHER)[0])
    kept = max(1, n // (FLOORS * n_cells)) + 1  # One more, which is the threshold.
    found_cells = learn_cells(found, _read(sharded, pilot), n_cells, seed)
    room = n // FLOORS
    limit = hashes[n - room - 1]  # What has no larger hash is in the sample anyway.
    floors, told = _Floors.none(), []
    if classes is not None:
        by_class = _floors(_sort_classes(classes, seed, room + 1), limit, room // 2)
        if by_class is not None:
            floors = by_class
            told = [f"{classes.n_classes} classes of {classes.name}"]
    if found_cells is not None:
        sorted_rows = _sort(sharded, found_cells, seed, kept, workers)
        by_cell = _floors(sorted_rows, limit, room - room // 2 * bool(told))
        if by_cell is not None:
            floors = floors.merge(by_cell)
            cells, components = len(found_cells.centers), len(found_cells.directions)
            told += [
                f"{counted(cells, 'cell')} of {counted(components, 'principal component')}",
                f"what lies beyond the {counted(n_pilot, 'pilot point')} of a cell",
            ]
    return _select((least, hashes), floors, n, n_all, tuple(told))


def check_sample_memory(sharded: ShardedRows, n: int) -> None:
    """Refuse a sample whose vectors do not fit into memory, before rows are read.

    Raises:
        ParameterError: With the bytes that it takes and those that are free.
    """
    n = min(n, sharded.n_rows)
    check_memory(
        n * sharded.n_dims * (sharded.dtype.itemsize + 4),
        f"a sample of {counted(n, 'point')} x {sharded.n_dims:,}",
        "take fewer: --sample N",
    )


def _read(sharded: ShardedRows, rows: NDArray[np.int64]) -> Iterator[NDArray[np.float64]]:
    """Yield some rows, ascending, a few at a time."""
    for start in range(0, len(rows), LEAF_ROWS):
        yield take_rows(sharded.rows, rows[start : start + LEAF_ROWS]).astype(np.float64)


def _sort(sharded: ShardedRows, cells: Cells, seed: int, kept: int, workers: Workers) -> Candidates:
    """Return the candidates of all cells, in one pass over all rows."""
    blocks = sharded.blocks(rows_a_block(sharded, workers.n_workers))
    work = partial(sort_block, cells, seed, kept)
    return _gather(map_blocks(workers, work, blocks, "groups in all rows"), cells.n_strata, kept)


def _sort_classes(classes: Classes, seed: int, kept: int) -> Candidates:
    """Return the candidates of all classes."""

    def parts() -> Iterator[Candidates]:
        for start in range(0, len(classes.codes), _CLASSES_AT_ONCE):
            codes = classes.codes[start : start + _CLASSES_AT_ONCE].astype(np.int64)
            rows = np.arange(start, start + len(codes), dtype=np.int64)
            yield candidates_of(codes, classes.n_classes, rows, seed, kept)

    return _gather(parts(), classes.n_classes, kept)


def _gather(found: Iterable[Candidates], n_strata: int, kept: int) -> Candidates:
    """Return the candidates of all parts; which come first changes nothing."""
    whole = Candidates.none(n_strata)
    for part in found:
        whole = whole.merge(part)
        if len(whole.rows) > 2 * kept * n_strata:
            whole = whole.least(kept)
    return whole.least(kept)


@dataclass(frozen=True, eq=False)
class _Floors:
    """The rows that strata keep, and the largest threshold under which one of these is kept.

    `rows` int64 (n,) ascending, `thresholds` float64 (n,), as shares of all hashes.
    """

    rows: NDArray[np.int64]
    thresholds: NDArray[np.float64]

    @classmethod
    def none(cls) -> _Floors:
        return cls(np.empty(0, np.int64), np.empty(0))

    def merge(self, other: _Floors) -> _Floors:
        """Return the rows of both, the larger threshold of each."""
        rows = np.concatenate([self.rows, other.rows])
        thresholds = np.concatenate([self.thresholds, other.thresholds])
        order = np.argsort(rows, kind="stable")
        unique, starts = np.unique(rows[order], return_index=True)
        return _Floors(unique, np.maximum.reduceat(thresholds[order], starts))


def _floors(found: Candidates, limit: np.uint64, room: int) -> _Floors | None:
    """Return the first rows of each stratum, with the threshold that the next one sets.

    They are as many of each as take no more than some room; None where one of each takes more.

    Args:
        found: One more of each stratum than are ever kept.
        limit: What has no larger hash takes no room.
        room: How many more points there may be.
    """
    first = np.searchsorted(found.strata, np.arange(len(found.counts)))
    ranks = np.arange(len(found.rows)) - first[found.strata]
    taken = np.cumsum(np.bincount(ranks[found.hashes > limit], minlength=found.kept))
    floor = int(np.searchsorted(taken[: found.kept - 1], room, side="right"))
    if floor == 0:
        return None
    thresholds = np.ones(len(found.counts))
    more = np.flatnonzero(found.counts > floor)
    thresholds[more] = found.hashes[first[more] + floor] / CERTAIN
    chosen = ranks < floor
    rows, own = found.rows[chosen], thresholds[found.strata[chosen]]
    order = np.argsort(rows)
    return _Floors(rows[order], own[order])


def _select(
    least: tuple[NDArray[np.int64], NDArray[np.uint64]],
    floors: _Floors,
    n: int,
    n_all: int,
    told: tuple[str, ...],
) -> Sample:
    """Return what strata keep, filled up with the least hashes, and each one's weight."""
    rows, hashes = least
    free = ~np.isin(rows, floors.rows)
    rows, hashes = rows[free], hashes[free]
    n_more = n - len(floors.rows)
    threshold = float(hashes[n_more]) / CERTAIN
    chosen = np.concatenate([floors.rows, rows[:n_more]])
    shares = np.concatenate([np.maximum(floors.thresholds, threshold), np.full(n_more, threshold)])
    order = np.argsort(chosen)
    return Sample(chosen[order], _calibrated(1 / shares[order], n_all), n_all, told)


def _calibrated(weights: NDArray[np.float64], n_all: int) -> NDArray[np.float64]:
    """Return weights of sum n_all: beyond 1, what each point stands for besides itself, scaled."""
    others = float((weights - 1).sum())
    return weights if others <= 0 else 1 + (weights - 1) * ((n_all - len(weights)) / others)

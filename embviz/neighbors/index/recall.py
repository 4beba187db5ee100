"""How many cells of an index a recall takes, measured on a sample of its points."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.neighbors.index.search import CellStore
from embviz.neighbors.scan import Request

progress = logging.getLogger("embviz.progress")

SAMPLE = 500
MEASURED = (1, 10, 100)  # Numbers of neighbors that the recall is measured for.
GROWTH = 1.15  # From one number of visited cells to the next.
QUERIES = 100


def measure_recall(store: CellStore, seed: int) -> dict[str, Any] | None:
    """Return what the manifest says of the recall; None where every row is always read.

    The true neighbors of a sample of points are found by reading all rows. The place of their
    cells in the order in which a query visits them gives the recall at every number of cells.
    """
    if not store.n_cells:
        return None
    rng = np.random.default_rng(seed)
    points = np.sort(rng.choice(store.n_points, min(SAMPLE, store.n_points), replace=False))
    vectors = store.vectors(points).astype(np.float64)
    asked = vectors.any(axis=1) if store.metric == "cosine" else np.ones(len(points), np.bool_)
    points, vectors = points[asked], vectors[asked]
    if not len(points):
        return None
    k = min(MEASURED[-1], store.n_points - 1)
    places = store.files.read("places")
    bounds = store.bounds()
    segment_ends = bounds[:, -1]
    needed = np.empty((len(points), k), np.int64)
    n_rows = np.zeros(store.n_cells)
    for start in range(0, len(points), QUERIES):
        part = slice(start, start + QUERIES)
        progress.info("index: measuring the recall, %d of %d points", start, len(points))
        found = store.visit(Request(vectors[part], k, store.metric, own=points[part]), None)
        order = store.nearest_cells(vectors[part])
        ranks = np.empty_like(order)
        np.put_along_axis(ranks, order, np.arange(store.n_cells)[None, :], axis=1)
        cells = _cells_of(places[found.rows], bounds, segment_ends)
        needed[part] = np.take_along_axis(ranks, cells, axis=1)
        n_rows += np.diff(bounds, axis=1).sum(axis=0)[order].sum(axis=0)
    visited = _steps(store.n_cells)
    shares = {
        str(n): [float((needed[:, :n] < cells).mean()) for cells in visited]
        for n in MEASURED
        if n <= k
    }
    read = np.cumsum(n_rows) / (len(points) * store.n_points)
    return {
        "sample": len(points),
        "cells": visited,
        "shares": shares,
        "rows": [float(read[cells - 1]) for cells in visited],
    }


def _cells_of(
    places: NDArray[np.int64], bounds: NDArray[np.int64], segment_ends: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the cells of places in the files."""
    segments = np.searchsorted(segment_ends, places, side="right")
    cells = np.empty_like(places)
    for segment in np.unique(segments):
        inside = segments == segment
        # The last of several bounds at one place begins the cell that is not empty.
        found = np.searchsorted(bounds[segment], places[inside], side="right") - 1
        cells[inside] = found
    return cells


def _steps(n_cells: int) -> list[int]:
    steps, n = [1], 1.0
    while steps[-1] < n_cells:
        n = max(n * GROWTH, steps[-1] + 1)
        steps.append(min(n_cells, round(n)))
    return steps

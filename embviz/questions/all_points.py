"""The neighbors of all points, for an answer that is kept."""

from __future__ import annotations

import logging

from embviz.devices import Device, choose_device
from embviz.model import EmbeddingTable, Metric, Neighbors
from embviz.neighbors.all_rows import find_all_neighbors, find_most_neighbors
from embviz.questions.points import Points
from embviz.space import open_space

log = logging.getLogger("embviz")

# Multiplications that take under a minute; more points than that are put into cells first.
EXACT_COST = 1.5e12


def whole_table(points: Points) -> EmbeddingTable:
    """Return points and their metadata as a table, those of an index cell by cell."""
    table = points.search.table()
    if table.metadata or not points.columns.names:
        return table
    columns = {name: points.columns.column(name) for name in points.columns.names}
    return EmbeddingTable(
        table.vectors, columns, table.name, table.source,
        rows=table.rows, named_by=points.columns.label,
    )  # fmt: skip


def neighbors_of_all(
    table: EmbeddingTable,
    k: int,
    metric: Metric = "cosine",
    exact: bool = False,
    device: Device = "auto",
) -> Neighbors:
    """Find the nearest other points of every point, measured in float64.

    Args:
        table: The vectors.
        k: Neighbors a point; all, which is told, where there are fewer.
        metric: `cosine` or `euclidean`.
        exact: Compare all points, however many there are; else those of more than 1.5e12
            multiplications are put into cells first, and `recall` says what that cost.
        device: Where points are compared: as for `Plan`. A card compares all with all.

    Raises:
        ParameterError: If k or the metric does not fit, or there is no such device.
    """
    n_others = table.n_points - 1
    if k > n_others:
        log.info("-k %d: there are %d other points; all are listed", k, n_others)
        k = n_others
    if is_exact(table, exact, device):
        return find_all_neighbors(table, k, metric, open_space(table).on(device))
    return find_most_neighbors(table, k, metric)


def is_exact(table: EmbeddingTable, exact: bool, device: Device = "auto") -> bool:
    """Tell whether `neighbors_of_all` compares all points with all."""
    if choose_device(device, table.n_points) is not None:
        return True
    return exact or table.n_points**2 * table.n_dims <= EXACT_COST

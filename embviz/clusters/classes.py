"""Classes of a metadata column as groups, and in which of them the neighbors of points lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from embviz.clusters.values import K, Partition, Toward
from embviz.model import EmbeddingTable, Neighbors

MOST_CLASSES = 50
_OTHERS = 3


def class_column(table: EmbeddingTable, label_by: str | None) -> str | None:
    """Return the label column, or else the first, that has a few values only; None for none."""
    names = [label_by, *table.metadata] if label_by is not None else list(table.metadata)
    most = min(float(MOST_CLASSES), table.n_points / 3)
    for name in names:
        if 2 <= count_distinct(table.metadata[name], most) <= most:
            return name
    return None


def count_distinct(values: Iterable[str], most: float) -> int:
    """Return how many distinct values are not missing, counted up to one more than `most`."""
    found: set[str] = set()
    for value in values:
        if value != "":
            found.add(value)
            if len(found) > most:
                break
    return len(found)


def part_classes(table: EmbeddingTable, column: str, neighbors: Neighbors | None) -> Partition:
    """Return the points parted by the values of a column, the largest class first.

    Args:
        table: The points.
        column: Of its metadata.
        neighbors: The nearest others of each point, of which ten are looked at; None measures
            nothing.
    """
    values = table.metadata[column]
    counts = Counter(value for value in values if value != "")
    kinds = tuple(sorted(counts, key=lambda value: -counts[value]))  # Equal ones as they appear.
    places = {value: place for place, value in enumerate(kinds)}
    codes = np.array([places.get(value, -1) for value in values], np.int32)
    if neighbors is None:
        return Partition(column, "classes", codes, kinds)
    indices = neighbors.indices[:, :K]
    inside, toward = share_neighbors(codes, len(kinds), indices)
    return Partition(
        column, "classes", codes, kinds, inside=inside, toward=toward,
        neighbors=int(indices.shape[1]), measured=table.n_points,
    )  # fmt: skip


def share_neighbors(
    codes: NDArray[np.int32], n_groups: int, indices: NDArray[np.int32]
) -> tuple[tuple[float | None, ...], tuple[Toward, ...]]:
    """Return of each group which share of its members' neighbors lies in it, and where others do.

    Args:
        codes: int32 (n_points,), the group of each point, -1 for none.
        n_groups: How many there are.
        indices: int32 (n_points, k), the nearest others of each point; negative ones are none.

    Returns:
        `inside` and `toward` of a `Partition`.
    """
    pairs = codes.astype(np.int64)[:, None] * (n_groups + 1) + codes[indices]
    known = (indices >= 0) & (codes >= 0)[:, None]
    # The last column counts neighbors that belong to no group.
    pairs = np.where(codes[indices] < 0, pairs + n_groups + 1, pairs)[known]
    counts = np.bincount(pairs, minlength=n_groups * (n_groups + 1)).reshape(n_groups, -1)
    totals = counts.sum(axis=1)
    inside: list[float | None] = []
    toward: list[Toward] = []
    for group in range(n_groups):
        total = int(totals[group])
        inside.append(int(counts[group, group]) / total if total else None)
        others = counts[group, :n_groups].copy()
        others[group] = 0
        first = np.argsort(-others, kind="stable")[:_OTHERS].tolist()
        toward.append(tuple((j, int(others[j]) / total) for j in first if others[j]))
    return tuple(inside), tuple(toward)

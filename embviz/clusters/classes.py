"""Classes of metadata: which columns part the points into a few groups, and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from embviz.clusters.values import Partition
from embviz.errors import ParameterError, counted, printable
from embviz.model import EmbeddingTable, is_numeric

FEWEST, MOST = 2, 50
"""How many values a column of classes has."""
MOST_ASKED = 300
"""And how many where it is asked for."""
MOST_COLUMNS = 4
"""Columns of classes that are looked at, where none is asked for."""


def count_distinct(values: Iterable[str], most: float) -> int:
    """Return how many distinct values are not missing, counted up to one more than `most`."""
    found: set[str] = set()
    for value in values:
        if value != "":
            found.add(value)
            if len(found) > most:
                break
    return len(found)


def default_column(table: EmbeddingTable, label_by: str | None) -> str | None:
    """Return the label column, or else the first, that has a few values only; None for none."""
    names = [label_by, *table.metadata] if label_by is not None else list(table.metadata)
    most = min(50.0, table.n_points / 3)
    for name in names:
        if 2 <= count_distinct(table.metadata[name], most) <= most:
            return name
    return None


def find_class_columns(table: EmbeddingTable, color_by: str | None) -> list[str]:
    """Return the first few columns of classes, the one that colors the points before the others.

    Columns have 2 to 50 values, of which some occur more than once: texts, or whole numbers.
    """
    names = [color_by, *table.metadata] if color_by is not None else list(table.metadata)
    found = [name for name in dict.fromkeys(names) if is_class_column(table.metadata.get(name, ()))]
    return found[:MOST_COLUMNS]


def is_class_column(values: Sequence[str], most: int = MOST) -> bool:
    """Tell whether a column has 2 to so many values, some of them more than once."""
    limit = min(float(most), len(values) / 2)
    if not FEWEST <= count_distinct(values, limit) <= limit:
        return False
    distinct = set(values) - {""}
    return not is_numeric(distinct) or all(float(value).is_integer() for value in distinct)


def check_classes(table: EmbeddingTable, column: str, option: str) -> None:
    """Refuse a column that does not have a few values.

    Raises:
        ParameterError: With how many it has.
    """
    values = table.metadata[column]
    if is_class_column(values, MOST_ASKED):
        return
    shown, n = f"{option} {printable(column, 60)}", count_distinct(values, MOST_ASKED)
    why = "has numbers that are not whole, or hardly a value twice"
    if n > MOST_ASKED:
        why = f"has more than {MOST_ASKED} values"
    elif n < FEWEST:
        why = f"has {counted(n, 'value')}"
    way = f"name a column of {FEWEST} to {MOST_ASKED} values, or map for clusters of the map"
    raise ParameterError(shown, why, way)


def part_by_column(table: EmbeddingTable, column: str) -> Partition:
    """Return the classes of a column, in the order of its legend: numbers as such, else by size."""
    values = table.metadata[column]
    counts = Counter(values)
    counts.pop("", None)
    if is_numeric(counts):
        names = sorted(counts, key=lambda value: (float(value), value))
    else:
        names = sorted(counts, key=lambda value: (-counts[value], value))
    places = {name: place for place, name in enumerate(names)} | {"": -1}
    codes = np.fromiter((places[value] for value in values), np.int32, len(values))
    return Partition(column, "classes", codes, tuple(names))

"""A comparison as two states of the same points, which a report shows."""

from __future__ import annotations

from dataclasses import replace

from embviz.comparison.values import Comparison, Step, Steps
from embviz.model import EmbeddingTable


def as_steps(comparison: Comparison) -> Steps:
    """Return the two sides of a comparison as states of the same points.

    Their table has A's columns, and those of B that A has not or that say something else, under
    their name and `(B)`; thumbnails and row numbers are A's, or B's where A has no thumbnails.
    """
    a, b = comparison.a, comparison.b
    whole = len(comparison.compared) == a.n_points
    sides = zip(
        comparison.names, (a, b), (comparison.neighbors_a, comparison.neighbors_b), strict=True
    )
    steps = tuple(Step(name, table, None, near if whole else None) for name, table, near in sides)
    return Steps(steps, _shared(comparison), "comparison", _figures(comparison), comparison)


def _figures(comparison: Comparison) -> dict[str, tuple[float | None, ...]]:
    kept = comparison.figures["overlap10"]
    return {"kept_from_previous": (None, kept), "kept_of_last": (kept, 1.0)}


def _shared(comparison: Comparison) -> EmbeddingTable:
    a, b = comparison.a, comparison.b
    columns = dict(a.metadata)
    for name, values in b.metadata.items():
        if name not in a.metadata:
            columns[name] = values
        elif values != a.metadata[name]:
            columns[_free(f"{name} (B)", columns)] = values
    shown = a if a.sprite is not None or b.sprite is None else b
    first, second = comparison.names
    return replace(
        b,
        metadata=columns,
        sprite=shown.sprite,
        rows=shown.rows,
        source=f"{first} → {second}",
        bookmarks=(),
    )


def _free(name: str, taken: dict[str, tuple[str, ...]]) -> str:
    while name in taken:
        name += "'"
    return name

"""TensorBoard's tabs, and what their controls show of a projection."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from embviz.errors import printable
from embviz.model import EmbeddingTable, Projection
from embviz.queries import ROW, Query, parse_query

_log = logging.getLogger("embviz")

INDEX = "__index__"  # TensorBoard's column of row numbers.
# Nothing else is escaped, so that every dialect reads the same expression.
_SPECIAL = re.compile(r"[\^$\\.*+?()\[\]{}|/]")
_ESCAPE = r"\\\g<0>"


@dataclass(frozen=True)
class Tab:
    """A tab of TensorBoard, and how a projection is stored for it.

    Attributes:
        name: Its `selectedProjection`.
        keys: The names of the coordinates of a point, in their order.
        shown: How many of them are shown at most.
        settings: Returns what its controls show of a projection in 2 or 3 dimensions.
        choosing: Whether its reader chooses the components shown.
        iterating: Whether it iterates on when a view is applied.
    """

    name: str
    keys: Callable[[int], str]
    shown: int = 3
    settings: Callable[[EmbeddingTable, Projection, int], dict[str, Any]] = lambda *_: {}
    choosing: bool = False
    iterating: bool = False


def _known(params: Mapping[str, Any], name: str, default: float) -> float:
    """Return a parameter in force, or what TensorBoard shows at first; 0 is a value."""
    value = params.get(name)
    return default if value is None else float(value)


def _tsne_settings(table: EmbeddingTable, projection: Projection, dims: int) -> dict[str, Any]:
    return {
        "tSNEis3d": dims == 3,
        "tSNEIteration": int(_known(projection.params, "iterations", 0)),
        "tSNEPerplexity": round(_known(projection.params, "perplexity", 30)),
    }


def _umap_settings(table: EmbeddingTable, projection: Projection, dims: int) -> dict[str, Any]:
    return {
        "umapIs3d": dims == 3,
        "umapNeighbors": int(_known(projection.params, "n_neighbors", 15)),
        "umapMinDist": _known(projection.params, "min_dist", 0.1),
    }


def _axis_fields(table: EmbeddingTable, projection: Projection, dims: int) -> dict[str, Any]:
    """Return the ends of axes as TensorBoard's searches, which all look in one column.

    That is the column of the first end; the fields of queries in another column stay empty, and
    this is said.
    """
    params = projection.params
    default = params.get("column")
    default = default if default in (*table.metadata, ROW) else None
    ends = (("XLeft", "from"), ("XRight", "to")), (("YDown", "from"), ("YUp", "to"))
    found: dict[str, Any] = {}
    column, lost = "", []
    for axis, names in zip(params.get("axes", ()), ends, strict=False):
        for field, end in names:
            typed = str(axis.get(end, ""))
            if not typed:
                continue
            query = parse_query(table, typed, default)
            column = column or query.column or INDEX
            if (query.column or INDEX) != column:
                lost.append(typed)
                continue
            text, regex = _as_search(query)
            found |= {f"custom{field}Text": text, f"custom{field}Regex": regex}
    if column:
        found["customSelectedSearchByMetadataOption"] = column
    if lost:
        _log.info(
            "axes: TensorBoard searches one column for all their ends, %s: the bookmark's fields "
            "leave out %s; its coordinates are those of all",
            "row numbers" if column == INDEX else f"'{printable(column, 40)}'",
            " and ".join(printable(query, 40) for query in lost),
        )
    return found


def _as_search(query: Query) -> tuple[str, bool]:
    """Return a query as TensorBoard's search text, and whether that is a regular expression."""
    if query.kind == "whole":
        return f"^{_SPECIAL.sub(_ESCAPE, query.text)}$", True
    return query.text, query.kind == "regex"


TABS = {
    tab.name: tab
    for tab in (
        Tab("pca", "pca-{}".format, choosing=True),
        Tab("tsne", "tsne-{}".format, settings=_tsne_settings, iterating=True),
        Tab("umap", "umap-{}".format, settings=_umap_settings),
        Tab("custom", lambda i: f"linear-{'xy'[i]}", shown=2, settings=_axis_fields),
    )
}
"""TensorBoard's tabs; a projection whose method has one of these names is stored in it."""

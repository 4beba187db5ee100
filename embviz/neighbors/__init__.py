"""Nearest neighbors in the original space: of some rows exactly, of all points as a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embviz.neighbors.exact import find_neighbors, find_neighbors_of_vectors
    from embviz.neighbors.graph import build_graph, list_neighbors

__all__ = ["build_graph", "find_neighbors", "find_neighbors_of_vectors", "list_neighbors"]

_HOME = {
    "build_graph": "embviz.neighbors.graph",
    "find_neighbors": "embviz.neighbors.exact",
    "find_neighbors_of_vectors": "embviz.neighbors.exact",
    "list_neighbors": "embviz.neighbors.graph",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module 'embviz.neighbors' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)

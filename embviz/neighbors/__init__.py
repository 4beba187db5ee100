"""Nearest neighbors in the original space: of some rows exactly, of all points as a graph."""

from __future__ import annotations

from embviz.neighbors.exact import find_neighbors, find_neighbors_of_vectors
from embviz.neighbors.graph import build_graph

__all__ = ["build_graph", "find_neighbors", "find_neighbors_of_vectors"]

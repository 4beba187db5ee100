"""The tree that joins the points of a map where they are dense first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

NEIGHBORS = 10
"""A place is as dense as its tenth nearest point is near."""
_FLAT = 1e-6
"""A map that extends so much less in one direction than in another is flat in it."""
Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SpanningTree:
    """The edges of a tree over n points, in the order in which they join it.

    `first` and `second` are int64 (n - 1,), the ends of each edge, and `lengths` float64 (n - 1,)
    its distance; `core` is float64 (n,), how far each point has its tenth neighbor.
    """

    first: Rows
    second: Rows
    lengths: Numbers
    core: Numbers

    @property
    def n_points(self) -> int:
        return len(self.first) + 1


def span_map(places: NDArray[np.floating[Any]]) -> SpanningTree:
    """Return the minimum spanning tree of the mutual reachability distances in a map.

    That distance of two points is the largest of their own and of how far each has its tenth
    neighbor (Campello, Moulavi and Sander 2013). Edges are looked for among the nearest neighbors
    and in the Delaunay triangulation, which has a minimum spanning tree of the plain distances.

    Args:
        places: float (n_points, dims), finite, of 2 or 3 dimensions.
    """
    from scipy.sparse.csgraph import minimum_spanning_tree

    spots, of, counts = _distinct(places)
    first = np.full(len(spots), len(of), np.int64)
    np.minimum.at(first, of, np.arange(len(of)))
    core, near = _near(spots, counts)
    graph = _weighed(spots, core, *near).maximum(_weighed(spots, core, *_triangulate(spots)))
    tree = minimum_spanning_tree(graph).tocoo()
    low, high = np.minimum(tree.row, tree.col), np.maximum(tree.row, tree.col)
    # Equal ones in an order of their own, whatever sorts them.
    order = np.lexsort((high, low, tree.data))
    others = np.delete(np.arange(len(of)), first)  # They lie where another one does.
    return SpanningTree(
        np.concatenate([first[of[others]], first[low[order]]]),
        np.concatenate([others, first[high[order]]]),
        np.concatenate([core[of[others]], tree.data[order]]),
        core[of],
    )


def _distinct(places: NDArray[np.floating[Any]]) -> tuple[Numbers, Rows, Rows]:
    """Return the places without equal ones, which of them each point has, and how many have it."""
    order = np.lexsort(places.T)
    ordered = places[order]
    new = np.concatenate([[True], (ordered[1:] != ordered[:-1]).any(axis=1)])
    of = np.empty(len(places), np.int64)
    of[order] = np.cumsum(new) - 1
    return ordered[new].astype(np.float64), of, np.bincount(of)


def _near(spots: Numbers, counts: Rows) -> tuple[Numbers, tuple[Rows, Rows]]:
    """Return how far the points at each place have their tenth neighbor, and edges to near places.

    Args:
        spots: float64 (n, dims), all different.
        counts: int64 (n,), how many points lie at each.
    """
    from scipy.spatial import cKDTree

    n = len(spots)
    k = min(NEIGHBORS, n - 1)
    apart, near = cKDTree(spots).query(spots, k=np.arange(1, k + 2))
    # A point's tenth neighbor may be where it is itself.
    enough = np.cumsum(counts[near], axis=1) > NEIGHBORS
    column = np.where(enough.any(axis=1), enough.argmax(axis=1), k)
    core = np.take_along_axis(apart, column[:, None], axis=1)[:, 0]
    return core, (np.arange(n + 1) * k, near[:, 1:].ravel())


def _weighed(spots: Numbers, core: Numbers, starts: Rows, ends: Rows) -> csr_array:
    """Return the edges from each place as a matrix of their mutual reachability distances."""
    from scipy.sparse import csr_array

    begins = np.repeat(np.arange(len(spots)), np.diff(starts))
    plain = np.sqrt(((spots[begins] - spots[ends]) ** 2).sum(axis=1))
    weights = np.maximum(np.maximum(core[begins], core[ends]), plain)
    # An edge of 0 would be none.
    weights = np.maximum(weights, np.finfo(np.float64).tiny)
    return csr_array((weights, ends, starts), shape=(len(spots), len(spots)))


def _triangulate(spots: Numbers) -> tuple[Rows, Rows]:
    """Return edges that join all places: where those from each start, and their ends."""
    from scipy.spatial import Delaunay

    flat = _without_flat_directions(spots)
    if flat.shape[1] < 2 or len(spots) < flat.shape[1] + 2:
        return _chain(np.argsort(flat[:, 0], kind="stable"))
    found = Delaunay(flat)
    starts, ends = (np.asarray(part, np.int64) for part in found.vertex_neighbor_vertices)
    left_out = np.asarray(found.coplanar, np.int64)
    if not len(left_out):
        return starts, ends
    # Places that are too near to others to be told apart: each is joined to its nearest.
    begins = np.concatenate([np.repeat(np.arange(len(spots)), np.diff(starts)), left_out[:, 0]])
    ends = np.concatenate([ends, left_out[:, 2]])
    order = np.argsort(begins, kind="stable")
    return np.searchsorted(begins[order], np.arange(len(spots) + 1)), ends[order]


def _without_flat_directions(spots: Numbers) -> Numbers:
    """Return the places turned so that directions in which they do not extend can be left out."""
    middle: Numbers = spots - spots.mean(axis=0)
    largest = float(np.abs(middle).max())
    if not largest > 0:
        return middle[:, :1]
    middle /= largest
    extents, directions = np.linalg.eigh(middle.T @ middle)
    wide = extents > extents[-1] * _FLAT**2
    if wide.all():
        return spots
    return np.asarray(middle @ directions[:, wide], np.float64)


def _chain(order: Rows) -> tuple[Rows, Rows]:
    """Return edges that join places one after another."""
    starts = np.zeros(len(order) + 1, np.int64)
    starts[order[:-1] + 1] = 1
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    has_next = np.flatnonzero(place < len(order) - 1)
    return np.cumsum(starts), order[place[has_next] + 1]

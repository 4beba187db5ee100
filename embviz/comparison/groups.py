"""Groups that changed together: points whose gained or lost neighbors agree.

Between two sides, a point gains neighbors and loses others (`embviz.comparison.moves` says which
are truly new). Points are a *candidate* where they hang together by what they gained: two are
linked whose new neighbors have a cosine of at least some level, and at least two in common (Jarvis
and Patrick 1973); the components are taken at each level of 0.10, 0.15, …, 0.90, so that large
loose groups and small tight ones are both there. No matrix of all pairs is made.

In unstructured data such components are there as well: points near each other share neighbors
whatever has moved, and above some number of links they percolate into one. A candidate is therefore
a *group* only where all of these hold:

- **Others stayed.** Half of all points have at most 3 in 10 new neighbors. Where most changed, as
  with two unrelated sides or a permuted pairing, every cluster of either side would be a group.
- **Excess**: its points' share of new neighbors is, in the mean, at least 0.2 above that of points
  as crowded as they are, and times the square root of their number at least 2. Noise tears apart
  first what lies closest, and few points can be unlike the others by chance.
- **Isolation**: of all new ties of its points and to what they gained in common, at least 0.6 are
  between the two (1 less the conductance of the block; of a continuum's pieces it is low).
- **Compactness**: at least 0.7 of its pairs have one of their new 50 nearest in common. A stretch
  of a line is isolated, but its ends know nothing of each other.
- **Known**: its points are neighbors of others at least 0.3 as often as points are. Far points
  that have the middle of all for neighbors are none of a group.
- **Size**: at least 5, at most a third of all.

What points *lost* in common makes a group where they also stay together: of the nearest of its
points now, at least 0.6 are of the group, as of the parts of a cluster that split.

The *score* is excess times isolation, 0 to 1. Groups are given in descending order of score times
the square root of size; one is left out that has more than half of its points, or of theirs, in
common with one before it. The name is the label of the point that most of them gained, or lost
where nothing came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embviz.comparison.moves import Moves, find_moves
from embviz.comparison.values import Group
from embviz.model import Neighbors

SMALLEST = 5
"""How many points a group has at least."""
MOST = 50
"""How many groups are given at most."""
_LARGEST_SHARE = 1 / 3
_HUB = 300
_LEVELS = np.arange(2, 19) / 20
_USUAL = 0.3
_EXCESS = 0.2
_STRENGTH = 2.0
_ISOLATION = 0.6
_COMPACT = 0.7
_KNOWN = 0.3
_UNIT = 0.6
_IN_COMMON = 0.5
_NAMED = 10
_SAMPLED_MEMBERS = 200


@dataclass(frozen=True, eq=False)
class GroupSearch:
    """What was found.

    Attributes:
        groups: The groups, the best first.
        reason: Why there is none; "" where there are some.
    """

    groups: tuple[Group, ...]
    reason: str


@dataclass(frozen=True, eq=False)
class _Found:
    rows: NDArray[np.int64]
    score: float

    @property
    def strength(self) -> float:
        return float(self.score * np.sqrt(len(self.rows)))


def find_groups(
    nearest_a: Neighbors,
    nearest_b: Neighbors,
    compared: NDArray[np.int64],
    n_points: int,
    label: Callable[[int], str],
) -> GroupSearch:
    """Find groups of points that changed together, as the module defines them.

    Args:
        nearest_a, nearest_b: The nearest others of the compared points on each side, by the
            indices of all points, (n_compared, k), k up to 50.
        compared: int64 (n_compared,), the points that were compared, ascending.
        n_points: How many points there are.
        label: The label of a point, by its index.
    """
    if len(compared) < 2 * SMALLEST or nearest_a.indices.shape[1] < 2:
        return GroupSearch((), "there are too few points")
    gained = find_moves(nearest_a, nearest_b, compared, n_points)
    lost = find_moves(nearest_b, nearest_a, compared, n_points)
    if min(moves.usual for moves in (*gained, *lost)) > _USUAL:
        return GroupSearch((), "most points have new neighbors, so that none stand out")
    found = []
    for moves in gained:
        found += _search(moves, gained[0].lists, compared, n_points, as_units=False)
    for moves in lost:
        found += _search(moves, gained[0].lists, compared, n_points, as_units=True)
    chosen = _distinct(found)
    groups = tuple(_group(f, gained[0], lost[0], compared, label) for f in chosen)
    return GroupSearch(groups, "" if groups else "no points stand out whose new neighbors agree")


def _search(
    moves: Moves,
    now: NDArray[np.int32],
    compared: NDArray[np.int64],
    n_points: int,
    *,
    as_units: bool,
) -> list[_Found]:
    """Return the candidates that are groups, by what they gained, or lost and stayed together."""
    if moves.usual > _USUAL:
        return []
    block = _Blocks(moves, now, compared, n_points)
    found = []
    for rows in _candidates(moves, n_points):
        isolation = block.isolation(rows)
        if isolation < _ISOLATION or block.compactness(rows) < _COMPACT:
            continue
        if block.known(rows) < _KNOWN or (as_units and block.together(rows) < _UNIT):
            continue
        found.append(_Found(rows, float(moves.excess[rows].mean()) * isolation))
    return found


def _candidates(moves: Moves, n_points: int) -> Iterator[NDArray[np.int64]]:
    """Yield the rows that hang together by their new neighbors, at each level of agreement.

    A component of one level that is one of the next as well is yielded once.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    first, second, agreement = _agreeing(moves, n_points)
    n = len(moves.lists)
    seen = set()
    for level in _LEVELS:
        kept = agreement >= level - 1e-6
        if not kept.any():
            return
        edges = coo_matrix((np.ones(int(kept.sum()), np.int8), (first[kept], second[kept])), (n, n))
        component = connected_components(edges, directed=False)[1]
        size = np.bincount(component)
        excess = np.bincount(component, moves.excess) / size
        fits = (size >= SMALLEST) & (size <= _LARGEST_SHARE * n)
        fits &= (excess >= _EXCESS) & (excess * np.sqrt(size) >= _STRENGTH)
        order = np.argsort(component, kind="stable")
        ends = np.cumsum(size)
        for i in np.flatnonzero(fits):
            rows = order[ends[i] - size[i] : ends[i]]
            key = rows.tobytes()
            if key not in seen:
                seen.add(key)
                yield rows


def _agreeing(
    moves: Moves, n_points: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """Return pairs of rows with at least two new neighbors in common, and how far they agree.

    Agreement is the cosine of the two sets, the number in common over the geometric mean of
    their sizes. Points that hardly changed agree with none, and hubs are left out.
    """
    from scipy.sparse import csr_matrix

    n, k = moves.lists.shape
    counts = moves.new.sum(axis=1)
    rows, columns = np.nonzero(moves.new & (counts >= max(2, round(0.3 * k)))[:, None])
    targets = moves.lists[rows, columns]
    kept = np.bincount(targets, minlength=n_points)[targets] <= _HUB
    rows, targets = rows[kept], targets[kept]
    sets = csr_matrix((np.ones(len(rows), np.float32), (rows, targets)), (n, n_points))
    others = sets.T.tocsr()
    parts = []
    for start in range(0, n, 4096):
        shared = (sets[start : start + 4096] @ others).tocoo()
        first = shared.row + np.int32(start)
        kept = (first < shared.col) & (shared.data >= 2)
        first, second, common = first[kept], shared.col[kept], shared.data[kept]
        parts.append((first, second, common / np.sqrt(counts[first] * counts[second])))
    first, second, agreement = (np.concatenate(part) for part in zip(*parts, strict=True))
    return first, second, agreement


class _Blocks:
    """Candidates and what they gained, as blocks of the graph of new neighbors."""

    def __init__(
        self, moves: Moves, now: NDArray[np.int32], compared: NDArray[np.int64], n_points: int
    ) -> None:
        self._moves, self._now, self._compared = moves, now, compared
        self._row = np.full(n_points, -1, np.int64)
        self._row[compared] = np.arange(len(compared))
        self._gained = np.bincount(moves.lists[moves.new], minlength=n_points)
        self._known = np.bincount(now.ravel(), minlength=n_points)

    def isolation(self, rows: NDArray[np.int64]) -> float:
        """Return the share of new ties in and to the block that tie a member to it.

        The block is the members and the points that at least two of them gained.
        """
        lists, new = self._moves.lists, self._moves.new
        targets, counts = np.unique(lists[rows][new[rows]], return_counts=True)
        common = targets[counts >= 2]
        inside = int(counts[counts >= 2].sum())
        leaving = int(counts.sum()) - inside
        own = self._row[common]
        others = np.setdiff1d(own[own >= 0], rows)
        among = int(np.isin(lists[others][new[others]], common).sum())
        entering = int(self._gained[common].sum()) - inside - among
        return inside / max(inside + leaving + entering, 1)

    def compactness(self, rows: NDArray[np.int64]) -> float:
        """Return the share of pairs of members that have a new neighbor in common."""
        from scipy.sparse import csr_matrix

        chosen = rows[np.linspace(0, len(rows) - 1, min(len(rows), _SAMPLED_MEMBERS)).astype(int)]
        member, column = np.nonzero(self._moves.new_surroundings(chosen))
        targets = self._moves.surroundings[chosen][member, column]
        sets = csr_matrix(
            (np.ones(len(member), np.float32), (member, targets)), (len(chosen), len(self._row))
        )
        shared = (sets @ sets.T).toarray()
        return float((shared[np.triu_indices(len(chosen), 1)] > 0).mean())

    def known(self, rows: NDArray[np.int64]) -> float:
        """Return how often members are among the nearest of others, over how often points are."""
        usual = self._known[self._compared].mean()
        return float(self._known[self._compared[rows]].mean() / max(usual, 1e-9))

    def together(self, rows: NDArray[np.int64]) -> float:
        """Return the share of members among the members' nearest now."""
        return float(np.isin(self._now[rows], self._compared[rows]).mean())


def _distinct(found: list[_Found]) -> list[_Found]:
    """Return the strongest that have at most half of their points in common with a stronger one."""
    chosen: list[_Found] = []
    for one in sorted(found, key=lambda f: (-f.strength, f.rows.tolist())):
        sizes = [np.isin(one.rows, other.rows).sum() for other in chosen]
        limits = [_IN_COMMON * min(len(one.rows), len(other.rows)) for other in chosen]
        if all(size <= limit for size, limit in zip(sizes, limits, strict=True)):
            chosen.append(one)
        if len(chosen) == MOST:
            break
    return chosen


def _group(
    found: _Found,
    gained: Moves,
    lost: Moves,
    compared: NDArray[np.int64],
    label: Callable[[int], str],
) -> Group:
    came, left = (_commonest(moves, found.rows) for moves in (gained, lost))
    name = label((came or left)[0])
    return Group(name, compared[found.rows], min(found.score, 1.0), came, left)


def _commonest(moves: Moves, rows: NDArray[np.int64]) -> tuple[int, ...]:
    points, counts = np.unique(moves.lists[rows][moves.new[rows]], return_counts=True)
    order = np.lexsort((points, -counts))[:_NAMED]
    return tuple(int(points[i]) for i in order if counts[i] >= 2)

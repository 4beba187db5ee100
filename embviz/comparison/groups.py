"""Groups that changed together: points whose gained or lost neighbors agree.

Between two sides, a point gains neighbors and loses others; `embviz.comparison.moves` says which of
its 10 nearest are truly *new*. Points are a *candidate* where they hang together by what they
gained: two are linked that have at least two new neighbors in common and whose sets of new
neighbors have a cosine of at least some level (shared nearest neighbors: Jarvis and Patrick 1973).
The components are taken at each level of 0.10, 0.15, …, 0.90, so that loose large groups and tight
small ones are both there. Points with fewer than 3 in 10 new neighbors, and neighbors that more
than 300 points gained, link none. The work grows with the number of points; no matrix of all pairs
is made.

In data without any structure such components are there as well: points near each other share
neighbors whatever has moved, and above some number of links they percolate. A candidate is a
*group* where it is unlike what chance does. It is measured by

- **excess**: how far the mean share of new neighbors of its points is above that of points as
  crowded as they are. Noise moves all alike, and tears apart first what lies closest.
- **isolation**: of all new ties that its points have, or that others have to what its points gained
  in common, the share between its points and what they gained in common (1 less the conductance of
  that block). A piece of a continuum has neighbors all around.
- **compactness**: the share of its pairs that have a new one of their 10 or 50 nearest in common.
  A stretch of a line is isolated, but its ends know nothing of each other.

The *score*, 0 to 1, is excess times the geometric mean of isolation and compactness; the *strength*
is the score times the fourth root of the number of points. A group has

- a strength of at least 0.66, and of 0.2 more for each tenth by which the share of new neighbors
  that is usual (the median of all points) is above 0.35;
- an isolation of at least 0.3, and a compactness of at least 0.6, or 0.25 where isolation is at
  least 0.85;
- company: of the nearest of its points, a larger share have moved (have at least half of the mean
  excess of the group) than of all points. The relative entropy of the two shares, in nats, times
  the square root of the number of points is at least 1.5. Points that move each to a place of its
  own meet too, and have new neighbors in common where all have the middle for neighbors;
- points that are neighbors of others at least 0.3 as often as points are, for far points that have
  the middle of all for neighbors have nothing else in common;
- at least 5 points, and at most a third of all.

By what points *lost* in common, they are a group if they also stay together (of the nearest of
its points now, at least 0.6 are of the group: the parts of a cluster that split), or if they came
apart (at least 10 points, an excess of at least 0.5, and a strength of at least 0.66).

There is no group where more than three quarters of the neighbors of half of all points are new: of
two unrelated sides, or a pairing that is permuted, every cluster would be one. Points with ten
exact doubles are in none, for chance says which are their nearest.

Groups are given in descending order of strength. One is left out that shares more than half of its
points, or of theirs, with one before it. The *name* is the label of the point that most of a group
gained; of a group by what it lost, of the point that most of it lost.

The limits were set by simulation, over 200 seeds: random data of 17 kinds (clouds, clusters, lines,
grids, heavy tails, hubs, doubles, digits) of 1 to 300 dimensions and 60 to 3,000 points, with noise
of 1 % to 200 %, permuted, rotated and unrelated, show none (of 756 comparisons with the limits as
they are, 0). Of planted ones were found with at least half of their points in common: clusters
moved onto others in 12 of 12, both parts of a split cluster in 10 of 12, both of two clusters
whose points changed places in 10 of 12 (those of 15 to 30 points are missed), and 20 points out
of a cloud that came together in 21 of 24. What they do not tell apart: where one point in twenty to
one in three is put to a random place in one or two dimensions, about 1 comparison in 20 shows a
group; and few points that spread over a much larger cluster are none, since few of their neighbors
moved.
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
_ALL_CHANGED = 0.75
_USUAL = 0.45
_EXCESS = 0.15
_STRENGTH, _CALM, _STEEP = 0.66, 0.35, 2.0
_ISOLATION, _CUT_OFF = 0.3, 0.85
_COMPACT, _LOOSE = 0.6, 0.25
_KNOWN = 0.3
_COMPANY = 1.5
_UNIT = 0.6
_SCATTERED_EXCESS, _SCATTERED_SIZE = 0.5, 10
_IN_COMMON = 0.5
_ROWS, _PAIRS = 4096, 1 << 22
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
    lost: bool

    @property
    def strength(self) -> float:
        return float(self.score * len(self.rows) ** 0.25)


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
    if max(gained[0].usual, lost[0].usual) > _ALL_CHANGED:
        return GroupSearch((), "most points have new neighbors, so that none stand out")
    found = []
    for lenient, strict in (gained, lost):
        for moves in (lenient, strict):
            block = _Blocks(moves, gained[0].lists, compared, n_points)
            found += _search(moves, block, lenient.usual, lost=lenient is lost[0])
    chosen = _distinct(found)
    groups = tuple(_group(f, gained[0], lost[0], compared, label) for f in chosen)
    return GroupSearch(groups, "" if groups else "no points stand out whose new neighbors agree")


def _search(moves: Moves, block: _Blocks, usual: float, *, lost: bool) -> list[_Found]:
    """Return the candidates that are groups, by what they gained or, where `lost`, lost."""
    if moves.usual > _USUAL:
        return []
    needed = _STRENGTH + _STEEP * max(0.0, usual - _CALM)
    found = []
    for rows in _candidates(moves, block.n_points):
        excess, isolation = float(moves.excess[rows].mean()), block.isolation(rows)
        if isolation < _ISOLATION:
            continue
        compact = block.compactness(rows)
        if compact < (_LOOSE if isolation >= _CUT_OFF else _COMPACT) or block.known(rows) < _KNOWN:
            continue
        one = _Found(rows, excess * float(np.sqrt(isolation * compact)), lost)
        scattered = lost and excess >= _SCATTERED_EXCESS and len(rows) >= _SCATTERED_SIZE
        together = one.strength >= needed and (not lost or block.together(rows) >= _UNIT)
        if (together or (scattered and one.strength >= _STRENGTH)) and (
            block.company(rows) >= _COMPANY
        ):
            found.append(one)
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
        fits &= (excess >= _EXCESS) & (excess * size**0.25 >= _STRENGTH)
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
    their sizes. Points that hardly changed agree with none, and hubs are left out. Of the pairs
    those are given that join the same rows at each level as all do: a largest spanning forest.
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
    parts = [(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0))]
    for start in range(0, n, _ROWS):
        shared = (sets[start : start + _ROWS] @ others).tocoo()
        first = shared.row + np.int32(start)
        kept = (first < shared.col) & (shared.data >= 2)
        first, second, common = first[kept], shared.col[kept], shared.data[kept]
        parts.append((first, second, common / np.sqrt(counts[first] * counts[second])))
        if sum(len(part[0]) for part in parts) > _PAIRS + n:
            parts = [_forest(parts, n)]
    return _forest(parts, n)


def _forest(
    parts: list[tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]], n: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """Return a spanning forest of pairs that agree as much as can be."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import minimum_spanning_tree

    first, second, agreement = (np.concatenate(part) for part in zip(*parts, strict=True))
    # A weight of 0 would be no pair; agreement is at most 1.
    tree = minimum_spanning_tree(csr_matrix((2 - agreement, (first, second)), (n, n))).tocoo()
    return tree.row, tree.col, 2 - tree.data


class _Blocks:
    """Candidates and what they gained, as blocks of the graph of new neighbors."""

    def __init__(
        self, moves: Moves, now: NDArray[np.int32], compared: NDArray[np.int64], n_points: int
    ) -> None:
        self.n_points = n_points
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
        moves = self._moves
        lists = np.concatenate([moves.lists[chosen], moves.surroundings[chosen]], axis=1)
        new = np.concatenate([moves.new[chosen], moves.new_surroundings(chosen)], axis=1)
        member, column = np.nonzero(new)
        sets = csr_matrix(
            (np.ones(len(member), np.float32), (member, lists[member, column])),
            (len(chosen), self.n_points),
        )
        shared = (sets @ sets.T).toarray()
        return float((shared[np.triu_indices(len(chosen), 1)] > 0).mean())

    def company(self, rows: NDArray[np.int64]) -> float:
        """Return how much more often members' nearest have moved than points have.

        The relative entropy of the one share to the other, in nats, times the square root of the
        number of members; 0 where it is not more often. Moved is who has at least half of the
        members' mean excess.
        """
        excess = self._moves.excess
        moved = excess >= excess[rows].mean() / 2
        nearest = self._row[self._moves.lists[rows]]
        beside, usual = moved[nearest[nearest >= 0]].mean(), moved.mean()
        if not beside > usual:
            return 0.0
        rest = (1 - beside) * np.log((1 - beside) / (1 - usual)) if beside < 1 else 0.0
        return float((beside * np.log(beside / usual) + rest) * np.sqrt(len(rows)))

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
    name = label((left or came if found.lost else came or left)[0])
    return Group(name, compared[found.rows], min(found.score, 1.0), came, left)


def _commonest(moves: Moves, rows: NDArray[np.int64]) -> tuple[int, ...]:
    points, counts = np.unique(moves.lists[rows][moves.new[rows]], return_counts=True)
    order = np.lexsort((points, -counts))[:_NAMED]
    return tuple(int(points[i]) for i in order if counts[i] >= 2)

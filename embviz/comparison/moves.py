"""Which neighbors are truly new: not near before, nor in the same surroundings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embviz.comparison.values import FEW, MANY
from embviz.model import Neighbors

CLOSE = 20
_BLOCK = 1 << 12
_SAMPLED_PAIRS = 20_000


@dataclass(frozen=True, eq=False)
class Moves:
    """The neighbors that points have on one side and not on the other.

    Attributes:
        lists: int32 (n_compared, k), the nearest on the side where they are, by their indices.
        new: bool (n_compared, k), which of them the other side does not have.
        excess: float64 (n_compared,), the share of new ones beyond that of points as crowded.
        usual: The median share of new ones. Points with ten exact doubles do not count.
        surroundings, earlier: int32 (n_compared, up to 50), the nearest on that side and on the
            other one.
    """

    lists: NDArray[np.int32]
    new: NDArray[np.bool_]
    excess: NDArray[np.float64]
    usual: float
    surroundings: NDArray[np.int32]
    earlier: NDArray[np.int32]

    def new_surroundings(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of the surroundings of some rows are new, by the lenient measure."""
        return _absent(self.surroundings[rows], self.earlier[rows])


def find_moves(
    before: Neighbors, after: Neighbors, compared: NDArray[np.int64], n_points: int
) -> tuple[Moves, Moves]:
    """Find the neighbors of `after` that are new, by a lenient and by a strict measure.

    By the lenient one a neighbor is new that was not among the 20 nearest before. By the strict one
    its surroundings were others as well: it was not among the 50 nearest, and of their 50 nearest
    the two had fewer in common than halfway between what two points have that are drawn by chance
    and what a point has with its 10 nearest. Where a sixth of all points is fewer than 50, or 20,
    it is taken for these, but 10 at least. A point with ten exact doubles on a side has no neighbor
    that is new: chance says which are its nearest.

    The share of new neighbors that is usual for a point falls with its distance to the 10th nearest
    before, for noise tears apart first what lies closest. It is the decreasing function of that
    distance that fits the shares best (isotonic regression, Barlow et al. 1972).

    Args:
        before, after: The nearest of the compared points, (n_compared, k), k up to 50.
        compared: int64 (n_compared,), ascending, which of all points they are.
        n_points: How many points there are.
    """
    k = min(FEW, before.indices.shape[1], after.indices.shape[1])
    wide = min(MANY, before.indices.shape[1], max(k, n_points // 6))
    earlier, lists = before.indices[:, :wide], np.ascontiguousarray(after.indices[:, :k])
    close = earlier[:, :CLOSE]
    new = np.zeros(lists.shape, np.bool_)
    for part in _blocks(len(lists)):
        new[part] = _absent(lists[part], close[part])
    crowding = before.proportions[:, k - 1]
    told = ~(_arbitrary(before, k) | _arbitrary(after, k))
    new[~told] = False
    surroundings = after.indices[:, :wide]
    lenient = Moves(lists, new, *_excess(new, crowding, told), surroundings, earlier)
    far = new.copy()
    for part in _blocks(len(lists)):
        far[part] &= _absent(lists[part], earlier[part])
    rows, columns = np.nonzero(far)
    others = _rows_of(compared, n_points)[lists[rows, columns]]
    known = others >= 0
    rows, columns, others = rows[known], columns[known], others[known]
    ordered = np.sort(earlier, axis=1)
    apart = _in_common(ordered, rows, others) < _halfway(
        ordered, earlier[:, :k], compared, n_points
    )
    far[rows, columns] = apart
    return lenient, Moves(lists, far, *_excess(far, crowding, told), surroundings, earlier)


def _arbitrary(side: Neighbors, k: int) -> NDArray[np.bool_]:
    """Return which points have so many doubles that chance says which are the nearest."""
    distances = side.proportions
    last = distances[:, -1]
    return np.asarray(distances[:, k - 1] <= 1e-6 * np.maximum(last, np.median(last)))


def _absent(lists: NDArray[np.int32], others: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return which points of each row are not in the same row of the others."""
    return np.asarray(~(lists[:, :, None] == others[:, None, :]).any(axis=2))


def _blocks(n: int, size: int = _BLOCK) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, n, size))


def _rows_of(compared: NDArray[np.int64], n_points: int) -> NDArray[np.int64]:
    """Return the row of each point among the compared ones, -1 where it is not."""
    rows = np.full(n_points, -1, np.int64)
    rows[compared] = np.arange(len(compared))
    return rows


def _in_common(
    ordered: NDArray[np.int32], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Count what two rows have in common; each row is ascending and has nothing twice."""
    found = np.zeros(len(first), np.int64)
    for pairs in _blocks(len(first)):
        both = np.concatenate([ordered[first[pairs]], ordered[second[pairs]]], axis=1)
        both.sort(axis=1)
        found[pairs] = (both[:, 1:] == both[:, :-1]).sum(axis=1)
    return found


def _halfway(
    ordered: NDArray[np.int32],
    nearest: NDArray[np.int32],
    compared: NDArray[np.int64],
    n_points: int,
) -> float:
    """Return the number in common between that of pairs by chance and that of near ones."""
    n, k = nearest.shape
    rows = np.repeat(np.arange(0, n, max(1, n * k // _SAMPLED_PAIRS)), k)
    others = _rows_of(compared, n_points)[nearest[rows[::k]].ravel()]
    near = _in_common(ordered, rows[others >= 0], others[others >= 0])
    random = np.random.default_rng(0)
    first, second = random.integers(0, n, (2, _SAMPLED_PAIRS))
    far = _in_common(ordered, first[first != second], second[first != second])
    if not len(near) or not len(far):
        return np.inf
    return float(near.mean() + far.mean()) / 2


def _excess(
    new: NDArray[np.bool_], crowding: NDArray[np.floating], told: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], float]:
    """Return the excess of each point, 0 where it cannot be told, and the median share."""
    from sklearn.isotonic import IsotonicRegression

    excess = np.zeros(len(new))
    share = new[told].mean(axis=1)
    if not len(share):
        return excess, 1.0
    order = np.unique(crowding[told], return_inverse=True)[1].astype(np.float64)
    excess[told] = share - IsotonicRegression(increasing=False).fit_transform(order, share)
    return excess, float(np.median(share))

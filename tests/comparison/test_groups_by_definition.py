"""Groups that changed together are those of the definition, taken by loops over all pairs."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import entropy

from embviz.comparison.groups import find_groups
from embviz.comparison.moves import find_moves
from embviz.model import Neighbors
from tests.comparison.test_groups import clusters, nearest

Floats = NDArray[np.float64]
Sets = list[set[int]]


def new_sets(before: Neighbors, after: Neighbors) -> tuple[Sets, Sets]:
    """What is new for each point, by the lenient and by the strict measure."""
    n = len(before.indices)
    near = [row[: min(50, max(10, n // 6))].tolist() for row in before.indices]
    common = [[len(set(one) & set(other)) for other in near] for one in near]
    close = np.mean([common[i][j] for i in range(n) for j in near[i][:10]])
    halfway = (close + np.mean([common[i][j] for i, j in combinations(range(n), 2)])) / 2
    lenient = [set(after.indices[i, :10].tolist()) - set(near[i][:20]) for i in range(n)]
    strict = [
        {j for j in new if j not in near[i] and common[i][j] < halfway}
        for i, new in enumerate(lenient)
    ]
    return lenient, strict


def excess_of(new: Sets, before: Neighbors) -> Floats:
    """The share of new ones above the decreasing function of the 10th distance that fits best.

    By the minimax formula of isotonic regression (Robertson, Wright and Dykstra 1988, 1.4).
    """
    share = np.array([len(one) / 10 for one in new])
    order = np.argsort(before.distances[:, 9], kind="stable")
    sums = np.concatenate([[0], np.cumsum(share[order])])
    fitted = np.empty(len(share))
    for i in range(len(share)):
        ends = np.arange(i + 1, len(share) + 1)
        fitted[order[i]] = min(((sums[ends] - sums[a]) / (ends - a)).max() for a in range(i + 1))
    return share - fitted


def candidates_of(new: Sets) -> set[tuple[int, ...]]:
    """The components of points that agree, at every level, of at least five points."""
    n = len(new)
    agree = np.zeros((n, n))
    for i, j in combinations(range(n), 2):
        both = len(new[i] & new[j])
        if both >= 2 and min(len(new[i]), len(new[j])) >= 3:
            agree[i, j] = agree[j, i] = both / np.sqrt(len(new[i]) * len(new[j]))
    found = set()
    for level in range(10, 95, 5):
        free = set(range(n))
        while free:
            component, ends = set(), [free.pop()]
            while ends:
                i = ends.pop()
                component.add(i)
                beside = {j for j in free if agree[i, j] >= level / 100 - 1e-6}
                ends += beside
                free -= beside
            if 5 <= len(component) <= n / 3:
                found.add(tuple(sorted(component)))
    return found


def isolation_of(rows: tuple[int, ...], new: Sets) -> float:
    gained = [j for i in rows for j in new[i]]
    common = {j for j in gained if gained.count(j) >= 2}
    block = set(rows) | common
    inside = sum(j in common for j in gained)
    leaving = len(gained) - inside
    entering = sum(j in common for i in range(len(new)) if i not in block for j in new[i])
    return inside / max(inside + leaving + entering, 1)


def compactness_of(rows: tuple[int, ...], new: Sets, before: Neighbors, after: Neighbors) -> float:
    wide = min(50, max(10, len(new) // 6))
    around = {
        i: new[i] | (set(after.indices[i, :wide].tolist()) - set(before.indices[i, :wide].tolist()))
        for i in rows
    }
    return float(np.mean([bool(around[i] & around[j]) for i, j in combinations(rows, 2)]))


def company_of(rows: tuple[int, ...], lists: NDArray[np.int32], excess: Floats) -> float:
    moved = excess >= np.mean([excess[i] for i in rows]) / 2
    beside = np.mean([moved[j] for i in rows for j in lists[i, :10]])
    usual = moved.mean()
    return entropy([beside, 1 - beside], [usual, 1 - usual]) * np.sqrt(len(rows)) * (beside > usual)


def groups_of(a: Neighbors, b: Neighbors) -> list[tuple[tuple[int, ...], float]]:
    """Points and scores of the groups, the strongest first."""
    now = [set(row[:10].tolist()) for row in b.indices]
    known = np.bincount(b.indices[:, :10].ravel(), minlength=len(now)) / 10
    found = []
    for before, after, lost in ((a, b, False), (b, a, True)):
        lenient, strict = new_sets(before, after)
        usual = float(np.median([len(new) / 10 for new in lenient]))
        for new in (lenient, strict):
            excess = excess_of(new, before)
            for rows in candidates_of(new):
                isolation, compact = (
                    isolation_of(rows, new),
                    compactness_of(rows, new, before, after),
                )
                if isolation < 0.3 or compact < (0.25 if isolation >= 0.85 else 0.6):
                    continue
                if known[list(rows)].mean() < 0.3 or company_of(rows, after.indices, excess) < 1.5:
                    continue
                mean = float(excess[list(rows)].mean())
                score = mean * np.sqrt(isolation * compact)
                strength = score * len(rows) ** 0.25
                stay = np.mean([len(now[i] & set(rows)) / 10 for i in rows]) >= 0.6
                apart = lost and mean >= 0.5 and len(rows) >= 10 and strength >= 0.66
                needed = 0.66 + 2 * max(0.0, usual - 0.35)
                if apart or (strength >= needed and (stay or not lost)):
                    found.append((strength, rows, float(score)))
    chosen: list[tuple[tuple[int, ...], float]] = []
    for _, rows, score in sorted(found, key=lambda one: (-one[0], one[1])):
        if all(len({*rows} & {*o}) <= min(len(rows), len(o)) / 2 for o, _ in chosen):
            chosen.append((rows, score))
    return chosen


def moved(seed: int) -> tuple[Floats, Floats]:
    """Clusters of which one moves onto another, one splits, and two change places."""
    a, centers = clusters(seed, n=320, count=8)
    random = np.random.default_rng(seed)
    b = a + 0.05 * random.normal(size=a.shape)
    b[0::8] += centers[1] - centers[0]
    b[2::16] += 10 / np.sqrt(10)
    b[4::8], b[5::8] = b[5::8].copy(), b[4::8].copy()
    return a, b


@pytest.mark.parametrize("seed", [0, 1])
def test_groups_are_those_of_the_definition(seed: int) -> None:
    a, b = (nearest(side) for side in moved(seed))
    expected = groups_of(a, b)
    found = find_groups(a, b, np.arange(320), 320, str).groups
    assert len(expected) >= 4
    assert [tuple(g.points.tolist()) for g in found] == [rows for rows, _ in expected]
    np.testing.assert_allclose([g.score for g in found], [score for _, score in expected], 1e-9)


@pytest.mark.parametrize("d", [2, 30])
def test_new_neighbors_and_excess_are_those_of_the_definition(d: int) -> None:
    random = np.random.default_rng(d)
    a = random.normal(size=(200, d))
    before, after = nearest(a), nearest(a + 0.5 * random.normal(size=a.shape))
    for moves, new in zip(
        find_moves(before, after, np.arange(200), 200), new_sets(before, after), strict=True
    ):
        rows = [set(moves.lists[i][moves.new[i]].tolist()) for i in range(200)]
        assert rows == new
        np.testing.assert_allclose(moves.excess, excess_of(new, before), atol=1e-9)
        assert moves.usual == np.median([len(one) / 10 for one in new])

"""Which two groups mix: what share of their neighbors is the other's."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from embviz.clusters.values import Partition

_LISTED = 3
"""How many others `Partition.toward` names at most."""


@dataclass(frozen=True, order=True)
class MixingPair:
    """Two groups, and which share of the neighbors of both lies in the other of the two."""

    share: float
    a: int
    b: int


def mixing_pairs(partition: Partition) -> tuple[list[MixingPair], float]:
    """Return the pairs of groups that mix, most first, and what no pair exceeds.

    Of groups of s and t points, of whose neighbors the shares x and y lie in the other one, it is
    (s x + t y) / (s + t). Pairs are left out of which one share is not known, as only the three
    largest of a group are.

    Args:
        partition: With what was measured of its groups.

    Returns:
        Pairs with a share above 0, and a bound of the shares of all pairs, 0 to 1.
    """
    known = [dict(some) for some in partition.toward]
    rests = [_rest(partition, group) for group in range(partition.n_groups)]
    sizes = partition.sizes.tolist()
    found, bound = [], 0.0
    for a, b in combinations(range(partition.n_groups), 2):
        n = sizes[a] + sizes[b]
        if not n:
            continue
        sides = [(a, b), (b, a)]
        most = sum(sizes[i] * known[i].get(j, rests[i]) for i, j in sides) / n
        bound = max(bound, most)
        if all(j in known[i] or rests[i] == 0 for i, j in sides) and most > 0:
            found.append(MixingPair(most, a, b))
    return sorted(found, key=lambda pair: (-pair.share, pair.a, pair.b)), bound


def _rest(partition: Partition, group: int) -> float:
    """Return the most that a group which `toward` does not name may have."""
    inside, others = partition.inside[group], partition.toward[group]
    if inside is None:
        return 1.0
    if len(others) < _LISTED:
        return 0.0
    left = 1 - inside - sum(share for _, share in others)
    return 0.0 if left < 1e-9 else min(left, others[-1][1])

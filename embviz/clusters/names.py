"""Names of groups by what sets the labels of their members apart.

The page has the same in JavaScript; docs/clusters.md defines it for both.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, pairwise

import numpy as np
from numpy.typing import NDArray

from embviz.clusters.words import LONGEST, can_name, cut, find_words, tidy

MOST_PARTS = 3
_COMMON = 10
"""A label that one of so many members has is common."""


@dataclass(frozen=True, eq=False)
class _Labels:
    """The labels of all points.

    Attributes:
        tidied: A text a point, "" where it has none.
        n_points: How many have one.
        shared: How many points have each.
    """

    tidied: Sequence[str]
    n_points: int
    shared: Counter[str]


@dataclass(frozen=True, eq=False)
class _Group:
    """The members of a group that have a label.

    Attributes:
        labels: Theirs, in the order of their rows.
        counts: How many have each, in the order in which they are met.
        telling: Those that set the group apart.
        places: float64 (n, dims), where the members lie.
        middle: float64 (dims,), of all members of the group.
    """

    labels: list[str]
    counts: Counter[str]
    telling: set[str]
    places: NDArray[np.float64]
    middle: NDArray[np.float64]


def name_groups(
    labels: Sequence[str] | None,
    codes: NDArray[np.integer],
    n_groups: int,
    places: NDArray[np.floating],
    row_numbers: Sequence[int] | NDArray[np.integer],
) -> list[str]:
    """Return a name for each group, no two the same.

    Args:
        labels: A text a point, "" where it has none; None where no point has one.
        codes: int (n_points,), each point's group, -1 for none.
        n_groups: How many there are, each with a member.
        places: float (n_points, dims), where the points lie in the map.
        row_numbers: Those of the points in the source.
    """
    tidied = [""] * len(codes) if labels is None else [tidy(text) for text in labels]
    shared = Counter(tidied)
    n_labelled = len(tidied) - shared.pop("", 0)
    known = _Labels(tidied, n_labelled, shared)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(n_groups + 1))
    members = [order[a:b] for a, b in pairwise(starts.tolist())]
    groups = [_look_at(known, rows, places) for rows in members]
    words = _WordWeights(known, codes, groups)
    named = []
    for code, group in enumerate(groups):
        parts = _values(group) or words.of(code) or _central(group)
        if not parts:
            nearest = members[code][_by_distance(places[members[code]], group.middle)[0]]
            parts = [f"row {row_numbers[nearest]}"]
        named.append(_join(parts))
    return _told_apart(named)


def _look_at(known: _Labels, rows: NDArray[np.integer], places: NDArray[np.floating]) -> _Group:
    """Return the members of a group that have a label."""
    own = places[rows].astype(np.float64)
    texts = [known.tidied[row] for row in rows.tolist()]
    there = [i for i, text in enumerate(texts) if text]
    labels = [texts[i] for i in there]
    counts = Counter(labels)
    n, total = len(labels), known.n_points
    telling = {v for v, k in counts.items() if 5 * k * total >= 6 * known.shared[v] * n}
    return _Group(labels, counts, telling or set(counts), own[there], np.median(own, axis=0))


def _values(group: _Group) -> list[str]:
    """Return the fewest of the commonest labels that half of the members have, else none."""
    found: list[str] = []
    covered = 0
    for value, k in group.counts.most_common():
        if k < 2 or len(found) == MOST_PARTS:
            break
        if value not in group.telling:
            continue
        found.append(value)
        covered += k
        if 2 * covered >= len(group.labels):
            return found
    return []


@dataclass(eq=False)
class _WordWeights:
    """The words that set groups apart."""

    known: _Labels
    codes: NDArray[np.integer]
    groups: list[_Group]

    def __post_init__(self) -> None:
        self.found = {text: find_words(text) for text in self.known.shared}
        self.frequency: Counter[str] = Counter()
        total = 0
        for text, k in self.known.shared.items():
            total += k * len(self.found[text])
            for word in self.found[text]:
                self.frequency[word] += k
        has_rest = sum(len(group.labels) for group in self.groups) < self.known.n_points
        self.mean_words = total / max(1, len(self.groups) + has_rest)

    def of(self, code: int) -> list[str]:
        """Return the words that name a group, the heaviest first; none where there are none."""
        group = self.groups[code]
        n, total = len(group.labels), self.known.n_points
        several = sum(k for text, k in group.counts.items() if len(self.found[text]) > 1)
        if not n or 2 * several < n:
            return []
        counts = self._counts(group)
        weights: dict[str, float] = {}
        for word, t in counts.items():
            f = self.frequency[word]
            apart = t * (total - n) >= 2 * (f - t) * n
            if t >= 2 and 50 * t >= n and apart and can_name(word):
                weights[word] = t * math.log(1 + self.mean_words / f)
        heaviest = sorted(weights, key=lambda word: -weights[word])[:MOST_PARTS]
        kept = [word for word in heaviest if 4 * weights[word] >= weights[heaviest[0]]]
        return [self._spelled(word, group) for word in kept]

    def _counts(self, group: _Group) -> dict[str, int]:
        """Return how many labels of a group have each word, in the order in which they are met."""
        counts: dict[str, int] = {}
        for text, k in group.counts.items():
            for word in self.found[text]:
                counts[word] = counts.get(word, 0) + k
        return counts

    def _spelled(self, word: str, group: _Group) -> str:
        """Return a word as most of the group's labels have it."""
        spellings: Counter[str] = Counter()
        for text, k in group.counts.items():
            if word in self.found[text]:
                spellings[self.found[text][word]] += k
        return spellings.most_common(1)[0][0]


def _central(group: _Group) -> list[str]:
    """Return the commonest label, where it is common, and labels from the middle of the group."""
    found: dict[str, None] = {}
    for value, k in group.counts.most_common():
        if value in group.telling:
            if k >= 2 and _COMMON * k >= len(group.labels):
                found[value] = None
            break
    telling = [i for i, text in enumerate(group.labels) if text in group.telling]
    nearest = _by_distance(group.places[telling], group.middle)
    near = sorted(nearest[: max(MOST_PARTS, -(-len(telling) // 2))].tolist())
    inner = [group.labels[telling[i]] for i in near]
    # Signs alone say little, where a label of letters or digits is there.
    for labels in (filter(find_words, inner), inner):
        for label in labels:
            if len(found) == MOST_PARTS:
                break
            found[label] = None
        if found:
            break
    return list(found)


def _by_distance(places: NDArray[np.floating], middle: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return which of some places are how near to a middle, the nearest first."""
    squares = np.zeros(len(places))
    for axis, center in enumerate(middle.tolist()):
        squares += (places[:, axis].astype(np.float64) - center) ** 2
    return np.argsort(squares, kind="stable")


def _join(parts: Iterable[str]) -> str:
    """Return as many parts as a name has room for, the first in any case."""
    name = ""
    for part in parts:
        if not name:
            name = cut(part)
        elif len(name) + 2 + len(part) <= LONGEST:
            name = f"{name}, {part}"
        else:
            break
    return name


def _told_apart(names: Iterable[str]) -> list[str]:
    """Return names with a number behind each that another one before has."""
    taken: dict[str, None] = {}
    for name in names:
        taken[next(each for each in _numbered(name) if each not in taken)] = None
    return list(taken)


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name} ({i})" for i in count(2))

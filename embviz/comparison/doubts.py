"""Pairs that products of float32 leave open, measured in float64."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from embviz.neighbors.exact_rows import MEASURED_NUMBERS, ExactRows

Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]

_HELD = 1 << 18  # Pairs.


class Doubts:
    """Counts, of pairs that are in doubt, those that are nearer than a limit.

    A point of which too many pairs are in doubt is not counted: to multiply all of its pairs in
    float64 is then cheaper.
    """

    def __init__(self, exact: ExactRows, rows: Rows, own: Numbers) -> None:
        """Begin with nothing counted.

        Args:
            exact: The vectors.
            rows: int64 (n_points,), the row of each point.
            own: float64 (n_asked, n), the limits of the first points: squared distances.
        """
        self._exact, self._rows, self._own = exact, rows, own
        self._most = 64 + len(rows) // 32
        self._seen = np.zeros(len(own), np.int64)
        self._counts = np.zeros(own.shape, np.int64)
        self._waiting: list[tuple[Rows, Rows, Rows]] = []
        self._lock = threading.Lock()

    def add(self, point: Rows, limit: Rows, other: Rows) -> None:
        """Take in pairs of a point and an other, and which of the point's limits is in doubt."""
        with self._lock:
            np.add.at(self._seen, point, 1)
            few = self._seen[point] <= self._most
            self._waiting.append((point[few], limit[few], other[few]))
            if sum(len(pairs[0]) for pairs in self._waiting) < _HELD:
                return
            waiting, self._waiting = self._waiting, []
        self._measure(waiting)

    def _measure(self, waiting: list[tuple[Rows, Rows, Rows]]) -> None:
        point, limit, other = (np.concatenate(x) for x in zip(*waiting, strict=True))
        step = max(1, MEASURED_NUMBERS // self._exact.space.shape[1])
        for first in range(0, len(point), step):
            part = slice(first, first + step)
            apart = self._exact.take_near_one(self._rows[point[part]])
            apart = apart - self._exact.take_near_one(self._rows[other[part]])
            squares = np.einsum("ij,ij->i", apart, apart)
            nearer = np.flatnonzero(squares < self._own[point[part], limit[part]]) + first
            with self._lock:
                np.add.at(self._counts, (point[nearer], limit[nearer]), 1)

    def found(self) -> tuple[Rows, Flags]:
        """Return the counts, int64 (n_asked, n), and of which points they are not known."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._measure(waiting)
        return self._counts, self._seen > self._most

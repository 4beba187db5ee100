"""A number for each row that its place among all rows and the seed alone decide."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1
_ROWS_AT_ONCE = 1 << 21
CERTAIN = 2.0**64


def hash_rows(rows: NDArray[np.int64], seed: int) -> NDArray[np.uint64]:
    """Return a 64-bit hash of row numbers, (n,), which no two of them share.

    The output function of SplitMix64 (Steele, Lea and Flood 2014) at the state that comes row + 1
    steps behind that of the seed, itself hashed so that near seeds are far from each other.

    Args:
        rows: int64 (n,), from 0.
        seed: 0 .. 2^32 - 1.
    """
    first = int(_mix(np.array([(seed * _GOLDEN + 1) & _MASK], np.uint64))[0])
    states = rows.astype(np.uint64) + np.uint64(1)
    states *= np.uint64(_GOLDEN)
    states += np.uint64(first)
    return _mix(states)


def _mix(states: NDArray[np.uint64]) -> NDArray[np.uint64]:
    out = states.copy()
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        out ^= out >> np.uint64(shift)
        out *= np.uint64(factor)
    out ^= out >> np.uint64(31)
    return out


def least_hashed(n_all: int, n: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Return the rows of the least hashes and these hashes, both (n,), least first.

    Args:
        n_all: How many rows there are.
        n: How many are wanted, at most all.
        seed: As for `hash_rows`.
    """
    share = min(1.0, (n + 6 * n**0.5 + 10) / max(1, n_all))
    while True:
        below = np.uint64(min(_MASK, int(share * CERTAIN)))
        found: list[NDArray[np.int64]] = []
        for start in range(0, n_all, _ROWS_AT_ONCE):
            rows = np.arange(start, min(n_all, start + _ROWS_AT_ONCE), dtype=np.int64)
            found.append(rows[hash_rows(rows, seed) <= below])
        rows = np.concatenate(found)
        if len(rows) >= n:
            hashes = hash_rows(rows, seed)
            order = np.argsort(hashes)[:n]
            return rows[order], hashes[order]
        share = min(1.0, 2 * share)

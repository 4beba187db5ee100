"""The order in which points are drawn (drawing/order.js).

It is by a hash of where they lie, so that neither their rows nor the legend decide who is seen
where many overlap.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SEED, _AGAIN = np.uint32(0x9E3779B9), np.uint32(0x7F4A7C15)
Hashes = NDArray[np.uint32]


def _mixed(x: Hashes) -> Hashes:
    """Return the last step of MurmurHash3 (Appleby, public domain)."""
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return x ^ (x >> np.uint32(16))


def _place_hashes(bits: Hashes, seed: np.uint32) -> Hashes:
    hashes = np.full(len(bits), seed, np.uint32)
    for column in bits.T:
        hashes = _mixed(hashes ^ column) + _SEED
    return hashes


def drawing_order(
    places: NDArray[np.float32], colors: NDArray[np.uint8] | None
) -> NDArray[np.int64]:
    """Return all rows in the order of drawing.

    Args:
        places: float32 (n, dims).
        colors: (n, 3); of rows at one place each, whatever its color, has the same chance to be
            last. None where all have one.
    """
    bits = np.ascontiguousarray(places, np.float32).view(np.uint32)
    hashes = _place_hashes(bits, _SEED)
    order = np.argsort(hashes, kind="stable")
    at = hashes[order]
    same = np.concatenate([[False], at[1:] == at[:-1], [False]])
    ties = np.flatnonzero(same[1:] | same[:-1])
    if colors is not None and len(ties):
        rows = order[ties]
        order[ties] = _without_ties(rows, hashes[rows], bits[rows], colors[rows])
    return order


def _without_ties(
    rows: NDArray[np.int64], hashes: Hashes, bits: Hashes, colors: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Return such rows in an order that their own does not matter to."""
    opaque = np.concatenate([colors, np.full((len(colors), 1), 255, np.uint8)], axis=1)
    keys = _mixed(_place_hashes(bits, _AGAIN) ^ opaque.view("<u4")[:, 0])
    inner = np.lexsort([keys, hashes])
    alike = keys[inner]
    # What is alike in place and color is now together, and is told apart by its number among it.
    first = np.flatnonzero(np.concatenate([[True], alike[1:] != alike[:-1]]))
    counts = np.diff(np.concatenate([first, [len(alike)]]))
    number = (np.arange(len(alike)) - np.repeat(first, counts)).astype(np.uint32)
    numbered = np.empty_like(keys)
    numbered[inner] = _mixed(alike + number * _SEED)
    return rows[np.lexsort([numbered, hashes])]

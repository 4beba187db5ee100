"""Records one behind the other: a word, the byte that ends it, and as many bytes more each."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

LONGEST_WORD = 1 << 16


def cut_records(raw: bytes, ending: bytes, n_bytes: int) -> list[bytes]:
    """Return the words of the whole records that bytes begin with.

    Args:
        raw: A record's first byte and what follows.
        ending: The byte that ends a word.
        n_bytes: How many bytes stand behind it.
    """
    # One search for all: a record, or all that is left.
    pattern = rb"(?s)([^%b]*+)%b.{%d}|.+" % (re.escape(ending), re.escape(ending), n_bytes)
    words: list[bytes] = re.findall(pattern, raw)
    at = sum(map(len, words)) + (len(words) - 1) * (1 + n_bytes)
    if words and (at + 1 + n_bytes > len(raw) or raw[at : at + 1] != ending):
        words.pop()
    return words


def record_ends(words: list[bytes], n_bytes: int) -> NDArray[np.int64]:
    """Return where the records of words end, int64 (n_words,), from their first byte on."""
    ends = np.fromiter(map(len, words), np.int64, len(words))
    ends += 1 + n_bytes
    return np.cumsum(ends, out=ends)


def gather_bytes(
    raw: bytes | NDArray[np.uint8], offsets: NDArray[np.int64], n_bytes: int
) -> NDArray[np.uint8]:
    """Return the bytes at some offsets, uint8 (n_offsets, n_bytes), all within `raw`."""
    if not len(offsets):
        return np.empty((0, n_bytes), np.uint8)
    flat: NDArray[Any] = np.frombuffer(raw, np.uint8) if isinstance(raw, bytes) else raw
    return np.lib.stride_tricks.sliding_window_view(flat, n_bytes)[offsets]

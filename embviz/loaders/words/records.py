"""Records one behind the other: a word, the byte that ends it, and as many bytes more each."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import counted, printable

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


def decode_words(words: list[bytes]) -> tuple[tuple[str, ...], str]:
    """Return words as text, what is no UTF-8 in them as U+FFFD, and what is said of that."""
    texts = tuple([word.decode("utf-8", "replace") for word in words])
    odd = [i for i, t in enumerate(texts) if "\ufffd" in t and t.encode() != words[i]]
    if not odd:
        return texts, ""
    return texts, (
        f"{counted(len(odd), 'word')} with bytes that are no UTF-8, shown as U+FFFD; "
        f"the first of them is row {odd[0]}, '{printable(texts[odd[0]], 60)}'"
    )


def gather_bytes(
    raw: bytes | NDArray[np.uint8], offsets: NDArray[np.int64], n_bytes: int
) -> NDArray[np.uint8]:
    """Return the bytes at some offsets, uint8 (n_offsets, n_bytes), all within `raw`."""
    if not len(offsets):
        return np.empty((0, n_bytes), np.uint8)
    flat: NDArray[Any] = np.frombuffer(raw, np.uint8) if isinstance(raw, bytes) else raw
    return np.lib.stride_tricks.sliding_window_view(flat, n_bytes)[offsets]

"""The character n-grams of words, by the numbers that fastText gives them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BASIS, _PRIME = 2166136261, 16777619
END_OF_SENTENCE = b"</s>"  # which has no n-grams


@dataclass(frozen=True)
class Ngrams:
    """Which n-grams a model has: of `least` to `most` characters, in so many buckets."""

    least: int
    most: int
    n_buckets: int


def find_ngrams(words: list[bytes], ngrams: Ngrams) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the buckets of the n-grams of words, as `Dictionary::computeSubwords` numbers them.

    Source: fastText's dictionary.cc. A word stands between < and >; an n-gram's hash is FNV-1a of
    its bytes, each taken as a signed number, in 32 bits.

    Args:
        words: UTF-8, or what is to be that.
        ngrams: Which n-grams are meant.

    Returns:
        The buckets word by word, in the order of their first and then of their last characters,
        int64; and how many each word has, int64 (n_words,).
    """
    text = np.frombuffer(b"<" + b"><".join(words) + b">", np.uint8)
    signed = text.view(np.int8).astype(np.int32).view(np.uint32)
    # A character is a byte that continues none, and those that continue it.
    begins = np.flatnonzero((text & 0xC0) != 0x80)
    widths = np.diff(begins, append=len(text))
    word_ends = np.cumsum([len(word) + 2 for word in words])
    word_of = np.searchsorted(word_ends, begins, "right")
    n_chars = np.bincount(word_of, minlength=len(words))
    stop = np.cumsum(n_chars)[word_of]
    first = stop - n_chars[word_of]
    has_ngrams = np.array([word != END_OF_SENTENCE for word in words])[word_of]
    places = np.arange(len(begins))
    hashes = np.full(len(begins), _BASIS, np.uint32)
    found = np.zeros((len(begins), ngrams.most), np.uint32)
    is_ngram = np.zeros(found.shape, np.bool_)
    for n in range(1, ngrams.most + 1):
        last = places + (n - 1)
        open_ = np.flatnonzero(has_ngrams & (last < stop))
        if not len(open_):
            break
        added = last[open_]
        for k in range(int(widths[added].max())):
            more = widths[added] > k
            which = open_[more]
            hashes[which] = (hashes[which] ^ signed[begins[added[more]] + k]) * np.uint32(_PRIME)
        found[open_, n - 1] = hashes[open_] % np.uint32(ngrams.n_buckets)
        if n >= ngrams.least:
            is_ngram[open_, n - 1] = True
            if n == 1:  # < and > alone are none
                is_ngram[(places == first) | (places == stop - 1), 0] = False
    counts = np.bincount(word_of, is_ngram.sum(1), len(words)).astype(np.int64)
    return found[is_ngram].astype(np.int64), counts

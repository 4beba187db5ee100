"""FastText's models: the vectors of the words that they know, and of the labels of classifiers."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError
from embviz.inputs import open_file
from embviz.loaders.bytes.packed import find_packing
from embviz.loaders.opened import Claim, Source, Start, Tensor, TextColumns
from embviz.loaders.reading import Reading
from embviz.loaders.words.fasttext_model import (
    MAGIC,
    Header,
    Model,
    read_header,
    read_model,
)
from embviz.loaders.words.ngrams import find_ngrams
from embviz.loaders.words.records import decode_words
from embviz.rows import BLOCK_BYTES

_log = logging.getLogger("embviz")

_WORDS_AT_ONCE = 2048
_BYTES_AT_ONCE = 1 << 16


class FasttextFormat:
    """Reads models of versions 11 and 12; rows are computed block by block from mapped matrices."""

    name = "fasttext"

    def claim(self, start: Start) -> Claim | None:
        """Claim what begins with fastText's number, packed ones too."""
        is_model = start.kind == "file" and start.unpacked.startswith(MAGIC)
        return Claim.MAGIC if is_model else None

    def open(self, path: Path, reading: Reading) -> Source:
        """Read what a model says of itself; its dictionary is read with the first rows.

        Returns:
            `words`, as fastText's getWordVector gives them, and of a classifier `labels`, the rows
            of its output; both float32, with columns `label` and `count`.

        Raises:
            LoadError: If it is damaged or packed, or of a version that is not read.
        """
        with open_file(path) as file:
            packing = find_packing(file.read(16))
        if packing:
            command = f": gunzip -k {path.name}" if packing == "gzip" else ""
            raise LoadError(
                path,
                f"a fastText model packed by {packing}, whose rows cannot be had where they lie",
                f"unpack it first{command}",
            )
        header = read_header(path)
        model = cache(lambda: read_model(path, header))
        tensors = [
            Tensor(
                "words",
                (header.n_words, header.n_dims),
                "float32",
                rows=lambda: _WordRows(model()),
                note=_describe(header),
                preferred=True,
                columns=lambda: _columns(path, model(), 0, header.n_words, reading.strict),
            )
        ]
        if header.of_labels:
            tensors.append(
                Tensor(
                    "labels",
                    (header.n_labels, header.n_dims),
                    "float32",
                    rows=lambda: _MatrixRows(model()),
                    note="output of the classifier",
                    columns=lambda: _columns(
                        path, model(), header.n_words, header.n_labels, reading.strict
                    ),
                )
            )
        return Source(path, tuple(tensors), is_model=True)


FASTTEXT = FasttextFormat()


def _describe(header: Header) -> str:
    ngrams = header.ngrams
    if ngrams is None:
        return f"fastText {header.kind}"
    least = max(1, ngrams.least)
    return f"fastText {header.kind}, with n-grams of {least} to {ngrams.most} characters"


class _WordRows:
    """The vectors of words: the means of their own and their n-grams' rows, as fastText has them.

    Sums are float32 and in fastText's order.
    """

    dtype: np.dtype[Any] = np.dtype(np.float32)

    def __init__(self, model: Model) -> None:
        self._model = model
        self.shape = (model.header.n_words, model.header.n_dims)

    def __getitem__(self, rows: slice, /) -> NDArray[np.float32]:
        start, stop, _ = rows.indices(self.shape[0])
        out = np.zeros((max(0, stop - start), self.shape[1]), np.float32)
        at = start
        while at < stop:
            end = self._find_end(at, stop)
            self._sum_rows(at, end, out[at - start : end - start])
            at = end
        return out

    def _find_end(self, at: int, stop: int) -> int:
        """Return how many words from one on are few and short enough for one step."""
        words = self._model.dictionary.entries[at : min(stop, at + _WORDS_AT_ONCE)]
        within = int(np.searchsorted(np.cumsum(list(map(len, words))), _BYTES_AT_ONCE))
        return at + max(1, min(len(words), within))

    def _sum_rows(self, at: int, end: int, out: NDArray[np.float32]) -> None:
        """Write the vectors of words into rows of zeros."""
        rows, counts = self._find_rows(at, end)
        stops = np.cumsum(counts)
        firsts = stops - counts
        begin = 0
        while begin < len(counts):
            most = firsts[begin] + BLOCK_BYTES // (4 * self.shape[1])
            stop = max(begin + 1, int(np.searchsorted(stops, most, "right")))
            ascending, places = np.unique(
                rows[firsts[begin] : stops[stop - 1]], return_inverse=True
            )
            values = self._model.input.take(ascending)
            for k in range(int(counts[begin:stop].max())):
                more = begin + np.flatnonzero(counts[begin:stop] > k)
                out[more] += values[places[firsts[more] - firsts[begin] + k]]
            begin = stop
        out *= (1.0 / counts).astype(np.float32)[:, None]

    def _find_rows(self, at: int, end: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows of the input matrix that make each word, and how many those are."""
        header, dictionary = self._model.header, self._model.dictionary
        own = np.arange(at, end)
        if header.ngrams is None:
            return own, np.ones(end - at, np.int64)
        buckets, counts = find_ngrams(dictionary.entries[at:end], header.ngrams)
        word_of = np.repeat(np.arange(end - at), counts)
        if dictionary.kept is not None:
            names, places = dictionary.kept
            found = np.minimum(np.searchsorted(names, buckets), len(names) - 1)
            is_kept = names[found] == buckets
            buckets, word_of = places[found[is_kept]], word_of[is_kept]
            counts = np.bincount(word_of, minlength=end - at)
        starts = np.cumsum(counts) - counts
        return np.insert(buckets + header.n_words, starts, own), counts + 1


class _MatrixRows:
    """The rows of the output matrix."""

    dtype: np.dtype[Any] = np.dtype(np.float32)

    def __init__(self, model: Model) -> None:
        self._matrix = model.output
        self.shape = model.output.shape

    def __getitem__(self, rows: slice, /) -> NDArray[np.float32]:
        return self._matrix.take(np.arange(*rows.indices(self.shape[0])))


def _columns(path: Path, model: Model, first: int, n: int, strict: bool) -> TextColumns:
    """Return words or labels and how often each was seen."""
    texts, said = decode_words(model.dictionary.entries[first : first + n])
    if said:
        if strict:
            raise LoadError(path, said, "leave out --strict to take what is there")
        _log.warning("%s: %s", path, said)
    counts = tuple(map(str, model.dictionary.counts[first : first + n].tolist()))
    return TextColumns({"label": texts, "count": counts}, named_by="label")

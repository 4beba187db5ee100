"""The layout of fastText's models: a header, a dictionary, an input and an output matrix.

Source: fastText's fasttext.cc, args.cc, dictionary.cc, densematrix.cc, quantmatrix.cc and
productquantizer.cc, whose numbers are little-endian and lie without gaps.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError
from embviz.inputs import open_file
from embviz.loaders.bytes.row_reads import read_rows_at
from embviz.loaders.words.ngrams import Ngrams
from embviz.loaders.words.records import LONGEST_WORD, cut_records, gather_bytes, record_ends

MAGIC = struct.pack("<i", 793712314)
_VERSIONS = (11, 12)
_HEADER = struct.Struct("<2i12id3i2q")
_READ_BYTES = 1 << 20
_ENTRY_BYTES = 9  # int64 count, int8 type, behind a word's NUL
_LONGEST_NGRAM = 100
_MOST_DIMS = 100_000
_KINDS = {1: "cbow", 2: "skip-gram", 3: "supervised"}
_SUPERVISED = 3
_HIERARCHICAL = 1
_CENTROIDS = 256


@dataclass(frozen=True)
class Header:
    """What a model says of itself.

    Attributes:
        n_dims: The length of a vector.
        kind: `cbow`, `skip-gram` or `supervised`.
        ngrams: Its character n-grams, None where it has none.
        n_words: Words in the dictionary.
        n_labels: Labels behind them.
        n_kept: N-grams that were kept by pruning, -1 where none was done.
        of_labels: Whether a row of the output matrix is a label's.
    """

    n_dims: int
    kind: str
    ngrams: Ngrams | None
    n_words: int
    n_labels: int
    n_kept: int
    of_labels: bool


@dataclass(frozen=True)
class Dictionary:
    """Words, then labels: their bytes, how often each was seen (int64), and kept n-grams.

    `kept` is (buckets, their rows behind the words), int64 and by bucket; None without pruning.
    """

    entries: list[bytes]
    counts: NDArray[np.int64]
    kept: tuple[NDArray[np.int64], NDArray[np.int64]] | None


class Matrix(Protocol):
    """Rows of float32 that are had by their numbers."""

    @property
    def shape(self) -> tuple[int, int]: ...
    def take(self, rows: NDArray[np.int64], /) -> NDArray[np.float32]: ...


@dataclass(frozen=True)
class DenseMatrix:
    """A matrix whose rows are read from the file when they are wanted."""

    path: Path
    begin: int
    shape: tuple[int, int]

    def take(self, rows: NDArray[np.int64], /) -> NDArray[np.float32]:
        row_bytes = 4 * self.shape[1]
        return read_rows_at(self.path, self.begin + rows * row_bytes, row_bytes).view("<f4")


@dataclass(frozen=True)
class Quantizer:
    """Centroids of parts of vectors: float32 (n_parts, 256, width), the last part perhaps less."""

    centroids: tuple[NDArray[np.float32], ...]

    def decode(self, codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the vectors of codes, uint8 (n_rows, n_parts)."""
        return np.hstack([part[codes[:, i]] for i, part in enumerate(self.centroids)])


@dataclass(frozen=True)
class QuantizedMatrix:
    """A matrix of a code a part, and perhaps one for each row's norm."""

    shape: tuple[int, int]
    codes: NDArray[np.uint8]
    parts: Quantizer
    norm_codes: NDArray[np.uint8] | None
    norms: Quantizer | None

    def take(self, rows: NDArray[np.int64], /) -> NDArray[np.float32]:
        found = self.parts.decode(self.codes[rows])
        if self.norm_codes is not None and self.norms is not None:
            found *= self.norms.decode(self.norm_codes[rows, None])
        return found


@dataclass(frozen=True)
class Model:
    """What is read of a model; the matrices where they lie."""

    header: Header
    dictionary: Dictionary
    input: Matrix
    output: Matrix


def read_header(path: Path) -> Header:
    """Read what a model says of itself.

    Raises:
        LoadError: If it is cut off, of another version, or contradicts itself.
    """
    with open_file(path) as file:
        raw = file.read(_HEADER.size)
    if not raw.startswith(MAGIC):
        raise LoadError(path, "no fastText model by its first bytes")
    if len(raw) < _HEADER.size:
        raise _cut_off(path, "its header")
    _, version, *args, _, size, n_words, n_labels, _, n_kept = _HEADER.unpack(raw)
    n_dims, _, _, _, _, _, loss, kind, n_buckets, least, most, _ = args
    if version not in _VERSIONS:
        raise LoadError(
            path,
            f"version {version} of fastText's models, 11 and 12 are read",
            "load it in fastText and save it again",
        )
    if not 0 < n_dims <= _MOST_DIMS or kind not in _KINDS:
        raise _damaged(path, f"{n_dims} dimensions, kind {kind}")
    if min(n_words, n_labels) < 0 or size != n_words + n_labels:
        raise _damaged(path, f"{size} entries of {n_words} words and {n_labels} labels")
    if version == 11 and kind == _SUPERVISED:
        most = 0  # Such models were trained without n-grams, whatever they say.
    if most > _LONGEST_NGRAM:
        raise LoadError(path, f"n-grams of {most} characters, {_LONGEST_NGRAM} are read")
    if most > 0 and n_buckets <= 0:
        raise _damaged(path, f"n-grams of up to {most} characters in {n_buckets} buckets")
    return Header(
        n_dims,
        _KINDS[kind],
        Ngrams(least, most, n_buckets) if most > 0 and n_kept != 0 else None,
        n_words,
        n_labels,
        max(-1, n_kept),
        kind == _SUPERVISED and loss != _HIERARCHICAL,
    )


def read_model(path: Path, header: Header) -> Model:
    """Read the dictionary of a model, and find its matrices.

    Raises:
        LoadError: If it is cut off, or what it says of itself does not agree.
    """
    with open_file(path) as file:
        file.seek(_HEADER.size)
        dictionary = _read_dictionary(path, file, header)
        is_packed = _read_flag(path, file)
        if header.n_kept >= 0 and not is_packed:
            raise LoadError(
                path,
                "pruned but not quantized, as fastText wrote models of which n-grams are wrong",
                "fetch it again from fasttext.cc",
            )
        inputs = _read_matrix(path, file, is_packed)
        outputs = _read_matrix(path, file, _read_flag(path, file) and is_packed)
    n_ngrams = header.n_kept if header.n_kept >= 0 else 0
    if header.n_kept < 0 and header.ngrams is not None:
        n_ngrams = header.ngrams.n_buckets
    if inputs.shape[1] != header.n_dims or inputs.shape[0] < header.n_words + n_ngrams:
        shape = " x ".join(map(str, inputs.shape))
        raise _damaged(
            path,
            f"an input matrix of {shape} for {header.n_words} words and {n_ngrams} n-grams "
            f"of {header.n_dims} dimensions",
        )
    if header.of_labels and outputs.shape != (header.n_labels, header.n_dims):
        shape = " x ".join(map(str, outputs.shape))
        raise _damaged(path, f"an output matrix of {shape} for {header.n_labels} labels")
    return Model(header, dictionary, inputs, outputs)


def _cut_off(path: Path, what: str) -> LoadError:
    return LoadError(path, f"cut off within {what}", "write or fetch it again")


def _damaged(path: Path, what: str) -> LoadError:
    return LoadError(path, f"damaged: it says {what}", "write or fetch it again")


def _read_dictionary(path: Path, file: BinaryIO, header: Header) -> Dictionary:
    """Read the entries of a dictionary, and leave the file behind them."""
    n_entries = header.n_words + header.n_labels
    entries: list[bytes] = []
    tails: list[NDArray[np.uint8]] = []
    at, rest = file.tell(), b""
    while len(entries) < n_entries:
        block = file.read(_READ_BYTES)
        raw = rest + block
        if not block or len(rest) > LONGEST_WORD:
            raise _cut_off(path, f"entry {len(entries) + 1} of {n_entries} of its dictionary")
        words = cut_records(raw, b"\0", _ENTRY_BYTES)[: n_entries - len(entries)]
        ends = record_ends(words, _ENTRY_BYTES)
        tails.append(gather_bytes(raw, ends - _ENTRY_BYTES, _ENTRY_BYTES))
        entries += words
        used = int(ends[-1]) if words else 0
        rest = raw[used:]
        at += used
    file.seek(at)
    tail = np.concatenate([np.empty((0, _ENTRY_BYTES), np.uint8), *tails])
    is_label = np.arange(n_entries) >= header.n_words
    if not np.array_equal(tail[:, 8], is_label):
        raise _damaged(path, "words among labels in its dictionary")
    counts = np.ascontiguousarray(tail[:, :8]).view("<i8")[:, 0]
    return Dictionary(entries, counts, _read_kept(path, file, header))


def _read_kept(
    path: Path, file: BinaryIO, header: Header
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Read which n-grams were kept, by their buckets."""
    if header.n_kept < 0:
        return None
    pairs = _read_array(path, file, "<i4", 2 * header.n_kept, "its n-grams").reshape(-1, 2)
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")].astype(np.int64)
    if len(pairs) and not 0 <= pairs[:, 1].min() <= pairs[:, 1].max() < header.n_kept:
        raise _damaged(path, f"{header.n_kept} n-grams and others beside them")
    return pairs[:, 0], pairs[:, 1]


def _read(path: Path, file: BinaryIO, layout: str, what: str) -> tuple[Any, ...]:
    raw = file.read(struct.calcsize(layout))
    if len(raw) < struct.calcsize(layout):
        raise _cut_off(path, what)
    return struct.unpack(layout, raw)


def _read_flag(path: Path, file: BinaryIO) -> bool:
    return bool(_read(path, file, "<B", "its matrices")[0])


def _read_array(path: Path, file: BinaryIO, dtype: str, count: int, what: str) -> NDArray[Any]:
    """Read numbers, after a look at whether they are there."""
    n_bytes = count * np.dtype(dtype).itemsize
    if n_bytes > path.stat().st_size - file.tell():
        raise _cut_off(path, what)
    return np.frombuffer(file.read(n_bytes), dtype)


def _read_matrix(path: Path, file: BinaryIO, is_packed: bool) -> Matrix:
    """Find a matrix or read its codes, and leave the file behind it."""
    if is_packed:
        return _read_quantized(path, file)
    n_rows, n_dims = _read(path, file, "<2q", "a matrix")
    begin = file.tell()
    if n_rows < 0 or not 0 < n_dims <= _MOST_DIMS:
        raise _damaged(path, f"a matrix of {n_rows} x {n_dims}")
    if n_rows * n_dims * 4 > path.stat().st_size - begin:
        raise _cut_off(path, f"a matrix of {n_rows} x {n_dims}")
    file.seek(begin + n_rows * n_dims * 4)
    return DenseMatrix(path, begin, (n_rows, n_dims))


def _read_quantized(path: Path, file: BinaryIO) -> QuantizedMatrix:
    has_norms, n_rows, n_dims, n_codes = _read(path, file, "<Bqqi", "a quantized matrix")
    if n_rows < 0 or not 0 < n_dims <= _MOST_DIMS or n_codes < 0:
        raise _damaged(path, f"a quantized matrix of {n_rows} x {n_dims}")
    codes = _read_array(path, file, "u1", n_codes, "a quantized matrix")
    parts = _read_quantizer(path, file, n_dims)
    if n_codes != n_rows * len(parts.centroids):
        raise _damaged(path, f"{n_codes} codes of {n_rows} rows")
    norm_codes = norms = None
    if has_norms:
        norm_codes = _read_array(path, file, "u1", n_rows, "the norms of a matrix")
        norms = _read_quantizer(path, file, 1)
    return QuantizedMatrix((n_rows, n_dims), codes.reshape(n_rows, -1), parts, norm_codes, norms)


def _read_quantizer(path: Path, file: BinaryIO, n_dims: int) -> Quantizer:
    said = _read(path, file, "<4i", "a quantizer")
    width = said[2]
    if width <= 0 or said != (n_dims, -(-n_dims // width), width, n_dims - (said[1] - 1) * width):
        raise _damaged(path, f"a quantizer of {said} for {n_dims} dimensions")
    flat = _read_array(path, file, "<f4", n_dims * _CENTROIDS, "a quantizer")
    last = flat[(said[1] - 1) * _CENTROIDS * width :].reshape(_CENTROIDS, -1)
    whole = flat[: len(flat) - last.size].reshape(-1, _CENTROIDS, width)
    return Quantizer((*whole, last))

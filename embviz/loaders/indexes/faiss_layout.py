"""The layout of FAISS's index files, as far as vectors lie in them as they are.

Source: faiss/impl/index_write.cpp and faiss/invlists/OnDiskInvertedLists.cpp. An index is four
letters, a header and what its kind adds; kinds hold others. Numbers are little-endian, a list is an
uint64 count and its items.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, printable
from embviz.inputs import map_file, open_file
from embviz.loaders.indexes.faiss_lists import InvertedLists, find_beside, read_numbers
from embviz.rows import Rows

FLAT = (b"IxF2", b"IxFI", b"IxFl")
_MAPPED = (b"IxMp", b"IxM2")
_GRAPHS = {
    b"IHNf": "",
    b"IHNs": "",
    b"IHNp": "",
    b"IHN2": "",
    b"IH00": "",
    b"IHNc": "??i",
    b"IHc2": "??ii",
}
_LISTS = b"IwFl"
_METRICS = {0: "inner product", 1: "squared L2", 2: "L1", 3: "L infinity", 4: "Lp"}
_HEADER = struct.Struct("<iqqq?i")
_DUMMY = 1 << 20
_MOST_DEPTH = 8
_MOST_DIMS = 1_000_000
_LONGEST_NAME = 4096
OTHERS = {
    code.encode(): kind
    for kind, codes in {
        "product quantization": "IxPQ IxPo IxPq IwPQ IvPQ IwQR IvQR IPfs IwPf",
        "scalar quantization": "IxSQ IvSQ IwSQ IwSq",
        "locality-sensitive hashing": "IxHE IxHe",
        "additive quantization": "IxRQ IxRq IxLS IxPR IxPL ImRQ ILfs IRfs IPLf IPRf "
        "IVLf IVRf NPLf NPRf IwLS IwRQ IwPL IwPR",
        "a lattice": "IxLa",
        "spectral hashing": "IwSh",
        "quantization in two layers": "Ix2L Imiq",
        "RaBitQ": "Ixrq Ixrr Iwrq Iwrr Irfn Irfs Iwrn Iwrf",
        "EDEN": "IxEd IxEe IwEd IwEe",
        "scaling of each row": "IRMf IRMh",
        "a transform before it": "IxPT",
        "a second, finer index": "IxRF IxRP",
        "parts of vectors apart": "IxFP IxFp IwPn IwP2 IHfP",
        "rows that are the same stored once": "IwFd",
        "a quantizer apart": "IwIQ",
        "an old layout of lists": "IvFl IvFL",
        "a navigating graph": "INSf INSp INSs INNf",
        "bits": "IBxF IBwF IBFf IBHf IBHc IBMp IBM2 IBHh IBHm",
    }.items()
    for code in codes.split()
}  # fmt: skip
"""Kinds whose vectors are not read, by their four letters."""
_NOT_GIVEN_BACK = frozenset(
    b"IwPf IxLa IwFd IwSh ILfs IRfs IPLf IPRf IVLf IVRf NPLf NPRf Imiq ImRQ IRMf IRMh".split()
)


@dataclass(frozen=True)
class FaissIndex:
    """What is known of an index.

    Attributes:
        shape: Its vectors, and their length.
        kind: Its name, such as `IDMap of flat`.
        metric: Its measure of distance in words.
        rows: Opens the vectors.
        ids: Reads the number that each row is known by, int64; None where it is its own number.
        files: What else is read.
    """

    shape: tuple[int, int]
    kind: str
    metric: str
    rows: Callable[[], Rows]
    ids: Callable[[], NDArray[np.int64]] | None = None
    files: tuple[Path, ...] = ()


def looks_like_faiss(head: bytes) -> bool:
    """Tell whether a file begins as FAISS writes an index."""
    code = head[:4]
    if code in OTHERS:
        return b"\0" in head[4:16]
    if code not in (*FLAT, *_MAPPED, *_GRAPHS, _LISTS) or len(head) < 4 + _HEADER.size:
        return False
    _, _, *dummies, _, _ = _HEADER.unpack_from(head, 4)
    return dummies == [_DUMMY, _DUMMY]


def read_index(path: Path) -> FaissIndex:
    """Read the headers of an index file.

    Raises:
        LoadError: If it is cut off or damaged, or its vectors are not stored as they are.
    """
    with open_file(path) as file:
        return _Reader(path, file).index("i", 0)


@dataclass
class _Reader:
    path: Path
    file: BinaryIO

    def __post_init__(self) -> None:
        self.size = self.path.stat().st_size

    def index(self, place: str, depth: int) -> FaissIndex:
        """Read one index; `place` is how Python reaches it from the outermost one."""
        if depth > _MOST_DEPTH:
            raise LoadError(self.path, f"indexes nested more than {_MOST_DEPTH} deep")
        code = self.file.read(4)
        if code in FLAT:
            return self._flat()
        if code in _MAPPED:
            return self._mapped(place, depth)
        if code in _GRAPHS:
            return self._graph(code, place, depth)
        if code == _LISTS:
            return self._inverted(place, depth)
        raise self._refusal(code, place)

    def _refusal(self, code: bytes, place: str) -> LoadError:
        kind = OTHERS.get(code)
        if kind is None:
            shown = printable(code.decode("latin-1"))
            return LoadError(self.path, f"damaged: '{shown}' where an index begins")
        if kind == "bits":
            read, save = "read_index_binary", "numpy.unpackbits(x, axis=1)"
            why = "a FAISS index of bits, not of real numbers"
        else:
            read, save = "read_index", "x"
            why = f"a FAISS index with {kind}, which keeps vectors in another form"
            place = _inner(place) if code == b"IxPT" else place
        if code in _NOT_GIVEN_BACK:
            way_out = "save the vectors by numpy.save where they are made"
        else:
            way_out = (
                f"in Python: import faiss, numpy; i = faiss.{read}({self.path.name!r}); "
                f"x = {place}.reconstruct_n(0, i.ntotal); numpy.save('x.npy', {save})"
            )
            if code[:2] in (b"Iw", b"Iv"):
                way_out += ", where its ids are 0 to n - 1"
        return LoadError(self.path, why, way_out)

    def _unpack(self, layout: str) -> tuple[int, ...]:
        raw = self.file.read(struct.calcsize("<" + layout))
        if len(raw) < struct.calcsize("<" + layout):
            raise self._cut_off(self.file.tell())
        return struct.unpack("<" + layout, raw)

    def _cut_off(self, wanted: int) -> LoadError:
        why = f"cut off: {wanted:,} bytes are needed, {self.size:,} are there"
        return LoadError(self.path, why, "write or fetch it again")

    def _damaged(self, why: str) -> LoadError:
        return LoadError(self.path, f"damaged: {why}", "write or fetch it again")

    def _header(self) -> tuple[int, int, str]:
        """Return dimensions, vectors, and the metric."""
        n_dims, n_rows, *dummies, _, metric = self._unpack("iqqqBi")
        if metric > 1:
            self._unpack("f")
        if dummies != [_DUMMY, _DUMMY] or not 0 < n_dims <= _MOST_DIMS or n_rows < 0:
            raise self._damaged(f"an index of {n_rows} vectors of {n_dims} dimensions")
        return n_dims, n_rows, _METRICS.get(metric, f"metric {metric}")

    def _list(self, item_bytes: int) -> tuple[int, int]:
        """Return where a list's items begin and how many there are, and pass over them."""
        (count,) = self._unpack("Q")
        begin = self.file.tell()
        self._pass(count * item_bytes)
        return begin, count

    def _pass(self, n_bytes: int) -> None:
        end = self.file.tell() + n_bytes
        if end > self.size:
            raise self._cut_off(end)
        self.file.seek(end)

    def _numbers(self, dtype: str) -> NDArray[np.int64]:
        """Read a list of whole numbers."""
        item = np.dtype(dtype)
        begin, count = self._list(item.itemsize)
        return read_numbers(self.path, begin, count, dtype)

    def _flat(self) -> FaissIndex:
        n_dims, n_rows, metric = self._header()
        begin, count = self._list(4)
        if count != n_rows * n_dims:
            raise self._damaged(f"{count} numbers of {n_rows} vectors of {n_dims} dimensions")
        path, shape = self.path, (n_rows, n_dims)

        def rows() -> Rows:
            return map_file(path, "<f4", begin, shape)

        return FaissIndex(shape, "flat", metric, rows)

    def _mapped(self, place: str, depth: int) -> FaissIndex:
        _, n_rows, metric = self._header()
        inner = self.index(_inner(place), depth + 1)
        begin, count = self._list(8)
        if count != n_rows or inner.shape[0] != n_rows:
            raise self._damaged(f"{count} ids and {inner.shape[0]} vectors of {n_rows}")
        path, inner_ids = self.path, inner.ids

        def ids() -> NDArray[np.int64]:
            found = read_numbers(path, begin, count, "<i8")
            if inner_ids is None:
                return found
            numbers = inner_ids()
            if len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(found):
                raise LoadError(path, "damaged: rows of an index without an id")
            return found[numbers]

        return replace(inner, kind=f"IDMap of {inner.kind}", metric=metric, ids=ids)

    def _graph(self, code: bytes, place: str, depth: int) -> FaissIndex:
        _, n_rows, metric = self._header()
        self._unpack(_GRAPHS[code])
        for item_bytes in (8, 4, 4, 8, 4):
            self._list(item_bytes)
        self._unpack("5i")
        at = self.file.tell()
        if self.file.read(4) == b"null":
            raise LoadError(self.path, "an HNSW graph whose vectors were not stored with it")
        self.file.seek(at)
        inner = self.index(place, depth + 1)
        if inner.shape[0] != n_rows:
            raise self._damaged(f"{inner.shape[0]} vectors of {n_rows}")
        return replace(inner, kind=f"HNSW of {inner.kind}", metric=metric)

    def _inverted(self, place: str, depth: int) -> FaissIndex:
        n_dims, n_rows, metric = self._header()
        n_lists, _ = self._unpack("QQ")
        try:
            self.index(place, depth + 1)
        except LoadError as error:
            why = f"its lists lie behind a quantizer that cannot be passed over ({error.why})"
            raise LoadError(self.path, why, error.way_out) from None
        (has_map,) = self._unpack("B")
        self._list(8)
        if has_map == 2:
            self._list(16)
        kind = self.file.read(4)
        if kind not in (b"ilar", b"ilod"):
            shown = printable(kind.decode("latin-1"))
            raise LoadError(self.path, f"inverted lists of kind '{shown}', which are not read")
        there, row_bytes = self._unpack("QQ")
        if row_bytes != 4 * n_dims or there != n_lists:
            raise self._damaged(f"{there} lists of rows of {row_bytes} bytes")
        read = self._lists_here if kind == b"ilar" else self._lists_beside
        lists = read(n_lists, n_rows, n_dims)
        files = () if lists.path == self.path else (lists.path,)
        shape = n_rows, n_dims
        return FaissIndex(shape, "inverted lists", metric, lists.rows, lists.ids, files)

    def _lists_here(self, n_lists: int, n_rows: int, n_dims: int) -> InvertedLists:
        """Find lists that follow in this file, each of them rows and then ids."""
        kind = self.file.read(4)
        counts = self._numbers("<u8")
        if kind == b"sprs":
            numbers, counts = counts[::2], counts[1::2]
            is_whole = len(numbers) == len(counts) and bool((np.diff(numbers) > 0).all())
            is_whole = is_whole and (not len(numbers) or 0 <= numbers[0] <= numbers[-1] < n_lists)
        else:
            is_whole = kind == b"full" and len(counts) == n_lists
        if not is_whole or bool((counts < 0).any()):
            raise self._damaged("the sizes of its lists")
        self._check_sum(counts, n_rows)
        begin, row_bytes = self.file.tell(), 4 * n_dims
        self._pass(n_rows * (row_bytes + 8))
        stops = np.cumsum(counts * (row_bytes + 8)) + begin
        rows_at = stops - counts * (row_bytes + 8)
        return InvertedLists(self.path, n_dims, counts, rows_at, rows_at + counts * row_bytes)

    def _lists_beside(self, n_lists: int, n_rows: int, n_dims: int) -> InvertedLists:
        """Find lists in a file of their own, each with room for more rows than it has."""
        begin, count = self._list(24)
        self._list(16)
        name_at, length = self._list(1)
        if count != n_lists or length > _LONGEST_NAME:
            raise self._damaged(f"{count} lists of {n_lists}")
        self._unpack("Q")
        lists = read_numbers(self.path, begin, 3 * count, "<u8").reshape(-1, 3)
        self.file.seek(name_at)
        data = find_beside(self.path, self.file.read(length))
        lists = lists[lists[:, 0] != 0]
        self._check_sum(lists[:, 0], n_rows)
        size, row_bytes = data.stat().st_size, 4 * n_dims
        for used, room, at in lists.tolist():
            if not (0 < used <= room and at >= 0 and at + room * (row_bytes + 8) <= size):
                raise LoadError(
                    data,
                    f"cut off: {self.path} has a list of {room} rows at byte {at:,} of {size:,}",
                    "write or fetch both again",
                )
        sizes, rooms, rows_at = lists.T
        return InvertedLists(data, n_dims, sizes, rows_at, rows_at + rooms * row_bytes)

    def _check_sum(self, counts: NDArray[np.int64], n_rows: int) -> None:
        n_there = sum(counts.tolist())
        if n_there != n_rows:
            raise self._damaged(f"{n_there} vectors in lists, {n_rows} in its header")


def _inner(place: str) -> str:
    """Return how Python reaches the index that another holds."""
    return f"faiss.downcast_index({place}.index)"

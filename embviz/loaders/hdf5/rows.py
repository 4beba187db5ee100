"""The content of HDF5 data sets: what lies in one piece is mapped, chunks are read as asked."""

from __future__ import annotations

import math
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, printable
from embviz.loaders.arrays.chunked import ChunkedRows, unshuffle
from embviz.loaders.hdf5.tree import Node, Tree, reading_hdf5
from embviz.loaders.hdf5.types import REFERENCE

_UNDEFINED = (1 << 64) - 1
_COMPACT, _CONTIGUOUS = 0, 1
_GZIP, _SHUFFLE, _CHECKSUM = 1, 2, 3
_MOST_CHUNK = 1 << 30
# DEFLATE gives 1,032 bytes for one at most; a chunk that is not there is filled.
_MOST_EXPANSION = 1032
_BYTE = np.dtype(np.uint8)


def what_of(tree: Tree, node: Node) -> str:
    """Return how a data set is named to the user."""
    return f"{tree.what}: '{printable(node.name)}'"


def read_array(tree: Tree, node: Node, dtype: np.dtype[Any] | None = None) -> Any:
    """Return a data set of numbers as an array or `Rows`; its first axis may be sliced.

    Args:
        tree: What it is in.
        node: The data set.
        dtype: The type of its values as they lie; None is its own.

    Raises:
        LoadError: If it is damaged or of a kind that is not read.
    """
    what = what_of(tree, node)
    if node.refusal is not None:
        raise LoadError(what, *node.refusal)
    if node.read is not None:
        return node.read()
    dtype = dtype or node.dtype
    if math.prod(node.shape) * dtype.itemsize > _MOST_EXPANSION * tree.size:
        sides = " x ".join(map(str, node.shape))
        raise LoadError(what, f"damaged: {sides} values are more than its file can hold")
    with reading_hdf5(what):
        layout = node.data.id.layout_class
        fill = np.zeros((), dtype)
        if node.data.fillvalue is not None and dtype == node.dtype and dtype.kind != "V":
            fill = np.asarray(node.data.fillvalue).astype(dtype)
        if layout == _CONTIGUOUS:
            start = int(node.data.id.data_offset)
            if start == _UNDEFINED:  # Nothing was ever written to it.
                return np.broadcast_to(fill, node.shape)
            return tree.piece(dtype, node.shape, start)
        if layout == _COMPACT:
            raw, n_bytes = node.data.id._data, math.prod(node.shape) * dtype.itemsize
            if len(raw) != n_bytes:
                raise LoadError(what, f"damaged: {len(raw)} bytes of values, not {n_bytes}")
            return np.frombuffer(raw, dtype).reshape(node.shape)
        reader = _ChunkReader(tree, node, fill)
        return ChunkedRows(node.shape, dtype, reader.sides, reader.read)


class _ChunkReader:
    """Reads the chunks of a data set and undoes what they are packed by."""

    def __init__(self, tree: Tree, node: Node, fill: NDArray[Any]) -> None:
        self.dtype = fill.dtype
        self._tree, self._what, self._fill = tree, what_of(tree, node), fill
        data = node.data.id
        if data.chunks is None:
            raise LoadError(self._what, "damaged: neither in one piece nor in chunks")
        self.sides = tuple(int(n) for n in data.chunks)
        self._filters = [int(step["filter_id"]) for step in data.filter_pipeline or ()]
        n_bytes = math.prod(self.sides) * self.dtype.itemsize
        most = tree.size * (_MOST_EXPANSION if _GZIP in self._filters else 1)
        if len(self.sides) != len(node.shape) or not 0 < n_bytes <= min(_MOST_CHUNK, most):
            sides = " x ".join(map(str, self.sides))
            raise LoadError(self._what, f"damaged: chunks of {sides} in a file of its size")
        self._index = data.index

    def read(self, place: tuple[int, ...]) -> NDArray[Any]:
        """Return an unpacked chunk by the place of its first value."""
        found = self._index.get(place)
        if found is None:
            return np.broadcast_to(self._fill, self.sides)
        raw = self._tree.piece(_BYTE, (int(found.size),), int(found.byte_offset))
        n_bytes = math.prod(self.sides) * self.dtype.itemsize
        data: Any = raw.tobytes()
        for number, kind in reversed(list(enumerate(self._filters))):
            if not found.filter_mask >> number & 1:
                data = self._undo(kind, data, n_bytes)
        if len(data) != n_bytes:
            raise LoadError(self._what, f"damaged: a chunk of {len(data)} bytes, not {n_bytes}")
        return np.frombuffer(data, self.dtype).reshape(self.sides)

    def _undo(self, kind: int, data: bytes, n_bytes: int) -> bytes:
        if kind == _CHECKSUM:
            return data[:-4]
        if kind == _SHUFFLE:
            return unshuffle(data, self.dtype.itemsize)
        try:
            unpack = zlib.decompressobj()
            found = unpack.decompress(data, n_bytes + 8)
        except zlib.error as error:
            raise LoadError(self._what, f"damaged: a chunk is no gzip ({error})") from None
        if not unpack.eof:
            raise LoadError(self._what, "damaged: a chunk ends early, or is larger than it says")
        return found


def is_text(node: Node) -> bool:
    """Tell whether a data set holds texts."""
    if node.read is not None:
        return node.dtype.kind in "OSTU"
    from pyfive.p5t import P5StringType

    return node.data is not None and isinstance(node.data.id.get_type(), P5StringType)


def is_bool(node: Node) -> bool:
    """Tell whether a data set holds what h5py writes for bool: an enumeration FALSE, TRUE."""
    names: Any = dict(node.dtype.metadata or {}).get("enum") or {}
    return set(names) == {"FALSE", "TRUE"}


def read_texts(tree: Tree, node: Node) -> tuple[str, ...]:
    """Return the texts or numbers of a data set of one dimension as texts.

    Raises:
        LoadError: If it is damaged, or holds texts that are not UTF-8.
    """
    what = what_of(tree, node)
    if node.refusal is not None:
        raise LoadError(what, *node.refusal)
    if not is_text(node):
        values = np.asarray(read_array(tree, node)[0 : node.shape[0]])
        if is_bool(node):
            return tuple("True" if value else "False" for value in values.tolist())
        return as_texts(values)
    if node.dtype.kind in "OTU" and node.read is not None:
        return tuple(map(str, np.asarray(node.read()[0 : node.shape[0]]).tolist()))
    if node.dtype.hasobject:
        return find_texts(tree, what, read_array(tree, node, REFERENCE)[0 : node.shape[0]])
    return _decoded(
        what, np.asarray(read_array(tree, node)[0 : node.shape[0]]).reshape(-1).tolist()
    )


def _decoded(what: str, texts: list[bytes]) -> tuple[str, ...]:
    try:
        return tuple(text.decode("utf-8") for text in texts)
    except UnicodeDecodeError:
        raise LoadError(what, "text that is not UTF-8", "save it again") from None


def find_texts(tree: Tree, what: str, places: NDArray[Any]) -> tuple[str, ...]:
    """Return texts of any length, which lie in heaps (III.E of the format).

    Args:
        tree: What they are in.
        what: Whose they are, as it is named to the user.
        places: `REFERENCE`, (n,): where each lies.

    Raises:
        LoadError: If one is not there or not UTF-8, or they are more than the file can hold.
    """
    heaps: dict[int, dict[int, bytes]] = {}
    left = 2 * tree.size
    texts: list[bytes] = []
    for length, address, number in places.tolist():
        if address in (0, _UNDEFINED) or number == 0:
            texts.append(b"")
            continue
        if address not in heaps:
            heaps[address] = _heap(tree, address, what)
            left -= sum(map(len, heaps[address].values()))
        if number not in heaps[address]:
            raise LoadError(what, "damaged: a text that is not there", "write or fetch it again")
        texts.append(heaps[address][number][:length])
        left -= len(texts[-1])
        if left < 0:
            raise LoadError(what, "damaged: its texts overlap", "write or fetch it again")
    return _decoded(what, texts)


def _heap(tree: Tree, address: int, what: str) -> dict[int, bytes]:
    head = tree.piece(_BYTE, (16,), address).tobytes()
    size = int.from_bytes(head[8:], "little")
    if head[:5] != b"GCOL\1" or size < 16:
        raise LoadError(what, "damaged: its texts are not there", "write or fetch it again")
    raw = tree.piece(_BYTE, (size,), address).tobytes()
    found, at = {}, 16
    while at + 16 <= size:
        number = int.from_bytes(raw[at : at + 2], "little")
        length = int.from_bytes(raw[at + 8 : at + 16], "little")
        if number == 0 or at + 16 + length > size:
            break
        found[number] = raw[at + 16 : at + 16 + length]
        at += 16 + -(-length // 8) * 8
    return found


def as_texts(values: NDArray[Any]) -> tuple[str, ...]:
    """Return numbers as their shortest texts, NaN as ""."""
    if values.dtype.kind == "f":
        texts = values.astype(values.dtype.newbyteorder("=")).astype(str).tolist()
        return tuple("" if text == "nan" else text for text in texts)
    return tuple(map(str, values.tolist()))

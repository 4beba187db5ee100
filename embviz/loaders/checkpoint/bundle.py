"""TensorFlow's V2 checkpoint, the tensor bundle, without TensorFlow.

`P.index` is a sorted table: the key "" holds the header, every other key is a tensor's name or a
slice's key, with the place of its bytes in `P.data-SSSSS-of-NNNNN`. Source:
tensorflow/core/protobuf/tensor_bundle.proto and core/util/tensor_bundle/tensor_bundle.cc.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError
from embviz.inputs import map_file, open_file
from embviz.loaders.bytes.protobuf import (
    FIXED32,
    LENGTH,
    VARINT,
    MalformedError,
    fields,
    read_varint,
    signed,
)
from embviz.loaders.checkpoint.slices import (
    Box,
    Extents,
    box_shape,
    check_coverage,
    encode_slice_key,
    parse_slice,
    place_slices,
    resolve_box,
)
from embviz.loaders.checkpoint.sstable import MAX_INDEX_BYTES, Table, mask_crc, read_checksum
from embviz.loaders.checkpoint.types import (
    NUMERIC,
    STRING,
    base_type,
    numpy_dtype,
    swap_small,
    type_name,
)
from embviz.loaders.confined import check_within

READER_VERSION = 1  # kTensorBundleVersion
# The fields of a BundleEntryProto.
DTYPE, SHAPE = 1 << 3 | VARINT, 2 << 3 | LENGTH
SHARD, OFFSET, SIZE = 3 << 3 | VARINT, 4 << 3 | VARINT, 5 << 3 | VARINT
CHECKSUM, SLICE = 6 << 3 | FIXED32, 7 << 3 | LENGTH
MAX_STRING_BYTES = 256 << 20


class Entry(NamedTuple):
    """Where a tensor lies: its bytes, or its slices, which have entries of their own.

    `dtype` is TensorFlow's number, `offset` and `size` are bytes in the data file `shard`,
    `checksum` is the masked crc32c of those bytes.
    """

    shape: tuple[int, ...]
    dtype: int
    shard: int = 0
    offset: int = 0
    size: int = 0
    checksum: int = 0
    slices: tuple[Extents, ...] = ()

    @property
    def identity(self) -> tuple[int, ...] | None:
        """What two entries with the same content share; None where that is not known."""
        return None if self.slices else (self.dtype, self.size, self.checksum, *self.shape)


@dataclass(frozen=True, slots=True)
class Region:
    """Bytes of a data file that hold one box of a tensor."""

    path: Path
    offset: int
    size: int
    checksum: int
    box: Box

    def check(self, tensor: str) -> None:
        """Read the bytes and compare their checksum; raises LoadError naming the file."""
        found = read_checksum(self.path, self.offset, self.size)
        if found != self.checksum:
            raise LoadError(
                self.path,
                f"corrupt: the checksum of tensor '{tensor}' (bytes {self.offset:,} to "
                f"{self.offset + self.size:,}) is crc32c {found:08x}, "
                f"the index says {self.checksum:08x}",
                "copy or save the checkpoint again",
            )


class TensorBundle:
    """An open bundle: the index is read and checked, the data files are touched on demand.

    Args:
        prefix: The path without `.index`; errors name files by it.

    Attributes:
        entries: Tensors by key, slices left out.

    Raises:
        LoadError: If the index is missing, damaged or of a version this reader does not know.
    """

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix
        self.index = prefix.with_name(prefix.name + ".index")
        table = Table(self.index, max_bytes=MAX_INDEX_BYTES)
        self.entries: dict[str, Entry] = {}
        self._slices: dict[bytes, bytes] = {}
        self._keys: dict[str, bytes] = {}
        header: bytes | None = None
        key = b""
        try:
            for key, value in table.entries():
                if not key:
                    header = value
                elif key[0] == 0:
                    self._slices[key] = value
                else:
                    self._add(key, value)
            if header is None:
                raise MalformedError("it has no header entry, so that it is no tensor bundle")
            key = b""
            self.n_shards, self.big_endian = parse_header(header)
        except MalformedError as error:
            name = key.decode("utf-8", "backslashreplace") or "header"
            raise table.damaged(f"entry '{name}': {error}") from error

    def _add(self, key: bytes, value: bytes) -> None:
        name = key.decode("utf-8", "backslashreplace")
        if name in self.entries:
            raise MalformedError("a second tensor of this name")
        self.entries[name] = parse_entry(value)
        self._keys[name] = key

    def read(self, name: str) -> tuple[NDArray[Any], Callable[[], None]]:
        """Return a numeric tensor and a function that checks its checksums.

        Returns:
            The array of the stored shape and type: a read-only memory map where the bytes lie in
            one run, else joined in memory from slices whose checksums were checked on the way;
            bfloat16 with its high byte first is copied.

        Raises:
            LoadError: If a data file is missing, truncated or contradicts the index.
        """
        entry = self.entries[name]
        dtype = self._dtype(name, entry)
        regions = self._regions(name, entry, dtype.itemsize)
        verify = functools.partial(check_regions, regions, name)
        total = sum(region.size for region in regions)
        if not total:
            return np.empty(entry.shape, dtype), verify
        if not _is_one_run(regions, entry.shape):
            self._check_joinable(name, regions)
            verify()
            parts = ((r.box, _open_map(r.path, r.offset, r.size).view(dtype)) for r in regions)
            try:
                return swap_small(place_slices(entry.shape, dtype, parts)), verify
            except MemoryError as error:
                raise self._wrong(name, f"{total:,} bytes do not fit the memory") from error
        first = regions[0]
        raw = _open_map(first.path, first.offset, total)
        return swap_small(raw.view(dtype).reshape(entry.shape)), verify

    def read_string(self, name: str) -> bytes:
        """Return a scalar string tensor's bytes, both checksums checked.

        Raises:
            LoadError: If it is no scalar string, or its bytes are missing or damaged.
        """
        import google_crc32c

        entry = self.entries[name]
        if entry.dtype != STRING or entry.shape or entry.slices:
            raise self._wrong(name, f"{type_name(entry.dtype)} {list(entry.shape)}, not a string")
        if entry.size > MAX_STRING_BYTES:
            raise self._wrong(name, f"{entry.size:,} bytes, at most {MAX_STRING_BYTES:,} are read")
        region = self._region(name, entry, ())
        try:
            with open_file(region.path) as file:
                file.seek(region.offset)
                data = file.read(region.size)
        except OSError as error:
            raise LoadError(region.path, error.strerror or str(error)) from error
        try:
            length, at = read_varint(data, 0, len(data))
        except MalformedError as error:
            raise self._wrong(name, str(error)) from error
        if len(data) != at + 4 + length:
            raise self._wrong(name, f"a string of {length} bytes in {len(data)}")
        # TensorFlow sums the length as a fixed 4 or 8 bytes, then its stored sum, then the bytes.
        crc = google_crc32c.value(length.to_bytes(4 if length < 1 << 32 else 8, "little"))
        stored = data[at : at + 4]
        whole = google_crc32c.extend(google_crc32c.extend(crc, stored), data[at + 4 :])
        if mask_crc(crc) != int.from_bytes(stored, "little") or mask_crc(whole) != entry.checksum:
            raise LoadError(region.path, f"corrupt: checksum of '{name}' does not match")
        return data[at + 4 :]

    def _wrong(self, name: str, why: str) -> LoadError:
        return LoadError(self.index, f"tensor '{name}': {why}")

    def _dtype(self, name: str, entry: Entry) -> np.dtype[Any]:
        if entry.dtype not in NUMERIC:
            raise self._wrong(name, f"its type is {type_name(entry.dtype)}, numbers are needed")
        return numpy_dtype(entry.dtype, self.big_endian)

    def _regions(self, name: str, entry: Entry, itemsize: int) -> list[Region]:
        """Locate a tensor's bytes: one region, or one a slice, in row order, sizes checked."""
        try:
            pieces = [entry]
            boxes = [tuple((0, size) for size in entry.shape)]
            if entry.slices:
                boxes = [resolve_box(extents, entry.shape) for extents in entry.slices]
                check_coverage(entry.shape, boxes)
                pieces = [self._slice_entry(name, entry, extents) for extents in entry.slices]
            for piece, box in zip(pieces, boxes, strict=True):
                wanted = math.prod(box_shape(box)) * itemsize
                if piece.size != wanted:
                    raise MalformedError(
                        f"{piece.size:,} bytes stored, {list(box_shape(box))} of "
                        f"{type_name(entry.dtype)} takes {wanted:,}"
                    )
        except MalformedError as error:
            raise self._wrong(name, str(error)) from error
        pairs = sorted(zip(boxes, pieces, strict=True), key=lambda pair: pair[0])
        regions = [self._region(name, piece, box) for box, piece in pairs]
        return [region for region in regions if region.size] or regions[:1]

    def _slice_entry(self, name: str, entry: Entry, extents: Extents) -> Entry:
        value = self._slices.get(encode_slice_key(self._keys[name], extents))
        if value is None:
            raise MalformedError(f"its slice {list(extents)} has no entry")
        piece = parse_entry(value)
        if piece.slices or piece.dtype != entry.dtype:
            raise MalformedError(f"its slice {list(extents)} has another type or slices")
        return piece

    def _region(self, name: str, entry: Entry, box: Box) -> Region:
        """Locate one entry's bytes and check that the data file holds them."""
        if not 0 <= entry.shard < self.n_shards:
            raise self._wrong(name, f"in data file {entry.shard} of {self.n_shards}")
        if entry.offset < 0 or entry.size < 0:
            raise self._wrong(name, f"offset {entry.offset} and size {entry.size}: negative")
        path = self.data_path(entry.shard)
        # What is named by hand may be a link, and then its data lie beside what it leads to.
        index = self.prefix.with_name(f"{self.prefix.name}.index")
        check_within(index.resolve().parent if index.is_symlink() else path.parent, path)
        try:
            found = path.stat().st_size if path.is_file() else -1
        except OSError as error:
            raise LoadError(path, error.strerror or str(error)) from error
        if found < 0:
            raise LoadError(path, f"missing; it holds tensor '{name}'", self._other_data())
        end = entry.offset + entry.size
        if end > found:
            raise LoadError(
                path,
                f"truncated: it has {found:,} bytes, tensor '{name}' ends at byte {end:,}",
                "copy or save the checkpoint again",
            )
        return Region(path, entry.offset, entry.size, entry.checksum, box)

    def data_path(self, shard: int) -> Path:
        """Return the data file of a shard; this does not look whether it is there."""
        return self.prefix.with_name(f"{self.prefix.name}.data-{shard:05d}-of-{self.n_shards:05d}")

    def _other_data(self) -> str:
        """Say which data files there are, when one is missing."""
        start = self.prefix.name + ".data-"
        try:
            names = [p.name for p in self.prefix.parent.iterdir() if p.name.startswith(start)]
        except OSError:
            names = []
        listed = ", ".join(sorted(names)[:4])
        return f"copy it too; there is {listed}" if names else "copy it to the index's folder"

    def _check_joinable(self, name: str, regions: Sequence[Region]) -> None:
        """Refuse slices that share bytes: joined, they would outgrow the files without bound."""
        available = sum(path.stat().st_size for path in {region.path for region in regions})
        total = sum(region.size for region in regions)
        if total > available:
            raise self._wrong(name, f"{total:,} bytes in slices, the data files have {available:,}")


def _open_map(path: Path, offset: int, size: int) -> NDArray[np.uint8]:
    """Map part of a file read-only; the offset may be odd for any type."""
    try:
        return map_file(path, np.uint8, offset, (size,))
    except (OSError, ValueError) as error:  # ValueError: the file was cut since it was measured
        raise LoadError(path, f"cannot be mapped: {error}") from error


def _is_one_run(regions: Sequence[Region], shape: Sequence[int]) -> bool:
    """Tell whether regions, sorted by box, follow each other in one file in row order."""
    return all(
        b.path == a.path
        and b.offset == a.offset + a.size
        and box_shape(a.box)[1:] == box_shape(b.box)[1:] == tuple(shape[1:])
        for a, b in itertools.pairwise(regions)
    )


def check_regions(regions: Sequence[Region], tensor: str) -> None:
    """Check the checksums of all regions; raises LoadError naming the data file."""
    for region in regions:
        region.check(tensor)


def parse_header(data: bytes) -> tuple[int, bool]:
    """Read a BundleHeaderProto and return (number of data files, big-endian).

    Raises:
        MalformedError: If it is damaged or asks for a newer reader.
    """
    shards, endianness, least = 0, 0, 0
    for tag, a, b in fields(data):
        if tag == 1 << 3 | VARINT:
            shards = signed(a)
        elif tag == 1 << 3 | LENGTH:
            raise MalformedError("this is a V1 checkpoint under the name of an index")
        elif tag == 2 << 3 | VARINT:
            endianness = a
        elif tag == 3 << 3 | LENGTH:
            for inner, value, _ in fields(data, a, b):
                if inner == 2 << 3 | VARINT:
                    least = signed(value)
    if least > READER_VERSION:
        raise MalformedError(f"it needs a reader of version {least}, this one is {READER_VERSION}")
    if endianness > 1:
        raise MalformedError(f"byte order {endianness} is not known (0 little, 1 big)")
    if not 0 < shards < 1 << 31:
        raise MalformedError(f"{shards} data files")
    return shards, endianness == 1


def parse_entry(data: bytes) -> Entry:
    """Read a BundleEntryProto.

    Raises:
        MalformedError: If it is damaged or a dimension is negative.
    """
    dtype = shard = offset = size = checksum = 0
    shape: tuple[int, ...] = ()
    slices: list[Extents] = []
    for tag, a, b in fields(data):
        if tag == DTYPE:
            dtype = base_type(a)
        elif tag == SHAPE:
            shape = parse_shape(data[a:b])
        elif tag == SHARD:
            shard = signed(a)
        elif tag == OFFSET:
            offset = signed(a)
        elif tag == SIZE:
            size = signed(a)
        elif tag == CHECKSUM:
            checksum = a
        elif tag == SLICE:
            slices.append(parse_slice(data, a, b))
    return Entry(shape, dtype, shard, offset, size, checksum, tuple(slices))


@functools.lru_cache(maxsize=4096)
def parse_shape(data: bytes) -> tuple[int, ...]:
    """Read a TensorShapeProto {dim=2 {size=1}, unknown_rank=3}.

    Raises:
        MalformedError: If it is damaged, a dimension is negative or the rank is unknown.
    """
    shape = []
    for tag, a, b in fields(data):
        if tag == 3 << 3 | VARINT and a:
            raise MalformedError("its shape is not known")
        if tag == 2 << 3 | LENGTH:
            sizes = [signed(v) for inner, v, _ in fields(data, a, b) if inner == 1 << 3 | VARINT]
            shape.append(sizes[-1] if sizes else 0)
    if shape and min(shape) < 0:
        raise MalformedError(f"its shape {shape} has a negative dimension")
    if len(shape) > 254:  # TensorShape::MaxDimensions
        raise MalformedError(f"{len(shape)} dimensions")
    return tuple(shape)

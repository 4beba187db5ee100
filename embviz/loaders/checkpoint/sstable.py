"""The sorted table that TensorFlow keeps tensor names in: LevelDB's file format.

A table is a run of blocks, then a footer with the place of the index block, whose entries give the
places of the data blocks. Source: https://github.com/google/leveldb/blob/main/doc/table_format.md;
TensorFlow leaves out LevelDB's internal key suffix and fills no meta block.
"""

from __future__ import annotations

import bisect
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from embviz.errors import LoadError
from embviz.inputs import open_file, open_raw
from embviz.loaders.bytes.protobuf import MalformedError, read_varint

MAGIC = bytes.fromhex("57fb808b247547db")
FOOTER_BYTES = 48
TRAILER_BYTES = 5
MAX_INDEX_BYTES = 1 << 30
# An element of 3 bytes copies at most 64, so that no honest block grows more than 22 times.
SNAPPY_MAX_GROWTH = 22
# What a block's entries may cost in memory: a key is written whole at every restart point, 16
# entries apart, so that honest keys stay well below it.
ENTRY_MAX_GROWTH = 64
ENTRY_COST = 256


def mask_crc(crc: int) -> int:
    """Return LevelDB's masked form of a CRC-32C: rotated right by 15 bits plus a constant."""
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def is_table(path: Path) -> bool:
    """Tell whether a regular file ends with the table's magic number."""
    try:
        if not path.is_file():
            return False
        with open_file(path) as file:
            if file.seek(0, os.SEEK_END) < FOOTER_BYTES:
                return False
            file.seek(-len(MAGIC), os.SEEK_END)
            return file.read() == MAGIC
    except (OSError, ValueError):
        return False


class Table:
    """An open table: its file is read block by block, on demand.

    Args:
        path: The file; named as is in errors.
        max_bytes: A larger file is refused.

    Raises:
        LoadError: If it is missing, too large, truncated or damaged.
    """

    def __init__(self, path: Path, max_bytes: int | None = None) -> None:
        self.path = path
        try:
            if not path.is_file():
                raise LoadError(path, "no such file" if not path.exists() else "not a file")
            with open_file(path) as file:
                self.size = file.seek(0, os.SEEK_END)
                file.seek(max(0, self.size - FOOTER_BYTES))
                footer = file.read(FOOTER_BYTES)
        except OSError as error:
            raise LoadError(path, error.strerror or str(error)) from error
        if max_bytes is not None and self.size > max_bytes:
            raise LoadError(path, f"{self.size:,} bytes, an index has at most {max_bytes:,}")
        if len(footer) < FOOTER_BYTES:
            raise self.damaged(f"{self.size} bytes, a table has at least {FOOTER_BYTES}")
        if footer[-len(MAGIC) :] != MAGIC:
            raise self.damaged(
                f"not a TensorFlow table or truncated: its {self.size:,} bytes do not end with the "
                f"mark {MAGIC.hex()}"
            )
        try:
            self._handles = self._read_index(footer)
        except MalformedError as error:
            raise self.damaged(str(error)) from error

    def damaged(self, why: str) -> LoadError:
        """Return the error that says this file cannot be right."""
        return LoadError(self.path, why, "copy or save the checkpoint again")

    def entries(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield all (key, value), keys strictly ascending.

        Raises:
            LoadError: If a block's checksum or structure is wrong.
        """
        for _, offset, size in self._handles:
            yield from self._block_entries(offset, size)

    def lookup(self, key: bytes) -> bytes | None:
        """Return a key's value, reading the one block that can hold it."""
        place = bisect.bisect_left(self._handles, key, key=lambda handle: handle[0])
        if place == len(self._handles):
            return None
        _, offset, size = self._handles[place]
        return next((v for k, v in self._block_entries(offset, size) if k == key), None)

    def _read_index(self, footer: bytes) -> list[tuple[bytes, int, int]]:
        """Return (separator key, offset, size) of the data blocks, in file order."""
        at = 0
        handle = [0, 0, 0, 0]  # metaindex offset, size, index offset, size
        for i in range(4):
            handle[i], at = read_varint(footer, at, FOOTER_BYTES - len(MAGIC))
        if any(footer[at : FOOTER_BYTES - len(MAGIC)]):
            raise MalformedError("corrupt: its footer is not zero where it must be")
        for _ in self._block_entries(handle[0], handle[1]):
            pass  # the metaindex: TensorFlow keeps nothing there, but a damaged handle shows
        handles = []
        end = 0
        for key, value in self._block_entries(handle[2], handle[3]):
            offset, at = read_varint(value, 0, len(value))
            size, at = read_varint(value, at, len(value))
            if offset < end:
                raise MalformedError(f"block at byte {offset} overlaps the one before it")
            end = offset + size + TRAILER_BYTES
            handles.append((key, offset, size))
        return handles

    def _block_entries(self, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
        try:
            block = self._read_block(offset, size)
            yield from walk_block(block, ENTRY_MAX_GROWTH * size + (1 << 16))
        except MalformedError as error:
            raise self.damaged(f"block at byte {offset}: {error}") from error

    def _read_block(self, offset: int, size: int) -> bytes:
        """Return a block's content, its checksum checked, unpacked where it is compressed."""
        import google_crc32c

        end = offset + size + TRAILER_BYTES
        if end > self.size - FOOTER_BYTES:
            raise MalformedError(
                f"it ends at byte {end:,} of {self.size:,}, inside or behind the footer"
            )
        try:
            with open_file(self.path) as file:
                file.seek(offset)
                raw = file.read(size + TRAILER_BYTES)
        except OSError as error:
            raise LoadError(self.path, error.strerror or str(error)) from error
        if len(raw) < size + TRAILER_BYTES:
            raise MalformedError(f"truncated: {len(raw):,} of {size + TRAILER_BYTES:,} bytes")
        found = mask_crc(google_crc32c.value(raw[:-4]))
        wanted = int.from_bytes(raw[-4:], "little")
        if found != wanted:
            raise MalformedError(
                f"corrupt: checksum crc32c {found:08x} does not match {wanted:08x}"
            )
        kind = raw[size]
        if kind == 0:
            return raw[:size]
        if kind == 1:
            return decompress_snappy(raw[:size])
        raise MalformedError(f"compression type {kind} is not known (0 none, 1 snappy)")


def walk_block(block: bytes, budget: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield (key, value) of a block's entries, keys strictly ascending.

    Args:
        block: The uncompressed content with its restart array.
        budget: What the entries may cost in all, in bytes: each its whole key and ENTRY_COST.

    Raises:
        MalformedError: If lengths overrun, keys do not ascend or grow beyond bounds.
    """
    if len(block) < 4:
        raise MalformedError(f"{len(block)} bytes, an empty block has 4")
    limit = len(block) - 4 - 4 * int.from_bytes(block[-4:], "little")
    if limit < 0:
        raise MalformedError("its restart array is longer than the block")
    at, key, first = 0, b"", True
    while at < limit:
        head = block[at : at + 3]
        if len(head) == 3 and head[0] | head[1] | head[2] < 0x80:
            shared, unshared, length = head
            at += 3
        else:
            shared, at = read_varint(block, at, limit)
            unshared, at = read_varint(block, at, limit)
            length, at = read_varint(block, at, limit)
        if shared > len(key) or unshared + length > limit - at:
            raise MalformedError(f"the entry before byte {at} overruns the block or its key")
        middle = at + unshared
        previous, key = key, key[:shared] + block[at:middle]
        if key <= previous and not first:
            raise MalformedError(f"keys do not ascend before byte {at}")
        budget -= len(key) + ENTRY_COST
        if budget < 0:
            raise MalformedError(f"more entries or longer keys than its bytes can hold before {at}")
        at, first = middle + length, False
        yield key, block[middle:at]


def decompress_snappy(data: bytes) -> bytes:
    """Unpack raw snappy, its stated size checked before memory is taken.

    Source: https://github.com/google/snappy/blob/main/format_description.txt

    Raises:
        MalformedError: If an element overruns or the size is not the stated one.
    """
    size, at = read_varint(data, 0, len(data))
    if size > SNAPPY_MAX_GROWTH * len(data):
        raise MalformedError(f"snappy: {len(data):,} bytes cannot unpack to {size:,}")
    out = bytearray()
    while at < len(data):
        tag = data[at]
        at += 1
        kind = tag & 3
        # Bytes that follow the tag: a long literal's length, or a copy's offset.
        extra = max(0, (tag >> 2) - 59) if kind == 0 else (1, 2, 4)[kind - 1]
        number = int.from_bytes(data[at : at + extra], "little")
        at += extra
        if kind == 0:
            length = (number if extra else tag >> 2) + 1
            piece = data[at : at + length]
            at += length
        else:
            length = (tag >> 2 & 7) + 4 if kind == 1 else (tag >> 2) + 1
            back = number | (tag >> 5) << 8 if kind == 1 else number
            if not 0 < back <= len(out):
                raise MalformedError(f"snappy: a copy from {back} back of {len(out)} bytes")
            start = len(out) - back
            piece = bytes(out[start : start + length])
            piece = (piece * -(-length // len(piece)))[:length]
        if at > len(data) or len(out) + length > size:
            raise MalformedError(f"snappy: overruns its {len(data):,} bytes or the stated {size:,}")
        out += piece
    if len(out) != size:
        raise MalformedError(f"snappy: {len(out):,} bytes where {size:,} were stated")
    return bytes(out)


def read_checksum(file_path: Path, offset: int, size: int, chunk_bytes: int = 8 << 20) -> int:
    """Return the masked crc32c of part of a file, read in chunks and not through a map.

    Raises:
        LoadError: If the file cannot be read or ends before `offset + size`.
    """
    import google_crc32c

    crc, left = 0, size
    buffer = np.empty(min(chunk_bytes, max(size, 1)), np.uint8)
    try:
        with open_raw(file_path) as file:
            file.seek(offset)
            while left:
                count = file.readinto(buffer.data[: min(len(buffer), left)])
                if not count:
                    raise LoadError(
                        file_path,
                        f"truncated: ends at byte {offset + size - left:,}, "
                        f"{offset + size:,} are wanted",
                    )
                crc = google_crc32c.extend(crc, buffer[:count])
                left -= count
    except OSError as error:
        raise LoadError(file_path, error.strerror or str(error)) from error
    return mask_crc(crc)

"""The files of a neighbor index: a manifest, and parts that are mapped and checked when read.

A part is a raw little-endian array in `NAME.bin`. The manifest, written last, holds each part's
dtype, shape and the CRC-32C of every block of 128 KiB, so that what a query touches is checked and
the rest stays unread. Parts only grow: bytes behind what the manifest counts are what an
interrupted addition left, and mean nothing.
"""

from __future__ import annotations

import base64
import json
import math
import os
import threading
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, printable
from embviz.inputs import open_file, open_raw
from embviz.outputs.files import write_file

MANIFEST = "embviz-index.json"
FORMAT = "embviz neighbor index"
VERSION = 1
BLOCK = 1 << 17
CHECKED_WHOLE = 32 << 20  # Bytes of an index that are all checked when it is opened.
_MOST_MANIFEST_BYTES = 256 << 20
_NARROW_FLOATS = ("bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3b11fnuz", "float8_e4m3")


def dtype_named(name: str) -> np.dtype[Any]:
    """Return the dtype of a name such as float32 or bfloat16.

    Raises:
        TypeError: If it is not one of real numbers.
    """
    if name in _NARROW_FLOATS:
        import ml_dtypes

        narrow: np.dtype[Any] = np.dtype(getattr(ml_dtypes, name))
        return narrow
    found = np.dtype(name)
    if found.kind not in "iuf" or found.name != name:
        raise TypeError(f"{name} is no dtype of real numbers")
    little: np.dtype[Any] = found.newbyteorder("<")
    return little


def crc32c(data: NDArray[np.uint8] | bytes, start: int = 0) -> int:
    """Return the CRC-32C (Castagnoli) of bytes, going on from that of earlier ones."""
    import google_crc32c

    return int(google_crc32c.extend(start, data))


def sample_file(file: Path) -> dict[str, int]:
    """Return a file's size and a checksum of 16 stretches of it."""
    size = file.stat().st_size
    found = 0
    with open_file(file, grows=True) as source:
        for i in range(16):
            source.seek(max(0, size - 4096) * i // 15)
            found = crc32c(source.read(4096), found)
    return {"bytes": size, "crc32c": found}


@dataclass(frozen=True, eq=False)
class Part:
    """What the manifest says of a part: its dtype and shape, and a checksum a block."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    checksums: NDArray[np.uint32]

    @property
    def n_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def row_bytes(self) -> int:
        return self.dtype.itemsize * math.prod(self.shape[1:])

    def to_json(self) -> dict[str, Any]:
        packed = base64.b64encode(self.checksums.astype("<u4").tobytes()).decode("ascii")
        return {"dtype": self.dtype.name, "shape": list(self.shape), "crc32c": packed}


def part_from_json(found: Any) -> Part:
    """Return a part of a manifest.

    Raises:
        ValueError, TypeError, KeyError: If it is none.
    """
    shape = tuple(found["shape"])
    if not (len(shape) in (1, 2) and all(type(n) is int and 0 <= n < 1 << 48 for n in shape)):
        raise ValueError("shape")
    checksums = np.frombuffer(base64.b64decode(found["crc32c"], validate=True), "<u4")
    part = Part(dtype_named(found["dtype"]), shape, checksums)
    if len(checksums) != -(-part.n_bytes // BLOCK):
        raise ValueError("crc32c")
    return part


def looks_like_index(path: Path) -> bool:
    """Tell whether a folder is an index, or the larger part of one."""
    try:
        if not path.is_dir():
            return False
        return (path / MANIFEST).exists() or all(
            (path / f"{part}.bin").is_file() for part in ("vectors", "points", "bounds")
        )
    except (OSError, ValueError):
        return False


def write_manifest(path: Path, content: dict[str, Any], parts: dict[str, Part]) -> None:
    """Write the manifest of a folder, whole or not at all."""
    whole = {**content, "format": FORMAT, "version": VERSION}
    whole["parts"] = {name: part.to_json() for name, part in parts.items()}
    text = json.dumps(whole, sort_keys=True, ensure_ascii=True, allow_nan=False)
    whole["crc32c"] = crc32c(text.encode("ascii"))
    text = json.dumps(whole, sort_keys=True, allow_nan=False) + "\n"
    write_file(path / MANIFEST, text.encode("ascii"))


def read_manifest(path: Path) -> dict[str, Any]:
    """Read and check the manifest of a folder.

    Raises:
        LoadError: If there is none, or it is damaged or of another version.
    """
    if "\0" in str(path):
        raise LoadError(path, "not a path")
    file = path / MANIFEST
    again = "build it again with embviz index"
    try:
        size = file.stat().st_size
        if size > _MOST_MANIFEST_BYTES:
            raise LoadError(file, f"damaged: {size} bytes", again)
        with open_file(file, grows=True) as opened:
            found = json.loads(opened.read())
    except (FileNotFoundError, NotADirectoryError):
        why = f"no neighbor index: {MANIFEST} is not there"
        if looks_like_index(path):
            why = f"a part of a neighbor index: {MANIFEST} is not there"
        raise LoadError(path, why, "copy the folder again, or " + again) from None
    except OSError as error:
        raise LoadError(file, f"cannot be read ({error.strerror or error})") from None
    except (ValueError, RecursionError):
        raise LoadError(file, "damaged: not JSON", again) from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise LoadError(file, "not the manifest of a neighbor index", again)
    if found.get("version") != VERSION:
        version = printable(repr(found.get("version")), 20)
        raise LoadError(
            file, f"an index of format version {version}, and version {VERSION} is read", again
        )
    stored = found.pop("crc32c", None)
    text = json.dumps(found, sort_keys=True, ensure_ascii=True)
    if stored != crc32c(text.encode("ascii")):
        raise LoadError(file, "damaged: its checksum is wrong", again)
    return found


@dataclass(eq=False)
class IndexFiles:
    """The mapped parts of an index folder."""

    path: Path
    parts: dict[str, Part]
    _maps: dict[str, NDArray[Any]] = field(default_factory=dict)
    _raw: dict[str, NDArray[np.uint8]] = field(default_factory=dict)
    _checked: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    _descriptor: int = -1
    _reading: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        for name in self.parts:
            self._map(name)
        if sum(part.n_bytes for part in self.parts.values()) <= CHECKED_WHOLE:
            self.verify()

    def _map(self, name: str) -> None:
        part, file = self.parts[name], self.file(name)
        way_out = "copy the folder again, or build it again with embviz index"
        try:
            with open_raw(file, grows=True) as opened:
                size = os.fstat(opened.fileno()).st_size
                if size < part.n_bytes:
                    why = f"cut off: {size} of {part.n_bytes} bytes are there"
                    raise LoadError(file, why, way_out)
                raw: NDArray[np.uint8] = np.empty(0, np.uint8)
                if part.n_bytes:
                    raw = np.memmap(opened, np.uint8, "r", 0, (part.n_bytes,))
                if name == "vectors":  # For `read_into`, also when the folder is replaced.
                    self._descriptor = os.dup(opened.fileno())
                    weakref.finalize(self, os.close, self._descriptor)
        except FileNotFoundError:
            raise LoadError(file, "this part of the index is not there", way_out) from None
        except OSError as error:
            raise LoadError(file, f"cannot be read ({error.strerror or error})") from None
        self._raw[name] = raw
        plain = np.asarray(raw)  # Slices of a memmap object take thrice the time.
        self._maps[name] = plain.view(part.dtype).reshape(part.shape)
        self._checked[name] = np.zeros(len(part.checksums), np.bool_)

    def file(self, name: str) -> Path:
        """Return the file of a part."""
        return self.path / f"{name}.bin"

    def array(self, name: str) -> NDArray[Any]:
        """Return a part as a memory map, unchecked."""
        return self._maps[name]

    def read(self, name: str, start: int = 0, stop: int | None = None) -> NDArray[Any]:
        """Return rows of a part, after checking the blocks they lie in.

        Raises:
            LoadError: If a checksum is wrong, naming the part.
        """
        array = self._maps[name]
        stop = len(array) if stop is None else stop
        row_bytes = self.parts[name].row_bytes
        first, last = start * row_bytes // BLOCK, -(-stop * row_bytes // BLOCK)
        checked = self._checked[name][first:last]
        if not checked.all():
            self._check(name, first + np.flatnonzero(~checked))
        return array[start:stop]

    def read_into(self, buffer: NDArray[np.uint8], start: int) -> int:
        """Read bytes of the vectors from a place on, unchecked; return how many, 0 at the end."""
        if hasattr(os, "preadv"):
            return os.preadv(self._descriptor, [buffer.data], start)
        with self._reading, open(self._descriptor, "rb", buffering=0, closefd=False) as opened:
            opened.seek(start)
            return opened.readinto(buffer.data) or 0

    def take(self, name: str, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Return a copy of some rows of a part, after checking the blocks they lie in.

        Raises:
            LoadError: If a checksum is wrong, naming the part.
        """
        self.check_stretches(name, rows, rows + 1)
        taken: NDArray[Any] = self._maps[name][rows]
        return taken

    def check_stretches(
        self, name: str, starts: NDArray[np.int64], stops: NDArray[np.int64]
    ) -> None:
        """Check the blocks in which stretches of rows lie, none of them empty.

        Raises:
            LoadError: If a checksum is wrong, naming the part.
        """
        row_bytes = self.parts[name].row_bytes
        touched = np.zeros(len(self._checked[name]) + 1, np.int64)
        np.add.at(touched, starts * row_bytes // BLOCK, 1)
        np.add.at(touched, (stops * row_bytes - 1) // BLOCK + 1, -1)
        blocks = np.cumsum(touched[:-1]) > 0
        self._check(name, np.flatnonzero(blocks & ~self._checked[name]))

    def _check(self, name: str, blocks: NDArray[np.int64]) -> None:
        part, raw = self.parts[name], self._raw[name]
        for block in blocks.tolist():
            if crc32c(raw[block * BLOCK : (block + 1) * BLOCK]) != part.checksums[block]:
                raise LoadError(
                    self.file(name),
                    f"damaged: the checksum of bytes {block * BLOCK:,} .. "
                    f"{min((block + 1) * BLOCK, part.n_bytes) - 1:,} is wrong",
                    "copy the folder again, or build it again with embviz index",
                )
        self._checked[name][blocks] = True

    def verify(self) -> None:
        """Check every byte.

        Raises:
            LoadError: If a checksum is wrong, naming the part.
        """
        for name in self.parts:
            self.read(name)

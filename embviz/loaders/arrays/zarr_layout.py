"""How an array of Zarr lies in its chunks, and how these are unpacked, within bounds.

https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html and …/v3/core/index.html. Only codecs that
are known here are undone: one of version 2 may be pickle.
"""

from __future__ import annotations

import base64
import bz2
import math
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.loaders.arrays.chunked import unshuffle
from embviz.loaders.bytes.packed import find_zstandard

MOST_CHUNK = 1 << 30
_BLOSC_HEADER = 16
_MOST_FIELDS = 4096
_WBITS = {"gzip": 31, "zlib": 15}
_CODECS = frozenset({"blosc", "bz2", "crc32c", "gzip", "lz4", "shuffle", "zlib", "zstd"})
_V2_TYPE = re.compile(r"[<>|][biufcSUOVmM]\d{0,7}(\[\w{1,9}\])?")
_TEXTS = "vlen-utf8"
_NUMBERS = {
    "bool": "|b1", "int8": "|i1", "int16": "<i2", "int32": "<i4", "int64": "<i8", "uint8": "|u1",
    "uint16": "<u2", "uint32": "<u4", "uint64": "<u8", "float16": "<f2", "float32": "<f4",
    "float64": "<f8", "complex64": "<c8", "complex128": "<c16",
}  # fmt: skip


class UnreadableError(Exception):
    """Why an array or a chunk is not read, in a few words."""


@dataclass(frozen=True)
class Layout:
    """What the metadata of an array say.

    Attributes:
        shape: Its sides.
        dtype: Of its values, object for texts of any length.
        sides: Those of a chunk.
        fill: What is in chunks that are not there.
        codecs: What chunks are packed by, in the order in which it was done, with their settings.
        order: How the axes of a chunk lie, the slowest first.
        prefix, separator: Of the names of chunks.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    sides: tuple[int, ...]
    fill: Any
    codecs: tuple[tuple[str, Mapping[str, Any]], ...]
    order: tuple[int, ...]
    prefix: str
    separator: str

    def key(self, place: tuple[int, ...]) -> str:
        """Return the name of the chunk whose first value is at a place."""
        numbers = (str(p // side) for p, side in zip(place, self.sides, strict=True))
        return self.prefix + self.separator.join(numbers)

    def unpack(self, raw: bytes) -> NDArray[Any]:
        """Return the values of a chunk.

        Raises:
            UnreadableError: If it is damaged, or larger than it should be.
        """
        texts = self.dtype.hasobject
        n_bytes = math.prod(self.sides) * self.dtype.itemsize
        most = MOST_CHUNK if texts else n_bytes
        for name, settings in reversed(self.codecs):
            try:
                raw = _undo(name, raw, most, settings)
            except UnreadableError:
                raise
            except (ArithmeticError, EOFError, MemoryError, OSError, RuntimeError, ValueError) as e:
                raise UnreadableError(f"a chunk is no {name} ({e})") from None
        if texts:
            return _split_texts(raw, math.prod(self.sides)).reshape(self.sides)
        if len(raw) != n_bytes:
            raise UnreadableError(f"a chunk of {len(raw)} bytes, not {n_bytes}")
        stored = tuple(self.sides[axis] for axis in self.order)
        return np.frombuffer(raw, self.dtype).reshape(stored).transpose(np.argsort(self.order))


def read_layout(notes: Mapping[str, Any]) -> Layout:
    """Read the metadata of an array, of either version.

    Raises:
        UnreadableError: If they are damaged, or say what is not read.
    """
    try:
        layout = _read_v3(notes) if "node_type" in notes else _read_v2(notes)
        shape, sides = layout.shape, layout.sides
        if len(shape) != len(sides) or min(shape, default=0) < 0 or min(sides, default=1) < 1:
            raise UnreadableError(f"damaged: chunks of {sides} for {shape}")
        if max(math.prod(sides), math.prod(shape[1:])) * layout.dtype.itemsize > MOST_CHUNK:
            raise UnreadableError("chunks or rows of more than 1 GiB")
        if not layout.dtype.hasobject:
            np.asarray(layout.fill, layout.dtype)
    except UnreadableError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise UnreadableError(f"damaged metadata ({error})") from None
    for name, _ in layout.codecs:
        if name not in _CODECS:
            raise UnreadableError(f"packed by the codec '{name[:40]}', which is not read")
    return layout


def _read_v2(notes: Mapping[str, Any]) -> Layout:
    steps = [*(notes.get("filters") or ()), notes.get("compressor")]
    codecs = [(str(step["id"]), dict(step)) for step in steps if step is not None]
    kind = notes["dtype"]
    texts = kind == "|O" and any(name == _TEXTS for name, _ in codecs)
    if texts:
        codecs = [codec for codec in codecs if codec[0] != _TEXTS]
    for name, _ in codecs:
        if name not in _CODECS:
            raise UnreadableError(f"packed by the codec '{name[:40]}', which is not read")
    dtype = np.dtype(object) if texts else _v2_dtype(kind)
    if dtype.hasobject and not texts:
        raise UnreadableError("Python objects, not numbers")
    fill = notes.get("fill_value")
    if dtype.kind in "SV" and isinstance(fill, str):
        fill = base64.b64decode(fill)
    shape = _sides(notes["shape"])
    axes = tuple(range(len(shape)))
    return Layout(
        shape, dtype, _sides(notes["chunks"]), _fill(fill, dtype), tuple(codecs),
        axes[::-1] if notes.get("order") == "F" else axes, "",
        _separator(notes.get("dimension_separator", ".")),
    )  # fmt: skip


def _v2_dtype(kind: Any) -> np.dtype[Any]:
    """Return a type by its code, or that of records by a list of [name, code] or with sides."""
    if isinstance(kind, str):
        if not _V2_TYPE.fullmatch(kind):
            raise UnreadableError(f"of the type {kind[:40]}, which is not read")
        return np.dtype(kind)
    if not isinstance(kind, list) or not 0 < len(kind) <= _MOST_FIELDS:
        raise UnreadableError("of a type that is neither numbers nor texts")
    fields = []
    for name, code, *sides in kind:
        if not isinstance(name, str) or not isinstance(code, str):
            raise UnreadableError("records within records, which are not read")
        fields.append((name, _v2_dtype(code), *map(_sides, sides)))
    return np.dtype(fields)


def _read_v3(notes: Mapping[str, Any]) -> Layout:
    if notes.get("storage_transformers"):
        raise UnreadableError("with a storage transformer, which is not read")
    grid, keys = notes["chunk_grid"], notes["chunk_key_encoding"]
    if grid["name"] != "regular":
        raise UnreadableError(f"chunks in a {str(grid['name'])[:40]} grid, which is not read")
    shape = _sides(notes["shape"])
    order = tuple(range(len(shape)))
    codecs: list[tuple[str, Mapping[str, Any]]] = []
    endian, texts = "little", False
    for step in notes["codecs"]:
        name = str(step if isinstance(step, str) else step["name"]).removeprefix("numcodecs.")
        settings = {} if isinstance(step, str) else _settings(step)
        if name == "bytes":
            endian = settings.get("endian", "little")
        elif name == "transpose":
            order = tuple(order[int(axis)] for axis in settings["order"])
        elif name == _TEXTS:
            texts = True
        else:
            codecs.append((name, settings))
    if sorted(order) != list(range(len(shape))):
        raise UnreadableError("damaged: axes that are not there")
    dtype = _v3_dtype(notes["data_type"], texts)
    if endian == "big":
        dtype = dtype.newbyteorder(">")
    default = keys["name"] == "default"
    separator = _settings(keys).get("separator", "/" if default else ".")
    prefix = f"c{_separator(separator)}" if default else ""
    fill = _fill(notes.get("fill_value"), dtype)
    return Layout(
        shape, dtype, _sides(grid["configuration"]["chunk_shape"]), fill, tuple(codecs), order,
        prefix if shape else prefix[:1], _separator(separator),
    )  # fmt: skip


def _settings(named: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the configuration of a codec or an encoding, empty where it has none."""
    found = named.get("configuration") or {}
    if not isinstance(found, dict):
        raise UnreadableError("damaged: a configuration that is no object")
    return found


def _v3_dtype(kind: Any, texts: bool) -> np.dtype[Any]:
    if texts and kind == "string":
        return np.dtype(object)
    if isinstance(kind, str) and kind in _NUMBERS:
        return np.dtype(_NUMBERS[kind])
    name = kind.get("name") if isinstance(kind, dict) else kind
    n_bytes = kind.get("configuration", {}).get("length_bytes") if isinstance(kind, dict) else None
    if name == "fixed_length_utf32" and isinstance(n_bytes, int) and 0 < n_bytes < 1 << 20:
        return np.dtype(f"<U{n_bytes // 4}")
    if name == "null_terminated_bytes" and isinstance(n_bytes, int) and 0 < n_bytes < 1 << 20:
        return np.dtype(f"S{n_bytes}")
    raise UnreadableError(f"of the type {str(name)[:40]}, which is not read")


def _sides(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or any(type(n) is not int for n in value):
        raise UnreadableError("damaged: sides that are no whole numbers")
    return tuple(value)


def _separator(value: Any) -> str:
    if value not in (".", "/"):
        raise UnreadableError(f"damaged: chunks named by '{str(value)[:10]}'")
    return str(value)


def _fill(value: Any, dtype: np.dtype[Any]) -> Any:
    """Return the value of chunks that are not there, in the ways in which metadata spell it."""
    if dtype.hasobject:
        return value if isinstance(value, str) else ""
    if value is None or (dtype.names and not value):
        return np.zeros((), dtype)[()]
    if dtype.names:
        return np.frombuffer(value, dtype, 1)[0]
    if isinstance(value, str) and dtype.kind == "f":
        if value.startswith("0x"):
            raw = int(value, 16).to_bytes(dtype.itemsize, "big")
            return np.frombuffer(raw, dtype.newbyteorder(">"))[0]
        return float(value)
    return complex(*value) if isinstance(value, list) and dtype.kind == "c" else value


def _undo(name: str, raw: bytes, most: int, settings: Mapping[str, Any]) -> bytes:
    """Undo one codec; what comes out is at most a few bytes more than `most`."""
    if name == "crc32c":
        return _checked(raw)
    if name == "shuffle":
        size = settings.get("elementsize", 4)
        if type(size) is not int or not 0 < size <= 256:
            raise UnreadableError("shuffled in a way that is not read")
        return unshuffle(raw, size)
    if name == "blosc":
        return _unpack_blosc(raw, most)
    if name == "lz4":
        from numcodecs import lz4

        if len(raw) < 4 or int.from_bytes(raw[:4], "little") > most + 4:
            raise UnreadableError("a chunk that is larger than it says")
        return bytes(lz4.decompress(raw))
    if name == "zstd":
        zstd = find_zstandard()
        if zstd is None:
            raise UnreadableError("packed by zstd: pip install 'embviz[zarr]' reads it")
        try:
            found = zstd.ZstdDecompressor()
            return _whole(found, found.decompress(raw, most + 5))
        except zstd.ZstdError as error:
            raise UnreadableError(f"a chunk is no zstd ({error})") from None
    if name == "bz2":
        packed = bz2.BZ2Decompressor()
        return _whole(packed, packed.decompress(raw, most + 5))
    try:
        stream = zlib.decompressobj(_WBITS[name])
        return _whole(stream, stream.decompress(raw, most + 5))
    except zlib.error as error:
        raise UnreadableError(f"a chunk is no {name} ({error})") from None


def _whole(stream: Any, found: bytes) -> bytes:
    if not stream.eof:
        raise UnreadableError("a chunk ends early, or is larger than it says")
    return found


def _checked(raw: bytes) -> bytes:
    import google_crc32c

    if google_crc32c.value(raw[:-4]) != int.from_bytes(raw[-4:], "little"):
        raise UnreadableError("the checksum of a chunk does not match")
    return raw[:-4]


def _unpack_blosc(raw: bytes, most: int) -> bytes:
    """Unpack a chunk of Blosc, whose header says sizes that its library believes.

    https://github.com/Blosc/c-blosc/blob/main/README_CHUNK_FORMAT.rst
    """
    from numcodecs import blosc

    n_bytes, block, packed = (int.from_bytes(raw[at : at + 4], "little") for at in (4, 8, 12))
    if len(raw) < _BLOSC_HEADER or packed != len(raw) or n_bytes > most + 4:
        raise UnreadableError("a chunk of Blosc of other sizes than it says")
    if not n_bytes:
        return b""
    if not 0 < block <= n_bytes or raw[0] != 2 or not raw[3]:
        raise UnreadableError("a chunk of Blosc of other sizes than it says")
    if not raw[2] & 2:  # It is not stored as it is, but in blocks.
        n_blocks = -(-n_bytes // block)
        table = raw[_BLOSC_HEADER : _BLOSC_HEADER + 4 * n_blocks]
        starts = np.frombuffer(table[: len(table) // 4 * 4], "<i4")
        low = _BLOSC_HEADER + 4 * n_blocks
        if len(starts) < n_blocks or int(starts.min()) < low or int(starts.max()) + 4 > packed:
            raise UnreadableError("a chunk of Blosc whose blocks are not there")
    return bytes(blosc.decompress(raw))


def _split_texts(raw: bytes, n: int) -> NDArray[Any]:
    """Return the texts of a chunk: their number, and each with its length before it."""
    if int.from_bytes(raw[:4], "little") != n or 4 * n + 4 > len(raw):
        raise UnreadableError(f"a chunk of other than {n} texts")
    found = np.empty(n, object)
    at = 4
    for i in range(n):
        end = at + 4 + int.from_bytes(raw[at : at + 4], "little")
        if end > len(raw):
            raise UnreadableError("a text that is cut off")
        try:
            found[i] = raw[at + 4 : end].decode("utf-8")
        except UnicodeDecodeError:
            raise UnreadableError("text that is not UTF-8") from None
        at = end
    return found

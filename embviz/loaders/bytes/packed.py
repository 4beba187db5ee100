"""Files that were packed whole: gzip, bzip2, xz, Zstandard, or a zip archive of one file."""

from __future__ import annotations

import bz2
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from embviz.errors import LoadError, printable
from embviz.inputs import open_file
from embviz.loaders.bytes.zip_members import (
    MAGIC,
    Readable,
    check_member,
    most_unpacked,
    open_archive,
    open_member,
)

try:
    import lzma
except ImportError:  # A Python built without it.
    lzma = None  # type: ignore[assignment]

_MAGICS: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (MAGIC, "zip"),
)
_BZIP2_BLOCKS = (b"1AY&SY", b"\x17rE8P\x90")
# Of bzip2 a block holds up to 900,000 bytes, which may have packed to a few more.
LONGEST_BLOCK = 1 << 20
SUFFIXES = (".gz", ".bz2", ".xz", ".zst", ".zip")
_READ_BYTES = 1 << 16
_XZ_MEMORY = 256 << 20
_NO_FILES = ("__MACOSX/", ".DS_Store")


def find_packing(start: bytes) -> str:
    """Return what packed a file that begins so, "" for nothing."""
    name = next((name for magic, name in _MAGICS if start.startswith(magic)), "")
    # A word may begin as bzip2 does; behind its level stands the first block, or the end.
    return "" if name == "bzip2" and start[4:10] not in _BZIP2_BLOCKS else name


def unpack_start(start: bytes, most: int) -> bytes:
    """Return up to `most` bytes of what the first bytes of a file unpack to, or those bytes.

    Nothing is refused here: what is damaged, or cannot be unpacked, gives b"".
    """
    name = find_packing(start)
    if not name:
        return start
    try:
        if name == "zip":
            method = int.from_bytes(start[8:10], "little")
            data = start[30 + sum(int.from_bytes(start[i : i + 2], "little") for i in (26, 28)) :]
            size = int.from_bytes(start[18:22], "little")
            return data[:size] if method == 0 else _inflate(data, -15, most)
        if name == "gzip":
            return _inflate(start, 31, most)
        return bytes(_decompressor(name, "").decompress(start, most))
    except (OSError, LoadError):
        return b""
    except _failures():
        return b""


@contextmanager
def open_unpacked(path: Path) -> Iterator[tuple[str, Readable]]:
    """Open a file to read what was packed in it; give what packed it, "" for nothing, and that.

    Raises:
        LoadError: If it is damaged, unpacks to more than 200 times its size (and 64 MiB), or is
            an archive of several files; when it is opened or when it is read.
    """
    what = str(path)
    with open_file(path) as file:
        name = find_packing(file.peek(16)[:16])
        if not name:
            yield name, file
        elif name == "zip":
            with open_archive(path) as archive:
                info = _only_member(archive.infolist(), what)
            check_member(path, info, what)
            with open_member(path, info, what) as member:
                yield name, member
        else:
            yield name, _Unpacker(file, name, what, most_unpacked(path.stat().st_size))


def read_unpacked(path: Path, most: int) -> bytes:
    """Return all that was packed in a file.

    Raises:
        LoadError: If that is more than `most` bytes, or it cannot be unpacked.
    """
    out = bytearray()
    with open_unpacked(path) as (_, stream):
        while block := stream.read(1 << 20):
            out += block
            if len(out) > most:
                raise LoadError(path, f"more than {most:,} bytes, which are not read")
    return bytes(out)


def list_files(infos: list[Any]) -> list[Any]:
    """Return the members of a zip archive that are files a person put there."""
    return [
        info
        for info in infos
        if not info.filename.startswith(_NO_FILES[0])
        and not info.filename.endswith(("/", _NO_FILES[1]))
    ]


def _only_member(infos: list[Any], what: str) -> Any:
    files = list_files(infos)
    if len(files) == 1:
        return files[0]
    names = ", ".join(printable(info.filename, 40) for info in files[:5]) or "nothing"
    raise LoadError(what, f"a zip archive of {len(files)} files ({names})", "unpack it first")


class _Unpacker:
    """What a packed file holds; several packed streams one behind the other are one."""

    def __init__(self, file: IO[bytes], name: str, what: str, most: int) -> None:
        self._file, self._name, self._what, self._most = file, name, what, most
        self._unpack = self._next_unpacker()
        self._total, self._rest = 0, b""
        self._ended = False

    def read(self, n_bytes: int, /) -> bytes:
        """Return the next bytes, fewer only at the end."""
        out = bytearray()
        try:
            while len(out) < n_bytes and (block := self._some(n_bytes - len(out))):
                out += block
        except _failures() as e:
            raise self._damaged(str(e)) from None
        except OSError as e:
            if e.errno is not None:  # The file's own; bz2 gives none.
                raise
            raise self._damaged(str(e)) from None
        self._total += len(out)
        if self._total > self._most:
            raise LoadError(
                self._what,
                f"{self._name} that unpacks to more than 200 times its size",
                "if it is what it should be, unpack it first",
            )
        return bytes(out)

    def _some(self, most: int) -> bytes:
        while True:
            if self._unpack.eof:
                self._rest = self._unpack.unused_data or self._file.read(_READ_BYTES)
                # Zeros behind the last stream are padding, as gzip and xz allow.
                if not self._rest.strip(b"\0"):
                    return b""
                self._unpack = self._next_unpacker()
            raw = self._rest
            if not raw and self._unpack.needs_input:
                raw = self._file.read(_READ_BYTES)
                if not raw:
                    raise EOFError("cut off")
            self._rest = b""
            out = bytes(self._unpack.decompress(raw, most))
            if out:
                return out

    def _next_unpacker(self) -> Any:
        return _decompressor(self._name, self._what)

    def _damaged(self, why: str) -> LoadError:
        return LoadError(self._what, f"damaged {self._name} ({printable(why)})", "fetch it again")


class _Inflater:
    """gzip with the calls of bz2's and lzma's decompressors."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(31)

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._inflate.unconsumed_tail

    def decompress(self, raw: bytes, most: int) -> bytes:
        return self._inflate.decompress(self._inflate.unconsumed_tail + raw, most)


def _decompressor(name: str, what: str) -> Any:
    """Return what unpacks: `decompress(raw, most)`, `eof`, `needs_input`, `unused_data`.

    Raises:
        LoadError: If this Python cannot.
    """
    if name == "gzip":
        return _Inflater()
    if name == "bzip2":
        return bz2.BZ2Decompressor()
    if name == "xz" and lzma is not None:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
    zstd = find_zstandard() if name == "Zstandard" else None
    if zstd is not None:
        return zstd.ZstdDecompressor()
    way_out = "unpack it first" + (
        ": zstd -d FILE; or pip install 'embviz[zstd]'" if name == "Zstandard" else ""
    )
    raise LoadError(what, f"{name}, which this Python does not unpack", way_out)


def find_zstandard() -> Any:
    """Return the module of Python 3.14, or its twin for older ones; None where neither is there."""
    from importlib import import_module

    try:
        return import_module("compression.zstd")
    except ImportError:
        pass
    try:
        from backports import zstd
    except ImportError:
        return None
    return zstd


def _failures() -> tuple[type[Exception], ...]:
    """Return what the unpackers raise about bytes that are not what they should be."""
    found: list[type[Exception]] = [EOFError, ValueError, zlib.error]
    if lzma is not None:
        found.append(lzma.LZMAError)
    zstd = find_zstandard()
    if zstd is not None:
        found.append(zstd.ZstdError)
    return tuple(found)


def _inflate(data: bytes, window: int, most: int) -> bytes:
    return zlib.decompressobj(window).decompress(data, most)

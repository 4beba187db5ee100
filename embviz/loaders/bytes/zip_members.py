"""The members of zip archives: where their bytes lie, whole and of the size that they claim.

APPNOTE.TXT of PKWARE, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT. Python's
`zipfile` reads the directory only: it unpacks bzip2 and LZMA without a bound on what comes out.
"""

from __future__ import annotations

import errno
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, printable
from embviz.inputs import check_file, open_file

try:
    from lzma import LZMAError
except ImportError:  # A Python built without it.
    LZMAError = EOFError  # type: ignore[assignment, misc]

MAGIC = b"PK\x03\x04"
READ_BYTES = 1 << 20
_FREE_BYTES = 64 << 20
_MOST_EXPANSION = 200
_LOCAL_HEADER = struct.Struct("<4s2xHH16xHH")
_ENCRYPTED, _PATCH, _STRONGLY_ENCRYPTED, _UTF_8 = 1, 1 << 5, 1 << 6, 1 << 11
_LEAST_DICTIONARY = 4096
_METHODS = {1: "shrinking", 6: "imploding", 9: "Deflate64", 93: "Zstandard", 95: "xz", 98: "PPMd"}
# What zipfile raises about a directory that is not what it should be.
_OF_DIRECTORIES = (
    zipfile.BadZipFile, NotImplementedError, EOFError, struct.error, ValueError, OverflowError,
    IndexError, MemoryError,
)  # fmt: skip
# What the unpackers raise about bytes.
_OF_UNPACKERS = (EOFError, zlib.error, LZMAError, MemoryError)


@contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive and read its directory.

    Raises:
        LoadError: If it is no archive, or what zipfile says about its directory.
    """
    if not path.is_file():
        raise LoadError(path, "no regular file, where a zip archive is needed")
    try:
        check_file(path)
        archive = zipfile.ZipFile(path)
    except _OF_DIRECTORIES as e:
        raise _damaged(path, e, "a damaged zip archive") from None
    except OSError as e:
        if e.errno not in (None, errno.EINVAL):
            raise
        raise _damaged(path, e, "a damaged zip archive") from None
    with archive:
        yield archive


def check_member(path: Path, info: zipfile.ZipInfo, what: str) -> None:
    """Check sizes before memory is taken.

    Raises:
        LoadError: If the member cannot be read, ends behind the end of the file, or unpacks to
            more than 200 times its size.
    """
    _check_readable(info, what)
    stored = info.compress_type == zipfile.ZIP_STORED
    if data_offset(path, info, what) + info.compress_size > path.stat().st_size:
        raise LoadError(what, "cut off: it ends behind the end of the file", "write it again")
    if stored and info.file_size != info.compress_size:
        raise LoadError(
            what,
            f"damaged: {info.compress_size} bytes stored as they are, said to be {info.file_size}",
            "write it again",
        )
    if not stored and info.file_size > most_unpacked(info.compress_size):
        raise LoadError(
            what,
            f"unpacks {info.compress_size} bytes to {info.file_size}, "
            f"more than {_MOST_EXPANSION} times as much",
            "if it is what it should be, save it by numpy.savez",
        )


class Readable(Protocol):
    """What bytes are read from, as many as are asked for until they end."""

    def read(self, n_bytes: int, /) -> bytes:
        """Return the next bytes, fewer only at the end."""
        ...


def read_into(file: Readable, raw: NDArray[np.uint8]) -> int:
    """Fill an array, uint8 (n_bytes,), read on to the end, and return how much of it there was.

    What is wrong with packed bytes, such as their checksum, is told at their end.
    """
    at = 0
    while block := file.read(min(READ_BYTES, len(raw) - at)):
        raw[at : at + len(block)] = np.frombuffer(block, np.uint8)
        at += len(block)
    while file.read(READ_BYTES):
        pass
    return at


def first_member(head: bytes) -> bytes:
    """Return the name in the first local header of an archive that begins so."""
    return head[30 : 30 + int.from_bytes(head[26:28], "little")]


def most_unpacked(n_bytes: int) -> int:
    """Return how many bytes may come out of packed ones."""
    return max(_FREE_BYTES, _MOST_EXPANSION * n_bytes)


def data_offset(path: Path, info: zipfile.ZipInfo, what: str) -> int:
    """Return where a member's bytes begin, behind its local header (APPNOTE.TXT, 4.3.7).

    Raises:
        LoadError: If no header is there, or that of another member.
    """
    damaged = LoadError(what, "damaged: its header in the archive is another", "write it again")
    if info.header_offset < 0:
        raise damaged
    with open_file(path) as file:
        file.seek(info.header_offset)
        raw = file.read(_LOCAL_HEADER.size)
        if len(raw) < _LOCAL_HEADER.size or not raw.startswith(MAGIC):
            raise LoadError(what, "damaged: its header is not there", "write it again")
        _, flags, method, n_name, n_extra = _LOCAL_HEADER.unpack(raw)
        try:
            name = file.read(n_name).decode("utf-8" if flags & _UTF_8 else "cp437")
        except UnicodeDecodeError:
            raise damaged from None
    if name != info.orig_filename or method != info.compress_type:
        raise damaged
    return int(info.header_offset) + _LOCAL_HEADER.size + int(n_name) + int(n_extra)


class MemberReader:
    """A member's bytes, unpacked as they are read, never more than were asked for.

    Args:
        file: The archive at the member's first byte.
        info: What the directory says of the member.
        what: The member, as it is named to the user.

    Raises:
        LoadError: If it is encrypted or of a method that is not read.
    """

    def __init__(self, file: IO[bytes], info: zipfile.ZipInfo, what: str) -> None:
        _check_readable(info, what)
        self._file, self._what = file, what
        self._packed, self._left = info.compress_size, info.file_size
        self._crc, self._wanted = 0, info.CRC
        self._unpack: Callable[[Callable[[], bytes], int], bytes] | None = None
        if info.compress_type != zipfile.ZIP_STORED:
            self._unpack = _unpacker(info, self._take, what)

    def read(self, n_bytes: int) -> bytes:
        """Return the next bytes, fewer only at the end, where the checksum is compared.

        Raises:
            LoadError: If the member is damaged or cut off.
        """
        out = bytearray()
        n_bytes = min(n_bytes, self._left)
        while len(out) < n_bytes:
            block = self._some(n_bytes - len(out))
            if not block:
                raise LoadError(self._what, "damaged: cut off", "write it again")
            out += block
        self._left -= len(out)
        self._crc = zlib.crc32(out, self._crc)
        if out and not self._left and self._crc != self._wanted:
            raise LoadError(
                self._what, "damaged: it does not match its checksum", "fetch or write it again"
            )
        return bytes(out)

    def skip(self, n_bytes: int) -> None:
        """Read past some bytes."""
        while n_bytes > 0 and (block := self.read(min(READ_BYTES, n_bytes))):
            n_bytes -= len(block)

    def _take(self, most: int = 1 << 16) -> bytes:
        """Return packed bytes as they lie in the archive, none at the end."""
        raw = self._file.read(min(most, self._packed))
        self._packed -= len(raw)
        return raw

    def _some(self, most: int) -> bytes:
        if self._unpack is None:
            return self._take(min(most, READ_BYTES))
        try:
            return self._unpack(self._take, most)
        except _OF_UNPACKERS as e:
            raise _damaged(self._what, e) from None
        except OSError as e:
            if e.errno is not None:  # The file's own; bz2 gives none.
                raise
            raise _damaged(self._what, e) from None


@contextmanager
def open_member(path: Path, info: zipfile.ZipInfo, what: str) -> Iterator[MemberReader]:
    """Open a member to read it.

    Raises:
        LoadError: If it is damaged, encrypted or of a method that is not read.
    """
    start = data_offset(path, info, what)
    with open_file(path) as file:
        file.seek(start)
        yield MemberReader(file, info, what)


def verify_member(path: Path, info: zipfile.ZipInfo, what: str) -> None:
    """Compare the checksum of a member, reading all of it.

    Raises:
        LoadError: If it differs.
    """
    with open_member(path, info, what) as file:
        while file.read(READ_BYTES):
            pass


def _damaged(what: object, error: BaseException, kind: str = "damaged") -> LoadError:
    reason = printable(str(error), 80) or type(error).__name__
    return LoadError(what, f"{kind} ({reason})", "write it again")


def _check_readable(info: zipfile.ZipInfo, what: str) -> None:
    """Refuse what needs a password, or a method of packing that is not read."""
    if info.flag_bits & (_ENCRYPTED | _STRONGLY_ENCRYPTED):
        raise LoadError(what, "encrypted", "write it without a password")
    if info.flag_bits & _PATCH:
        raise LoadError(what, "a patch of another file, which is not read", "write it again")
    known = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    if info.compress_type not in known:
        method = _METHODS.get(info.compress_type, f"method {info.compress_type}")
        raise LoadError(
            what, f"packed by {method}, which is not read", "save it by numpy.savez_compressed"
        )


def _unpacker(
    info: zipfile.ZipInfo, take: Callable[[int], bytes], what: str
) -> Callable[[Callable[[], bytes], int], bytes]:
    """Return what takes packed bytes when it needs some and returns up to a number of them."""
    if info.compress_type == zipfile.ZIP_DEFLATED:
        return _inflate()
    try:
        if info.compress_type == zipfile.ZIP_BZIP2:
            import bz2

            return _fed(bz2.BZ2Decompressor())
        import lzma
    except ImportError as e:
        raise LoadError(what, f"cannot be unpacked by this Python ({e})") from None
    # APPNOTE.TXT, 5.8.8: version, size of the properties, then lc, lp and pb in one byte and the
    # dictionary's size, of which no more is needed than bytes come out.
    raw = take(9)
    if len(raw) < 9 or raw[2:4] != b"\x05\0" or raw[4] >= 225:
        raise LoadError(what, "damaged: no LZMA properties", "write it again")
    kept = max(_LEAST_DICTIONARY, min(int.from_bytes(raw[5:9], "little"), info.file_size))
    props = {
        "id": lzma.FILTER_LZMA1,
        "dict_size": kept,
        "lc": raw[4] % 9,
        "lp": raw[4] // 9 % 5,
        "pb": raw[4] // 45,
    }
    try:
        return _fed(lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[props]))
    except (*_OF_UNPACKERS, ValueError) as e:
        raise _damaged(what, e) from None


def _inflate() -> Callable[[Callable[[], bytes], int], bytes]:
    inflater = zlib.decompressobj(-15)

    def unpack(take: Callable[[], bytes], most: int) -> bytes:
        while True:
            raw = inflater.unconsumed_tail or (b"" if inflater.eof else take())
            out = inflater.decompress(raw, most)
            if out or inflater.eof or not raw:
                return out

    return unpack


def _fed(decompressor: Any) -> Callable[[Callable[[], bytes], int], bytes]:
    """Return the unpacker of a decompressor of bz2 or lzma."""

    def unpack(take: Callable[[], bytes], most: int) -> bytes:
        while not decompressor.eof:
            raw = take() if decompressor.needs_input else b""
            out: bytes = decompressor.decompress(raw, most)
            if out or not raw:
                return out
        return b""

    return unpack

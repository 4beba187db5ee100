"""The members of zip archives: where their bytes lie, whole and of the size that they claim."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from embviz.errors import LoadError

MAGIC = b"PK\x03\x04"
READ_BYTES = 1 << 20
_FREE_BYTES = 64 << 20
_MOST_EXPANSION = 200
_LOCAL_HEADER = struct.Struct("<4s22xHH")


@contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive; what zipfile raises about its content becomes a LoadError."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error, struct.error) as e:
        raise LoadError(path, f"a damaged zip archive ({e})", "write it again") from None


def check_member(path: Path, info: zipfile.ZipInfo, what: str) -> None:
    """Check sizes before memory is taken."""
    if info.compress_type == zipfile.ZIP_STORED:
        end = data_offset(path, info) + info.file_size
        if end > path.stat().st_size:
            raise LoadError(what, "cut off: it ends behind the end of the file", "write it again")
    elif info.file_size > max(_FREE_BYTES, _MOST_EXPANSION * info.compress_size):
        raise LoadError(
            what,
            f"unpacks {info.compress_size} bytes to {info.file_size}, "
            f"more than {_MOST_EXPANSION} times as much",
            "if it is what it should be, save it by numpy.savez",
        )


def data_offset(path: Path, info: zipfile.ZipInfo) -> int:
    """Return where a member's bytes begin, behind its local header (APPNOTE.TXT, 4.3.7)."""
    with path.open("rb") as file:
        file.seek(info.header_offset)
        raw = file.read(_LOCAL_HEADER.size)
    if len(raw) < _LOCAL_HEADER.size or not raw.startswith(MAGIC):
        raise LoadError(path, "a damaged zip archive (no local header)", "write it again")
    _, n_name, n_extra = _LOCAL_HEADER.unpack(raw)
    return int(info.header_offset) + _LOCAL_HEADER.size + int(n_name) + int(n_extra)


def skip(file: IO[bytes], n_bytes: int) -> None:
    """Read past some bytes of a member."""
    file.read(n_bytes)


def verify_member(path: Path, info: zipfile.ZipInfo) -> None:
    """Compare the checksum of a stored member, reading all of it.

    Raises:
        LoadError: If it differs.
    """
    crc, left = 0, info.file_size
    with path.open("rb") as file:
        file.seek(data_offset(path, info))
        while left and (block := file.read(min(READ_BYTES, left))):
            crc, left = zlib.crc32(block, crc), left - len(block)
    if crc != info.CRC:
        raise LoadError(path, f"'{info.filename}' does not match its checksum", "fetch it again")

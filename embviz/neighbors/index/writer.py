"""Writing an index folder so that nothing looks complete before it is."""

from __future__ import annotations

import logging
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import OutputError, printable
from embviz.neighbors.index.files import BLOCK, MANIFEST, IndexFiles, Part, crc32c

log = logging.getLogger("embviz")

LOCK = "lock"
_PARTS = "vectors|norms|points|places|bounds|checksums|centers|mean|rows|sorted"
_OURS = re.compile(
    rf"(({_PARTS}|column-\d+-(text|ends))\.bin|{re.escape(MANIFEST)}(\.new)?|{LOCK})"
    r"|\.DS_Store|Thumbs\.db|desktop\.ini"
)
"""What an index folder holds, and what systems put into every folder that is looked at."""


class PartWriter:
    """Writes a part from its start, or behind what an index holds of it already.

    Args:
        file: Where it goes.
        dtype: Of its entries.
        tail: The shape of one row; () for a plain array.
        earlier: What is there already.
    """

    def __init__(
        self,
        file: Path,
        dtype: np.dtype[Any],
        tail: tuple[int, ...] = (),
        earlier: Part | None = None,
    ) -> None:
        self._dtype, self._tail = dtype, tail
        self._n_rows = 0 if earlier is None else earlier.shape[0]
        self._checksums: list[int] = []
        self._crc = self._filled = 0
        if earlier is None:
            self._file: IO[bytes] = file.open("wb")
            return
        self._file = file.open("r+b")
        whole, rest = divmod(earlier.n_bytes, BLOCK)
        self._checksums = earlier.checksums[:whole].tolist()
        self._file.seek(whole * BLOCK)
        self._crc, self._filled = crc32c(self._file.read(rest)), rest
        self._file.truncate(earlier.n_bytes)
        self._file.seek(earlier.n_bytes)

    def write(self, rows: NDArray[Any]) -> None:
        """Write rows behind those that are there."""
        plain = np.ascontiguousarray(rows, dtype=self._dtype)
        self._n_rows += len(plain)
        raw = plain.reshape(-1).view(np.uint8)
        self._file.write(raw.data)
        while len(raw):
            part, raw = raw[: BLOCK - self._filled], raw[BLOCK - self._filled :]
            self._crc = crc32c(part, self._crc)
            self._filled += len(part)
            if self._filled == BLOCK:
                self._checksums.append(self._crc)
                self._crc = self._filled = 0

    def close(self) -> Part:
        """Bring everything to the disk and return what the manifest says of it."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        checksums = [*self._checksums, self._crc] if self._filled else self._checksums
        return Part(self._dtype, (self._n_rows, *self._tail), np.array(checksums, np.uint32))

    def abandon(self) -> None:
        """Close the file as it is."""
        self._file.close()


class FolderWriter:
    """The parts of one folder that are being written."""

    def __init__(self, folder: Path, earlier: IndexFiles | None = None) -> None:
        self._folder, self._earlier = folder, earlier
        self._writers: dict[str, PartWriter] = {}

    def write(self, name: str, rows: NDArray[Any]) -> None:
        """Write rows of a part; the first ones set its dtype and the shape of a row."""
        if name not in self._writers:
            known = None if self._earlier is None else self._earlier.parts.get(name)
            dtype = rows.dtype if known is None else known.dtype
            little = dtype.newbyteorder("<") if dtype.byteorder == ">" else dtype
            self._writers[name] = PartWriter(
                self._folder / f"{name}.bin", little, rows.shape[1:], known
            )
        self._writers[name].write(rows)

    def n_rows(self, name: str) -> int:
        """Return how many rows of a part an index holds already."""
        known = None if self._earlier is None else self._earlier.parts.get(name)
        return 0 if known is None else known.shape[0]

    def dtype(self, name: str, fresh: np.dtype[Any]) -> np.dtype[Any]:
        """Return the dtype of a part: that of an index, or the one of fresh rows."""
        known = None if self._earlier is None else self._earlier.parts.get(name)
        return fresh if known is None else known.dtype

    def close(self) -> dict[str, Part]:
        """Return all parts of the folder, those that were not written as they are."""
        parts = {} if self._earlier is None else dict(self._earlier.parts)
        parts.update({name: writer.close() for name, writer in self._writers.items()})
        return parts

    def abandon(self) -> None:
        """Close all files, and cut off what was added to those of an index."""
        for name, writer in self._writers.items():
            writer.abandon()
            if self._earlier is None:
                continue
            file = self._folder / f"{name}.bin"
            known = self._earlier.parts.get(name)
            if known is None:
                file.unlink(missing_ok=True)
            elif file.stat().st_size > known.n_bytes:
                os.truncate(file, known.n_bytes)


@contextmanager
def fresh_folder(path: Path) -> Iterator[Path]:
    """Give a folder beside a path that takes its place when all went well, and is removed if not.

    Raises:
        OutputError: If the path is a file or a folder of something else, or cannot be written.
    """
    path = path.resolve() if path.is_symlink() else path
    check_replaceable(path)
    try:
        _remove_leftovers(path)
        building = path.parent / f".{path.name}.building-{secrets.token_hex(4)}"
        building.mkdir()
        try:
            with locked(building):
                yield building
                with suppress(PermissionError):  # Not every system removes an open file.
                    (building / LOCK).unlink()
            (building / LOCK).unlink(missing_ok=True)
            _swap(building, path)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    except OSError as error:
        raise OutputError(path, f"cannot be written ({error.strerror or error})") from error


def check_replaceable(path: Path) -> None:
    """Refuse to put an index where something else is.

    Raises:
        OutputError: If the path is a file or a folder of something else, or has no folder.
    """
    if path.is_dir():
        others = sorted(p.name for p in path.iterdir() if not _OURS.fullmatch(p.name))
        if others:
            raise OutputError(
                path,
                f"a folder with other things in it ({printable(others[0], 60)})",
                "name a new folder, or an index to replace",
            )
    elif path.exists():
        raise OutputError(path, "a file is there", "name a folder after -o")
    elif not path.parent.is_dir():
        raise OutputError(path, f"there is no folder {path.parent}", "make it first")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder for this process; the system lets go when the process ends.

    Raises:
        OutputError: If another process holds it.
    """
    try:
        file = _take(folder)
    except OSError as error:
        raise OutputError(folder, f"cannot be written ({error.strerror or error})") from error
    if file is None:
        raise OutputError(folder, "another process is writing to it", "wait until it has ended")
    with file:
        yield


def _take(folder: Path) -> IO[bytes] | None:
    """Return a folder's lock, held until it is closed; None if another process holds it."""
    while True:
        file = (folder / LOCK).open("ab")
        if not _lock(file):
            file.close()
            return None
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), (folder / LOCK).stat()):
                return file
        file.close()  # The folder was replaced meanwhile.


@contextmanager
def _at_rest(path: Path) -> Iterator[None]:
    """Wait until nobody adds to an index, and let nobody begin."""
    told = False
    while (path / MANIFEST).is_file():
        try:
            file = _take(path)
        except FileNotFoundError:
            continue
        if file is not None:
            with file:
                if os.name == "nt":
                    file.close()  # A folder with an open file cannot be moved there.
                yield
            return
        if not told:
            log.info("%s: waiting for another process that adds to it", path)
            told = True
        time.sleep(0.1)
    yield


def _lock(file: IO[bytes]) -> bool:
    """Lock an open file; False if another process holds it."""
    try:
        if os.name == "nt":
            import msvcrt

            locking: Any = msvcrt
            file.seek(0)
            locking.locking(file.fileno(), locking.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove_leftovers(path: Path) -> None:
    """Remove the folders of builders that ended without cleaning up."""
    for folder in path.parent.glob(f".{path.name}.building-*"):
        file = folder / LOCK
        if not file.is_file():
            continue
        with file.open("ab") as held:
            left = _lock(held)
        if left:
            shutil.rmtree(folder, ignore_errors=True)


def _swap(building: Path, path: Path) -> None:
    """Put a folder in the place of another; of two that do so at once, the last one stays."""
    for attempt in range(20):
        old = path.parent / f".{path.name}.old-{secrets.token_hex(4)}"
        with _at_rest(path), suppress(FileNotFoundError):
            path.rename(old)
        try:
            building.rename(path)
        except OSError:
            if attempt == 19 or not path.exists():
                if old.exists():
                    old.rename(path)
                raise
            continue
        finally:
            if path.exists():
                shutil.rmtree(old, ignore_errors=True)
        return

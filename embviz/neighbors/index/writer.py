"""Writing an index folder so that nothing looks complete before it is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import OutputError, printable
from embviz.neighbors.index.files import BLOCK, MANIFEST, IndexFiles, Part, crc32c
from embviz.outputs.folders import check_folder, fresh_folder
from embviz.outputs.locks import LOCK

_PARTS = "vectors|norms|points|places|bounds|checksums|centers|mean|rows|sorted"
_OURS = re.compile(
    rf"(({_PARTS}|column-\d+-(text|ends))\.bin|(\.?{re.escape(MANIFEST)}(\.\w+)?)|{LOCK})"
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
        with suppress(OSError):
            self._file.close()


class FolderWriter:
    """The parts of one folder that are being written."""

    def __init__(self, folder: Path, earlier: IndexFiles | None = None) -> None:
        self._folder, self._earlier = folder, earlier
        self._manifest = b"" if earlier is None else (folder / MANIFEST).read_bytes()
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
        """Close all files; cut off what was added to an index whose manifest is the earlier one."""
        for writer in self._writers.values():
            writer.abandon()
        if self._earlier is None or (self._folder / MANIFEST).read_bytes() != self._manifest:
            return
        for name in self._writers:
            file = self._folder / f"{name}.bin"
            known = self._earlier.parts.get(name)
            if known is None:
                file.unlink(missing_ok=True)
            elif file.stat().st_size > known.n_bytes:
                os.truncate(file, known.n_bytes)


@contextmanager
def fresh_index(path: Path) -> Iterator[Path]:
    """Give a folder beside a path that takes its place when all went well, and is removed if not.

    Raises:
        OutputError: If the path is a file or a folder of something else, or cannot be written.
    """
    check_replaceable(path)
    with fresh_folder(path) as building:
        yield building


def check_replaceable(path: Path) -> None:
    """Refuse to put an index where something else is.

    Raises:
        OutputError: If the path is a file or a folder of something else, or cannot be written.
    """
    check_folder(path)
    if not path.is_dir():
        return
    others = sorted(p.name for p in path.iterdir() if not _OURS.fullmatch(p.name))
    if others:
        raise OutputError(
            path,
            f"a folder with other things in it ({printable(others[0], 60)})",
            "name a new folder, or an index to replace",
        )

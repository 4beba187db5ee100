"""A format and a projector for embviz, in one small module.

The format: the mark `EXROWS1` and a line feed, the numbers of rows and of dimensions (each uint32),
the vectors row by row (float32), then a label a row, each ended by a line feed, as UTF-8. All
numbers are little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embviz import EmbeddingTable, LoadError, Projection
from embviz.loaders.opened import Claim, Source, Start, Tensor, TextColumns
from embviz.loaders.reading import Reading

MARK = b"EXROWS1\n"
COUNTS = struct.Struct("<II")


class ExrowsFormat:
    """Reads `.exrows` files: the header when one is opened, all else when it is asked for."""

    name = "exrows"

    def claim(self, start: Start) -> Claim | None:
        """Claim a file by its first bytes, which were read already."""
        if start.head.startswith(MARK):
            return Claim.MAGIC
        return Claim.NAME if start.kind == "file" and start.suffix == ".exrows" else None

    def open(self, path: Path, reading: Reading) -> Source:
        """Read the header, and compare it with the size of the file before memory is taken."""
        with path.open("rb") as file:
            head = file.read(len(MARK) + COUNTS.size)
        if len(head) < len(MARK) + COUNTS.size or not head.startswith(MARK):
            raise LoadError(path, "no whole header of an exrows file", "write it again")
        n_rows, n_dims = COUNTS.unpack(head[len(MARK) :])
        start, end = len(head), len(head) + 4 * n_rows * n_dims
        size = path.stat().st_size
        if size < end:
            raise LoadError(path, f"cut off: {end} bytes of vectors, {size} are there")

        def rows() -> NDArray[np.float32]:
            return np.memmap(path, "<f4", "r", start, (n_rows, n_dims))

        def labels() -> TextColumns:
            with path.open("rb") as file:
                file.seek(end)
                raw = file.read()
            try:
                texts = raw.decode("utf-8").split("\n")[:-1]
            except UnicodeDecodeError:
                raise LoadError(path, "labels that are not UTF-8") from None
            if len(texts) != n_rows:
                raise LoadError(path, f"{len(texts)} labels for {n_rows} rows", "write it again")
            return TextColumns({"label": tuple(texts)})

        tensor = Tensor(path.stem, (n_rows, n_dims), "float32", rows, columns=labels)
        return Source(path, (tensor,))


EXROWS = ExrowsFormat()


def write(path: str, labels: Sequence[str], vectors: Sequence[Sequence[float]]) -> None:
    """Write a file that the format reads."""
    rows = np.asarray(vectors, "<f4")
    text = "".join(f"{label}\n" for label in labels)
    Path(path).write_bytes(MARK + COUNTS.pack(*rows.shape) + rows.tobytes() + text.encode())


@dataclass(frozen=True)
class FirstTwo:
    """Places points by their first two dimensions, times `scale`."""

    scale: float = 1.0

    def project(self, table: EmbeddingTable) -> Projection:
        """Read the vectors block by block, so that a table may be larger than the memory."""
        xy = np.concatenate([block[:, :2] for _, block in table.blocks()]) * self.scale
        return Projection("first_two", xy, axes=("x", "y"), params={"scale": self.scale})

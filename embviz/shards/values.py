"""What travels between the driver and its workers: ranges of rows, never rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, ParameterError, counted
from embviz.rows import BLOCK_BYTES, freeze
from embviz.shards.files import FileRows, read_piece

WEIGHT = "weight"
"""The column of how many points each of a sample stands for."""


@dataclass(frozen=True)
class Piece:
    """A range of rows of one file, by which a worker reads them.

    Attributes:
        path: The absolute path.
        tensor: Its name in the file; None for the default one.
        input_format: The name of a format; None to find out.
        start, stop: The rows, from 0.
        shown: The path as the user gave it.
    """

    path: str
    tensor: str | None
    input_format: str | None
    start: int
    stop: int
    shown: str = ""

    def read(self) -> NDArray[Any]:
        """Return the rows in their own dtype, (stop - start, n_dims).

        Raises:
            LoadError: If the file is missing here, damaged, or other than it was.
        """
        return read_piece(self)


@dataclass(frozen=True)
class Block:
    """Rows that follow each other, of one file or several.

    Attributes:
        first: The number of its first row among all.
        pieces: At least one.
    """

    first: int
    pieces: tuple[Piece, ...]

    @property
    def n_rows(self) -> int:
        return sum(piece.stop - piece.start for piece in self.pieces)

    @property
    def stop(self) -> int:
        """One more than the number of its last row among all."""
        return self.first + self.n_rows

    def read(self) -> NDArray[Any]:
        """Return its rows in their own dtype, (n_rows, n_dims); raises as `Piece.read`."""
        found = [piece.read() for piece in self.pieces]
        return found[0] if len(found) == 1 else np.concatenate(found)

    def part(self, start: int, stop: int) -> Block:
        """Return some of its rows, counted from its first; there may be fewer than `stop`."""
        pieces: list[Piece] = []
        before = 0
        for piece in self.pieces:
            length = piece.stop - piece.start
            low, high = max(start - before, 0), min(stop - before, length)
            if low < high:
                pieces.append(replace(piece, start=piece.start + low, stop=piece.start + high))
            before += length
        return Block(self.first + start, tuple(pieces))

    def read_finite(self, dtype: type[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        """Return its rows as a new C-ordered array of a float type.

        Raises:
            LoadError: If a row holds NaN or infinity, with the file and the first such row; or as
                `Piece.read`.
            ParameterError: If a finite value does not fit the type.
        """
        return self._finite(0, self.read(), dtype)

    def leaves(
        self, rows_a_leaf: int, dtype: type[np.floating[Any]]
    ) -> Iterator[tuple[int, NDArray[np.floating[Any]]]]:
        """Yield (number among all, rows) of its rows a few at a time, each as `read_finite` has it.

        A block that is cut at a multiple of `rows_a_leaf` gives the same leaves as any other.
        """
        at, at_once = 0, rows_a_leaf
        while at < self.n_rows:
            raw = self.part(at, at + at_once).read()
            for start in range(0, len(raw), rows_a_leaf):
                rows = self._finite(at + start, raw[start : start + rows_a_leaf], dtype)
                yield self.first + at + start, rows
            at += at_once
            # As many leaves as BLOCK_BYTES hold: the first has told how long rows are.
            at_once = rows_a_leaf * max(
                1, BLOCK_BYTES * len(raw) // max(1, raw.nbytes) // rows_a_leaf
            )

    def _finite(
        self, start: int, raw: NDArray[Any], dtype: type[np.floating[Any]]
    ) -> NDArray[np.floating[Any]]:
        with np.errstate(over="ignore", invalid="ignore"):
            rows = np.array(raw, dtype, order="C")
            finite = np.isfinite(rows.sum())
        if finite or np.isfinite(rows).all():
            return rows
        bad = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
        stored = np.asarray(raw[bad], np.float64)
        where = self.tell(self.first + start + bad)
        if np.isfinite(stored).all():
            why = f"a value is beyond the range of {np.dtype(dtype).name}"
            raise ParameterError(where, why, "divide the vectors by a constant first")
        kind = "NaN" if np.isnan(stored).any() else "infinity"
        raise LoadError(where, f"holds {kind}", "mend that row, or leave its file out")

    def tell(self, row: int) -> str:
        """Return the file and the row in it of a row by its number among all."""
        at = row - self.first
        for piece in self.pieces:
            if at < piece.stop - piece.start:
                return f"{piece.shown or piece.path}, row {piece.start + at}"
            at -= piece.stop - piece.start
        raise IndexError(row)


@dataclass(frozen=True)
class ShardFile:
    """A file of rows: its place, and how many it has; fields as those of `Piece`."""

    path: str
    n_rows: int
    tensor: str | None = None
    input_format: str | None = None
    shown: str = ""
    labeled: bool = False
    """Whether it has columns beside the vectors."""

    def piece(self, start: int, stop: int) -> Piece:
        """Return some of its rows."""
        return Piece(self.path, self.tensor, self.input_format, start, stop, self.shown)


@dataclass(frozen=True, eq=False)
class ShardedRows:
    """The rows of several files, one behind the other, which stay in them.

    Attributes:
        files: At least one; those without rows have no place in a block.
        n_dims: The width of all.
        dtype: The dtype of all.
    """

    files: tuple[ShardFile, ...]
    n_dims: int
    dtype: np.dtype[Any]

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """How many rows there are up to the end of each file, int64 (n_files,)."""
        return np.cumsum([file.n_rows for file in self.files], dtype=np.int64)

    @property
    def n_rows(self) -> int:
        return int(self.ends[-1])

    @property
    def n_bytes(self) -> int:
        return self.n_rows * self.n_dims * self.dtype.itemsize

    @cached_property
    def rows(self) -> FileRows:
        """The rows, to be read here by slices."""
        return FileRows(self)

    def block(self, first: int, stop: int) -> Block:
        """Return the rows from one number to before another, at least one."""
        at = int(np.searchsorted(self.ends, first, side="right"))
        pieces: list[Piece] = []
        start = first
        while start < stop:
            end = int(self.ends[at])
            before = end - self.files[at].n_rows
            if before < end:
                piece = self.files[at].piece(start - before, min(stop, end) - before)
                pieces.append(piece)
            start, at = end, at + 1
        return Block(first, tuple(pieces))

    def blocks(self, rows_a_block: int) -> list[Block]:
        """Return all rows, cut at multiples of a number of rows, whatever the files."""
        starts = range(0, self.n_rows, rows_a_block)
        return [self.block(a, min(a + rows_a_block, self.n_rows)) for a in starts]

    def tell(self, row: int) -> str:
        """Return the file and the row in it of a row by its number among all."""
        return self.block(row, row + 1).tell(row)

    def describe(self) -> str:
        """Say how many rows of which width and how many files they are."""
        files = counted(len(self.files), "file")
        return f"{counted(self.n_rows, 'row')} x {self.n_dims} {self.dtype} in {files}"


@dataclass(frozen=True, eq=False)
class Sample:
    """Some of all points, chosen by a hash of row number and seed; see `shards.sample`.

    Attributes:
        rows: int64 (n,), the numbers among all, ascending.
        weights: float64 (n,), how many points each stands for, 1 or more.
        n_all: How many points there are.
        strata: What groups kept points of their own, in a few words each.
    """

    rows: NDArray[np.int64]
    weights: NDArray[np.float64]
    n_all: int
    strata: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", freeze(self.rows))
        object.__setattr__(self, "weights", freeze(self.weights))


@dataclass(frozen=True, eq=False)
class Density:
    """How many of all placed points lie in each cell of a grid over a projection.

    Attributes:
        of: The key of the projection.
        low, high: float64 (2,), the corners of the grid.
        counts: uint32 (height, width), row 0 at low y.
        n_points: How many points were counted, those beyond the grid too.
    """

    of: str
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    counts: NDArray[np.uint32]
    n_points: int

    def __post_init__(self) -> None:
        for name in ("low", "high", "counts"):
            object.__setattr__(self, name, freeze(getattr(self, name)))

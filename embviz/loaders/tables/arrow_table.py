"""Parquet and Arrow files as one table, read in batches of a few columns."""

from __future__ import annotations

import mmap
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError
from embviz.inputs import check_file, open_file
from embviz.loaders.extras import first_line

_BATCH_BYTES = 4 << 20
_MOST_BATCH = 16384
_BUFFER_BYTES = 1 << 20
# What is mapped around a row when it is read, and how much stays mapped.
_NEAR_BYTES = 128 << 10
_MOST_TOUCHED = 32 << 20
# A row of a table takes some bytes of its file; of columns that hold one value throughout, few.
MOST_A_BYTE = 64


@dataclass(frozen=True, eq=False)
class Part:
    """One file of a table.

    Attributes:
        path: The file.
        schema: Its columns, as pyarrow has them.
        lengths: The rows of its chunks: row groups of Parquet, record batches of Arrow.
        open: Yields batches of some columns from a chunk on, each of `rows` rows at most where the
            format can choose.
        seekable: Whether a chunk is had without those before it.
        release: Lets go of the pages of a map that were read.
    """

    path: Path
    schema: Any
    lengths: tuple[int, ...]
    open: Callable[[Sequence[str], int, int], Iterator[Any]]
    seekable: bool = True
    release: Callable[[], None] = lambda: None


@dataclass(frozen=True, eq=False)
class ArrowTable:
    """Files with the same columns, one behind the other."""

    path: Path
    parts: tuple[Part, ...]

    @property
    def schema(self) -> Any:
        return self.parts[0].schema

    @cached_property
    def n_rows(self) -> int:
        return sum(sum(part.lengths) for part in self.parts)

    @cached_property
    def chunks(self) -> list[tuple[int, int]]:
        """Of each chunk its part and its number there."""
        return [(p, c) for p, part in enumerate(self.parts) for c in range(len(part.lengths))]

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The row at which each chunk begins."""
        lengths = [n for part in self.parts for n in part.lengths]
        return np.cumsum([0, *lengths], dtype=np.int64)[:-1]

    def chunk_of(self, row: int) -> int:
        return int(np.searchsorted(self.starts, row, "right")) - 1

    def batches(
        self, columns: Sequence[str], row: int = 0, row_bytes: int = 0
    ) -> Iterator[tuple[int, Any]]:
        """Yield (first row, record batch) of some columns, from the chunk of a row on.

        Raises:
            LoadError: If a file is damaged.
        """
        chunk = self.chunk_of(row)
        first, (part, local) = int(self.starts[chunk]), self.chunks[chunk]
        size = min(_MOST_BATCH, max(1, _BATCH_BYTES // max(1, row_bytes)))
        for number in range(part, len(self.parts)):
            file = self.parts[number]
            left = sum(file.lengths[local:])
            with reading_arrow(file.path):
                for batch in file.open(columns, local, size):
                    batch.validate(full=True)  # Offsets and texts are the file's own.
                    left -= batch.num_rows
                    if batch.num_rows:
                        yield first, batch
                    first += batch.num_rows
            if left:
                raise LoadError(file.path, f"damaged: {abs(left)} rows too {_few(left)}")
            local = 0

    def check_columns(self) -> None:
        """Refuse parts of different columns, two columns of one name, and rows beyond the bytes.

        Raises:
            LoadError: Which.
        """
        with reading_arrow(self.path):
            names = self.schema.names
        for name, n in Counter(names).items():
            if n > 1:
                raise LoadError(self.path, f"two columns are named '{name}'", "rename one")
        for part in self.parts:
            if not part.schema.equals(self.schema):
                raise LoadError(part.path, _difference(self.parts[0], part), "give each by itself")
            rows = sum(part.lengths)
            if rows > MOST_A_BYTE * part.path.stat().st_size:
                raise LoadError(part.path, f"damaged: {rows} rows, more than it can hold")


def _few(left: int) -> str:
    return "few" if left > 0 else "many"


def _difference(first: Part, other: Part) -> str:
    for field in first.schema:
        at = other.schema.get_field_index(field.name)
        if at < 0:
            return f"no column '{field.name}', which {first.path.name} has"
        kind = other.schema.field(at).type
        if kind != field.type:
            return f"column '{field.name}' is {kind}, in {first.path.name} {field.type}"
    return f"other columns than in {first.path.name}"


class Walk:
    """Some columns of a table, read forward; to go back is to begin anew at a chunk.

    One reader at a time: slices of several threads wait for each other.
    """

    def __init__(self, table: ArrowTable, columns: Sequence[str], row_bytes: int) -> None:
        self._table, self._columns, self._row_bytes = table, tuple(columns), row_bytes
        self._batches: Iterator[tuple[int, Any]] | None = None
        self._first = self._touched = 0
        self._batch: Any = None
        self._lock = threading.Lock()

    def slices(self, start: int, stop: int) -> Iterator[tuple[int, Any]]:
        """Yield (first row, record batch) that cover the rows from start to stop once, in order.

        Raises:
            LoadError: If a file is damaged.
        """
        with self._lock:
            while start < stop:
                batch = self._seek(start)
                begin = start - self._first
                size = min(stop - start, batch.num_rows - begin)
                yield start, batch.slice(begin, size)
                start += size
                self._touched += _NEAR_BYTES + size * self._row_bytes
                if self._touched > _MOST_TOUCHED:
                    self._table.parts[
                        self._table.chunks[self._table.chunk_of(start - 1)][0]
                    ].release()
                    self._touched = 0

    def _seek(self, row: int) -> Any:
        """Return the batch that holds a row."""
        if self._batch is None or row < self._first or self._is_far(row):
            self._batches = self._table.batches(self._columns, row, self._row_bytes)
            self._first, self._batch = next(self._batches)
        while row >= self._first + self._batch.num_rows:
            assert self._batches is not None
            self._first, self._batch = next(self._batches)
        return self._batch

    def _is_far(self, row: int) -> bool:
        """Tell whether a row lies in a later chunk that can be had by itself."""
        table = self._table
        here, there = table.chunk_of(self._first), table.chunk_of(row)
        (part, _), (other, _) = table.chunks[here], table.chunks[there]
        return there > here + 1 and (other != part or table.parts[other].seekable)


@contextmanager
def reading_arrow(path: Path) -> Iterator[None]:
    """Turn what pyarrow says of a damaged or unknown file into one line that names it."""
    import pyarrow

    try:
        yield
    except pyarrow.ArrowNotImplementedError as error:
        raise LoadError(path, f"not read by pyarrow: {first_line(error)}") from None
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise LoadError(path, f"damaged: {first_line(error)}", "write or fetch it again") from None


def open_parquet(path: Path) -> Part:
    """Read the footer of a Parquet file.

    Raises:
        LoadError: If it is damaged or of a kind that is not read.
    """
    from pyarrow import parquet

    with reading_arrow(path):
        check_file(path)
        file = parquet.ParquetFile(path, memory_map=False, buffer_size=_BUFFER_BYTES)
        # Of the footer nothing is asked but the rows: on damaged columns pyarrow ends the process.
        metadata, schema = file.metadata, file.schema_arrow
        file.close()
        lengths = tuple(metadata.row_group(g).num_rows for g in range(metadata.num_row_groups))
        if min(lengths, default=0) < 0:
            raise LoadError(path, "damaged: a negative number of rows", "write or fetch it again")
        if not lengths:
            lengths = (0,)

    def batches(columns: Sequence[str], first: int, rows: int) -> Iterator[Any]:
        if not metadata.num_row_groups:
            return
        check_file(path)  # What lies there now must be what the footer is of.
        file = parquet.ParquetFile(
            path, metadata=metadata, memory_map=False, buffer_size=_BUFFER_BYTES, pre_buffer=False
        )
        with file:
            yield from file.iter_batches(
                rows, row_groups=list(range(first, len(lengths))), columns=list(columns),
                use_threads=False,
            )  # fmt: skip

    return Part(path, schema, lengths, batches)


def open_arrow(path: Path, is_stream: bool) -> Part:
    """Read the headers of an Arrow file or stream, which is mapped into memory.

    Raises:
        LoadError: If it is damaged or of a kind that is not read.
    """
    import pyarrow

    maps: WeakSet[mmap.mmap] = WeakSet()

    def release() -> None:
        for mapped in list(maps) if hasattr(mmap, "MADV_DONTNEED") else ():
            mapped.madvise(mmap.MADV_DONTNEED)

    with reading_arrow(path):
        raw = _map(path, maps)
        reader = (pyarrow.ipc.open_stream if is_stream else pyarrow.ipc.open_file)(raw)
        schema = reader.schema
        # Of packed batches a column is unpacked to know their rows: the narrowest.
        order = sorted(range(len(schema)), key=lambda i: _width(schema.types[i]))
        lengths = []
        for batch in _arrow_batches(_map(path, maps), order[:1], 0, is_stream):
            lengths.append(batch.num_rows)
            release()  # Arrow has all of a batch fetched, whatever is wanted of it.

    def read(columns: Sequence[str], first: int, rows: int) -> Iterator[Any]:
        fields = [schema.get_field_index(name) for name in columns]
        yield from _arrow_batches(_map(path, maps), fields, first, is_stream)

    return Part(path, schema, tuple(lengths) or (0,), read, not is_stream, release)


def _arrow_batches(raw: Any, fields: list[int], first: int, is_stream: bool) -> Iterator[Any]:
    from pyarrow import ipc

    options = ipc.IpcReadOptions(included_fields=fields, use_threads=False)
    if is_stream:
        for number, batch in enumerate(ipc.open_stream(raw, options=options)):
            if number >= first:
                yield batch
        return
    reader = ipc.open_file(raw, options=options)
    for number in range(first, reader.num_record_batches):
        yield reader.get_batch(number)


def _map(path: Path, maps: WeakSet[mmap.mmap]) -> Any:
    """Map a file, which `maps` knows as long as it is in use."""
    import pyarrow

    with open_file(path) as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    maps.add(mapped)
    return pyarrow.py_buffer(mapped)


def _width(kind: Any) -> int:
    """Return the bits of a value, more than any for what has no fixed number of them."""
    try:
        return int(kind.bit_width)
    except (ValueError, AttributeError):
        return 1 << 62

"""Reading stretches of rows from a file while others are computed with.

Reading into memory that stays in the cache takes less than half the time of mapping pages that
are looked at once.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError
from embviz.neighbors.index.files import IndexFiles, crc32c

Stretch = tuple[int, int, int]
"""The first row, the row behind the last, and the CRC-32C of the bytes of the rows between."""

Batch = list[Stretch]
N_BUFFERS = 3


def read_stretches(
    files: IndexFiles, stretches: Batch, most: int
) -> Iterator[tuple[Batch, NDArray[Any]]]:
    """Yield batches of stretches with their rows, (n, n_dims), which hold until the next is asked.

    Args:
        files: Those of an index, whose vectors are read.
        stretches: None longer than `most`.
        most: Rows a batch.

    Raises:
        LoadError: If the file cannot be read, or a checksum is wrong.
    """
    batches = _group(stretches, most)
    if not batches:
        return
    free: queue.Queue[NDArray[np.uint8] | None] = queue.Queue()
    full: queue.Queue[NDArray[np.uint8] | OSError] = queue.Queue()
    part = files.parts["vectors"]
    file, row_bytes = files.file("vectors"), part.row_bytes
    for _ in range(N_BUFFERS):
        free.put(np.empty(most * row_bytes, np.uint8))
    arguments = (files, row_bytes, batches, free, full)
    threading.Thread(target=_fill, args=arguments, daemon=True).start()
    try:
        for batch in batches:
            buffer = full.get()
            if isinstance(buffer, OSError):
                raise LoadError(file, f"cannot be read ({buffer.strerror or buffer})")
            n_rows = sum(stop - start for start, stop, _ in batch)
            used = buffer[: n_rows * row_bytes]
            _check(file, used, batch, row_bytes)
            yield batch, used.view(part.dtype).reshape(n_rows, *part.shape[1:])
            free.put(buffer)
    finally:
        free.put(None)


def _group(stretches: Batch, most: int) -> list[Batch]:
    batches: list[Batch] = []
    n_rows = most
    for stretch in stretches:
        length = stretch[1] - stretch[0]
        if n_rows + length > most:
            batches.append([])
            n_rows = 0
        batches[-1].append(stretch)
        n_rows += length
    return batches


def _fill(
    files: IndexFiles,
    row_bytes: int,
    batches: list[Batch],
    free: queue.Queue[NDArray[np.uint8] | None],
    full: queue.Queue[NDArray[np.uint8] | OSError],
) -> None:
    """Read one batch after the other into the buffers that are free."""
    try:
        for batch in batches:
            buffer = free.get()
            if buffer is None:
                return
            at = 0
            for start, stop, _ in batch:
                first, end = at - start * row_bytes, at + (stop - start) * row_bytes
                while at < end:
                    n_read = files.read_into(buffer[at:end], at - first)
                    if not n_read:
                        raise OSError("it is cut off")
                    at += n_read
            full.put(buffer)
    except OSError as error:
        full.put(error)


def _check(file: Path, rows: NDArray[np.uint8], batch: Batch, row_bytes: int) -> None:
    at = 0
    for start, stop, known in batch:
        end = at + (stop - start) * row_bytes
        if crc32c(rows[at:end]) != known:
            raise LoadError(
                file,
                f"damaged: the checksum of rows {start:,} .. {stop - 1:,} is wrong",
                "copy the folder again, or build it again with embviz index",
            )
        at = end

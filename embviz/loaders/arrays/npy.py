"""NumPy arrays in .npy files, mapped into memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, NoRowsError
from embviz.inputs import map_file
from embviz.loaders.arrays.npy_header import MAGIC, NpyHeader, loading, read_header
from embviz.loaders.bytes.packed import find_packing, open_unpacked
from embviz.loaders.bytes.zip_members import most_unpacked, read_into
from embviz.loaders.opened import Claim, Source, Start, Tensor
from embviz.loaders.reading import Reading
from embviz.rows import drop_unit_axes, tell_unit_axes, why_not_numbers


class NpyFormat:
    """Reads .npy files, mapped into memory in their own dtype (bool as uint8) and order."""

    name = "npy"

    def claim(self, start: Start) -> Claim | None:
        """Claim what begins as a .npy file, packed or not, or is named so."""
        if start.head.startswith(MAGIC):
            return Claim.MAGIC
        if find_packing(start.head) not in ("", "zip") and start.unpacked.startswith(MAGIC):
            return Claim.MAGIC
        return Claim.NAME if start.kind == "file" and start.path.suffix.lower() == ".npy" else None

    def open(self, path: Path, reading: Reading) -> Source:
        """Read the header of a .npy file.

        Raises:
            LoadError: If it is not a whole table of real numbers.
        """
        return Source(path, (npy_tensor(path, path.stem, (path.name,)),))


NPY = NpyFormat()


def npy_tensor(path: Path, name: str, aliases: tuple[str, ...] = ()) -> Tensor:
    """Return the array of a .npy file as a tensor, its header and size checked.

    Raises:
        LoadError: If it is not a whole table of real numbers.
    """
    what = str(path)
    with open_unpacked(path) as (packing, file):
        stored = read_header(file, what)
    header = replace(stored, shape=drop_unit_axes(stored.shape))
    check_table(header, what)
    if packing:
        check_packed_size(header, path.stat().st_size, what)
    else:
        check_size(header, path.stat().st_size, what)
    return Tensor(
        name,
        header.shape,
        str(header.dtype),
        rows=lambda: read_packed(path, header) if packing else map_array(path, header, 0),
        aliases=aliases,
        note=tell_unit_axes(stored.shape)
        or (f"array in {packing}, read into memory" if packing else "array"),
        told=tell_unit_axes(stored.shape),
    )


def check_table(header: NpyHeader, what: str) -> None:
    """Refuse an array that is no table of real numbers.

    Raises:
        LoadError: With its dtype or shape.
    """
    reason = why_not_numbers(header.dtype)
    if reason and header.dtype.kind == "O":
        raise LoadError(what, reason[0], _object_way_out(header.shape, what))
    if reason:
        raise LoadError(what, *reason)
    if len(header.shape) == 1:
        raise LoadError(
            what,
            f"1-D, shape ({header.shape[0]}): one number a row is no vector",
            "values for each point go to --metadata",
        )
    if len(header.shape) != 2:
        shape = ", ".join(map(str, header.shape))
        raise LoadError(
            what,
            f"{len(header.shape)}-D, shape ({shape}), where rows of columns (2-D) are needed",
            f"numpy.save('x.npy', {loading(what)}.reshape({header.shape[0]}, -1))"
            if header.shape
            else "save an array of rows",
        )
    if 0 in header.shape:
        raise (LoadError if header.shape[0] else NoRowsError)(
            what, f"{header.shape[0]} rows of {header.shape[1]} columns: nothing to show"
        )


def _object_way_out(shape: tuple[int, ...], what: str) -> str:
    """Return how an array of Python objects becomes a table, by what its shape says it holds."""
    loaded = loading(what, trusted=True)
    if not shape:
        return (
            f"where you trust it and it is a dict of vectors: d = {loaded}.item(); "
            "numpy.savez('x.npz', word=list(d), emb=numpy.array(list(d.values()), 'float32'))"
        )
    stacked = f"numpy.stack({loaded})" if len(shape) == 1 else loaded
    equal = " and its rows are equally long" if len(shape) == 1 else ""
    return f"where you trust it{equal}: numpy.save('x.npy', {stacked}.astype('float32'))"


def check_size(header: NpyHeader, size: int, what: str) -> None:
    """Refuse an array of which bytes are missing.

    Args:
        header: The array's header.
        size: How many bytes there are, header included.
        what: The file, as it is named to the user.

    Raises:
        LoadError: With the bytes there and needed.
    """
    there = max(0, size - header.offset)
    if there < header.n_bytes:
        shape = " x ".join(map(str, header.shape))
        raise LoadError(
            what,
            f"cut off: {shape} of {header.dtype} takes {header.n_bytes} bytes, {there} are there",
            "write or fetch it again",
        )


def check_packed_size(header: NpyHeader, size: int, what: str) -> None:
    """Refuse an array that a packed file of some bytes cannot hold.

    Raises:
        LoadError: With the bytes needed.
    """
    if header.n_bytes > most_unpacked(size):
        raise LoadError(
            what,
            f"packed, {size} bytes for an array of {header.n_bytes}, more than 200 times as much",
            "if it is what it should be, unpack it first",
        )


def read_packed(path: Path, header: NpyHeader) -> NDArray[Any]:
    """Read the array of a packed file, whose size was checked, into memory.

    Raises:
        LoadError: If it is damaged or cut off.
    """
    try:
        raw = np.empty(header.n_bytes, np.uint8)
    except MemoryError:
        raise LoadError(path, f"no memory for its {header.n_bytes} bytes", "unpack it") from None
    with open_unpacked(path) as (_, file):
        read_header(file, str(path))
        at = read_into(file, raw)
    check_size(header, header.offset + at, str(path))
    array = raw.view(header.dtype).reshape(header.shape, order="F" if header.fortran_order else "C")
    return array.view(np.uint8) if header.dtype.kind == "b" else array


def map_array(path: Path, header: NpyHeader, start: int) -> NDArray[Any]:
    """Map an array that begins, with its header, at byte `start` of a file."""
    order: Literal["C", "F"] = "F" if header.fortran_order else "C"
    array = map_file(path, header.dtype, start + header.offset, header.shape, order)
    return array.view(np.uint8) if header.dtype.kind == "b" else array

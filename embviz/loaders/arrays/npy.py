"""NumPy arrays in .npy files, mapped into memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, ParameterError
from embviz.loaders.arrays.npy_header import MAGIC, NpyHeader, read_header
from embviz.model import EmbeddingTable, TensorInfo
from embviz.rows import why_not_numbers


def accepts(path: Path) -> bool:
    """Tell whether a file is a .npy file, by its first bytes or its name."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC or path.suffix.lower() == ".npy"


def list_tensors(path: Path) -> list[TensorInfo]:
    """Return the one array of a .npy file.

    Raises:
        LoadError: If it is not a whole table of real numbers.
    """
    header = _read(path)
    return [TensorInfo(path.stem, header.shape, str(header.dtype), "array", taken=True)]


def load(path: Path, tensor: str | None = None) -> EmbeddingTable:
    """Map the array of a .npy file.

    Returns:
        The table, a read-only memory map of the file's own dtype (bool as uint8) and order.

    Raises:
        LoadError: If it is not a whole table of real numbers.
        ParameterError: If a tensor is asked for that is not the file's name.
    """
    if tensor not in (None, path.name, path.stem):
        raise ParameterError(
            f"tensor '{tensor}'", f"{path} holds one array without a name", "leave --tensor out"
        )
    header = _read(path)
    return EmbeddingTable(map_array(path, header, 0), name=path.stem, source=str(path))


def check_table(header: NpyHeader, what: str) -> None:
    """Refuse an array that is no table of real numbers.

    Raises:
        LoadError: With its dtype or shape.
    """
    reason = why_not_numbers(header.dtype)
    if reason:
        raise LoadError(what, *reason)
    if len(header.shape) != 2:
        shape = ", ".join(map(str, header.shape))
        raise LoadError(
            what,
            f"{len(header.shape)}-D, shape ({shape}), where rows of columns (2-D) are needed",
            "reshape it to (points, dimensions)",
        )
    if 0 in header.shape:
        raise LoadError(
            what, f"{header.shape[0]} rows of {header.shape[1]} columns: nothing to show"
        )


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


def map_array(path: Path, header: NpyHeader, start: int) -> NDArray[Any]:
    """Map an array that begins, with its header, at byte `start` of a file."""
    array = np.memmap(
        path,
        header.dtype,
        "r",
        start + header.offset,
        header.shape,
        "F" if header.fortran_order else "C",
    )
    return array.view(np.uint8) if header.dtype.kind == "b" else array


def _read(path: Path) -> NpyHeader:
    what = str(path)
    with path.open("rb") as file:
        header = read_header(file, what)
    check_table(header, what)
    check_size(header, path.stat().st_size, what)
    return header

"""Arrays of one value a row as columns of texts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError
from embviz.loaders.arrays.npy import check_packed_size, check_size, map_array, read_packed
from embviz.loaders.arrays.npy_header import NpyHeader, loading, read_header
from embviz.loaders.bytes.packed import open_unpacked
from embviz.loaders.opened import ONE_COLUMN_NAME

_MOST_CODE_POINT = 0x10FFFF
_OF_LABELS = re.compile(
    r"(^|_)(labels?|names?|y|targets?|class(es)?|clusters?|categor(y|ies)|groups?|ids?|idx|index"
    r"|indices|rows?|split|year|date|time)(_|$)",
    re.IGNORECASE,
)
_OF_A_LAYER = re.compile(
    r"[./]|bias|beta|gamma|mean|var|std|scale|norm|moment|thresh|weight|kernel|(^|_)b(_|\d|$)",
    re.IGNORECASE,
)


def array_texts(array: NDArray[Any], what: str) -> tuple[str, ...]:
    """Return the values of an array of one dimension as texts.

    Args:
        array: Texts, numbers or bool, (n_rows,).
        what: What it is called in an error.

    Raises:
        LoadError: If it holds text that is not Unicode.
    """
    if array.dtype.itemsize == 0:
        return ("",) * len(array)
    try:
        if array.dtype.kind == "S":
            return tuple(value.decode("utf-8") for value in array.tolist())
    except UnicodeDecodeError:
        raise LoadError(what, "text that is not UTF-8", "save it again") from None
    if array.dtype.kind == "U" and len(array):
        codes = np.dtype(np.uint32).newbyteorder(array.dtype.byteorder)
        plain = np.ascontiguousarray(array)
        if int(plain.view(codes).max()) > _MOST_CODE_POINT:
            raise LoadError(what, "damaged: text that is not Unicode", "save it again")
    return tuple(map(str, array.tolist()))


def is_text_or_number(dtype: np.dtype[Any]) -> bool:
    """Tell whether values of a type can stand in a column."""
    return dtype.kind in "USiubfM"


def is_label(name: str, dtype: np.dtype[Any], several: bool) -> bool:
    """Tell whether an array of one value a row, beside tables, says what the rows are.

    Texts do. Numbers do where their name says so, or where there is one table alone and the name is
    not one of a layer's.

    Args:
        name: Its name.
        dtype: Its type.
        several: Whether there are several tables.
    """
    if dtype.kind in "US":
        return True
    if _OF_A_LAYER.search(name):
        return False
    return not several or _OF_LABELS.search(name) is not None


def object_way_out(name: str, member: str = "") -> str:
    """Return how an array of Python objects becomes one of texts."""
    loaded = loading(f"{name}: '{member}'" if member else name, trusted=True)
    return f"where you trust it: numpy.save('texts.npy', {loaded}.astype(str))"


def read_npy_columns(path: Path) -> dict[str, tuple[str, ...]]:
    """Read a .npy file of one value, or one record, a row.

    Returns:
        One column `label`; or a column a field of records; or one for each column of texts.

    Raises:
        LoadError: If it is damaged, or of Python objects, or is vectors.
    """
    what = str(path)
    with open_unpacked(path) as (packing, file):
        header = read_header(file, what)
    _refuse(header, path)
    if packing:
        check_packed_size(header, path.stat().st_size, what)
    else:
        check_size(header, path.stat().st_size, what)
    if header.dtype.itemsize == 0 or 0 in header.shape:
        return {ONE_COLUMN_NAME: ("",) * (header.shape[0] if header.shape else 0)}
    array = read_packed(path, header) if packing else map_array(path, header, 0)
    if header.dtype.kind == "b":
        array = array.view(np.bool_)
    return columns_of(array, what)


def columns_of(array: NDArray[Any], what: str) -> dict[str, tuple[str, ...]]:
    """Return an array of one value, one record or some texts a row as columns."""
    if array.dtype.names:
        return {name: array_texts(array[name], what) for name in array.dtype.names}
    if array.ndim == 1:
        return {ONE_COLUMN_NAME: array_texts(array, what)}
    columns = array.reshape(array.shape[0], -1)
    if columns.shape[1] == 1:
        return {ONE_COLUMN_NAME: array_texts(columns[:, 0], what)}
    return {
        f"column {c + 1}" if c else ONE_COLUMN_NAME: array_texts(columns[:, c], what)
        for c in range(columns.shape[1])
    }


def _refuse(header: NpyHeader, path: Path) -> None:
    """Refuse an array that is no column of labels.

    Raises:
        LoadError: With its type or shape.
    """
    dtype, shape = header.dtype, header.shape
    if dtype.kind == "O":
        raise LoadError(path, "Python objects, which are never read", object_way_out(path.name))
    fields = [dtype[name] for name in dtype.names] if dtype.names else [dtype]
    if not all(is_text_or_number(field) and not field.subdtype for field in fields):
        raise LoadError(path, f"dtype {dtype}, which is no label", "save texts: labels.astype(str)")
    width = 1
    for side in shape[1:]:
        width *= side
    if not shape or (width > 1 and (dtype.names or dtype.kind not in "US")):
        sides = " x ".join(map(str, shape)) or "one value"
        raise LoadError(
            path,
            f"{sides} of {dtype}, where one label a row is needed",
            "vectors are given as SOURCE" if shape else "save a value for each point",
        )

"""Rows of numbers: arrays, memory maps, and whatever else gives rows by slices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, NoRowsError

BLOCK_BYTES = 16 << 20
# Rows that lie so near to each other are read together with what is between them.
_NEAR_BYTES = 64 << 10
# What a system may map of a file for one byte that is read.
_MAPPED_AT_ONCE = 1 << 20


class Rows(Protocol):
    """Rows that are read when they are sliced: an array, a memory map, a data set of HDF5.

    `shape` is (n_rows, n_dims) and `dtype` a type of NumPy's; `rows[a:b]` is what `np.asarray`
    makes an array of b - a rows of. Nothing else is asked of it. Rows that are made of a memory
    map's bytes may have it as `mapped`, so that its pages are read and let go as a map's are.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    def __getitem__(self, rows: slice, /) -> Any: ...


class _Bytes:
    """Rows of bool as uint8 0 and 1."""

    dtype: np.dtype[Any] = np.dtype(np.uint8)

    def __init__(self, rows: Rows) -> None:
        self._rows, self.shape = rows, rows.shape

    def __getitem__(self, rows: slice, /) -> NDArray[np.uint8]:
        return np.asarray(self._rows[rows], np.bool_).view(np.uint8)


class KeptRows:
    """Some rows of others, which stay where they are."""

    def __init__(self, rows: Rows, kept: NDArray[np.int64]) -> None:
        """Arguments as for `keep_rows`."""
        self.rows, self.kept = rows, kept
        self.shape = (len(kept), *rows.shape[1:])
        self.dtype = rows.dtype

    def __getitem__(self, rows: slice, /) -> NDArray[Any]:
        return read_rows(self, rows)

    def in_others(self, chosen: slice | NDArray[np.integer[Any]]) -> slice | NDArray[np.int64]:
        """Return where some of these rows lie in the others: a slice where they lie in a run."""
        found = self.kept[chosen]
        if not len(found) or not isinstance(chosen, slice):
            return found
        in_a_run = found[-1] - found[0] == len(found) - 1 and (np.diff(found) == 1).all()
        return slice(int(found[0]), int(found[-1]) + 1) if in_a_run else found


def keep_rows(rows: Rows, kept: NDArray[np.int64]) -> Rows:
    """Return some rows without a copy: a view of an array where they lie in a run.

    Args:
        rows: All of them.
        kept: int64 (n,), the numbers of those that are kept, in any order, at least one.
    """
    found = KeptRows(rows, kept)
    run = found.in_others(slice(None))
    return rows[run] if isinstance(run, slice) and isinstance(rows, np.ndarray) else found


class JoinedRows:
    """Rows of several, one behind the other, which stay where they are."""

    def __init__(self, parts: Sequence[Rows], dtype: np.dtype[Any] | None = None) -> None:
        """Take rows of one width, at least one of them.

        Args:
            parts: The rows.
            dtype: What the rows become; None is the dtype of the first.
        """
        self.parts = tuple(parts)
        self.ends = np.cumsum([part.shape[0] for part in parts], dtype=np.int64)
        self.shape = (int(self.ends[-1]), *parts[0].shape[1:])
        self.dtype = parts[0].dtype if dtype is None else dtype

    def __getitem__(self, rows: slice, /) -> NDArray[Any]:
        start, stop, _ = rows.indices(self.shape[0])
        first = int(np.searchsorted(self.ends, start, side="right"))
        found = []
        while start < stop:
            end = int(self.ends[first])
            before = end - self.parts[first].shape[0]
            found.append(np.asarray(self.parts[first][start - before : min(stop, end) - before]))
            start, first = end, first + 1
        if len(found) == 1:
            return found[0]
        return np.concatenate(found) if found else np.empty((0, *self.shape[1:]), self.dtype)


def as_rows(vectors: Any, what: str) -> Rows:
    """Return vectors as rows of real numbers, without a copy where they are an array or `Rows`.

    Args:
        vectors: An array, `Rows`, or what `np.asarray` takes, such as a list of lists. bool becomes
            uint8 0 and 1; every other type stays.
        what: What they are called in an error.

    Raises:
        LoadError: If they are no table of real numbers, or some are masked.
    """
    if np.ma.is_masked(vectors):
        raise LoadError(what, "some values are masked", "fill them in: vectors.filled(0)")
    if hasattr(vectors, "tocsr"):
        raise LoadError(what, "a sparse matrix, all columns are needed", "give vectors.toarray()")
    if not _is_rows(vectors) or (
        isinstance(vectors, np.ndarray) and not isinstance(vectors, np.memmap)
    ):
        try:
            vectors = np.asarray(vectors)
        except (ValueError, TypeError) as error:
            raise LoadError(what, f"no table of numbers ({error})") from None
    reason = why_not_numbers(vectors.dtype)
    if reason:
        raise LoadError(what, *reason)
    shape = vectors.shape
    if len(shape) != 2:
        raise LoadError(what, f"{len(shape)}-D where a table of rows is needed")
    if 0 in shape:
        raise (LoadError if shape[0] else NoRowsError)(
            what, f"{shape[0]} rows of {shape[1]} columns: nothing to show"
        )
    if vectors.dtype.kind == "b":
        vectors = vectors.view(np.uint8) if isinstance(vectors, np.ndarray) else _Bytes(vectors)
    return freeze(vectors) if isinstance(vectors, np.ndarray) else cast(Rows, vectors)


def _is_rows(vectors: Any) -> bool:
    return (
        isinstance(getattr(vectors, "dtype", None), np.dtype)
        and isinstance(getattr(vectors, "shape", None), tuple)
        and hasattr(type(vectors), "__getitem__")
    )


def why_not_numbers(dtype: np.dtype[Any]) -> tuple[str, str] | None:
    """Return why values of a dtype are no real numbers and a way out, or None."""
    kind, name = dtype.kind, str(dtype)
    if kind in "iub" or (kind == "f" and dtype.itemsize <= 8):
        return None
    if dtype.names or dtype.subdtype:
        return "a structured array (records), not numbers", "save one field of numbers"
    # The types of ml_dtypes, such as bfloat16, are of kind V and of a type of their own.
    if kind == "V" and dtype.type is not np.void and np.can_cast(dtype, np.float64, "same_kind"):
        return None
    if dtype.str[1:] == "V2":
        return (
            "void dtype V2: bfloat16 saved by NumPy loses its name",
            "save it as float32: x.astype('float32')",
        )
    reasons = {
        "O": ("Python objects (dtype object), not numbers of one type", "make it float32"),
        "V": (f"void dtype {dtype.str[1:]}: raw bytes without a meaning", "save it as float32"),
        "U": (f"text (dtype {dtype.str})", "save the numbers; labels go to --metadata"),
        "S": (f"text (dtype {dtype.str})", "save the numbers; labels go to --metadata"),
        "c": (f"complex numbers ({name})", "save the real part, or real and imaginary columns"),
        "M": (f"times (dtype {name})", "save numbers"),
        "m": (f"time spans (dtype {name})", "save numbers"),
        "f": (f"{name}, which depends on the machine", "save it as float64"),
    }
    return reasons.get(kind, (f"dtype {name}", "save it as float32"))


def rank_numbers(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of each row among all in the order of their numbers, int64 (n_rows,).

    The rows of an index lie in the order of its cells; labels, images and coordinates that a user
    gives lie in that of the numbers.
    """
    return np.argsort(np.argsort(numbers))


def drop_unit_axes(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape of rows and columns without its axes of length 1; another stays as it is."""
    longer = tuple(side for side in shape if side != 1)
    return longer if len(shape) > 2 and len(longer) == 2 and 0 not in longer else shape


def tell_unit_axes(shape: tuple[int, ...]) -> str:
    """Say what `drop_unit_axes` did to a shape, "" for nothing."""
    if drop_unit_axes(shape) == shape:
        return ""
    return f"{' x '.join(map(str, shape))}, its axes of length 1 are dropped"


def freeze(array: NDArray[Any]) -> NDArray[Any]:
    """Return a read-only view of an array; the caller's own array stays as it is."""
    if not array.flags.writeable:
        return array
    view = array.view()
    view.flags.writeable = False
    return view


def read_rows(rows: Rows, chosen: slice | NDArray[np.integer[Any]]) -> NDArray[Any]:
    """Return some rows as an array of their own dtype; of an array, a view where NumPy gives one.

    Args:
        rows: Where they lie.
        chosen: A slice, or row numbers from 0 in any order.

    Raises:
        LoadError: If what is there gives others than were asked for.
    """
    if isinstance(rows, np.ndarray):
        return cast(NDArray[Any], rows[chosen])
    if isinstance(rows, KeptRows):
        return read_rows(rows.rows, rows.in_others(chosen))
    if isinstance(chosen, slice):
        start, stop, step = chosen.indices(rows.shape[0])
        if step == 1:
            return _read_slice(rows, start, max(start, stop))
        chosen = np.arange(start, stop, step)
    out = np.empty((len(chosen), rows.shape[1]), rows.dtype)
    row_bytes = max(1, out.itemsize * out.shape[1])
    near, most = max(1, _NEAR_BYTES // row_bytes), max(1, BLOCK_BYTES // row_bytes)
    order = np.argsort(chosen, kind="stable")
    ascending = chosen[order]
    ends = np.append(np.flatnonzero(np.diff(ascending) > near) + 1, len(ascending))
    first = 0
    for end in ends[ends > 0].tolist():
        while first < end:
            start = int(ascending[first])
            last = min(end, int(np.searchsorted(ascending, start + most)))
            block = _read_slice(rows, start, int(ascending[last - 1]) + 1)
            out[order[first:last]] = block[ascending[first:last] - start]
            first = last
    return out


def _read_slice(rows: Rows, start: int, stop: int) -> NDArray[Any]:
    found = np.asarray(rows[start:stop])
    wanted = (stop - start, rows.shape[1])
    if found.shape != wanted or not np.can_cast(found.dtype, rows.dtype, "same_kind"):
        raise LoadError(
            "vectors",
            f"rows {start} to {stop} came as {' x '.join(map(str, found.shape))} {found.dtype}, "
            f"{wanted[0]} x {wanted[1]} {rows.dtype} was announced",
        )
    return found.astype(rows.dtype, copy=False)


def take_rows(rows: Rows, chosen: NDArray[np.integer[Any]]) -> NDArray[Any]:
    """Copy some rows, without leaving a memory map's pages in memory."""
    out = np.empty((len(chosen), rows.shape[1]), rows.dtype)
    step = max(1, BLOCK_BYTES // max(_MAPPED_AT_ONCE, out.itemsize * out.shape[1]))
    _advise(rows, "MADV_RANDOM")  # reading ahead would read what is not wanted
    for start in range(0, len(chosen), step):
        out[start : start + step] = read_rows(rows, chosen[start : start + step])
        _advise(rows, "MADV_DONTNEED")
    _advise(rows, "MADV_NORMAL")
    return out


def release_pages(rows: Rows | NDArray[Any], part: slice | None = None) -> None:
    """Let go of the pages of a memory map that rows lie on, where the system listens.

    Args:
        rows: Which rows.
        part: Those of them that were read; None for all.
    """
    mapped = getattr(rows, "mapped", rows)
    if part is not None and isinstance(mapped, np.ndarray) and len(mapped) == rows.shape[0]:
        rows = mapped[part]
    _advise(rows, "MADV_DONTNEED")


def _advise(array: Rows | NDArray[Any], advice: str) -> None:
    """Tell the system how a memory map's pages under an array are used, where it listens."""
    import mmap

    while isinstance(array, KeptRows):
        array = array.rows
    if isinstance(array, JoinedRows):
        for part in array.parts:
            _advise(part, advice)
        return
    array = getattr(array, "mapped", array)
    base: Any = array
    mode = None
    while isinstance(base, np.ndarray):
        mode = getattr(base, "mode", mode)
        base = base.base
    if advice == "MADV_DONTNEED" and mode not in ("r", "r+"):
        return  # The pages of a private map hold what was written to them.
    if isinstance(base, memoryview):
        base = base.obj
    number = getattr(mmap, advice, None)
    if not isinstance(array, np.ndarray) or not array.size:
        return
    if not isinstance(base, mmap.mmap) or number is None:
        return
    first = np.frombuffer(base, np.uint8, 1).__array_interface__["data"][0]
    spans = [(n - 1) * step for n, step in zip(array.shape, array.strides, strict=True)]
    start = array.__array_interface__["data"][0] - first + sum(min(0, span) for span in spans)
    end = start + sum(abs(span) for span in spans) + array.itemsize
    start -= start % mmap.PAGESIZE
    base.madvise(number, start, end - start)

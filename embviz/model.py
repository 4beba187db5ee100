"""The values that travel between loading, computing and showing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embviz.errors import LoadError, ParameterError

Metric = Literal["cosine", "euclidean"]
BLOCK_BYTES = 16 << 20


@dataclass(frozen=True)
class TensorInfo:
    """One named array of a source, before it is read.

    `name` is what `--tensor` takes, `shape` and `dtype` are as stored (`dtype` as NumPy spells it,
    such as `float32` or `bfloat16`), `note` says in a few words why it is taken or passed over.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    note: str = ""
    taken: bool = False


@dataclass(frozen=True, eq=False)
class Sprite:
    """A sheet of thumbnails, one tile a point, row by row from the top left.

    `image` is the encoded sheet (PNG, JPEG, WebP or GIF bytes) and `mime` its media type; a tile is
    `tile_width` x `tile_height` pixels and a row of the sheet holds `columns` tiles. Where one
    sheet cannot hold all, `more` are the sheets that follow, of the same size and media type; every
    sheet but the last is full.
    """

    image: bytes
    mime: str
    tile_width: int
    tile_height: int
    columns: int
    more: tuple[bytes, ...] = ()

    @property
    def sheets(self) -> tuple[bytes, ...]:
        """All sheets, in the order of their tiles."""
        return (self.image, *self.more)


@dataclass(frozen=True, eq=False)
class Bookmark:
    """A saved view: `view` is one TensorBoard `State` object as plain JSON values."""

    label: str
    view: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Frames:
    """Recorded steps of an iterative projection.

    `coordinates` is float32 (n_frames, n_points, n_components); `iterations` and `losses` have one
    entry a frame.
    """

    iterations: tuple[int, ...]
    coordinates: NDArray[np.float32]
    losses: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Projection:
    """Points placed in few dimensions.

    Attributes:
        name: The method: `pca`, `tsne`, `umap`, `custom` or `none`.
        coordinates: float32 (n_points, n_components), finite.
        axes: A title a component, empty where the coordinates mean nothing by themselves.
        params: Every value in force, requested or chosen, as plain JSON values.
        stats: What was found: variance shares, KL divergence, seconds are never among them.
        frames: Recorded iterations, where there are any.
        directions: float32 (n_components, n_dims): a point's coordinate is its raw vector times the
            direction, minus an offset; for `pca` and `custom` only.
        per_point: What was measured of each point, float32 (n_points,), by a name to color by.
    """

    name: str
    coordinates: NDArray[np.float32]
    axes: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    stats: Mapping[str, Any] = field(default_factory=dict)
    frames: Frames | None = None
    directions: NDArray[np.float32] | None = None
    per_point: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "coordinates", freeze(self.coordinates))
        object.__setattr__(self, "per_point", MappingProxyType(dict(self.per_point)))
        object.__setattr__(self, "params", MappingProxyType(dict(self.params)))
        object.__setattr__(self, "stats", MappingProxyType(dict(self.stats)))


@dataclass(frozen=True, eq=False)
class Neighbors:
    """The nearest other points of some rows.

    `indices` int32 and `distances` float32, both (n_rows, k), nearest first, ties by row number;
    a point is never its own neighbor. `recall` is the estimated share of true neighbors found,
    1.0 where the search was exact.
    """

    indices: NDArray[np.int32]
    distances: NDArray[np.float32]
    metric: Metric
    recall: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "indices", freeze(self.indices))
        object.__setattr__(self, "distances", freeze(self.distances))


@dataclass(frozen=True, eq=False)
class EmbeddingTable:
    """Vectors with what is known of them.

    Attributes:
        vectors: (n_points, n_dims), an array or a memory map of any real dtype, never copied whole.
        metadata: Columns of text in file order, each with n_points entries; "" is missing.
        name: The tensor's name in its source.
        source: The name of the file or folder as it is shown; never an absolute path.
        sprite: The thumbnails, where there are any; tile i belongs to row i of the source.
        rows: int64 (n_points,), the row numbers in the source, where this is a part of it.
        bookmarks: Saved views that came with the source.
        verify: Checks the stored checksums of all vectors, reading them all; raises LoadError.
    """

    vectors: NDArray[Any]
    metadata: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    name: str = ""
    source: str = ""
    sprite: Sprite | None = None
    rows: NDArray[np.int64] | None = None
    bookmarks: tuple[Bookmark, ...] = ()
    verify: Callable[[], None] | None = None

    def __post_init__(self) -> None:
        what = self.source or "vectors"
        if self.vectors.ndim != 2:
            raise LoadError(what, f"{self.vectors.ndim}-D where a table of rows is needed")
        if 0 in self.vectors.shape:
            raise LoadError(what, f"{self.n_points} rows of {self.n_dims} columns: nothing to show")
        for column, values in self.metadata.items():
            if len(values) != self.n_points:
                raise LoadError(
                    what, f"column '{column}' has {len(values)} values for {self.n_points} points"
                )
        object.__setattr__(self, "vectors", freeze(self.vectors))
        object.__setattr__(self, "metadata", MappingProxyType(dict(self.metadata)))

    @property
    def n_points(self) -> int:
        return int(self.vectors.shape[0])

    @property
    def n_dims(self) -> int:
        return int(self.vectors.shape[1])

    def row_number(self, index: int) -> int:
        """Return the row number in the source of the point at an index of this table."""
        return int(index if self.rows is None else self.rows[index])

    def label_column(self) -> str | None:
        """Return the column that names the points: the first that is not all numbers."""
        for column, values in self.metadata.items():
            if not is_numeric(values):
                return column
        return next(iter(self.metadata), None)

    def label(self, index: int, column: str | None = None) -> str:
        """Return a point's name in a column, or its row number where there is none."""
        column = column or self.label_column()
        text = self.metadata[column][index] if column else ""
        return text or f"row {self.row_number(index)}"

    def blocks(
        self, dtype: type[np.floating[Any]] = np.float32, block_bytes: int = BLOCK_BYTES
    ) -> Iterator[tuple[int, NDArray[np.floating[Any]]]]:
        """Yield (first row, block) over all rows, each block a C-ordered array of `dtype`.

        Raises:
            LoadError: If a row holds NaN or infinity, with how many do and the first of them.
            ParameterError: If a finite value does not fit `dtype`.
        """
        step = max(1, block_bytes // (self.n_dims * max(4, self.vectors.dtype.itemsize)))
        for start in range(0, self.n_points, step):
            yield start, self.take_block(np.s_[start : start + step], dtype)
            release_pages(self.vectors)

    def take_block(
        self, rows: slice | NDArray[np.integer[Any]], dtype: type[np.floating[Any]] = np.float32
    ) -> NDArray[np.floating[Any]]:
        """Return some rows as a C-ordered array of `dtype`; raises as `blocks` does."""
        raw = self.vectors[rows]
        with np.errstate(over="ignore", invalid="ignore"):
            block = np.ascontiguousarray(raw, dtype=dtype)
            finite = np.isfinite(block.sum())
        if not finite and not np.isfinite(block).all():
            self.check_finite()
            raise ParameterError(
                self.source or "vectors",
                f"a value is beyond the range of {np.dtype(dtype).name}",
                "divide the vectors by a constant first",
            )
        return block

    def nonfinite_rows(self) -> NDArray[np.int64]:
        """Return the indices of the rows that hold NaN or infinity, in one pass."""
        if self.vectors.dtype.kind in "iub":
            return np.empty(0, np.int64)
        step = max(1, BLOCK_BYTES // (self.n_dims * 8))
        found = [
            start + np.flatnonzero(~np.isfinite(self.vectors[start : start + step]).all(axis=1))
            for start in range(0, self.n_points, step)
        ]
        return np.concatenate(found).astype(np.int64)

    def check_finite(self) -> None:
        """Refuse NaN and infinity.

        Raises:
            LoadError: With the number of such rows and the first.
        """
        bad = self.nonfinite_rows()
        if len(bad):
            raise LoadError(
                self.source or "vectors",
                f"{len(bad)} of {self.n_points} rows hold NaN or infinity, "
                f"the first is row {self.row_number(int(bad[0]))}",
                "--drop-nonfinite leaves them out",
            )

    def take(self, indices: ArrayLike) -> EmbeddingTable:
        """Return the table of some rows, in the order given; their vectors are copied.

        Args:
            indices: Indices into this table, shape (n,), in 0 .. n_points - 1.
        """
        chosen = np.asarray(indices, dtype=np.int64)
        numbers = chosen if self.rows is None else self.rows[chosen]
        return replace(
            self,
            vectors=take_rows(self.vectors, chosen),
            metadata={
                name: tuple(values[i] for i in chosen) for name, values in self.metadata.items()
            },
            rows=freeze(numbers),
            verify=None,
        )


def freeze(array: NDArray[Any]) -> NDArray[Any]:
    """Return a read-only view of an array; the caller's own array stays as it is."""
    if not array.flags.writeable:
        return array
    view = array.view()
    view.flags.writeable = False
    return view


def take_rows(vectors: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[Any]:
    """Copy some rows of an array or memory map, without leaving a map's pages in memory."""
    out = np.empty((len(rows), vectors.shape[1]), vectors.dtype)
    step = max(1, BLOCK_BYTES // max(1 << 16, out.itemsize * out.shape[1]))
    _advise(vectors, "MADV_RANDOM")  # reading ahead would read what is not wanted
    for start in range(0, len(rows), step):
        out[start : start + step] = vectors[rows[start : start + step]]
        _advise(vectors, "MADV_DONTNEED")
    _advise(vectors, "MADV_NORMAL")
    return out


def _advise(array: NDArray[Any], advice: str) -> None:
    """Tell the system how a memory map's pages under an array are used, where it listens."""
    import mmap

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
    if not isinstance(base, mmap.mmap) or number is None or not array.size:
        return
    first = np.frombuffer(base, np.uint8, 1).__array_interface__["data"][0]
    spans = [(n - 1) * step for n, step in zip(array.shape, array.strides, strict=True)]
    start = array.__array_interface__["data"][0] - first + sum(min(0, span) for span in spans)
    end = start + sum(abs(span) for span in spans) + array.itemsize
    start -= start % mmap.PAGESIZE
    base.madvise(number, start, end - start)


def release_pages(array: NDArray[Any]) -> None:
    """Let go of the pages of a memory map that an array lies on, where the system listens."""
    _advise(array, "MADV_DONTNEED")


def is_numeric(values: Iterable[str]) -> bool:
    """Tell whether every value that is not missing is a number, and one of them finite."""
    seen = False
    for value in values:
        if value == "":
            continue
        try:
            number = float(value)
        except ValueError:
            return False
        if "_" in value or not value.isascii():
            return False
        seen = seen or math.isfinite(number)
    return seen

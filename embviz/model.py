"""The values that travel between loading, computing and showing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embviz.errors import LoadError, ParameterError
from embviz.rows import BLOCK_BYTES as BLOCK_BYTES
from embviz.rows import Rows, as_rows, freeze, keep_rows, read_rows, release_pages, take_rows

Metric = Literal["cosine", "euclidean"]
Kind = Literal["linear", "map"]


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
    """Recorded steps of a projection: iterations of one run, or states of a model.

    Attributes:
        steps: A name a frame, as the page shows it.
        coordinates: float32 (n_frames, n_points, n_components).
        figures: What was measured at each step, one value a frame by name; None where it was not.
        unit: What a step is, one word: `iteration`.
    """

    steps: tuple[str, ...]
    coordinates: NDArray[np.float32]
    figures: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)
    unit: str = "step"

    def __post_init__(self) -> None:
        counts = {"coordinates": len(self.coordinates)}
        counts |= {name: len(values) for name, values in self.figures.items()}
        for what, count in counts.items():
            if count != len(self.steps) or not count:
                raise ParameterError(f"frames: {what}", f"{count} for {len(self.steps)} steps")
        object.__setattr__(self, "coordinates", freeze(self.coordinates))
        object.__setattr__(self, "figures", MappingProxyType(dict(self.figures)))


@dataclass(frozen=True, eq=False)
class Projection:
    """Points placed in few dimensions, with what its consumers must know of it.

    Attributes:
        name: The method: the name of its projector, such as `pca`.
        coordinates: float32 (n_points, n_components), finite.
        axes: A title a component, empty where the coordinates mean nothing by themselves.
        params: Every value in force, requested or chosen, as plain JSON values.
        stats: What was found: variance shares, KL divergence, seconds are never among them.
        frames: Recorded steps, where there are any.
        directions: float32 (n_components, n_dims), which raw vectors are multiplied by.
        per_point: What was measured of each point, float32 (n_points,), by a name to color by.
        title: How a reader sees it named; empty is the name.
        kind: `linear` may lose its last components, a `map` not; empty: `linear` where it has axes.
        nearest: The ten nearest neighbors of each point, where they were found on the way.
        key: Its name in a report, shared by those of one tab, which differ in their components;
            empty is the name. `pictures.tabs` makes keys differ.
    """

    name: str
    coordinates: NDArray[np.float32]
    axes: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    stats: Mapping[str, Any] = field(default_factory=dict)
    frames: Frames | None = None
    directions: NDArray[np.float32] | None = None
    per_point: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    title: str = ""
    kind: Kind | Literal[""] = ""
    key: str = ""
    nearest: Neighbors | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "coordinates", freeze(self.coordinates))
        object.__setattr__(self, "per_point", MappingProxyType(dict(self.per_point)))
        object.__setattr__(self, "params", MappingProxyType(dict(self.params)))
        object.__setattr__(self, "stats", MappingProxyType(dict(self.stats)))
        object.__setattr__(self, "title", self.title or self.name)
        object.__setattr__(self, "key", self.key or self.name)
        if not self.kind:
            linear = bool(self.axes) or self.directions is not None
            object.__setattr__(self, "kind", "linear" if linear else "map")
        if self.coordinates.ndim != 2:
            raise ParameterError(self.title, f"{self.coordinates.ndim}-D coordinates, 2-D wanted")
        if self.frames is not None and self.frames.coordinates.shape[1:] != self.coordinates.shape:
            raise ParameterError(
                f"{self.title}: frames",
                f"of shape {self.frames.coordinates.shape[1:]}, the coordinates have "
                f"{self.coordinates.shape}",
            )

    def check_points(self, n_points: int) -> None:
        """Refuse to be shown with another number of points.

        Raises:
            ParameterError: With both numbers.
        """
        if len(self.coordinates) != n_points:
            raise ParameterError(
                f"projection {self.key}",
                f"{len(self.coordinates)} placed points for {n_points} in the table",
            )


@dataclass(frozen=True, eq=False)
class Neighbors:
    """The nearest other points of some rows.

    `indices` int32 and `distances` float32, both (n_rows, k), nearest first, ties by row number;
    distances are float64 where the vectors are so large or small that float32 cannot hold them. A
    point is never its own neighbor. `recall` is the estimated share of true neighbors found,
    1.0 where the search was exact. `unrounded` are the distances times a power of two, float64,
    where those are so near zero that float64 rounds them; elsewhere None.
    """

    indices: NDArray[np.int32]
    distances: NDArray[np.floating[Any]]
    metric: Metric
    recall: float = 1.0
    unrounded: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "indices", freeze(self.indices))
        object.__setattr__(self, "distances", freeze(self.distances))
        if self.unrounded is not None:
            object.__setattr__(self, "unrounded", freeze(self.unrounded))

    @property
    def proportions(self) -> NDArray[np.floating[Any]]:
        """The distances with all their digits, in whatever unit, for those who need none."""
        return self.distances if self.unrounded is None else self.unrounded

    def first(self, k: int) -> Neighbors:
        """Return the first k of each row."""
        unrounded = None if self.unrounded is None else self.unrounded[:, :k]
        return replace(
            self, indices=self.indices[:, :k], distances=self.distances[:, :k], unrounded=unrounded
        )


@dataclass(frozen=True, eq=False)
class EmbeddingTable:
    """Vectors with what is known of them.

    Attributes:
        vectors: (n_points, n_dims) of any real dtype: an array, a memory map, or any `Rows`, which
            are read when they are sliced; never copied whole. Lists become an array, bool uint8.
        metadata: Columns of text in file order, each with n_points entries; "" is missing. From
            Python, numbers become their text, None and NaN "".
        name: The tensor's name in its source.
        source: The name of the file or folder as it is shown; never an absolute path.
        sprite: The thumbnails, where there are any; tile i belongs to row i of the source.
        rows: int64 (n_points,), the row numbers in the source, where this is a part of it.
        bookmarks: Saved views that came with the source.
        named_by: The column that names the points, where the source says it.
        verify: Checks the stored checksums of all vectors, reading them all; raises LoadError.
        left_out: How many rows of the source are not here, by why: `unlabeled`, `unused`,
            `nonfinite`, or `unmatched` of a step; those not chosen of the rest do not count.
    """

    vectors: Rows
    metadata: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    name: str = ""
    source: str = ""
    sprite: Sprite | None = None
    rows: NDArray[np.int64] | None = None
    bookmarks: tuple[Bookmark, ...] = ()
    named_by: str | None = None
    verify: Callable[[], None] | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        what = self.source or "vectors"
        object.__setattr__(self, "vectors", as_rows(self.vectors, what))
        columns = {
            str(name): _as_texts(values, what, str(name)) for name, values in self.metadata.items()
        }
        if len(columns) < len(self.metadata):
            raise LoadError(what, "two metadata columns have the same name")
        for column, values in columns.items():
            if len(values) != self.n_points:
                raise LoadError(
                    what, f"column '{column}' has {len(values)} values for {self.n_points} points"
                )
        object.__setattr__(self, "metadata", MappingProxyType(columns))

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
        """Return the column that names the points: `named_by`, else the first not all numbers."""
        return self._label_column

    @cached_property
    def _label_column(self) -> str | None:  # Found once: columns up to the answer are read.
        known = self.named_by in self.metadata
        return self.named_by if known else find_label_column(self.metadata)

    def label(self, index: int, column: str | None = None) -> str:
        """Return a point's name in a column, or its row number where there is none."""
        column = column or self._label_column
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
        raw = read_rows(self.vectors, rows)
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

    def take_columns(
        self, columns: slice, dtype: type[np.floating[Any]] = np.float32
    ) -> NDArray[np.floating[Any]]:
        """Return some columns of all rows as an array of `dtype`, (n_points, n)."""
        if isinstance(self.vectors, np.ndarray):
            return np.asarray(self.vectors[:, columns], dtype)
        return np.concatenate([block[:, columns] for _, block in self.blocks(dtype)])

    def nonfinite_rows(self) -> NDArray[np.int64]:
        """Return the indices of the rows that hold NaN or infinity, in one pass."""
        if self.vectors.dtype.kind in "iub":
            return np.empty(0, np.int64)
        step = max(1, BLOCK_BYTES // (self.n_dims * 8))
        found = [
            start
            + np.flatnonzero(
                ~np.isfinite(read_rows(self.vectors, np.s_[start : start + step])).all(axis=1)
            )
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
        return replace(self._with(chosen, take_rows(self.vectors, chosen)), verify=None)

    def keep(self, indices: ArrayLike) -> EmbeddingTable:
        """Return the table of some rows as `take` does; their vectors stay where they are."""
        chosen = np.asarray(indices, dtype=np.int64)
        return self._with(chosen, keep_rows(self.vectors, chosen))

    def _with(self, chosen: NDArray[np.int64], vectors: Rows) -> EmbeddingTable:
        numbers = chosen if self.rows is None else self.rows[chosen]
        places = chosen.tolist()
        metadata = {name: tuple([v[i] for i in places]) for name, v in self.metadata.items()}
        return replace(self, vectors=vectors, metadata=metadata, rows=freeze(numbers))


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


def find_label_column(metadata: Mapping[str, Iterable[str]]) -> str | None:
    """Return the name of the first column that is not all numbers, else of the first."""
    for column, values in metadata.items():
        if not is_numeric(values):
            return column
    return next(iter(metadata), None)


def _as_texts(values: Any, what: str, column: str) -> tuple[str, ...]:
    """Return a metadata column as texts; raises LoadError for what is none."""
    if isinstance(values, tuple) and set(map(type, values)) <= {str}:
        return values
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise LoadError(what, f"column '{column}' is {values!r:.40}, one value a point is needed")
    return tuple(_as_text(value, what, column) for value in values)


def _as_text(value: Any, what: str, column: str) -> str:
    if value is None or (isinstance(value, float | np.floating) and math.isnan(value)):
        return ""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            raise LoadError(what, f"column '{column}' holds bytes that are not UTF-8") from None
    return str(value)

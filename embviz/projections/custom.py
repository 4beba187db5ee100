"""Axes from one set of points to another, as in the Embedding Projector's custom projection."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from embviz.checks import check_list, check_text, check_whole
from embviz.errors import ParameterError
from embviz.model import BLOCK_BYTES, EmbeddingTable, Projection
from embviz.projections.pca import find_components
from embviz.queries import bare_text, describe_match, match_some
from embviz.space import Space, divide, open_space, safe_exponent, shown_unit

log = logging.getLogger("embviz")

MOST_AXES = 3


@dataclass(frozen=True, eq=False)
class Axes:
    """Axes from the points that one query matches to those that another does.

    The direction of FROM -> TO is c(TO) - c(FROM), where c is the centroid of the raw vectors of
    all matching points; a point's coordinate is v . direction / |direction|. Components that have
    no axis are the leading principal components of what the axes leave.

    Args:
        axes: One to three pairs of queries (FROM, TO).
        n_components: Components wanted, 2 or 3; at least one an axis.
        column: The column that queries without one look in; None is the label column.
        whole: The table that the queries are matched in; None is the table projected.

    Raises:
        ParameterError: If the number of axes or components fits no table, or an axis is no pair.
    """

    figures: ClassVar[tuple[str, ...]] = ()

    axes: tuple[tuple[str, str], ...]
    n_components: int = 2
    column: str | None = None
    whole: EmbeddingTable | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", check_axes("axes", self.axes))
        if not 1 <= len(self.axes) <= MOST_AXES:
            raise ParameterError("axes", f"{len(self.axes)} where 1 to {MOST_AXES} are drawn")
        check_whole("n_components", self.n_components, 2, 3)
        if self.column is not None:
            check_text("column", self.column)

    def in_dims(self, table: EmbeddingTable, dims: Sequence[int] = ()) -> tuple[Axes, ...]:
        """Return the axes with the components that pictures of some dimensions need, 3 unasked."""
        flat = len(self.axes) < 3 and (set(dims) == {2} or table.n_dims < 3)
        return (replace(self, n_components=2 if flat else 3),)

    def project(self, table: EmbeddingTable, space: Space | None = None) -> Projection:
        """Place the points along the axes.

        Args:
            table: The vectors.
            space: What `open_space` gave, where it was opened before.

        Returns:
            `params["axes"]` says of each component its queries and how many points they match, or
            that it was filled, with its share of the variance and the `offset` that is subtracted;
            `params["unit"]` the unit of coordinates that float32 cannot hold in the vectors' own.

        Raises:
            ParameterError: If a query matches nothing, or an axis has no direction.
        """
        whole = self.whole or table
        if whole.n_dims != table.n_dims:
            raise ParameterError(
                "axes", f"defined in {whole.n_dims} dimensions, the points have {table.n_dims}"
            )
        space = open_space(table, known=space)
        given = [_measure(whole, i, pair, self.column) for i, pair in enumerate(self.axes, 1)]
        described: list[dict[str, Any]] = [axis.described for axis in given]
        directions = np.stack([axis.direction for axis in given])
        offsets = np.zeros(len(given))
        missing = min(self.n_components, table.n_dims) - len(given)
        if missing > 0 and table.n_points > 1:
            filled = _fill(space, directions, missing)
            directions = np.concatenate([directions, filled.directions])
            offsets = np.concatenate([offsets, filled.offsets])
            described += [{"filled": True, "share": share} for share in filled.shares]
        coordinates, unit = _project_rows(space, directions, offsets)
        for axis, offset in zip(described, offsets.tolist(), strict=True):
            if "filled" in axis:
                axis["offset"] = offset * (space.unit / unit)
        titles = [_title(pair) for pair in self.axes]
        titles += [f"PC{i + 1} of the rest" for i in range(len(described) - len(titles))]
        params = {"axes": described, "n_components": len(described), "column": self.column}
        return Projection(
            name="custom",
            title="Axes",
            kind="linear",
            coordinates=coordinates,
            axes=tuple(titles),
            params=params if unit == 1 else {**params, "unit": unit},
            directions=directions.astype(np.float32),
        )


def check_axes(name: str, axes: Any) -> tuple[tuple[str, str], ...]:
    """Return axes as pairs of queries.

    Raises:
        ParameterError: If one is none.
    """
    pairs = []
    for axis in check_list(name, axes):
        pair = () if isinstance(axis, str) else check_list(name, axis)
        if len(pair) != 2 or not all(isinstance(end, str) for end in pair):
            raise ParameterError(
                name, f"{axis!r:.60} is not a pair of queries", 'such as ("FROM", "TO")'
            )
        pairs.append((pair[0], pair[1]))
    return tuple(pairs)


@dataclass(frozen=True, eq=False)
class _Axis:
    """A direction of length 1, float64 (n_dims,), and what `params` say of it."""

    direction: NDArray[np.float64]
    described: dict[str, Any]


@dataclass(frozen=True, eq=False)
class _Filled:
    """Directions float64 (n, n_dims), what is subtracted in the space's unit, and shares."""

    directions: NDArray[np.float64]
    offsets: NDArray[np.float64]
    shares: list[float]


def _measure(
    whole: EmbeddingTable, number: int, pair: tuple[str, str], column: str | None
) -> _Axis:
    """Return the axis between the centroids of two queries' points."""
    ends = np.empty((2, whole.n_dims))
    matched = [match_some(whole, query, column) for query in pair]
    for query, rows in zip(pair, matched, strict=True):
        log.info("axis %d: %s", number, describe_match(whole, rows, query, column))
    exponent = safe_exponent(max(_peak(whole, rows) for rows in matched))
    for i, rows in enumerate(matched):
        ends[i] = find_centroid(whole, rows, exponent)
    counts = [len(rows) for rows in matched]
    peak = float(np.abs(ends).max())
    difference = (ends[1] - ends[0]) / (peak if peak > 0 else 1.0)
    length = float(np.linalg.norm(difference))
    if length <= 64 * np.finfo(np.float64).eps:
        raise ParameterError(
            f"axis {number}: {pair[0]} → {pair[1]}",
            f"the centroids of {counts[0]:,} and {counts[1]:,} points are the same, "
            "so it has no direction",
            "choose queries that match different points",
        )
    described = {"from": pair[0], "to": pair[1], "n_from": counts[0], "n_to": counts[1]}
    return _Axis(difference / length, described)


def _peak(table: EmbeddingTable, rows: NDArray[np.int64]) -> float:
    """Return the largest magnitude in some rows."""
    step = max(1, BLOCK_BYTES // (8 * table.n_dims))
    parts = [rows[start : start + step] for start in range(0, len(rows), step)]
    return max(float(np.abs(table.take_block(part, np.float64)).max()) for part in parts)


def find_centroid(
    table: EmbeddingTable, rows: NDArray[np.int64], exponent: int = 0
) -> NDArray[np.float64]:
    """Return the mean of some rows' raw vectors over 2^exponent, float64 (n_dims,).

    Args:
        table: The vectors.
        rows: int64 (n,), at least one.
        exponent: Of a unit in which the vectors' sums are in range.
    """
    total = np.zeros(table.n_dims)
    step = max(1, BLOCK_BYTES // (8 * table.n_dims))
    for start in range(0, len(rows), step):
        block = table.take_block(rows[start : start + step], np.float64)
        total += divide(block, exponent).sum(axis=0)
    return np.asarray(total / len(rows), dtype=np.float64)


def _fill(space: Space, given: NDArray[np.float64], missing: int) -> _Filled:
    """Return the leading principal components of what some directions leave of the vectors."""
    basis, triangle = np.linalg.qr(given.T)
    # Axes that repeat another add nothing to remove.
    basis = basis[:, np.abs(np.diag(triangle)) > 1e-10].T
    found = find_components(space, missing, removed=basis)
    return _Filled(found.directions, found.directions @ found.mean, found.shares)


def _project_rows(
    space: Space, directions: NDArray[np.float64], offsets: NDArray[np.float64]
) -> tuple[NDArray[np.float32], float]:
    """Return raw vectors times directions minus offsets, float32 (n_points, n), and their unit."""
    out = np.empty((space.shape[0], len(directions)))
    for start, block in space.blocks():
        out[start : start + len(block)] = block.astype(np.float64, copy=False) @ directions.T
    out -= offsets
    unit = shown_unit(space.unit, float(np.abs(out).max(initial=0)))
    if unit != 1:
        log.info("axes: coordinates in units of %.6g, to fit float32", unit)
        return out.astype(np.float32), unit
    return np.ldexp(out, space.exponent).astype(np.float32), unit


def _title(pair: tuple[str, str]) -> str:
    return f"{bare_text(pair[0])} → {bare_text(pair[1])}"

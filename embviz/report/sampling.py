"""What a page of a sample holds of all points: each one's weight, and how densely all lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import Any

import numpy as np

from embviz.errors import ParameterError, counted
from embviz.model import EmbeddingTable, Projection
from embviz.pictures.captions import density_caption, sample_caption
from embviz.pictures.selection import Part
from embviz.report.blocks import Block, array_block
from embviz.report.parting import with_cluster_columns
from embviz.shards.values import WEIGHT, Density, Sample


@dataclass(frozen=True, eq=False)
class Sampled:
    """What the manifest says of all points that a page shows some of, and what makes its blocks."""

    entries: dict[str, Any]
    makers: tuple[Callable[[], Block], ...]


def weight_column(part: Part) -> str | None:
    """Return the name of the column of weights, which no column of the points has.

    None where the points are no sample, or each of them stands for as many.
    """
    sampled = part.sampled
    if (
        sampled is None
        or not len(sampled.weights)
        or sampled.weights.min() == sampled.weights.max()
    ):
        return None
    names = (WEIGHT if i == 1 else f"{WEIGHT} {i}" for i in count(1))
    return next(name for name in names if name not in part.table.metadata)


def with_made_columns(part: Part) -> EmbeddingTable:
    """Return the points with a column of each level of clusters, and of weights, behind their own.

    Raises:
        ParameterError: If a sample has another number of points.
    """
    table = with_cluster_columns(part.table, part.partitions)
    column, sampled = weight_column(part), part.sampled
    if sampled is not None:
        _check_sample(sampled, table)
    if column is None or sampled is None:
        return table
    texts = tuple([f"{weight:.6g}" for weight in sampled.weights.tolist()])
    return replace(table, metadata={**table.metadata, column: texts})


def pack_sample(part: Part, projections: Sequence[Projection]) -> Sampled:
    """Return `sample` and `densities` of the manifest; nothing where the points are no sample.

    Args:
        part: The points.
        projections: As `name_tabs` returns them.

    Raises:
        ParameterError: If a density is of no projection in two dimensions, or two are of one.
    """
    entries: dict[str, Any] = {}
    if part.sampled is not None:
        n, n_all = part.table.n_points, part.sampled.n_all
        told = sample_caption(n, n_all)
        entries["sample"] = {"n_all": n_all, "weights": weight_column(part), "caption": told}
    if not part.densities:
        return Sampled(entries, ())
    check_densities(part.densities, projections)
    entries["densities"] = [
        {
            "of": each.of,
            "low": each.low.tolist(),
            "high": each.high.tolist(),
            "shape": list(each.counts.shape),
            "n_points": each.n_points,
            "counts": f"density_{i}",
            "caption": density_caption(each, 2),
            "caption_3d": density_caption(each, 3),
        }
        for i, each in enumerate(part.densities)
    ]
    makers = (
        partial(array_block, f"density_{i}", each.counts) for i, each in enumerate(part.densities)
    )
    return Sampled(entries, tuple(makers))


def check_densities(densities: Sequence[Density], projections: Sequence[Projection]) -> None:
    """Refuse densities that no picture of two dimensions is of, and a second one of a picture.

    Raises:
        ParameterError: Naming the first.
    """
    # A linear one of many components shows two of them.
    flat = {p.key for p in projections if p.kind == "linear" or p.coordinates.shape[1] == 2}
    seen: set[str] = set()
    for each in densities:
        if each.of not in flat:
            there = ", ".join(dict.fromkeys(p.key for p in projections if p.key in flat))
            raise ParameterError(
                f"density of {each.of}", "no such projection in 2D",
                f"there are: {there}" if there else "",
            )  # fmt: skip
        if each.of in seen:
            raise ParameterError(f"density of {each.of}", "a second one", "give one a projection")
        seen.add(each.of)
        _check_grid(each)


def _check_grid(density: Density) -> None:
    what, counts = f"density of {density.of}", density.counts
    corners = np.array([density.low, density.high], np.float64)
    if corners.shape != (2, 2) or not np.isfinite(corners).all():
        raise ParameterError(what, "its corners are not two pairs of numbers")
    if not (corners[0] < corners[1]).all():
        raise ParameterError(
            what, f"from {corners[0].tolist()} to {corners[1].tolist()} is no area"
        )
    if counts.ndim != 2 or not counts.size or counts.dtype != np.uint32:
        raise ParameterError(what, f"counts {counts.shape} of {counts.dtype} are no grid of uint32")
    n_counted = int(counts.sum(dtype=np.uint64))
    if n_counted > density.n_points:
        raise ParameterError(
            what, f"{counted(n_counted, 'point')} in cells, of {density.n_points:,}"
        )


def _check_sample(sampled: Sample, table: EmbeddingTable) -> None:
    rows, weights, n_all = sampled.rows, sampled.weights, sampled.n_all
    if rows.shape != (table.n_points,) or weights.shape != rows.shape:
        n = f"{rows.shape} rows and {weights.shape} weights"
        raise ParameterError("sampled", f"{n} of {counted(table.n_points, 'point')}")
    if n_all < table.n_points:
        raise ParameterError("sampled", f"{counted(table.n_points, 'point')} of {n_all:,}")
    if not (np.isfinite(weights) & (weights > 0)).all():
        raise ParameterError("sampled", "a weight is not a number above 0")

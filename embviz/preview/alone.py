"""Principal components of isolated points alone, as the page finds them (state/computed.js)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from embviz.comparison.values import Steps
from embviz.model import EmbeddingTable, Projection
from embviz.projections.pca import PCA
from embviz.report.payload import ReportOptions

Places = NDArray[np.float32]
Rows = NDArray[np.int64]
State = tuple[EmbeddingTable, NDArray[np.bool_] | None]
_USUAL_SIZE = 25.0
_SHELL = 2_800_000  # Bytes of a page without vectors.
_BYTES = 1.3  # Of a number at least.


def travels(table: EmbeddingTable, options: ReportOptions, steps: Steps | None) -> bool:
    """Tell whether the vectors have room in the page, which then finds components itself."""
    if options.vectors != "auto":
        return options.vectors != "none"
    tables = [table] if steps is None else [step.table for step in steps.steps]
    room = (options.max_size or _USUAL_SIZE) * 1e6 - _SHELL
    return sum(each.n_points * each.n_dims for each in tables) * _BYTES <= room


def has_one_width(steps: Steps | None) -> bool:
    """Tell whether the states of the points can have components in common."""
    return steps is None or len({step.table.n_dims for step in steps.steps}) == 1


def places_alone(
    projection: Projection, dims: int, table: EmbeddingTable, steps: Steps | None, isolated: Rows
) -> list[Places]:
    """Return places on the components of the isolated points, at the steps that are shown.

    Steps of one width have components in common, others each its own.

    Args:
        projection: The components of all points.
        dims: How many are shown.
        table: The points.
        steps: Their states, where there are several.
        isolated: The points, ascending; the others lie at 0 and are not shown.
    """
    sphere = projection.params.get("normalize") == "sphere"
    states = [(table, None)] if steps is None else [(s.table, s.present) for s in steps.steps]
    if has_one_width(steps):
        groups = [states]
    else:
        is_pair = steps is not None and steps.kind == "comparison"
        groups = [[state] for state in (states if is_pair else states[-1:])]
    return [
        placed for group in groups for placed in _together(group, isolated, (dims, sphere), table)
    ]


def _together(
    states: Sequence[State], isolated: Rows, how: tuple[int, bool], table: EmbeddingTable
) -> list[Places]:
    """Return places on the components that states have in common."""
    dims, sphere = how
    parts = list(_isolated(states, isolated, sphere))
    vectors = np.concatenate([part for _, part in parts])
    n_components = min(dims, *vectors.shape)
    found = PCA(n_components).project(EmbeddingTable(vectors)).coordinates
    out = []
    start = 0
    for rows, part in parts:
        places = np.zeros((table.n_points, dims), np.float32)
        places[rows, :n_components] = found[start : start + len(part)]
        out.append(places)
        start += len(part)
    return out


def _isolated(
    states: Sequence[State], isolated: Rows, sphere: bool
) -> Iterator[tuple[Rows, NDArray[np.floating]]]:
    """Yield the isolated points of each state, and their vectors as components are found of."""
    means = [
        each.take_block(np.s_[:]).mean(axis=0, dtype=np.float64) for each, _ in states if sphere
    ]
    for own, present in states:
        rows = isolated if present is None else isolated[present[isolated]]
        places = rows if present is None else np.cumsum(present)[rows] - 1
        vectors = own.take_block(places, np.float64)
        if sphere:
            vectors -= np.mean(means, axis=0)
            vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-300)
        yield rows, vectors

"""Principal components, axes and coordinates as they are, at each step of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.comparison.values import Step, Steps
from embviz.errors import ParameterError
from embviz.model import EmbeddingTable, Projection
from embviz.pictures.captions import OWN_DIRECTIONS
from embviz.pictures.step_neighbors import points_of, telling_step
from embviz.pictures.warm_start import lay_on
from embviz.projections import PCA, Axes, Identity
from embviz.rows import JoinedRows

Places = NDArray[np.float64]
Kept = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Followed:
    """What became of one projector.

    Attributes:
        last: The projection of the last step, without frames.
        places: float64 (n_points, n_components) of each step, NaN where a point is not there.
        figures: What was measured at each step, by name.
    """

    last: Projection
    places: list[Places]
    figures: dict[str, tuple[float | None, ...]]


def follow_linear(projector: Any, steps: Steps, wholes: Steps, kept: Sequence[Kept]) -> Followed:
    """Place the points of all steps by a linear projector.

    Principal components are those of all steps' vectors together, so that a point which stays has
    its place; where the widths differ, or two models are compared, whose spaces may be turned, each
    step has its own and is laid on the one after it. Axes
    lie between each step's own centroids; components that fill them up are turned onto those of
    the step after. Vectors of two or three dimensions are shown as they are.

    Args:
        projector: `PCA`, `Axes` or `Identity`.
        steps: The points that are shown.
        wholes: All points, on which axes are defined.
        kept: float64 (n_points,) from each step to the next, the share of neighbors that stay, by
            which components of other widths are laid on each other; of no use to others.

    Raises:
        ParameterError: If the projector cannot follow, with the step where it cannot.
    """
    if isinstance(projector, Identity):
        return _as_given(projector, steps)
    if isinstance(projector, Axes):
        return _on_axes(projector, steps, wholes, kept)
    if steps.kind == "run" and len({step.table.n_dims for step in steps.steps}) == 1:
        return _on_common_directions(projector, steps)
    return _on_own_directions(projector, steps, kept)


def _on_common_directions(projector: PCA, steps: Steps) -> Followed:
    """Project on the principal components of the vectors of all steps, one behind the other."""
    tables = [step.table for step in steps.steps]
    parts = [table.vectors for table in tables]
    dtype = np.result_type(*{part.dtype for part in parts})
    joined = EmbeddingTable(JoinedRows(parts, dtype), source=steps.table.source)
    found = projector.project(joined)
    ends = np.cumsum([0, *(table.n_points for table in tables)])
    cut = [found.coordinates[a:b] for a, b in pairwise(ends.tolist())]
    places = [spread_out(step, c) for step, c in zip(steps.steps, cut, strict=True)]
    params = {**found.params, "directions": "common to all steps"}
    return Followed(replace(found, coordinates=cut[-1], params=params), places, {})


def _on_own_directions(projector: PCA, steps: Steps, kept: Sequence[Kept]) -> Followed:
    """Project each step on its own components and lay it on the step after it."""
    found = _each(projector, steps)
    width = found[-1].coordinates.shape[1]
    places = [
        spread_out(step, _widened(p.coordinates, width))
        for step, p in zip(steps.steps, found, strict=True)
    ]
    for i in range(len(places) - 2, -1, -1):
        here = points_of(steps.steps[i])
        before = places[i + 1][here]
        places[i][here] = lay_on(places[i][here], before, kept[i][here])
    params = {**found[-1].params, "directions": OWN_DIRECTIONS}
    return Followed(replace(found[-1], params=params), places, {})


def _widened(coordinates: NDArray[Any], width: int) -> Places:
    """Return coordinates with the first components, or with zeros behind them."""
    out = np.zeros((len(coordinates), width))
    some = min(width, coordinates.shape[1])
    out[:, :some] = coordinates[:, :some]
    return out


def _on_axes(projector: Axes, steps: Steps, wholes: Steps, kept: Sequence[Kept]) -> Followed:
    found = []
    for step, whole in zip(steps.steps, wholes.steps, strict=True):
        with telling_step(step):
            found.append(replace(projector, whole=whole.table).project(step.table))
    last = found[-1]
    width, n_given = last.coordinates.shape[1], len(projector.axes)
    unit = float(last.params.get("unit", 1.0))
    places = []
    for step, p in zip(steps.steps, found, strict=True):
        own = _widened(p.coordinates, width) * (float(p.params.get("unit", 1.0)) / unit)
        places.append(spread_out(step, own))
    for i in range(len(places) - 2, -1, -1):
        if width > n_given:
            _turn(places[i], places[i + 1], n_given)
    return Followed(last, places, {})


def _turn(places: Places, after: Places, n_given: int) -> None:
    """Turn the components behind the first onto those of the step after, in place."""
    common = np.isfinite(places).all(axis=1) & np.isfinite(after).all(axis=1)
    a, b = places[common, n_given:], after[common, n_given:]
    if len(a):
        left, _, right = np.linalg.svd(a.T @ b)
        places[:, n_given:] = places[:, n_given:] @ (left @ right)


def _as_given(projector: Identity, steps: Steps) -> Followed:
    widths = sorted({step.table.n_dims for step in steps.steps})
    if len(widths) > 1:
        shown = " and ".join(map(str, widths))
        raise ParameterError(
            "--method none",
            f"the steps have {shown} dimensions",
            "leave it out, or add --method pca",
        )
    found = _each(projector, steps)
    places = [
        spread_out(step, p.coordinates.astype(np.float64))
        for step, p in zip(steps.steps, found, strict=True)
    ]
    return Followed(found[-1], places, {})


def _each(projector: Any, steps: Steps) -> list[Projection]:
    found = []
    for step in steps.steps:
        with telling_step(step):
            found.append(projector.project(step.table))
    return found


def spread_out(step: Step, coordinates: NDArray[Any]) -> Places:
    """Return the places of all points, NaN for those that a step does not have."""
    points = points_of(step)
    n_points = len(points) if step.present is None else len(step.present)
    out = np.full((n_points, coordinates.shape[1]), np.nan)
    out[points] = coordinates
    return out

"""The neighbors of points at each step of a run, and which of them stay from step to step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from embviz.checks import changed
from embviz.comparison.values import FEW, MANY, Step, Steps
from embviz.errors import LoadError, ParameterError
from embviz.model import Metric, Neighbors
from embviz.neighbors import build_graph
from embviz.pictures.plan import Plan, PlanFields
from embviz.pictures.projecting import Seen
from embviz.pictures.selection import Part
from embviz.space import Normalize, Space, open_space

Rows = NDArray[np.int64]
Listed = NDArray[np.int32]

MOST_LISTED = 4_000_000
"""Neighbors of all points at all steps that are kept beyond the 10 nearest."""


def measure_steps(
    steps: Steps, plan: Plan | None = None, k: int | None = None, **fields: Unpack[PlanFields]
) -> Steps:
    """Find the neighbors of all points at each step, and how many stay from step to step.

    Args:
        steps: States of the same points.
        plan: Whose metric and seed count; None is cosine.
        k: Neighbors a point, in the original space, or the most that a step has; None is as many
            as the plan's methods look at, 10 at least.
        fields: Fields of `Plan`, in place of some of its own.

    Returns:
        The steps with their `neighbors`, and the `figures` `kept_from_previous` and `kept_of_last`:
        the mean share of the 10 nearest that are among the 10 nearest of the step before, and of
        the last one, of the points that both have.

    Raises:
        ParameterError: If a distance is beyond float64.
        LoadError: If a vector holds NaN or infinity.
    """
    plan = changed("measure_steps", plan or Plan(), fields)
    if k is None:
        projectors = plan.projectors(Part(steps.table, steps.table))
        k = count_neighbors(projectors, steps, plan)[plan.metric, "none"]
    measured = []
    for step in steps.steps:
        if not _is_known(step, plan.metric, k):
            with telling_step(step):
                local = _find(
                    open_space(step.table).on(plan.device), k, (plan.metric, "none"), plan.seed
                )
            step = replace(step, neighbors=to_all(step, local))
        measured.append(step)
    return with_figures(replace(steps, steps=tuple(measured)))


def with_figures(steps: Steps) -> Steps:
    """Return steps, which have neighbors, with the figures of `measure_steps`."""
    if steps.comparison is not None:  # Which has found the same of its own.
        return steps
    listed = [list_nearest(step) for step in steps.steps]
    before: list[float | None] = [None]
    before += [_mean(share_in_common(a, b)) for a, b in pairwise(listed)]
    last = [_mean(share_in_common(found, listed[-1])) for found in listed]
    figures = {"kept_from_previous": tuple(before), "kept_of_last": tuple(last)}
    return replace(steps, figures={**steps.figures, **figures})


def seen_by(projector: Any, plan: Plan) -> Seen:
    """Return the metric and the normalization of a projector's neighbors."""
    metric = getattr(projector, "metric", plan.metric)
    return metric, getattr(projector, "normalize", plan.normalize)


def count_neighbors(projectors: Sequence[Any], steps: Steps, plan: Plan) -> dict[Seen, int]:
    """Return how many neighbors of each point are wanted in each space that is looked at."""
    sizes: dict[Seen, int] = {(plan.metric, "none"): FEW}
    for projector in projectors:
        if hasattr(projector, "count_neighbors"):
            seen = seen_by(projector, plan)
            for step in steps.steps:
                with telling_step(step):
                    wanted = projector.count_neighbors(step.table)
                sizes[seen] = max(sizes.get(seen, FEW), wanted)
    return sizes


def _is_known(step: Step, metric: Metric, k: int) -> bool:
    held = step.neighbors
    most = min(k, step.table.n_points - 1)
    return held is not None and held.metric == metric and held.indices.shape[1] >= most


def find_here(step: Step, space: Space, k: int, seen: Seen, seed: int) -> Neighbors:
    """Return neighbors of the points that a step has, by their places among those.

    Args:
        step: Whose neighbors are taken where they are known.
        space: Of its table.
        k: Neighbors a point, or the most that the step has.
        seen: The metric and normalization.
        seed: Of the search.
    """
    most = min(k, step.table.n_points - 1)
    if seen[1] == "none" and _is_known(step, seen[0], k) and step.neighbors is not None:
        return to_here(step, step.neighbors.first(most))
    return _find(space, k, seen, seed)


def _find(space: Space, k: int, seen: tuple[Metric, Normalize], seed: int) -> Neighbors:
    n_points = space.table.n_points
    most = min(k, n_points - 1)
    if most < 1:
        nothing = np.empty((n_points, 0), np.float32)
        return Neighbors(nothing.astype(np.int32), nothing, seen[0])
    return build_graph(space.table, most, seen[0], seen[1], seed, space)


def with_neighbors(step: Step, here: Neighbors, n_steps: int) -> Step:
    """Return a step with the first of its points' neighbors: as many as a page has room for.

    Args:
        step: Whose neighbors are kept where it has some of the same metric.
        here: Of its points, by their places among those.
        n_steps: How many steps there are.
    """
    if _is_known(step, here.metric, FEW):
        return step
    points = here.indices.shape[0] if step.present is None else len(step.present)
    k = MANY if n_steps * points * MANY <= MOST_LISTED else FEW
    return replace(step, neighbors=to_all(step, here.first(k)))


def points_of(step: Step) -> Rows:
    """Return which of all points a step has, int64 (points there,)."""
    if step.present is None:
        return np.arange(step.table.n_points)
    return np.flatnonzero(step.present)


def to_all(step: Step, here: Neighbors) -> Neighbors:
    """Return neighbors by their indices among all points."""
    if step.present is None:
        return here
    return replace(here, indices=points_of(step).astype(np.int32)[here.indices])


def to_here(step: Step, among_all: Neighbors) -> Neighbors:
    """Return neighbors by their places among the points that a step has."""
    if step.present is None:
        return among_all
    place = np.cumsum(step.present, dtype=np.int32) - 1
    return replace(among_all, indices=place[among_all.indices])


def list_nearest(step: Step, neighbors: Neighbors | None = None) -> Listed:
    """Return the 10 nearest of all points, int32 (n_points, 10), -1 where there are none.

    Args:
        step: A step with neighbors.
        neighbors: Others, of the points there by their places among those.
    """
    found = step.neighbors if neighbors is None else to_all(step, neighbors)
    points = points_of(step)
    n_points = len(points) if step.present is None else len(step.present)
    out = np.full((n_points, FEW), -1, np.int32)
    if found is not None:
        first = found.indices[:, :FEW]
        out[points, : first.shape[1]] = first
    return out


def share_in_common(a: Listed, b: Listed) -> NDArray[np.float64]:
    """Return the share of each point's nearest that two lists have in common, (n_points,).

    NaN where one of them has none: a point that is not there.
    """
    there = (a >= 0)[:, :, None] & (a[:, :, None] == b[:, None, :])
    common = there.any(axis=2).sum(axis=1)
    counts = np.minimum((a >= 0).sum(axis=1), (b >= 0).sum(axis=1))
    longest = np.maximum((a >= 0).sum(axis=1), (b >= 0).sum(axis=1))
    return np.where(counts > 0, common / np.maximum(longest, 1), np.nan)


def _mean(shares: NDArray[np.float64]) -> float | None:
    known = shares[~np.isnan(shares)]
    return float(known.mean()) if len(known) else None


@contextmanager
def telling_step(step: Step) -> Iterator[None]:
    """Add the name of a step to what is wrong with it."""
    try:
        yield
    except (ParameterError, LoadError) as error:
        told: type[Any] = type(error)
        raise told(f"step {step.name}: {error.what}", error.why, error.way_out) from None

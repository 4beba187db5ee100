"""Which points of a run a report is made of, at every step."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from embviz.checks import changed, check_kind
from embviz.comparison.values import Step, Steps
from embviz.errors import ParameterError, counted
from embviz.model import EmbeddingTable
from embviz.pictures.selection import Choice, ChoiceFields, Part, choose_points, verified
from embviz.pictures.step_neighbors import points_of, telling_step

log = logging.getLogger("embviz")


@dataclass(frozen=True, eq=False)
class StepsPart:
    """The points of a report at every step.

    Attributes:
        part: The points of the last step, as `choose_points` chose them.
        steps: The same points at all steps.
        whole: All points at all steps, on which axes are defined.
    """

    part: Part
    steps: Steps
    whole: Steps


def choose_step_points(
    steps: Steps, choice: Choice | None = None, **wanted: Unpack[ChoiceFields]
) -> StepsPart:
    """Choose the points that are projected at all steps, by what they are at the last one.

    Args:
        steps: States of the same points.
        choice: Which are wanted, as for `choose_points`; None is all.
        wanted: Fields of `Choice`, in place of one or of some of its own.

    Raises:
        ParameterError: If a query matches nothing, or a step has fewer than two of the points.
        LoadError: If a vector that is used holds NaN or infinity, or a checksum is wrong.
    """
    check_kind("steps", steps, Steps, "embviz.load_steps reads some")
    choice = changed("choose_step_points", choice or Choice(), wanted)
    part = choose_points(steps.table, choice)
    rows = _rows_of(steps.table, part.table)
    if choice.verify or rows is None:
        before = map(_verified, steps.steps[:-1])
        steps = replace(steps, steps=(*before, steps.steps[-1]))
    chosen = [_cut(step, part.table, rows) for step in steps.steps[:-1]]
    notes = [*steps.notes, *_tell_later(chosen, part.table.n_points), *part.notes]
    last = replace(steps.steps[-1], table=part.table, neighbors=None)
    if rows is None:
        last = replace(last, neighbors=steps.steps[-1].neighbors)
    # Of a part neighbors and shares are others.
    figures = steps.figures if rows is None else {}
    cut = replace(steps, steps=(*chosen, last), table=part.table, figures=figures)
    return StepsPart(replace(part, notes=tuple(notes)), cut, steps)


def _verified(step: Step) -> Step:
    with telling_step(step):
        return replace(step, table=verified(step.table))


def _rows_of(whole: EmbeddingTable, part: EmbeddingTable) -> NDArray[np.int64] | None:
    """Return the indices in a table of the points that were chosen, None for all."""
    if part.n_points == whole.n_points:
        return None
    assert part.rows is not None
    if whole.rows is None:
        return part.rows
    order = np.argsort(whole.rows)
    return order[np.searchsorted(whole.rows, part.rows, sorter=order)]


def _cut(step: Step, table: EmbeddingTable, rows: NDArray[np.int64] | None) -> Step:
    """Return a step with some of the points.

    Raises:
        ParameterError: If it has fewer than two of them.
    """
    points = points_of(step)
    chosen = np.arange(table.n_points) if rows is None else rows
    place = np.full(int(max(points.max(), chosen.max())) + 1, -1)
    place[points] = np.arange(len(points))
    there = place[chosen] >= 0
    if there.sum() < 2:
        raise ParameterError(
            f"step {step.name}",
            f"has {counted(int(there.sum()), 'point')} of the {len(chosen):,} chosen, 2 are needed",
            "leave it out of --steps, or choose others",
        )
    if rows is None:
        return step
    kept = step.table.keep(place[chosen[there]])
    return Step(step.name, kept, None if there.all() else there)


def _tell_later(steps: list[Step], n_points: int) -> list[str]:
    """Say how many points the first step lacks."""
    first = steps[0]
    if first.present is None:
        return []
    count = n_points - first.table.n_points
    text = f"{counted(count, 'point')} of {n_points:,} come after step {first.name}"
    log.info("%s", text)
    return [text]

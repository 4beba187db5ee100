"""How states of the same points travel in the page: their spaces, neighbors and what changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.comparison.values import FEW, MANY, Comparison, Step, Steps
from embviz.errors import ParameterError, counted
from embviz.model import EmbeddingTable, Frames, Metric, is_numeric
from embviz.pictures.captions import LAID, STEPS
from embviz.report.blocks import Block, array_block, json_block, plain, texts_block
from embviz.report.lists import Listed, Lists, without_zero_rows
from embviz.report.vectors import State
from embviz.space import Space

Maker = Callable[[], Block]


@dataclass(frozen=True, eq=False)
class PackedSteps:
    """What the manifest says of states and of what changed, and what makes their blocks."""

    steps: dict[str, Any] | None
    comparison: dict[str, Any] | None
    makers: tuple[Maker, ...] = ()


def check_steps(steps: Steps | None, table: EmbeddingTable) -> None:
    """Refuse states of other points than those of the report.

    Raises:
        ParameterError: With both numbers.
    """
    if steps is None:
        return
    for what, other in (("steps", steps.table), ("the last step", steps.steps[-1].table)):
        if tuple(other.vectors.shape) != tuple(table.vectors.shape):
            raise ParameterError(
                what,
                f"{counted(other.n_points, 'point')} of {other.n_dims} dimensions, the report has "
                f"{table.n_points:,} of {table.n_dims}",
                "give the report the table of the steps",
            )


def is_of_steps(frames: Frames, steps: Steps | None) -> bool:
    """Tell whether recorded frames are the states of a report, which all travel."""
    return steps is not None and frames.unit == "step" and frames.steps == steps.names


def space_keys(steps: Steps, key: str) -> list[str]:
    """Return the key of each step's space; the last step's is the report's own."""
    return [f"{key}-{i}" for i in range(len(steps.steps) - 1)] + [key]


def step_entries(steps: Steps | None, key: str) -> PackedSteps:
    """Return what travels of states but their vectors and neighbors.

    Args:
        steps: The states, where there are any.
        key: The key of the report's own space.
    """
    if steps is None:
        return PackedSteps(None, None)
    makers: list[Maker] = []
    present = None
    if any(step.present is not None for step in steps.steps):
        present = "steps_present"
        makers.append(partial(array_block, present, _presence(steps).astype(np.uint8)))
    columns, column_makers = _column_entries(steps)
    makers += column_makers
    entry = {
        "kind": steps.kind,
        "caption": STEPS[steps.kind],
        "caption_laid": LAID[steps.kind],
        "names": list(steps.names),
        "spaces": space_keys(steps, key),
        "present": present,
        "columns": columns,
        "figures": plain({name: list(values) for name, values in steps.figures.items()}),
    }
    comparison, changes = _comparison_entry(steps.comparison)
    return PackedSteps(entry, comparison, (*makers, *changes))


def _column_entries(steps: Steps) -> tuple[list[list[dict[str, str]]] | None, list[Maker]]:
    """Return the columns that say something else at a step of a run than at the last.

    A point that is not there keeps what the last step says of it. The columns of both sides of a
    comparison are beside each other in its table.
    """
    if steps.kind != "run":
        return None, []
    makers: list[Maker] = []
    entries: list[list[dict[str, str]]] = []
    for i, step in enumerate(steps.steps):
        own: list[dict[str, str]] = []
        for j, (name, shared) in enumerate(steps.table.metadata.items()):
            values = step.table.metadata.get(name)
            if values is None:
                continue
            whole = list(shared)
            for row, value in zip(rows_there(step).tolist(), values, strict=True):
                whole[row] = value
            if tuple(whole) != shared:
                block = f"step_{i}_column_{j}"
                kind = "number" if is_numeric(whole) else "text"
                own.append({"name": name, "kind": kind, "block": block})
                makers.append(partial(texts_block, block, whole))
        entries.append(own)
    return (entries, makers) if makers else (None, [])


def _presence(steps: Steps) -> NDArray[np.bool_]:
    """Return which points are there at each step, (n_steps, n_points)."""
    everywhere = np.ones(steps.table.n_points, np.bool_)
    return np.stack([everywhere if s.present is None else s.present for s in steps.steps])


def step_lists(steps: Steps, metric: Metric, travels: Callable[[], Steps]) -> Lists:
    """Return what is known of the nearest neighbors of the points at each step.

    Args:
        steps: The states.
        metric: Of the report.
        travels: Returns the states with neighbors of the metric, where they have none.
    """
    comparison = steps.comparison
    n_points = steps.table.n_points
    if comparison is not None:
        near = (comparison.neighbors_a, comparison.neighbors_b)
        found = [Listed(comparison.compared, each) for each in near]
        return Lists(n_points, _held(found), lambda: found, len(found))
    known = [step.neighbors for step in steps.steps]
    if all(each is not None and each.metric == metric for each in known):
        found = _listed(steps)
        return Lists(n_points, _held(found), lambda: found, len(found))
    least = min(step.table.n_points for step in steps.steps) - 1
    return Lists(n_points, min(FEW, least), lambda: _listed(travels()), len(known))


def _listed(steps: Steps) -> list[Listed]:
    found = []
    for step in steps.steps:
        if step.neighbors is not None:
            listed = without_zero_rows(step.table, step.neighbors)
            found.append(Listed(rows_there(step)[listed.rows], listed.neighbors))
    return found


def _held(found: Sequence[Listed]) -> int:
    """Return how many neighbors are known of each point."""
    return min(MANY, *(int(each.neighbors.indices.shape[1]) for each in found))


def rows_there(step: Step) -> NDArray[np.int64]:
    """Return the points that are there at a step, ascending."""
    if step.present is None:
        return np.arange(step.table.n_points)
    return np.flatnonzero(step.present)


def _comparison_entry(comparison: Comparison | None) -> tuple[dict[str, Any] | None, list[Maker]]:
    """Return what is said of what changed between two states, and what makes its blocks."""
    if comparison is None:
        return None, []
    arrays: dict[str, NDArray[Any] | None] = {
        "rows": None
        if len(comparison.compared) == comparison.n_matched
        else comparison.compared.astype(np.int32),
        "overlap10": comparison.overlap10.astype(np.float32),
        "overlap50": None
        if comparison.overlap50 is None
        else comparison.overlap50.astype(np.float32),
        "displacement": comparison.displacement.astype(np.float32),
        "ranks_in_b": comparison.ranks_in_b.astype(np.int32),
        "ranks_in_a": comparison.ranks_in_a.astype(np.int32),
        "left": comparison.left.astype(np.uint8),
        "came": comparison.came.astype(np.uint8),
    }
    only = {"a": list(comparison.only_a), "b": list(comparison.only_b)}
    makers: list[Maker] = [partial(json_block, "comparison_only", only)]
    for name, array in arrays.items():
        if array is not None:
            makers.append(partial(array_block, f"comparison_{name}", array))
    groups = [
        {
            "name": group.name,
            "score": group.score,
            "rows": group.points.tolist(),
            "came": list(group.came),
            "left": list(group.left),
        }
        for group in comparison.groups
    ]
    entry = {
        "names": list(comparison.names),
        "matched_by": comparison.matched_by,
        "metric": comparison.metric,
        "n_matched": comparison.n_matched,
        "n_compared": len(comparison.compared),
        "only_a": len(comparison.only_a),
        "only_b": len(comparison.only_b),
        "only": "comparison_only",
        "figures": comparison.figures,
        "by_group": comparison.by_group,
        "groups": groups,
        "no_groups": comparison.no_groups,
        "changes": {
            name: None if array is None else f"comparison_{name}" for name, array in arrays.items()
        },
    }
    return plain(entry), makers


def step_states(steps: Steps, space: Space | None) -> list[State]:
    """Return the points of each step, whose vectors travel.

    Args:
        steps: The states.
        space: What `open_space` gave of the last one's, where it was opened before.
    """
    last = len(steps.steps) - 1
    return [
        State(step.table, space if i == last else None, "" if i == last else f"_{i}")
        for i, step in enumerate(steps.steps)
    ]

"""How states of the same points travel in the page: their spaces, neighbors and what changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.comparison.values import FEW, MANY, Comparison, Step, Steps
from embviz.errors import ParameterError, counted
from embviz.model import EmbeddingTable, Frames, Neighbors, is_numeric
from embviz.pictures.captions import STEPS
from embviz.report.blocks import Block, array_block, json_block, plain, rounded_block
from embviz.report.vectors import PAGE_BYTES, PackedVectors, pack_vectors
from embviz.space import Space

# Up to so many neighbors in all, distances travel with all their digits, and 50 of a comparison.
_EXACT_VALUES = 1_000_000
_NOBODY = 65_535
_MOST_VALUES = 4_000_000
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
                makers.append(partial(json_block, block, whole))
        entries.append(own)
    return (entries, makers) if makers else (None, [])


def _presence(steps: Steps) -> NDArray[np.bool_]:
    """Return which points are there at each step, (n_steps, n_points)."""
    everywhere = np.ones(steps.table.n_points, np.bool_)
    return np.stack([everywhere if s.present is None else s.present for s in steps.steps])


def neighbor_entry(steps: Steps | None, travels: bool) -> tuple[dict[str, Any] | None, list[Maker]]:
    """Return what is said of the nearest neighbors of each step, and what makes their blocks.

    They travel where the vectors do not, from which the page finds them itself, and with a
    comparison, which shows those of many points at once.

    Args:
        steps: The states, where there are any.
        travels: Whether their vectors travel.
    """
    if steps is None or (travels and steps.kind == "run"):
        return None, []
    found = _lists(steps)
    if found is None:
        return None, []
    k = min(MANY, *(neighbors.indices.shape[1] for _, neighbors in found))
    n_values = len(found) * steps.table.n_points * k
    if k > FEW and n_values > _MOST_VALUES:
        k, n_values = FEW, len(found) * steps.table.n_points * FEW
    shape = (len(found), steps.table.n_points, k)
    indices = np.full(shape, -1, np.int32)
    distances = np.zeros(shape, np.float32)
    for i, (rows, neighbors) in enumerate(found):
        indices[i, rows] = neighbors.indices[:, :k]
        distances[i, rows] = neighbors.distances[:, :k]
    entry = {
        "k": k,
        "metric": found[0][1].metric,
        "indices": "steps_neighbors",
        "distances": "steps_distances",
    }
    return entry, [
        partial(array_block, entry["indices"], _short(indices)),
        partial(
            array_block if n_values <= _EXACT_VALUES else rounded_block,
            entry["distances"],
            distances,
        ),
    ]


def _short(indices: NDArray[np.int32]) -> NDArray[Any]:
    """Return indices as uint16, 65,535 for -1, where there are fewer points."""
    return indices.astype(np.uint16) if indices.shape[1] < _NOBODY else indices


def _lists(steps: Steps) -> list[tuple[NDArray[np.int64], Neighbors]] | None:
    """Return a step the rows that have neighbors, and those; None where a step has none."""
    comparison = steps.comparison
    if comparison is not None:
        both = (comparison.neighbors_a, comparison.neighbors_b)
        return [(comparison.compared, neighbors) for neighbors in both]
    found = [(rows_there(s), s.neighbors) for s in steps.steps if s.neighbors is not None]
    is_whole = len(found) == len(steps.steps) and len({each.metric for _, each in found}) == 1
    return found if is_whole else None


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


def pack_step_vectors(
    steps: Steps,
    precision: str,
    budget: int,
    space: Space | None = None,
    largest: tuple[str, int] = ("", 0),
) -> list[PackedVectors]:
    """Encode the vectors of all steps within one budget, or of none.

    Args:
        steps: The states; of each those points travel that are there.
        precision, budget, space, largest: As `pack_vectors` has them; `space` is the last step's.

    Returns:
        One a step, with the blocks of the last named as those of a report of one state.
    """
    tables = [step.table for step in steps.steps]
    sizes = [table.n_points * table.n_dims for table in tables]
    out = []
    for i, table in enumerate(tables):
        is_last = i == len(tables) - 1
        share = budget * sizes[i] // max(1, sum(sizes))
        packed = pack_vectors(table, precision, share, space if is_last else None, largest)
        if packed.entry is None:
            return [PackedVectors((), None, _left_out(packed.note, tables))] * len(tables)
        out.append(packed if is_last else _renamed(packed, i))
    return out


def _left_out(note: str, tables: Sequence[EmbeddingTable]) -> str:
    """Return why no step's vectors travel."""
    if "would make the page larger" not in note:
        return note
    what = f"those of {len(tables)} steps would make the page larger than"
    return (
        f"Vectors were left out: {what} {PAGE_BYTES // 1_000_000} MB; --vectors int8 puts them in"
    )


def _renamed(packed: PackedVectors, i: int) -> PackedVectors:
    """Return the vectors of a step with its number in the names of their blocks."""
    blocks = tuple(replace(block, name=f"{block.name}_{i}") for block in packed.blocks)
    return replace(packed, blocks=blocks)

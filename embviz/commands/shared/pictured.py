"""What `--json` says of points and their pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from embviz.commands.shared.outcome import source_entry

if TYPE_CHECKING:
    from embviz.comparison.values import Steps
    from embviz.model import EmbeddingTable, Projection
    from embviz.neighbors.index.index import NeighborIndex
    from embviz.pictures.selection import Choice, Part
    from embviz.questions.search import Search

REASONS = ("nonfinite", "unlabeled", "unused")
"""Why rows of a source are left out, as `EmbeddingTable.left_out` names it."""


def table_entry(named: Sequence[str], table: EmbeddingTable) -> dict[str, Any]:
    """Return what is said of a table as it was read, before rows were left out."""
    n_rows = table.n_points + sum(table.left_out.values())
    return source_entry(named, table.name, (n_rows, table.n_dims), table.vectors.dtype)


def points_entry(named: Sequence[str], search: Search) -> dict[str, Any]:
    """Return what is said of a table or of an index that is asked for neighbors."""
    from embviz.questions.search import TableSearch

    if isinstance(search, TableSearch):
        return table_entry(named, search.points)
    index = cast("NeighborIndex", search)
    return source_entry(named, index.name, (index.n_points, index.n_dims), index.dtype)


def count_asked(search: Search) -> dict[str, Any]:
    """Return what `count_rows` does, of a table or of an index."""
    from embviz.questions.search import TableSearch

    if isinstance(search, TableSearch):
        return count_rows(search.points)
    return {"read": search.n_points, "left_out": dict.fromkeys(REASONS, 0)}


def count_rows(table: EmbeddingTable) -> dict[str, Any]:
    """Return how many rows of a source were read, and how many of them were left out, and why."""
    return {
        "read": table.n_points + sum(table.left_out.values()),
        "left_out": {reason: table.left_out.get(reason, 0) for reason in REASONS},
    }


def count_points(part: Part) -> dict[str, Any]:
    """Return how many rows were read and left out, and how many points were chosen of the rest."""
    return {**count_rows(part.whole), "chosen": part.table.n_points}


def list_matches(
    chosen: Mapping[str, tuple[str | None, int]], projections: Sequence[Projection]
) -> list[dict[str, Any]]:
    """Return how many points each query matches: those that choose points, and ends of axes.

    Args:
        chosen: By option, such as `select`, its query and how many points it matches.
        projections: Whose axes are looked at.
    """
    found: list[dict[str, Any]] = [
        {"of": option, "query": query, "points": n} for option, (query, n) in chosen.items()
    ]
    seen = []
    for projection in projections:
        axes = [axis for axis in projection.params.get("axes") or () if "from" in axis]
        if axes in seen:
            continue
        seen.append(axes)
        for i, axis in enumerate(axes, 1):
            for end in ("from", "to"):
                matched = {"query": axis[end], "points": axis[f"n_{end}"]}
                found.append({"of": f"axis {i} {end}", **matched})
    return found


def matched_by(part: Part, choice: Choice) -> dict[str, tuple[str | None, int]]:
    """Return the queries of a choice, and how many points they match, as `list_matches` takes."""
    queries = {"select": choice.select, "isolate": choice.isolate}
    return {option: (queries[option], n) for option, n in part.matched.items()}


def pictures_shown(
    first: str, projections: Sequence[Projection], steps: Steps | None = None
) -> dict[str, Any]:
    """Return what is said of pictures: which is shown first, each of them, and the steps.

    Args:
        first: The key of the one that is shown first.
        projections: All.
        steps: Of a run.
    """
    return {
        "first": first,
        "projections": [projection_entry(p) for p in projections],
        "steps": [] if steps is None else step_entries(steps, projections),
    }


def partitions_found(part: Part) -> list[dict[str, Any]]:
    """Return what is said of how points are parted into clusters and classes."""
    return [
        {
            "column": each.column,
            "kind": each.kind,
            "drawn": each.drawn,
            "of": each.of,
            "dims": each.dims,
            "groups": each.n_groups,
            "in_none": int((each.codes < 0).sum()),
            "inside": each.mean_inside,
            "neighbors": each.neighbors,
            "measured": each.measured,
        }
        for each in part.partitions or ()
    ]


def projection_entry(projection: Projection) -> dict[str, Any]:
    """Return what is said of a projection: what made it, with what, and what was found."""
    from embviz.pictures.figures import pictured_dims

    return {
        "key": projection.key,
        "method": projection.name,
        "title": projection.title,
        "kind": projection.kind,
        "n_components": int(projection.coordinates.shape[1]),
        "pictures": pictured_dims(projection),
        "axes": list(projection.axes),
        "parameters": projection.params,
        "found": {k: v for k, v in projection.stats.items() if k != "mean_projection"},
    }


def step_entries(steps: Steps, projections: Sequence[Projection]) -> list[dict[str, Any]]:
    """Return what is said of the steps of a run: which points they have and what they keep."""
    frames = {p.key: p.frames for p in projections if p.frames is not None}
    entries = []
    for i, step in enumerate(steps.steps):
        figures: dict[str, Any] = {name: values[i] for name, values in steps.figures.items()}
        for key, own in frames.items():
            if own.steps == steps.names:
                figures |= {f"{key}.{name}": values[i] for name, values in own.figures.items()}
        table = step.table
        entries.append(
            {
                "name": step.name,
                "tensor": table.name,
                "shape": [table.n_points, table.n_dims],
                "left_out": {
                    reason: table.left_out.get(reason, 0) for reason in (*REASONS, "unmatched")
                },
                "figures": figures,
            }
        )
    return entries

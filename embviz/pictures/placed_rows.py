"""All rows placed in the maps of a sample, and the page's densities and figures of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.model import Projection
from embviz.neighbors.landmarks import Landmarks, open_landmarks
from embviz.neighbors.views import View, view_of
from embviz.pictures.figures import OF_ALL_ROWS
from embviz.pictures.plan import Plan
from embviz.pictures.selection import Part
from embviz.projections.among import NEIGHBORS
from embviz.projections.pca import lead
from embviz.shards.folder import Layout, prefixes_of, write_manifest
from embviz.shards.grid import BEYOND, grid_over
from embviz.shards.kept import Kept, ask_for, compare_maps, draw_rows
from embviz.shards.placing import DISTANCES, place_all, rows_a_file
from embviz.shards.running import Workers
from embviz.shards.staging import Target, open_staged, stage_sample
from embviz.shards.values import Sample, ShardedRows
from embviz.space import shown_unit


@dataclass(frozen=True, eq=False)
class Sharded:
    """The sample with its pictures, and what is known of all rows.

    Attributes:
        part: The points of the sample, and how densely all lie.
        projections: Of the sample; of those that rows are placed in with their figures.
        placed: What the folder of placed rows says of itself; None where none is written.
    """

    part: Part
    projections: list[Projection]
    placed: Mapping[str, Any] | None = None


@dataclass(frozen=True, eq=False)
class Placing:
    """What rows are placed with.

    Attributes:
        rows: All rows.
        plan: Of the sample's projections.
        workers: That do it.
        part: The points of the sample.
        sample: Which rows they are.
    """

    rows: ShardedRows
    plan: Plan
    workers: Workers
    part: Part
    sample: Sample

    @property
    def view(self) -> View:
        return view_of(self.part.space.seen(self.plan.normalize), self.plan.metric)


def place_rows_of(placing: Placing, folder: Path, projections: list[Projection]) -> Sharded:
    """Place all rows in the maps of the sample, and tell how well.

    Args:
        placing: The rows, the sample and who does it.
        folder: Where shards are written, absolute.
        projections: Of the sample.
    """
    rows, view = placing.rows, placing.view
    seed = placing.plan.seed
    vectors = np.asarray(placing.part.table.vectors)
    marks = open_landmarks(view, vectors, NEIGHBORS, rows.n_rows, seed)
    flat = [p for p in projections if p.kind == "linear" or p.coordinates.shape[1] == 2]
    maps = [p.key for p in flat if p.kind != "linear"]
    written = maps or [p.key for p in flat]
    targets = [_target(p, placing, p.key in written) for p in flat if p.coordinates.shape[1] > 1]
    layout = Layout(str(folder), rows.n_rows, rows_a_file(rows.n_dims), prefixes_of(written))
    stage_sample(layout.work, marks, placing.sample.rows, targets)
    asked = ask_for(rows, draw_rows(rows.n_rows, seed), view, (placing.sample, vectors))
    try:
        densities, near = place_all(placing.workers, rows, layout, asked)
        kept: dict[str, Kept] = {}
        if asked is not None and near is not None:
            kept = compare_maps(placing.workers, layout, asked, near)
    finally:
        open_staged.cache_clear()
    by_key = {key: kept.get(prefix) for key, prefix in zip(written, layout.prefixes, strict=True)}
    told = [_with_figures(p, by_key.get(p.key), marks) for p in projections]
    entries = _entries(placing, layout, marks, [p for p in told if p.key in written])
    write_manifest(layout, entries)
    notes = (*placing.part.notes, *_notes(told, written))
    return Sharded(replace(placing.part, densities=densities, notes=notes), told, entries)


def _notes(projections: Sequence[Projection], written: Sequence[str]) -> Iterator[str]:
    """Yield how all rows came to be in each map."""
    for p in projections:
        if p.key not in written or "placed" not in p.stats:
            continue
        k, how = p.stats["placed"]["k"], "by their own coordinates"
        if p.kind != "linear":
            how = f"by their {NEIGHBORS} nearest in the sample"
        kept, error = (100 * p.stats[name] for name in OF_ALL_ROWS[:2])
        yield (
            f"All rows are placed in {p.title} {how}; of the {k} nearest of a row among all, "
            f"{kept:.1f} % (± {error:.1f}) are among its {k} nearest there"
        )


def _target(projection: Projection, placing: Placing, written: bool) -> Target:
    """Return a projection as rows are placed in it: linear ones by themselves."""
    places = np.ascontiguousarray(projection.coordinates[:, :2])
    if projection.kind != "linear":
        return Target(projection.key, places, grid_over(places), written)
    grid = grid_over(places, margin=BEYOND)
    space = placing.part.space.seen(placing.plan.normalize)
    components, coordinates = lead(space, projection.coordinates.shape[1])
    own = 2.0**space.rows_exponent
    scale = own / shown_unit(own, float(np.abs(coordinates).max(initial=0)))
    directions: NDArray[np.float64] = components.directions[:2] * scale
    return Target(projection.key, places, grid, written, directions, directions @ components.mean)


def _with_figures(projection: Projection, kept: Kept | None, marks: Landmarks) -> Projection:
    """Return a projection with what was measured of all rows placed in it."""
    if kept is None:
        return projection
    values = (round(kept.share, 4), round(kept.error, 6), round(marks.recall, 4))
    figures = dict(zip(OF_ALL_ROWS, values, strict=True))
    told = {"placed": {"k": kept.k, "rows": kept.n_rows}}
    return replace(projection, stats={**projection.stats, **figures, **told})


def _entries(
    placing: Placing, layout: Layout, marks: Landmarks, written: Sequence[Projection]
) -> dict[str, Any]:
    """Return what a folder of placed rows says of itself."""
    sample, plan = placing.sample, placing.plan
    return {
        "rows": layout.n_rows,
        "rows_a_file": layout.rows_a_file,
        "files": layout.n_files,
        "n_dims": placing.rows.n_dims,
        "sources": [
            {"file": Path(file.shown or file.path).name, "rows": file.n_rows}
            for file in placing.rows.files
        ],
        "sample": {
            "rows": len(sample.rows),
            "seed": placing.plan.seed,
            "strata": list(sample.strata),
        },
        "metric": plan.metric,
        "normalize": plan.normalize,
        "neighbors": NEIGHBORS,
        "recall": round(marks.recall, 4),
        "distances": DISTANCES,
        "distance_unit": 2.0**marks.view.to_unit,
        "projections": [
            {
                "key": p.key,
                "title": p.title,
                "method": p.name,
                "files": prefix,
                **{name: p.stats[name] for name in OF_ALL_ROWS if name in p.stats},
            }
            for p, prefix in zip(written, layout.prefixes, strict=True)
        ],
    }

"""Pictures of a sample of so many rows that no machine holds them, and all rows placed in them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from embviz.checks import check_column, check_kind, check_path, check_whole
from embviz.errors import ParameterError, printable
from embviz.loaders import choose_tensor, open_columns, open_source
from embviz.loaders.joined import SOURCE_COLUMN
from embviz.loaders.opened import Columns
from embviz.loaders.patterns import find_sources
from embviz.loaders.reading import Reading
from embviz.model import EmbeddingTable, Projection
from embviz.pictures.placed_rows import Placing, Sharded, place_rows_of
from embviz.pictures.plan import Plan
from embviz.pictures.plan import project as project_points
from embviz.pictures.selection import Choice, Part, choose_points
from embviz.projections.pca import Components, project_rows
from embviz.rows import take_rows
from embviz.shards.blocks import open_shards
from embviz.shards.components import find_components
from embviz.shards.folder import (
    OPTION,
    check_placed_folder,
    placed_folder,
)
from embviz.shards.running import Workers, open_workers
from embviz.shards.sample import draw_sample
from embviz.shards.scheduling import check_scheduler
from embviz.shards.strata import find_classes
from embviz.shards.values import Sample, ShardedRows
from embviz.space import Normalize, Space, measure_extent

log = logging.getLogger("embviz")

_COMPONENTS = 10
_OF_ALL = ("metric", "normalize")  # By which rows are placed, one for all projections.


@dataclass(frozen=True, kw_only=True)
class Sharding:
    """How rows of many files become a page, in the words of `embviz project`.

    Attributes:
        source: A file, a folder, a pattern in quotes, or several of these.
        sample: How many rows are projected.
        place_all: The folder that the places of all rows are written into; None for none.
        scheduler: What computes: None for threads here, `processes:N`, a Dask scheduler's address
            or file, or an Executor.
        reading: Which tensor is taken of the files, and the metadata of all rows.
        choice: Its `isolate`, `label_by` and `seed`.
        color_by: A column of the metadata, of whose classes each has points in the sample.
        columns: Columns that there have to be, by the options that name them.

    Raises:
        ParameterError: If there is no sample, or no such scheduler.
        LoadError: If the file of a scheduler is damaged.
    """

    source: str | Path | Sequence[str | Path]
    sample: int
    place_all: Path | None = None
    scheduler: str | Executor | None = None
    reading: Reading = field(default_factory=Reading)
    choice: Choice = field(default_factory=Choice)
    color_by: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.scheduler, str):
            check_scheduler(self.scheduler)
        if self.place_all is not None:
            check_placed_folder(self.place_all)


def check_plan(plan: Plan, placing: bool) -> Plan:
    """Return a plan as it can be made of a sample of all rows.

    Raises:
        ParameterError: Naming what cannot.
    """
    for method, projector in plan.foreseen():
        name = getattr(method, "text", type(projector).__name__)
        if hasattr(projector, "axes") or hasattr(projector, "column"):
            raise ParameterError(
                f"--method {name}", "needs the labels of all rows", "leave it out over shards"
            )
        for field_name in _OF_ALL if method in plan.asked else ():
            own = getattr(projector, field_name, None)
            if placing and own is not None and own != getattr(plan, field_name):
                raise ParameterError(
                    f"--method {name}",
                    f"has a {field_name} of its own, and rows are placed by one",
                    f"write --{field_name} {own}",
                )
        if placing and getattr(projector, "n_components", 2) == 3:
            raise ParameterError(
                f"--method {name}", f"{OPTION} places rows in 2 dimensions", "leave out 3"
            )
    if plan.normalize == "sphere":
        raise ParameterError(
            "--normalize sphere",
            "would need the mean of all rows before their components",
            "take --normalize center, or none",
        )
    if placing and 3 in plan.dims:
        raise ParameterError("--dims 3", f"{OPTION} places rows in 2 dimensions", "leave it out")
    return replace(plan, dims=(2,)) if placing else plan


class ShardingFields(TypedDict, total=False):
    """The fields of `Sharding` and of `Choice` that `project_shards` takes."""

    place_all: str | Path | None
    scheduler: str | Executor | None
    tensor: str | None
    metadata: str | Path | None
    input_format: str | None
    isolate: str | None
    label_by: str | None
    color_by: str | None


def project_shards(
    source: str | Path | Sequence[str | Path],
    sample: int,
    plan: Plan | None = None,
    **fields: Unpack[ShardingFields],
) -> Sharded:
    """Project a sample of the rows of many files, and place all rows in its maps.

    Args:
        source: A file, a folder, a pattern such as `shards/*.npy`, or several of these.
        sample: How many rows are projected; their PCA is that of all rows.
        plan: Which projections; its seed is that of the sample too. None is PCA alone.
        fields: `place_all`, a folder that the places of all rows are written into; `scheduler`:
            None for threads here, `processes:N`, a Dask scheduler's address or file, or any
            `concurrent.futures.Executor`; `tensor`, `metadata` and `input_format` as for
            `load_table`; `isolate` and `label_by` as for `choose_points`; `color_by`, a column of
            the metadata, each of whose classes has points in the sample.

    Returns:
        What `write_report` takes: `write_report(path, found.part, found.projections)`.

    Raises:
        LoadError: If a file is missing or damaged, a row holds NaN, or workers are gone.
        ParameterError: If the rows cannot be projected as asked.
        OutputError: If the folder cannot be written.
    """
    check_kind("plan", plan, (Plan, type(None)), "give an embviz.Plan")
    unknown = next(iter(fields.keys() - ShardingFields.__annotations__.keys()), None)
    if unknown is not None:
        raise ParameterError("project_shards", f"takes no '{unknown}'", "put it into the plan")
    plan = plan or Plan()
    place_all, metadata = fields.get("place_all"), fields.get("metadata")
    request = Sharding(
        source=source,
        sample=check_whole("sample", sample, 2),
        place_all=None if place_all is None else check_path("place_all", place_all),
        scheduler=fields.get("scheduler"),
        reading=Reading(
            tensor=fields.get("tensor"), metadata=metadata, input_format=fields.get("input_format")
        ),
        choice=Choice(
            isolate=fields.get("isolate"), label_by=fields.get("label_by"), seed=plan.seed
        ),
        color_by=fields.get("color_by"),
        columns={n: str(fields[n]) for n in ("color_by", "label_by") if fields.get(n)},
    )
    with sharded(request, plan) as found:
        return found


@contextmanager
def sharded(request: Sharding, plan: Plan) -> Iterator[Sharded]:
    """Give the pictures of a sample; the folder of placed rows appears at the end of the block.

    Args:
        request: Which rows, and how they are seen.
        plan: Which projections.

    Raises:
        LoadError: If a file is missing or damaged, or workers are gone.
        ParameterError: If the rows cannot be projected as asked.
        OutputError: If the folder cannot be written.
    """
    plan = check_plan(plan, request.place_all is not None)
    rows = open_shards(request.source, request.reading)
    _check_rows(rows, request)
    if request.place_all is None:
        with open_workers(request.scheduler) as workers:
            made = _project(rows, request, plan, workers)
        yield Sharded(*made[:2])
        return
    with placed_folder(request.place_all) as folder:
        with open_workers(request.scheduler) as workers:
            part, projections, sample = _project(rows, request, plan, workers)
            placing = Placing(rows, plan, workers, part, sample)
            found = place_rows_of(placing, folder, projections)
        yield found


def _check_rows(rows: ShardedRows, request: Sharding) -> None:
    """Refuse rows that make no picture, and a folder that holds them.

    Raises:
        ParameterError: Saying so.
    """
    if rows.n_rows < 2 or rows.n_dims < 2:
        raise ParameterError(
            "SOURCE", f"{rows.describe()} cannot be projected", "a picture needs 2 and more of each"
        )
    log.info("%s", rows.describe())
    folder = request.place_all
    if folder is not None and folder.exists():
        inside = [f for f in rows.files if folder.resolve() in Path(f.path).resolve().parents]
        if inside:
            raise ParameterError(
                f"{OPTION} {folder}", f"would replace {inside[0].shown}", "name another folder"
            )


def _project(
    rows: ShardedRows, request: Sharding, plan: Plan, workers: Workers
) -> tuple[Part, list[Projection], Sample]:
    """Draw the sample and make its pictures, PCA by the components of all rows."""
    seed = request.choice.seed
    most = max([_COMPONENTS, *(getattr(p, "n_components", 0) or 0 for _, p in plan.foreseen())])
    columns = _open_columns(rows, request)
    _check_columns(rows, columns, request)
    components = find_components(rows, most, workers)
    classes = None
    if columns is not None and request.color_by in columns.names:
        classes = find_classes(request.color_by, columns.column(request.color_by))
    sample = draw_sample(rows, request.sample, seed, components, workers, classes)
    table = _sample_table(rows, sample, columns, request)
    space = _known_space(table, components, plan.normalize, most)
    choice = replace(request.choice, sample=None)
    chosen = choose_points(table, choice)
    whole = EmbeddingTable(rows.rows, name=table.name, source=table.source)
    note = (
        f"PCA is that of all {rows.n_rows:,} rows; maps, neighbors and quality are those of a "
        f"sample of {len(sample.rows):,}"
    )
    part = replace(chosen, whole=whole, known=space, sampled=sample, notes=(*chosen.notes, note))
    return part, project_points(part, plan), sample


def _check_columns(rows: ShardedRows, columns: Columns | None, request: Sharding) -> None:
    """Refuse columns that there will not be, before all rows are read.

    Raises:
        ParameterError: Naming the option and those that there are.
    """
    names = (SOURCE_COLUMN,) * (len(rows.files) > 1) if columns is None else columns.names
    for option, column in request.columns.items():
        check_column(option, column, names)


def _known_space(
    table: EmbeddingTable, components: Components, normalize: Normalize, most: int
) -> Space:
    """Return the vectors of the sample, with the mean and the components of all rows for theirs.

    Args:
        table: The points of the sample.
        components: Of all rows, in the vectors' own unit.
        normalize: What projections see.
        most: The largest number of components that is asked for.
    """
    own = measure_extent(table)
    mean = np.ldexp(components.mean, -own.exponent)
    space = Space(table, "none", replace(own, mean=mean))
    seen = space.seen(normalize)
    in_unit = replace(
        components,
        variances=np.ldexp(components.variances, -2 * own.exponent),
        total=float(np.ldexp(components.total, -2 * own.exponent)),
        mean=mean if normalize == "none" else np.zeros_like(mean),
    )
    for n in {_COMPONENTS, most}:
        first = slice(n)
        cut = replace(
            in_unit, directions=in_unit.directions[first], variances=in_unit.variances[first]
        )
        seen.keep(("lead", n), partial(_projected, seen, cut))
    return space


def _projected(space: Space, found: Components) -> tuple[Components, NDArray[np.float64]]:
    return found, project_rows(space, found)


def _sample_table(
    rows: ShardedRows, sample: Sample, columns: Columns | None, request: Sharding
) -> EmbeddingTable:
    """Return the points of the sample with their columns."""
    named = [request.source] if isinstance(request.source, str | Path) else request.source
    names = [printable(str(name), 200) for name in named]
    shown = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    chosen = sample.rows.tolist()
    found: dict[str, tuple[str, ...]] = {}
    if columns is not None:
        found = {n: tuple(columns.value(n, row) for row in chosen) for n in columns.names}
    elif len(rows.files) > 1:
        at = np.searchsorted(rows.ends, sample.rows, side="right")
        files = _told_apart([file.shown or file.path for file in rows.files])
        found = {SOURCE_COLUMN: tuple(files[i] for i in at.tolist())}
    return EmbeddingTable(
        take_rows(rows.rows, sample.rows),
        found,
        name=(rows.files[0].tensor or "") if len(rows.files) == 1 else "",
        source=shown,
        rows=sample.rows,
        named_by=None if columns is None else columns.label,
    )


def _open_columns(rows: ShardedRows, request: Sharding) -> Columns | None:
    """Open the columns of all rows: of the metadata file, or of the one file or folder."""
    paths, reading = find_sources(request.source), request.reading
    if reading.metadata is None and len(paths) > 1 and not any(f.labeled for f in rows.files):
        return None
    opened = open_source(paths, reading)
    return open_columns(opened, choose_tensor(opened, reading.tensor), rows.n_rows, reading)


def _told_apart(files: Sequence[str]) -> list[str]:
    """Return the names of files without the folder that all of them lie in."""
    folder = os.path.commonpath([os.path.dirname(os.path.abspath(file)) for file in files])
    return [os.path.relpath(os.path.abspath(file), folder) for file in files]

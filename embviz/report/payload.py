"""The manifest and the blocks that the page reads: the only contract between Python and the page.

The manifest is plain JSON with `"version": 2`; `docs/extending.md` describes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from pathlib import PurePath, PureWindowsPath
from typing import Any, get_args

import numpy as np

from embviz.checks import check_column, check_list, check_one_of, check_text, check_whole
from embviz.comparison.values import Steps
from embviz.errors import ParameterError, counted
from embviz.model import EmbeddingTable, Frames, Metric, Projection, is_numeric
from embviz.pictures.captions import all_captions
from embviz.pictures.tabs import find_tab, name_tabs
from embviz.projections.pca import PCA
from embviz.report.blocks import Block, array_block, coordinates_block, json_block, plain
from embviz.report.steps import (
    check_steps,
    is_of_steps,
    neighbor_entry,
    pack_step_vectors,
    space_keys,
    step_entries,
)
from embviz.report.vectors import PAGE_BYTES, PRECISIONS, PackedVectors, pack_vectors
from embviz.space import Space
from embviz.sprites import average_tile_kind, shrink_sprite, take_tiles

VERSION = 2
SPACE = "input"
# Above this many points coordinates travel as 16-bit steps of the axis's span.
EXACT_POINTS = 100_000
_FRAME_VALUES = 8_000_000
Maker = Callable[[], Block]


@dataclass(frozen=True, eq=False)
class ReportOptions:
    """What a report shows first and says of itself.

    Attributes:
        title: Heading of the page; the source's name where it is empty.
        command: The command line that makes the file again, shown in the page.
        label_by, color_by: Metadata columns; None leaves the choice to the page.
        metric: The metric of the neighbor list, `cosine` or `euclidean`.
        first: Key or method of the projection that is shown first; None for the last one given.
        dims: Dimensions that are shown first, 2 or 3.
        vectors: What of the input travels: `auto`, `float32`, `float16`, `int8` or `none`.
        total_points: Points of the whole source, where the table is a part of it.
        isolated: Indices of the table that the page opens with, alone.
        selected: Indices of the table that the page opens with, selected.
        notes: Sentences for the reader, such as that this is a sample.
        image_links: Relative URLs of images beside the page, one a point, that its card opens.

    Raises:
        ParameterError: If a value is not of those.
    """

    title: str = ""
    command: str = ""
    label_by: str | None = None
    color_by: str | None = None
    metric: Metric = "cosine"
    first: str | None = None
    dims: int = 2
    vectors: str = "auto"
    total_points: int | None = None
    isolated: Sequence[int] = ()
    selected: Sequence[int] = ()
    notes: Sequence[str] = ()
    image_links: Sequence[str] = ()

    def __post_init__(self) -> None:
        check_text("title", self.title)
        check_text("command", self.command)
        for name in ("label_by", "color_by", "first"):
            if getattr(self, name) is not None:
                check_text(name, getattr(self, name))
        check_one_of("metric", self.metric, get_args(Metric))
        check_whole("dims", self.dims, 2, 3)
        check_one_of("vectors", self.vectors, PRECISIONS)
        if self.total_points is not None:
            check_whole("total_points", self.total_points, 1)
        for name in ("isolated", "selected"):
            indices = check_list(name, getattr(self, name))
            indices = tuple(check_whole(name, i, what="an index of a point") for i in indices)
            object.__setattr__(self, name, indices)
        for name in ("notes", "image_links"):
            texts = tuple(check_text(name, t) for t in check_list(name, getattr(self, name)))
            object.__setattr__(self, name, texts)


@dataclass(frozen=True, eq=False)
class Payload:
    """What the page is made of: the manifest and its blocks, in the order they are needed."""

    manifest: dict[str, Any]
    blocks: tuple[Block, ...]


def build_payload(
    table: EmbeddingTable,
    projections: Sequence[Projection],
    options: ReportOptions,
    space: Space | None = None,
    steps: Steps | None = None,
) -> Payload:
    """Turn computed values into the page's manifest and blocks.

    Args:
        table: The points.
        projections: Of all of them; PCA where there is none.
        options: What is shown first, and said.
        space: What `open_space` gave of the table, where it was opened before.
        steps: The states of these points, where there are several; `table` has the last one's
            vectors.

    Raises:
        ParameterError: If a projection has another number of points, or a named column, point or
            projection is missing, or the steps are of other points.
    """
    check_points_and_columns(table, options)
    check_steps(steps, table)
    named = name_tabs(projections or [PCA().project(table, space)])
    entries, makers = _projection_entries(named, table.n_points, steps)
    columns, column_makers = _column_entries(table)
    sprite, sprite_makers = _sprite_entry(table, options.image_links)
    states = step_entries(steps, SPACE)
    makers += [*column_makers, *sprite_makers, *_extra_makers(table), *states.makers]
    blocks = _made(makers)
    used = sum(len(block.text) for block in blocks) + 2_600_000  # Plotly and the page itself
    sizes = {block.name: len(block.text) for block in blocks}
    texts = [(column["name"], sizes[column["block"]]) for column in columns]
    largest = max(texts, key=itemgetter(1), default=("", 0))
    is_comparison = steps is not None and steps.kind == "comparison"
    # A comparison's lists travel in any case, those of a run where its vectors do not.
    lists, listed = _made_lists(steps if is_comparison else None, travels=True)
    budget = PAGE_BYTES - used - sum(len(block.text) for block in listed)
    if steps is None:
        spaces = [(SPACE, table, pack_vectors(table, options.vectors, budget, space, largest))]
    else:
        packed = pack_step_vectors(steps, options.vectors, budget, space, largest)
        keys, tables = space_keys(steps, SPACE), [step.table for step in steps.steps]
        # The last one's comes first, as it is the report's own.
        spaces = list(zip(keys, tables, packed, strict=True))[::-1]
    blocks += [block for *_, packed in spaces for block in packed.blocks]
    if not is_comparison:
        lists, listed = _made_lists(steps, travels=spaces[0][2].entry is not None)
    blocks += listed
    manifest = {
        "version": VERSION,
        **_heading(table, options, steps),
        "columns": columns,
        "spaces": [_space_entry(*each) for each in spaces],
        "projections": entries,
        "captions": all_captions(),
        "first": find_tab(named, options.first) if options.first else named[-1].key,
        "sprite": sprite,
        "steps": states.steps and {**states.steps, "neighbors": lists},
        "comparison": states.comparison,
        "blocks": {block.name: block.entry for block in blocks},
    }
    return Payload(manifest, tuple(blocks))


def _made_lists(steps: Steps | None, travels: bool) -> tuple[dict[str, Any] | None, list[Block]]:
    entry, makers = neighbor_entry(steps, travels)
    return entry, _made(makers)


def _made(makers: Sequence[Maker]) -> list[Block]:
    with ThreadPoolExecutor() as pool:  # zlib leaves the interpreter lock
        return list(pool.map(lambda make: make(), makers))


def check_points_and_columns(table: EmbeddingTable, options: ReportOptions) -> None:
    """Refuse what a report shows of points and columns that a table does not have.

    Raises:
        ParameterError: Naming the first.
    """
    for name, indices in (("isolated", options.isolated), ("selected", options.selected)):
        for i in indices:
            if i >= table.n_points:
                raise ParameterError(name, f"there is no point {i} in 0 .. {table.n_points - 1}")
    if options.image_links and len(options.image_links) != table.n_points:
        n_links = counted(len(options.image_links), "link")
        raise ParameterError("image_links", f"{n_links} for {counted(table.n_points, 'point')}")
    for option, column in (("--label-by", options.label_by), ("--color-by", options.color_by)):
        if column is not None:
            check_column(option, column, table.metadata)


def _heading(table: EmbeddingTable, options: ReportOptions, steps: Steps | None) -> dict[str, Any]:
    """Return what the page says of its points and shows of them first."""
    source = _shown_source(table.source)
    total = options.total_points
    return {
        "title": options.title or _name(table, steps) or "embeddings",
        "source": source,
        "command": options.command,
        "n_points": table.n_points,
        "total_points": table.n_points if total is None else total,
        "label_by": options.label_by or table.label_column(),
        "color_by": options.color_by,
        "metric": options.metric,
        "dims": options.dims,
        "isolated": list(options.isolated),
        "selected": list(options.selected),
        "notes": list(options.notes),
    }


def _name(table: EmbeddingTable, steps: Steps | None) -> str:
    """Return what points are called by their source, of a run by its first and last one's."""
    shown = [table] if steps is None or steps.kind != "run" else [steps.steps[0].table, table]
    names = dict.fromkeys(PurePath(_shown_source(each.source)).name for each in shown)
    return " → ".join(filter(None, names))


def _space_entry(key: str, table: EmbeddingTable, packed: PackedVectors) -> dict[str, Any]:
    """Return what the page says of a space that projections and neighbors are of."""
    return {
        "key": key,
        "tensor": table.name,
        "n_dims": table.n_dims,
        "dtype": str(table.vectors.dtype.name),
        "vectors": packed.entry,
        "vectors_note": packed.note,
        "blocks": [block.name for block in packed.blocks],
    }


def _extra_makers(table: EmbeddingTable) -> list[Maker]:
    """Return the blocks that are there for some tables only."""
    makers: list[Maker] = []
    if table.rows is not None:
        makers.append(partial(array_block, "rows", np.asarray(table.rows, np.int32)))
    if table.bookmarks:
        saved = [{"label": mark.label, "view": dict(mark.view)} for mark in table.bookmarks]
        makers.append(partial(json_block, "bookmarks", saved))
    return makers


def _shown_source(source: str) -> str:
    """Return a source's name without a place on this machine."""
    absolute = PurePath(source).is_absolute() or PureWindowsPath(source).is_absolute()
    return PureWindowsPath(source).name if absolute else source


def _projection_entries(
    projections: Sequence[Projection], n_points: int, steps: Steps | None
) -> tuple[list[dict[str, Any]], list[Maker]]:
    entries: list[dict[str, Any]] = []
    makers: list[Maker] = []
    for projection in projections:
        projection.check_points(n_points)
        _check_components(projection)
        entry, blocks = _projection_entry(projection, n_points <= EXACT_POINTS, steps)
        entries.append(entry)
        makers += blocks
    return entries, makers


def _check_components(projection: Projection) -> None:
    """Refuse what cannot be drawn: fewer than 2 components, or a map of more than 3."""
    n_components = int(projection.coordinates.shape[1])
    if n_components < 2 or (n_components > 3 and projection.kind == "map"):
        raise ParameterError(
            f"projection {projection.key}",
            f"{counted(n_components, 'component')}, and a picture has 2 or 3",
            'kind="linear" leaves the last ones out' if n_components > 3 else "",
        )


def _projection_entry(
    projection: Projection, exact: bool, steps: Steps | None
) -> tuple[dict[str, Any], list[Maker]]:
    n_components = int(projection.coordinates.shape[1])
    block = f"{projection.key}_{n_components}"
    makers = [_coordinates_maker(f"{block}_coordinates", projection.coordinates, exact)]
    entry: dict[str, Any] = {
        "key": projection.key,
        "method": projection.name,
        "title": projection.title,
        "kind": projection.kind,
        "space": SPACE,
        "n_components": n_components,
        "coordinates": f"{block}_coordinates",
        "axes": list(projection.axes),
        "params": plain(projection.params),
        "stats": plain(projection.stats),
    }
    if projection.per_point:
        entry["per_point"] = _per_point_entries(projection, block, makers)
    if projection.frames is not None:
        whole = is_of_steps(projection.frames, steps)
        entry["frames"] = _frames_entry(projection.frames, f"{block}_frames", makers, whole)
    if projection.directions is not None and "axes" in projection.params:
        # Of axes between queries the page measures other points, and new ends.
        entry["directions"] = f"{block}_directions"
        makers.append(partial(array_block, entry["directions"], projection.directions))
    return entry, makers


def _per_point_entries(
    projection: Projection, block: str, makers: list[Maker]
) -> list[dict[str, str]]:
    """Return what was measured of each point, and add its blocks."""
    entries = []
    for i, (name, values) in enumerate(projection.per_point.items()):
        found = f"{block}_per_point_{i}"
        entries.append({"name": f"{name} {projection.title}", "block": found})
        makers.append(partial(array_block, found, np.asarray(values, np.float32)))
    return entries


def _frames_entry(frames: Frames, block: str, makers: list[Maker], whole: bool) -> dict[str, Any]:
    """Return the recorded steps that travel, all or as many as are enough, and add their block."""
    keep = list(range(len(frames.steps))) if whole else _kept_frames(frames.coordinates.shape)
    coordinates = np.asarray(frames.coordinates)[keep]
    makers.append(partial(coordinates_block, block, coordinates, False, whole))
    # The page makes room for all steps before it has them.
    ends = {"min": coordinates.min(axis=(0, 1)), "max": coordinates.max(axis=(0, 1))}
    return {
        **({"bounds": plain(ends)} if whole else {}),
        "block": block,
        "unit": frames.unit,
        "steps": [frames.steps[i] for i in keep],
        "figures": {
            name: plain([values[i] for i in keep]) for name, values in frames.figures.items()
        },
    }


def _coordinates_maker(name: str, coordinates: Any, exact: bool) -> Maker:
    return partial(coordinates_block, name, np.asarray(coordinates, np.float32), exact)


def _kept_frames(shape: tuple[int, ...]) -> list[int]:
    """Return the recorded frames that travel: fewer of many points, always first and last."""
    n_frames = shape[0]
    most = max(2, min(n_frames, _FRAME_VALUES // max(1, shape[1] * shape[2])))
    return sorted({round(i) for i in np.linspace(0, n_frames - 1, most).tolist()})


def _column_entries(table: EmbeddingTable) -> tuple[list[dict[str, Any]], list[Maker]]:
    entries: list[dict[str, Any]] = []
    makers: list[Maker] = []
    for i, (name, values) in enumerate(table.metadata.items()):
        kind = "number" if is_numeric(values) else "text"
        entries.append({"name": name, "kind": kind, "block": f"column_{i}"})
        makers.append(partial(json_block, f"column_{i}", values))
    return entries, makers


def _sprite_entry(
    table: EmbeddingTable, links: Sequence[str]
) -> tuple[dict[str, Any] | None, list[Maker]]:
    """Return what the page says of thumbnails, with a block a sheet.

    Of a small part of a large table only its own tiles travel.
    """
    sprite = table.sprite
    if sprite is None:
        return None, []
    by_row = table.rows is not None
    if table.rows is not None and table.n_points * 2 < int(table.rows.max()) + 1:
        sprite, by_row = take_tiles(sprite, table.rows), False
    sprite = shrink_sprite(sprite)
    makers: list[Maker] = [partial(json_block, "image_links", list(links))] if links else []
    for i, sheet in enumerate(sprite.sheets):
        name, image = f"sprite_{i}" if i else "sprite", np.frombuffer(sheet, np.uint8)
        makers.append(partial(array_block, name, image))
    entry = {
        "mime": sprite.mime,
        "tile_width": sprite.tile_width,
        "tile_height": sprite.tile_height,
        "columns": sprite.columns,
        "sheets": len(sprite.sheets),
        "ink": average_tile_kind(sprite) == "ink",
        "by_row": by_row,
    }
    return entry, makers

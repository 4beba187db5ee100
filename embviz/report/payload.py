"""The manifest and the blocks that the page reads: the only contract between Python and the page.

The manifest is plain JSON with `"version": 2`; `docs/extending.md` describes it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from embviz.checks import check_column
from embviz.comparison.values import FEW, Steps
from embviz.errors import ParameterError, counted, printable
from embviz.model import EmbeddingTable, Metric, Neighbors, Projection, is_numeric
from embviz.neighbors import list_neighbors
from embviz.pictures.captions import all_captions
from embviz.pictures.selection import Part
from embviz.pictures.step_neighbors import measure_steps
from embviz.pictures.tabs import find_tab, name_tabs
from embviz.projections.pca import PCA
from embviz.report.blocks import Block, array_block, json_block, texts_block
from embviz.report.budget import MB
from embviz.report.described import described
from embviz.report.filling import Contents, Share, fill_page
from embviz.report.heading import shown_heading
from embviz.report.lists import Listed, Lists, check_neighbors, without_zero_rows
from embviz.report.options import ReportOptions as ReportOptions
from embviz.report.parting import part_points
from embviz.report.projections import Packed, pack_projections
from embviz.report.sampling import pack_sample, with_made_columns
from embviz.report.shell import block_size, heading_size, shell_size
from embviz.report.steps import check_steps, space_keys, step_entries, step_lists, step_states
from embviz.report.vectors import State
from embviz.space import Space
from embviz.sprites import average_tile_kind, shrink_sprite, take_tiles

VERSION = 2
SPACE = "input"
_PICTURES = 60  # Bytes a point of some pictures and a list of neighbors, at most.
Maker = Callable[[], Block]


@dataclass(frozen=True, eq=False)
class Payload:
    """What the page is made of: the manifest and its blocks, in the order they are needed."""

    manifest: dict[str, Any]
    blocks: tuple[Block, ...]


def build_payload(
    points: EmbeddingTable | Part,
    projections: Sequence[Projection],
    options: ReportOptions,
    steps: Steps | None = None,
    neighbors: Neighbors | None = None,
) -> Payload:
    """Turn computed values into the page's manifest and blocks.

    Args:
        points: The points that travel: a table, or what `choose_points` gave.
        projections: Of all of them; PCA where there is none.
        options: What is shown first, and said, and how large the page may be.
        steps: The states of these points, where there are several; `points` have the last one's
            vectors.
        neighbors: The nearest of each point by the report's metric, where they are known: ten of
            each travel where the vectors do not.

    Raises:
        ParameterError: If a projection has another number of points, or a named column, point or
            projection is missing, the steps or neighbors are of other points, or the page has no
            room for what it cannot do without.
    """
    part = points if isinstance(points, Part) else Part(points, points)
    table = part.table
    space = part.space if isinstance(points, Part) else None
    check_steps(steps, table)
    named = name_tabs(projections or [PCA().project(table, space)])
    if neighbors is not None:
        neighbors = check_neighbors(neighbors, table, options.metric)
    part = part_points(part, named, options, steps, neighbors)
    shown = with_made_columns(part)
    check_points_and_columns(shown, options)
    packed = pack_projections(named, table.n_points, steps, SPACE)
    manifest, parts = _in_any_case(table, options, steps, packed, shown.metadata)
    sampled = pack_sample(part, named)
    manifest |= sampled.entries
    parts["densities"] = _made(sampled.makers)
    manifest["first"] = find_tab(named, options.first) if options.first else named[-1].key
    manifest |= described(part, named, options, steps)
    contents = Contents(
        states=[State(table, space)] if steps is None else step_states(steps, space),
        lists=_lists_of_steps(steps, options.metric)
        if steps is not None
        else _lists(table, space, options.metric, neighbors or _nearest(named, table, options)),
        # What is shown first gets room before the others.
        packed=sorted(packed, key=lambda each: each.projection.key != manifest["first"]),
        compares=steps is not None and steps.kind == "comparison",
        precision=options.vectors,
    )
    blocks = [block for part in parts.values() for block in part]
    shares = _shares(parts, manifest["columns"])
    size = heading_size(manifest, blocks, options.preview_links)
    filled = fill_page(contents, options.max_size, size, shares)
    # The last state's comes first, as it is the report's own.
    spaces = zip(manifest["spaces"], filled.vectors[::-1], strict=True)
    manifest |= {
        "spaces": [{**space, **told} for space, told in spaces],
        "projections": [each.finish(filled.taken) for each in packed],
        "neighbors": filled.neighbors,
        "size": {"max": filled.megabytes, "left_out": filled.left_out},
    }
    blocks += [block for made in filled.taken.values() for block in made.blocks]
    return Payload({**manifest, "blocks": {b.name: b.entry for b in blocks}}, tuple(blocks))


def _in_any_case(
    table: EmbeddingTable,
    options: ReportOptions,
    steps: Steps | None,
    projections: Sequence[Packed],
    columns_shown: Mapping[str, Sequence[str]],
) -> tuple[dict[str, Any], dict[str, list[Block]]]:
    """Return the manifest and the blocks of what travels in any case."""
    columns, column_makers = _column_entries(columns_shown)
    sprite, sprite_makers = _sprite_entry(table, options.image_links)
    states = step_entries(steps, SPACE)
    parts = {
        "columns": _made(column_makers),
        "thumbnails": _made(sprite_makers),
        "others": _made(
            [
                *(make for each in projections for make in each.makers),
                *_extra_makers(table),
                *states.makers,
            ]
        ),
    }
    keys = [SPACE] if steps is None else space_keys(steps, SPACE)
    tables = [table] if steps is None else [step.table for step in steps.steps]
    manifest = {
        "version": VERSION,
        **_heading(table, options, steps),
        "columns": columns,
        "spaces": [_space_entry(*each) for each in zip(keys, tables, strict=True)][::-1],
        "projections": [each.entry for each in projections],
        "captions": all_captions(),
        "sprite": sprite,
        "steps": states.steps,
        "comparison": states.comparison,
    }
    return manifest, parts


def _made(makers: Iterable[Maker]) -> list[Block]:
    with ThreadPoolExecutor() as pool:  # zlib leaves the interpreter lock
        return list(pool.map(lambda make: make(), makers))


def _lists(
    table: EmbeddingTable, space: Space | None, metric: Metric, known: Neighbors | None
) -> Lists:
    """Return what is known of the nearest neighbors of the points of a report of one state."""
    most = min(FEW, table.n_points - 1)
    if known is not None:
        known = known.first(min(most, known.indices.shape[1]))

    def find() -> list[Listed]:
        found = list_neighbors(table, most, metric, space) if known is None else known
        return [without_zero_rows(table, found)]

    return Lists(table.n_points, most if known is None else known.indices.shape[1], find)


def _nearest(
    projections: Sequence[Projection], table: EmbeddingTable, options: ReportOptions
) -> Neighbors | None:
    """Return the neighbors of these points that a projection's method has looked at."""
    for near in (each.nearest for each in projections):
        if near is None or near.metric != options.metric or near.indices.shape[1] < 1:
            continue
        if len(near.indices) == table.n_points:
            return near
    return None


def _lists_of_steps(steps: Steps, metric: Metric) -> Lists:
    return step_lists(steps, metric, lambda: measure_steps(steps, k=FEW, metric=metric))


def check_size(table: EmbeddingTable, options: ReportOptions) -> None:
    """Refuse a page that has no room for labels and thumbnails, before pictures are made.

    Raises:
        ParameterError: With the sizes.
    """
    if options.max_size is None:
        return
    columns = sum(map(block_size, _made(_column_entries(table.metadata)[1])))
    thumbnails = sum(map(block_size, _made(_sprite_entry(table, options.image_links)[1])))
    least = shell_size() + columns + thumbnails
    if least > options.max_size * MB:
        enough = math.ceil((least + table.n_points * _PICTURES) / MB)
        raise ParameterError(
            f"--max-size {options.max_size:g}",
            f"scripts take {shell_size() / MB:.1f} MB, labels {columns / MB:.1f} and thumbnails "
            f"{thumbnails / MB:.1f}, and pictures are to come",
            f"--max-size {enough} is enough",
        )


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
    title, source = shown_heading(table, options.title, steps)
    total = options.total_points
    return {
        "title": title,
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


def _space_entry(key: str, table: EmbeddingTable) -> dict[str, Any]:
    """Return what the page says of a space that projections and neighbors are of."""
    return {
        "key": key,
        "tensor": table.name,
        "n_dims": table.n_dims,
        "dtype": str(table.vectors.dtype.name),
    }


def _shares(
    parts: Mapping[str, Sequence[Block]], columns: Sequence[Mapping[str, Any]]
) -> list[Share]:
    """Return the sizes of what travels in any case."""
    names = {column["block"]: column["name"] for column in columns}
    found = [Share("scripts", shell_size())]
    for block in parts["columns"]:
        what = f"column '{printable(names[block.name], 60)}'"
        found.append(Share(what, len(block.text), is_column=True))
    for what in ("thumbnails", "others", "densities"):
        found.append(Share(what, sum(len(block.text) for block in parts[what])))
    return [each for each in found if each.size]


def _extra_makers(table: EmbeddingTable) -> list[Maker]:
    """Return the blocks that are there for some tables only."""
    makers: list[Maker] = []
    if table.rows is not None:
        makers.append(partial(array_block, "rows", np.asarray(table.rows, np.int32)))
    if table.bookmarks:
        saved = [{"label": mark.label, "view": dict(mark.view)} for mark in table.bookmarks]
        makers.append(partial(json_block, "bookmarks", saved))
    return makers


def _column_entries(
    columns: Mapping[str, Sequence[str]],
) -> tuple[list[dict[str, Any]], list[Maker]]:
    entries: list[dict[str, Any]] = []
    makers: list[Maker] = []
    for i, (name, values) in enumerate(columns.items()):
        kind = "number" if is_numeric(values) else "text"
        entries.append({"name": name, "kind": kind, "block": f"column_{i}"})
        makers.append(partial(texts_block, f"column_{i}", values))
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

"""The manifest and the blocks that the page reads: the only contract between Python and the page.

The manifest is plain JSON with `"version": 1`; `docs/extending.md` describes it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePath, PureWindowsPath
from typing import Any

import numpy as np

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable, Metric, Projection, is_numeric
from embviz.report.blocks import Block, array_block, coordinates_block, json_block
from embviz.report.vectors import PAGE_BYTES, pack_vectors
from embviz.sprites import average_tile_kind, shrink_sprite, take_tiles

VERSION = 1
# Above this many points coordinates travel as 16-bit steps of the axis's span.
EXACT_POINTS = 100_000
_FRAME_VALUES = 8_000_000
TITLES = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP", "custom": "Axes", "none": "As given"}
Maker = Callable[[], Block]


@dataclass(frozen=True, eq=False)
class ReportOptions:
    """What a report shows first and says of itself.

    Attributes:
        title: Heading of the page; the source's name where it is empty.
        command: The command line that makes the file again, shown in the page.
        label_by, color_by: Metadata columns; None leaves the choice to the page.
        metric: The metric of the neighbor list, `cosine` or `euclidean`.
        first: Name of the projection that is shown first; None for the last one given.
        dims: Dimensions that are shown first, 2 or 3.
        vectors: What of the input travels: `auto`, `float32`, `float16`, `int8` or `none`.
        total_points: Points of the whole source, where the table is a part of it.
        isolated: Indices of the table that the page opens with, alone.
        selected: Indices of the table that the page opens with, selected.
        notes: Sentences for the reader, such as that this is a sample.
        image_links: Relative URLs of images beside the page, one a point, that its card opens.
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


@dataclass(frozen=True, eq=False)
class Payload:
    """What the page is made of: the manifest and its blocks, in the order they are needed."""

    manifest: dict[str, Any]
    blocks: tuple[Block, ...]


def build_payload(
    table: EmbeddingTable, projections: Sequence[Projection], options: ReportOptions
) -> Payload:
    """Turn computed values into the page's manifest and blocks.

    Raises:
        ParameterError: If a projection has another number of points, or a named column is missing.
    """
    for option, column in (("--label-by", options.label_by), ("--color-by", options.color_by)):
        if column is not None and column not in table.metadata:
            there = ", ".join(f"'{name}'" for name in table.metadata) or "none"
            raise ParameterError(option, f"no metadata column '{column}'", f"there are: {there}")
    for projection in projections:
        if len(projection.coordinates) != table.n_points:
            raise ParameterError(
                projection.name,
                f"{len(projection.coordinates)} placed points for {table.n_points} in the table",
            )
    entries, makers = _projection_entries(projections, table.n_points)
    columns, column_makers = _column_entries(table)
    makers += column_makers
    sprite = _sprite_entry(table, makers, options.image_links)
    if table.rows is not None:
        makers.append(lambda: array_block("rows", np.asarray(table.rows, np.int32)))
    if table.bookmarks:
        saved = [{"label": mark.label, "view": dict(mark.view)} for mark in table.bookmarks]
        makers.append(lambda: json_block("bookmarks", saved))
    with ThreadPoolExecutor() as pool:  # zlib leaves the interpreter lock
        blocks = list(pool.map(lambda make: make(), makers))
    used = sum(len(block.text) for block in blocks) + 2_600_000  # Plotly and the page itself
    packed = pack_vectors(table, options.vectors, PAGE_BYTES - used)
    blocks += packed.blocks
    source = _shown_source(table.source)
    manifest = {
        "version": VERSION,
        "title": options.title or PurePath(source).name or "embeddings",
        "source": source,
        "tensor": table.name,
        "command": options.command,
        "n_points": table.n_points,
        "n_dims": table.n_dims,
        "dtype": str(table.vectors.dtype.name),
        "total_points": options.total_points or table.n_points,
        "columns": columns,
        "label_by": options.label_by or table.label_column(),
        "color_by": options.color_by,
        "metric": options.metric,
        "first": options.first or (projections[-1].name if projections else None),
        "dims": options.dims,
        "projections": entries,
        "sprite": sprite,
        "vectors": packed.entry,
        "vectors_note": packed.note,
        "isolated": [int(i) for i in options.isolated],
        "selected": [int(i) for i in options.selected],
        "notes": list(options.notes),
        "blocks": {block.name: block.entry for block in blocks},
    }
    return Payload(manifest, tuple(blocks))


def _shown_source(source: str) -> str:
    """Return a source's name without a place on this machine."""
    absolute = PurePath(source).is_absolute() or PureWindowsPath(source).is_absolute()
    return PureWindowsPath(source).name if absolute else source


def _projection_entries(
    projections: Sequence[Projection], n_points: int
) -> tuple[list[dict[str, Any]], list[Maker]]:
    exact = n_points <= EXACT_POINTS
    entries: list[dict[str, Any]] = []
    makers: list[Maker] = []
    for projection in projections:
        n_components = int(projection.coordinates.shape[1])
        key = f"{projection.name}_{n_components}"
        entry: dict[str, Any] = {
            "name": projection.name,
            "title": TITLES.get(projection.name, projection.name),
            "n_components": n_components,
            "coordinates": f"{key}_coordinates",
            "axes": list(projection.axes),
            "params": _plain(projection.params),
            "stats": _plain(projection.stats),
        }
        makers.append(_coordinates_maker(f"{key}_coordinates", projection.coordinates, exact))
        if projection.per_point:
            entry["per_point"] = []
        for i, (name, values) in enumerate(projection.per_point.items()):
            block = f"{key}_per_point_{i}"
            entry["per_point"].append({"name": f"{name} {entry['title']}", "block": block})
            makers.append(lambda b=block, v=values: array_block(b, np.asarray(v, np.float32)))  # type: ignore[misc]
        if projection.frames is not None:
            frames = projection.frames
            keep = _kept_frames(frames.coordinates.shape)
            entry["frames"] = {
                "block": f"{key}_frames",
                "iterations": [frames.iterations[i] for i in keep],
                "losses": [_plain(frames.losses[i]) for i in keep],
            }
            kept = np.asarray(frames.coordinates)[keep]
            makers.append(_coordinates_maker(f"{key}_frames", kept, False))
        if projection.directions is not None and projection.name == "custom":
            entry["directions"] = f"{key}_directions"
            directions = projection.directions
            makers.append(lambda k=key, d=directions: array_block(f"{k}_directions", d))  # type: ignore[misc]
        entries.append(entry)
    return entries, makers


def _coordinates_maker(name: str, coordinates: Any, exact: bool) -> Maker:
    return lambda: coordinates_block(name, np.asarray(coordinates, np.float32), exact)


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
        makers.append(lambda i=i, values=values: json_block(f"column_{i}", values))  # type: ignore[misc]
    return entries, makers


def _sprite_entry(
    table: EmbeddingTable, makers: list[Maker], links: Sequence[str]
) -> dict[str, Any] | None:
    """Add a block a sheet; of a small part of a large table only its own tiles travel."""
    sprite = table.sprite
    if sprite is None:
        return None
    by_row = table.rows is not None
    if table.rows is not None and table.n_points * 2 < int(table.rows.max()) + 1:
        sprite, by_row = take_tiles(sprite, table.rows), False
    sprite = shrink_sprite(sprite)
    if links:
        makers.append(lambda: json_block("image_links", list(links)))
    for i, sheet in enumerate(sprite.sheets):
        name, image = f"sprite_{i}" if i else "sprite", np.frombuffer(sheet, np.uint8)
        makers.append(lambda name=name, image=image: array_block(name, image))  # type: ignore[misc]
    return {
        "mime": sprite.mime,
        "tile_width": sprite.tile_width,
        "tile_height": sprite.tile_height,
        "columns": sprite.columns,
        "sheets": len(sprite.sheets),
        "ink": average_tile_kind(sprite) == "ink",
        "by_row": by_row,
    }


def _plain(value: Any) -> Any:
    """Return a value as plain JSON: numbers of NumPy as Python's, non-finite ones as None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value

"""Folders that TensorBoard's projector opens: tensors, metadata, sprite, bookmarks, and the config.

What TensorBoard asks of the files, beyond their formats (tensorboard/plugins/projector):

- A tensor file is read as text first, and as raw float32 only if a line is not UTF-8 before one is
  not numbers; rare tables whose bytes are text must be written as TSV.
- A line of metadata that is blank is skipped, and all after it shift; the last line must end.
- A sheet of thumbnails must have as many tiles across as down, in one image of at most 8192 pixels.
- A bookmark of more points than are shown is an error; 100,000 are shown.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from typing import Literal, TypedDict, Unpack

import numpy as np

from embviz.bookmarks import MOST_POINTS, encode_bookmarks
from embviz.errors import OutputError, ParameterError
from embviz.export.float32 import check_float32
from embviz.export.logdir_views import computed_views, saved_views
from embviz.loaders.projector.config import (
    FILE_NAME,
    EmbeddingInfo,
    MetadataNote,
    format_config,
)
from embviz.model import Bookmark, EmbeddingTable, Projection, Sprite
from embviz.outputs.cells import escaped
from embviz.outputs.folders import check_folder, stage_files
from embviz.outputs.text import to_utf8
from embviz.sprites import take_tiles
from embviz.sprites.images import SHEET_FORMATS, open_image

_log = logging.getLogger("embviz")
progress = logging.getLogger("embviz.progress")

TensorFormat = Literal["bytes", "tsv"]
WRITTEN_BY = "# Written by embviz export."
_SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "GIF": ".gif", "BMP": ".bmp"}
Part = tuple[str, bytes | Iterable[bytes]]


@dataclass(frozen=True, eq=False)
class _Tensor:
    """One tensor of the folder: its files are named with the prefix, its notes are the reader's."""

    table: EmbeddingTable
    name: str
    prefix: str


class LogdirFields(TypedDict, total=False):
    """What `export_logdir` takes by name, as `stage_logdir` describes it."""

    bookmarks: Sequence[Bookmark]
    tensor_format: TensorFormat
    dims: Sequence[int]


def export_logdir(
    path: str | os.PathLike[str],
    tables: EmbeddingTable | Sequence[EmbeddingTable],
    projections: Sequence[Projection] | Mapping[str, Sequence[Projection]] = (),
    **fields: Unpack[LogdirFields],
) -> int:
    """Write tables as `stage_logdir` does, and return the size of all files in bytes.

    Arguments and errors as for `stage_logdir`.
    """
    return sum(size for _, size in stage_logdir(path, tables, projections, **fields))


def stage_logdir(
    path: str | os.PathLike[str],
    tables: EmbeddingTable | Sequence[EmbeddingTable],
    projections: Sequence[Projection] | Mapping[str, Sequence[Projection]] = (),
    *,
    bookmarks: Sequence[Bookmark] = (),
    tensor_format: TensorFormat = "bytes",
    dims: Sequence[int] = (),
) -> list[tuple[str, int]]:
    """Write tables as a logdir that TensorBoard's projector opens, and `load_table` reads back.

    Args:
        path: The folder; it is made, or must hold nothing of the same names but what this wrote.
        tables: One or more tables; their names must differ. Vectors are written as float32.
        projections: Coordinates that become bookmarks: of the one table, or by the table's name.
        bookmarks: Further saved views of the first table, beside the table's own.
        tensor_format: `bytes`, raw little-endian float32, or `tsv`.
        dims: 2, 3 or both: how many components a view of PCA shows, one view for each; 3 if empty.

    Returns:
        What was written: names in the folder, with forward slashes, and sizes in bytes.

    Raises:
        ParameterError: If TensorBoard could not show it: one row or column, values that float32
            cannot hold, several sheets of thumbnails, two tensors of one name, or a view of other
            data.
        LoadError: If a vector holds NaN or infinity.
        OutputError: If the folder cannot be written; nothing is left behind.
    """
    several = [tables] if isinstance(tables, EmbeddingTable) else list(tables)
    if tensor_format not in ("bytes", "tsv"):
        raise ParameterError(f"--format '{tensor_format}'", "no such format", "bytes or tsv")
    tensors = _name_tensors(several)
    by_name = projections if isinstance(projections, Mapping) else {tensors[0].name: projections}
    unknown = [name for name in by_name if name not in {t.name for t in tensors}]
    if unknown:
        raise ParameterError(f"projections of '{unknown[0]}'", "no table has that name")
    folder = Path(path)
    _check_folder(folder, several)
    for tensor in tensors:
        check_float32(tensor.table)
    parts: list[Part] = []
    infos, notes = [], {}
    for number, tensor in enumerate(tensors):
        computed = computed_views(tensor.table, by_name.get(tensor.name, ()), dims)
        views = [*computed, *saved_views(tensor.table, bookmarks if number == 0 else ())]
        info, found, note = _tensor_parts(tensor, views, tensor_format)
        parts += found
        infos.append(info)
        if note is not None:
            notes[info.metadata_path] = note
    config = format_config(infos, notes, [WRITTEN_BY])
    parts.append((FILE_NAME, to_utf8(config)))
    _check_free(folder, [name for name, _ in parts])
    progress.info("writing %s", folder)
    return stage_files(folder, parts)


def _name_tensors(tables: Sequence[EmbeddingTable]) -> list[_Tensor]:
    """Give each table a name and a prefix for its files that is plain on every system."""
    if not tables:
        raise ParameterError("tables", "none is given", "give one or more")
    tensors: list[_Tensor] = []
    for number, table in enumerate(tables, 1):
        name = (table.name or "tensor").removesuffix(":0")
        if any(name == other.name for other in tensors):
            raise ParameterError(f"tensor '{name}'", "given twice", "give each another name")
        if table.n_points < 2 or table.n_dims < 2:
            raise ParameterError(
                f"tensor '{name}'",
                f"{table.n_points} x {table.n_dims}, and TensorBoard lists tables of two rows and "
                "two columns or more",
            )
        plain = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_")[:60] or "tensor"
        prefix = "" if len(tables) == 1 else f"{number:02}_{plain}/"
        tensors.append(_Tensor(table, name, prefix))
    return tensors


def _tensor_parts(
    tensor: _Tensor, views: Sequence[Bookmark], tensor_format: TensorFormat
) -> tuple[EmbeddingInfo, list[Part], MetadataNote | None]:
    """Return the entry of a tensor in the config and its files."""
    table, prefix = tensor.table, tensor.prefix
    _say_what_is_lost(tensor)
    if tensor_format == "bytes" and _reads_as_text(table):
        _log.info("%s: its bytes would be taken for text, written as TSV", tensor.name)
        tensor_format = "tsv"
    info = EmbeddingInfo(
        tensor_name=tensor.name,
        tensor_shape=table.vectors.shape,
        tensor_path=f"{prefix}tensor.{tensor_format}",
    )
    rows = _as_bytes(table) if tensor_format == "bytes" else _as_tsv(table)
    parts: list[Part] = [(info.tensor_path, rows)]
    note = None
    if table.metadata:
        text, note = format_metadata(table.metadata, table.n_points)
        info = replace(info, metadata_path=f"{prefix}metadata.tsv")
        parts.append((info.metadata_path, to_utf8(text)))
    if table.sprite is not None:
        sheet, suffix = _square_sheet(table, table.sprite)
        info = replace(
            info,
            image_path=f"{prefix}sprite{suffix}",
            single_image_dim=(sheet.tile_width, sheet.tile_height),
        )
        parts.append((info.image_path, sheet.image))
    if views:
        info = replace(info, bookmarks_path=f"{prefix}bookmarks.txt")
        parts.append((info.bookmarks_path, encode_bookmarks(views)))
    return info, parts, note


def _say_what_is_lost(tensor: _Tensor) -> None:
    table = tensor.table
    dtype = table.vectors.dtype
    if dtype.itemsize > 4 or (dtype.kind in "iu" and dtype.itemsize == 4):
        _log.info("%s: %s is rounded to float32, which TensorBoard computes in", tensor.name, dtype)
    if table.n_points > MOST_POINTS:
        _log.warning(
            "%s: %s points are written, and TensorBoard shows the first %s; --sample draws fewer",
            tensor.name, f"{table.n_points:,}", f"{MOST_POINTS:,}",
        )  # fmt: skip


def _as_bytes(table: EmbeddingTable) -> Iterator[bytes]:
    for _, block in table.blocks(np.float32):
        yield block.astype("<f4", copy=False).tobytes()


def _as_tsv(table: EmbeddingTable) -> Iterator[bytes]:
    """Yield lines of numbers with the 9 digits that give the same float32 back."""
    for _, block in table.blocks(np.float32, block_bytes=1 << 20):
        lines = ("\t".join([f"{x:.9g}" for x in row]) for row in block.tolist())
        yield ("\n".join(lines) + "\n").encode("ascii")


def _reads_as_text(table: EmbeddingTable) -> bool:
    """Tell whether TensorBoard would fail on the raw bytes: its first line is UTF-8 text."""
    start = b""
    for chunk in _as_bytes(table):
        start = (start + chunk).lstrip(b"\n")
        line, end, _ = start.partition(b"\n")
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            if end or error.end < len(line):
                return False
        else:
            if end:
                return True
        if len(start) > 64 << 20:
            break
    return True


def format_metadata(
    metadata: Mapping[str, tuple[str, ...]], n_points: int
) -> tuple[str, MetadataNote | None]:
    """Return a metadata file that TensorBoard reads row by row, and what its reader must know.

    Tabs, line ends and backslashes are escaped where a label holds a tab or a line end; where a row
    would be blank, or a single column has a name of its own, row numbers follow as a column.

    Args:
        metadata: Columns of n_points texts.
        n_points: How many rows.
    """
    marked = any("\t" in v or "\n" in v or "\r" in v for c in metadata.values() for v in c)
    marked = marked or any(set(name) & set("\t\n\r") for name in metadata)
    columns = {name: list(values) for name, values in metadata.items()}
    rows = map("".join, zip(*columns.values(), strict=True))
    # To a browser a byte order mark is a blank.
    blank = any(not row.replace("\ufeff", "").strip() for row in rows)
    extra = ""
    if blank or (len(columns) == 1 and "label" not in columns):
        names = chain(("row", "row number"), (f"row {i}" for i in count(2)))
        extra = next(name for name in names if name not in columns)
        columns[extra] = [str(i) for i in range(n_points)]
    lines = ["\t".join(columns)] if len(columns) > 1 else []
    if marked:
        lines = ["\t".join(map(escaped, columns))] if len(columns) > 1 else []
        columns = {name: [escaped(v) for v in values] for name, values in columns.items()}
    lines += map("\t".join, zip(*columns.values(), strict=True))
    note = MetadataNote(marked, extra) if marked or extra else None
    text = "\n".join(lines) + "\n"
    # Readers take one byte order mark for none of the text.
    return ("\ufeff" if text.startswith("\ufeff") else "") + text, note


def _square_sheet(table: EmbeddingTable, sprite: Sprite) -> tuple[Sprite, str]:
    """Return the thumbnails as one square sheet in a format that TensorBoard serves."""
    if sprite.more:
        raise ParameterError(
            "sprite",
            f"{len(sprite.sheets)} sheets, and TensorBoard shows one of 8192 pixels a side at most",
            "make the tiles smaller: embviz sprite --size, or leave the sprite out",
        )
    image = open_image(sprite.image, "sprite", SHEET_FORMATS)
    suffix = _SUFFIXES.get(str(image.format))
    square = image.size[0] // sprite.tile_width == image.size[1] // sprite.tile_height
    if suffix is not None and square and table.rows is None:
        return sprite, suffix
    rows = np.arange(table.n_points) if table.rows is None else table.rows
    packed = take_tiles(sprite, rows)
    if packed.more:
        columns = int(np.ceil(np.sqrt(len(rows))))
        raise ParameterError(
            "sprite",
            f"a square of {columns} x {columns} tiles of {sprite.tile_width} x "
            f"{sprite.tile_height} pixels is more than the 8192 a side that TensorBoard shows",
            "make the tiles smaller: embviz sprite --size, or leave the sprite out",
        )
    return packed, ".png"


def _check_folder(folder: Path, tables: Sequence[EmbeddingTable]) -> None:
    """Refuse a folder that cannot be written or is the source."""
    check_folder(folder)
    for table in tables:
        source = Path(table.source) if table.source else None
        if source is not None and folder.exists() and source.exists():
            here = source if source.is_dir() else source.parent
            if here.samefile(folder) and (source.is_dir() or source.name == FILE_NAME):
                raise ParameterError(folder, "is the source", "name another folder after -o")


def _check_free(folder: Path, names: Sequence[str]) -> None:
    """Refuse to replace files that this did not write."""
    config = folder / FILE_NAME
    if config.is_file():
        with config.open("rb") as file:
            if file.read(200).startswith(WRITTEN_BY.encode()):
                return
    taken = [name for name in names if os.path.lexists(folder / name)]
    if taken:
        raise OutputError(
            folder / taken[-1], "is there and was not written by embviz", "name another folder"
        )

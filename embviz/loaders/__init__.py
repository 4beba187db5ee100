"""Reading vectors: what a source is, and the table it holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from embviz.errors import ParameterError, printable
from embviz.loaders.reading import AS_IT_IS, Reading, ReadingOptions

if TYPE_CHECKING:
    from embviz.loaders.opened import Columns, Source, Tensor
    from embviz.model import EmbeddingTable, TensorInfo

Named = str | Path | Sequence[str | Path]
_MOST_SHOWN = 4096


def load_table(
    source: Named,
    *,
    sprite: str | Path | None = None,
    sprite_size: tuple[int, int] | None = None,
    **options: Unpack[ReadingOptions],
) -> EmbeddingTable:
    """Read a table of vectors.

    Args:
        source: A file, a checkpoint's prefix, a folder, or a pattern as `shards/*.npy`; several of
            one width as one table, with a column `source`.
        sprite: A sheet of thumbnails, in place of the source's own.
        sprite_size: A tile's width and height in pixels.
        options: `tensor`, `metadata`, `input_format` and the other fields of `Reading`.

    Raises:
        LoadError: If a file is missing, damaged or of no known format.
        ParameterError: If there is no such tensor or format.
    """
    reading = Reading(**options)
    opened = open_source(source, reading)
    chosen = choose_tensor(opened, reading.tensor)
    return read_table(opened, chosen, reading, sprite=sprite, sprite_size=sprite_size)


def list_tensors(source: Named, **options: Unpack[ReadingOptions]) -> list[TensorInfo]:
    """Return the tensors of a source, the one that would be taken marked.

    Args:
        source: A file, a checkpoint's prefix, or a folder.
        options: `input_format` and the other fields of `Reading`.

    Raises:
        LoadError: If it is missing, damaged or of no known format.
        ParameterError: If there is no such format.
    """
    from embviz.loaders.choice import choose_default
    from embviz.loaders.formats import telling
    from embviz.model import TensorInfo

    opened = open_source(source, Reading(**options))
    with telling(opened.path):
        best = [t for t in choose_default(opened) if not t.refusal and not t.doubt]
        return [TensorInfo(t.name, t.shape, t.dtype, t.note, best == [t]) for t in opened.tensors]


def open_source(source: Named, reading: Reading = AS_IT_IS) -> Source:
    """Open a source: its headers are read, its tensors are had from it row by row.

    Args:
        source: A file, a checkpoint's prefix, a folder, or a pattern as `shards/*.npy`; several of
            one width as one table.
        reading: What is said of how it is read.

    Raises:
        LoadError: If it is missing, damaged or of no known format.
        ParameterError: If there is no such format.
    """
    from embviz.loaders.bytes.spooled import as_file, check_one_reader
    from embviz.loaders.formats import open_path, telling
    from embviz.loaders.patterns import find_sources

    paths = find_sources(source)

    def open_one(path: Path) -> Source:
        check_one_reader(("the source", path), ("--metadata", reading.metadata))
        with telling(path):
            path = as_file(path)
        return open_path(path, reading)

    if len(paths) == 1:
        return open_one(paths[0])
    from embviz.loaders.joined import open_several

    check_one_reader(*(("the source", path) for path in paths))
    return open_several(paths, reading, open_one)


def choose_tensor(source: Source, asked: str | None = None) -> Tensor:
    """Return the tensor of a source that is asked for, or the default one, which is told.

    Raises:
        LoadError: If none is rows of numbers, or several are equally good.
        ParameterError: If there is no such tensor.
    """
    from embviz.loaders import choice
    from embviz.loaders.formats import telling

    with telling(source.path):
        return choice.choose_tensor(source, asked)


def read_table(
    source: Source,
    tensor: Tensor,
    reading: Reading = AS_IT_IS,
    *,
    sprite: str | Path | None = None,
    sprite_size: tuple[int, int] | None = None,
    bare: bool = False,
) -> EmbeddingTable:
    """Return a tensor as a table; its vectors stay where they are until they are sliced.

    Args:
        source: What the tensor is of.
        tensor: One of its tensors.
        reading: What is said of how it is read.
        sprite: A sheet of thumbnails, in place of the source's own.
        sprite_size: A tile's width and height in pixels.
        bare: Whether to leave out what the source itself has of metadata, sprites and bookmarks.

    Raises:
        LoadError: If a file is missing or damaged.
        ParameterError: If there is a tile's size and no sheet, or unused rows are to be left out
            and no column tells them.
    """
    from dataclasses import replace

    from embviz.loaders.formats import telling
    from embviz.loaders.labels.beside import Labels, read_labels
    from embviz.model import EmbeddingTable

    reading, file = _metadata_file(reading)
    labels = Labels({})
    with telling(source.path):
        rows = tensor.rows()
    if file is not None or not bare:
        with telling(file or source.path):
            labels = read_labels(source, tensor, rows.shape[0], reading)
    own_sprite = None if bare or sprite is not None else tensor.sprite
    own_bookmarks = None if bare else tensor.bookmarks
    with telling(source.path):
        table = EmbeddingTable(
            rows,
            labels.columns if labels.kept is None else {},
            name=tensor.name,
            source=printable(source.shown or str(source.path), _MOST_SHOWN),
            sprite=own_sprite and own_sprite(),
            rows=tensor.numbers and tensor.numbers(),
            bookmarks=own_bookmarks() if own_bookmarks else (),
            named_by=labels.named_by,
            verify=tensor.verify,
        )
    table = _with_sprite(table, sprite, sprite_size)
    if labels.kept is not None:
        without = {"unlabeled": table.n_points - len(labels.kept)}
        table = replace(table.keep(labels.kept), metadata=labels.columns, left_out=without)
    if reading.drop_unused:
        from embviz.loaders.labels.unused import drop_unused

        return drop_unused(table)
    return table


def open_columns(
    source: Source, tensor: Tensor, n_rows: int, reading: Reading = AS_IT_IS
) -> Columns | None:
    """Open the columns of a tensor, to be read where they are asked; None where it has none.

    Args:
        source: What the tensor is of.
        tensor: One of its tensors.
        n_rows: How many rows it has.
        reading: What is said of how it is read.

    Raises:
        LoadError: If a file of columns is missing, damaged or of another number of rows.
    """
    from embviz.loaders.formats import telling
    from embviz.loaders.labels import beside

    reading, file = _metadata_file(reading)
    with telling(file or source.path):
        return beside.open_columns(source, tensor, n_rows, reading)


def _metadata_file(reading: Reading) -> tuple[Reading, Path | None]:
    """Return the file of columns that is named, with which it is read; a pipe becomes a file."""
    from dataclasses import replace

    from embviz.loaders.bytes.spooled import as_file
    from embviz.loaders.formats import check_exists, telling

    if reading.metadata is None:
        return reading, None
    file = Path(reading.metadata)
    with telling(file):
        file = as_file(file)
    check_exists(file)
    return replace(reading, metadata=file), file


def _with_sprite(
    table: EmbeddingTable, sprite: str | Path | None, size: tuple[int, int] | None
) -> EmbeddingTable:
    from dataclasses import replace

    if sprite is not None:
        from embviz.sprites import load_sprite

        return replace(table, sprite=load_sprite(Path(sprite), size, table.n_points))
    if size is not None and table.sprite is None:
        raise ParameterError("--sprite-size", "there is no sprite", "name one: --sprite FILE")
    return table

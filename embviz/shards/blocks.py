"""Which files the rows of a source lie in, found by their headers."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from embviz.errors import LoadError, NoRowsError, ParameterError, printable
from embviz.loaders import choose_tensor, open_source
from embviz.loaders.bytes.spooled import is_standard_input
from embviz.loaders.joined import stem_of
from embviz.loaders.opened import Source, Tensor
from embviz.loaders.patterns import find_sources
from embviz.loaders.reading import AS_IT_IS, Reading
from embviz.rows import JoinedRows
from embviz.shards.values import ShardedRows, ShardFile

log = logging.getLogger("embviz")


def open_shards(
    source: str | Path | Sequence[str | Path], reading: Reading = AS_IT_IS
) -> ShardedRows:
    """Find the files of a source and how many rows each has.

    Args:
        source: A file, a folder, a pattern, or several of these in the order of their rows; the
            files of a pattern or folder are taken in natural order: part-2 before part-10.
        reading: Its `tensor` and `input_format`.

    Raises:
        LoadError: If a file is missing or damaged, they differ in width or dtype, or all are
            empty; an empty one among others is passed over.
        ParameterError: If one is no file that a worker could open, or is named twice.
    """
    named = find_sources(source)
    for path in named:
        _check_is_file(path)
    found: list[tuple[ShardFile, int, np.dtype[Any]]] = []
    empty: list[NoRowsError] = []
    for path in named:
        try:
            found += _files_of(path, reading)
        except NoRowsError as error:
            log.info("%s: no rows, passed over", printable(str(path)))
            empty.append(error)
    if not found:
        raise empty[0]
    _check_alike(found)
    sharded = ShardedRows(tuple(file for file, _, _ in found), *found[0][1:])
    _check_once(sharded.files)
    return sharded


def _check_is_file(path: Path) -> None:
    """Refuse what only this process can read.

    Raises:
        ParameterError: If it is the standard input or a pipe.
    """
    if is_standard_input(path) or (path.exists() and not (path.is_file() or path.is_dir())):
        raise ParameterError(
            path, "workers open files by their paths, and this is none", "write it to a file"
        )


def _files_of(path: Path, reading: Reading) -> list[tuple[ShardFile, int, np.dtype[Any]]]:
    """Return the files of a source in their order, with the width and dtype of each."""
    opened = open_source(path, reading)
    tensor = choose_tensor(opened, reading.tensor)
    if path.is_dir():
        parts = _parts_of_folder(opened, tensor)
        if parts:
            return [found for part in parts for found in _files_of(part, AS_IT_IS)]
    n_rows, n_dims = tensor.shape
    dtype = np.dtype(tensor.rows().dtype)
    absolute = os.path.abspath(path)
    shown = printable(str(path), 200)
    file = ShardFile(
        absolute, int(n_rows), tensor.name, reading.input_format, shown, tensor.columns is not None
    )
    return [(file, int(n_dims), dtype)]


def _parts_of_folder(opened: Source, tensor: Tensor) -> list[Path]:
    """Return the files of a folder that are the parts of a table, where that is what it is.

    They are read one by one then, so that what is wrong with one is told by its name. The folder
    is opened as a whole where it is anything else.
    """
    rows = tensor.rows()
    if not isinstance(rows, JoinedRows):
        return []
    arrays = [file for file in opened.files if file.suffix.lower() == ".npy"]
    named = [file for file in arrays if (stem_of(file.stem) or opened.path.name) == tensor.name]
    return named if len(named) == len(rows.parts) else []


def _check_alike(found: Sequence[tuple[ShardFile, int, np.dtype[Any]]]) -> None:
    """Refuse files that are no parts of one table.

    Raises:
        LoadError: With the two that differ.
    """
    first, n_dims, dtype = found[0]
    for file, other_dims, other_dtype in found[1:]:
        if other_dims != n_dims:
            a, b = f"{n_dims} wide", f"{other_dims} wide"
        elif other_dtype != dtype:
            a, b = str(dtype), str(other_dtype)
        else:
            continue
        raise LoadError(
            file.shown,
            f"is {b}, and {first.shown} is {a}: no parts of one table",
            "name those that belong together",
        )


def _check_once(files: Sequence[ShardFile]) -> None:
    seen: set[str] = set()
    for file in files:
        if file.path in seen:
            raise ParameterError("SOURCE", f"{file.shown} is named twice", "name it once")
        seen.add(file.path)

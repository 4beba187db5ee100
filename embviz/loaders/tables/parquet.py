"""Parquet: a file, or a folder of parts (https://parquet.apache.org/docs/file-format/)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from embviz.errors import LoadError
from embviz.inputs import open_file
from embviz.loaders.confined import find_within
from embviz.loaders.extras import need_package
from embviz.loaders.opened import Claim, Source, Start
from embviz.loaders.reading import Reading
from embviz.loaders.tables.arrow_table import Part, open_parquet
from embviz.loaders.tables.parts import find_parts, open_parts

_MAGIC, _ENCRYPTED = b"PAR1", b"PARE"
_DATA = "data"
_SUFFIXES = (".parquet", ".parq", ".pq")


class ParquetFormat:
    """Reads the columns of lists of Parquet files as tensors, the others as metadata."""

    name = "parquet"
    takes = ("columns",)

    def claim(self, start: Start) -> Claim | None:
        """Claim what begins as Parquet does, and folders of such files."""
        if start.kind == "folder":
            there = find_parts(start.names, _SUFFIXES) or _in_data(start.path, start.names)
            return Claim.CONTENT if there else None
        if start.head.startswith((_MAGIC, _ENCRYPTED)):
            return Claim.MAGIC
        return Claim.NAME if start.path.suffix.lower() in _SUFFIXES else None

    def open(self, path: Path, reading: Reading) -> Source:
        """Read the footers of a file, or of the files in a folder.

        Raises:
            LoadError: If pyarrow is missing, or a file is damaged or encrypted.
        """
        need_package(path, "Parquet", "pyarrow", "parquet")
        if path.is_dir() and not find_parts(os.listdir(path), _SUFFIXES):
            opened = open_parts(
                find_within(path, _DATA, path), _SUFFIXES, open_parquet_file, reading.columns
            )
            return replace(opened, path=path)
        return open_parts(path, _SUFFIXES, open_parquet_file, reading.columns)


def _in_data(path: Path, names: Sequence[str]) -> bool:
    """Tell whether parts lie in a folder `data`, as in a data set of the Hugging Face Hub."""
    folder = path / _DATA
    return _DATA in names and folder.is_dir() and bool(find_parts(os.listdir(folder), _SUFFIXES))


def open_parquet_file(path: Path) -> Part:
    """Read the footer of one file; raises LoadError for what is none."""
    with open_file(path) as file:
        start = file.read(4)
    if start == _ENCRYPTED:
        raise LoadError(path, "encrypted Parquet", "write it without encryption")
    if start != _MAGIC:
        raise LoadError(path, "no Parquet: it does not begin with PAR1", "leave --input-format out")
    return open_parquet(path)


PARQUET = ParquetFormat()

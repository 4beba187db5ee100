"""Parquet: a file, or a folder of parts (https://parquet.apache.org/docs/file-format/)."""

from __future__ import annotations

from pathlib import Path

from embviz.errors import LoadError
from embviz.loaders.opened import Claim, Source, Start
from embviz.loaders.reading import Reading
from embviz.loaders.tables.arrow_table import Part, need_pyarrow, open_parquet
from embviz.loaders.tables.parts import find_parts, open_parts

_MAGIC, _ENCRYPTED = b"PAR1", b"PARE"
_SUFFIXES = (".parquet", ".parq", ".pq")


class ParquetFormat:
    """Reads the columns of lists of Parquet files as tensors, the others as metadata."""

    name = "parquet"
    takes = ("columns",)

    def claim(self, start: Start) -> Claim | None:
        """Claim what begins as Parquet does, and folders of such files."""
        if start.kind == "folder":
            return Claim.CONTENT if find_parts(start.names, _SUFFIXES) else None
        if start.head.startswith((_MAGIC, _ENCRYPTED)):
            return Claim.MAGIC
        return Claim.NAME if start.path.suffix.lower() in _SUFFIXES else None

    def open(self, path: Path, reading: Reading) -> Source:
        """Read the footers of a file, or of the files in a folder.

        Raises:
            LoadError: If pyarrow is missing, or a file is damaged or encrypted.
        """
        need_pyarrow(path, "Parquet")
        return open_parts(path, _SUFFIXES, open_parquet_file, reading.columns)


def open_parquet_file(path: Path) -> Part:
    """Read the footer of one file; raises LoadError for what is none."""
    with path.open("rb") as file:
        start = file.read(4)
    if start == _ENCRYPTED:
        raise LoadError(path, "encrypted Parquet", "write it without encryption")
    if start != _MAGIC:
        raise LoadError(path, "no Parquet: it does not begin with PAR1", "leave --input-format out")
    return open_parquet(path)


PARQUET = ParquetFormat()

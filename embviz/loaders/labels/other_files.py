"""Metadata that is no text: arrays of NumPy, and files of other programs, which are refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from embviz.errors import LoadError
from embviz.loaders.arrays.npy_header import MAGIC as NPY_MAGIC
from embviz.loaders.opened import Start
from embviz.loaders.refusals import PICKLE, is_pickle

_TEXT = "write one label a line"
_KINDS = (
    (b"\x89HDF\r\n", "HDF5, which is not read as labels", "save the columns as TSV or CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file", "save the sheet as CSV"),
    (b"SQLite format 3", "an SQLite database", "save the query's answer as CSV"),
    (b"%PDF", "PDF", _TEXT),
    (b"\x89PNG", "a PNG image", "thumbnails go to --sprite"),
    (b"\xff\xd8\xff", "a JPEG image", "thumbnails go to --sprite"),
)


def read_other(
    path: Path, start: Start, n_points: int | None
) -> Mapping[str, Sequence[str]] | None:
    """Read the columns of a file that is no text; None for what may be text.

    Raises:
        LoadError: If it is a folder, damaged, or a file of another program.
    """
    if start.kind == "folder":
        raise LoadError(path, "a folder, where a file of labels is needed", "name a file in it")
    zipped = start.head.startswith(b"PK\x03\x04")
    if start.unpacked.startswith(NPY_MAGIC) and not zipped:
        from embviz.loaders.arrays.texts import read_npy_columns

        return read_npy_columns(path)
    if zipped:
        return _read_zip(path, n_points)
    from embviz.loaders.tables.metadata import is_table_file, open_table_columns

    if is_table_file(start):
        columns, _ = open_table_columns(path, start)
        return {name: columns.column(name) for name in columns.names}
    if is_pickle(start.unpacked):
        raise LoadError(path, PICKLE, f"{_TEXT}, as UTF-8 text")
    for magic, kind, way_out in _KINDS:
        if start.unpacked.startswith(magic):
            raise LoadError(path, kind, way_out)
    if start.unpacked[257:262] == b"ustar":
        raise LoadError(path, "a tar archive", f"unpack it first: tar -xf {path}")
    return None


def _read_zip(path: Path, n_points: int | None) -> Mapping[str, Sequence[str]] | None:
    """Return the columns of an archive of arrays; None for an archive of one text file."""
    from embviz.loaders.arrays.npz import read_label_arrays
    from embviz.loaders.bytes.zip_members import open_archive

    with open_archive(path) as archive:
        names = archive.namelist()
    if any(name.endswith(".npy") for name in names):
        return read_label_arrays(path, n_points)
    if "[Content_Types].xml" in names:
        raise LoadError(path, "an Excel workbook, which is not read", "save the sheet as CSV")
    return None

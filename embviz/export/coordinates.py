"""Coordinates as arrays or text."""

from __future__ import annotations

import io
import logging
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from embviz.checks import check_list, check_path
from embviz.errors import ParameterError
from embviz.model import EmbeddingTable, Projection
from embviz.outputs.cells import cell
from embviz.outputs.files import write_file
from embviz.outputs.text import to_utf8
from embviz.pictures.tabs import name_tabs

progress = logging.getLogger("embviz.progress")


def write_coordinates(
    path: str | os.PathLike[str], table: EmbeddingTable, projections: Sequence[Projection]
) -> None:
    """Write the coordinates of projections, with row numbers and labels.

    `.npz` holds `rows` int64, `labels` and one float32 array (n_points, n_components) a projection,
    such as `tsne_2`, or `tsne-2_2` of a second tab, with a text `tsne_2_title` that tells them
    apart; of a run also `steps`, their names, and arrays (n_steps, n_points, n_components), such as
    `tsne_2_steps`. `.tsv` is a line a point with a header, in which columns of several tabs of one
    method have their title too: `tsne-2_2:1 t-SNE, perplexity 15`.

    Raises:
        ParameterError: If the name ends otherwise, or a projection is of another number of points.
        OutputError: If the file cannot be written.
    """
    write_file(check_path("path", path), encode_coordinates(path, table, projections))


def encode_coordinates(
    path: str | os.PathLike[str], table: EmbeddingTable, projections: Sequence[Projection]
) -> bytes:
    """Return the file that `write_coordinates` writes, in the format that its name says.

    Raises:
        ParameterError: If it says none, or a projection is of another number of points.
    """
    path = check_path("path", path)
    check_coordinates_name(path)
    projections = check_list("projections", projections)
    for projection in projections:
        projection.check_points(table.n_points)
    progress.info("writing %s", path)
    rows = np.array([table.row_number(i) for i in range(table.n_points)], np.int64)
    named = {f"{p.key}_{p.coordinates.shape[1]}": p for p in name_tabs(projections)}
    if path.suffix.lower() == ".npz":
        buffer = io.BytesIO()
        labels = np.array([table.label(i) for i in range(table.n_points)], np.str_)
        arrays: dict[str, Any] = {name: p.coordinates for name, p in named.items()}
        arrays |= {f"{name}_title": np.array(p.title, np.str_) for name, p in named.items()}
        for name, p in named.items():
            if p.frames is not None and p.frames.unit == "step":
                arrays["steps"] = np.array(p.frames.steps, np.str_)
                arrays[f"{name}_steps"] = p.frames.coordinates
        np.savez(buffer, rows=rows, labels=labels, **arrays)
        return _without_dates(buffer.getvalue())
    return to_utf8(_as_tsv(table, rows, named))


def check_coordinates_name(path: Path) -> None:
    """Refuse a name that says no format of coordinates.

    Raises:
        ParameterError: If it ends otherwise than in .npz, .tsv or .txt.
    """
    if path.suffix.lower() not in (".npz", ".tsv", ".txt"):
        shown = f"'{path.suffix}' is not written" if path.suffix else "the name says no format"
        raise ParameterError(path, shown, "name a .npz or .tsv file")


def _without_dates(data: bytes) -> bytes:
    """Return a zip of arrays with the same members and no time of day in them."""
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), old.read(name))
    return out.getvalue()


def _as_tsv(table: EmbeddingTable, rows: Any, named: Mapping[str, Projection]) -> str:
    tabs = Counter(name for name, _ in {(p.name, p.key) for p in named.values()})
    names = [
        cell(f"{name}:{c + 1}" + (f" {p.title}" if tabs[p.name] > 1 else ""))
        for name, p in named.items()
        for c in range(p.coordinates.shape[1])
    ]
    arrays = [p.coordinates for p in named.values()]
    values = np.concatenate([np.empty((len(rows), 0), np.float32), *arrays], axis=1)
    lines = ["\t".join(["row", "label", *names])]
    for i, row in enumerate(rows.tolist()):
        numbers = (f"{x:.9g}" for x in values[i])
        lines.append("\t".join([str(row), cell(table.label(i)), *numbers]))
    return "\n".join(lines) + "\n"

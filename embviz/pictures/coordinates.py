"""`--coordinates`: where coordinates that were computed elsewhere are found, and whose they are."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, ParameterError, printable
from embviz.model import EmbeddingTable
from embviz.projections import PROJECTORS
from embviz.projections.placed import Placed
from embviz.rows import read_rows

if TYPE_CHECKING:
    from embviz.loaders.opened import Source, Tensor

OPTION = "--coordinates"
_WIDTHS = (2, 3)
_WAYS = "a file, FILE:TENSOR, columns of the source as x,y, or a tensor of it"


def read_coordinates(
    place: str | Path, table: EmbeddingTable, source: Source | None = None
) -> Placed:
    """Read coordinates of a table's points, to be given to `project` among its methods.

    Args:
        place: A file that `load_table` reads, with 2 or 3 columns of numbers; `FILE:TENSOR` where
            it holds several, such as `cells.h5ad:obsm/X_umap`; two or three metadata columns of
            the table, as `x,y`.
        table: The points, as they were read: all rows of their source.
        source: What the table was read of, whose tensors may be named too.

    Raises:
        LoadError: If a file is missing or damaged, or has other rows than the table.
        ParameterError: If there is no such place, or it has other than 2 or 3 columns.
    """
    text = str(place)
    file, tensor = split_place(text)
    if file is not None:
        values, name = _of_file(file, tensor, table, text)
    else:
        names = [name.strip() for name in text.split(",")]
        if len(names) > 1 and any(name in table.metadata for name in names):
            values, name = _of_columns(names, table), ", ".join(names)
        elif source is not None and text:
            values, name = _of_tensor(source, text, table)
        else:
            raise ParameterError(f"{OPTION} {printable(text, 200)}", "not found", f"give {_WAYS}")
    return Placed(_by_row_number(values, table), name, _as_key(name))


def split_place(text: str) -> tuple[Path | None, str | None]:
    """Return the file and the tensor that a place names; None for a file is none that is there."""
    try:
        if text and Path(text).exists():
            return Path(text), None
        file, colon, tensor = text.rpartition(":")
        if colon and file and tensor and Path(file).exists():
            return Path(file), tensor
    except (OSError, ValueError):
        pass
    looks_so = "/" in text or re.search(r"\.\w{2,7}$", text)
    if looks_so and not text.startswith(("obsm/", "layers/")):
        return Path(text), None
    return None, None


def _of_file(
    file: Path, tensor: str | None, table: EmbeddingTable, text: str
) -> tuple[NDArray[np.float64], str]:
    from embviz.loaders import choose_tensor, open_columns, open_source

    source = open_source(file)
    if tensor is None:
        fitting = [t for t in source.tensors if _fits(t)]
        if len(fitting) > 1:
            names = ", ".join(printable(t.name, 60) for t in fitting[:8])
            raise ParameterError(
                f"{OPTION} {text}", f"{len(fitting)} tables of 2 or 3 columns: {names}",
                f"name one, as {text}:{fitting[0].name}",
            )  # fmt: skip
        chosen = fitting[0] if fitting else choose_tensor(source)
    else:
        chosen = choose_tensor(source, tensor)
    values = _numbers(chosen, text, table)
    columns = open_columns(source, chosen, len(values))
    label = None if columns is None else columns.label
    if columns is not None and label is not None:
        _check_order(columns.column(label), table, text)
    alone = sum(map(_fits, source.tensors)) < 2 and tensor is None
    return values, file.name.partition(".")[0] if alone else chosen.name.rpartition("/")[2]


def _fits(tensor: Tensor) -> bool:
    return tensor.is_table and len(tensor.shape) == 2 and tensor.shape[1] in _WIDTHS


def _of_tensor(source: Source, text: str, table: EmbeddingTable) -> tuple[NDArray[np.float64], str]:
    from embviz.loaders.choice import match_name

    found = [t for t in match_name(source.tensors, text) if t.is_table]
    if len(found) != 1:
        why = f"no file, and {len(found) or 'no'} tensors of {source.path} are named so"
        fitting = ", ".join(printable(t.name, 60) for t in source.tensors if _fits(t))
        way_out = f"of 2 or 3 columns are {fitting}" if fitting else f"give {_WAYS}"
        if len(text.split(",")) in _WIDTHS and _has_columns(source):
            left = ",".join(f"-{name.strip()}" for name in text.split(","))
            way_out = f"columns of the vector are none: --columns {left} leaves them out of it"
        raise ParameterError(f"{OPTION} {printable(text, 200)}", why, way_out)
    return _numbers(found[0], text, table), found[0].name.rpartition("/")[2]


def _has_columns(source: Source) -> bool:
    """Tell whether the source is a table of which columns can be chosen."""
    from embviz.loaders.formats import find_format

    return "columns" in getattr(find_format(source.path), "takes", ())


def _numbers(tensor: Tensor, text: str, table: EmbeddingTable) -> NDArray[np.float64]:
    """Return the content of a tensor of two or three columns."""
    what = f"{OPTION} {printable(text, 200)}"
    shape = tensor.shape
    if len(shape) != 2 or shape[1] not in _WIDTHS:
        sides = " x ".join(map(str, shape))
        raise ParameterError(
            what, f"'{printable(tensor.name, 60)}' is {sides}", "2 or 3 columns are needed"
        )
    _check_count(shape[0], table, text)
    return np.asarray(read_rows(tensor.rows(), np.s_[0 : shape[0]]), np.float64)


def _of_columns(names: list[str], table: EmbeddingTable) -> NDArray[np.float64]:
    what = f"{OPTION} {printable(','.join(names), 200)}"
    missing = [name for name in names if name not in table.metadata]
    if missing or len(names) not in _WIDTHS:
        there = ", ".join(printable(name, 40) for name in list(table.metadata)[:12])
        why = f"no column '{printable(missing[0], 60)}'" if missing else f"{len(names)} columns"
        raise ParameterError(what, why, f"name 2 or 3 of {there}")
    values = np.empty((table.n_points, len(names)))
    for c, name in enumerate(names):
        for i, text in enumerate(table.metadata[name]):
            try:
                values[i, c] = float(text) if text else np.nan
            except ValueError:
                row = f"row {table.row_number(i)} of '{printable(name, 60)}'"
                raise LoadError(what, f"{row} is '{printable(text, 40)}', no number") from None
    return values if table.rows is None else values[np.argsort(table.rows)]


def _check_count(n_rows: int, table: EmbeddingTable, text: str) -> None:
    whole = table.rows is not None and n_rows > int(table.rows.max())
    if n_rows == table.n_points or whole:
        return
    what = f"{OPTION} {printable(text, 200)}"
    why = f"{n_rows:,} rows of coordinates for {table.n_points:,} points"
    if n_rows == table.n_points + 1:
        why += " (a header that was read as a row?)"
    raise LoadError(what, why, "a row for each point is needed, in the source's order")


def _check_order(labels: tuple[str, ...], table: EmbeddingTable, text: str) -> None:
    """Refuse coordinates whose labels are the table's in another order."""
    own = table.label_column()
    if own is None or len(labels) != table.n_points:
        return
    wanted = table.metadata[own]
    if table.rows is not None:
        wanted = tuple([wanted[i] for i in np.argsort(table.rows).tolist()])
    if labels == wanted or Counter(labels) != Counter(wanted):
        return
    row = next(i for i, (a, b) in enumerate(zip(labels, wanted, strict=True)) if a != b)
    there, here = printable(labels[row], 40), printable(wanted[row], 40)
    raise LoadError(
        f"{OPTION} {printable(text, 200)}",
        f"the same labels in another order: row {row} is '{there}', in the source '{here}'",
        "write them in the source's order",
    )


def _by_row_number(values: NDArray[np.float64], table: EmbeddingTable) -> NDArray[np.float64]:
    """Return coordinates by the row numbers of the source, NaN where the table has no point."""
    if table.rows is None or len(values) > int(table.rows.max()):
        return values
    placed = np.full((int(table.rows.max()) + 1, values.shape[1]), np.nan)
    placed[np.sort(table.rows)] = values
    return placed


def _as_key(name: str) -> str:
    key = re.sub(r"[^\w.-]+", "-", name).strip("-") or "placed"
    return f"{key}-file" if key in PROJECTORS.ours else key

"""What the columns of an Arrow table are: vectors, metadata, or neither."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from embviz.errors import LoadError, counted, printable
from embviz.loaders.choice import WHOLE_LISTS
from embviz.loaders.columns.kinds import names_vectors
from embviz.loaders.opened import Tensor, list_some
from embviz.loaders.tables.arrow_choice import choose_columns
from embviz.loaders.tables.arrow_table import MOST_A_BYTE, ArrowTable, Walk
from embviz.loaders.tables.arrow_texts import ArrowColumns, is_readable
from embviz.loaders.tables.arrow_vectors import (
    ListRows,
    ListType,
    WideRows,
    as_floats,
    list_bounds,
    list_type,
    number_type,
    read_lists,
)
from embviz.rows import Rows

_log = logging.getLogger("embviz")

_FIRST_ROWS = 4096
_MOST_JSON = 64 << 20


def arrow_tensors(
    table: ArrowTable, prefix: str = "", asked: str | None = None
) -> tuple[Tensor, ...]:
    """Return the tensors of a table: a column of lists each; without any, its numbers as one.

    Args:
        table: Files of the same columns.
        prefix: What goes before a column in a tensor's name, as `train/`.
        asked: What `--columns` says.

    Raises:
        LoadError: If two columns have one name, the files have different ones, or only a person
            can know whether a column is a dimension.
        ParameterError: If the columns that are asked for are no vector.
    """
    table.check_columns()
    classes = class_names(table.schema.metadata or {})
    choice = choose_columns(table, classes, asked)
    vectors = {f.name for f in table.schema if list_type(f.type) is not None} | {*choice.wide}
    others = [f for f in table.schema if f.name not in vectors or f.name == choice.label]
    columns = _columns(table, others, classes, choice.label)
    if choice.wide or not choice.lists:
        return (_wide_tensor(table, list(choice.wide), prefix, columns),)
    return tuple(
        _list_tensor(table, name, kind, prefix, columns) for name, kind in choice.lists.items()
    )


def metadata_columns(table: ArrowTable) -> ArrowColumns:
    """Return all columns of a table that have a text, vectors left out, which is told.

    Raises:
        LoadError: If two columns have one name.
    """
    table.check_columns()
    lists = [f.name for f in table.schema if list_type(f.type) is not None]
    if lists:
        shown = printable(list_some(lists), 400)
        _log.info("%s: vectors are no metadata and are left out: %s", table.path, shown)
    others = [f for f in table.schema if f.name not in lists]
    return _columns(table, others, class_names(table.schema.metadata or {}))()


def class_names(metadata: Mapping[bytes, bytes]) -> dict[str, tuple[str, ...]]:
    """Return the names of classes by column, as Hugging Face's datasets keep them in a schema."""
    raw = metadata.get(b"huggingface", b"")
    if not raw or len(raw) > _MOST_JSON:
        return {}
    try:
        return features_classes(json.loads(raw)["info"]["features"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return {}


def features_classes(features: Any) -> dict[str, tuple[str, ...]]:
    """Return the names of classes by column of the features of a data set."""
    found = {}
    for column, feature in features.items() if isinstance(features, dict) else ():
        names = feature.get("names") if isinstance(feature, dict) else None
        if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
            found[str(column)] = tuple(names)
    return found


def _columns(
    table: ArrowTable,
    fields: Sequence[Any],
    classes: Mapping[str, Sequence[str]],
    label: str | None = None,
) -> Callable[[], ArrowColumns]:
    names = [f.name for f in fields if is_readable(f.type)]
    left_out = [f.name for f in fields if not is_readable(f.type)]

    @cache
    def columns() -> ArrowColumns:
        if left_out:
            were = "holds bytes and is" if len(left_out) == 1 else "hold bytes and are"
            shown = printable(list_some(left_out), 400)
            _log.info("%s: %s %s left out of the metadata", table.path, shown, were)
        return ArrowColumns(table, names, classes, label)

    return columns


def _list_tensor(
    table: ArrowTable,
    name: str,
    kind: ListType,
    prefix: str,
    columns: Callable[[], ArrowColumns],
) -> Tensor:
    what = f"{table.path}: column '{printable(name)}'"
    dtype, note, refusal = kind.dtype, f"column of {kind.dtype} lists", None
    sides = kind.sides
    if sides is None:
        width = _first_width(table, name)
        sides = (width,) if width else ()
        refusal = _ragged(table, name, width, what) if width else _nothing(table, name, what)
    if min(sides, default=0) < 0 or math.prod(sides) > MOST_A_BYTE * sum(
        p.path.stat().st_size for p in table.parts
    ):
        raise LoadError(what, f"damaged: lists of {' x '.join(map(str, sides))} numbers")
    if not refusal and dtype.kind in "iu" and len(sides) == 1 and _has_nulls(table, name):
        dtype, note = as_floats(dtype), f"{note}, with nulls"
    if refusal:
        note = refusal.why

    def rows() -> Rows:
        return ListRows(table, name, sides[0], dtype)

    return Tensor(
        prefix + name,
        (table.n_rows, *sides),
        str(dtype),
        rows=rows,
        role="other" if refusal else "table",
        aliases=(prefix.removesuffix("/"),),
        note=note,
        doubt="" if names_vectors(name) or kind.dtype.kind not in "iu" else WHOLE_LISTS,
        refusal=refusal,
        columns=columns,
    )


def _first_width(table: ArrowTable, name: str) -> int:
    """Return the length of the first list that is neither null nor empty, 0 where there is none."""
    for _, batch in table.batches([name], 0, 1 << 16):
        _, lengths = list_bounds(getattr(batch.column(0), "storage", batch.column(0)))
        there = np.flatnonzero(lengths)
        if len(there):
            return int(lengths[there[0]])
    return 0


def _nothing(table: ArrowTable, name: str, what: str) -> LoadError:
    return LoadError(what, f"{counted(table.n_rows, 'row')}, all of them null or empty")


def _ragged(table: ArrowTable, name: str, width: int, what: str) -> LoadError | None:
    """Return the error on lists of other lengths among the first rows; others are found later."""
    try:
        walk = Walk(table, [name], width * 8)
        for first, batch in walk.slices(0, min(_FIRST_ROWS, table.n_rows)):
            read_lists(batch.column(0), width, what, first)
    except LoadError as error:
        if error.what == what:
            return error
        raise
    return None


def _has_nulls(table: ArrowTable, name: str) -> bool:
    """Tell whether a list, or a number in one, is null; the column is read through."""
    for _, batch in table.batches([name], 0, 1 << 8):
        array = getattr(batch.column(0), "storage", batch.column(0))
        if array.null_count or array.values.null_count or not list_bounds(array)[1].all():
            return True
    return False


def _wide_tensor(
    table: ArrowTable, names: list[str], prefix: str, columns: Callable[[], ArrowColumns]
) -> Tensor:
    path = table.path
    refusal = None
    dtype = np.dtype(np.float32)
    if len(names) < 2:
        there = list_some([f"{f.name} ({f.type})" for f in table.schema]) or "none"
        refusal = LoadError(
            path, f"no column holds vectors, and {len(names)} plain numbers; columns: {there}",
            "a vector is a list of numbers in one column, or numbers in two columns or more",
        )  # fmt: skip
    else:
        kinds = [number_type(table.schema.field(name).type) for name in names]
        nulls = any(k is not None and k.kind in "iu" for k in kinds) and any(
            _column_has_nulls(table, name) for name in names
        )
        dtype = np.result_type(*[as_floats(k) if nulls and k else k for k in kinds if k])

    def rows() -> Rows:
        kept = [name for name in columns().names if number_type(table.schema.field(name).type)]
        shown = printable(list_some(names, 4), 200)
        also = f"; kept as metadata: {printable(list_some(kept), 400)}" if kept else ""
        _log.info("%s: %s columns as one vector (%s)%s", path, f"{len(names):,}", shown, also)
        return WideRows(table, names, dtype)

    return Tensor(
        prefix + path.name,
        (table.n_rows, len(names)),
        str(dtype),
        rows=rows,
        role="other" if refusal else "table",
        aliases=(prefix + path.stem, prefix.removesuffix("/")),
        note=refusal.why if refusal else "columns of numbers",
        refusal=refusal,
        columns=columns,
    )


def _column_has_nulls(table: ArrowTable, name: str) -> bool:
    return any(batch.column(0).null_count for _, batch in table.batches([name]))

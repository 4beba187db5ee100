"""Columns of an Arrow table as metadata: texts, read when they are asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from embviz.loaders.tables.arrow_table import ArrowTable, reading_arrow
from embviz.loaders.tables.arrow_vectors import number_type, read_numbers
from embviz.model import is_numeric

_ROW_BYTES = 256
_SECONDS = re.compile(r"(:\d\d)(?:\.0+|(\.\d*?[1-9])0+)(?=$|Z|[+-])")


class ArrowColumns:
    """Metadata columns of a table; `classes` are the names that stand for numbers in a column.

    `named_by` is the column that the user says names the points.
    """

    def __init__(
        self,
        table: ArrowTable,
        names: Sequence[str],
        classes: Mapping[str, Sequence[str]],
        named_by: str | None = None,
    ) -> None:
        self._table, self._classes, self._named_by = table, classes, named_by
        first = [name for name in names if name == named_by]
        self._names = (*first, *(name for name in names if name != named_by))
        self.column = cache(self._read)

    @property
    def names(self) -> tuple[str, ...]:
        return self._names

    @property
    def label(self) -> str | None:
        """What the user said, else the first column that is not all numbers, else the first."""
        if self._named_by is not None:
            return self._named_by
        for name in self._names:
            if not self._is_numeric(name):
                return name
        return self._names[0] if self._names else None

    def value(self, column: str, point: int) -> str:
        return self.column(column)[point]

    def find(self, text: str) -> list[int]:
        label = self.label
        if label is None:
            return []
        return [row for row, value in enumerate(self.column(label)) if value == text]

    def _read(self, name: str) -> tuple[str, ...]:
        texts: list[str] = []
        for _, batch in self._table.batches([name], 0, _ROW_BYTES):
            with reading_arrow(self._table.path):  # A zone may have no name in UTF-8.
                texts += as_texts(batch.column(0), self._classes.get(name, ()))
        return tuple(texts)

    def _is_numeric(self, name: str) -> bool:
        kind = self._table.schema.field(name).type
        if number_type(kind) is not None and name not in self._classes:
            for _, batch in self._table.batches([name], 0, _ROW_BYTES):
                if np.isfinite(read_numbers(batch.column(0))).any():
                    return True
        return is_numeric(self.column(name))


def is_readable(kind: Any) -> bool:
    """Tell whether values of a type have a text: all but bytes, and what holds bytes."""
    from pyarrow import types

    kind = getattr(kind, "storage_type", kind)
    if types.is_dictionary(kind):
        return is_readable(kind.value_type)
    if types.is_nested(kind):
        return all(is_readable(kind.field(i).type) for i in range(kind.num_fields))
    return not any(
        test(kind) for test in (types.is_binary, types.is_large_binary, types.is_fixed_size_binary)
    ) and not str(kind).startswith("binary")


def as_texts(array: Any, classes: Sequence[str] = ()) -> list[str]:
    """Return an Arrow array as texts, "" for null; what is nested is JSON."""
    import pyarrow
    from pyarrow import types

    array = getattr(array, "storage", array)
    kind = array.type
    if types.is_dictionary(kind):
        array = array.dictionary_decode()
        kind = array.type
    if classes:
        return [_class_name(value, classes) for value in array.to_pylist()]
    if types.is_nested(kind):
        found = ("" if value is None else _json(value) for value in array.to_pylist())
        return list(found)
    if types.is_null(kind):
        return [""] * len(array)
    if types.is_floating(kind):
        numbers = read_numbers(array)
        return ["" if text == "nan" else text for text in numbers.astype(str).tolist()]
    if types.is_boolean(kind):
        return ["" if value is None else str(value) for value in array.to_pylist()]
    if types.is_duration(kind):
        array = array.cast(pyarrow.int64())
    zone = types.is_timestamp(kind) and kind.tz is not None
    if zone:
        array = array.cast(pyarrow.timestamp(kind.unit, "UTC")).cast(pyarrow.timestamp(kind.unit))
    texts = ["" if t is None else t for t in array.cast(pyarrow.string()).to_pylist()]
    if types.is_timestamp(kind) or types.is_time(kind):
        texts = [_SECONDS.sub(r"\1\2", text) + ("Z" if zone and text else "") for text in texts]
    return texts


def _class_name(value: Any, classes: Sequence[str]) -> str:
    """Return the name of a class, its number where it has none."""
    if value is None:
        return ""
    if isinstance(value, int) and 0 <= value < len(classes):
        return classes[value]
    return str(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)

"""Metadata as JSON lines, as a JSON array or as an object of columns."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from embviz.errors import LoadError, printable
from embviz.loaders.opened import ONE_COLUMN_NAME

_log = logging.getLogger("embviz")

_MOST_COLUMNS = 10_000


def may_be_json(text: str) -> bool:
    """Tell whether a text begins as JSON that holds rows."""
    return text.lstrip()[:1] in ("{", "[")


def is_json(text: bytes | bytearray) -> bool:
    """Tell whether a line is a whole value of JSON."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def read_json(path: Path, text: str) -> dict[str, list[str]] | None:
    """Read the rows of JSON lines, or of one JSON value; None where the text is neither.

    Objects give a column a key, in the order in which the keys come first; other values are one
    column. An object of lists that are equally long is columns, one of numbers from 0 is by row.
    Numbers stay as they are written, null and what is missing is "", and lists of numbers, which
    are vectors and no metadata, are left out.

    Raises:
        LoadError: If it begins as JSON lines and a line is none, is a value without rows, or is
            nested too deeply.
    """
    try:
        return _read(path, text)
    except RecursionError:
        raise LoadError(path, "JSON that is nested too deeply", "leave such values out") from None


def _read(path: Path, text: str) -> dict[str, list[str]] | None:
    first = text.lstrip().partition("\n")[0]
    if isinstance(_parse(first), dict) and text.strip() != first.strip():
        return _columns(path, _lines(path, text))
    value = _parse(text)
    if isinstance(value, list):
        return _columns(path, value)
    if not isinstance(value, dict):
        return None
    if value and all(isinstance(column, list) for column in value.values()):
        lengths = {len(column) for column in value.values()}
        if len(lengths) == 1:
            return {str(name): list(map(_text, column)) for name, column in value.items()}
    by_row = _by_row(value)
    if by_row is not None:
        return _columns(path, by_row)
    return _columns(path, [value])


def _lines(path: Path, text: str) -> list[Any]:
    values = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        value = _parse(line)
        if not isinstance(value, dict):
            raise LoadError(
                f"{path}:{number}",
                f"no JSON object ('{printable(line, 40)}'), as the lines above are",
                "write one object a line",
            )
        values.append(value)
    return values


def _parse(text: str) -> Any:
    """Return the value of a text, numbers as texts; None where it is no JSON."""
    try:
        return json.loads(text, parse_float=_Number, parse_int=_Number, parse_constant=_Number)
    except (ValueError, RecursionError):
        return None


class _Number(str):
    """A number as it is written."""


def _by_row(value: Mapping[str, Any]) -> Sequence[Any] | None:
    """Return an object's values in the order of its keys 0, 1, …, or its keys by such values."""
    n = len(value)
    numbers = {str(i): i for i in range(n)}
    if value.keys() == numbers.keys():
        return [value[str(i)] for i in range(n)]
    found = [""] * n
    for key, place in value.items():
        if not isinstance(place, _Number) or place not in numbers:
            return None
        found[numbers.pop(place)] = key
    return found if n else None


def _columns(path: Path, values: Sequence[Any]) -> dict[str, list[str]]:
    """Return the columns of values, one a row."""
    if not all(isinstance(value, dict) for value in values):
        if any(_is_vector(value) for value in values):
            raise LoadError(path, "JSON lists of numbers, which are vectors", "give it as SOURCE")
        return {ONE_COLUMN_NAME: list(map(_text, values))}
    names: dict[str, None] = {}
    vectors: set[str] = set()
    for value in values:
        for name, item in value.items():
            names.setdefault(name)
            if name not in vectors and _is_vector(item):
                vectors.add(name)
    if len(names) > _MOST_COLUMNS:
        raise LoadError(path, f"{len(names)} keys, more than {_MOST_COLUMNS} are not read")
    if vectors:
        shown = ", ".join(printable(name, 40) for name in sorted(vectors)[:8])
        _log.info("%s: %s hold lists of numbers and are no metadata", path, shown)
    kept = [name for name in names if name not in vectors]
    if not kept:
        raise LoadError(path, "JSON without labels", "write a key with a text into each object")
    return {name or "column": [_text(value.get(name)) for value in values] for name in kept}


def _is_vector(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 1 and all(_is_number(v) for v in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, _Number)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return str(value)
    return json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: Any) -> Any:
    """Return a value with its numbers as numbers again."""
    if isinstance(value, _Number):
        try:
            return json.loads(value)
        except ValueError:
            return str(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value

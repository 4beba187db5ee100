"""The fields of JSON records that are no vectors, as columns of texts."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

from embviz.errors import LoadError, counted

_log = logging.getLogger("embviz")

Keys = tuple[str, ...]

_MOST_COLUMNS = 1000
_MOST_MISSING = 100_000_000


class TextFields:
    """Columns that grow by a record; what a record lacks is "" there.

    Args:
        shown: The file, as it is named to the user.
        vectors: The keys that lead to vectors.
    """

    def __init__(self, shown: str, vectors: frozenset[Keys]) -> None:
        self._shown, self._vectors = shown, vectors
        self._texts: dict[str, list[str]] = {}
        self._others: set[str] = set()
        self._n_rows = self._n_missing = 0

    def add(self, fields: dict[str, Any]) -> None:
        """Take the fields of the next record.

        Raises:
            LoadError: If there are so many that few records have that they would fill the memory.
        """
        for name, value in other_fields(fields, self._vectors):
            column = self._texts.get(name)
            if column is None:
                if len(self._texts) == _MOST_COLUMNS:
                    if len(self._others) < _MOST_COLUMNS:
                        self._others.add(name)
                    continue
                column = self._texts[name] = []
            if len(column) < self._n_rows:
                self._fill(column)
            if len(column) == self._n_rows:
                column.append(as_text(value))
        self._n_rows += 1

    def _fill(self, column: list[str]) -> None:
        n = self._n_rows - len(column)
        self._n_missing += n
        if self._n_missing > _MOST_MISSING:
            why = f"{len(self._texts)} fields that few records have"
            raise LoadError(self._shown, why, "leave those out that are not needed")
        column.extend([""] * n)

    def finish(self) -> dict[str, tuple[str, ...]]:
        """Return the columns, which are then empty here; raises as `add` does."""
        if self._others:
            more = "or more " if len(self._others) == _MOST_COLUMNS else ""
            fields = counted(len(self._others), "field")
            _log.info("%s: %s %sbeyond %s left out", self._shown, fields, more, _MOST_COLUMNS)
        metadata = {}
        for name, column in self._texts.items():
            self._fill(column)
            metadata[name] = tuple(column)
            column.clear()
        return metadata


def other_fields(
    fields: dict[str, Any], vectors: frozenset[Keys], prefix: Keys = ()
) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a record that are no vectors; beside a nested vector, by their path."""
    for key, value in fields.items():
        path = (*prefix, key)
        if path in vectors:
            continue
        if isinstance(value, dict) and any(p[: len(path)] == path for p in vectors):
            yield from other_fields(value, vectors, path)
        elif key or prefix:
            yield ".".join(path), value


def as_text(value: Any) -> str:
    """Return a value as metadata: text as it is, null as "", all else as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

"""Labels that were saved together with a table: a list of words, or the row of each word.

torchtext keeps `itos` and `stoi` beside its vectors, many a training script `word2idx`, `vocab` or
`classes` beside a `state_dict`. The number of rows must be theirs exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from embviz.loaders.weights.pickle_nodes import Dict, Made

Texts = tuple[str, ...]
_MOST_COLUMNS = 100


class Labels:
    """Finds the labels of tables that were saved together; what lies beside them is seen once."""

    def __init__(self) -> None:
        # By what lies there and how many rows it would name.
        self._beside: dict[int, dict[int, list[tuple[str, Any]]]] = {}
        self._columns: dict[tuple[int, int], dict[str, Texts]] = {}

    def find(self, beside: tuple[Dict | Sequence[Any], ...], n_rows: int) -> Mapping[str, Texts]:
        """Return columns of texts for the rows of a table.

        Args:
            beside: What the table lies in, and what that lies in; they are kept.
            n_rows: How many rows it has.

        Returns:
            Of the nearest that has any, each column once, by its key; `label` where it has none.
        """
        for parts in beside:
            key = id(parts), n_rows
            if key not in self._columns:
                self._columns[key] = self._read(parts, n_rows)
            if self._columns[key]:
                return self._columns[key]
        return {}

    def _read(self, parts: Dict | Sequence[Any], n_rows: int) -> dict[str, Texts]:
        columns: dict[str, Texts] = {}
        seen: set[int] = set()
        for name, value in self._of(parts).get(n_rows, ()):
            if id(value) in seen or len(columns) == _MOST_COLUMNS:
                continue
            seen.add(id(value))
            texts = _texts(value, n_rows)
            if texts is not None and texts not in columns.values() and name not in columns:
                columns[name] = texts
        return columns

    def _of(self, parts: Dict | Sequence[Any]) -> dict[int, list[tuple[str, Any]]]:
        if id(parts) not in self._beside:
            by_count: dict[int, list[tuple[str, Any]]] = {}
            for name, value in _named(parts):
                n = len(value.pairs) if isinstance(value, Dict | Made) else 0
                n = len(value) if isinstance(value, list | tuple) else n
                if n:
                    by_count.setdefault(n, []).append((name, value))
            self._beside[id(parts)] = by_count
        return self._beside[id(parts)]


def _named(parts: Dict | Sequence[Any]) -> Iterator[tuple[str, Any]]:
    if isinstance(parts, Dict):
        yield from (pair for pair in parts.pairs if isinstance(pair[0], str))
    else:
        yield from ((f"label {i}" if i else "label", part) for i, part in enumerate(parts))


def _texts(value: Any, n_rows: int) -> Texts | None:
    """Return a text for each row, None for what is not that."""
    if isinstance(value, list | tuple):
        right = len(value) == n_rows and all(type(text) is str for text in value)
        return tuple(value) if right else None
    if not isinstance(value, Dict | Made):
        return None
    texts: list[str | None] = [None] * n_rows
    for key, place in value.pairs:
        if type(key) is int:
            key, place = place, key
        if type(key) is not str or type(place) is not int or not 0 <= place < n_rows:
            return None
        texts[place] = key
    return None if None in texts else tuple(text for text in texts if text is not None)

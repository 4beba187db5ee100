"""Labels that were saved together with a table: a list of words, or the row of each word.

torchtext keeps `itos` and `stoi` beside its vectors, many a training script `word2idx`, `vocab` or
`classes` beside a `state_dict`. The number of rows must be theirs exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from embviz.loaders.weights.pickle_nodes import Dict, Made
from embviz.loaders.weights.pickled_tensors import pairs_of


def find_labels(
    beside: tuple[Dict | Sequence[Any], ...], n_rows: int
) -> dict[str, tuple[str, ...]]:
    """Return columns of texts for the rows of a table.

    Args:
        beside: What the table lies in, and what that lies in.
        n_rows: How many rows it has.

    Returns:
        Of the nearest parts that have any, each column once, by its key; `label` where it has none.
    """
    for parts in beside:
        columns: dict[str, tuple[str, ...]] = {}
        for name, value in _named(parts):
            texts = _texts(value, n_rows)
            if texts is not None and texts not in columns.values() and name not in columns:
                columns[name] = texts
        if columns:
            return columns
    return {}


def _named(parts: Dict | Sequence[Any]) -> Iterator[tuple[str, Any]]:
    if isinstance(parts, Dict):
        yield from (pair for pair in parts.pairs if isinstance(pair[0], str))
    else:
        yield from ((f"label {i}" if i else "label", part) for i, part in enumerate(parts))


def _texts(value: Any, n_rows: int) -> tuple[str, ...] | None:
    """Return a text for each row, None for what is not that."""
    if isinstance(value, list | tuple):
        right = len(value) == n_rows and all(type(text) is str for text in value)
        return tuple(value) if right else None
    if not isinstance(value, Dict | Made):
        return None
    pairs = pairs_of(value)
    if len(pairs) != n_rows:
        return None
    texts: list[str | None] = [None] * n_rows
    for key, place in pairs:
        if type(key) is int:
            key, place = place, key
        if type(key) is not str or type(place) is not int or not 0 <= place < n_rows:
            return None
        texts[place] = key
    return None if None in texts else tuple(text for text in texts if text is not None)

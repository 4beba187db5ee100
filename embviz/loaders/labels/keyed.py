"""Metadata whose rows are joined to the points by a column that both have."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, ParameterError, counted, printable
from embviz.loaders.labels.metadata import read_rows
from embviz.loaders.opened import list_some
from embviz.loaders.reading import Unlabeled
from embviz.model import find_label_column

_log = logging.getLogger("embviz")


@dataclass(frozen=True, eq=False)
class Joined:
    """Columns joined to points; `kept` are the points that are kept, None for all."""

    columns: dict[str, tuple[str, ...]]
    kept: NDArray[np.int64] | None = None


def join_rows(
    path: Path, key: str, own: Mapping[str, tuple[str, ...]], unlabeled: Unlabeled | None
) -> Joined:
    """Join the rows of a metadata file to points by a column.

    Args:
        path: The file.
        key: A column of the file.
        own: The points' own columns. The one of that name is joined by, else the one that names
            the points.
        unlabeled: What is done with points that the file has no row for; None refuses them.

    Returns:
        The points' own columns and behind them the file's others, of which one with the name of an
        own column takes its place.

    Raises:
        LoadError: If a key stands twice for rows that differ, no row is any point's, or points have
            none and it is not said what is done with them.
        ParameterError: If the file has no such column.
    """
    rows = read_rows(path, None, key).columns
    if key not in rows:
        names = list_some([printable(name, 40) for name in rows])
        raise ParameterError(f"--metadata-key {key}", f"{path} has the columns {names}", "name one")
    place = key if key in own else find_label_column(own) or next(iter(own))
    by_key = _index(path, key, rows)
    found = [by_key.get(text, -1) for text in own[place]]
    _check_found(path, (key, rows[key]), (place, own[place]), found, unlabeled)
    n_found = sum(row >= 0 for row in found)
    unused = len(rows[key]) - len({row for row in found if row >= 0})
    _log.info(
        "%s: joined by '%s'%s: %s of %s have a row%s",
        path, printable(key, 40), "" if place == key else f", the points' '{printable(place, 40)}'",
        f"{n_found:,}", counted(len(found), "point"),
        f"; {counted(unused, 'row')} of no point" if unused else "",
    )  # fmt: skip
    points: Sequence[int] = range(len(found))
    kept = None
    if n_found < len(found) and unlabeled == "drop":
        kept = np.flatnonzero(np.array(found) >= 0)
        points = kept.tolist()
    columns = {name: tuple(texts[i] for i in points) for name, texts in own.items()}
    for name, texts in rows.items():
        if name != key:
            columns[name] = tuple(texts[found[i]] if found[i] >= 0 else "" for i in points)
    return Joined(columns, kept)


def _check_found(
    path: Path,
    file: tuple[str, Sequence[str]],
    points: tuple[str, Sequence[str]],
    found: list[int],
    unlabeled: Unlabeled | None,
) -> None:
    """Refuse keys that are no point's, and points without a row that nobody spoke of."""
    (key, keys), (place, texts) = file, points
    missing = [i for i, row in enumerate(found) if row < 0]
    if len(missing) == len(found):
        raise LoadError(
            path,
            f"no '{key}' in it is the '{place}' of a point: '{_first(keys)}' …, where the points "
            f"have '{_first(texts)}' …",
            "name the column that holds these: --metadata-key COLUMN",
        )
    if missing and unlabeled is None:
        raise LoadError(
            path,
            f"{len(missing):,} of {counted(len(found), 'point')} have no row in it by '{key}', "
            f"the first is '{printable(texts[missing[0]], 40)}'",
            "--unlabeled keep keeps them with empty texts, --unlabeled drop leaves them out",
        )


def _index(path: Path, key: str, rows: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return the row of each key.

    Raises:
        LoadError: If a key stands twice for rows that differ.
    """
    found: dict[str, int] = {}
    for i, text in enumerate(rows[key]):
        first = found.setdefault(text, i)
        if first != i and any(texts[first] != texts[i] for texts in rows.values()):
            raise LoadError(
                path,
                f"'{printable(text, 40)}' stands twice under '{key}', for rows {first} and {i} "
                "that differ",
                "leave one of them in it, or join by another column",
            )
    return found


def _first(texts: Sequence[str]) -> str:
    return printable(next(iter(texts), ""), 40)

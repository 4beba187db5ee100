"""Which columns of an Arrow table are vectors: as the user says, else by their types and names."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from embviz.errors import LoadError, ParameterError, printable
from embviz.loaders.columns.kinds import WORDS, Aside, find_asides
from embviz.loaders.columns.request import OPTION, ColumnRequest, read_request
from embviz.loaders.opened import list_some
from embviz.loaders.tables.arrow_table import ArrowTable, Walk
from embviz.loaders.tables.arrow_vectors import (
    ListType,
    list_type,
    number_type,
    read_numbers,
)

_SAMPLE_ROWS = 1000


@dataclass(frozen=True)
class ColumnChoice:
    """What the columns of a table are.

    Attributes:
        lists: The columns of lists, each a tensor of its own.
        wide: Plain columns that are one vector.
        label: The column that names the points, where the user says so.
        asked: Whether the user named the vector.
    """

    lists: dict[str, ListType]
    wide: tuple[str, ...] = ()
    label: str | None = None
    asked: bool = False


def choose_columns(
    table: ArrowTable, classes: Collection[str], asked: str | None = None
) -> ColumnChoice:
    """Find the columns that are vectors.

    Args:
        table: Its schema is asked, and the first rows of plain columns of numbers.
        classes: Columns whose numbers stand for names.
        asked: What `--columns` says.

    Raises:
        LoadError: If only a person can know whether a column is a dimension.
        ParameterError: If what is asked for is no vector.
    """
    names = list(table.schema.names)
    lists = {f.name: found for f in table.schema if (found := list_type(f.type)) is not None}
    plain = [f.name for f in table.schema if number_type(f.type) is not None]
    if asked is None:
        if lists:
            return ColumnChoice(lists)
        asides = _find_asides(table, [n for n in plain if n not in classes])
        unsure = [n for n, aside in asides.items() if not aside.sure]
        if unsure:
            raise _cannot_know(table, unsure[0], asides[unsure[0]])
        return ColumnChoice({}, tuple(n for n in plain if n not in asides and n not in classes))
    request = read_request(asked, names, table.path)
    label = None if request.label is None else names[request.label]
    if lists and request.taken is None and not request.everything:
        left = {names[i] for i in request.left}
        return ColumnChoice({n: t for n, t in lists.items() if n not in left}, (), label)
    return _as_asked(table, request, lists, plain, label, f"{OPTION} {printable(asked, 60)}")


def _as_asked(
    table: ArrowTable,
    request: ColumnRequest,
    lists: dict[str, ListType],
    plain: list[str],
    label: str | None,
    what: str,
) -> ColumnChoice:
    names = list(table.schema.names)
    places = {name: place for place, name in enumerate(names)}
    asides = {} if lists else _find_asides(table, plain)
    found = [n for n in plain if n not in asides] if not lists else []
    chosen = [
        names[i] for i in request.choose([places[n] for n in found], [places[n] for n in plain])
    ]
    numbers = {*lists, *plain}
    wrong = [n for n in chosen if n not in numbers]
    if wrong:
        kind = table.schema.field(wrong[0]).type
        raise ParameterError(
            what, f"column '{printable(wrong[0])}' of {table.path} is {kind}, no numbers",
            f"of numbers are {list_some([*lists, *plain])}",
        )  # fmt: skip
    vectors = [n for n in chosen if n in lists]
    if vectors and len(chosen) > 1:
        raise ParameterError(
            what, f"'{printable(vectors[0])}' holds vectors by itself", "name it alone"
        )
    if vectors:
        return ColumnChoice({vectors[0]: lists[vectors[0]]}, (), label, asked=True)
    return ColumnChoice({}, tuple(chosen), label, asked=True)


def _find_asides(table: ArrowTable, names: list[str]) -> dict[str, Aside]:
    """Return the columns of numbers that are no dimensions, by name."""
    if not names or not table.n_rows:
        return {}
    parts = []
    for _, batch in Walk(table, names, 8 * len(names)).slices(0, min(table.n_rows, _SAMPLE_ROWS)):
        columns = [read_numbers(batch.column(batch.schema.get_field_index(n))) for n in names]
        parts.append(np.stack([c.astype(np.float64) for c in columns], axis=1))
    return {names[aside.column]: aside for aside in find_asides(names, np.concatenate(parts))}


def _cannot_know(table: ArrowTable, name: str, aside: Aside) -> LoadError:
    shown = printable(name, 60)
    return LoadError(
        table.path, f"column '{shown}' may be a dimension or {WORDS[aside.kind]}",
        f"{OPTION}=-{shown} leaves it out, {OPTION} all takes it",
    )  # fmt: skip

"""The labels and other columns of a tensor's rows: which file or source they are taken from.

A file that the user names goes before all. Else the tensor has what its own source says is its own:
a projector's config names a file, an archive and a text file hold columns. Nothing is guessed from
files that merely lie beside.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, ParameterError, counted
from embviz.loaders.labels.counts import CountError
from embviz.loaders.labels.keyed import join_rows
from embviz.loaders.labels.metadata import read_metadata
from embviz.loaders.labels.metadata_lines import open_metadata_lines
from embviz.loaders.labels.order import refuse_other_order
from embviz.loaders.labels.tokens import name_unused
from embviz.loaders.opened import Columns, Source, Tensor, TextColumns, list_some
from embviz.loaders.reading import AS_IT_IS, Reading
from embviz.rows import rank_numbers

_log = logging.getLogger("embviz")


@dataclass(frozen=True, eq=False)
class Labels:
    """The columns of a tensor's rows, and which rows have them.

    Attributes:
        columns: Texts by column, one for each row that is kept.
        kept: int64, ascending: the rows that are kept; None for all.
        named_by: The column that names the points, where the source or the file says it.
    """

    columns: Mapping[str, tuple[str, ...]]
    kept: NDArray[np.int64] | None = None
    named_by: str | None = None


def open_columns(
    source: Source, tensor: Tensor, n_rows: int, reading: Reading = AS_IT_IS
) -> Columns | None:
    """Open the columns of a tensor, to be read where they are asked; None where it has none.

    Args:
        source: What the tensor is of.
        tensor: Whose rows they describe.
        n_rows: How many those are.
        reading: The file that the user named, and how it is read; no row is left out.

    Raises:
        LoadError: If a file of columns is damaged or of another number of rows.
        ParameterError: If there is a key and nothing to find it in.
    """
    in_order = tensor.numbers is None
    if in_order and reading.metadata is not None and reading.metadata_key is None:
        known = _read_known(source, tensor, _file(reading), n_rows)
        if known is not None:
            return known
        with suppress(OSError):  # What is wrong with the file is said by what reads it whole.
            lines = open_metadata_lines(_file(reading), n_rows)
            if lines is not None:
                _check_order(source, tensor, _file(reading), lines)
                return lines
    if reading.metadata is None and reading.metadata_key is None:
        return _own_columns(source, tensor)
    found = read_labels(source, tensor, n_rows, reading)
    return TextColumns(found.columns, found.named_by)


def read_labels(source: Source, tensor: Tensor, n_rows: int, reading: Reading = AS_IT_IS) -> Labels:
    """Read all columns of a tensor.

    Args:
        source: What the tensor is of.
        tensor: Whose rows they describe.
        n_rows: How many those are.
        reading: The file that the user named, and how it is read.

    Raises:
        LoadError: If a file of columns is damaged or of another number of rows.
        ParameterError: If there is a key and nothing to find it in.
    """
    if reading.metadata_key is not None:
        return _joined(source, tensor, n_rows, reading)
    if reading.metadata is None:
        own = _own_columns(source, tensor)
        if own is None:
            return Labels({})
        found = _of_first_rows(_read_all(own), source, n_rows, reading)
        return replace(found, named_by=own.label)
    known = _read_known(source, tensor, _file(reading), n_rows)
    if known is not None:
        found = _of_known(known, source, n_rows, reading)
    else:
        try:
            columns = read_metadata(_file(reading), n_rows, reading.unlabeled)
        except CountError as error:
            raise _with_other_tables(error, source, tensor) from None
        if tensor.numbers is None:
            _check_order(source, tensor, _file(reading), TextColumns(columns))
        found = _of_first_rows(columns, source, n_rows, reading)
    return found if tensor.numbers is None else _by_number(found, tensor.numbers())


def _of_first_rows(
    columns: Mapping[str, tuple[str, ...]], source: Source, n_rows: int, reading: Reading
) -> Labels:
    """Return columns; where that is asked for, of rows that have a label alone."""
    n_labels = len(next(iter(columns.values()), ()))
    if not columns or n_labels >= n_rows or reading.unlabeled != "drop":
        return Labels(columns)
    return Labels(columns, _tell_left_out(source, np.arange(n_labels), n_rows))


def _by_number(labels: Labels, numbers: NDArray[np.int64]) -> Labels:
    """Return labels of rows in the order of their numbers in the order in which they lie."""
    places = np.arange(len(numbers))
    if labels.kept is not None:
        places = np.full(len(numbers), -1)
        places[labels.kept] = np.arange(len(labels.kept))
    places = places[rank_numbers(numbers)]
    kept = np.flatnonzero(places >= 0)
    chosen = places[kept].tolist()
    columns = {name: tuple([v[i] for i in chosen]) for name, v in labels.columns.items()}
    return Labels(columns, None if labels.kept is None else kept, labels.named_by)


def _of_known(columns: TextColumns, source: Source, n_rows: int, reading: Reading) -> Labels:
    """Return columns by row number; where that is asked for, of rows that have a label alone.

    A row of a vocabulary has a name also without a token, a feature without an explanation none.
    """
    if reading.unlabeled != "drop":
        return Labels(columns.metadata, named_by=columns.named_by)
    name = columns.names[0]
    no_label = name_unused if name == "token" else lambda row: ""
    kept = np.flatnonzero([text != no_label(i) for i, text in enumerate(columns.column(name))])
    if len(kept) == n_rows:
        return Labels(columns.metadata, named_by=columns.named_by)
    places = kept.tolist()
    found = {name: tuple([v[i] for i in places]) for name, v in columns.metadata.items()}
    return Labels(found, _tell_left_out(source, kept, n_rows), columns.named_by)


def _joined(source: Source, tensor: Tensor, n_rows: int, reading: Reading) -> Labels:
    """Return the tensor's own columns and those of the file, joined by a column of both."""
    key = reading.metadata_key
    assert key is not None
    if reading.metadata is None:
        raise ParameterError("--metadata-key", "there is no file to join", "add --metadata FILE")
    own = _read_own(source, tensor)
    if not own:
        raise ParameterError(
            f"--metadata-key {key}",
            f"{source.path} has no columns of its own to join by",
            "leave it out where the rows of the metadata are in the order of the points",
        )
    joined = join_rows(_file(reading), key, own, reading.unlabeled)
    if joined.kept is None:
        return Labels(joined.columns)
    return Labels(joined.columns, _tell_left_out(source, joined.kept, n_rows))


def _check_order(source: Source, tensor: Tensor, metadata: Path, columns: Columns) -> None:
    """Refuse a file that names the points in another order than the tensor itself does.

    Names that the source takes from other files (a folder, a config) may be what is set right.
    """
    if source.files:
        return
    try:
        own = None if tensor.columns is None else tensor.columns()
    except LoadError:
        return  # The file is there to take the place of what cannot be read.
    if own is not None:
        refuse_other_order(metadata, own, columns.names, columns.column)


def _file(reading: Reading) -> Path:
    """Return the file that is named; a path that is one stays, since it may show another name."""
    named = reading.metadata
    assert named is not None
    return named if isinstance(named, Path) else Path(named)


def _tell_left_out(source: Source, kept: NDArray[np.int64], n_rows: int) -> NDArray[np.int64]:
    if not len(kept):
        raise LoadError(source.path, "no point of it has a label", "--unlabeled keep keeps them")
    n = n_rows - len(kept)
    _log.info(
        "%s: %s without a label %s left out",
        source.shown or source.path, counted(n, "point"), "was" if n == 1 else "were",
    )  # fmt: skip
    return kept


def _read_own(source: Source, tensor: Tensor) -> Mapping[str, tuple[str, ...]]:
    columns = _own_columns(source, tensor)
    return {} if columns is None else _read_all(columns)


def _read_all(columns: Columns) -> Mapping[str, tuple[str, ...]]:
    return {name: columns.column(name) for name in columns.names}


def _own_columns(source: Source, tensor: Tensor) -> Columns | None:
    try:
        return None if tensor.columns is None else tensor.columns()
    except CountError as error:
        raise _with_other_tables(error, source, tensor) from None


def _read_known(source: Source, tensor: Tensor, metadata: Path, n_rows: int) -> TextColumns | None:
    """Return the columns of a file that names rows by number; None for one in their order."""
    found = None if tensor.by_number is None else tensor.by_number(metadata)
    return found or _read_tokens(source, tensor, metadata, n_rows)


def _read_tokens(source: Source, tensor: Tensor, metadata: Path, n_rows: int) -> TextColumns | None:
    """Return the columns of a file that is a vocabulary, and tell how many tokens it has.

    Raises:
        LoadError: If it is damaged, or has more tokens than there are rows.
    """
    from embviz.loaders.labels.vocabulary import recognize_tokens

    tokens = recognize_tokens(metadata)
    if tokens is None:
        return None
    if not tokens.fits(n_rows):
        why = f"a vocabulary of {tokens.n_needed:,} tokens for {counted(n_rows, 'row')}"
        error = CountError(metadata, tokens.n_needed, why, "")
        raise _with_other_tables(error, source, tensor)
    _log.info("%s: %s", source.shown or source.path, tokens.describe(n_rows))
    return tokens.columns(n_rows)


def _with_other_tables(error: CountError, source: Source, tensor: Tensor) -> LoadError:
    """Return an error on a number of rows with the tables of the source that have as many."""
    fitting = [
        t.name
        for t in source.tensors
        if t is not tensor and t.is_candidate and t.shape[0] == error.n_rows
    ]
    if not fitting:
        return error
    way_out = f"{list_some(fitting)} has as many: --tensor {fitting[0]} --metadata {error.what}"
    return LoadError(error.what, error.why, way_out)

"""The labels and other columns of a tensor's rows: which file or source they are taken from.

A file that the user names goes before all. Else the tensor has what its own source says is its own:
a projector's config names a file, an archive and a text file hold columns. Nothing is guessed from
files that merely lie beside.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path

from embviz.errors import LoadError, counted
from embviz.loaders.labels.metadata import CountError, read_metadata
from embviz.loaders.labels.metadata_lines import open_metadata_lines
from embviz.loaders.opened import Columns, Source, Tensor, TextColumns, list_some

_log = logging.getLogger("embviz")


def open_columns(
    source: Source, tensor: Tensor, n_rows: int, metadata: Path | None = None
) -> Columns | None:
    """Open the columns of a tensor, to be read where they are asked; None where it has none.

    Args:
        source: What the tensor is of.
        tensor: Whose rows they describe.
        n_rows: How many those are.
        metadata: The file that the user named.

    Raises:
        LoadError: If a file of columns is damaged or of another number of rows.
    """
    if metadata is None:
        return _own_columns(source, tensor)
    tokens = _read_tokens(source, tensor, metadata, n_rows)
    if tokens is not None:
        return tokens
    lines = None
    with suppress(OSError):  # What is wrong with the file is said by what reads it whole.
        lines = open_metadata_lines(metadata, n_rows)
    return lines or TextColumns(_read_file(source, tensor, metadata, n_rows))


def read_columns(
    source: Source, tensor: Tensor, n_rows: int, metadata: Path | None = None
) -> dict[str, tuple[str, ...]]:
    """Read all columns of a tensor; arguments and errors are those of `open_columns`."""
    if metadata is not None:
        tokens = _read_tokens(source, tensor, metadata, n_rows)
        return dict(tokens.metadata) if tokens else _read_file(source, tensor, metadata, n_rows)
    columns = _own_columns(source, tensor)
    return {} if columns is None else {name: columns.column(name) for name in columns.names}


def _own_columns(source: Source, tensor: Tensor) -> Columns | None:
    try:
        return None if tensor.columns is None else tensor.columns()
    except CountError as error:
        raise _with_other_tables(error, source, tensor) from None


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


def _read_file(
    source: Source, tensor: Tensor, metadata: Path, n_rows: int
) -> dict[str, tuple[str, ...]]:
    try:
        return read_metadata(metadata, n_rows)
    except CountError as error:
        raise _with_other_tables(error, source, tensor) from None


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

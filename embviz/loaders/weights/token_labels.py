"""The tokens of a model's tokenizer as labels of its tables of words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError
from embviz.loaders.choice import HEAD_NAME, names_table
from embviz.loaders.labels.tokens import Tokens
from embviz.loaders.labels.vocabulary import find_vocabulary, read_tokens
from embviz.loaders.opened import Columns, Tensor, TextColumns

# Rows of a table that no config counts, which are more than there are tokens.
_MOST_UNUSED = 1024
_MAPPING, _WEIGHTS = "mapping", "weights"


@dataclass(frozen=True)
class Labelled:
    """Tensors with the labels that fit, and the files that these are from."""

    tensors: tuple[Tensor, ...]
    files: tuple[Path, ...] = ()


def with_tokens(
    tensors: tuple[Tensor, ...], folder: Path, words: set[str], counted: bool
) -> Labelled:
    """Give the tables of words the tokens of their folder as labels.

    Of model2vec, `mapping` says which row a token has, and `weights` go with them as a column.

    Args:
        tensors: All tensors of a model.
        folder: Where it lies.
        words: The names of its tables of words.
        counted: Whether a config counts the rows of these.

    Returns:
        The tensors; those of words, and those that score words, say which labels they have.
    """
    file = find_vocabulary(folder)
    if file is None or not words:
        return Labelled(tensors)
    try:
        tokens = read_tokens(file)
    except LoadError as error:
        return Labelled(
            tuple(_unread(t, error) if t.name in words else t for t in tensors), (file,)
        )
    n_words = {t.shape[0] for t in tensors if t.name in words}
    one = {t.name: t for t in tensors if len(t.shape) == 1}
    labelled = []
    for t in tensors:
        mapping = one.get(_MAPPING) if t.name == "embeddings" else None
        is_of_words = t.is_table and t.shape[0] in n_words and _is_of_words(t.name)
        if is_of_words and (counted or mapping or _is_near(tokens, t.shape[0])):
            t = _with_columns(t, tokens, file, mapping, one.get(_WEIGHTS))
        labelled.append(t)
    return Labelled(tuple(labelled), tokens.files)


def _unread(t: Tensor, error: LoadError) -> Tensor:
    """Return a tensor whose labels are damaged, which is told when they are asked for."""

    def columns() -> Columns:
        raise LoadError(error.what, error.why, "give labels by --metadata FILE")

    return replace(t, note=_joined(t.note, "labels that cannot be read"), columns=columns)


def _is_of_words(name: str) -> bool:
    return names_table(name) or HEAD_NAME.search(name) is not None


def _is_near(tokens: Tokens, n_rows: int) -> bool:
    return tokens.fits(n_rows) and n_rows - tokens.n_needed <= _MOST_UNUSED


def _with_columns(
    t: Tensor, tokens: Tokens, file: Path, mapping: Tensor | None, weights: Tensor | None
) -> Tensor:
    n_rows = t.shape[0]
    says = tokens.describe(None if mapping else n_rows)
    if mapping is not None:
        says += ", several a row"
    elif not tokens.fits(n_rows):
        says = f"{tokens.describe()} for fewer rows"

    def columns() -> Columns:
        rows_of = None if mapping is None else _integers(mapping)
        if not tokens.fits(n_rows, rows_of):
            why = f"{tokens.n_needed:,} tokens for a table of {n_rows:,} rows"
            raise LoadError(file, why, "give labels that fit: --metadata FILE")
        found = tokens.columns(n_rows, rows_of)
        if rows_of is None:
            return _with_weights(found, n_rows, weights)
        return _SharedRows(found.metadata, found.named_by, tokens, rows_of)

    return replace(t, note=_joined(t.note, says), columns=columns)


@dataclass(frozen=True, eq=False)
class _SharedRows(TextColumns):
    """Columns of rows that several tokens share, which are found by each of these."""

    tokens: Tokens | None = None
    rows_of: NDArray[Any] | None = None

    def find(self, text: str) -> list[int]:
        assert self.tokens is not None
        assert self.rows_of is not None
        places = [i for i, token in enumerate(self.tokens.texts) if token == text]
        return super().find(text) or sorted(
            {int(self.rows_of[self.tokens.ids[place]]) for place in places}
        )


def _with_weights(columns: TextColumns, n_rows: int, weights: Tensor | None) -> TextColumns:
    """Add the weights of model2vec's tokens."""
    if weights is None or weights.shape != (n_rows,):
        return columns
    values = np.asarray(weights.rows()).astype(np.float64).tolist()
    texts = tuple(f"{value:.6g}" for value in values)
    return TextColumns({**columns.metadata, "weight": texts}, named_by=columns.named_by)


def _integers(t: Tensor) -> NDArray[Any]:
    values = np.asarray(t.rows()[0 : t.shape[0]])
    if values.dtype.kind not in "iu":
        raise LoadError(t.name, f"{values.dtype}, where numbers of rows are needed")
    return values


def _joined(*notes: str) -> str:
    return ", ".join(note for note in notes if note not in ("", "table"))

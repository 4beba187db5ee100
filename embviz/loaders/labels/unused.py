"""Rows of a vocabulary that no token has, left out: models round their tables up."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np

from embviz.errors import ParameterError, counted
from embviz.loaders.labels.tokens import UNUSED
from embviz.model import EmbeddingTable

KIND = "kind"
_log = logging.getLogger("embviz")


def drop_unused(table: EmbeddingTable) -> EmbeddingTable:
    """Return a table without the rows whose `kind` is `unused`, and tell how many those are.

    Raises:
        ParameterError: If it has no such column, or no other rows.
    """
    kinds = table.metadata.get(KIND)
    if kinds is None:
        raise ParameterError(
            "--drop-unused",
            f"{table.source} has no column '{KIND}' that tells which rows have a token",
            "name its vocabulary: --metadata tokenizer.json",
        )
    kept = np.flatnonzero([kind != UNUSED for kind in kinds])
    n = table.n_points - len(kept)
    if not len(kept):
        raise ParameterError("--drop-unused", f"every row of {table.source} is unused")
    were = "was" if n == 1 else "were"
    _log.info("%s: %s that no token has %s left out", table.source, counted(n, "row"), were)
    if not n:
        return table
    return replace(table.keep(kept), left_out={**table.left_out, "unused": n})

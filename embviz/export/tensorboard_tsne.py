"""Whether TensorBoard's own t-SNE can go on from coordinates that a bookmark stores.

On applying a t-SNE view TensorBoard starts its optimizer, for floor(3 * perplexity) neighbors a
point. It takes 1 - a.b of the vectors that it shows for their distance and drops neighbors at which
that is negative; a point with too few left ends in a script error
(tensorboard/plugins/projector/vz_projector/knn.ts and bh_tsne.ts).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.model import EmbeddingTable

_SPHERIZED_FROM = 50
_SAMPLED_POINTS = 10_000
_CHECKED_ROWS = 1_024
_LEAST_PERPLEXITY = 2


def most_perplexity(table: EmbeddingTable) -> int:
    """Return the largest perplexity that TensorBoard can go on with, 0 where there is none.

    Of large tables a thousand rows are looked at, and a fifth of the neighbors is held back.
    """
    n = table.n_points
    rows = np.unique(np.linspace(0, n - 1, min(n, _CHECKED_ROWS)).astype(np.int64))
    center = np.zeros(table.n_dims)
    if table.n_dims >= _SPHERIZED_FROM:
        for _, block in table.blocks(np.float64):
            center += block.sum(axis=0) / n
    chosen = _shown(table.take_block(rows, np.float64), center)
    counts = np.zeros(len(rows), np.int64)
    for start, block in table.blocks(np.float64, block_bytes=4 << 20):
        kept = chosen @ _shown(block, center).T <= 1 - 1e-6
        own = (rows >= start) & (rows < start + len(block))
        kept[np.flatnonzero(own), rows[own] - start] = False
        counts += kept.sum(axis=1)
    least = int(counts.min()) * min(1.0, _SAMPLED_POINTS / n)
    safe = least if len(rows) == n else 0.8 * least
    perplexity = int(safe // 3)
    return perplexity if perplexity >= _LEAST_PERPLEXITY else 0


def _shown(block: NDArray[Any], center: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return vectors as TensorBoard shows them: from 50 dimensions on centered, of length 1."""
    values = np.asarray(block, np.float64)
    if values.shape[1] < _SPHERIZED_FROM:
        return values
    values = values - center
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return values / np.where(lengths > 0, lengths, 1)

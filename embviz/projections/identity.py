"""Vectors that are coordinates already."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable, Projection


@dataclass(frozen=True)
class Identity:
    """Show two- or three-dimensional vectors as they are."""

    def project(self, table: EmbeddingTable) -> Projection:
        """Take the vectors for the coordinates, float32 (n_points, 2 or 3).

        Raises:
            ParameterError: If the vectors have another width, or do not fit float32.
            LoadError: If a value is NaN or infinite.
        """
        if table.n_dims not in (2, 3):
            raise ParameterError(
                table.source or "vectors",
                f"{table.n_dims} dimensions where 2 or 3 can be shown as they are",
                "use pca, tsne, umap or custom axes",
            )
        coordinates = np.concatenate([block for _, block in table.blocks()])
        return Projection(
            name="none",
            coordinates=coordinates.astype(np.float32, copy=False),
            axes=("x", "y", "z")[: table.n_dims],
            params={"n_components": table.n_dims},
        )

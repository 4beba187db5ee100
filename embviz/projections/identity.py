"""Vectors that are coordinates already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable, Projection
from embviz.space import Space, open_space, shown_unit


@dataclass(frozen=True)
class Identity:
    """Show two- or three-dimensional vectors as they are."""

    figures: ClassVar[tuple[str, ...]] = ()

    def project(self, table: EmbeddingTable, space: Space | None = None) -> Projection:
        """Take the vectors for the coordinates, float32 (n_points, 2 or 3).

        `params` says the `unit` they are in where float32 cannot hold them in their own.

        Args:
            table: The vectors.
            space: What `open_space` gave, where it was opened before.

        Raises:
            ParameterError: If the vectors have another width.
            LoadError: If a value is NaN or infinite.
        """
        if table.n_dims not in (2, 3):
            raise ParameterError(
                table.source or "vectors",
                f"{table.n_dims} dimensions where 2 or 3 can be shown as they are",
                "use pca, tsne, umap or custom axes",
            )
        space = open_space(table, known=space)
        unit = shown_unit(space.unit, space.extent.peak / space.unit)
        coordinates = np.concatenate([block for _, block in space.blocks()])
        if unit == 1:
            coordinates = np.ldexp(coordinates, space.exponent)
        params: dict[str, float] = {"n_components": table.n_dims}
        return Projection(
            name="none",
            title="As given",
            kind="linear",
            coordinates=coordinates.astype(np.float32, copy=False),
            axes=("x", "y", "z")[: table.n_dims],
            params=params if unit == 1 else {**params, "unit": unit},
        )

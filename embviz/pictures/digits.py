"""Real data that comes with scikit-learn: handwritten digits of the UCI archive."""

from __future__ import annotations

import numpy as np

from embviz.model import EmbeddingTable
from embviz.sprites import pack_tiles


def load_digits_table() -> EmbeddingTable:
    """Return the digits: vectors (1797, 64) of 0 .. 16, their labels and thumbnails of 32 x 32."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    # Dark ink on a light ground, each pixel 4 x 4, so that the small images stay crisp.
    images = np.rint(255 * (1 - digits.images / 16)).astype(np.uint8)
    images = images.repeat(4, axis=1).repeat(4, axis=2)
    return EmbeddingTable(
        digits.data.astype(np.float32),
        {"digit": tuple(str(label) for label in digits.target.tolist())},
        name="pixels",
        source="scikit-learn digits",
        sprite=pack_tiles(images),
    )

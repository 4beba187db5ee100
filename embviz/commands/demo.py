"""`embviz demo`: the main job on real data that comes with scikit-learn."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from embviz.model import EmbeddingTable

log = logging.getLogger("embviz")


@click.command()
@click.option("-o", "output", metavar="FILE", default="demo.html", show_default=True)
def demo(output: str) -> None:
    """Write a report of 1,797 handwritten digits: PCA, t-SNE and an axis from 0 to 1

    \b
    Example:
      embviz demo -o demo.html
    """
    from embviz.outputs.files import check_output
    from embviz.pictures.plan import project
    from embviz.report import prepare_page, write_report

    check_output(Path(output))
    prepare_page()
    table = load_digits_table()
    axes = [("=0", "=1")]
    projections = project(table, methods=["tsne"], axes=axes, dims=[2, 3], metric="euclidean")
    size = write_report(
        output,
        table,
        projections,
        title="Handwritten digits",
        command="embviz demo" + ("" if output == "demo.html" else f" -o {Path(output).name}"),
        color_by="digit",
        metric="euclidean",
        first="tsne",
        notes=["1,797 digits of 8 × 8 pixels, from the UCI archive, as scikit-learn ships them"],
    )
    log.info("Wrote %s (%.1f MB); open it in a browser", output, size / 1e6)


def load_digits_table() -> EmbeddingTable:
    """Return the digits: vectors (1797, 64) of 0 .. 16, their labels and thumbnails of 32 x 32."""
    import numpy as np
    from sklearn.datasets import load_digits

    from embviz.model import EmbeddingTable
    from embviz.sprites import pack_tiles

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

"""`embviz demo`: the main job on real data that comes with scikit-learn."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from embviz.commands.shared.source import FILE, open_option, refuse_opening

log = logging.getLogger("embviz")


@click.command()
@click.option("-o", "output", type=FILE, metavar="FILE", default="demo.html", show_default=True)
@open_option
def demo(output: str, opens: bool) -> None:
    """Write a report of 1,797 handwritten digits: PCA, t-SNE and an axis from 0 to 1

    \b
    Example:
      embviz demo -o demo.html
    """
    from embviz.outputs.browser import open_page
    from embviz.outputs.files import check_output
    from embviz.pictures.digits import load_digits_table
    from embviz.pictures.plan import project
    from embviz.report import prepare_page, write_report

    check_output(Path(output))
    if opens:
        refuse_opening(output)
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
    if opens:
        open_page(output)

"""`embviz demo`: the main job on real data that comes with scikit-learn."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from embviz.commands.shared.outcome import (
    Outcome,
    begin_account,
    json_option,
    options_in_force,
)
from embviz.commands.shared.pictured import (
    count_points,
    list_matches,
    pictures_shown,
    table_entry,
)
from embviz.commands.shared.source import FILE, open_option, refuse_opening

log = logging.getLogger("embviz")


@click.command()
@click.option("-o", "output", type=FILE, metavar="FILE", default="demo.html", show_default=True)
@open_option
@json_option
@click.pass_context
def demo(ctx: click.Context, output: str, opens: bool, as_json: bool) -> None:
    """Write a report of 1,797 handwritten digits: PCA, t-SNE and an axis from 0 to 1

    \b
    Example:
      embviz demo -o demo.html
    """
    from embviz.outputs.browser import open_page
    from embviz.outputs.files import check_output
    from embviz.outputs.text import show_size
    from embviz.pictures.description import Opening, describe, with_classes
    from embviz.pictures.digits import load_digits_table
    from embviz.pictures.figures import picture_figures
    from embviz.pictures.plan import project
    from embviz.pictures.selection import Part
    from embviz.report import prepare_page, write_report

    account = begin_account(as_json, {"-o": output})
    check_output(Path(output))
    if opens:
        refuse_opening(output)
    prepare_page()
    with account.timed("reading"):
        table = load_digits_table()
    with account.timed("projecting"):
        axes = [("=0", "=1")]
        projections = project(table, methods=["tsne"], axes=axes, dims=[2, 3], metric="euclidean")
    with account.timed("writing"):
        size = write_report(
            output,
            table,
            projections,
            title="Handwritten digits",
            command="embviz demo" + ("" if output == "demo.html" else f" -o {Path(output).name}"),
            color_by="digit",
            metric="euclidean",
            first="tsne",
            notes=[
                "1,797 digits of 8 × 8 pixels, from the UCI archive, as scikit-learn ships them"
            ],
        )
    opening = Opening("tsne", color_by="digit", metric="euclidean")
    part = with_classes(Part(table, table), projections, opening)
    summary = list(describe(part, projections, opening))
    account.stop_hearing()
    log.info("Wrote %s (%s); open it in a browser", output, show_size(size))
    if opens:
        open_page(output)
    account.print(
        lambda: Outcome(
            command="demo",
            sources=[table_entry([table.source], table)],
            counts={**count_points(Part(table, table)), "matches": list_matches({}, projections)},
            parameters=options_in_force(ctx),
            figures=picture_figures(projections, "tsne"),
            more={"summary": summary, **pictures_shown("tsne", projections)},
        ),
        [output],
    )

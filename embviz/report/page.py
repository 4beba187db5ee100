"""The HTML file: the template, its scripts and styles, and how it is written."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Unpack

from embviz.checks import check_kind, check_list, check_path
from embviz.comparison.values import Steps
from embviz.model import EmbeddingTable, Neighbors, Projection
from embviz.outputs.files import write_file
from embviz.outputs.text import to_utf8
from embviz.pictures.selection import Part
from embviz.report.budget import MB
from embviz.report.options import ReportFields, report_options
from embviz.report.payload import Payload, ReportOptions, build_payload
from embviz.report.shell import JSON_KINDS, PAGE, TEMPLATES, modules, plotly, stylesheet

progress = logging.getLogger("embviz.progress")


def prepare_page() -> None:
    """Begin the part of the page that does not depend on the data, in the background."""
    plotly()


def render_page(payload: Payload, pictures: Sequence[str] = ()) -> str:
    """Return the whole page: equal text for equal payloads.

    Args:
        payload: What it shows.
        pictures: Relative URLs of pictures of its first view, of which the second is dark.
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    script = plotly()
    environment = Environment(
        loader=FunctionLoader(lambda name: (TEMPLATES / name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = JSON_KINDS
    return environment.get_template(PAGE).render(
        title=payload.manifest["title"],
        manifest=payload.manifest,
        blocks=payload.blocks,
        css=stylesheet(),
        modules=modules(),
        plotly=script.result(),
        pictures=list(pictures),
    )


def write_report(
    path: str | os.PathLike[str],
    points: EmbeddingTable | Part,
    projections: Sequence[Projection],
    options: ReportOptions | None = None,
    steps: Steps | None = None,
    neighbors: Neighbors | None = None,
    **fields: Unpack[ReportFields],
) -> int:
    """Write the report of points and their projections as one HTML file.

    Args:
        path: The file to write; an existing regular file is replaced.
        points: The points that travel: a table, or what `choose_points` gave, with what it found.
        projections: Their projections, all of these points.
        options: What the report shows first and says of itself.
        steps: The states of these points, where there are several: a run over time, or two models.
        neighbors: The nearest of each point by the report's metric, as `build_graph` finds them.
            Ten of each travel where the vectors have no room; where they are not given, and no
            projection's method has looked at them, they are looked for.
        fields: Fields of `ReportOptions`, in place of one or of some of its own.

    Returns:
        The size of the file in bytes.

    Raises:
        OutputError: If the file cannot be written; nothing is left behind.
        ParameterError: If an option does not fit the table, or the steps are of other points.
    """
    path = check_path("path", path)
    return write_file(path, encode_report(points, projections, options, steps, neighbors, **fields))


def encode_report(
    points: EmbeddingTable | Part,
    projections: Sequence[Projection],
    options: ReportOptions | None = None,
    steps: Steps | None = None,
    neighbors: Neighbors | None = None,
    **fields: Unpack[ReportFields],
) -> bytes:
    """Return the HTML file that `write_report` writes.

    Raises:
        ParameterError: If an option does not fit the table, or the steps are of other points.
    """
    check_kind("steps", steps, (Steps, type(None)), "give an embviz.comparison.Steps")
    check_kind("neighbors", neighbors, (Neighbors, type(None)), "give what build_graph found")
    projections = check_list("projections", projections)
    prepare_page()
    table, options = report_options(points, options, fields)
    progress.info("page: packing %s points", f"{table.n_points:,}")
    payload = build_payload(points, projections, options, steps, neighbors)
    page = to_utf8(render_page(payload, options.preview_links))
    if options.max_size is not None and len(page) > options.max_size * MB:
        raise AssertionError(f"a page of {len(page)} bytes where {options.max_size:g} MB are asked")
    return page

"""What a report shows first and says of itself, as callers give it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypedDict

from embviz.checks import changed, check_kind
from embviz.model import EmbeddingTable, Metric
from embviz.pictures.selection import Part
from embviz.report.payload import ReportOptions


class ReportFields(TypedDict, total=False):
    """The fields of `ReportOptions`, as `write_report` takes them."""

    title: str
    command: str
    label_by: str | None
    color_by: str | None
    metric: Metric
    first: str | None
    dims: int
    vectors: str
    total_points: int | None
    isolated: Sequence[int]
    selected: Sequence[int]
    notes: Sequence[str]
    image_links: Sequence[str]
    max_size: float | None
    preview_link: str
    preview_dark_link: str


def report_options(
    points: EmbeddingTable | Part, options: ReportOptions | None, fields: ReportFields
) -> tuple[EmbeddingTable, ReportOptions]:
    """Return the points that travel, and what a report shows of them.

    What `choose_points` found of its points counts where the options say nothing.
    """
    check_kind("points", points, (EmbeddingTable, Part), "give a table, or what choose_points gave")
    check_kind(
        "options", options, (ReportOptions, type(None)),
        "give an embviz.ReportOptions, or its fields as keywords",
    )  # fmt: skip
    options = changed("write_report", options or ReportOptions(), fields)
    if isinstance(points, EmbeddingTable):
        return points, options
    return points.table, replace(
        options,
        total_points=options.total_points or points.whole.n_points,
        isolated=options.isolated or points.isolated,
        selected=options.selected or points.selected,
        notes=options.notes or points.notes,
        color_by=options.color_by or points.color_by,
    )

"""The report of a comparison: both maps of the same points, and what changed between them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Unpack

from embviz.checks import changed, check_kind, check_list, check_path
from embviz.comparison.states import as_steps
from embviz.comparison.values import Comparison, Steps
from embviz.model import Projection
from embviz.outputs.files import write_file
from embviz.report.options import ReportFields
from embviz.report.page import encode_report
from embviz.report.payload import ReportOptions


def write_comparison(
    path: str | os.PathLike[str],
    comparison: Comparison,
    projections: Sequence[Projection] | None = None,
    options: ReportOptions | None = None,
    **fields: Unpack[ReportFields],
) -> int:
    """Write the report of what changed between two states of the same points as one HTML file.

    Args:
        path: The file to write; an existing regular file is replaced.
        comparison: What `compare` found.
        projections: Of both sides, as `project_steps` makes them of `as_steps(comparison)`; None is
            PCA and t-SNE, which is shown first.
        options: What the report shows first and says of itself; None shows neighbors by the metric
            of the comparison.
        fields: Fields of `ReportOptions`, in place of one or of some of its own.

    Returns:
        The size of the file in bytes.

    Raises:
        OutputError: If the file cannot be written; nothing is left behind.
        ParameterError: If an option does not fit the points, or a projection is not of both sides.
    """
    path = check_path("path", path)
    return write_file(path, encode_comparison(comparison, projections, options, **fields))


def encode_comparison(
    comparison: Comparison,
    projections: Sequence[Projection] | None = None,
    options: ReportOptions | None = None,
    **fields: Unpack[ReportFields],
) -> bytes:
    """Return the HTML file that `write_comparison` writes.

    Raises:
        ParameterError: If an option does not fit the points, or a projection is not of both sides.
    """
    steps, projections, shown = opened(comparison, projections, options, fields)
    return encode_report(steps.table, check_list("projections", projections), shown, steps)


def opened(
    comparison: Comparison,
    projections: Sequence[Projection] | None,
    options: ReportOptions | None,
    fields: ReportFields,
) -> tuple[Steps, Sequence[Projection], ReportOptions]:
    """Return both sides as states of the same points, their projections, and what is shown.

    Raises:
        ParameterError: If an argument is of another kind.
    """
    check_kind("comparison", comparison, (Comparison,), "give what embviz.compare found")
    check_kind(
        "options", options, (ReportOptions, type(None)),
        "give an embviz.ReportOptions, or its fields as keywords",
    )  # fmt: skip
    shown = options or ReportOptions(metric=comparison.metric)
    shown = changed("write_comparison", shown, fields)
    steps = as_steps(comparison)
    if projections is None:
        from embviz.pictures.plan import Plan
        from embviz.pictures.steps import project_steps
        from embviz.projections import USUAL_MAP

        plan = Plan(methods=(USUAL_MAP,), metric=comparison.metric)
        projections = project_steps(steps, plan)
        shown = replace(shown, first=shown.first or plan.first(projections).key)
    return steps, projections, shown
